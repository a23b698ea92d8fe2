/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "crypt/key.h"
#include "crypt/seal.h"

static const struct slice pepper = { "0123456789abcdef0123456789abcdef", 32 };
static const struct slice other_pepper = { "1123456789abcdef0123456789abcdef", 32 };
static const struct slice secret = { "twenty bytes of key!", 20 };

static enum gp_err close_with(struct slice from, const char *purpose, uint64_t account,
	struct slice text, struct buf *out)
{
	struct secret *key = seal_key_new(from);
	enum gp_err err = seal_close(secret_slice(key), purpose, account, text, out);

	secret_free(&key);
	return err;
}

static struct slice seal(struct buf *out)
{
	buf_init(out, 256);
	assert_int_equal(close_with(pepper, "totp", 7, secret, out), GP_OK);
	assert_int_equal(out->len, secret.len + SEAL_OVERHEAD);
	return buf_slice(out);
}

static enum gp_err open_as(
	struct slice from, const char *purpose, uint64_t account, struct slice sealed)
{
	struct secret *key = seal_key_new(from);
	struct buf out;
	enum gp_err err;

	buf_init_secret(&out, 256);
	err = seal_open(secret_slice(key), purpose, account, sealed, &out);
	if (err == GP_OK)
		assert_true(slice_equal(buf_slice(&out), secret));
	else
		assert_int_equal(out.len, 0);
	buf_fini(&out);
	secret_free(&key);
	return err;
}

/* What stands in databases must open for ever. */
static void test_key(void **state)
{
	uint8_t derived[KEY_DERIVED_SIZE];
	struct secret *key = seal_key_new(pepper);

	(void)state;
	key_derive(pepper, "gatepost seal", derived);
	assert_true(slice_equal(secret_slice(key), slice_of(derived, sizeof derived)));
	secret_free(&key);
}

static void test_bound(void **state)
{
	struct buf one;
	struct buf two;
	struct slice sealed = seal(&one);

	(void)state;
	assert_int_equal(open_as(pepper, "totp", 7, sealed), GP_OK);
	assert_int_equal(open_as(pepper, "totp", 8, sealed), GP_ERR_DENIED);
	assert_int_equal(open_as(pepper, "outbox", 7, sealed), GP_ERR_DENIED);
	assert_int_equal(open_as(other_pepper, "totp", 7, sealed), GP_ERR_DENIED);
	/* The same secret never looks the same, and never shows. */
	assert_false(slice_equal(sealed, seal(&two)));
	assert_null(memmem(sealed.data, sealed.len, secret.data, 4));
	buf_fini(&one);
	buf_fini(&two);
}

/* Each bit changed and each byte missing is seen. */
static void test_tampered(void **state)
{
	struct buf out;
	struct slice sealed = seal(&out);
	char copy[128];

	(void)state;
	for (size_t bit = 0; bit < sealed.len * 8; bit++) {
		memcpy(copy, sealed.data, sealed.len);
		copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << (bit % 8)));
		assert_int_equal(
			open_as(pepper, "totp", 7, slice_of(copy, sealed.len)), GP_ERR_DENIED);
	}
	for (size_t len = 0; len < sealed.len; len++)
		assert_int_equal(
			open_as(pepper, "totp", 7, slice_head(sealed, len)), GP_ERR_DENIED);
	memcpy(copy, sealed.data, sealed.len);
	copy[sealed.len] = 'x';
	assert_int_equal(open_as(pepper, "totp", 7, slice_of(copy, sealed.len + 1)), GP_ERR_DENIED);
	buf_fini(&out);
}

static void test_limits(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, secret.len + SEAL_OVERHEAD - 1);
	assert_int_equal(close_with(pepper, "totp", 7, secret, &out), GP_ERR_LIMIT);
	buf_fini(&out);
	/* Nothing at all can be sealed as well. */
	buf_init(&out, 256);
	assert_int_equal(close_with(pepper, "x", 0, slice_str(NULL), &out), GP_OK);
	assert_int_equal(out.len, SEAL_OVERHEAD);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
