/* SPDX-License-Identifier: ISC */
/*
 * From a hash as other software wrote it to the form that is stored: the scheme's prefix goes where
 * the hash says by itself what it is, everything is checked for shape and for its cost.
 */
#include <crypt.h>
#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/encode.h"
#include "base/text.h"
#include "crypt/pwhash.h"
#include "crypt/pwhash_scheme.h"

static enum gp_err too_costly(struct gp_why *why)
{
	return gp_why_set(why, GP_ERR_LIMIT, "the hash asks for too much memory or time");
}

static enum gp_err malformed(struct gp_why *why, const char *kind)
{
	return gp_why_set(why, GP_ERR_SYNTAX, "malformed %s hash", kind);
}

static enum gp_err keep(struct slice text, char out[static PWHASH_SIZE], struct gp_why *why)
{
	char copy[PWHASH_SIZE];

	if (!slice_copy(text, copy, sizeof copy))
		return gp_why_set(why, GP_ERR_LIMIT, "the hash is too long");
	memcpy(out, copy, sizeof copy);
	return GP_OK;
}

/* ---- Argon2 ---- */

/* The number behind "m=" and so on, up to the next ',' or '$'; 0 if there is none. */
static unsigned long long parameter(struct slice text, const char *name)
{
	const char *at = memmem(text.data, text.len, name, strlen(name));
	unsigned long long value = 0;
	struct slice number;
	size_t len = 0;

	if (at == NULL)
		return 0;
	number = slice_from(text, (size_t)(at - text.data) + strlen(name));
	while (len < number.len && text_is_digit(number.data[len]))
		len++;
	return slice_to_u64(slice_head(number, len), 1ULL << 32, &value) ? value : 0;
}

static enum gp_err import_argon2(
	struct slice text, char out[static PWHASH_SIZE], struct gp_why *why)
{
	char copy[PWHASH_SIZE];
	unsigned long long memory = parameter(text, "$m=");
	unsigned long long passes = parameter(text, ",t=");

	/* This asks only whether the text is well-formed; it costs nothing. */
	if (!slice_copy(text, copy, sizeof copy) || memory == 0 || passes == 0 ||
		crypto_pwhash_str_needs_rehash(
			copy, crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN) < 0)
		return malformed(why, "Argon2");
	if (memory > PWHASH_ARGON2_MEMORY_MAX || memory * passes > PWHASH_ARGON2_WORK_MAX)
		return too_costly(why);
	return keep(text, out, why);
}

/* ---- crypt(3) ---- */

struct crypt_kind {
	const char *prefix;
	size_t hash_len;                              /* letters behind the last '$' */
	enum gp_err (*check_cost)(struct slice rest); /* rest: behind the prefix */
};

static enum gp_err check_fixed(struct slice rest)
{
	return rest.len > 0 ? GP_OK : GP_ERR_SYNTAX;
}

static enum gp_err check_bcrypt(struct slice rest)
{
	unsigned long long cost = 0;

	if (rest.len != 2 + 1 + 53 || rest.data[2] != '$' ||
		!slice_to_u64(slice_head(rest, 2), 31, &cost))
		return GP_ERR_SYNTAX;
	return cost <= PWHASH_BCRYPT_COST_MAX ? GP_OK : GP_ERR_LIMIT;
}

static enum gp_err check_sha_crypt(struct slice rest)
{
	unsigned long long rounds = 0;
	ptrdiff_t end = slice_find(rest, '$');

	if (end < 0)
		return GP_ERR_SYNTAX;
	if (!slice_starts_nocase(rest, "rounds="))
		return GP_OK;
	if (!slice_to_u64(slice_from(slice_head(rest, (size_t)end), strlen("rounds=")), 999999999,
		    &rounds))
		return GP_ERR_SYNTAX;
	return rounds <= PWHASH_SHA_CRYPT_ROUNDS_MAX ? GP_OK : GP_ERR_LIMIT;
}

/* "jNR$": flags as crypt(3) sets them, then log2(N) - 1 and r - 1 as one letter each. Memory is 128
 * bytes times N times r; further parameters only ever make it dearer and are refused. */
static enum gp_err check_yescrypt(struct slice rest)
{
	static const char alphabet[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const char *log_n = rest.len > 3 ? strchr(alphabet, rest.data[1]) : NULL;
	const char *r = rest.len > 3 ? strchr(alphabet, rest.data[2]) : NULL;
	unsigned long long memory;

	if (log_n == NULL || r == NULL || rest.data[0] != 'j' || rest.data[3] != '$')
		return GP_ERR_SYNTAX;
	if (log_n - alphabet + 1 > 20)
		return GP_ERR_LIMIT;
	memory = 128ULL * (unsigned long long)(r - alphabet + 1) << (log_n - alphabet + 1);
	return memory / 1024 <= PWHASH_YESCRYPT_MEMORY_MAX ? GP_OK : GP_ERR_LIMIT;
}

static const struct crypt_kind crypt_kinds[] = {
	{ "$1$", 22, check_fixed },
	{ "$2a$", 53, check_bcrypt },
	{ "$2b$", 53, check_bcrypt },
	{ "$2y$", 53, check_bcrypt },
	{ "$5$", 43, check_sha_crypt },
	{ "$6$", 86, check_sha_crypt },
	{ "$y$", 43, check_yescrypt },
	{ "$gy$", 43, check_yescrypt },
};

static bool is_crypt_text(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];

		if (byte <= ' ' || byte > '~' || strchr("*!:;\\", byte) != NULL)
			return false;
	}
	return true;
}

static enum gp_err check_crypt(struct slice text)
{
	ptrdiff_t last = slice_find_last(text, '$');

	if (!is_crypt_text(text))
		return GP_ERR_SYNTAX;
	if (last < 0)
		return text.len == 13 && text.data[0] != '_' ? GP_OK : GP_ERR_SYNTAX;
	for (size_t i = 0; i < GP_ARRAY_LEN(crypt_kinds); i++) {
		const struct crypt_kind *kind = &crypt_kinds[i];
		size_t prefix = strlen(kind->prefix);

		if (text.len < prefix || !slice_is(slice_head(text, prefix), kind->prefix))
			continue;
		if (text.len - (size_t)last - 1 != kind->hash_len)
			return GP_ERR_SYNTAX;
		return kind->check_cost(slice_from(text, prefix));
	}
	return GP_ERR_UNSUPPORTED;
}

static enum gp_err import_crypt(struct slice text, char out[static PWHASH_SIZE], struct gp_why *why)
{
	char copy[PWHASH_SIZE];
	enum gp_err err = check_crypt(text);

	if (err == GP_OK && slice_copy(text, copy, sizeof copy)) {
		int salt = crypt_checksalt(copy);

		if (salt == CRYPT_SALT_INVALID || salt == CRYPT_SALT_METHOD_DISABLED)
			err = GP_ERR_UNSUPPORTED;
	}
	if (err == GP_ERR_SYNTAX)
		return malformed(why, "crypt(3)");
	if (err == GP_ERR_LIMIT)
		return too_costly(why);
	if (err != GP_OK)
		return gp_why_set(why, err, "this kind of crypt(3) hash is not supported");
	return keep(text, out, why);
}

/* ---- the rest ---- */

static enum gp_err import_pbkdf2(
	struct slice text, char out[static PWHASH_SIZE], struct gp_why *why)
{
	struct scheme_pbkdf2 parsed;

	if (scheme_parse_pbkdf2(text, &parsed) != GP_OK)
		return malformed(why, "PBKDF2");
	if (parsed.rounds > PWHASH_PBKDF2_ROUNDS_MAX)
		return too_costly(why);
	return keep(text, out, why);
}

/* encoding: "B64", "HEX" or empty: then a digest without salt may be either, told by its length. */
static enum gp_err import_digest(const struct scheme_digest *digest, struct slice encoding,
	struct slice text, char out[static PWHASH_SIZE], struct gp_why *why)
{
	bool is_hex = slice_is_nocase(encoding, "HEX") ||
		      (encoding.len == 0 && !digest->is_salted && text.len == 2 * digest->size);
	size_t max = digest->size + (digest->is_salted ? SCHEME_SALT_MAX : 0);
	size_t min = digest->size + (digest->is_salted ? 1 : 0);
	struct buf bytes;
	struct buf stored;
	enum gp_err err;

	buf_init(&bytes, PWHASH_SIZE);
	buf_init(&stored, PWHASH_SIZE - 1);
	err = is_hex ? decode_hex(text, &bytes) : decode_base64(text, &bytes);
	if (err != GP_OK || bytes.len < min || bytes.len > max)
		err = malformed(why, digest->name);
	else
		err = buf_printf(&stored, "{%s}", digest->name);
	if (err == GP_OK)
		err = encode_base64(buf_slice(&bytes), &stored);
	if (err == GP_OK)
		err = keep(buf_slice(&stored), out, why);
	buf_fini(&stored);
	buf_fini(&bytes);
	return err;
}

static enum gp_err import_bare(struct slice text, char out[static PWHASH_SIZE], struct gp_why *why)
{
	if (slice_starts_nocase(text, "$argon2"))
		return import_argon2(text, out, why);
	if (slice_starts_nocase(text, SCHEME_PBKDF2_DJANGO))
		return import_pbkdf2(text, out, why);
	return import_crypt(text, out, why);
}

static bool is_one_of(struct slice name, const char *const *names)
{
	while (*names != NULL && !slice_is_nocase(name, *names))
		names++;
	return *names != NULL;
}

/* text: behind the braces. */
static enum gp_err import_scheme(
	struct slice scheme, struct slice text, char out[static PWHASH_SIZE], struct gp_why *why)
{
	static const char *const bare[] = { "CRYPT", "DES-CRYPT", "MD5-CRYPT", "BLF-CRYPT",
		"SHA256-CRYPT", "SHA512-CRYPT", "ARGON2I", "ARGON2ID", NULL };
	static const char *const encodings[] = { "B64", "BASE64", "HEX", NULL };
	ptrdiff_t dot = slice_find(scheme, '.');
	struct slice encoding = dot >= 0 ? slice_from(scheme, (size_t)dot + 1) : slice_str(NULL);
	struct slice name = dot >= 0 ? slice_head(scheme, (size_t)dot) : scheme;
	const struct scheme_digest *digest = scheme_digest_by_name(name);

	/* Dovecot's MD5 is either of two things. */
	if (is_one_of(scheme, bare) ||
		(slice_is_nocase(scheme, "MD5") && slice_starts_nocase(text, "$1$")))
		return import_bare(text, out, why);
	if (slice_is_nocase(scheme, "PBKDF2")) {
		char fixed[PWHASH_SIZE + sizeof SCHEME_PBKDF2_DOVECOT] = SCHEME_PBKDF2_DOVECOT;

		/* The braces may have come in lower case. */
		if (!slice_copy(text, fixed + strlen(fixed), PWHASH_SIZE))
			return malformed(why, "PBKDF2");
		return import_pbkdf2(slice_str(fixed), out, why);
	}
	if (digest != NULL && (dot < 0 || is_one_of(encoding, encodings)))
		return import_digest(digest, encoding, text, out, why);
	return gp_why_set(why, GP_ERR_UNSUPPORTED, "unknown password scheme");
}

enum gp_err pwhash_import(struct slice text, char out[static PWHASH_SIZE], struct slice *ret_plain,
	struct gp_why *why)
{
	static const char *const plain[] = { "PLAIN", "CLEAR", "CLEARTEXT", NULL };
	struct slice scheme = slice_str(NULL);
	struct slice rest = text;
	ptrdiff_t end = slice_find(text, '}');
	enum gp_err err;

	if (text.len > 0 && text.data[0] == '{' && end > 0) {
		scheme = slice_from(slice_head(text, (size_t)end), 1);
		rest = slice_from(text, (size_t)end + 1);
	}
	if (is_one_of(scheme, plain)) {
		out[0] = '\0';
		*ret_plain = rest;
		return GP_OK;
	}
	err = scheme.len > 0 ? import_scheme(scheme, rest, out, why) : import_bare(text, out, why);
	if (err == GP_OK)
		*ret_plain = slice_str(NULL);
	return err;
}
