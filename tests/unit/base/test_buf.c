/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

static void test_append_and_consume(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 10);
	assert_null(buf.data);
	assert_int_equal(buf_slice(&buf).len, 0);
	assert_int_equal(buf_append_str(&buf, "hello"), GP_OK);
	assert_int_equal(buf_append_byte(&buf, '!'), GP_OK);
	assert_int_equal(buf_append(&buf, slice_of(NULL, 0)), GP_OK);
	buf_consume(&buf, 2);
	assert_true(slice_is(buf_slice(&buf), "llo!"));
	assert_int_equal(buf_room(&buf), 6);
	buf_clear(&buf);
	assert_int_equal(buf.head, 0);
	assert_non_null(buf.data);
	buf_trim(&buf);
	assert_null(buf.data);
	assert_int_equal(buf_append_str(&buf, "again"), GP_OK);
	buf_trim(&buf); /* not empty: keeps everything */
	assert_true(slice_is(buf_slice(&buf), "again"));
	buf_fini(&buf);
	assert_int_equal(buf.len, 0);
	assert_null(buf.data);
}

static void test_cap(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 8);
	assert_int_equal(buf_append_str(&buf, "123456789"), GP_ERR_LIMIT);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf_append_str(&buf, "12345678"), GP_OK);
	assert_int_equal(buf_append_byte(&buf, '9'), GP_ERR_LIMIT);
	assert_int_equal(buf_reserve(&buf, 1), GP_ERR_LIMIT);
	assert_int_equal(buf_reserve(&buf, 0), GP_OK);
	/* The cap counts live bytes: what is consumed makes room. */
	buf_consume(&buf, 3);
	assert_int_equal(buf_append_str(&buf, "abc"), GP_OK);
	assert_int_equal(buf_append_byte(&buf, 'd'), GP_ERR_LIMIT);
	assert_true(slice_is(buf_slice(&buf), "45678abc"));
	buf_fini(&buf);
}

static void test_cap_beyond_the_first_block(void **state)
{
	struct buf buf;
	size_t total = 0;

	(void)state;
	buf_init(&buf, 5000);
	while (buf_append_str(&buf, "0123456") == GP_OK)
		total += 7;
	assert_int_equal(total, 4998);
	assert_int_equal(buf.len, 4998);
	for (size_t i = 0; i < total; i++)
		assert_int_equal(buf_slice(&buf).data[i], "0123456"[i % 7]);
	buf_fini(&buf);
}

static void test_append_all(void **state)
{
	const struct slice pieces[] = { SLICE_LIT("ab"), SLICE_LIT(""), SLICE_LIT("c") };
	const struct slice wrapping[] = { SLICE_LIT("a"), { "", SIZE_MAX } };
	struct buf buf;

	(void)state;
	buf_init(&buf, 5);
	assert_int_equal(buf_append_all(&buf, pieces, 0), GP_OK);
	assert_int_equal(buf_append_all(&buf, pieces, 3), GP_OK);
	/* What does not fit leaves nothing behind. */
	assert_int_equal(buf_append_all(&buf, pieces, 3), GP_ERR_LIMIT);
	assert_int_equal(buf_append_all(&buf, wrapping, 2), GP_ERR_LIMIT);
	assert_true(slice_is(buf_slice(&buf), "abc"));
	assert_int_equal(buf_append_all(&buf, pieces, 2), GP_OK);
	assert_true(slice_is(buf_slice(&buf), "abcab"));
	buf_fini(&buf);
}

static void test_printf(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 8);
	assert_int_equal(buf_printf(&buf, "%d-%s", 12, "x"), GP_OK);
	assert_int_equal(buf_printf(&buf, "%s", "56789"), GP_ERR_LIMIT);
	assert_true(slice_is(buf_slice(&buf), "12-x"));
	/* Exactly full: the NUL behind the text needs no room of the cap. */
	assert_int_equal(buf_printf(&buf, "%s", "5678"), GP_OK);
	assert_true(slice_is(buf_slice(&buf), "12-x5678"));
	assert_int_equal(buf.max, 8);
	assert_int_equal(buf_printf(&buf, "%s", ""), GP_OK);
	buf_fini(&buf);
}

/* Whether the text fits into the memory that is there, but for its NUL, or not at all. */
static void test_printf_grows(void **state)
{
	static const char text[] = "0123456789";

	(void)state;
	for (size_t room = 0; room <= sizeof text + 1; room++) {
		struct buf buf;
		size_t filled;

		buf_init_secret(&buf, 10000);
		assert_int_equal(buf_printf(&buf, "%s", ""), GP_OK);
		filled = buf.size - room;
		while (buf.len < filled)
			assert_int_equal(buf_append_byte(&buf, '.'), GP_OK);
		assert_int_equal(buf_printf(&buf, "%s", text), GP_OK);
		assert_int_equal(buf.len, filled + sizeof text - 1);
		assert_true(slice_is(slice_from(buf_slice(&buf), filled), text));
		assert_int_equal(buf_slice(&buf).data[filled - 1], '.');
		buf_fini(&buf);
	}
}

/* What is full again and again from the middle moves instead of growing. */
static void test_memory_stays_bounded(void **state)
{
	struct buf buf;
	char next = 0;
	char expected = 0;

	(void)state;
	buf_init(&buf, 400);
	for (unsigned i = 0; i < 10000; i++) {
		while (buf_append_byte(&buf, next) == GP_OK)
			next++;
		for (unsigned k = 0; k < 150; k++)
			assert_int_equal(buf_slice(&buf).data[k], expected++);
		buf_consume(&buf, 150);
		assert_true(buf.size <= 512);
	}
	buf_fini(&buf);
}

static bool is_clean(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == 's')
			return false;
	}
	return true;
}

static void test_secret_is_wiped(void **state)
{
	struct buf buf;

	(void)state;
	buf_init_secret(&buf, 4096);
	assert_int_equal(buf_append_str(&buf, "ssssssssss"), GP_OK);
	buf_consume(&buf, 4);
	assert_true(is_clean(buf.data, 4));
	assert_memory_equal(buf.data + 4, "ssssss", 6);
	/* Moving down within the block leaves nothing behind. */
	while (buf.len < 500)
		assert_int_equal(buf_append_byte(&buf, 's'), GP_OK);
	buf_consume(&buf, 480);
	assert_int_equal(buf_reserve(&buf, 400), GP_OK);
	assert_int_equal(buf.head, 0);
	assert_memory_equal(buf.data, "ssssssssssssssssssss", 20);
	assert_true(is_clean(buf.data + 20, buf.size - 20));
	buf_clear(&buf);
	assert_true(is_clean(buf.data, buf.size));
	buf_fini(&buf);
}

static void test_plain_is_not(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 16);
	assert_int_equal(buf_append_str(&buf, "ssss"), GP_OK);
	buf_consume(&buf, 4);
	assert_false(is_clean(buf.data, 4));
	buf_fini(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append_and_consume),
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_cap_beyond_the_first_block),
		cmocka_unit_test(test_append_all),
		cmocka_unit_test(test_printf),
		cmocka_unit_test(test_printf_grows),
		cmocka_unit_test(test_memory_stays_bounded),
		cmocka_unit_test(test_secret_is_wiped),
		cmocka_unit_test(test_plain_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
