/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/rand.h"

typedef enum gp_err (*encode_fn)(struct slice bytes, struct buf *out);

struct pair {
	const char *bytes;
	size_t len;
	const char *text;
};

static void check_pairs(encode_fn encode, encode_fn decode, const struct pair *pairs, size_t count)
{
	struct buf out;

	buf_init(&out, 64);
	for (size_t i = 0; i < count; i++) {
		buf_clear(&out);
		assert_int_equal(encode(slice_of(pairs[i].bytes, pairs[i].len), &out), GP_OK);
		assert_true(slice_is(buf_slice(&out), pairs[i].text));
		buf_clear(&out);
		assert_int_equal(decode(slice_str(pairs[i].text), &out), GP_OK);
		assert_int_equal(out.len, pairs[i].len);
		assert_true(slice_equal(buf_slice(&out), slice_of(pairs[i].bytes, pairs[i].len)));
	}
	buf_fini(&out);
}

/* Nothing of a malformed text is left in the output. */
static void check_malformed(encode_fn decode, const char *const *texts, size_t count)
{
	struct buf out;

	buf_init(&out, 64);
	assert_int_equal(buf_append_str(&out, "kept"), GP_OK);
	for (size_t i = 0; i < count; i++) {
		if (decode(slice_str(texts[i]), &out) != GP_ERR_SYNTAX)
			fail_msg("\"%s\" was taken", texts[i]);
		assert_true(slice_is(buf_slice(&out), "kept"));
	}
	buf_fini(&out);
}

static void test_base64(void **state)
{
	static const struct pair pairs[] = {
		{ "", 0, "" },
		{ "f", 1, "Zg==" },
		{ "fo", 2, "Zm8=" },
		{ "foo", 3, "Zm9v" },
		{ "foobar", 6, "Zm9vYmFy" },
		{ "\0", 1, "AA==" },
		{ "\0a\0b", 4, "AGEAYg==" },
		{ "\xfb\xff\xfe", 3, "+//+" },
	};
	static const char *const malformed[] = { "Zg", "Zg=", "Zg===", "Z===", "====", "=",
		"Zg==Zg==", "Zm9v=", "Z=g=", "Zm9v\n", " Zm9", "Zm9-", "Zm9_", "Zh==", "Zm9=",
		"Zm9v\x80"
		"AAA",
		"Zm\xc3\xa4" };

	(void)state;
	check_pairs(encode_base64, decode_base64, pairs, GP_ARRAY_LEN(pairs));
	check_malformed(decode_base64, malformed, GP_ARRAY_LEN(malformed));
}

static void test_base64url(void **state)
{
	static const struct pair pairs[] = {
		{ "", 0, "" },
		{ "f", 1, "Zg" },
		{ "fo", 2, "Zm8" },
		{ "foo", 3, "Zm9v" },
		{ "\xfb\xff\xfe", 3, "-__-" },
	};
	static const char *const malformed[] = { "Z", "Zg==", "Zm9vZ", "+__+", "Zh", "Zm9",
		"Zm 9" };

	(void)state;
	check_pairs(encode_base64url, decode_base64url, pairs, GP_ARRAY_LEN(pairs));
	check_malformed(decode_base64url, malformed, GP_ARRAY_LEN(malformed));
}

static void test_base32(void **state)
{
	static const struct pair pairs[] = {
		{ "", 0, "" },
		{ "f", 1, "MY" },
		{ "fo", 2, "MZXQ" },
		{ "foo", 3, "MZXW6" },
		{ "foob", 4, "MZXW6YQ" },
		{ "fooba", 5, "MZXW6YTB" },
		{ "foobar", 6, "MZXW6YTBOI" },
	};
	static const char *const malformed[] = { "M", "MZX", "MZXW6Y", "MZ", "MY======", "M1", "M0",
		"M8", "M9", "MY ", "M-", "MZXW6YTBO",
		"\x12"
		"A",
		"m\x12" };
	struct buf out;

	(void)state;
	check_pairs(encode_base32, decode_base32, pairs, GP_ARRAY_LEN(pairs));
	check_malformed(decode_base32, malformed, GP_ARRAY_LEN(malformed));
	buf_init(&out, 16);
	assert_int_equal(decode_base32(SLICE_LIT("mZxW6yTb"), &out), GP_OK);
	assert_true(slice_is(buf_slice(&out), "fooba"));
	buf_fini(&out);
}

static void test_hex(void **state)
{
	static const struct pair pairs[] = {
		{ "", 0, "" },
		{ "\x00\x7f\xff", 3, "007fff" },
	};
	static const char *const malformed[] = { "0", "000", "0g", "0x00", " 00", "00\n",
		"\x10"
		"0" };
	struct buf out;

	(void)state;
	check_pairs(encode_hex, decode_hex, pairs, GP_ARRAY_LEN(pairs));
	check_malformed(decode_hex, malformed, GP_ARRAY_LEN(malformed));
	buf_init(&out, 16);
	assert_int_equal(decode_hex(SLICE_LIT("AbCd"), &out), GP_OK);
	assert_true(slice_is(buf_slice(&out), "\xab\xcd"));
	buf_fini(&out);
}

/* One text for one value: no other byte in its place gives the same. */
static void test_nothing_else_decodes(void **state)
{
	static const struct {
		encode_fn decode;
		const char *letters;
		unsigned group;
	} kinds[] = {
		{ decode_base64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
			4 },
		{ decode_base64url,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 4 },
		{ decode_base32, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz234567", 8 },
		{ decode_hex, "0123456789abcdefABCDEF", 2 },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	for (size_t i = 0; i < GP_ARRAY_LEN(kinds); i++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			char text[8];
			bool is_letter = byte != 0 && strchr(kinds[i].letters, (int)byte) != NULL;

			memset(text, kinds[i].letters[1], sizeof text);
			text[0] = (char)byte;
			buf_clear(&out);
			assert_int_equal(kinds[i].decode(slice_of(text, kinds[i].group), &out),
				is_letter ? GP_OK : GP_ERR_SYNTAX);
		}
	}
	buf_fini(&out);
}

static void test_round_trips(void **state)
{
	static const struct {
		encode_fn encode;
		encode_fn decode;
	} kinds[] = {
		{ encode_base64, decode_base64 },
		{ encode_base64url, decode_base64url },
		{ encode_base32, decode_base32 },
		{ encode_hex, decode_hex },
	};
	struct buf text;
	struct buf back;

	(void)state;
	buf_init(&text, 4096);
	buf_init(&back, 4096);
	for (size_t i = 0; i < GP_ARRAY_LEN(kinds); i++) {
		for (size_t len = 0; len < 100; len++) {
			char bytes[100];

			rand_bytes(bytes, sizeof bytes);
			buf_clear(&text);
			buf_clear(&back);
			assert_int_equal(kinds[i].encode(slice_of(bytes, len), &text), GP_OK);
			assert_int_equal(kinds[i].decode(buf_slice(&text), &back), GP_OK);
			assert_true(slice_equal(buf_slice(&back), slice_of(bytes, len)));
		}
	}
	buf_fini(&text);
	buf_fini(&back);
}

static void test_caps(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4);
	assert_int_equal(encode_base64(SLICE_LIT("foobar"), &out), GP_ERR_LIMIT);
	assert_int_equal(encode_hex(SLICE_LIT("foo"), &out), GP_ERR_LIMIT);
	assert_int_equal(decode_base64(SLICE_LIT("Zm9vYmFy"), &out), GP_ERR_LIMIT);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

/* Room is asked for by size, so a buffer that fits exactly is enough. */
static void test_exact_room(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 8);
	assert_int_equal(encode_base64(SLICE_LIT("foobar"), &out), GP_OK);
	buf_clear(&out);
	assert_int_equal(encode_base64(SLICE_LIT("foob"), &out), GP_OK);
	buf_clear(&out);
	assert_int_equal(encode_hex(SLICE_LIT("foob"), &out), GP_OK);
	buf_fini(&out);
	buf_init(&out, 6);
	assert_int_equal(decode_base64(SLICE_LIT("Zm9vYmFy"), &out), GP_OK);
	assert_true(slice_is(buf_slice(&out), "foobar"));
	buf_fini(&out);
}

static void test_secret_leftovers_are_wiped(void **state)
{
	struct buf out;

	(void)state;
	buf_init_secret(&out, 64);
	assert_int_equal(decode_base64(SLICE_LIT("c2VjcmV0c2VjcmV0*AAA"), &out), GP_ERR_SYNTAX);
	assert_int_equal(out.len, 0);
	for (size_t i = 0; i < out.size; i++)
		assert_int_equal(out.data[i], 0);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64url),
		cmocka_unit_test(test_base32),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_nothing_else_decodes),
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_exact_room),
		cmocka_unit_test(test_secret_leftovers_are_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
