/* SPDX-License-Identifier: ISC */
#include "proto/smtp_body.h"

#include <string.h>

void smtp_body_init(struct smtp_body *body)
{
	*body = (struct smtp_body){ .is_inside = false };
}

/* What the start of a line is; rest holds at least one byte. */
enum line_start {
	START_TEXT,
	START_DOT, /* a doubled or lone dot with text behind it */
	START_END,
	START_UNKNOWN, /* more bytes decide */
};

static enum line_start line_start(const char *at, size_t left)
{
	if (at[0] != '.')
		return START_TEXT;
	if (left == 1 || (left == 2 && at[1] == '\r'))
		return START_UNKNOWN;
	return left > 2 && at[1] == '\r' && at[2] == '\n' ? START_END : START_DOT;
}

/* Past the CRLF of the line at at, NULL if it is not there yet; at itself if a CR or LF is bare. */
static const char *line_end(const char *at, const char *end)
{
	size_t left = (size_t)(end - at);
	const char *lf;
	const char *cr;

	/* An empty line, for which two calls would be a waste. */
	if (left > 1 && at[0] == '\r')
		return at[1] == '\n' ? at + 2 : at;
	lf = memchr(at, '\n', left);
	cr = memchr(at, '\r', lf != NULL ? (size_t)(lf - at) : left);
	if (lf == NULL)
		return cr == NULL || cr == end - 1 ? NULL : at;
	return cr != NULL && cr == lf - 1 ? lf + 1 : at;
}

enum smtp_body_result smtp_body_scan(struct smtp_body *body, struct slice input, size_t *ret_good)
{
	const char *at = input.data;
	const char *end = input.len > 0 ? at + input.len : at;
	enum smtp_body_result result = SMTP_BODY_MORE;
	bool is_inside = body->is_inside;
	uint64_t dots = 0;
	size_t good;

	while (at < end) {
		enum line_start start = is_inside ? START_TEXT : line_start(at, (size_t)(end - at));
		const char *next;

		if (start == START_END)
			result = SMTP_BODY_END;
		if (start == START_END || start == START_UNKNOWN)
			break;
		next = line_end(at, end);
		if (next == at)
			return SMTP_BODY_BAD;
		dots += start == START_DOT;
		if (next == NULL) {
			/* A CR at the very end waits for its LF. */
			next = end[-1] == '\r' ? end - 1 : end;
			is_inside = is_inside || next > at;
			at = next;
			break;
		}
		is_inside = false;
		at = next;
	}
	good = (size_t)(at - input.data);
	if (good > 0 && memchr(input.data, '\0', good) != NULL)
		return SMTP_BODY_BAD;
	body->is_inside = is_inside;
	body->size += good - dots;
	*ret_good = good;
	return result;
}
