/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "front/received.h"

struct received_case {
	const char *helo;
	const char *client;
	bool is_esmtp;
	bool is_tls;
	bool is_signed_in;
	bool is_utf8;
	const char *recipient;
	const char *expected;
};

/* 2026-01-31T23:59:59Z */
static const int64_t date = 1769903999;

static const struct received_case cases[] = {
	{ "pc.example.test", "192.0.2.1", true, true, true, false, "bob@example.org",
		"Received: from pc.example.test ([192.0.2.1])\r\n"
		"\tby mail.example.test with ESMTPSA id 0123456789abcdef\r\n"
		"\tfor <bob@example.org>;\r\n"
		"\tSat, 31 Jan 2026 23:59:59 +0000\r\n" },
	{ "[IPv6:2001:db8::7]", "2001:db8::7", true, true, false, false, "",
		"Received: from [IPv6:2001:db8::7] ([IPv6:2001:db8::7])\r\n"
		"\tby mail.example.test with ESMTPS id 0123456789abcdef;\r\n"
		"\tSat, 31 Jan 2026 23:59:59 +0000\r\n" },
	{ "old", "192.0.2.1", false, false, false, false, "",
		"Received: from old ([192.0.2.1])\r\n"
		"\tby mail.example.test with SMTP id 0123456789abcdef;\r\n"
		"\tSat, 31 Jan 2026 23:59:59 +0000\r\n" },
	{ "a", "192.0.2.1", true, false, true, false, "",
		"Received: from a ([192.0.2.1])\r\n"
		"\tby mail.example.test with ESMTPA id 0123456789abcdef;\r\n"
		"\tSat, 31 Jan 2026 23:59:59 +0000\r\n" },
	{ "a", "192.0.2.1", true, false, false, false, "",
		"Received: from a ([192.0.2.1])\r\n"
		"\tby mail.example.test with ESMTP id 0123456789abcdef;\r\n"
		"\tSat, 31 Jan 2026 23:59:59 +0000\r\n" },
	{ "a", "192.0.2.1", true, true, true, true,
		"b\xc3\xb6"
		"b@example.org",
		"Received: from a ([192.0.2.1])\r\n"
		"\tby mail.example.test with UTF8SMTPSA id 0123456789abcdef\r\n"
		"\tfor <b\xc3\xb6"
		"b@example.org>;\r\n"
		"\tSat, 31 Jan 2026 23:59:59 +0000\r\n" },
	/* What is no domain is not repeated; nor is an address that needs quoting, or bytes that
	 * SMTPUTF8 did not announce. */
	{ "(evil) by mail.example.test; x\\x0a", "192.0.2.1", true, true, true, false, "",
		"Received: from unknown ([192.0.2.1])\r\n"
		"\tby mail.example.test with ESMTPSA id 0123456789abcdef;\r\n"
		"\tSat, 31 Jan 2026 23:59:59 +0000\r\n" },
	{ "", "192.0.2.1", true, true, true, false, "\"a> (b\"@example.org",
		"Received: from unknown ([192.0.2.1])\r\n"
		"\tby mail.example.test with ESMTPSA id 0123456789abcdef;\r\n"
		"\tSat, 31 Jan 2026 23:59:59 +0000\r\n" },
	{ "a", "192.0.2.1", true, true, true, false,
		"b\xc3\xb6"
		"b@example.org",
		"Received: from a ([192.0.2.1])\r\n"
		"\tby mail.example.test with ESMTPSA id 0123456789abcdef;\r\n"
		"\tSat, 31 Jan 2026 23:59:59 +0000\r\n" },
};

static enum gp_err append(struct buf *out, const struct received_case *c, struct slice helo,
	const char *hostname, struct slice recipient)
{
	struct ip client = { 0 };
	struct received received = { .helo = helo,
		.client = &client,
		.hostname = hostname,
		.is_esmtp = c->is_esmtp,
		.is_tls = c->is_tls,
		.is_signed_in = c->is_signed_in,
		.is_utf8 = c->is_utf8,
		.session = 0x0123456789abcdef,
		.recipient = recipient,
		.date = date };

	assert_int_equal(ip_parse(slice_str(c->client), &client), GP_OK);
	return received_append(out, &received);
}

static void writes_the_trace(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct buf out;
		struct slice line;

		buf_init(&out, RECEIVED_MAX);
		assert_int_equal(append(&out, &cases[i], slice_str(cases[i].helo),
					 "mail.example.test", slice_str(cases[i].recipient)),
			GP_OK);
		line = buf_slice(&out);
		assert_int_equal(line.len, strlen(cases[i].expected));
		assert_memory_equal(line.data, cases[i].expected, line.len);
		buf_fini(&out);
	}
}

static void the_longest_fits(void **state)
{
	static const struct received_case c = { .client = "2001:db8:1111:2222:3333:4444:5555:6666",
		.is_esmtp = true,
		.is_tls = true,
		.is_signed_in = true,
		.is_utf8 = true };
	char helo[255];
	char hostname[256];
	char recipient[320];
	struct buf out;

	(void)state;
	memset(helo, 'h', sizeof helo);
	memset(hostname, 'n', sizeof hostname - 1);
	hostname[sizeof hostname - 1] = '\0';
	memset(recipient, 'r', sizeof recipient);
	buf_init(&out, RECEIVED_MAX);
	assert_int_equal(append(&out, &c, slice_of(helo, sizeof helo), hostname,
				 slice_of(recipient, sizeof recipient)),
		GP_OK);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_trace),
		cmocka_unit_test(the_longest_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
