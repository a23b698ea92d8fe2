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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
