/* SPDX-License-Identifier: ISC */
/*
 * A chain of records that nobody can change without the key: each link is HMAC-SHA-256 over the
 * link before and what the record says. The key is derived from the pepper, so that whoever can
 * write to the database cannot make links. Process: vault.
 */
#ifndef GP_CRYPT_CHAIN_H
#define GP_CRYPT_CHAIN_H

#include <stdint.h>

#include "base/slice.h"

enum {
	CHAIN_SIZE = 32,
	CHAIN_PARTS_MAX = 8,
};

/* purpose: a literal, one for each chain. parts: at most CHAIN_PARTS_MAX; where one ends counts. */
void chain_link(struct slice pepper, const char *purpose, const uint8_t before[static CHAIN_SIZE],
	const struct slice *parts, unsigned count, uint8_t out[static CHAIN_SIZE]);

#endif
