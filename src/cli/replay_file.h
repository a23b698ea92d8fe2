/* SPDX-License-Identifier: ISC */
/* The lines of a file, plain or gzip (recognised by its first bytes), in bounded memory. */
#ifndef GP_CLI_REPLAY_FILE_H
#define GP_CLI_REPLAY_FILE_H

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum {
	REPLAY_FILE_LINE_MAX = 4 * 1024 * 1024 /* bytes; longer lines are left out */
};

struct replay_file_ops {
	void (*on_line)(struct slice line, void *owner);
	/* Bytes of the file, as it lies there, that are done with. */
	void (*on_progress)(uint64_t done, void *owner);
};

/* "-": standard input. Its size (0 if nobody knows) and time of last change. */
enum gp_err replay_file_look(
	const char *path, uint64_t *ret_size, int64_t *ret_changed, struct gp_why *why) GP_CHECKED;
/* ret_too_long: lines that were left out. A damaged gzip file is GP_ERR_IO, after its good part. */
enum gp_err replay_file_read(const char *path, const struct replay_file_ops *ops, void *owner,
	uint64_t *ret_too_long, struct gp_why *why) GP_CHECKED;

#endif
