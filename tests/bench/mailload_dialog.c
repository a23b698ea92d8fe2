/* SPDX-License-Identifier: ISC */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "mailload.h"

enum {
	TEXT_SIZE = 512,
	CODED_SIZE = 1024,
	CONNECTION_PATIENCE = 60, /* seconds for any one wait */
};

static bool command(struct dialog *dialog, const char *text)
{
	char line[CODED_SIZE + TEXT_SIZE];

	if (dialog->task->protocol == PROTOCOL_IMAP)
		snprintf(line, sizeof line, "a%u %s\r\n", ++dialog->tag, text);
	else
		snprintf(line, sizeof line, "%s\r\n", text);
	return stream_say(&dialog->stream, line);
}

/* The last line of a reply. */
static enum answer smtp_reply(struct dialog *dialog, char wanted)
{
	do {
		if (!stream_line(&dialog->stream))
			return ANSWER_GONE;
	} while (strlen(dialog->stream.line) > 3 && dialog->stream.line[3] == '-');
	return dialog->stream.line[0] == wanted ? ANSWER_YES : ANSWER_NO;
}

/* Up to the tagged line; literals of untagged ones are counted and stepped over. */
static enum answer imap_reply(struct dialog *dialog, unsigned long long *count)
{
	char tag[16];

	snprintf(tag, sizeof tag, "a%u ", dialog->tag);
	while (stream_line(&dialog->stream)) {
		struct slice line = slice_str(dialog->stream.line);
		ptrdiff_t brace = slice_find_last(line, '{');
		unsigned long long len;

		if (slice_starts_nocase(line, tag))
			return slice_starts_nocase(slice_from(line, strlen(tag)), "OK") ? ANSWER_YES
											: ANSWER_NO;
		if (brace < 0 || line.data[line.len - 1] != '}')
			continue;
		line = slice_from(line, (size_t)brace + 1);
		if (!slice_to_u64(slice_head(line, line.len - 1), 1ULL << 32, &len) ||
			!stream_skip(&dialog->stream, (size_t)len))
			return ANSWER_GONE;
		*count += len;
	}
	return ANSWER_GONE;
}

static enum answer reply(struct dialog *dialog)
{
	unsigned long long count = 0;

	switch (dialog->task->protocol) {
	case PROTOCOL_IMAP:
		return imap_reply(dialog, &count);
	case PROTOCOL_SMTP:
		return smtp_reply(dialog, '2');
	case PROTOCOL_POP3:
		break;
	}
	if (!stream_line(&dialog->stream))
		return ANSWER_GONE;
	return dialog->stream.line[0] == '+' ? ANSWER_YES : ANSWER_NO;
}

static enum answer ask(struct dialog *dialog, const char *text)
{
	return command(dialog, text) ? reply(dialog) : ANSWER_GONE;
}

static bool greet(struct dialog *dialog)
{
	if (dialog->task->protocol == PROTOCOL_SMTP)
		return smtp_reply(dialog, '2') == ANSWER_YES &&
		       ask(dialog, "EHLO load.example.org") == ANSWER_YES;
	return stream_line(&dialog->stream) && strncmp(dialog->stream.line, "* BYE", 5) != 0 &&
	       dialog->stream.line[0] != '-';
}

bool dialog_open(struct dialog *dialog, uint32_t source)
{
	static const char *const starttls[] = { "STARTTLS", "STLS", "STARTTLS" };
	const struct task *task = dialog->task;
	struct stream *stream = &dialog->stream;

	dialog->stage = "connect";
	stream_init(stream, -1, CONNECTION_PATIENCE);
	if (!stream_connect(stream, task->port, source))
		return false;
	if (task->is_bare)
		return true;
	dialog->stage = "TLS";
	if (task->tls == TLS_IMPLICIT && !stream_start_tls(stream, task->context, false))
		return false;
	dialog->stage = "greeting";
	if (!greet(dialog))
		return false;
	if (task->tls != TLS_STARTTLS)
		return true;
	dialog->stage = "STARTTLS";
	if (ask(dialog, starttls[task->protocol]) != ANSWER_YES ||
		!stream_start_tls(stream, task->context, false))
		return false;
	return task->protocol != PROTOCOL_SMTP ||
	       ask(dialog, "EHLO load.example.org") == ANSWER_YES;
}

/* As most mail programs do: IMAP LOGIN, POP3 USER and PASS, SMTP AUTH PLAIN. */
enum answer dialog_sign_in(struct dialog *dialog, const char *name, const char *password)
{
	char text[TEXT_SIZE];
	char coded[CODED_SIZE] = "AUTH PLAIN ";
	enum answer answer;
	int len;

	dialog->stage = "sign-in";
	switch (dialog->task->protocol) {
	case PROTOCOL_IMAP:
		snprintf(text, sizeof text, "LOGIN %s %s", name, password);
		return ask(dialog, text);
	case PROTOCOL_POP3:
		snprintf(text, sizeof text, "USER %s", name);
		answer = ask(dialog, text);
		if (answer != ANSWER_YES)
			return answer;
		snprintf(text, sizeof text, "PASS %s", password);
		return ask(dialog, text);
	case PROTOCOL_SMTP:
		break;
	}
	len = snprintf(text, sizeof text, "%c%s%c%s", 0, name, 0, password);
	EVP_EncodeBlock((unsigned char *)coded + strlen(coded), (const unsigned char *)text, len);
	return ask(dialog, coded);
}

enum answer dialog_send_message(struct dialog *dialog, const struct body *body)
{
	enum answer answer;

	dialog->stage = "message";
	if (!command(dialog, "MAIL FROM:<load@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA"))
		return ANSWER_GONE;
	answer = smtp_reply(dialog, '2');
	if (answer == ANSWER_YES)
		answer = smtp_reply(dialog, '2');
	if (answer == ANSWER_YES)
		answer = smtp_reply(dialog, '3');
	if (answer != ANSWER_YES)
		return answer;
	if (!stream_write(&dialog->stream, body->bytes, body->len))
		return ANSWER_GONE;
	return smtp_reply(dialog, '2');
}

enum answer dialog_select(struct dialog *dialog)
{
	dialog->stage = "SELECT";
	return ask(dialog, "SELECT INBOX");
}

enum answer dialog_fetch(struct dialog *dialog, unsigned long long *count)
{
	dialog->stage = "FETCH";
	return command(dialog, "FETCH 1 (BODY.PEEK[])") ? imap_reply(dialog, count) : ANSWER_GONE;
}

void dialog_end(struct dialog *dialog)
{
	if (!command(dialog, dialog->task->protocol == PROTOCOL_IMAP ? "LOGOUT" : "QUIT"))
		return;
	while (stream_line(&dialog->stream))
		;
}
