/* SPDX-License-Identifier: ISC */
/*
 * First byte: direction; next four: the seed of the splits. The outcome is the same in pieces as at
 * once, and no line that goes to a backend is one of the two commands.
 */
#include "base/check.h"
#include "fuzz.h"
#include "proto/imap_filter.h"

enum {
	OUT_MAX = 1024 * 1024
};

static bool run(bool is_responses, struct slice rest, uint32_t *seed, struct buf *out)
{
	struct imap_filter *filter =
		is_responses ? imap_filter_new_responses() : imap_filter_new_commands();
	bool ok = true;

	while (ok && rest.len > 0) {
		struct slice part = fuzz_cut(&rest, seed != NULL ? fuzz_piece(seed) : rest.len);
		size_t before = out->len;

		ok = imap_filter_pass(filter, part, out);
		GP_ASSERT(out->len <= before + part.len + 64);
	}
	imap_filter_free(&filter);
	return ok;
}

/* The words are told apart as a lenient backend would. */
static bool is_signing_out(struct slice line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] == '\r')
			line.len = i;
	}
	(void)slice_word(&line);
	return slice_is_nocase(slice_word(&line), "UNAUTHENTICATE");
}

static void check_commands(struct slice out)
{
	ptrdiff_t end = slice_find(out, '\n');

	while (end >= 0) {
		GP_ASSERT(!is_signing_out(slice_head(out, (size_t)end)));
		out = slice_from(out, (size_t)end + 1);
		end = slice_find(out, '\n');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of(data, size);
	bool is_responses = (fuzz_byte(&rest) & 1) != 0;
	uint32_t seed = 0;
	struct buf whole;
	struct buf pieces;
	bool ok;

	for (unsigned i = 0; i < 4; i++)
		seed = seed << 8 | fuzz_byte(&rest);
	buf_init(&whole, OUT_MAX);
	buf_init(&pieces, OUT_MAX);
	ok = run(is_responses, rest, NULL, &whole);
	GP_ASSERT(run(is_responses, rest, &seed, &pieces) == ok);
	GP_ASSERT(slice_equal(buf_slice(&whole), buf_slice(&pieces)));
	GP_ASSERT(whole.len <= rest.len);
	if (!is_responses)
		check_commands(buf_slice(&whole));
	buf_fini(&whole);
	buf_fini(&pieces);
	return 0;
}
