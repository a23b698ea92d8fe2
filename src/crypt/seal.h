/* SPDX-License-Identifier: ISC */
/*
 * Secrets that must be read again (TOTP keys, codes that wait to be mailed), sealed for the store:
 * XChaCha20-Poly1305 under a key derived from the pepper, a random nonce in front. A sealed secret
 * opens for the account and the purpose it was sealed for and nowhere else, so that whoever can
 * write to the database cannot hand one account's secret to another. Process: vault.
 */
#ifndef GP_CRYPT_SEAL_H
#define GP_CRYPT_SEAL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/slice.h"

enum {
	SEAL_OVERHEAD = 24 + 16, /* bytes that sealing adds: nonce and tag */
};

/* The key that seals and opens. To derive it costs more than to seal. */
struct secret *seal_key_new(struct slice pepper);

/* key: as above. purpose: a literal, one for each kind of secret. */
enum gp_err seal_close(struct slice key, const char *purpose, uint64_t account, struct slice secret,
	struct buf *out) GP_CHECKED;
/* GP_ERR_DENIED: changed, cut, of another account, purpose or pepper. */
enum gp_err seal_open(struct slice key, const char *purpose, uint64_t account, struct slice sealed,
	struct buf *out) GP_CHECKED;

#endif
