/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "crypt/key.h"

static const char zeros[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

static void test_good(void **state)
{
	static const char spaced[] = " AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n";
	char bytes[KEY_MIN] = { 0 };
	struct secret *key = NULL;

	(void)state;
	assert_int_equal(key_decode(slice_str(zeros), "key", &key, NULL), GP_OK);
	assert_true(secret_equal(secret_slice(key), slice_of(bytes, sizeof bytes)));
	secret_free(&key);
	assert_int_equal(key_decode(slice_str(spaced), "key", &key, NULL), GP_OK);
	assert_int_equal(secret_slice(key).len, KEY_MIN);
	secret_free(&key);
}

static void test_bad(void **state)
{
	char longest[(KEY_MAX + 2) / 3 * 4 + 8];
	struct secret *key = NULL;
	struct gp_why why;

	(void)state;
	assert_int_equal(key_decode(slice_str(""), "token key", &key, &why), GP_ERR_CONFIG);
	assert_non_null(strstr(why.text, "token key"));
	assert_int_equal(key_decode(slice_str("AAAA"), "key", &key, &why), GP_ERR_CONFIG);
	/* 31 bytes, no padding, base64url, two lines */
	assert_int_equal(
		key_decode(slice_head(slice_str(zeros), 40), "key", &key, &why), GP_ERR_CONFIG);
	assert_int_equal(
		key_decode(slice_head(slice_str(zeros), 43), "key", &key, &why), GP_ERR_CONFIG);
	assert_int_equal(key_decode(SLICE_LIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA__="),
				 "key", &key, &why),
		GP_ERR_CONFIG);
	assert_int_equal(key_decode(SLICE_LIT("AAAAAAAAAAAAAAAAAAAA\nAAAAAAAAAAAAAAAAAAAAAAA="),
				 "key", &key, &why),
		GP_ERR_CONFIG);
	memset(longest, 'A', sizeof longest);
	assert_int_equal(key_decode(slice_of(longest, KEY_MAX / 3 * 4 + 8), "key", &key, &why),
		GP_ERR_CONFIG);
	assert_int_equal(key_decode(slice_of(longest, KEY_MAX / 3 * 4), "key", &key, &why), GP_OK);
	secret_free(&key);
}

/* RFC 5869 appendix A.3 has neither salt nor info; its first 32 bytes. */
static void test_derive(void **state)
{
	static const uint8_t known[] = { 0x8d, 0xa4, 0xe7, 0x75, 0xa5, 0x63, 0xc1, 0x8f, 0x71, 0x5f,
		0x80, 0x2a, 0x06, 0x3c, 0x5a, 0x31, 0xb8, 0xa1, 0x1f, 0x5c, 0x5e, 0xe1, 0x87, 0x9e,
		0xc3, 0x45, 0x4e, 0x5f, 0x3c, 0x73, 0x8d, 0x2d };
	char input[22];
	uint8_t one[KEY_DERIVED_SIZE];
	uint8_t two[KEY_DERIVED_SIZE];

	(void)state;
	memset(input, 0x0b, sizeof input);
	key_derive(slice_of(input, sizeof input), "", one);
	assert_memory_equal(one, known, sizeof one);
	key_derive(slice_of(input, sizeof input), "one", one);
	key_derive(slice_of(input, sizeof input), "two", two);
	assert_memory_not_equal(one, two, sizeof one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_derive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
