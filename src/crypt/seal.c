/* SPDX-License-Identifier: ISC */
#include "crypt/seal.h"

#include <sodium.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/rand.h"
#include "crypt/key.h"

enum {
	NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	BOUND_MAX = 8 + 64, /* account and purpose */
};

_Static_assert(NONCE + TAG == SEAL_OVERHEAD, "the nonce stands in front, the tag at the end");
_Static_assert((int)KEY_DERIVED_SIZE == (int)crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
	"a derived key seals");

/* What the seal is bound to. */
static size_t bind(const char *purpose, uint64_t account, uint8_t out[static BOUND_MAX])
{
	size_t len = strlen(purpose);

	GP_ASSERT(len <= BOUND_MAX - 8);
	for (size_t i = 0; i < 8; i++)
		out[i] = (uint8_t)(account >> (8 * i));
	memcpy(out + 8, purpose, len);
	return 8 + len;
}

struct secret *seal_key_new(struct slice pepper)
{
	uint8_t bytes[KEY_DERIVED_SIZE];
	struct secret *key;

	key_derive(pepper, "gatepost seal", bytes);
	key = secret_new(slice_of(bytes, sizeof bytes));
	mem_wipe(bytes, sizeof bytes);
	return key;
}

enum gp_err seal_close(struct slice key, const char *purpose, uint64_t account, struct slice secret,
	struct buf *out)
{
	uint8_t bound[BOUND_MAX];
	size_t bound_len = bind(purpose, account, bound);
	unsigned char *at;
	unsigned long long len = 0;

	GP_ASSERT(key.len == KEY_DERIVED_SIZE);
	if (buf_reserve(out, secret.len + SEAL_OVERHEAD) != GP_OK)
		return GP_ERR_LIMIT;
	at = (unsigned char *)buf_tail(out);
	rand_bytes(at, NONCE);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(at + NONCE, &len,
		(const unsigned char *)secret.data, secret.len, bound, bound_len, NULL, at,
		(const unsigned char *)key.data);
	buf_added(out, NONCE + (size_t)len);
	return GP_OK;
}

enum gp_err seal_open(struct slice key, const char *purpose, uint64_t account, struct slice sealed,
	struct buf *out)
{
	uint8_t bound[BOUND_MAX];
	size_t bound_len = bind(purpose, account, bound);
	const unsigned char *at = (const unsigned char *)sealed.data;
	unsigned long long len = 0;
	int rc;

	GP_ASSERT(key.len == KEY_DERIVED_SIZE);
	if (sealed.len < SEAL_OVERHEAD)
		return GP_ERR_DENIED;
	if (buf_reserve(out, sealed.len) != GP_OK)
		return GP_ERR_LIMIT;
	rc = crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)buf_tail(out), &len, NULL,
		at + NONCE, sealed.len - NONCE, bound, bound_len, at,
		(const unsigned char *)key.data);
	if (rc != 0)
		return GP_ERR_DENIED;
	buf_added(out, (size_t)len);
	return GP_OK;
}
