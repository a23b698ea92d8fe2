/* SPDX-License-Identifier: ISC */
#include "proto/smtp_answer.h"

#include <string.h>

#include "base/text.h"
#include "proto/smtp_client.h"

void smtp_answer_init(struct smtp_answer *answer)
{
	*answer = (struct smtp_answer){ .code = 0 };
	line_init(&answer->line);
	buf_init(&answer->text, sizeof answer->reply.text - 1);
}

void smtp_answer_fini(struct smtp_answer *answer)
{
	buf_fini(&answer->text);
}

/* The code that line begins with, 0 if it is none. */
static unsigned parse_code(struct slice line)
{
	unsigned code = 0;

	if (line.len < 3 || (line.len > 3 && line.data[3] != ' ' && line.data[3] != '-'))
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (!text_is_digit(line.data[i]))
			return 0;
		code = code * 10 + (unsigned)(line.data[i] - '0');
	}
	return code >= 200 && code <= 599 ? code : 0;
}

/* Bytes of the enhanced code "x.y.z" at the start of text if it is of this class, else 0. */
static size_t enhanced_len(struct slice text, char class)
{
	size_t at = 1;

	if (text.len < 5 || text.data[0] != class || class == '3')
		return 0;
	for (int part = 0; part < 2; part++) {
		size_t digits = 0;

		if (at >= text.len || text.data[at] != '.')
			return 0;
		at++;
		while (at < text.len && text_is_digit(text.data[at]) && digits < 4) {
			at++;
			digits++;
		}
		if (digits == 0 || digits > 3)
			return 0;
	}
	return at == text.len || text.data[at] == ' ' ? at : 0;
}

static void keep_text(struct smtp_answer *answer, struct slice text, char class)
{
	size_t enhanced = enhanced_len(text, class);

	if (answer->lines > REPLY_LINES_MAX)
		return;
	if (enhanced > 0 && answer->reply.enhanced[0] == '\0')
		(void)slice_copy(slice_head(text, enhanced), answer->reply.enhanced,
			sizeof answer->reply.enhanced);
	if (enhanced > 0)
		text = slice_from(text, enhanced + 1);
	/* Room for all lines is there: each is cut to REPLY_LINE_MAX. */
	if (answer->lines == 1 || buf_append_byte(&answer->text, '\n') == GP_OK)
		(void)reply_append_clean(&answer->text, text);
}

static void begin(struct smtp_answer *answer, unsigned code)
{
	answer->code = code;
	answer->bytes = 0;
	answer->lines = 0;
	answer->reply.enhanced[0] = '\0';
	buf_clear(&answer->text);
}

static void finish(struct smtp_answer *answer)
{
	answer->reply.code = answer->code;
	(void)slice_copy(buf_slice(&answer->text), answer->reply.text, sizeof answer->reply.text);
	answer->code = 0;
}

enum smtp_answer_result smtp_answer_take(
	struct smtp_answer *answer, struct slice bytes, size_t *ret_used, struct slice *ret_text)
{
	struct slice line = { NULL, 0 };
	enum line_result found = line_find(&answer->line, bytes, SMTP_ANSWER_LINE_MAX, &line);
	unsigned code;

	if (found == LINE_MORE)
		return SMTP_ANSWER_MORE;
	code = found == LINE_FOUND ? parse_code(line) : 0;
	if (code == 0 || (answer->code != 0 && code != answer->code))
		return SMTP_ANSWER_BAD;
	if (answer->code == 0)
		begin(answer, code);
	answer->bytes += line.len + 2;
	answer->lines++;
	if (answer->bytes > SMTP_CLIENT_REPLY_MAX)
		return SMTP_ANSWER_BAD;
	*ret_used = line.len + 2;
	*ret_text = slice_from(line, 4);
	keep_text(answer, *ret_text, line.data[0]);
	if (line.len > 3 && line.data[3] == '-')
		return SMTP_ANSWER_LINE;
	finish(answer);
	return SMTP_ANSWER_DONE;
}
