/* SPDX-License-Identifier: ISC */
#include "crypt/pwhash.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <sodium.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/rand.h"
#include "crypt/pwhash_scheme.h"

_Static_assert(PWHASH_SIZE >= crypto_pwhash_STRBYTES, "a hash of libsodium fits");

enum gp_err pwhash_policy_init(struct pwhash_policy *policy, unsigned memory, unsigned passes)
{
	struct pwhash_policy fresh = { .memory = memory, .passes = passes };
	char random[32];
	enum gp_err err;

	/* openssl.cnf is not for us, and out of reach in the sandbox anyway. */
	GP_ASSERT(sodium_init() >= 0);
	GP_ASSERT(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1);
	rand_bytes(random, sizeof random);
	err = pwhash_make(&fresh, slice_of(random, sizeof random), fresh.nothing);
	mem_wipe(random, sizeof random);
	if (err == GP_OK)
		*policy = fresh;
	return err;
}

enum gp_err pwhash_make(
	const struct pwhash_policy *policy, struct slice secret, char out[static PWHASH_SIZE])
{
	char text[crypto_pwhash_STRBYTES];

	if (crypto_pwhash_str_alg(text, secret.len > 0 ? secret.data : "", secret.len,
		    policy->passes, (size_t)policy->memory * 1024,
		    crypto_pwhash_ALG_ARGON2ID13) != 0)
		return GP_ERR_LIMIT;
	GP_ASSERT(slice_copy(slice_str(text), out, PWHASH_SIZE));
	return GP_OK;
}

static enum gp_err verify_argon2(const char *stored, struct slice secret, bool *ret_matches)
{
	/* libsodium tells a mismatch (EINVAL) from want of memory by errno alone. */
	errno = 0;
	*ret_matches = crypto_pwhash_str_verify(
			       stored, secret.len > 0 ? secret.data : "", secret.len) == 0;
	return *ret_matches || errno == EINVAL ? GP_OK : GP_ERR_LIMIT;
}

static bool is_argon2(const char *stored)
{
	return slice_starts_nocase(slice_str(stored), "$argon2");
}

enum gp_err pwhash_verify(const struct pwhash_policy *policy, const char *stored,
	struct slice secret, bool *ret_matches)
{
	/* Where there is nothing to match, the same steps over a hash of nothing. */
	const char *hash = stored != NULL ? stored : policy->nothing;
	bool matches = false;
	bool ignored;
	enum gp_err err = is_argon2(hash) ? verify_argon2(hash, secret, &matches)
					  : scheme_verify(hash, secret, &matches);

	if (err == GP_OK && !matches && pwhash_needs_rehash(policy, hash))
		err = verify_argon2(policy->nothing, secret, &ignored);
	if (err == GP_OK)
		*ret_matches = matches && stored != NULL;
	return err;
}

bool pwhash_needs_rehash(const struct pwhash_policy *policy, const char *stored)
{
	return !slice_starts_nocase(slice_str(stored), crypto_pwhash_argon2id_STRPREFIX) ||
	       crypto_pwhash_str_needs_rehash(
		       stored, policy->passes, (size_t)policy->memory * 1024) != 0;
}
