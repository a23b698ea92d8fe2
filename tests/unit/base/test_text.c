/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/text.h"

static void test_ascii(void **state)
{
	char text[] = "MiXed \xc4 [@`{";

	(void)state;
	assert_int_equal(text_lower('Z'), 'z');
	assert_int_equal(text_lower('['), '[');
	assert_int_equal(text_lower('@'), '@');
	assert_int_equal(text_upper('a'), 'A');
	assert_int_equal(text_upper('{'), '{');
	text_lower_all(text);
	assert_string_equal(text, "mixed \xc4 [@`{");
	assert_true(text_is_digit('0') && text_is_digit('9'));
	assert_false(text_is_digit('/') || text_is_digit(':') || text_is_digit((char)0xb2));
	assert_true(text_is_alnum('a') && text_is_alnum('Z') && text_is_alnum('5'));
	assert_false(text_is_alnum('-') || text_is_alnum('_') || text_is_alnum((char)0xe4));
}

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		bool is_utf8;
		bool is_printable;
	} cases[] = {
		{ "", true, true },
		{ "plain ~", true, true },
		{ "\x7f", true, false },
		{ "tab\t", true, false },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", true, true },
		{ "\xf4\x8f\xbf\xbf", true, true },   /* U+10FFFF */
		{ "\xf4\x90\x80\x80", false, false }, /* one beyond */
		{ "\xc2\x80", true, false },          /* C1 control */
		{ "\xc2\x9f", true, false },
		{ "\xc2\xa0", true, true },
		{ "\xc0\x80", false, false }, /* long forms of NUL */
		{ "\xe0\x80\x80", false, false },
		{ "\xf0\x80\x80\x80", false, false },
		{ "\xc1\xbf", false, false },     /* long form of DEL */
		{ "\xe0\x9f\xbf", false, false }, /* of U+07FF */
		{ "\xed\xa0\x80", false, false }, /* surrogate */
		{ "\xed\x9f\xbf", true, true },
		{ "\xed\xbf\xbf", false, false },
		{ "\xee\x80\x80", true, true },
		{ "\x80", false, false },
		{ "\xc3", false, false }, /* cut off */
		{ "\xe2\x82", false, false },
		{ "\xf0\x9f\x98", false, false },
		{ "\xc3(", false, false },
		{ "\xff", false, false },
		{ "\xf5\x80\x80\x80", false, false },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		if (text_is_utf8(slice_str(cases[i].text)) != cases[i].is_utf8 ||
			text_is_printable(slice_str(cases[i].text)) != cases[i].is_printable)
			fail_msg("case %zu", i);
	}
	assert_true(text_is_ascii(SLICE_LIT("a\0\x7f")));
	assert_false(text_is_ascii(SLICE_LIT("a\x80")));
}

static void check_escape(struct slice text, size_t size, const char *expected)
{
	char out[64];

	memset(out, '#', sizeof out);
	text_escape(text, out, size);
	assert_string_equal(out, expected);
	assert_true(strlen(out) < size);
	for (size_t i = size; i < sizeof out; i++)
		assert_int_equal(out[i], '#');
}

static void test_escape(void **state)
{
	(void)state;
	check_escape(SLICE_LIT(""), 8, "");
	check_escape(SLICE_LIT("plain \xc3\xa4"), 16, "plain \xc3\xa4");
	check_escape(SLICE_LIT("a\r\nb\0"), 32, "a\\x0d\\x0ab\\x00");
	check_escape(SLICE_LIT("a\\x0a"), 32, "a\\\\x0a");
	check_escape(SLICE_LIT("\x1b[31m"), 32, "\\x1b[31m");
	check_escape(SLICE_LIT("\xff\xc3"), 32, "\\xff\\xc3");
	/* A C1 control is two bytes, each shown. */
	check_escape(SLICE_LIT("\xc2\x9b"), 32, "\\xc2\\x9b");
}

static void test_escape_cuts_at_whole_characters(void **state)
{
	(void)state;
	check_escape(SLICE_LIT("1234567"), 8, "1234567");
	check_escape(SLICE_LIT("12345678"), 8, "1234...");
	check_escape(SLICE_LIT("123\n567"), 8, "123...");
	check_escape(SLICE_LIT("123\n"), 8, "123\\x0a");
	check_escape(SLICE_LIT("123\xe2\x82\xac"), 8, "123\xe2\x82\xac");
	check_escape(SLICE_LIT("123\xe2\x82\xac"
			       "4"),
		8,
		"123\xe2\x82\xac"
		"4");
	check_escape(SLICE_LIT("123\xe2\x82\xac"
			       "45"),
		8, "123...");
	check_escape(SLICE_LIT("12345\\\\"), 8, "1234...");
	check_escape(SLICE_LIT("\n\n"), 8, "\\x0a...");
}

static void test_number(void **state)
{
	static const struct {
		uint64_t number;
		unsigned base;
		size_t digits;
		const char *text;
	} cases[] = {
		{ 0, 10, 1, "0" },
		{ 0, 16, 0, "0" },
		{ 0, 16, 4, "0000" },
		{ 9, 10, 1, "9" },
		{ 10, 10, 1, "10" },
		{ 10, 16, 1, "a" },
		{ 0xdeadbeef, 16, 16, "00000000deadbeef" },
		{ 123456, 10, 3, "123456" },
		{ 7, 10, 20, "00000000000000000007" },
		{ UINT64_MAX, 16, 16, "ffffffffffffffff" },
		{ UINT64_MAX, 10, 1, "18446744073709551615" },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		char out[TEXT_NUMBER_SIZE + 1] = "";

		out[TEXT_NUMBER_SIZE] = 'x';
		assert_ptr_equal(
			text_number(cases[i].number, cases[i].base, cases[i].digits, out), out);
		assert_string_equal(out, cases[i].text);
		assert_int_equal(out[TEXT_NUMBER_SIZE], 'x');
	}
}

static void test_distance(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		unsigned distance;
	} cases[] = {
		{ "", "", 0 }, { "abc", "", 3 }, { "", "abc", 3 }, { "hostname", "HostName", 0 },
		{ "hostname", "hosname", 1 }, { "hostname", "hostnamme", 1 },
		{ "hostname", "hostnane", 1 },
		{ "hostname", "hsotname", 1 }, /* a swap is one step */
		{ "kitten", "sitting", 3 },
		{ "ca", "abc", 3 }, /* restricted: no step inside a swap */
	};
	char long_a[200];
	char long_b[200];

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++)
		assert_int_equal(text_distance(cases[i].a, cases[i].b), cases[i].distance);
	/* Beyond the first 63 bytes nothing counts. */
	memset(long_a, 'a', sizeof long_a);
	memset(long_b, 'a', sizeof long_b);
	long_a[199] = long_b[199] = '\0';
	long_b[63] = 'b';
	assert_int_equal(text_distance(long_a, long_b), 0);
	long_b[62] = 'b';
	assert_int_equal(text_distance(long_a, long_b), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_cuts_at_whole_characters),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_distance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
