/* SPDX-License-Identifier: ISC */
/*
 * Hashes of main passwords. New ones are Argon2id. Imported ones are kept as they came and replaced
 * at the next good sign-in (pwhash_needs_rehash()):
 *
 *	crypt(3)	$1$ $2a$ $2b$ $2y$ $5$ $6$ $y$ $gy$, and the 13 letters of DES
 *	Argon2		$argon2i$ $argon2id$
 *	Django		pbkdf2_sha256$ROUNDS$SALT$BASE64
 *	Dovecot		{SCHEME}..., SCHEME one of CRYPT DES-CRYPT MD5-CRYPT BLF-CRYPT
 *			SHA256-CRYPT SHA512-CRYPT ARGON2I ARGON2ID PBKDF2 SHA SHA1 SHA256 SHA512
 *			SSHA SSHA256 SSHA512 MD5 PLAIN-MD5 LDAP-MD5 SMD5, the digests also with
 *			.B64 or .HEX; PLAIN CLEAR CLEARTEXT are passwords, to be hashed at once
 *
 * A hash that would take too much memory or time is refused at import, so that it cannot be used to
 * stop the vault. Process: vault.
 */
#ifndef GP_CRYPT_PWHASH_H
#define GP_CRYPT_PWHASH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"

enum {
	PWHASH_SIZE = 512, /* a stored hash with its NUL */

	/* Limits on what is imported. */
	PWHASH_ARGON2_MEMORY_MAX = 256 * 1024,   /* KiB */
	PWHASH_ARGON2_WORK_MAX = 4 * 256 * 1024, /* KiB times passes */
	PWHASH_BCRYPT_COST_MAX = 14,             /* 2^14 rounds */
	PWHASH_SHA_CRYPT_ROUNDS_MAX = 500 * 1000,
	PWHASH_PBKDF2_ROUNDS_MAX = 2 * 1000 * 1000,
	PWHASH_YESCRYPT_MEMORY_MAX = 128 * 1024, /* KiB */
};

/* The cost of new hashes, and a hash of nothing at that cost. */
struct pwhash_policy {
	unsigned memory; /* KiB, >= 8 */
	unsigned passes; /* >= 1 */
	char nothing[PWHASH_SIZE];
};

/* Prepares the libraries (before the sandbox closes) and makes the policy. GP_ERR_LIMIT if the
 * memory is not to be had. */
enum gp_err pwhash_policy_init(
	struct pwhash_policy *policy, unsigned memory, unsigned passes) GP_CHECKED;

/* A fresh Argon2id hash. GP_ERR_LIMIT if the memory is not to be had. */
enum gp_err pwhash_make(const struct pwhash_policy *policy, struct slice secret,
	char out[static PWHASH_SIZE]) GP_CHECKED;

/*
 * Does the secret match? stored: from pwhash_make() or pwhash_import(), or NULL for an account that
 * does not exist or has no password: never matches. Whatever is stored, a wrong secret takes at
 * least as long as the policy's Argon2id: NULL takes exactly that, an imported hash that much
 * on top of its own, which is also what its replacement takes after a right one.
 * GP_ERR_LIMIT, GP_ERR_INTERNAL: could not be checked, for want of memory or because what is stored
 * is damaged; that is our fault and no wrong password.
 */
enum gp_err pwhash_verify(const struct pwhash_policy *policy, const char *stored,
	struct slice secret, bool *ret_matches) GP_CHECKED;

/* Is it of another kind or cost than pwhash_make() would give now? */
bool pwhash_needs_rehash(const struct pwhash_policy *policy, const char *stored);

/*
 * Checks a hash from elsewhere and brings it into the form that is stored. For a plain password out
 * is "" and *ret_plain borrows it from text; otherwise *ret_plain is empty. Text without a scheme
 * is taken as crypt(3). GP_ERR_UNSUPPORTED, GP_ERR_SYNTAX or GP_ERR_LIMIT with why, which never
 * holds the hash.
 */
enum gp_err pwhash_import(struct slice text, char out[static PWHASH_SIZE], struct slice *ret_plain,
	struct gp_why *why) GP_CHECKED;

#endif
