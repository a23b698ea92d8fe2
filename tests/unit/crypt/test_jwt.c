/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "crypt/jwt.h"

static const struct slice key = { "0123456789abcdef0123456789abcdef", 32 };

/* Made with Python's hmac and base64 modules. */
static void test_vector(void **state)
{
	const struct jwt_claims claims = {
		.issuer = "mail.example.test",
		.subject = SLICE_LIT("alice@example.test"),
		.session = 0xdeadbeef00000001,
		.now = 1700000005,
		.lifetime = 55,
	};
	struct buf out;

	(void)state;
	buf_init_secret(&out, JWT_SIZE_MAX);
	assert_int_equal(jwt_sign(key, &claims, &out), GP_OK);
	assert_int_equal(buf_append_byte(&out, '\0'), GP_OK);
	assert_string_equal(buf_slice(&out).data,
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJtYWlsLmV4YW1wbGUudGVzdCIsInN1YiI"
		"6ImFsaWNlQGV4YW1wbGUudGVzdCIsInNpZCI6ImRlYWRiZWVmMDAwMDAwMDEiLCJpYXQiOjE3MDAwMDA"
		"wMDAsIm5iZiI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAwMDYwfQ.wdKrLbWkp59W0WUF1n-gzrrwYz5s"
		"MbDfEIV2KOorxV0");
	buf_fini(&out);
}

/* Before there was time: a clock that nobody has set yet. */
static void test_early(void **state)
{
	struct jwt_claims claims = {
		.issuer = "x", .subject = SLICE_LIT("a@example.test"), .now = -100, .lifetime = 30
	};
	struct buf early;
	struct buf first;

	(void)state;
	buf_init_secret(&early, JWT_SIZE_MAX);
	buf_init_secret(&first, JWT_SIZE_MAX);
	assert_int_equal(jwt_sign(key, &claims, &early), GP_OK);
	claims.now = JWT_SKEW;
	assert_int_equal(jwt_sign(key, &claims, &first), GP_OK);
	assert_true(slice_equal(buf_slice(&early), buf_slice(&first)));
	buf_fini(&first);
	buf_fini(&early);
}

static void test_refused(void **state)
{
	static const char *const subjects[] = { "", "a\"b@example.test", "a\\b@example.test",
		"a\nb@example.test", "a\x7f@example.test", "a\xff@example.test" };
	struct jwt_claims claims = { .issuer = "x", .now = 1700000000, .lifetime = 30 };
	struct buf out;

	(void)state;
	buf_init_secret(&out, JWT_SIZE_MAX);
	for (size_t i = 0; i < GP_ARRAY_LEN(subjects); i++) {
		claims.subject = slice_str(subjects[i]);
		assert_int_equal(jwt_sign(key, &claims, &out), GP_ERR_SYNTAX);
		assert_int_equal(buf_slice(&out).len, 0);
	}
	claims.subject = SLICE_LIT("alice@example.test");
	claims.issuer = "a\"b";
	assert_int_equal(jwt_sign(key, &claims, &out), GP_ERR_SYNTAX);
	buf_fini(&out);
}

static void test_limit(void **state)
{
	struct jwt_claims claims = { .issuer = "x", .now = 1700000000, .lifetime = 30 };
	char longest[320];
	struct buf out;

	(void)state;
	memset(longest, 'a', sizeof longest);
	claims.subject = slice_of(longest, sizeof longest);
	buf_init_secret(&out, JWT_SIZE_MAX);
	assert_int_equal(jwt_sign(key, &claims, &out), GP_OK);
	buf_fini(&out);
	buf_init_secret(&out, 100);
	assert_int_equal(jwt_sign(key, &claims, &out), GP_ERR_LIMIT);
	assert_int_equal(buf_slice(&out).len, 0);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_early),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
