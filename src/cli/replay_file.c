/* SPDX-License-Identifier: ISC */
#include "cli/replay_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
	ROOM = REPLAY_FILE_LINE_MAX + 256 * 1024,
	GZIP_BUFFER = 256 * 1024,
};

struct reading {
	gzFile file;
	char *bytes; /* ROOM of them */
	size_t len;
	bool is_skipping; /* within a line that is too long */
	uint64_t too_long;
	const struct replay_file_ops *ops;
	void *owner;
};

enum gp_err replay_file_look(
	const char *path, uint64_t *ret_size, int64_t *ret_changed, struct gp_why *why)
{
	struct stat facts;
	bool is_stdin = strcmp(path, "-") == 0;

	if ((is_stdin ? fstat(STDIN_FILENO, &facts) : stat(path, &facts)) != 0)
		return gp_why_set(why, errno == EACCES ? GP_ERR_DENIED : GP_ERR_NOT_FOUND, "%s: %s",
			path, strerror(errno));
	if (S_ISDIR(facts.st_mode))
		return gp_why_set(why, GP_ERR_IO, "%s: a directory", path);
	*ret_size = S_ISREG(facts.st_mode) ? (uint64_t)facts.st_size : 0;
	*ret_changed = S_ISREG(facts.st_mode) ? (int64_t)facts.st_mtime : clock_wall();
	return GP_OK;
}

static enum gp_err open_file(const char *path, gzFile *ret_file, struct gp_why *why)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	gzFile file = fd >= 0 ? gzdopen(fd, "rb") : NULL;

	if (file == NULL) {
		(void)gp_why_set(why, GP_ERR_IO, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return GP_ERR_IO;
	}
	(void)gzbuffer(file, GZIP_BUFFER);
	*ret_file = file;
	return GP_OK;
}

/* Gives all whole lines away and moves the rest to the front; at the end of the file the rest is a
 * line too. */
static void give_lines(struct reading *reading, bool is_end)
{
	size_t from = 0;

	for (;;) {
		struct slice rest = slice_of(reading->bytes + from, reading->len - from);
		ptrdiff_t end = slice_find(rest, '\n');

		if (end < 0 && !(is_end && rest.len > 0))
			break;
		if (end < 0)
			end = (ptrdiff_t)rest.len;
		if (!reading->is_skipping && end <= REPLAY_FILE_LINE_MAX)
			reading->ops->on_line(slice_head(rest, (size_t)end), reading->owner);
		else if (!reading->is_skipping)
			reading->too_long++;
		reading->is_skipping = false;
		from += (size_t)end + ((size_t)end < rest.len);
	}
	reading->len -= from;
	memmove(reading->bytes, reading->bytes + from, reading->len);
	if (reading->len > REPLAY_FILE_LINE_MAX) {
		reading->too_long += !reading->is_skipping;
		reading->is_skipping = true;
		reading->len = 0;
	}
}

enum gp_err replay_file_read(const char *path, const struct replay_file_ops *ops, void *owner,
	uint64_t *ret_too_long, struct gp_why *why)
{
	struct reading reading = { .ops = ops, .owner = owner };
	enum gp_err err = open_file(path, &reading.file, why);
	int got = 1;
	int code = Z_OK;

	if (err != GP_OK)
		return err;
	reading.bytes = mem_new(ROOM, 1);
	while (got > 0) {
		z_off_t done;

		got = gzread(reading.file, reading.bytes + reading.len,
			(unsigned)(ROOM - reading.len < GZIP_BUFFER ? ROOM - reading.len
								    : GZIP_BUFFER));
		if (got > 0)
			reading.len += (size_t)got;
		give_lines(&reading, got <= 0);
		done = gzoffset(reading.file);
		ops->on_progress(done > 0 ? (uint64_t)done : 0, owner);
	}
	if (got < 0)
		err = gp_why_set(why, GP_ERR_IO, "%s: %s", path, gzerror(reading.file, &code));
	code = gzclose_r(reading.file);
	if (err == GP_OK && code == Z_BUF_ERROR)
		err = gp_why_set(why, GP_ERR_IO, "%s: the file is cut off", path);
	*ret_too_long = reading.too_long;
	mem_free(reading.bytes);
	return err;
}
