/* SPDX-License-Identifier: ISC */
/*
 * Gives every file of the folders in argv to a fuzz target, whole and cut off at each byte, so that
 * what fuzzing once found stays fixed in every build, also without libFuzzer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "fuzz.h"

enum {
	FILE_MAX_BYTES = 1024 * 1024,
	CUTS_MAX = 1024, /* a longer file is cut at this many places */
};

static bool read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rbe");
	size_t got = 1;
	bool ok = file != NULL;

	while (ok && got > 0) {
		ok = buf_reserve(out, 4096) == GP_OK;
		if (!ok)
			break;
		got = fread(buf_tail(out), 1, 4096, file);
		buf_added(out, got);
	}
	if (file != NULL)
		ok = fclose(file) == 0 && ok;
	return ok;
}

/* From memory of exactly this length, so that a sanitizer sees each byte read beyond. */
static void give(struct slice bytes)
{
	uint8_t *exact = mem_new(bytes.len > 0 ? bytes.len : 1, 1);

	if (bytes.len > 0)
		memcpy(exact, bytes.data, bytes.len);
	GP_ASSERT(LLVMFuzzerTestOneInput(exact, bytes.len) == 0);
	mem_free(exact);
}

static void replay(const char *path)
{
	struct buf bytes;
	size_t step;

	buf_init(&bytes, FILE_MAX_BYTES);
	GP_ASSERT(read_file(path, &bytes));
	step = bytes.len / CUTS_MAX + 1;
	for (size_t len = 0; len < bytes.len; len += step)
		give(slice_head(buf_slice(&bytes), len));
	give(buf_slice(&bytes));
	buf_fini(&bytes);
}

static int is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	unsigned files = 0;

	for (int i = 1; i < argc; i++) {
		struct dirent **entries = NULL;
		int count = scandir(argv[i], &entries, is_case, alphasort);

		for (int k = 0; k < count; k++) {
			char *path = mem_printf("%s/%s", argv[i], entries[k]->d_name);

			replay(path);
			files++;
			mem_free(path);
			mem_free(entries[k]);
		}
		mem_free(entries);
	}
	printf("%u cases\n", files);
	return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
