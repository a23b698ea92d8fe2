/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "front/last_words.h"

struct words_case {
	enum protocol protocol;
	enum last_words words;
	enum close_reason why;
	bool is_relayed;
	const char *expected;
};

static const struct words_case cases[] = {
	{ PROTOCOL_SMTP, LAST_WORDS_CLOSED, CLOSE_BANNED, false,
		"421 4.7.0 192.0.2.1 is blocked for 30 more minutes after 5 failed sign-ins. "
		"Why, and how to lift it: https://mail.example.test/\r\n" },
	{ PROTOCOL_IMAP, LAST_WORDS_CLOSED, CLOSE_BANNED, true,
		"* BYE 192.0.2.1 is blocked for 30 more minutes after 5 failed sign-ins. "
		"Why, and how to lift it: https://mail.example.test/\r\n" },
	{ PROTOCOL_POP3, LAST_WORDS_CLOSED, CLOSE_BANNED, false,
		"-ERR [AUTH] 192.0.2.1 is blocked for 30 more minutes after 5 failed sign-ins. "
		"Why, and how to lift it: https://mail.example.test/\r\n" },
	{ PROTOCOL_POP3, LAST_WORDS_CLOSED, CLOSE_BANNED, true, "" },
	{ PROTOCOL_SMTP, LAST_WORDS_CLOSED, CLOSE_PASSWORD_CHANGED, false,
		"421 4.7.0 Signed out: the password was changed\r\n" },
	{ PROTOCOL_IMAP, LAST_WORDS_CLOSED, CLOSE_DEVICE_REVOKED, true,
		"* BYE Signed out: this device password was revoked\r\n" },
	{ PROTOCOL_IMAP, LAST_WORDS_CLOSED, CLOSE_ACCOUNT_REMOVED, true,
		"* BYE Signed out: the account was removed\r\n" },
	{ PROTOCOL_IMAP, LAST_WORDS_CLOSED, CLOSE_TWOFACTOR, true,
		"* BYE Signed out: two-factor sign-in was turned on, use a device password\r\n" },
	{ PROTOCOL_IMAP, LAST_WORDS_CLOSED, CLOSE_ADMIN, true,
		"* BYE Signed out by the administrator\r\n" },
	{ PROTOCOL_SMTP, LAST_WORDS_IDLE, CLOSE_MAX, false,
		"421 4.4.2 Closed: nothing was said for too long\r\n" },
	{ PROTOCOL_POP3, LAST_WORDS_TOO_SLOW, CLOSE_MAX, false,
		"-ERR Closed: not signed in in time\r\n" },
	{ PROTOCOL_SMTP, LAST_WORDS_SHUTDOWN, CLOSE_MAX, false,
		"421 4.3.2 Closed for a moment: please connect again\r\n" },
};

static void says_it_in_the_protocol(void **state)
{
	const struct reply_facts facts = { .portal_url = "https://mail.example.test/",
		.client_address = SLICE_LIT("192.0.2.1"),
		.ban_minutes = 30,
		.ban_failures = 5 };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct buf out;

		buf_init(&out, 1024);
		assert_true(last_words_append(&out, cases[i].protocol, cases[i].words, cases[i].why,
			cases[i].is_relayed, &facts));
		assert_int_equal(buf_slice(&out).len, strlen(cases[i].expected));
		if (buf_slice(&out).len > 0)
			assert_memory_equal(
				buf_slice(&out).data, cases[i].expected, buf_slice(&out).len);
		buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_it_in_the_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
