/* SPDX-License-Identifier: ISC */
#include "crypt/device_password.h"

#include <sodium.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"

enum {
	GROUP = 4 /* letters between hyphens */
};

static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

static bool is_filler(char byte)
{
	return byte == ' ' || byte == '-';
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '2' && byte <= '7');
}

bool device_password_is_form(struct slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (is_filler(text.data[i]))
			continue;
		if (!is_letter(text.data[i]) || count == DEVICE_PASSWORD_LETTERS)
			return false;
		count++;
	}
	return count == DEVICE_PASSWORD_LETTERS;
}

void device_password_make(char out[static DEVICE_PASSWORD_TEXT_SIZE])
{
	uint8_t random[DEVICE_PASSWORD_LETTERS];
	size_t at = 0;

	rand_bytes(random, sizeof random);
	for (size_t i = 0; i < DEVICE_PASSWORD_LETTERS; i++) {
		if (i > 0 && i % GROUP == 0)
			out[at++] = '-';
		out[at++] = letters[random[i] % 32];
	}
	out[at] = '\0';
	GP_ASSERT(at + 1 == DEVICE_PASSWORD_TEXT_SIZE);
	mem_wipe(random, sizeof random);
}

void device_password_tag(struct slice pepper, uint64_t account, struct slice text,
	uint8_t out[static DEVICE_PASSWORD_TAG_SIZE])
{
	crypto_auth_hmacsha256_state hmac;
	uint8_t message[8 + DEVICE_PASSWORD_LETTERS];
	size_t at = 8;

	GP_ASSERT(device_password_is_form(text));
	for (size_t i = 0; i < 8; i++)
		message[i] = (uint8_t)(account >> (8 * i));
	for (size_t i = 0; i < text.len; i++) {
		if (!is_filler(text.data[i]))
			message[at++] = (uint8_t)text_lower(text.data[i]);
	}
	(void)crypto_auth_hmacsha256_init(&hmac, (const uint8_t *)pepper.data, pepper.len);
	(void)crypto_auth_hmacsha256_update(&hmac, message, sizeof message);
	(void)crypto_auth_hmacsha256_final(&hmac, out);
	mem_wipe(&hmac, sizeof hmac);
	mem_wipe(message, sizeof message);
}
