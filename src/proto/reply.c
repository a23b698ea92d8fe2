/* SPDX-License-Identifier: ISC */
#include "proto/reply.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/reference.h"
#include "base/text.h"

enum {
	REPLY_WORDS_MAX = 2048, /* of one of our own texts, address and URL filled in */
};

/* How each protocol marks a situation; NULL: it has no such situation. */
struct marks {
	unsigned code;
	const char *enhanced;
	const char *imap;
	const char *pop3;
	bool has_no_reference; /* core keeps no event that it could lead to */
};

static const struct marks marks[REPLY_SITUATION_MAX] = {
	[REPLY_DENIED] = { 535, "5.7.8", "NO [AUTHENTICATIONFAILED]", "-ERR [AUTH]" },
	[REPLY_NO_TLS] = { 538, "5.7.11", "NO [PRIVACYREQUIRED]", "-ERR [AUTH]" },
	[REPLY_MECHANISM] = { 504, "5.5.4", "NO [CANNOT]", "-ERR [AUTH]" },
	[REPLY_SIGNIN_REQUIRED] = { 550, "5.7.1", NULL, NULL },
	[REPLY_BANNED] = { 421, "4.7.0", "BYE", "-ERR [AUTH]" },
	[REPLY_BUSY] = { 454, "4.7.0", "NO [UNAVAILABLE]", "-ERR [SYS/TEMP]" },
	[REPLY_TEMPORARY_SIGNIN] = { 454, "4.7.0", "NO [UNAVAILABLE]", "-ERR [SYS/TEMP]" },
	[REPLY_TEMPORARY] = { 451, "4.3.0", "NO [UNAVAILABLE]", "-ERR [SYS/TEMP]" },
	[REPLY_BLOCKED] = { 554, "5.7.1", NULL, NULL },
	[REPLY_BARE_LINE_END] = { 550, "5.6.0", NULL, NULL },
	[REPLY_NOT_OWN] = { 553, "5.7.1", NULL, NULL, true },
	[REPLY_FROM_NOT_OWN] = { 553, "5.7.1", NULL, NULL, true },
	[REPLY_FROM_UNREADABLE] = { 553, "5.7.1", NULL, NULL, true },
	[REPLY_LIMIT] = { 450, "4.7.1", NULL, NULL, true },
	[REPLY_SLOW] = { 450, "4.7.1", NULL, NULL, true },
	[REPLY_ASKED] = { 450, "4.7.1", NULL, NULL, true },
	[REPLY_SIZE] = { 552, "5.3.4", NULL, NULL, true },
};

static enum gp_err append_banned(struct buf *out, const struct reply_facts *facts)
{
	return buf_printf(out,
		"%.*s is blocked for %u more minutes after %u failed sign-ins. "
		"Why, and how to lift it: %s",
		SLICE_ARG(facts->client_address), facts->ban_minutes > 0 ? facts->ban_minutes : 1,
		facts->ban_failures, facts->portal_url);
}

static enum gp_err append_blocked(struct buf *out, const struct reply_facts *facts)
{
	return buf_printf(out,
		"Account %.*s has been blocked from sending due to abusive activity. "
		"Please update password and (re-)enable 2FA to be unblocked",
		SLICE_ARG(facts->account));
}

/* What the sending policy says. */
static enum gp_err append_policy(
	struct buf *out, enum reply_situation situation, const struct reply_facts *facts)
{
	if (situation == REPLY_NOT_OWN)
		return buf_printf(out, "%.*s is not an address of %.*s", SLICE_ARG(facts->sender),
			SLICE_ARG(facts->account));
	if (situation == REPLY_FROM_NOT_OWN)
		return buf_printf(out, "Not every address in the From field is one of %.*s",
			SLICE_ARG(facts->account));
	if (situation == REPLY_FROM_UNREADABLE)
		return buf_append_str(
			out, "The From field cannot be read, or there is more than one");
	if (situation == REPLY_LIMIT)
		return buf_printf(out, "%.*s: %s", SLICE_ARG(facts->words), facts->portal_url);
	if (situation == REPLY_SLOW)
		return buf_printf(out,
			"Unusual sending is slowed down, try again in a few minutes. Why: %s",
			facts->portal_url);
	if (situation == REPLY_ASKED)
		return buf_printf(out, "Unusual sending from %.*s: answer \"was this you?\" at %s",
			SLICE_ARG(facts->account), facts->portal_url);
	return buf_append_str(out, "Message is larger than this account may send");
}

static enum gp_err append_text(
	struct buf *out, enum reply_situation situation, const struct reply_facts *facts)
{
	switch (situation) {
	case REPLY_DENIED:
		return buf_printf(out,
			"Wrong name or password. If two-factor sign-in is on, "
			"use a device password: %s",
			facts->portal_url);
	case REPLY_NO_TLS:
		return buf_append_str(out,
			"Encryption required: turn on STARTTLS or SSL/TLS in your mail program");
	case REPLY_MECHANISM:
		return buf_printf(out,
			"Turn off \"secure password authentication\"; "
			"use normal password over TLS: %s",
			facts->portal_url);
	case REPLY_SIGNIN_REQUIRED:
		return buf_printf(out,
			"Sign in to send: turn on SMTP authentication in your mail program. "
			"How: %s",
			facts->portal_url);
	case REPLY_BANNED:
		return append_banned(out, facts);
	case REPLY_BUSY:
	case REPLY_TEMPORARY_SIGNIN:
	case REPLY_TEMPORARY:
		return buf_append_str(out, "Temporarily unavailable, try again");
	case REPLY_BLOCKED:
		return append_blocked(out, facts);
	case REPLY_BARE_LINE_END:
		return buf_append_str(out, "Message has a bare CR or LF");
	case REPLY_NOT_OWN:
	case REPLY_FROM_NOT_OWN:
	case REPLY_FROM_UNREADABLE:
	case REPLY_LIMIT:
	case REPLY_SLOW:
	case REPLY_ASKED:
	case REPLY_SIZE:
		return append_policy(out, situation, facts);
	case REPLY_SITUATION_MAX:
		break;
	}
	return GP_ERR_INTERNAL;
}

/* The reference stands at the end of the line; behind a text that is to the letter, on one of its
 * own. */
static enum gp_err append_words(
	struct buf *out, enum reply_situation situation, const struct reply_facts *facts)
{
	char reference[REFERENCE_SIZE];
	enum gp_err err = append_text(out, situation, facts);

	if (err != GP_OK || facts->reference == 0 || marks[situation].has_no_reference)
		return err;
	return buf_printf(out, situation == REPLY_BLOCKED ? "\nReference: %s" : " (ref %s)",
		reference_format(facts->reference, reference));
}

static enum gp_err append_mark(struct buf *out, enum protocol protocol,
	enum reply_situation situation, const struct reply_facts *facts)
{
	const struct marks *mark = &marks[situation];
	struct slice tag = facts->tag;
	unsigned code = mark->code;

	if (protocol == PROTOCOL_POP3)
		return buf_printf(out, "%s ", mark->pop3);
	if (protocol == PROTOCOL_IMAP) {
		if (tag.len == 0 || situation == REPLY_BANNED)
			tag = SLICE_LIT("*");
		return buf_printf(out, "%.*s %s ", SLICE_ARG(tag), mark->imap);
	}
	if (situation == REPLY_SIGNIN_REQUIRED && facts->signin_required_code != 0)
		code = facts->signin_required_code;
	return buf_printf(out, "%u %s ", code, mark->enhanced);
}

bool reply_append(struct buf *out, enum protocol protocol, enum reply_situation situation,
	const struct reply_facts *facts)
{
	struct buf line;
	bool fits;

	GP_ASSERT(situation < REPLY_SITUATION_MAX);
	GP_ASSERT(protocol == PROTOCOL_SMTP || marks[situation].imap != NULL);
	if (situation == REPLY_BLOCKED) {
		struct smtp_reply reply;

		smtp_reply_set_situation(&reply, situation, facts);
		return smtp_reply_append(out, &reply);
	}
	buf_init(&line, REPLY_WORDS_MAX);
	fits = append_mark(&line, protocol, situation, facts) == GP_OK &&
	       append_words(&line, situation, facts) == GP_OK &&
	       buf_append_str(&line, "\r\n") == GP_OK && buf_append(out, buf_slice(&line)) == GP_OK;
	buf_fini(&line);
	return fits;
}

void smtp_reply_set(struct smtp_reply *reply, unsigned code, const char *enhanced, const char *text)
{
	reply->code = code;
	(void)slice_copy(slice_head(slice_str(enhanced), sizeof reply->enhanced - 1),
		reply->enhanced, sizeof reply->enhanced);
	(void)slice_copy(slice_head(slice_str(text), sizeof reply->text - 1), reply->text,
		sizeof reply->text);
}

void smtp_reply_set_situation(
	struct smtp_reply *reply, enum reply_situation situation, const struct reply_facts *facts)
{
	const struct marks *mark = &marks[situation];
	struct buf words;

	GP_ASSERT(situation < REPLY_SITUATION_MAX);
	buf_init(&words, REPLY_WORDS_MAX);
	/* Words that do not fit leave the code, which is what a mail program acts on. */
	if (append_words(&words, situation, facts) != GP_OK)
		buf_clear(&words);
	smtp_reply_set(reply, mark->code, mark->enhanced, "");
	(void)slice_copy(buf_slice(&words), reply->text, sizeof reply->text);
	if (situation == REPLY_SIGNIN_REQUIRED && facts->signin_required_code != 0)
		reply->code = facts->signin_required_code;
	buf_fini(&words);
}

/* Bytes of the printable characters of ASCII, or of the one that is not of it, that text begins
 * with; 0 if it begins with neither. */
static size_t printable_len(struct slice text)
{
	unsigned char lead = (unsigned char)text.data[0];
	size_t ascii = text_plain_len(text);
	size_t len = ascii > 0 ? ascii : lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	return len <= text.len && text_is_printable(slice_head(text, len)) ? len : 0;
}

/* The longest front of text that fits into max bytes and splits no character. */
static struct slice cut(struct slice text, size_t max)
{
	size_t len = max;

	if (text.len <= max)
		return text;
	while (len > 0 && ((unsigned char)text.data[len] & 0xc0) == 0x80)
		len--;
	return slice_head(text, len);
}

bool reply_append_clean(struct buf *out, struct slice text)
{
	text = cut(text, REPLY_LINE_MAX);
	if (buf_room(out) < text.len)
		return false;
	while (text.len > 0) {
		size_t len = printable_len(text);
		struct slice piece = len > 0 ? slice_head(text, len) : SLICE_LIT("?");

		if (buf_append(out, piece) != GP_OK)
			return false;
		text = slice_from(text, len > 0 ? len : 1);
	}
	return true;
}

/* Cuts the next line off *rest. */
static struct slice next_line(struct slice *rest)
{
	ptrdiff_t end = slice_find(*rest, '\n');
	struct slice line = end >= 0 ? slice_head(*rest, (size_t)end) : *rest;

	*rest = end >= 0 ? slice_from(*rest, (size_t)end + 1) : slice_of(NULL, 0);
	return line;
}

static enum gp_err append_line(
	struct buf *out, const struct smtp_reply *reply, struct slice line, bool is_last)
{
	const struct slice enhanced = slice_str(reply->enhanced);
	const char code[] = { (char)('0' + reply->code / 100 % 10),
		(char)('0' + reply->code / 10 % 10), (char)('0' + reply->code % 10),
		is_last ? ' ' : '-' };
	const struct slice space = slice_head(SLICE_LIT(" "), enhanced.len);
	const struct slice pieces[] = { slice_of(code, sizeof code), enhanced, space,
		cut(line, REPLY_LINE_MAX - sizeof code - enhanced.len - space.len),
		SLICE_LIT("\r\n") };

	return buf_append_all(out, pieces, GP_ARRAY_LEN(pieces));
}

bool smtp_reply_append(struct buf *out, const struct smtp_reply *reply)
{
	struct slice rest = slice_str(reply->text);
	struct slice line = next_line(&rest);
	struct buf lines;
	enum gp_err err = GP_OK;

	if (rest.len == 0)
		return append_line(out, reply, line, true) == GP_OK;
	buf_init(&lines, REPLY_LINES_MAX * (REPLY_LINE_MAX + 2));
	for (; err == GP_OK && rest.len > 0; line = next_line(&rest))
		err = append_line(&lines, reply, line, false);
	if (err == GP_OK)
		err = append_line(&lines, reply, line, true);
	if (err == GP_OK)
		err = buf_append(out, buf_slice(&lines));
	buf_fini(&lines);
	return err == GP_OK;
}
