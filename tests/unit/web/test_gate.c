/* SPDX-License-Identifier: ISC */
#include "web/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"

static char hostname[] = "mail.example.test";
static char portal_url[] = "https://Portal.example.test:8443/help?x=y";
static char address_url[] = "https://[2001:db8::1]/";

static const struct config config = { .hostname = hostname, .portal_url = portal_url };

static void test_hosts(void **state)
{
	static const struct {
		const char *host;
		bool is_ours;
	} cases[] = {
		{ "mail.example.test", true },
		{ "MAIL.example.test:443", true },
		{ "portal.example.test", true },
		{ "portal.example.test:8443", true },
		{ "portal.example.test:1", true },
		{ "", false },
		{ ":443", false },
		{ "example.test", false },
		{ "xmail.example.test", false },
		{ "mail.example.test.evil.test", false },
		{ "mail.example.test.", false },
		{ "evil.test:mail.example.test", false },
		{ "127.0.0.1", false },
		{ "localhost", false },
	};
	const struct config other = { .hostname = hostname, .portal_url = address_url };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++)
		assert_int_equal(gate_is_host(&config, slice_str(cases[i].host)), cases[i].is_ours);
	assert_true(gate_is_host(&other, SLICE_LIT("[2001:db8::1]:443")));
	assert_true(gate_is_host(&other, SLICE_LIT("[2001:db8::1]")));
	assert_false(gate_is_host(&other, SLICE_LIT("[2001:db8::2]")));
}

#define OURS "https://mail.example.test:443"
#define JSON "application/json"

static const struct {
	bool is_change;
	bool has_cookie;
	bool has_token;
	const char *host;
	const char *origin;
	const char *site;
	const char *content_type;
	enum gate_verdict verdict;
} checks[] = {
	/* Reading needs the right host alone. */
	{ false, true, false, "mail.example.test", "", "", "", GATE_OPEN },
	{ false, true, false, "mail.example.test", "https://evil.test", "cross-site", "",
		GATE_OPEN },
	{ false, false, false, "evil.test", "", "", "", GATE_HOST },
	{ true, true, false, "evil.test", "https://evil.test", "same-origin", JSON, GATE_HOST },
	/* A change: from our own page, or by a program. */
	{ true, true, false, "mail.example.test:443", OURS, "same-origin", JSON, GATE_OPEN },
	{ true, true, false, "mail.example.test:443", OURS, "", JSON "; charset=utf-8", GATE_OPEN },
	{ true, true, false, "mail.example.test:443", "HTTPS://MAIL.example.test:443", "",
		"Application/JSON", GATE_OPEN },
	{ true, false, false, "mail.example.test", "", "", JSON, GATE_OPEN },
	{ true, false, true, "mail.example.test", "", "", JSON, GATE_OPEN },
	{ true, true, true, "mail.example.test", "", "", JSON, GATE_OPEN },
	{ true, false, false, "mail.example.test", "", "none", JSON, GATE_OPEN },
	{ true, true, false, "mail.example.test", "", "", JSON, GATE_ORIGIN },
	{ true, true, false, "mail.example.test", "null", "", JSON, GATE_ORIGIN },
	{ true, false, false, "mail.example.test", "null", "", JSON, GATE_ORIGIN },
	{ true, true, false, "mail.example.test", "https://evil.test", "", JSON, GATE_ORIGIN },
	{ true, false, true, "mail.example.test", "https://evil.test", "", JSON, GATE_ORIGIN },
	{ true, true, false, "mail.example.test", "http://mail.example.test", "", JSON,
		GATE_ORIGIN },
	{ true, true, false, "mail.example.test", "https://mail.example.test:8443", "", JSON,
		GATE_ORIGIN },
	{ true, true, false, "mail.example.test", "https://portal.example.test:8443", "", JSON,
		GATE_ORIGIN },
	{ true, true, false, "mail.example.test", "https://mail.example.test.evil.test", "", JSON,
		GATE_ORIGIN },
	{ true, true, false, "mail.example.test:443", OURS, "cross-site", JSON, GATE_ORIGIN },
	{ true, true, false, "mail.example.test:443", OURS, "same-site", JSON, GATE_ORIGIN },
	/* Forms of other sites can send these types without asking. */
	{ true, true, false, "mail.example.test:443", OURS, "", "text/plain", GATE_CONTENT_TYPE },
	{ true, true, false, "mail.example.test:443", OURS, "", "", GATE_CONTENT_TYPE },
	{ true, true, false, "mail.example.test:443", OURS, "", "text/plain; x=application/json",
		GATE_CONTENT_TYPE },
	{ true, false, true, "mail.example.test", "", "", "application/x-www-form-urlencoded",
		GATE_CONTENT_TYPE },
	{ true, false, true, "mail.example.test", "", "", "application/jsonp", GATE_CONTENT_TYPE },
};

static void test_checks(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(checks); i++) {
		struct gate_facts facts = { .is_change = checks[i].is_change,
			.has_cookie = checks[i].has_cookie,
			.has_token = checks[i].has_token,
			.host = slice_str(checks[i].host),
			.origin = slice_str(checks[i].origin),
			.site = slice_str(checks[i].site),
			.content_type = slice_str(checks[i].content_type) };
		enum gate_verdict verdict = gate_check(&config, &facts);

		if (verdict != checks[i].verdict)
			fail_msg("case %zu: %d, not %d", i, (int)verdict, (int)checks[i].verdict);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
