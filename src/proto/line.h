/* SPDX-License-Identifier: ISC */
/*
 * Finds the next CRLF line in input that grows at its end. Bytes once looked at are not looked at
 * again, so a line that comes a byte at a time costs no more than one that comes at once, and a
 * line without an end costs no more than its limit.
 */
#ifndef GP_PROTO_LINE_H
#define GP_PROTO_LINE_H

#include "base/slice.h"

struct line {
	size_t seen; /* bytes at the input's start known to hold no LF */
};

enum line_result {
	LINE_MORE, /* no end yet */
	LINE_FOUND,
	LINE_BROKEN,   /* ends in a bare LF, or holds a bare CR or a NUL */
	LINE_TOO_LONG, /* more than max bytes without CRLF */
};

void line_init(struct line *line);

/*
 * input: all that waits, from the same byte on as in the last call that gave LINE_MORE; max may
 * change between calls. LINE_FOUND: ret_text is the line without CRLF, borrowed from input; it
 * takes ret_text->len + 2 bytes, after which the finder is ready for the next one.
 */
enum line_result line_find(
	struct line *line, struct slice input, size_t max, struct slice *ret_text);

#endif
