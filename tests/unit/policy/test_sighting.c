/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "policy/sighting.h"

#define SANTA "santa@north.test"

static const struct {
	enum verdict verdict;
	enum reason reason;
	enum mechanism mechanism;
	const char *login;
	const char *detail; /* or the TLS version, of who left */
	const char *told;
} cases[] = {
	/* Before any name. */
	{ VERDICT_DENY, REASON_NO_TLS, MECHANISM_NONE, "", "LOGIN", "no_tls" },
	{ VERDICT_DENY, REASON_MECHANISM, MECHANISM_NONE, "", "NTLM", "mechanism" },
	{ VERDICT_DENY, REASON_TLS_ON_PLAIN_PORT, MECHANISM_NONE, "", "", "tls_on_plain_port" },
	{ VERDICT_DENY, REASON_PLAIN_ON_TLS_PORT, MECHANISM_NONE, "", "", "plain_on_tls_port" },
	{ VERDICT_DENY, REASON_LEFT, MECHANISM_NONE, "", "TLSv1.3", "left" },
	{ VERDICT_DENY, REASON_LEFT, MECHANISM_NONE, "", "", "left_plain" },
	{ VERDICT_DENY, REASON_LEFT, MECHANISM_NONE, "rudolf@north.test", "", "" },
	{ VERDICT_DENY, REASON_HTTP, MECHANISM_NONE, "", "GET /", "http" },
	{ VERDICT_DENY, REASON_SIGNIN_REQUIRED, MECHANISM_NONE, "", "", "signin_required" },
	{ VERDICT_DENY, REASON_LIMIT, MECHANISM_NONE, "", "", "limit" },
	{ VERDICT_DENY, REASON_BANNED, MECHANISM_NONE, "", "LOGIN", "banned" },
	{ VERDICT_DENY, REASON_TLS_FAILED, MECHANISM_NONE, "", "unsupported protocol",
		"tls_too_old" },
	{ VERDICT_DENY, REASON_TLS_FAILED, MECHANISM_NONE, "", "No Shared Cipher", "tls_too_old" },
	{ VERDICT_DENY, REASON_TLS_FAILED, MECHANISM_NONE, "", "tlsv1 alert unknown ca",
		"certificate_refused" },
	{ VERDICT_DENY, REASON_TLS_FAILED, MECHANISM_NONE, "", "ssl/tls alert certificate unknown",
		"certificate_refused" },
	{ VERDICT_DENY, REASON_TLS_FAILED, MECHANISM_NONE, "", "bad record mac", "tls_failed" },
	{ VERDICT_DENY, REASON_TLS_FAILED, MECHANISM_NONE, "", "", "tls_failed" },
	/* Nothing that helps. */
	{ VERDICT_DENY, REASON_PROXY_HEADER, MECHANISM_NONE, "", "", "" },
	{ VERDICT_DENY, REASON_CRASHED, MECHANISM_NONE, "", "", "" },
	{ VERDICT_DENY, REASON_MAX, MECHANISM_NONE, "", "", "" },
	/* One's own name at another domain, whoever has it or not: the same is told. */
	{ VERDICT_DENY, REASON_UNKNOWN_ACCOUNT, MECHANISM_PLAIN, "santa@nroth.test", "",
		"other_name" },
	{ VERDICT_DENY, REASON_WRONG_PASSWORD, MECHANISM_PLAIN, "santa@nroth.test", "",
		"other_name" },
	{ VERDICT_DENY, REASON_TWOFACTOR, MECHANISM_LOGIN, "santa@nroth.test", "", "other_name" },
	{ VERDICT_DENY_BANNED, REASON_UNKNOWN_ACCOUNT, MECHANISM_USER, "Santa", "", "other_name" },
	{ VERDICT_DENY, REASON_UNKNOWN_ACCOUNT, MECHANISM_USER, "NORTH\\santa", "", "other_name" },
	{ VERDICT_DENY, REASON_UNKNOWN_ACCOUNT, MECHANISM_USER, "santa%north", "", "other_name" },
	/* Other people, good sign-ins of others, the portal, faults of ours. */
	{ VERDICT_DENY, REASON_UNKNOWN_ACCOUNT, MECHANISM_PLAIN, "rudolf@north.test", "", "" },
	{ VERDICT_DENY, REASON_WRONG_PASSWORD, MECHANISM_PLAIN, "rudolf@north.test", "", "" },
	{ VERDICT_DENY, REASON_UNKNOWN_ACCOUNT, MECHANISM_PLAIN, "santa2", "", "" },
	{ VERDICT_DENY, REASON_UNKNOWN_ACCOUNT, MECHANISM_PLAIN, "@north.test", "", "" },
	{ VERDICT_DENY, REASON_UNKNOWN_ACCOUNT, MECHANISM_PLAIN, "", "", "" },
	{ VERDICT_OK, REASON_OK, MECHANISM_PLAIN, "santa@nroth.test", "", "" },
	{ VERDICT_DENY, REASON_WRONG_PASSWORD, MECHANISM_FORM, "santa@nroth.test", "", "" },
	{ VERDICT_TEMPORARY, REASON_VAULT, MECHANISM_PLAIN, "santa@nroth.test", "", "" },
	{ VERDICT_BANNED, REASON_BANNED, MECHANISM_PLAIN, "santa@nroth.test", "", "" },
	/* A note of somebody else's session that was signed in. */
	{ VERDICT_DENY, REASON_NO_TLS, MECHANISM_NONE, "rudolf@north.test", "", "" },
};

static void strangers_stay_strangers(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		const struct sighting_event event = { cases[i].verdict, cases[i].reason,
			cases[i].mechanism, slice_str(cases[i].login), slice_str(cases[i].detail),
			slice_str(cases[i].detail) };
		const char *told = sighting_name(sighting_of_stranger(&event, SLICE_LIT(SANTA)));

		if (!slice_is(slice_str(told), cases[i].told))
			fail_msg("case %zu (\"%s\", \"%s\"): %s", i, cases[i].login,
				cases[i].detail, told);
	}
}

static void forms_of_a_name(void **state)
{
	static const char *const forms[][2] = { { SANTA, "full" }, { "Santa@North.TEST", "full" },
		{ "santa", "local" }, { "SANTA", "local" }, { "santa%north.test", "other" },
		{ "claus@north.test", "other" }, { "", "other" } };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(forms); i++)
		assert_string_equal(
			sighting_name_form(slice_str(forms[i][0]), SLICE_LIT(SANTA)), forms[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_stay_strangers),
		cmocka_unit_test(forms_of_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
