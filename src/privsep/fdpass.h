/* SPDX-License-Identifier: ISC */
/*
 * Bytes handed from process to process in a sealed memfd: whoever maps or reads it knows that they
 * can neither change nor shrink under him.
 */
#ifndef GP_PRIVSEP_FDPASS_H
#define GP_PRIVSEP_FDPASS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum {
	FDPASS_FILE_MAX = 1024 * 1024, /* longest configuration, certificate or key */
};

/* name: for /proc/PID/fd only. The caller closes *ret_fd. */
enum gp_err fdpass_make(const char *name, struct slice bytes, int *ret_fd) GP_CHECKED;

/* Appends all of fd to out, from the beginning, whatever its offset (which other processes share).
 * GP_ERR_LIMIT: not shorter than out may grow. fd -1 is GP_ERR_PROTOCOL: none came along. */
enum gp_err fdpass_read(int fd, struct buf *out, struct gp_why *why) GP_CHECKED;

/* For files that are large: the rest of file_fd, at most max bytes, into a sealed memfd. The caller
 * closes both. GP_ERR_LIMIT: it is longer. */
enum gp_err fdpass_copy(
	int file_fd, const char *name, size_t max, int *ret_fd, struct gp_why *why) GP_CHECKED;
/* All of a sealed memfd as memory, which costs none; fd may be closed then. */
enum gp_err fdpass_map(int fd, struct slice *ret_bytes, struct gp_why *why) GP_CHECKED;
/* Ends it; *bytes is empty then. */
void fdpass_unmap(struct slice *bytes);

#endif
