/* SPDX-License-Identifier: ISC */
#include "crypt/chain.h"

#include <sodium.h>

#include "base/check.h"
#include "base/mem.h"
#include "crypt/key.h"

static void add_size(crypto_auth_hmacsha256_state *hmac, uint64_t size)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(size >> 8 * i);
	(void)crypto_auth_hmacsha256_update(hmac, bytes, sizeof bytes);
}

void chain_link(struct slice pepper, const char *purpose, const uint8_t before[static CHAIN_SIZE],
	const struct slice *parts, unsigned count, uint8_t out[static CHAIN_SIZE])
{
	uint8_t key[KEY_DERIVED_SIZE];
	crypto_auth_hmacsha256_state hmac;

	_Static_assert((int)CHAIN_SIZE == (int)crypto_auth_hmacsha256_BYTES, "a link is a tag");
	GP_ASSERT(count <= CHAIN_PARTS_MAX);
	key_derive(pepper, purpose, key);
	(void)crypto_auth_hmacsha256_init(&hmac, key, sizeof key);
	(void)crypto_auth_hmacsha256_update(&hmac, before, CHAIN_SIZE);
	for (unsigned i = 0; i < count; i++) {
		add_size(&hmac, parts[i].len);
		(void)crypto_auth_hmacsha256_update(
			&hmac, (const uint8_t *)parts[i].data, parts[i].len);
	}
	(void)crypto_auth_hmacsha256_final(&hmac, out);
	mem_wipe(&hmac, sizeof hmac);
	mem_wipe(key, sizeof key);
}
