/* SPDX-License-Identifier: ISC */
/*
 * The kinds of hashes that are only ever imported: how each is checked once it is stored. Private
 * to pwhash*.c; see pwhash.h for the kinds.
 */
#ifndef GP_CRYPT_PWHASH_SCHEME_H
#define GP_CRYPT_PWHASH_SCHEME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"

enum {
	SCHEME_DIGEST_MAX = 64, /* bytes of SHA-512 */
	SCHEME_SALT_MAX = 64,   /* bytes */
};

/* A bare digest, salted or not. Stored as "{NAME}" and the digest, then the salt, in base64. */
struct scheme_digest {
	const char *name;
	size_t size; /* bytes of the digest */
	bool is_salted;
};

/* NULL if there is none of this name; names are compared without case. */
const struct scheme_digest *scheme_digest_by_name(struct slice name);

/* stored: a hash of any imported kind but Argon2. GP_ERR_INTERNAL: damaged, or a library failed. */
enum gp_err scheme_verify(const char *stored, struct slice secret, bool *ret_matches) GP_CHECKED;

/* "$1$SALT$ROUNDS$HEX" as Dovecot writes it, and Django's "SALT" and base64 with its rounds. */
struct scheme_pbkdf2 {
	struct slice salt;
	unsigned long long rounds;
	unsigned char digest[SCHEME_DIGEST_MAX];
	size_t digest_size;
	bool is_sha256; /* else SHA-1 */
};

#define SCHEME_PBKDF2_DOVECOT "{PBKDF2}"
#define SCHEME_PBKDF2_DJANGO  "pbkdf2_sha256$"

/* text: as stored. *ret borrows from it. GP_ERR_SYNTAX if malformed; rounds are not judged. */
enum gp_err scheme_parse_pbkdf2(struct slice text, struct scheme_pbkdf2 *ret_parsed) GP_CHECKED;

#endif
