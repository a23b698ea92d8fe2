/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "policy/client_family.h"

static const struct {
	enum protocol protocol;
	const char *name;
	const char *code;
} cases[] = {
	{ PROTOCOL_IMAP, "Thunderbird 115.4.1", "thunderbird" },
	{ PROTOCOL_IMAP, "Mac OS X Mail 16.0 (3774.300.61.1.2)", "apple_mail" },
	{ PROTOCOL_IMAP, "iPhone Mail 20H19", "iphone" },
	{ PROTOCOL_IMAP, "iPad Mail 18H17", "iphone" },
	{ PROTOCOL_IMAP, "com.apple.email.maild", "apple" },
	{ PROTOCOL_IMAP, "Microsoft Outlook 16", "outlook" },
	{ PROTOCOL_IMAP, "com.google.android.gm", "gmail" },
	{ PROTOCOL_IMAP, "K-9 Mail 6.8", "k9" },
	{ PROTOCOL_IMAP, "com.samsung.android.email.provider", "samsung" },
	{ PROTOCOL_IMAP, "Python imaplib", "script" },
	{ PROTOCOL_IMAP, "NeoMutt 20220429", "mutt" },
	{ PROTOCOL_IMAP, "", "unknown" },
	{ PROTOCOL_IMAP, "MyMailer 1.0", "unknown" },
	{ PROTOCOL_SMTP, "smtpclient.apple", "apple" },
	{ PROTOCOL_SMTP, "DESKTOP-A1B2C3D", "windows" },
	{ PROTOCOL_SMTP, "Janes-MacBook-Air.local", "mac" },
	{ PROTOCOL_SMTP, "Janes-iPhone", "iphone" },
	{ PROTOCOL_SMTP, "[192.168.1.20]", "unknown" },
	{ PROTOCOL_SMTP, "BRN30055C12AB34", "printer" },
	{ PROTOCOL_SMTP, "npi0a1b2c.example.test", "printer" },
	{ PROTOCOL_SMTP, "brno.example.test", "unknown" },
	{ PROTOCOL_SMTP, "km12345", "unknown" },
	{ PROTOCOL_SMTP, "km123456x", "unknown" },
	{ PROTOCOL_SMTP, "km123456", "printer" },
	{ PROTOCOL_SMTP, "localhost", "script" },
	{ PROTOCOL_SMTP, "localhost.example.test", "unknown" },
	{ PROTOCOL_POP3, "", "unknown" },
	{ PROTOCOL_HTTP, "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
		"firefox" },
	{ PROTOCOL_HTTP,
		"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) "
		"Chrome/120.0.0.0 Safari/537.36",
		"chrome" },
	{ PROTOCOL_HTTP,
		"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) "
		"Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0",
		"edge" },
	{ PROTOCOL_HTTP,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1) AppleWebKit/605.1.15 Version/17.1 "
		"Mobile/15E148 Safari/604.1",
		"safari" },
	{ PROTOCOL_HTTP, "curl/7.88.1", "script" },
	{ PROTOCOL_HTTP, "", "browser" },
};

static void names_become_families(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		const struct client_family *family =
			client_family(cases[i].protocol, slice_str(cases[i].name));

		if (strcmp(family->code, cases[i].code) != 0)
			fail_msg(
				"\"%s\" is %s, not %s", cases[i].name, family->code, cases[i].code);
		assert_true(family->words[0] != '\0');
		assert_int_equal(
			client_family_is_unknown(family), strcmp(cases[i].code, "unknown") == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
