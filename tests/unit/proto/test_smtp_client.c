/* SPDX-License-Identifier: ISC */
/* What transcripts cannot show: limits, and what depends on bytes arriving together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mem.h"
#include "proto/smtp_answer.h"
#include "proto/smtp_client.h"

static const char hello[] = "220 next ESMTP\r\n250-next\r\n250-8BITMIME\r\n250 PIPELINING\r\n";

static struct smtp_client *begin(const struct smtp_client_conf *conf)
{
	static const struct smtp_client_conf plain = { .helo_name = "gatepost.example.test" };

	return smtp_client_new(conf != NULL ? conf : &plain);
}

/* Gives all of text, in pieces of this size (0: at once); the last event. */
static struct smtp_client_event give(struct smtp_client *client, struct slice text, size_t piece)
{
	struct smtp_client_event event = { .type = ENGINE_EVENT_NONE };
	size_t arrived = piece > 0 ? 0 : text.len;
	size_t start = 0;

	do {
		size_t used;

		arrived = arrived + piece < text.len ? arrived + piece : text.len;
		do {
			used = smtp_client_input(
				client, slice_from(slice_head(text, arrived), start), &event);
			start += used;
		} while (used > 0 && event.type == ENGINE_EVENT_NONE && start < arrived);
	} while (event.type == ENGINE_EVENT_NONE && arrived < text.len);
	return event;
}

static struct smtp_client *ready(void)
{
	struct smtp_client *client = begin(NULL);

	assert_int_equal(give(client, slice_str(hello), 0).type, ENGINE_EVENT_READY);
	buf_clear(smtp_client_output(client));
	return client;
}

static void assert_said(struct smtp_client *client, const char *text)
{
	struct slice out = buf_slice(smtp_client_output(client));

	if (!slice_is(out, text))
		fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARG(out), text);
	buf_clear(smtp_client_output(client));
}

static struct smtp_client *at_starttls(void)
{
	struct smtp_client *client =
		begin(&(struct smtp_client_conf){ .helo_name = "gatepost", .want_starttls = true });

	assert_int_equal(give(client, slice_str("220 x\r\n250-x\r\n250 STARTTLS\r\n"), 0).type,
		ENGINE_EVENT_NONE);
	assert_said(client, "EHLO gatepost\r\nSTARTTLS\r\n");
	return client;
}

/* Plain text behind the 220 would pass for the next hop's words under TLS. */
static void test_starttls_injection(void **state)
{
	struct smtp_client *client = at_starttls();

	(void)state;
	assert_int_equal(
		give(client, slice_str("220 go\r\n250 evil\r\n"), 0).type, ENGINE_EVENT_FAILED);
	smtp_client_free(&client);
	client = at_starttls();
	assert_int_equal(give(client, slice_str("220 go\r\n2"), 0).type, ENGINE_EVENT_FAILED);
	smtp_client_free(&client);
	client = at_starttls();
	assert_int_equal(give(client, slice_str("220 go\r\n"), 0).type, ENGINE_EVENT_STARTTLS);
	assert_int_equal(give(client, slice_str("250 early\r\n"), 0).type, ENGINE_EVENT_NONE);
	smtp_client_tls_started(client);
	assert_said(client, "EHLO gatepost\r\n");
	smtp_client_free(&client);
}

/* What the line before TLS offered is forgotten. */
static void test_caps_after_tls(void **state)
{
	struct smtp_client *client =
		begin(&(struct smtp_client_conf){ .helo_name = "gatepost", .want_starttls = true });

	(void)state;
	give(client, slice_str("220 x\r\n250-x\r\n250-SIZE 5\r\n250-DSN\r\n250 STARTTLS\r\n"), 0);
	assert_int_equal(give(client, slice_str("220 go\r\n"), 0).type, ENGINE_EVENT_STARTTLS);
	smtp_client_tls_started(client);
	assert_int_equal(give(client, slice_str("250 x\r\n"), 0).type, ENGINE_EVENT_READY);
	assert_int_equal(smtp_client_caps(client), 0);
	assert_int_equal(smtp_client_size(client), 0);
	smtp_client_free(&client);
}

struct answer_case {
	const char *bytes;
	unsigned code; /* 0: refused */
	const char *enhanced;
	const char *text;
};

static const struct answer_case answer_cases[] = {
	{ "250 Ok\r\n", 250, "", "Ok" },
	{ "250\r\n", 250, "", "" },
	{ "250 \r\n", 250, "", "" },
	{ "250 2.1.5 Ok\r\n", 250, "2.1.5", "Ok" },
	{ "550 5.7.123\r\n", 550, "5.7.123", "" },
	{ "550 4.7.1 wrong class\r\n", 550, "", "4.7.1 wrong class" },
	{ "550 5.7 short\r\n", 550, "", "5.7 short" },
	{ "550 5.7.1234 long\r\n", 550, "", "5.7.1234 long" },
	{ "550 5..1 gap\r\n", 550, "", "5..1 gap" },
	{ "550-5.1.1 one\r\n550-two\r\n550 5.1.1 three\r\n", 550, "5.1.1", "one\ntwo\nthree" },
	{ "250-\r\n250 x\r\n", 250, "", "\nx" },
	{ "250 a\tb\x1b\xff\r\n", 250, "", "a?b??" },
	{ "250 gr\xc3\xbc\xc3\x9f\r\n", 250, "", "gr\xc3\xbc\xc3\x9f" },
	{ "599 x\r\n", 599, "", "x" },
	{ "600 x\r\n", 0, NULL, NULL },
	{ "199 x\r\n", 0, NULL, NULL },
	{ "25 x\r\n", 0, NULL, NULL },
	{ "2500 x\r\n", 0, NULL, NULL },
	{ "250x\r\n", 0, NULL, NULL },
	{ "250+x\r\n", 0, NULL, NULL },
	{ " 250 x\r\n", 0, NULL, NULL },
	{ "\r\n", 0, NULL, NULL },
	{ "250 x\n", 0, NULL, NULL },
	{ "250 x\ry\r\n", 0, NULL, NULL },
	{ "250-x\r\n251 y\r\n", 0, NULL, NULL },
	{ "250-x\r\n\r\n", 0, NULL, NULL },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(answer_cases); i++) {
		const struct answer_case *c = &answer_cases[i];
		struct slice rest = slice_str(c->bytes);
		enum smtp_answer_result result;
		struct smtp_answer answer;

		smtp_answer_init(&answer);
		do {
			struct slice text;
			size_t used = 0;

			result = smtp_answer_take(&answer, rest, &used, &text);
			rest = slice_from(rest, used);
		} while (result == SMTP_ANSWER_LINE);
		if (c->code == 0) {
			assert_int_equal(result, SMTP_ANSWER_BAD);
		} else {
			assert_int_equal(result, SMTP_ANSWER_DONE);
			assert_int_equal(answer.reply.code, c->code);
			assert_string_equal(answer.reply.enhanced, c->enhanced);
			assert_string_equal(answer.reply.text, c->text);
		}
		smtp_answer_fini(&answer);
	}
}

/* count lines of len bytes each, as one reply to a NOOP. */
static struct smtp_client_event long_reply(
	struct smtp_client *client, size_t count, size_t len, size_t piece)
{
	struct buf reply;
	struct smtp_client_event event;

	buf_init(&reply, 16 * 1024 * 1024);
	assert_int_equal(smtp_client_noop(client), GP_OK);
	for (size_t i = 1; i <= count; i++) {
		assert_int_equal(buf_printf(&reply, "250%c", i < count ? '-' : ' '), GP_OK);
		for (size_t k = 4; k < len; k++)
			assert_int_equal(buf_append_byte(&reply, 'x'), GP_OK);
		assert_int_equal(buf_append_str(&reply, "\r\n"), GP_OK);
	}
	event = give(client, buf_slice(&reply), piece);
	buf_fini(&reply);
	return event;
}

static size_t count_lines(const char *text)
{
	size_t lines = 1;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

/* kept: lines of it that are passed on; 0: too much for us. */
static void check_long_reply(size_t count, size_t len, size_t kept, size_t piece)
{
	struct smtp_client *client = ready();
	struct smtp_client_event event = long_reply(client, count, len, piece);

	assert_int_equal(event.type, kept > 0 ? ENGINE_EVENT_REPLY : ENGINE_EVENT_FAILED);
	if (kept > 0)
		assert_int_equal(count_lines(event.reply->text), kept);
	smtp_client_free(&client);
}

static void test_reply_limits(void **state)
{
	static const struct {
		size_t count;
		size_t len;
		size_t kept;
	} cases[] = {
		{ 1, SMTP_ANSWER_LINE_MAX, 1 },
		{ 1, SMTP_ANSWER_LINE_MAX + 1, 0 },
		{ REPLY_LINES_MAX, 510, REPLY_LINES_MAX },
		{ REPLY_LINES_MAX + 5, 510, REPLY_LINES_MAX },
		{ SMTP_CLIENT_REPLY_MAX / 512, 510, REPLY_LINES_MAX },
		{ SMTP_CLIENT_REPLY_MAX / 512 + 1, 510, 0 },
		{ 200000, 4, 0 },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		check_long_reply(cases[i].count, cases[i].len, cases[i].kept, 0);
		check_long_reply(cases[i].count, cases[i].len, cases[i].kept, 100);
	}
}

/* Commands without a reply are bounded, and none is half sent. */
static void test_commands_limit(void **state)
{
	struct smtp_client *client = ready();
	unsigned sent = 0;
	size_t len;

	(void)state;
	while (smtp_client_rset(client) == GP_OK)
		sent++;
	assert_true(sent >= SMTP_SERVER_PENDING);
	assert_int_equal(smtp_client_owed(client), sent);
	assert_int_equal(smtp_client_rset(client), GP_ERR_LIMIT);
	len = smtp_client_output(client)->len;
	assert_int_equal(len, sent * 6);
	assert_int_equal(give(client, slice_str("250 Ok\r\n"), 0).type, ENGINE_EVENT_REPLY);
	assert_int_equal(smtp_client_rset(client), GP_OK);
	assert_int_equal(smtp_client_output(client)->len, len + 6);
	smtp_client_free(&client);
}

/* A message nobody reads any more stops growing. */
static void test_body_limit(void **state)
{
	struct smtp_client *client = ready();
	char *chunk = mem_new(64 * 1024, 1);
	size_t taken = 0;

	(void)state;
	assert_int_equal(smtp_client_body(client, SLICE_LIT("x\r\n")), GP_ERR_AGAIN);
	assert_int_equal(smtp_client_data(client), GP_OK);
	assert_int_equal(smtp_client_body(client, SLICE_LIT("x\r\n")), GP_ERR_AGAIN);
	assert_int_equal(smtp_client_body_end(client), GP_ERR_AGAIN);
	assert_int_equal(give(client, slice_str("354 go\r\n"), 0).type, ENGINE_EVENT_REPLY);
	while (smtp_client_body(client, slice_of(chunk, 64 * 1024)) == GP_OK)
		taken++;
	assert_in_range(taken, 1, 64);
	assert_int_equal(smtp_client_body(client, slice_of(chunk, 64 * 1024)), GP_ERR_LIMIT);
	buf_clear(smtp_client_output(client));
	assert_int_equal(smtp_client_body_end(client), GP_OK);
	assert_said(client, ".\r\n");
	mem_free(chunk);
	smtp_client_free(&client);
}

/* A next hop that speaks while the message still flows: temporary, whatever it says. */
static void test_babble_in_message(void **state)
{
	struct smtp_client *client = ready();

	(void)state;
	assert_int_equal(smtp_client_data(client), GP_OK);
	assert_int_equal(give(client, slice_str("354 go\r\n"), 0).type, ENGINE_EVENT_REPLY);
	assert_int_equal(give(client, slice_str("250 fine\r\n"), 0).type, ENGINE_EVENT_FAILED);
	assert_int_equal(smtp_client_body(client, SLICE_LIT("x\r\n")), GP_ERR_CLOSED);
	assert_int_equal(smtp_client_body_end(client), GP_ERR_CLOSED);
	smtp_client_free(&client);
}

static void test_no_injection(void **state)
{
	static const char *const addresses[] = { "a\r\nRSET", "a\nb", "a\tb", "a\x7f" };
	struct smtp_client *client = ready();
	struct slice none = { NULL, 0 };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(addresses); i++) {
		struct slice address = slice_str(addresses[i]);

		assert_int_equal(smtp_client_mail(client, address, none), GP_ERR_SYNTAX);
		assert_int_equal(smtp_client_rcpt(client, address, none), GP_ERR_SYNTAX);
		assert_int_equal(smtp_client_vrfy(client, address), GP_ERR_SYNTAX);
	}
	assert_int_equal(
		smtp_client_mail(client, none, SLICE_LIT("BODY=7BIT\r\nRSET")), GP_ERR_SYNTAX);
	assert_int_equal(smtp_client_output(client)->len, 0);
	assert_int_equal(smtp_client_owed(client), 0);
	smtp_client_free(&client);
}

/* The end of the connection, at each stage. */
static void test_closed(void **state)
{
	struct smtp_client_event event;
	struct smtp_client *client = begin(NULL);

	(void)state;
	smtp_client_closed(client, &event);
	assert_int_equal(event.type, ENGINE_EVENT_FAILED);
	smtp_client_closed(client, &event);
	assert_int_equal(event.type, ENGINE_EVENT_NONE);
	smtp_client_free(&client);

	client = ready();
	smtp_client_closed(client, &event);
	assert_int_equal(event.type, ENGINE_EVENT_NONE);
	assert_int_equal(smtp_client_noop(client), GP_ERR_CLOSED);
	smtp_client_free(&client);

	client = ready();
	assert_int_equal(smtp_client_quit(client), GP_OK);
	smtp_client_closed(client, &event);
	assert_int_equal(event.type, ENGINE_EVENT_NONE);
	smtp_client_free(&client);

	client = ready();
	assert_int_equal(smtp_client_data(client), GP_OK);
	assert_int_equal(give(client, slice_str("354 go\r\n"), 0).type, ENGINE_EVENT_REPLY);
	smtp_client_closed(client, &event);
	assert_int_equal(event.type, ENGINE_EVENT_FAILED);
	smtp_client_free(&client);
}

/* More recipients unserved than lines are there: all are counted. */
static void test_fold_many(void **state)
{
	enum {
		COUNT = 1000
	};
	struct smtp_client *client =
		begin(&(struct smtp_client_conf){ .helo_name = "gatepost", .is_lmtp = true });
	struct smtp_client_event event = { .type = ENGINE_EVENT_NONE };
	struct slice none = { NULL, 0 };

	(void)state;
	assert_int_equal(give(client, slice_str(hello), 0).type, ENGINE_EVENT_READY);
	assert_int_equal(smtp_client_mail(client, none, none), GP_OK);
	give(client, slice_str("250 Ok\r\n"), 0);
	for (unsigned i = 0; i < COUNT; i++) {
		char *address = mem_printf("recipient-%u@a-rather-long-domain.example.test", i);

		assert_int_equal(smtp_client_rcpt(client, slice_str(address), none), GP_OK);
		give(client, slice_str("250 Ok\r\n"), 0);
		mem_free(address);
	}
	assert_int_equal(smtp_client_data(client), GP_OK);
	give(client, slice_str("354 go\r\n"), 0);
	assert_int_equal(smtp_client_body_end(client), GP_OK);
	for (unsigned i = 0; i < COUNT; i++) {
		const char *words = i == 7 ? "550 5.1.1 gone\r\n" : "452 4.2.2 full\r\n";

		event = give(client, slice_str(i == 8 ? "250 2.0.0 Ok\r\n" : words), 0);
		assert_int_equal(event.type, ENGINE_EVENT_REPLY);
		assert_int_equal(
			event.command, i + 1 < COUNT ? SMTP_COMMAND_PART : SMTP_COMMAND_BODY);
		assert_int_equal(event.outcome, i == 7   ? RCPT_UNKNOWN
						: i == 8 ? RCPT_DELIVERED
							 : RCPT_REFUSED);
	}
	assert_int_equal(event.reply->code, 550);
	assert_non_null(strstr(event.reply->text, "gone\nNot delivered to: recipient-0@"));
	assert_non_null(strstr(event.reply->text, " more"));
	assert_in_range(count_lines(event.reply->text), 10, REPLY_LINES_MAX);
	smtp_client_free(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starttls_injection),
		cmocka_unit_test(test_caps_after_tls),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_reply_limits),
		cmocka_unit_test(test_commands_limit),
		cmocka_unit_test(test_body_limit),
		cmocka_unit_test(test_babble_in_message),
		cmocka_unit_test(test_no_injection),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_fold_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
