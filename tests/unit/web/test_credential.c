/* SPDX-License-Identifier: ISC */
#include "web/credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"

#define LONG_128                                                           \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *cookie;
	const char *authorization;
	const char *text;
	bool is_token;
	bool is_malformed;
} cases[] = {
	{ "", "", "", false, false },
	{ "__Host-gatepost=aB3-_x", "", "aB3-_x", false, false },
	{ "a=b; __Host-gatepost=x; c=d", "", "x", false, false },
	{ "a=b;__Host-gatepost=x", "", "x", false, false },
	{ "__Host-gatepost=" LONG_128, "", LONG_128, false, false },
	{ "__Host-gatepost=" LONG_128 "0", "", "", false, false },
	{ "gatepost=x", "", "", false, false },
	{ "__host-gatepost=x", "", "", false, false },
	{ "x__Host-gatepost=x", "", "", false, false },
	{ "__Host-gatepost", "", "", false, false },
	{ "__Host-gatepost=", "", "", false, false },
	{ "__Host-gatepost=a b", "", "", false, false },
	{ "__Host-gatepost=\"x\"", "", "", false, false },
	{ "__Host-gatepost=x=", "", "", false, false },
	{ "__Host-gatepost=x; __Host-gatepost=x", "", "", false, false },
	{ "__Host-gatepost=x; __Host-gatepost=y", "", "", false, false },
	{ ";;;=;", "", "", false, false },
	{ "", "Bearer gp_1.abc", "gp_1.abc", true, false },
	{ "", "bearer  abc", "abc", true, false },
	{ "__Host-gatepost=x", "Bearer abc", "abc", true, false },
	{ "__Host-gatepost=x", "Basic abc", "", true, true },
	{ "", "Bearer", "", true, true },
	{ "", "Bearer ", "", true, true },
	{ "", "Bearer a b", "", true, true },
	{ "", "Bearer a,b", "", true, true },
	{ "", "Bearer " LONG_128 "0", "", true, true },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct credential found = credential_find(
			slice_str(cases[i].cookie), slice_str(cases[i].authorization));

		if (!slice_is(found.text, cases[i].text) || found.is_token != cases[i].is_token ||
			found.is_malformed != cases[i].is_malformed)
			fail_msg("case %zu: \"%.*s\"", i, SLICE_ARG(found.text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
