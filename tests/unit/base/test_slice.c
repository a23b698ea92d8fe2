/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/slice.h"

static void test_compare(void **state)
{
	(void)state;
	assert_true(slice_equal(slice_of(NULL, 0), SLICE_LIT("")));
	assert_true(slice_equal(slice_str(NULL), slice_of("x", 0)));
	assert_true(slice_is(SLICE_LIT("ab"), "ab"));
	assert_false(slice_is(SLICE_LIT("ab"), "aB"));
	assert_false(slice_is(SLICE_LIT("ab"), "abc"));
	assert_false(slice_equal(SLICE_LIT("a\0b"), SLICE_LIT("a\0c")));
	assert_true(slice_is_nocase(SLICE_LIT("HeLo"), "hElO"));
	assert_false(slice_is_nocase(SLICE_LIT("helo"), "helo "));
	/* Letters only: '@' and '`', '[' and '{' differ in the same bit. */
	assert_false(slice_is_nocase(SLICE_LIT("@["), "`{"));
	assert_false(slice_is_nocase(SLICE_LIT("\xc4"), "\xe4"));
	assert_true(slice_starts_nocase(SLICE_LIT("from:<a>"), "FROM:"));
	assert_false(slice_starts_nocase(SLICE_LIT("FROM"), "FROM:"));
	assert_true(slice_starts_nocase(SLICE_LIT(""), ""));
}

static void test_find_and_cut(void **state)
{
	struct slice text = SLICE_LIT("a=b=c");

	(void)state;
	assert_int_equal(slice_find(text, '='), 1);
	assert_int_equal(slice_find_last(text, '='), 3);
	assert_int_equal(slice_find(text, 'x'), -1);
	assert_int_equal(slice_find_last(text, 'x'), -1);
	assert_int_equal(slice_find(slice_of(NULL, 0), 'x'), -1);
	assert_true(slice_is(slice_from(text, 2), "b=c"));
	assert_int_equal(slice_from(text, 5).len, 0);
	assert_int_equal(slice_from(text, 500).len, 0);
	assert_true(slice_is(slice_head(text, 3), "a=b"));
	assert_true(slice_is(slice_head(text, 500), "a=b=c"));
	assert_true(slice_is(slice_trim(SLICE_LIT(" \t a b\t ")), "a b"));
	assert_int_equal(slice_trim(SLICE_LIT(" \t")).len, 0);
}

static void test_words(void **state)
{
	struct slice rest = SLICE_LIT("  a1  LOGIN\tx y ");

	(void)state;
	assert_true(slice_is(slice_word(&rest), "a1"));
	assert_true(slice_is(slice_word(&rest), "LOGIN\tx"));
	assert_true(slice_is(slice_word(&rest), "y"));
	assert_int_equal(slice_word(&rest).len, 0);
	assert_int_equal(slice_word(&rest).len, 0);
}

static void test_copies(void **state)
{
	char out[4] = "zzz";
	char *copy = slice_dup(SLICE_LIT("abc"));

	(void)state;
	assert_string_equal(copy, "abc");
	mem_free(copy);
	copy = slice_dup(slice_of(NULL, 0));
	assert_string_equal(copy, "");
	mem_free(copy);
	assert_true(slice_copy(SLICE_LIT("abc"), out, sizeof out));
	assert_string_equal(out, "abc");
	assert_false(slice_copy(SLICE_LIT("abcd"), out, sizeof out));
	assert_string_equal(out, "");
	assert_true(slice_copy(slice_of(NULL, 0), out, sizeof out));
	assert_string_equal(out, "");
	memcpy(out, "zzz", 4);
	assert_false(slice_copy(SLICE_LIT("a\0b"), out, sizeof out));
	assert_string_equal(out, "");
	assert_false(slice_copy(SLICE_LIT(""), out, 0));
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		unsigned long long max;
		bool is_good;
		unsigned long long value;
	} cases[] = {
		{ "0", 10, true, 0 },
		{ "10", 10, true, 10 },
		{ "11", 10, false, 0 },
		{ "0000000000000000000000007", 10, true, 7 },
		{ "18446744073709551615", ~0ULL, true, ~0ULL },
		{ "18446744073709551616", ~0ULL, false, 0 },
		{ "99999999999999999999", ~0ULL, false, 0 },
		{ "", 10, false, 0 },
		{ "-1", 10, false, 0 },
		{ "+1", 10, false, 0 },
		{ " 1", 10, false, 0 },
		{ "1 ", 10, false, 0 },
		{ "0x1", 10, false, 0 },
		{ "1\xb2", 100, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		unsigned long long value = 777;

		assert_int_equal(slice_to_u64(slice_str(cases[i].text), cases[i].max, &value),
			cases[i].is_good);
		assert_true(value == (cases[i].is_good ? cases[i].value : 777));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_find_and_cut),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
