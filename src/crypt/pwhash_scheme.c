/* SPDX-License-Identifier: ISC */
#include "crypt/pwhash_scheme.h"

#include <crypt.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/secret.h"
#include "crypt/pwhash.h"

enum {
	PBKDF2_SHA1_SIZE = 20,
	PBKDF2_SHA256_SIZE = 32,
};

static const struct scheme_digest digests[] = {
	{ "SHA", 20, false },
	{ "SHA256", 32, false },
	{ "SHA512", 64, false },
	{ "SSHA", 20, true },
	{ "SSHA256", 32, true },
	{ "SSHA512", 64, true },
	{ "PLAIN-MD5", 16, false },
	{ "SMD5", 16, true },
};

/* Other names of the same thing. */
static const struct {
	const char *name;
	const char *same_as;
} aliases[] = {
	{ "SHA1", "SHA" },
	{ "LDAP-MD5", "PLAIN-MD5" },
	{ "MD5", "PLAIN-MD5" },
};

const struct scheme_digest *scheme_digest_by_name(struct slice name)
{
	for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
		if (slice_is_nocase(name, aliases[i].name))
			name = slice_str(aliases[i].same_as);
	}
	for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
		if (slice_is_nocase(name, digests[i].name))
			return &digests[i];
	}
	return NULL;
}

static const EVP_MD *digest_function(size_t size)
{
	switch (size) {
	case 16:
		return EVP_md5();
	case 20:
		return EVP_sha1();
	case 32:
		return EVP_sha256();
	default:
		return EVP_sha512();
	}
}

static enum gp_err verify_digest(const struct scheme_digest *digest, struct slice encoded,
	struct slice secret, bool *ret_matches)
{
	struct buf want;
	struct buf input;
	struct slice salt;
	unsigned char got[EVP_MAX_MD_SIZE];
	enum gp_err err = GP_ERR_INTERNAL;

	buf_init(&want, PWHASH_SIZE);
	buf_init_secret(&input, SECRET_MAX + SCHEME_SALT_MAX);
	if (decode_base64(encoded, &want) != GP_OK || want.len < digest->size ||
		(!digest->is_salted && want.len != digest->size))
		goto out;
	salt = slice_from(buf_slice(&want), digest->size);
	if (buf_append(&input, secret) != GP_OK || buf_append(&input, salt) != GP_OK)
		goto out;
	if (EVP_Digest(buf_slice(&input).data, input.len, got, NULL, digest_function(digest->size),
		    NULL) != 1)
		goto out;
	*ret_matches = secret_equal(
		slice_head(buf_slice(&want), digest->size), slice_of(got, digest->size));
	err = GP_OK;
out:
	mem_wipe(got, sizeof got);
	buf_fini(&input);
	buf_fini(&want);
	return err;
}

/* Cuts the text up to the next '$' from the front of *rest, and the '$' with it. */
static bool cut_field(struct slice *rest, struct slice *ret_field)
{
	ptrdiff_t at = slice_find(*rest, '$');

	if (at < 0)
		return false;
	*ret_field = slice_head(*rest, (size_t)at);
	*rest = slice_from(*rest, (size_t)at + 1);
	return true;
}

enum gp_err scheme_parse_pbkdf2(struct slice text, struct scheme_pbkdf2 *ret_parsed)
{
	struct scheme_pbkdf2 parsed = { .is_sha256 =
						slice_starts_nocase(text, SCHEME_PBKDF2_DJANGO) };
	struct slice rest = slice_from(text, parsed.is_sha256 ? sizeof SCHEME_PBKDF2_DJANGO - 1
							      : sizeof SCHEME_PBKDF2_DOVECOT - 1);
	struct slice empty;
	struct slice version;
	struct slice rounds;
	struct buf digest;
	bool is_split;
	enum gp_err err;

	if (parsed.is_sha256)
		is_split = cut_field(&rest, &rounds) && cut_field(&rest, &parsed.salt);
	else
		is_split = cut_field(&rest, &empty) && empty.len == 0 &&
			   cut_field(&rest, &version) && slice_is(version, "1") &&
			   cut_field(&rest, &parsed.salt) && cut_field(&rest, &rounds);
	if (!is_split || parsed.salt.len == 0 || !slice_to_u64(rounds, INT_MAX, &parsed.rounds) ||
		parsed.rounds == 0)
		return GP_ERR_SYNTAX;
	parsed.digest_size = parsed.is_sha256 ? PBKDF2_SHA256_SIZE : PBKDF2_SHA1_SIZE;
	buf_init(&digest, SCHEME_DIGEST_MAX);
	err = parsed.is_sha256 ? decode_base64(rest, &digest) : decode_hex(rest, &digest);
	if (err == GP_OK && digest.len == parsed.digest_size) {
		memcpy(parsed.digest, buf_slice(&digest).data, digest.len);
		*ret_parsed = parsed;
	} else {
		err = GP_ERR_SYNTAX;
	}
	buf_fini(&digest);
	return err;
}

static enum gp_err verify_pbkdf2(struct slice stored, struct slice secret, bool *ret_matches)
{
	struct scheme_pbkdf2 parsed;
	unsigned char got[SCHEME_DIGEST_MAX];

	if (scheme_parse_pbkdf2(stored, &parsed) != GP_OK || secret.len > SECRET_MAX)
		return GP_ERR_INTERNAL;
	if (PKCS5_PBKDF2_HMAC(secret.len > 0 ? secret.data : "", (int)secret.len,
		    (const unsigned char *)parsed.salt.data, (int)parsed.salt.len,
		    (int)parsed.rounds, parsed.is_sha256 ? EVP_sha256() : EVP_sha1(),
		    (int)parsed.digest_size, got) != 1)
		return GP_ERR_INTERNAL;
	*ret_matches = secret_equal(
		slice_of(parsed.digest, parsed.digest_size), slice_of(got, parsed.digest_size));
	mem_wipe(got, sizeof got);
	return GP_OK;
}

/* A secret that crypt(3) cannot take (NUL inside, too long) is a wrong one. */
static enum gp_err verify_crypt(const char *stored, struct slice secret, bool *ret_matches)
{
	char phrase[CRYPT_MAX_PASSPHRASE_SIZE];
	struct crypt_data *data;
	const char *got;
	enum gp_err err = GP_OK;

	if (!slice_copy(secret, phrase, sizeof phrase)) {
		*ret_matches = false;
		return GP_OK;
	}
	data = mem_new(1, sizeof *data);
	got = crypt_rn(phrase, stored, data, (int)sizeof *data);
	if (got == NULL)
		err = GP_ERR_INTERNAL;
	else
		*ret_matches = secret_equal(slice_str(got), slice_str(stored));
	mem_wipe(data, sizeof *data);
	mem_free(data);
	mem_wipe(phrase, sizeof phrase);
	return err;
}

enum gp_err scheme_verify(const char *stored, struct slice secret, bool *ret_matches)
{
	struct slice text = slice_str(stored);
	const struct scheme_digest *digest;
	ptrdiff_t end = slice_find(text, '}');

	if (slice_starts_nocase(text, SCHEME_PBKDF2_DOVECOT) ||
		slice_starts_nocase(text, SCHEME_PBKDF2_DJANGO))
		return verify_pbkdf2(text, secret, ret_matches);
	if (text.len == 0 || text.data[0] != '{')
		return verify_crypt(stored, secret, ret_matches);
	if (end < 0)
		return GP_ERR_INTERNAL;
	digest = scheme_digest_by_name(slice_from(slice_head(text, (size_t)end), 1));
	if (digest == NULL)
		return GP_ERR_INTERNAL;
	return verify_digest(digest, slice_from(text, (size_t)end + 1), secret, ret_matches);
}
