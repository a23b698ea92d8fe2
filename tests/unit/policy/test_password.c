/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "policy/password.h"

static void test_judge(void **state)
{
	static const struct {
		const char *password;
		enum password_fault fault;
	} cases[] = {
		{ "correct horse", PASSWORD_GOOD },
		{ "xk4-vn2-pq", PASSWORD_GOOD },
		{ "", PASSWORD_TOO_SHORT },
		{ "seven77", PASSWORD_TOO_SHORT },
		/* characters are counted, not bytes */
		{ "\xc3\xa9t\xc3\xa9s\xc3\xa8\xc3\xa0\xc3\xb9", PASSWORD_TOO_SHORT },
		{ "\xc3\xa9t\xc3\xa9s\xc3\xa8\xc3\xa0\xc3\xb9!", PASSWORD_GOOD },
		{ "with\ncontrols", PASSWORD_CONTROLS },
		{ "not\xff\xfeUTF-8", PASSWORD_CONTROLS },
		{ "aaaaaaaaaaaa", PASSWORD_SIMPLE },
		{ "abababababab", PASSWORD_SIMPLE },
		{ "abcdabcdabcd", PASSWORD_SIMPLE },
		{ "12345678", PASSWORD_SIMPLE },
		{ "123456789012", PASSWORD_SIMPLE },
		{ "zyxwvutsrqp", PASSWORD_SIMPLE },
		{ "ABCDefghIJKL", PASSWORD_SIMPLE },
		{ "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
			PASSWORD_SIMPLE },
		{ "password", PASSWORD_COMMON },
		{ "Password", PASSWORD_COMMON },
		{ "PASSWORD1", PASSWORD_COMMON },
		{ "Sunshine123!", PASSWORD_COMMON },
		{ "sunshine2026", PASSWORD_COMMON },
		{ "sunshine20267", PASSWORD_GOOD },
		{ "qwertyuiop", PASSWORD_COMMON },
		{ "love2026", PASSWORD_COMMON },
		{ "international", PASSWORD_COMMON },
		{ "alice.miller", PASSWORD_ADDRESS },
		{ "Alice.Miller1", PASSWORD_ADDRESS },
		{ "alice.miller@post.example.test", PASSWORD_ADDRESS },
		{ "!post.example", PASSWORD_ADDRESS },
		{ "example.test99", PASSWORD_ADDRESS },
		{ "alice.milleralice.miller", PASSWORD_ADDRESS },
		{ "alice.miller likes cats", PASSWORD_GOOD },
		{ "Alice and Bob", PASSWORD_GOOD },
	};
	static const struct slice address = { "alice.miller@post.example.test", 30 };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		enum password_fault fault = password_judge(slice_str(cases[i].password), address);

		if (fault != cases[i].fault)
			fail_msg("%s: %s", cases[i].password, password_words(fault));
	}
	for (unsigned fault = 0; fault < PASSWORD_FAULT_MAX; fault++) {
		assert_non_null(password_words((enum password_fault)fault));
		assert_non_null(password_code((enum password_fault)fault));
	}
}

static void test_limits(void **state)
{
	char longest[PASSWORD_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof longest; i++)
		longest[i] = (char)('a' + i * i % 26);
	assert_int_equal(password_judge(slice_of(longest, PASSWORD_MAX), SLICE_LIT("a@b.test")),
		PASSWORD_GOOD);
	assert_int_equal(password_judge(slice_of(longest, PASSWORD_MAX + 1), SLICE_LIT("a@b.test")),
		PASSWORD_TOO_LONG);
	assert_int_equal(password_judge(SLICE_LIT("nul\0nul\0nul"), SLICE_LIT("a@b.test")),
		PASSWORD_CONTROLS);
	/* Short parts of an address are in every other word. */
	assert_int_equal(password_judge(SLICE_LIT("ab plus ab plus"), SLICE_LIT("ab@cd.test")),
		PASSWORD_GOOD);
	assert_int_equal(password_judge(SLICE_LIT("walrus-tea"), slice_str("")), PASSWORD_GOOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
