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
#include "proto/smtp_server.h"

enum {
	WIRE_MAX = 16 * 1024 * 1024
};

struct talk {
	struct smtp_server_conf conf;
	struct smtp_server *server;
	struct buf wire; /* sent by the client, not used yet */
	struct engine_action action;
};

static void begin(struct talk *talk, enum service service)
{
	*talk = (struct talk){
		.conf = {
			.common = {
				.hostname = "mail.example.test",
				.portal_url = "https://mail.example.test/",
				.service = service,
				.client_address = SLICE_LIT("192.0.2.7"),
				.can_starttls = true,
				.max_commands = 20,
				.max_attempts = 3,
			},
			.message_size = 1000000,
			.message_recipients = 1000,
		},
	};
	talk->server = smtp_server_new(&talk->conf);
	buf_init(&talk->wire, WIRE_MAX);
}

static void end(struct talk *talk)
{
	smtp_server_free(&talk->server);
	assert_null(talk->server);
	buf_fini(&talk->wire);
}

static void send(struct talk *talk, const char *text)
{
	assert_int_equal(buf_append_str(&talk->wire, text), GP_OK);
}

/* The next action, after using what can be used. */
static enum engine_action_type next(struct talk *talk)
{
	size_t used;

	do {
		used = smtp_server_input(talk->server, buf_slice(&talk->wire), &talk->action);
		buf_consume(&talk->wire, used);
	} while (used > 0 && talk->action.type == ENGINE_NONE);
	return talk->action.type;
}

/* The newest line that was said; all that was said is gone then. */
static void assert_said(struct talk *talk, const char *start)
{
	struct slice out = buf_slice(smtp_server_output(talk->server));
	ptrdiff_t before;

	assert_true(out.len > 2);
	before = slice_find_last(slice_head(out, out.len - 2), '\n');
	out = slice_from(out, (size_t)(before + 1));
	if (!slice_is(slice_head(out, strlen(start)), start))
		fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARG(out), start);
	buf_clear(smtp_server_output(talk->server));
}

static void answer(struct talk *talk, unsigned code, const char *text)
{
	struct smtp_reply reply;

	smtp_reply_set(&reply, code, "", text);
	smtp_server_answer(talk->server, &reply);
}

static void answer_next(struct talk *talk, enum engine_action_type type, unsigned code)
{
	assert_int_equal(next(talk), type);
	answer(talk, code, "said");
}

/* Up to the first byte of a message. */
static void open_message(struct talk *talk)
{
	begin(talk, SERVICE_SMTP);
	send(talk, "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n");
	answer_next(talk, ENGINE_MAIL, 250);
	answer_next(talk, ENGINE_RCPT, 250);
	answer_next(talk, ENGINE_DATA, 354);
	buf_clear(smtp_server_output(talk->server));
}

static void test_starttls_with_bytes_behind(void **state)
{
	struct talk talk;

	(void)state;
	begin(&talk, SERVICE_SUBMISSION);
	send(&talk, "EHLO x\r\nSTARTTLS\r\nEHLO evil\r\n");
	assert_int_equal(next(&talk), ENGINE_CLOSE);
	assert_string_equal(smtp_server_client_name(talk.server), "x");
	assert_said(&talk, "501 5.5.4 ");
	end(&talk);
}

/* Between STARTTLS and the handshake nothing is parsed. */
static void test_starttls_pauses(void **state)
{
	struct talk talk;

	(void)state;
	begin(&talk, SERVICE_SUBMISSION);
	send(&talk, "STARTTLS\r\n");
	assert_int_equal(next(&talk), ENGINE_STARTTLS);
	assert_said(&talk, "220 ");
	send(&talk, "EHLO early\r\n");
	assert_int_equal(next(&talk), ENGINE_NONE);
	assert_int_equal(talk.wire.len, 12);
	assert_int_equal(smtp_server_output(talk.server)->len, 0);
	end(&talk);
}

/* Lines at their limit, and one byte more. */
static void test_line_limits(void **state)
{
	static const struct {
		const char *before;
		size_t max;
		const char *said; /* to the longest line */
	} lines[] = {
		{ "NOOP ", SMTP_SERVER_LINE_MAX, "250 " },
		{ "AUTH PLAIN ", ENGINE_LINE_MAX, "538 " },
		{ "auth x", ENGINE_LINE_MAX, "538 " },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(lines); i++) {
		for (size_t over = 0; over <= 1; over++) {
			struct talk talk;

			begin(&talk, SERVICE_SUBMISSION);
			send(&talk, "EHLO x\r\n");
			assert_int_equal(next(&talk), ENGINE_NONE);
			send(&talk, lines[i].before);
			while (talk.wire.len < lines[i].max + over)
				send(&talk, "x");
			send(&talk, "\r\n");
			assert_int_equal(next(&talk), over    ? ENGINE_CLOSE
						      : i > 0 ? ENGINE_NOTE
							      : ENGINE_NONE);
			assert_said(&talk, over ? "500 5.5.6 " : lines[i].said);
			end(&talk);
		}
	}
}

static void test_errors_limit(void **state)
{
	struct talk talk;

	(void)state;
	begin(&talk, SERVICE_SMTP);
	talk.conf.common.max_commands = 1000;
	for (unsigned i = 0; i < SMTP_SERVER_ERRORS_MAX - 1; i++)
		send(&talk, "WHAT\r\n");
	assert_int_equal(next(&talk), ENGINE_NONE);
	assert_said(&talk, "500 5.5.2 ");
	send(&talk, "WHAT\r\n");
	assert_int_equal(next(&talk), ENGINE_NOTE);
	assert_int_equal(talk.action.note.reason, REASON_LIMIT);
	assert_said(&talk, "421 4.7.0 ");
	assert_int_equal(next(&talk), ENGINE_CLOSE);
	send(&talk, "NOOP\r\n");
	assert_int_equal(next(&talk), ENGINE_NONE);
	assert_int_equal(smtp_server_output(talk.server)->len, 0);
	end(&talk);
}

/* A mail server may name hundreds of recipients though it has not signed in. */
static void test_recipients_are_no_commands(void **state)
{
	struct talk talk;

	(void)state;
	begin(&talk, SERVICE_SMTP);
	send(&talk, "HELO x\r\nMAIL FROM:<a@b>\r\n");
	answer_next(&talk, ENGINE_MAIL, 250);
	for (unsigned i = 0; i < 500; i++) {
		send(&talk, "RCPT TO:<c@d>\r\n");
		answer_next(&talk, ENGINE_RCPT, 250);
		buf_clear(smtp_server_output(talk.server));
	}
	assert_int_equal(smtp_server_recipients(talk.server), 500);
	end(&talk);
}

static void test_pending_limit(void **state)
{
	struct talk talk;
	unsigned asked = 0;

	(void)state;
	begin(&talk, SERVICE_SMTP);
	send(&talk, "HELO x\r\nMAIL FROM:<a@b>\r\n");
	for (unsigned i = 0; i < SMTP_SERVER_PENDING + 5; i++)
		send(&talk, "RCPT TO:<c@d>\r\n");
	while (next(&talk) != ENGINE_NONE) {
		smtp_server_proceed(talk.server);
		asked++;
	}
	assert_int_equal(asked, SMTP_SERVER_PENDING);
	assert_int_equal(smtp_server_owed(talk.server), SMTP_SERVER_PENDING);
	for (; smtp_server_owed(talk.server) > 0; asked += next(&talk) == ENGINE_RCPT) {
		answer(&talk, 250, "Ok");
		if (talk.action.type == ENGINE_RCPT)
			smtp_server_proceed(talk.server);
	}
	assert_int_equal(smtp_server_recipients(talk.server), asked - 1);
	end(&talk);
}

/* While nobody reads the replies no further command is taken. */
static void test_output_bounded(void **state)
{
	struct talk talk;
	size_t len;

	(void)state;
	begin(&talk, SERVICE_SMTP);
	talk.conf.common.max_commands = 1000000;
	for (unsigned i = 0; i < 100000; i++)
		send(&talk, "NOOP\r\n");
	assert_int_equal(next(&talk), ENGINE_NONE);
	len = smtp_server_output(talk.server)->len;
	assert_true(len < 32 * 1024);
	assert_true(talk.wire.len > 500000);
	buf_clear(smtp_server_output(talk.server));
	assert_int_equal(next(&talk), ENGINE_NONE);
	assert_true(smtp_server_output(talk.server)->len > 0);
	end(&talk);
}

/* The forms of smuggling with a second envelope behind them: the engine gives no end of message,
 * and of what follows nothing. */
static void test_smuggling(void **state)
{
	const struct slice forms[] = {
		SLICE_LIT("\n.\n"),
		SLICE_LIT("\n.\r\n"),
		SLICE_LIT("\r\n.\n"),
		SLICE_LIT("\r.\r"),
		SLICE_LIT("\r.\r\n"),
		SLICE_LIT("\r\n.\r"),
		SLICE_LIT("\r\n.\r\r\n"),
		SLICE_LIT("\r\r\n.\r\n"),
		SLICE_LIT("\n\n.\r\n"),
		SLICE_LIT("\r\n\0.\r\n"),
		SLICE_LIT("\r\n.\0\r\n"),
		SLICE_LIT("\r\0\n.\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(forms); i++) {
		struct talk talk;
		enum engine_action_type type;

		open_message(&talk);
		send(&talk, "one");
		assert_int_equal(buf_append(&talk.wire, forms[i]), GP_OK);
		send(&talk, "MAIL FROM:<evil@b>\r\nRCPT TO:<c@d>\r\nDATA\r\ntwo\r\n.\r\n");
		do
			type = next(&talk);
		while (type == ENGINE_BODY);
		assert_int_equal(type, ENGINE_NOTE);
		assert_int_equal(next(&talk), ENGINE_CLOSE);
		assert_said(&talk, "550 5.6.0 Message has a bare CR or LF\r\n");
		assert_int_equal(next(&talk), ENGINE_NONE);
		assert_int_equal(talk.wire.len, 0);
		end(&talk);
	}
}

/* What is passed on is what came, and a slice of it: nothing is copied. */
static void test_body_is_borrowed(void **state)
{
	struct talk talk;
	struct slice wire;

	(void)state;
	open_message(&talk);
	send(&talk, "a\r\n..\r\nb\r\n.\r\nQUIT\r\n");
	wire = buf_slice(&talk.wire);
	assert_int_equal(smtp_server_input(talk.server, wire, &talk.action), 10);
	assert_int_equal(talk.action.type, ENGINE_BODY);
	assert_ptr_equal(talk.action.bytes.data, wire.data);
	assert_int_equal(talk.action.bytes.len, 10);
	buf_consume(&talk.wire, 10);
	assert_int_equal(next(&talk), ENGINE_BODY_END);
	assert_int_equal(smtp_server_message_size(talk.server), 9);
	/* Not a byte further before the next hop has answered. */
	assert_int_equal(next(&talk), ENGINE_NONE);
	assert_int_equal(talk.wire.len, 6);
	answer(&talk, 250, "Ok");
	assert_int_equal(next(&talk), ENGINE_CLOSE);
	end(&talk);
}

/* The end of a message lies in two segments, at each place. */
static void test_body_end_split(void **state)
{
	static const char message[] = "line\r\n.\r\n";

	(void)state;
	for (size_t cut = 1; cut < sizeof message - 1; cut++) {
		struct talk talk;
		size_t got = 0;
		enum engine_action_type type;

		open_message(&talk);
		assert_int_equal(buf_append(&talk.wire, slice_of(message, cut)), GP_OK);
		while (next(&talk) == ENGINE_BODY)
			got += talk.action.bytes.len;
		assert_int_equal(talk.action.type, ENGINE_NONE);
		send(&talk, message + cut);
		for (type = next(&talk); type == ENGINE_BODY; type = next(&talk))
			got += talk.action.bytes.len;
		assert_int_equal(type, ENGINE_BODY_END);
		assert_int_equal(got, 6);
		end(&talk);
	}
}

/* Whatever the shell still says after the end changes nothing. */
static void test_abort(void **state)
{
	struct smtp_reply reply;
	struct talk talk;

	(void)state;
	begin(&talk, SERVICE_SMTP);
	send(&talk, "HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n");
	assert_int_equal(next(&talk), ENGINE_MAIL);
	smtp_server_proceed(talk.server);
	assert_int_equal(next(&talk), ENGINE_RCPT);
	smtp_reply_set(&reply, 421, "4.3.2", "Shutting down");
	smtp_server_abort(talk.server, &reply);
	assert_said(&talk, "421 4.3.2 Shutting down\r\n");
	answer(&talk, 250, "late");
	smtp_server_refuse(talk.server, &reply);
	smtp_server_proceed(talk.server);
	smtp_server_abort(talk.server, &reply);
	assert_int_equal(next(&talk), ENGINE_CLOSE);
	smtp_server_answer_signin(talk.server, &(struct engine_answer){ .verdict = VERDICT_OK });
	assert_false(smtp_server_is_signed_in(talk.server));
	assert_int_equal(smtp_server_output(talk.server)->len, 0);
	assert_string_equal(smtp_server_state(talk.server), "CLOSED");
	end(&talk);
}

static void test_client_name(void **state)
{
	struct talk talk;
	struct buf name;

	(void)state;
	begin(&talk, SERVICE_SUBMISSION);
	buf_init(&name, SMTP_SERVER_LINE_MAX);
	send(&talk, "EHLO a\x1b[31m\xff\\\r\n");
	assert_int_equal(next(&talk), ENGINE_NONE);
	assert_string_equal(smtp_server_client_name(talk.server), "a\\x1b[31m\\xff\\\\");
	while (name.len < 1000)
		assert_int_equal(buf_append_byte(&name, 'x'), GP_OK);
	send(&talk, "EHLO ");
	assert_int_equal(buf_append(&talk.wire, buf_slice(&name)), GP_OK);
	send(&talk, "\r\n");
	assert_int_equal(next(&talk), ENGINE_NONE);
	assert_int_equal(strlen(smtp_server_client_name(talk.server)), ENGINE_CLIENT_NAME_SIZE - 1);
	buf_fini(&name);
	end(&talk);
}

/* Under TLS 0x16 is no hello, and HTTP is HTTP. */
static void test_foreign_protocols(void **state)
{
	static const struct {
		enum service service;
		const char *bytes;
		enum reason reason; /* REASON_NONE: taken for SMTP */
	} cases[] = {
		{ SERVICE_SMTP, "\x16\x03\x01", REASON_TLS_ON_PLAIN_PORT },
		{ SERVICE_SMTP, "\x16", REASON_NONE },
		{ SERVICE_SMTP, "GET / HTTP/1.0\n", REASON_HTTP },
		{ SERVICE_SMTP, "CONNECT x:25 HTTP/1.1\r\n", REASON_HTTP },
		{ SERVICE_SMTP, "put /", REASON_HTTP },
		{ SERVICE_SMTP, "GETTING\r\n", REASON_NONE },
		{ SERVICE_SMTP, "NOOP\r\nGET / HTTP/1.0\r\n", REASON_NONE },
		{ SERVICE_SUBMISSIONS, "\x16\x03\x01", REASON_NONE },
		{ SERVICE_SUBMISSIONS, "OPTIONS * HTTP/1.0\r\n", REASON_HTTP },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct smtp_server_conf conf;
		struct smtp_server *server;
		struct engine_action action;
		struct talk talk;

		begin(&talk, cases[i].service);
		conf = talk.conf;
		conf.common.is_tls = service_is_tls(cases[i].service);
		server = smtp_server_new(&conf);
		(void)smtp_server_input(server, slice_str(cases[i].bytes), &action);
		if (cases[i].reason == REASON_NONE) {
			assert_int_not_equal(action.type, ENGINE_NOTE);
			assert_true(smtp_server_output(server)->len > 0);
		} else {
			assert_int_equal(action.type, ENGINE_NOTE);
			assert_int_equal(action.note.reason, cases[i].reason);
			assert_int_equal(smtp_server_output(server)->len, 0);
			(void)smtp_server_input(server, slice_of(NULL, 0), &action);
			assert_int_equal(action.type, ENGINE_CLOSE);
		}
		smtp_server_free(&server);
		end(&talk);
	}
}

/* 10 MiB without a line end cost no more than the longest line. */
static void test_endless_line(void **state)
{
	char *bytes = mem_new(10 * 1024 * 1024, 1);
	struct engine_action action;
	struct talk talk;

	(void)state;
	memset(bytes, 'x', 10 * 1024 * 1024);
	begin(&talk, SERVICE_SMTP);
	assert_int_equal(smtp_server_input(talk.server, slice_of(bytes, 10 * 1024 * 1024), &action),
		10 * 1024 * 1024);
	assert_int_equal(action.type, ENGINE_CLOSE);
	assert_said(&talk, "500 5.5.6 ");
	end(&talk);
	mem_free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starttls_with_bytes_behind),
		cmocka_unit_test(test_starttls_pauses),
		cmocka_unit_test(test_line_limits),
		cmocka_unit_test(test_errors_limit),
		cmocka_unit_test(test_recipients_are_no_commands),
		cmocka_unit_test(test_pending_limit),
		cmocka_unit_test(test_output_bounded),
		cmocka_unit_test(test_smuggling),
		cmocka_unit_test(test_body_is_borrowed),
		cmocka_unit_test(test_body_end_split),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_client_name),
		cmocka_unit_test(test_foreign_protocols),
		cmocka_unit_test(test_endless_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
