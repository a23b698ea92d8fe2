/* SPDX-License-Identifier: ISC */
#include "proto/smtp_body.h"

#include <string.h>

enum {
	BLOCK = 512, /* bytes that are looked at together where nothing in them is special */
};

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

/* Whether the BLOCK bytes at at are text and whole CRLFs alone, and no dot begins a line in them or
 * right behind them, where one more byte is. Without a branch or a call for each line, so that the
 * compiler can take many bytes at once. */
static bool is_plain(const char *at)
{
	unsigned char special = 0;

	for (size_t i = 0; i < BLOCK; i++) {
		unsigned char is_lf_due = at[i] == '\r';
		unsigned char has_lf = at[i + 1] == '\n';
		unsigned char has_dot = at[i + 1] == '.';
		unsigned char is_line_end = at[i] == '\n';

		special |= (unsigned char)((is_lf_due ^ has_lf) | (is_line_end & has_dot) |
					   (at[i] == '\0'));
	}
	return special == 0;
}

/* How many bytes at at, which begins no line with a dot, are passed over in plain blocks; none of
 * it ends within a CRLF. *unlike is behind the first block that is not plain, or left alone. */
static size_t skip_plain(const char *at, const char *end, const char **unlike)
{
	const char *start = at;

	if (at >= end || at[0] == '\n')
		return 0;
	while (end - at > BLOCK && is_plain(at))
		at += BLOCK;
	if (end - at > BLOCK)
		*unlike = at + BLOCK;
	if (at > start && at[-1] == '\r')
		at--;
	return (size_t)(at - start);
}

/* Past the line at at, or what there is of it; NULL if there is something bad in it. */
static const char *take_line(const char *at, const char *end, bool *ret_is_whole)
{
	const char *next = line_end(at, end);

	if (next == at)
		return NULL;
	*ret_is_whole = next != NULL;
	/* A CR at the very end waits for its LF. */
	if (next == NULL)
		next = end[-1] == '\r' ? end - 1 : end;
	return memchr(at, '\0', (size_t)(next - at)) == NULL ? next : NULL;
}

enum smtp_body_result smtp_body_scan(struct smtp_body *body, struct slice input, size_t *ret_good)
{
	const char *at = input.data;
	const char *end = input.len > 0 ? at + input.len : at;
	enum smtp_body_result result = SMTP_BODY_MORE;
	bool is_inside = body->is_inside;
	const char *unlike = at; /* behind the block that is looked at line by line */
	uint64_t dots = 0;

	while (at < end) {
		enum line_start start = is_inside ? START_TEXT : line_start(at, (size_t)(end - at));
		const char *next;
		bool is_whole = true;

		if (start == START_END)
			result = SMTP_BODY_END;
		if (start == START_END || start == START_UNKNOWN)
			break;
		if (start == START_TEXT && at >= unlike) {
			size_t plain = skip_plain(at, end, &unlike);

			at += plain;
			if (plain > 0) {
				is_inside = at[-1] != '\n';
				continue;
			}
		}
		next = take_line(at, end, &is_whole);
		if (next == NULL)
			return SMTP_BODY_BAD;
		dots += start == START_DOT;
		is_inside = !is_whole && (is_inside || next > at);
		at = next;
		if (!is_whole)
			break;
	}
	body->is_inside = is_inside;
	body->size += (size_t)(at - input.data) - dots;
	*ret_good = (size_t)(at - input.data);
	return result;
}
