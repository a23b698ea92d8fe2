/* SPDX-License-Identifier: ISC */
/* Every text of doc/replies.md to the byte, and what happens to a backend's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/reference.h"
#include "base/text.h"
#include "proto/reply.h"

#define PORTAL "https://mail.example.test/"

static struct reply_facts some_facts(void)
{
	return (struct reply_facts){
		.portal_url = PORTAL,
		.client_address = SLICE_LIT("192.0.2.7"),
		.ban_minutes = 30,
		.ban_failures = 5,
		.account = SLICE_LIT("alice@example.test"),
		.sender = SLICE_LIT("bob@example.test"),
		.words = SLICE_LIT("Sending limit of 50 recipients an hour reached; free again in "
				   "7 minutes"),
		.tag = SLICE_LIT("a1"),
	};
}

struct text_case {
	enum protocol protocol;
	enum reply_situation situation;
	const char *line;
};

#define DENIED                                                                                     \
	"Wrong name or password. If two-factor sign-in is on, use a device password: " PORTAL "\r" \
	"\n"
#define NO_TLS "Encryption required: turn on STARTTLS or SSL/TLS in your mail program\r\n"
#define MECHANISM                                                                                 \
	"Turn off \"secure password authentication\"; use normal password over TLS: " PORTAL "\r" \
	"\n"
#define BANNED                                                               \
	"192.0.2.7 is blocked for 30 more minutes after 5 failed sign-ins. " \
	"Why, and how to lift it: " PORTAL "\r\n"
#define BUSY "Temporarily unavailable, try again\r\n"

static const struct text_case text_cases[] = {
	{ PROTOCOL_SMTP, REPLY_DENIED, "535 5.7.8 " DENIED },
	{ PROTOCOL_IMAP, REPLY_DENIED, "a1 NO [AUTHENTICATIONFAILED] " DENIED },
	{ PROTOCOL_POP3, REPLY_DENIED, "-ERR [AUTH] " DENIED },
	{ PROTOCOL_SMTP, REPLY_NO_TLS, "538 5.7.11 " NO_TLS },
	{ PROTOCOL_IMAP, REPLY_NO_TLS, "a1 NO [PRIVACYREQUIRED] " NO_TLS },
	{ PROTOCOL_POP3, REPLY_NO_TLS, "-ERR [AUTH] " NO_TLS },
	{ PROTOCOL_SMTP, REPLY_MECHANISM, "504 5.5.4 " MECHANISM },
	{ PROTOCOL_IMAP, REPLY_MECHANISM, "a1 NO [CANNOT] " MECHANISM },
	{ PROTOCOL_POP3, REPLY_MECHANISM, "-ERR [AUTH] " MECHANISM },
	{ PROTOCOL_SMTP, REPLY_SIGNIN_REQUIRED,
		"550 5.7.1 Sign in to send: turn on SMTP authentication in your mail program. "
		"How: " PORTAL "\r\n" },
	{ PROTOCOL_SMTP, REPLY_BANNED, "421 4.7.0 " BANNED },
	{ PROTOCOL_IMAP, REPLY_BANNED, "* BYE " BANNED },
	{ PROTOCOL_POP3, REPLY_BANNED, "-ERR [AUTH] " BANNED },
	{ PROTOCOL_SMTP, REPLY_BUSY, "454 4.7.0 " BUSY },
	{ PROTOCOL_IMAP, REPLY_BUSY, "a1 NO [UNAVAILABLE] " BUSY },
	{ PROTOCOL_POP3, REPLY_BUSY, "-ERR [SYS/TEMP] " BUSY },
	{ PROTOCOL_SMTP, REPLY_TEMPORARY_SIGNIN, "454 4.7.0 " BUSY },
	{ PROTOCOL_IMAP, REPLY_TEMPORARY_SIGNIN, "a1 NO [UNAVAILABLE] " BUSY },
	{ PROTOCOL_POP3, REPLY_TEMPORARY_SIGNIN, "-ERR [SYS/TEMP] " BUSY },
	{ PROTOCOL_SMTP, REPLY_TEMPORARY, "451 4.3.0 " BUSY },
	{ PROTOCOL_SMTP, REPLY_BLOCKED,
		"554 5.7.1 Account alice@example.test has been blocked from sending due to abusive "
		"activity. Please update password and (re-)enable 2FA to be unblocked\r\n" },
	{ PROTOCOL_SMTP, REPLY_BARE_LINE_END, "550 5.6.0 Message has a bare CR or LF\r\n" },
	{ PROTOCOL_SMTP, REPLY_NOT_OWN,
		"553 5.7.1 bob@example.test is not an address of alice@example.test\r\n" },
	{ PROTOCOL_SMTP, REPLY_FROM_NOT_OWN,
		"553 5.7.1 Not every address in the From field is one of alice@example.test\r\n" },
	{ PROTOCOL_SMTP, REPLY_FROM_UNREADABLE,
		"553 5.7.1 The From field cannot be read, or there is more than one\r\n" },
	{ PROTOCOL_SMTP, REPLY_LIMIT,
		"450 4.7.1 Sending limit of 50 recipients an hour reached; free again in 7 "
		"minutes: " PORTAL "\r\n" },
	{ PROTOCOL_SMTP, REPLY_SLOW,
		"450 4.7.1 Unusual sending is slowed down, try again in a few minutes. "
		"Why: " PORTAL "\r\n" },
	{ PROTOCOL_SMTP, REPLY_ASKED,
		"450 4.7.1 Unusual sending from alice@example.test: answer \"was this you?\" "
		"at " PORTAL "\r\n" },
	{ PROTOCOL_SMTP, REPLY_SIZE, "552 5.3.4 Message is larger than this account may send\r\n" },
};

static void assert_slice(struct slice got, const char *want)
{
	assert_int_equal(got.len, strlen(want));
	if (got.len > 0)
		assert_memory_equal(got.data, want, got.len);
}

static void test_texts(void **state)
{
	struct reply_facts facts = some_facts();
	struct smtp_reply reply;

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(text_cases); i++) {
		const struct text_case *c = &text_cases[i];
		struct buf out;

		buf_init(&out, 4096);
		assert_true(reply_append(&out, c->protocol, c->situation, &facts));
		assert_slice(buf_slice(&out), c->line);
		buf_clear(&out);
		if (c->protocol == PROTOCOL_SMTP) {
			smtp_reply_set_situation(&reply, c->situation, &facts);
			assert_true(smtp_reply_append(&out, &reply));
			assert_slice(buf_slice(&out), c->line);
		}
		buf_fini(&out);
	}
}

static void test_variants(void **state)
{
	struct reply_facts facts = some_facts();
	struct smtp_reply reply;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	facts.signin_required_code = 530;
	assert_true(reply_append(&out, PROTOCOL_SMTP, REPLY_SIGNIN_REQUIRED, &facts));
	assert_memory_equal(buf_slice(&out).data, "530 5.7.1 Sign in", 17);
	smtp_reply_set_situation(&reply, REPLY_SIGNIN_REQUIRED, &facts);
	assert_int_equal(reply.code, 530);
	buf_clear(&out);
	facts.tag = slice_of(NULL, 0);
	assert_true(reply_append(&out, PROTOCOL_IMAP, REPLY_BUSY, &facts));
	assert_slice(buf_slice(&out), "* NO [UNAVAILABLE] " BUSY);
	buf_fini(&out);
}

/* The same texts with a reference behind them: at the end of the line, but for the text that is to
 * the letter, which it follows on a line of its own, and those of the sending policy. */
static void test_references(void **state)
{
	struct reply_facts facts = some_facts();

	(void)state;
	assert_true(reference_parse(SLICE_LIT("7K3QX9TD"), &facts.reference));
	for (size_t i = 0; i < GP_ARRAY_LEN(text_cases); i++) {
		const struct text_case *c = &text_cases[i];
		char want[1024];
		struct buf out;

		(void)snprintf(want, sizeof want, "%.*s (ref 7K3QX9TD)\r\n",
			(int)strlen(c->line) - 2, c->line);
		if (c->situation >= REPLY_NOT_OWN)
			(void)snprintf(want, sizeof want, "%s", c->line);
		else if (c->situation == REPLY_BLOCKED)
			(void)snprintf(want, sizeof want, "554-%s554 5.7.1 Reference: 7K3QX9TD\r\n",
				c->line + 4);
		buf_init(&out, 4096);
		assert_true(reply_append(&out, c->protocol, c->situation, &facts));
		assert_slice(buf_slice(&out), want);
		assert_true(strlen(want) <= REPLY_LINE_MAX);
		buf_fini(&out);
	}
}

/* Nothing is appended rather than half a line. */
static void test_no_room(void **state)
{
	struct reply_facts facts = some_facts();
	struct smtp_reply reply;
	struct buf out;

	(void)state;
	buf_init(&out, 20);
	assert_false(reply_append(&out, PROTOCOL_SMTP, REPLY_DENIED, &facts));
	smtp_reply_set(&reply, 250, "2.0.0", "one\ntwo");
	assert_false(smtp_reply_append(&out, &reply));
	assert_false(reply_append_clean(&out, SLICE_LIT("twenty-one bytes long")));
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

struct reply_case {
	unsigned code;
	const char *enhanced;
	const char *text;
	const char *wire;
};

static const struct reply_case reply_cases[] = {
	{ 250, "2.0.0", "Ok", "250 2.0.0 Ok\r\n" },
	{ 354, "", "Go on", "354 Go on\r\n" },
	{ 250, "", "", "250 \r\n" },
	{ 550, "5.1.1", "a\nb\nc", "550-5.1.1 a\r\n550-5.1.1 b\r\n550 5.1.1 c\r\n" },
	{ 250, "", "a\n\nb", "250-a\r\n250-\r\n250 b\r\n" },
};

static void test_smtp_reply(void **state)
{
	struct smtp_reply reply;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < GP_ARRAY_LEN(reply_cases); i++) {
		const struct reply_case *c = &reply_cases[i];

		smtp_reply_set(&reply, c->code, c->enhanced, c->text);
		assert_true(smtp_reply_append(&out, &reply));
		assert_slice(buf_slice(&out), c->wire);
		buf_clear(&out);
	}
	buf_fini(&out);
}

/* The longest reply there is: every line is cut, none is lost, no character is split. */
static void test_smtp_reply_longest(void **state)
{
	struct smtp_reply reply;
	struct slice rest;
	struct buf out;
	size_t lines = 0;

	(void)state;
	smtp_reply_set(&reply, 550, "5.7.1", "");
	for (size_t i = 0; i + 1 < sizeof reply.text; i++)
		reply.text[i] = (char)(i % (REPLY_LINE_MAX + 1) % 2 == 0 ? '\xc3' : '\xa4');
	for (size_t i = REPLY_LINE_MAX; i < sizeof reply.text; i += REPLY_LINE_MAX + 1)
		reply.text[i] = '\n';
	reply.text[sizeof reply.text - 1] = '\0';
	buf_init(&out, 64 * 1024);
	assert_true(smtp_reply_append(&out, &reply));
	for (rest = buf_slice(&out); rest.len > 0; lines++) {
		size_t len = (size_t)slice_find(rest, '\r');

		assert_true(len <= REPLY_LINE_MAX);
		assert_true(len > REPLY_LINE_MAX - 2);
		assert_true(text_is_printable(slice_head(rest, len)));
		rest = slice_from(rest, len + 2);
	}
	assert_int_equal(lines, REPLY_LINES_MAX);
	buf_fini(&out);
}

struct clean_case {
	const char *text;
	const char *clean;
};

static const struct clean_case clean_cases[] = {
	{ "", "" },
	{ "plain ~", "plain ~" },
	{ "a\r\nb\tc\x7f", "a??b?c?" },
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
	{ "\xc3", "?" },
	{ "\xc3(", "?(" },
	{ "\xff\xfe", "??" },
	{ "\xc2\x85x", "??x" },
	{ "\xe2\x82\xac\xf0\x9f\x93\xa7", "\xe2\x82\xac\xf0\x9f\x93\xa7" },
	{ "\xed\xa0\x80", "???" },
	{ "\x1b[31mred", "?[31mred" },
};

static void test_clean(void **state)
{
	char longest[REPLY_LINE_MAX + 2];
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < GP_ARRAY_LEN(clean_cases); i++) {
		assert_true(reply_append_clean(&out, slice_str(clean_cases[i].text)));
		assert_slice(buf_slice(&out), clean_cases[i].clean);
		buf_clear(&out);
	}
	assert_true(reply_append_clean(&out, slice_of("a\0b", 3)));
	assert_slice(buf_slice(&out), "a?b");
	buf_clear(&out);
	memset(longest, 'x', sizeof longest);
	assert_true(reply_append_clean(&out, slice_of(longest, sizeof longest)));
	assert_int_equal(out.len, REPLY_LINE_MAX);
	buf_clear(&out);
	memcpy(longest + REPLY_LINE_MAX - 1, "\xc3\xa4", 2);
	assert_true(reply_append_clean(&out, slice_of(longest, REPLY_LINE_MAX + 1)));
	assert_int_equal(out.len, REPLY_LINE_MAX - 1);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_smtp_reply),
		cmocka_unit_test(test_smtp_reply_longest),
		cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
