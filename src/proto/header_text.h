/* SPDX-License-Identifier: ISC */
/*
 * A header field's text as people read it: encoded words (RFC 2047) decoded, clean UTF-8, cut.
 * UTF-8, US-ASCII, ISO 8859-1 and -15 and Windows-1252 are understood; a word in any other
 * character set stays as it is. Pure.
 */
#ifndef GP_PROTO_HEADER_TEXT_H
#define GP_PROTO_HEADER_TEXT_H

#include "base/buf.h"
#include "base/slice.h"

enum {
	HEADER_TEXT_MAX = 256 /* bytes of what comes out */
};

/* field: its body, unfolded. Puts at most HEADER_TEXT_MAX bytes into out, whole characters;
 * control characters become spaces, malformed UTF-8 "?". */
void header_text_decode(struct slice field, struct buf *out);

#endif
