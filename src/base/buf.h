/* SPDX-License-Identifier: ISC */
/*
 * A growable byte buffer with a hard cap: bytes are appended at the end and consumed at the front.
 * Everything whose size a peer influences lives in one of these.
 */
#ifndef GP_BASE_BUF_H
#define GP_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"

struct buf {
	char *data;  /* NULL while empty */
	size_t head; /* offset of the first live byte */
	size_t len;  /* live bytes */
	size_t size; /* allocated */
	size_t max;  /* live bytes never exceed this */
	bool secret; /* wiped before memory is given back or moved */
};

/* max > 0. No memory is taken until the first byte. */
void buf_init(struct buf *buf, size_t max);
/* The same for a buffer through which passwords pass. */
void buf_init_secret(struct buf *buf, size_t max);
/* Frees the memory; the buffer is empty and usable again. */
void buf_fini(struct buf *buf);

/* Room for n more bytes at buf_tail(); GP_ERR_LIMIT if that would pass the cap. */
enum gp_err buf_reserve(struct buf *buf, size_t n) GP_CHECKED;
char *buf_tail(struct buf *buf);           /* where the reserved room begins */
void buf_added(struct buf *buf, size_t n); /* n bytes were written there; n <= what was reserved */
size_t buf_room(const struct buf *buf);    /* how many more bytes the cap allows */

enum gp_err buf_append(struct buf *buf, struct slice bytes) GP_CHECKED;
enum gp_err buf_append_str(struct buf *buf, const char *text) GP_CHECKED;
enum gp_err buf_append_byte(struct buf *buf, char byte) GP_CHECKED;
/* One behind the other, all or (GP_ERR_LIMIT) none: what buf_printf() costs several times as much
 * for.
 */
enum gp_err buf_append_all(struct buf *buf, const struct slice *pieces, size_t count) GP_CHECKED;
enum gp_err buf_printf(struct buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3))) GP_CHECKED;

/* The live bytes; valid until the next call on buf. */
struct slice buf_slice(const struct buf *buf);
/* Drops n <= len bytes from the front. An emptied buffer keeps its memory: see buf_trim(). */
void buf_consume(struct buf *buf, size_t n);
void buf_clear(struct buf *buf);
/* Gives the memory of an empty buffer back (idle connections). */
void buf_trim(struct buf *buf);

#endif
