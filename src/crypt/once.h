/* SPDX-License-Identifier: ISC */
/*
 * What is good once: codes that people type (recovery codes, codes that come by mail) and tokens
 * that stand in links. The store keeps keyed tags of them, as of device passwords: each has so many
 * random bits that no slow hash is needed. Process: vault.
 */
#ifndef GP_CRYPT_ONCE_H
#define GP_CRYPT_ONCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	ONCE_LETTERS = 12, /* 60 bits */
	ONCE_CODE_SIZE = ONCE_LETTERS + 2 + 1,
	ONCE_TOKEN_SIZE = 43 + 1, /* 256 bits */
	ONCE_TAG_SIZE = 32,
};

/* A fresh code, "abcd-efgh-ijkl" of the letters a-z and 2-7; a fresh token in base64url. The caller
 * wipes them. */
void once_make_code(char out[static ONCE_CODE_SIZE]);
void once_make_token(char out[static ONCE_TOKEN_SIZE]);

/* Twelve such letters of any case once spaces and hyphens are left out? 43 letters of base64url? */
bool once_is_code(struct slice text);
bool once_is_token(struct slice text);

/* HMAC-SHA-256 over account id and text (of a code: its letters alone, in lower case), under a key
 * that is derived from the pepper for the purpose, a literal. */
void once_tag(struct slice pepper, const char *purpose, uint64_t account, struct slice text,
	uint8_t out[static ONCE_TAG_SIZE]);

#endif
