/* SPDX-License-Identifier: ISC */
#include "crypt/key.h"

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/encode.h"
#include "base/mem.h"

static struct slice trim_lines(struct slice text)
{
	while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]) != NULL)
		text.len--;
	while (text.len > 0 && strchr(" \t\r\n", text.data[0]) != NULL)
		text = slice_from(text, 1);
	return text;
}

enum gp_err key_decode(
	struct slice text, const char *what, struct secret **ret_key, struct gp_why *why)
{
	struct buf bytes;
	enum gp_err err;

	buf_init_secret(&bytes, KEY_MAX + 4);
	err = decode_base64(trim_lines(text), &bytes);
	if (err == GP_OK && (bytes.len < KEY_MIN || bytes.len > KEY_MAX))
		err = GP_ERR_LIMIT;
	if (err == GP_OK)
		*ret_key = secret_new(buf_slice(&bytes));
	else
		err = gp_why_set(why, GP_ERR_CONFIG,
			"the %s must be %d to %d bytes in base64 on one line, as from: "
			"openssl rand -base64 32",
			what, KEY_MIN, KEY_MAX);
	buf_fini(&bytes);
	return err;
}

static void hmac(struct slice key, struct slice message, uint8_t out[static KEY_DERIVED_SIZE])
{
	crypto_auth_hmacsha256_state state;

	_Static_assert((int)KEY_DERIVED_SIZE == (int)crypto_auth_hmacsha256_BYTES, "one block");
	(void)crypto_auth_hmacsha256_init(&state, (const uint8_t *)key.data, key.len);
	(void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)message.data, message.len);
	(void)crypto_auth_hmacsha256_final(&state, out);
	mem_wipe(&state, sizeof state);
}

void key_derive(struct slice key, const char *purpose, uint8_t out[static KEY_DERIVED_SIZE])
{
	static const uint8_t no_salt[KEY_DERIVED_SIZE] = { 0 };
	uint8_t extracted[KEY_DERIVED_SIZE];
	char info[64]; /* and the number of the block, which is the first and only one */
	size_t len = strlen(purpose);

	GP_ASSERT(len < sizeof info);
	memcpy(info, purpose, len);
	info[len] = 1;
	hmac(slice_of(no_salt, sizeof no_salt), key, extracted);
	hmac(slice_of(extracted, sizeof extracted), slice_of(info, len + 1), out);
	mem_wipe(extracted, sizeof extracted);
}
