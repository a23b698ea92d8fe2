/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"

static void test_format_and_parse(void **state)
{
	static const struct {
		int64_t wall;
		const char *text;
		const char *mail;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z", "Thu, 1 Jan 1970 00:00:00 +0000" },
		{ 951782400, "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 +0000" },
		{ 1769903999, "2026-01-31T23:59:59Z", "Sat, 31 Jan 2026 23:59:59 +0000" },
		{ 2147483648, "2038-01-19T03:14:08Z", "Tue, 19 Jan 2038 03:14:08 +0000" },
		{ 253402300799, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 +0000" },
	};
	char text[CLOCK_TEXT_SIZE];
	char mail[40];

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		assert_string_equal(clock_format(cases[i].wall, text), cases[i].text);
		assert_string_equal(
			clock_format_mail(cases[i].wall, mail, sizeof mail), cases[i].mail);
		assert_int_equal(clock_parse(cases[i].text), cases[i].wall);
	}
}

static void test_malformed(void **state)
{
	static const char *const texts[] = { "", "2026-01-31", "2026-01-31T23:59:59",
		"2026-01-31T23:59:59Zx", "2026-13-01T00:00:00Z", "2026-01-32T00:00:00Z",
		"2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-1-1T0:0:0Z", " 2026-01-31T23:59:59Z", "2026-01-31 23:59:59Z",
		"2026-01-31T23:59:59+0000", "-026-01-31T23:59:59Z", "20260-01-31T23:59:59Z" };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(texts); i++) {
		if (clock_parse(texts[i]) != -1)
			fail_msg("\"%s\" was taken", texts[i]);
	}
}

static void test_shift(void **state)
{
	int64_t steady = clock_steady();
	int64_t wall = clock_wall();

	(void)state;
	clock_shift(3600 * 1000);
	assert_int_equal(clock_shifted(), 3600 * 1000);
	assert_true(clock_steady() >= steady + 3600 * 1000);
	assert_true(clock_wall() >= wall + 3600);
	clock_shift(0);
	assert_true(clock_wall() < wall + 3600);
}

static void test_fake(void **state)
{
	(void)state;
	clock_fake(1800000000, 5000);
	assert_int_equal(clock_wall(), 1800000000);
	assert_int_equal(clock_steady(), 5000);
	clock_fake(1800000001, 6000);
	assert_int_equal(clock_steady(), 6000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format_and_parse),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_shift),
		cmocka_unit_test(test_fake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
