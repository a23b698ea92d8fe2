/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "crypt/once.h"

static const struct slice pepper = { "0123456789abcdef0123456789abcdef", 32 };

static void test_form(void **state)
{
	static const struct {
		const char *text;
		bool is_code;
	} cases[] = { { "abcd-efgh-ijkl", true }, { "ABCD efgh 2345", true },
		{ "abcdefghijkl", true }, { " abcdefghijkl-", true }, { "abcdefghijk", false },
		{ "abcdefghijklm", false }, { "abcdefghijk1", false }, { "abcdefghijk.", false },
		{ "", false }, { "123456", false } };
	char code[ONCE_CODE_SIZE];
	char token[ONCE_TOKEN_SIZE];

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++)
		assert_int_equal(once_is_code(slice_str(cases[i].text)), cases[i].is_code);
	assert_false(once_is_code(SLICE_LIT("abcdefghijk\0")));
	once_make_code(code);
	assert_true(once_is_code(slice_str(code)));
	assert_int_equal(strlen(code), 14);
	assert_true(code[4] == '-' && code[9] == '-');
	once_make_token(token);
	assert_true(once_is_token(slice_str(token)));
	assert_false(once_is_token(slice_head(slice_str(token), 42)));
	assert_false(once_is_token(slice_str(code)));
	token[0] = '=';
	assert_false(once_is_token(slice_str(token)));
}

static void test_chance(void **state)
{
	unsigned seen[256] = { 0 };

	(void)state;
	for (int round = 0; round < 400; round++) {
		char code[ONCE_CODE_SIZE];

		once_make_code(code);
		for (const char *at = code; *at != '\0'; at++)
			seen[(unsigned char)*at]++;
	}
	/* 4800 letters: each of the 32 comes about 150 times. */
	for (const char *at = "abcdefghijklmnopqrstuvwxyz234567"; *at != '\0'; at++)
		assert_in_range(seen[(unsigned char)*at], 75, 300);
}

static void test_tag(void **state)
{
	uint8_t tag[ONCE_TAG_SIZE];
	uint8_t other[ONCE_TAG_SIZE];

	(void)state;
	once_tag(pepper, "one", 42, SLICE_LIT("abcd-efgh-ijkl"), tag);
	once_tag(pepper, "one", 42, SLICE_LIT("ABCDEFGH IJKL"), other);
	assert_memory_equal(tag, other, sizeof tag);
	once_tag(pepper, "two", 42, SLICE_LIT("abcd-efgh-ijkl"), other);
	assert_memory_not_equal(tag, other, sizeof tag);
	once_tag(pepper, "one", 43, SLICE_LIT("abcd-efgh-ijkl"), other);
	assert_memory_not_equal(tag, other, sizeof tag);
	once_tag(pepper, "one", 42, SLICE_LIT("abcd-efgh-ijkm"), other);
	assert_memory_not_equal(tag, other, sizeof tag);
	once_tag(SLICE_LIT("1123456789abcdef0123456789abcdef"), "one", 42,
		SLICE_LIT("abcd-efgh-ijkl"), other);
	assert_memory_not_equal(tag, other, sizeof tag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_chance),
		cmocka_unit_test(test_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
