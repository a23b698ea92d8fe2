/* SPDX-License-Identifier: ISC */
/*
 * What transcripts cannot say of the IMAP and POP3 engines: sizes at a limit, what came in the same
 * segment, memory after a secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/secret.h"
#include "proto/imap_client.h"
#include "proto/imap_server.h"
#include "proto/pop3_client.h"
#include "proto/pop3_server.h"

static char filler[ENGINE_LINE_MAX + 8];

static struct engine_server_conf server_conf(enum service service)
{
	memset(filler, 'x', sizeof filler);
	return (struct engine_server_conf){
		.hostname = "mail.example.test",
		.portal_url = "https://mail.example.test/",
		.service = service,
		.client_address = slice_str("192.0.2.7"),
		.ban_failures = 5,
		.is_tls = service_is_tls(service),
		.can_starttls = !service_is_tls(service),
		.max_commands = 20,
		.max_attempts = 3,
	};
}

static struct login_client_conf client_conf(enum login_credential credential, const char *secret)
{
	return (struct login_client_conf){
		.credential = credential,
		.address = slice_str("alice@example.test"),
		.secret = slice_str(secret),
	};
}

/* Feeds all of it; the last action that came. */
static enum engine_action_type feed(
	const struct login_server_ops *ops, void *engine, struct slice bytes)
{
	enum engine_action_type last = ENGINE_NONE;
	struct engine_action action;
	size_t used;

	do {
		used = ops->input(engine, bytes, &action);
		bytes = slice_from(bytes, used);
		last = action.type != ENGINE_NONE ? action.type : last;
	} while (used > 0 || action.type != ENGINE_NONE);
	return last;
}

static bool has_said(const struct login_server_ops *ops, void *engine, const char *text)
{
	struct slice output = buf_slice(ops->output(engine));

	return memmem(output.data, output.len, text, strlen(text)) != NULL;
}

/* "a LOGIN alice {n}" with a literal of the largest size is a command; a byte more is none. */
static void test_imap_literal_limit(void **state)
{
	struct engine_server_conf conf = server_conf(SERVICE_IMAPS);
	void *engine = imap_server_ops.create(&conf);

	(void)state;
	assert_int_equal(feed(&imap_server_ops, engine, SLICE_LIT("a1 ID (\"name\" {4096+}\r\n")),
		ENGINE_NONE);
	assert_int_equal(
		feed(&imap_server_ops, engine, slice_of(filler, IMAP_LITERAL_MAX)), ENGINE_NONE);
	assert_int_equal(feed(&imap_server_ops, engine, SLICE_LIT(")\r\n")), ENGINE_NONE);
	assert_true(has_said(&imap_server_ops, engine, "a1 OK"));
	assert_int_equal(strlen(imap_server_ops.client_name(engine)), ENGINE_CLIENT_NAME_SIZE - 1);
	assert_int_equal(feed(&imap_server_ops, engine, SLICE_LIT("a2 ID (\"name\" {4097+}\r\n")),
		ENGINE_CLOSE);
	assert_true(has_said(&imap_server_ops, engine, "a2 BAD [TOOBIG]"));
	imap_server_ops.destroy(engine);
}

/* Literals that are each small enough, and together are not. */
static void test_imap_command_limit(void **state)
{
	struct engine_server_conf conf = server_conf(SERVICE_IMAPS);
	void *engine = imap_server_ops.create(&conf);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		const char *head = i == 0 ? "a1 ID (\"a\" {4000}\r\n" : " \"b\" {4000}\r\n";

		assert_int_equal(feed(&imap_server_ops, engine, slice_str(head)), ENGINE_NONE);
		assert_int_equal(
			feed(&imap_server_ops, engine, slice_of(filler, 4000)), ENGINE_NONE);
	}
	assert_int_equal(
		feed(&imap_server_ops, engine, SLICE_LIT(" \"c\" {4000}\r\n")), ENGINE_NONE);
	assert_true(has_said(&imap_server_ops, engine, "a1 BAD [TOOBIG]"));
	imap_server_ops.destroy(engine);
}

/* A line of n bytes with its CRLF, made of the filler. */
static enum engine_action_type feed_line(
	const struct login_server_ops *ops, void *engine, const char *start, size_t n)
{
	(void)feed(ops, engine, slice_str(start));
	(void)feed(ops, engine, slice_of(filler, n - strlen(start) - 2));
	return feed(ops, engine, SLICE_LIT("\r\n"));
}

static void test_line_limits(void **state)
{
	static const struct {
		const struct login_server_ops *ops;
		enum service service;
		const char *start;
		size_t max;
		bool is_said; /* a line of this size gets an answer and the connection goes on */
	} cases[] = {
		{ &imap_server_ops, SERVICE_IMAPS, "a1 FOO ", IMAP_COMMAND_MAX, true },
		{ &pop3_server_ops, SERVICE_POP3S, "FOO ", POP3_LINE_MAX, true },
		{ &pop3_server_ops, SERVICE_POP3S, "AUTH PLAIN ", ENGINE_LINE_MAX, true },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct engine_server_conf conf = server_conf(cases[i].service);
		void *engine = cases[i].ops->create(&conf);

		assert_int_equal(
			feed_line(cases[i].ops, engine, cases[i].start, cases[i].max), ENGINE_NONE);
		assert_int_equal(feed_line(cases[i].ops, engine, cases[i].start, cases[i].max + 1),
			ENGINE_CLOSE);
		cases[i].ops->destroy(engine);
	}
}

/* Ten megabytes without a line end cost a line's worth of memory and end the connection. */
static void test_endless_line(void **state)
{
	static const struct login_server_ops *const all[] = { &imap_server_ops, &pop3_server_ops };
	static const enum service services[] = { SERVICE_IMAP, SERVICE_POP3 };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(all); i++) {
		struct engine_server_conf conf = server_conf(services[i]);
		void *engine = all[i]->create(&conf);
		size_t fed = 0;
		size_t used = 1;

		while (used > 0 && fed < 10 * 1024 * 1024) {
			struct engine_action action;

			used = all[i]->input(engine, slice_of(filler, 1000), &action);
			fed += used;
		}
		assert_int_equal(used, 0);
		assert_true(fed <= ENGINE_LINE_MAX);
		all[i]->destroy(engine);
	}
}

/* The command's buffer and what was asked are wiped: no copy of the secret is left behind. */
static void test_question_is_forgotten(void **state)
{
	struct engine_server_conf conf = server_conf(SERVICE_IMAPS);
	void *engine = imap_server_ops.create(&conf);
	struct engine_answer answer = { .verdict = VERDICT_DENY };
	struct engine_action action;
	struct slice secret;

	(void)state;
	(void)imap_server_ops.input(engine, SLICE_LIT("a1 LOGIN alice sesame-street\r\n"), &action);
	assert_int_equal(action.type, ENGINE_SIGNIN);
	secret = action.signin.secret;
	assert_true(slice_is(secret, "sesame-street"));
	imap_server_ops.answer_signin(engine, &answer);
	/* The buffer keeps its memory, so looking is allowed. */
	assert_null(memmem(secret.data, secret.len, "sesame", 6));
	imap_server_ops.destroy(engine);
}

/* More in the segment of the OK to STARTTLS: somebody wrote it before there was TLS. */
static void test_backend_injection(void **state)
{
	static const struct {
		const struct login_client_ops *ops;
		const char *dialogue;
	} cases[] = {
		{ &imap_client_ops,
			"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\nG1 OK now\r\nG2 OK\r\n" },
		{ &pop3_client_ops, "+OK hi\r\n+OK\r\nSTLS\r\n.\r\n+OK now\r\n+OK\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct login_client_conf conf = client_conf(LOGIN_TOKEN, "token");
		struct login_client_event event;
		void *engine;

		conf.want_starttls = true;
		engine = cases[i].ops->create(&conf);
		(void)cases[i].ops->input(engine, slice_str(cases[i].dialogue), &event);
		assert_int_equal(event.type, ENGINE_EVENT_FAILED);
		cases[i].ops->destroy(engine);
	}
}

/* A password with a line end in it is no second command to a backend without SASL. */
static void test_no_second_command(void **state)
{
	static const char *const secrets[] = { "x\r\nDELE 1", "x\nDELE 1", "x\rDELE 1" };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(secrets); i++) {
		struct login_client_conf conf = client_conf(LOGIN_PASSTHROUGH, secrets[i]);
		void *engine = pop3_client_ops.create(&conf);
		struct login_client_event event;

		(void)pop3_client_ops.input(engine, SLICE_LIT("+OK hi\r\n-ERR\r\n"), &event);
		assert_int_equal(event.type, ENGINE_EVENT_REFUSED);
		pop3_client_ops.destroy(engine);

		engine = imap_client_ops.create(&conf);
		(void)imap_client_ops.input(
			engine, SLICE_LIT("* OK [CAPABILITY IMAP4rev1] hi\r\n"), &event);
		assert_int_equal(event.type, ENGINE_EVENT_NONE);
		assert_true(slice_is(buf_slice(imap_client_ops.output(engine)),
			i == 0 ? "G1 LOGIN \"alice@example.test\" {9}\r\n"
			       : "G1 LOGIN \"alice@example.test\" {8}\r\n"));
		imap_client_ops.destroy(engine);
	}
}

/* What cannot be said as it is given is a fault of ours, told at the first input. */
static void test_misuse(void **state)
{
	static const struct login_client_ops *const all[] = { &imap_client_ops, &pop3_client_ops };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(all); i++) {
		for (unsigned k = 0; k < 4; k++) {
			struct login_client_conf conf = client_conf(LOGIN_TOKEN, "token");
			struct login_client_event event;
			void *engine;

			if (k == 0)
				conf.address = slice_str("al\r\nice");
			else if (k == 1)
				conf.session = slice_str("a\" \"b");
			else if (k == 2)
				conf.secret = slice_of("a\0b", 3);
			else
				conf.secret = slice_of(filler, sizeof filler);
			engine = all[i]->create(&conf);
			(void)all[i]->input(engine, slice_of(NULL, 0), &event);
			assert_int_equal(event.type, ENGINE_EVENT_FAILED);
			all[i]->destroy(engine);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_imap_literal_limit),
		cmocka_unit_test(test_imap_command_limit),
		cmocka_unit_test(test_line_limits),
		cmocka_unit_test(test_endless_line),
		cmocka_unit_test(test_question_is_forgotten),
		cmocka_unit_test(test_backend_injection),
		cmocka_unit_test(test_no_second_command),
		cmocka_unit_test(test_misuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
