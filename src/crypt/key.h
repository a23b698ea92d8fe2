/* SPDX-License-Identifier: ISC */
/*
 * Symmetric keys as they stand in files: base64 (RFC 4648 section 4) on one line, the same form
 * that Dovecot's local_validation_key_dict wants, so that one file serves both. Process: vault.
 */
#ifndef GP_CRYPT_KEY_H
#define GP_CRYPT_KEY_H

#include "base/err.h"
#include "base/secret.h"
#include "base/slice.h"

enum {
	KEY_MIN = 32, /* bytes after decoding */
	KEY_MAX = 256,
};

/* White space around the text is ignored. GP_ERR_CONFIG with why, which says how to make a key;
 * what names the file's purpose there. The caller owns *ret_key. */
enum gp_err key_decode(struct slice text, const char *what, struct secret **ret_key,
	struct gp_why *why) GP_CHECKED;

#endif
