/* SPDX-License-Identifier: ISC */
/*
 * SipHash-2-4 (Aumasson and Bernstein): a fast keyed hash that peers cannot aim at while they do
 * not know the key. Of one run of bytes, 64 bits; or of bytes as they come, 128 bits.
 */
#ifndef GP_BASE_SIPHASH_H
#define GP_BASE_SIPHASH_H

#include <stdint.h>

#include "base/slice.h"

enum {
	SIPHASH_BYTES = 16
};

uint64_t siphash(const uint64_t key[2], struct slice bytes);

struct siphash {
	uint64_t v0, v1, v2, v3;
	uint64_t word;  /* bytes that do not fill a word yet */
	uint64_t count; /* of all bytes */
};

void siphash_init(struct siphash *hash, const uint64_t key[2]);
void siphash_add(struct siphash *hash, struct slice bytes);
/* hash can go on: it is not changed. */
void siphash_get(const struct siphash *hash, unsigned char out[static SIPHASH_BYTES]);

#endif
