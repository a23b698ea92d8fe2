/* SPDX-License-Identifier: ISC */
/*
 * The answer of gatepost-web on its way to the browser: its head is read, checked and written
 * anew, so that the front knows where the answer ends and whether the connection lives on. What
 * follows is the body, ret_answer->body_len bytes of it. Sans-I/O.
 */
#ifndef GP_PROTO_HTTP_ANSWER_H
#define GP_PROTO_HTTP_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum {
	HTTP_ANSWER_HEAD_MAX = 8 * 1024,
};

enum http_answer_step {
	HTTP_ANSWER_MORE,
	HTTP_ANSWER_HEAD, /* the head is there */
	HTTP_ANSWER_BAD,  /* this is no answer that can be passed on */
};

struct http_answer {
	unsigned status;
	uint64_t body_len;
	size_t head_len; /* bytes of the input */
};

/* input: all that came. is_head: the request was HEAD, whose answer has no body. is_last: the
 * connection closes afterwards. out: the head for the browser; has room for HTTP_ANSWER_HEAD_MAX +
 * 64 bytes. */
enum http_answer_step http_answer_read(struct slice input, bool is_head, bool is_last,
	struct buf *out, struct http_answer *ret_answer);

#endif
