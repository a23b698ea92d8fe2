/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "crypt/device_password.h"

static void test_form(void **state)
{
	static const struct {
		const char *text;
		bool is_form;
	} cases[] = {
		{ "abcdefghijklmnopqrstuvwx", true },
		{ "abcd-efgh-ijkl-mnop-qrst-uvwx", true },
		{ "ABCD EFGH IJKL MNOP QRST UVWX", true },
		{ " a-bcdefghijklmnopqrstuvwx- ", true },
		{ "234567234567234567234567", true },
		{ "", false },
		{ "abcdefghijklmnopqrstuvw", false },
		{ "abcdefghijklmnopqrstuvwxy", false },
		{ "abcdefghijklmnopqrstuvw1", false },
		{ "abcdefghijklmnopqrstuvw8", false },
		{ "abcdefghijklmnopqrstuvw0", false },
		{ "abcdefghijklmnopqrstuv.x", false },
		{ "abcdefghijklmnopqrstuvw\t", false },
		{ "abcdefghijklmnopqrstuv\xc3\xa9", false },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++)
		assert_int_equal(
			device_password_is_form(slice_str(cases[i].text)), cases[i].is_form);
	assert_false(device_password_is_form(SLICE_LIT("abcdefghijklmnopqrstuvw\0")));
}

static void test_make(void **state)
{
	char one[DEVICE_PASSWORD_TEXT_SIZE];
	char two[DEVICE_PASSWORD_TEXT_SIZE];
	unsigned seen[256] = { 0 };

	(void)state;
	device_password_make(one);
	device_password_make(two);
	assert_string_not_equal(one, two);
	assert_int_equal(strlen(one), 29);
	for (size_t i = 0; i < 29; i++)
		assert_int_equal(one[i] == '-', i % 5 == 4);
	for (int round = 0; round < 200; round++) {
		device_password_make(one);
		assert_true(device_password_is_form(slice_str(one)));
		for (const char *at = one; *at != '\0'; at++)
			seen[(unsigned char)*at]++;
	}
	/* 4800 letters: each of the 32 comes about 150 times. */
	for (const char *at = "abcdefghijklmnopqrstuvwxyz234567"; *at != '\0'; at++)
		assert_in_range(seen[(unsigned char)*at], 75, 300);
}

static void test_tag(void **state)
{
	/* openssl dgst -sha256 -mac HMAC over 2a00000000000000 and the 24 letters. */
	static const uint8_t known[] = { 0xc0, 0x92, 0xb6, 0x3c, 0xf5, 0x1a, 0xa3, 0x58, 0x5c, 0x4c,
		0x2c, 0x9e, 0xd6, 0x24, 0x9e, 0x18, 0x9b, 0x18, 0xf5, 0xc8, 0xba, 0x69, 0x66, 0xdd,
		0x68, 0x22, 0x25, 0x0d, 0x00, 0x58, 0xa5, 0x2c };
	const struct slice pepper = SLICE_LIT("0123456789abcdef0123456789abcdef");
	const struct slice text = SLICE_LIT("abcdefghijklmnopqrstuvwx");
	uint8_t tag[DEVICE_PASSWORD_TAG_SIZE];
	uint8_t other[DEVICE_PASSWORD_TAG_SIZE];

	(void)state;
	device_password_tag(pepper, 42, text, tag);
	assert_memory_equal(tag, known, sizeof tag);
	device_password_tag(pepper, 42, SLICE_LIT("ABCD-efgh ijkl-MNOP-qrst-uvwx"), other);
	assert_memory_equal(tag, other, sizeof tag);
	device_password_tag(pepper, 43, text, other);
	assert_memory_not_equal(tag, other, sizeof tag);
	device_password_tag(SLICE_LIT("1123456789abcdef0123456789abcdef"), 42, text, other);
	assert_memory_not_equal(tag, other, sizeof tag);
	device_password_tag(pepper, 42, SLICE_LIT("abcdefghijklmnopqrstuvwy"), other);
	assert_memory_not_equal(tag, other, sizeof tag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
