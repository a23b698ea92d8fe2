/* SPDX-License-Identifier: ISC */
/*
 * The one scanner of a message in transfer (RFC 5321 section 4.5.2): finds the CRLF.CRLF that ends
 * it and refuses every byte that another mail server might take for a line's end: a bare CR, a bare
 * LF, and NUL. This is the proxy's hot path; it copies nothing and looks at each byte a fixed
 * number of times.
 */
#ifndef GP_PROTO_SMTP_BODY_H
#define GP_PROTO_SMTP_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct smtp_body {
	bool is_inside; /* the bytes passed on so far end within a line */
	uint64_t size;  /* bytes passed on so far, without the doubled dots */
};

enum smtp_body_result {
	SMTP_BODY_MORE, /* ret_good bytes can be passed on; the rest waits for what follows it */
	SMTP_BODY_END,  /* the same, and SMTP_BODY_END_LEN bytes behind them end the message */
	SMTP_BODY_BAD,
};

enum {
	SMTP_BODY_END_LEN = 3, /* ".\r\n" */
};

void smtp_body_init(struct smtp_body *body);
/* input: what waits. The bytes in ret_good count as passed on: the next call begins behind them. At
 * most two bytes are held back, so that no line's end is ever judged by half of it. */
enum smtp_body_result smtp_body_scan(struct smtp_body *body, struct slice input, size_t *ret_good);

#endif
