/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "crypt/totp.h"

/* RFC 6238 appendix B: the secret of its SHA-1 rows. */
static const uint8_t key[TOTP_SECRET_SIZE] = "12345678901234567890";

static void test_vectors(void **state)
{
	/* The RFC shows eight digits; six are the last six of them. */
	static const struct {
		int64_t at;
		const char *code;
	} cases[] = { { 59, "287082" }, { 1111111109, "081804" }, { 1111111111, "050471" },
		{ 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" } };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		char code[TOTP_CODE_SIZE];

		assert_int_equal(totp_code(key, totp_step(cases[i].at), code), GP_OK);
		assert_string_equal(code, cases[i].code);
	}
}

static uint64_t match(const char *text, int64_t at, uint64_t used)
{
	uint64_t step = 99;

	assert_int_equal(totp_match(key, slice_str(text), at, used, &step), GP_OK);
	return step;
}

static void test_window(void **state)
{
	const int64_t at = 1111111109; /* the last second but one of its step */
	const uint64_t step = 37037036;

	(void)state;
	assert_int_equal(match("081804", at, 0), step);
	/* One step off in both directions, and no further. */
	assert_int_equal(match("081804", at + 30, 0), step);
	assert_int_equal(match("081804", at - 30, 0), step);
	assert_int_equal(match("081804", at + 31, 0), 0);
	assert_int_equal(match("081804", at - 59, 0), step);
	assert_int_equal(match("081804", at - 60, 0), 0);
	assert_int_equal(match("081805", at, 0), 0);
	/* Before the clock was ever set, nothing is right. */
	assert_int_equal(match("081804", 0, 0), 0);
	assert_int_equal(match("081804", -5, 0), 0);
}

static void test_once(void **state)
{
	const int64_t at = 1111111109;
	const uint64_t step = 37037036;

	(void)state;
	assert_int_equal(match("081804", at, step - 1), step);
	assert_int_equal(match("081804", at, step), 0);
	/* A newer one was used: the older is gone, wherever the clock went. */
	assert_int_equal(match("081804", at, step + 1), 0);
	assert_int_equal(match("081804", at - 30, step), 0);
	/* The next step's is still good. */
	assert_int_equal(match("050471", at, step), step + 1);
}

static void test_form(void **state)
{
	static const struct {
		const char *text;
		bool is_form;
	} cases[] = { { "123456", true }, { "123 456", true }, { " 12-34-56 ", true },
		{ "12345", false }, { "1234567", false }, { "12345a", false }, { "", false },
		{ "123456\n", false },
		{ "\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5\xd9\xa6", false } };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++)
		assert_int_equal(totp_is_form(slice_str(cases[i].text)), cases[i].is_form);
	assert_false(totp_is_form(SLICE_LIT("123456\0")));
	assert_int_equal(match("081 804", 1111111109, 0), 37037036);
	assert_int_equal(match("0818", 1111111109, 0), 0);
	assert_int_equal(match("0818044", 1111111109, 0), 0);
}

static const char *uri(const char *issuer, const char *account)
{
	static char text[TOTP_URI_MAX + 1];
	struct buf out;

	buf_init(&out, TOTP_URI_MAX);
	assert_int_equal(totp_format_uri(key, slice_str(issuer), slice_str(account), &out), GP_OK);
	assert_true(slice_copy(buf_slice(&out), text, sizeof text));
	buf_fini(&out);
	return text;
}

static void test_texts(void **state)
{
	char name[400];
	struct buf out;

	(void)state;
	buf_init(&out, TOTP_TEXT_MAX);
	assert_int_equal(totp_format_secret(key, &out), GP_OK);
	assert_true(slice_is(buf_slice(&out), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"));
	buf_fini(&out);
	assert_string_equal(uri("mail.example.test", "alice@example.test"),
		"otpauth://totp/mail.example.test:alice%40example.test"
		"?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=mail.example.test");
	assert_string_equal(uri("A&B: C", "\xc3\xa9?=#@x"),
		"otpauth://totp/A%26B%3A%20C:%C3%A9%3F%3D%23%40x"
		"?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=A%26B%3A%20C");
	/* The longest names are cut, at a whole character, and still fit. */
	for (size_t i = 0; i + 2 < sizeof name; i += 2)
		memcpy(name + i, "\xc3\xa9", 3);
	assert_non_null(strstr(uri(name, name), "%C3%A9?secret=GEZ"));
	assert_null(strstr(uri(name, name), "%C3?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_texts),
	};

	assert_int_equal(totp_setup(), GP_OK);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
