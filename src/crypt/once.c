/* SPDX-License-Identifier: ISC */
#include "crypt/once.h"

#include <sodium.h>
#include <string.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "crypt/key.h"

enum {
	GROUP = 4, /* letters between hyphens */
	TOKEN_BYTES = 32,
};

static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

/* The letters of a code; false if it is not of the form. */
static bool read_code(struct slice text, char out[static ONCE_LETTERS])
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++) {
		char byte = text_lower(text.data[i]);

		if (byte == ' ' || byte == '-')
			continue;
		if (byte == '\0' || strchr(letters, byte) == NULL || count == ONCE_LETTERS)
			return false;
		out[count++] = byte;
	}
	return count == ONCE_LETTERS;
}

void once_make_code(char out[static ONCE_CODE_SIZE])
{
	uint8_t random[ONCE_LETTERS];
	size_t at = 0;

	rand_bytes(random, sizeof random);
	for (size_t i = 0; i < ONCE_LETTERS; i++) {
		if (i > 0 && i % GROUP == 0)
			out[at++] = '-';
		out[at++] = letters[random[i] % 32];
	}
	out[at] = '\0';
	GP_ASSERT(at + 1 == ONCE_CODE_SIZE);
	mem_wipe(random, sizeof random);
}

void once_make_token(char out[static ONCE_TOKEN_SIZE])
{
	uint8_t random[TOKEN_BYTES];
	struct buf text;
	enum gp_err err;

	rand_bytes(random, sizeof random);
	buf_init_secret(&text, ONCE_TOKEN_SIZE);
	err = encode_base64url(slice_of(random, sizeof random), &text);
	GP_ASSERT(err == GP_OK && slice_copy(buf_slice(&text), out, ONCE_TOKEN_SIZE));
	buf_fini(&text);
	mem_wipe(random, sizeof random);
}

bool once_is_code(struct slice text)
{
	char code[ONCE_LETTERS];
	bool is_code = read_code(text, code);

	mem_wipe(code, sizeof code);
	return is_code;
}

bool once_is_token(struct slice text)
{
	struct buf bytes;
	bool is_token;

	buf_init_secret(&bytes, ONCE_TOKEN_SIZE);
	is_token = text.len == ONCE_TOKEN_SIZE - 1 && decode_base64url(text, &bytes) == GP_OK;
	buf_fini(&bytes);
	return is_token;
}

void once_tag(struct slice pepper, const char *purpose, uint64_t account, struct slice text,
	uint8_t out[static ONCE_TAG_SIZE])
{
	crypto_auth_hmacsha256_state hmac;
	uint8_t key[KEY_DERIVED_SIZE];
	uint8_t who[8];
	char code[ONCE_LETTERS];

	if (read_code(text, code))
		text = slice_of(code, sizeof code);
	for (size_t i = 0; i < sizeof who; i++)
		who[i] = (uint8_t)(account >> (8 * i));
	key_derive(pepper, purpose, key);
	(void)crypto_auth_hmacsha256_init(&hmac, key, sizeof key);
	(void)crypto_auth_hmacsha256_update(&hmac, who, sizeof who);
	(void)crypto_auth_hmacsha256_update(&hmac, (const uint8_t *)text.data, text.len);
	(void)crypto_auth_hmacsha256_final(&hmac, out);
	mem_wipe(&hmac, sizeof hmac);
	mem_wipe(key, sizeof key);
	mem_wipe(code, sizeof code);
}
