/* SPDX-License-Identifier: ISC */
/*
 * Reads the replies of a next hop, one line at a time (RFC 5321 section 4.2). Strict, for the peer
 * is hostile by assumption: three digits in range, the same in each line of a reply; bounded in
 * bytes; the text cleaned for passing on.
 */
#ifndef GP_PROTO_SMTP_ANSWER_H
#define GP_PROTO_SMTP_ANSWER_H

#include <stdbool.h>

#include "base/buf.h"
#include "proto/line.h"
#include "proto/reply.h"

enum {
	SMTP_ANSWER_LINE_MAX = 2048, /* four times the RFC's */
};

enum smtp_answer_result {
	SMTP_ANSWER_MORE, /* no whole line yet */
	SMTP_ANSWER_LINE, /* a line, and the reply goes on */
	SMTP_ANSWER_DONE, /* its last line: .reply is filled */
	SMTP_ANSWER_BAD,  /* no SMTP, or too much of it */
};

struct smtp_answer {
	struct line line;
	struct smtp_reply reply;
	struct buf text;
	unsigned code;
	size_t bytes;   /* of the reply so far */
	unsigned lines; /* taken of it so far */
};

void smtp_answer_init(struct smtp_answer *answer);
void smtp_answer_fini(struct smtp_answer *answer);
/* Takes at most one line. LINE, DONE: ret_used bytes of it, and its text, raw, behind code and
 * separator, borrowed from bytes; the line's number within the reply is .lines, from 1. */
enum smtp_answer_result smtp_answer_take(
	struct smtp_answer *answer, struct slice bytes, size_t *ret_used, struct slice *ret_text);

#endif
