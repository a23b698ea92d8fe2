/* SPDX-License-Identifier: ISC */
/*
 * Symmetric keys as they stand in files: base64 (RFC 4648 section 4) on one line, the same form
 * that Dovecot's local_validation_key_dict wants, so that one file serves both. Process: vault.
 */
#ifndef GP_CRYPT_KEY_H
#define GP_CRYPT_KEY_H

#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/slice.h"

enum {
	KEY_MIN = 32, /* bytes after decoding */
	KEY_MAX = 256,
	KEY_DERIVED_SIZE = 32,
};

/* White space around the text is ignored. GP_ERR_CONFIG with why, which says how to make a key;
 * what names the file's purpose there. The caller owns *ret_key. */
enum gp_err key_decode(struct slice text, const char *what, struct secret **ret_key,
	struct gp_why *why) GP_CHECKED;

/* A key of its own for one purpose (a literal): HKDF-SHA-256 (RFC 5869) without salt. Nothing can
 * be learnt from it about the key or about those of other purposes. The caller wipes it. */
void key_derive(struct slice key, const char *purpose, uint8_t out[static KEY_DERIVED_SIZE]);

#endif
