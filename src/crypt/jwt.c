/* SPDX-License-Identifier: ISC */
#include "crypt/jwt.h"

#include <sodium.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/text.h"

/* {"alg":"HS256","typ":"JWT"}, and what parts it from the claims. */
static const char header[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";

static bool is_plain_json(struct slice text)
{
	return text.len > 0 && text_is_printable(text) && slice_find(text, '"') < 0 &&
	       slice_find(text, '\\') < 0;
}

static enum gp_err write_claims(const struct jwt_claims *claims, struct buf *out)
{
	uint64_t now = claims->now > JWT_SKEW ? (uint64_t)claims->now : JWT_SKEW;
	char session[TEXT_NUMBER_SIZE];
	char issued[TEXT_NUMBER_SIZE];
	char begins[TEXT_NUMBER_SIZE];
	char ends[TEXT_NUMBER_SIZE];
	const char *const parts[] = { "{\"iss\":\"", claims->issuer, "\",\"sub\":\"", NULL,
		"\",\"sid\":\"", text_number(claims->session, 16, 16, session),
		"\",\"iat\":", text_number(now - JWT_SKEW, 10, 1, issued),
		",\"nbf\":", text_number(now - JWT_SKEW, 10, 1, begins),
		",\"exp\":", text_number(now + claims->lifetime, 10, 1, ends), "}" };
	enum gp_err err = GP_OK;

	if (!is_plain_json(slice_str(claims->issuer)) || !is_plain_json(claims->subject))
		return GP_ERR_SYNTAX;
	for (size_t i = 0; err == GP_OK && i < GP_ARRAY_LEN(parts); i++)
		err = buf_append(out, parts[i] != NULL ? slice_str(parts[i]) : claims->subject);
	return err;
}

static void sign(struct slice key, struct slice text, uint8_t out[crypto_auth_hmacsha256_BYTES])
{
	crypto_auth_hmacsha256_state hmac;

	(void)crypto_auth_hmacsha256_init(&hmac, (const uint8_t *)key.data, key.len);
	(void)crypto_auth_hmacsha256_update(&hmac, (const uint8_t *)text.data, text.len);
	(void)crypto_auth_hmacsha256_final(&hmac, out);
	mem_wipe(&hmac, sizeof hmac);
}

enum gp_err jwt_sign(struct slice key, const struct jwt_claims *claims, struct buf *out)
{
	struct buf json;
	struct buf token;
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	enum gp_err err;

	GP_ASSERT(claims->lifetime > 0 && claims->lifetime <= JWT_LIFETIME_MAX);
	buf_init(&json, JWT_SIZE_MAX);
	buf_init_secret(&token, JWT_SIZE_MAX);
	err = write_claims(claims, &json);
	if (err == GP_OK)
		err = buf_append_str(&token, header);
	if (err == GP_OK)
		err = encode_base64url(buf_slice(&json), &token);
	if (err != GP_OK)
		goto out;
	sign(key, buf_slice(&token), mac);
	err = buf_append_byte(&token, '.');
	if (err == GP_OK)
		err = encode_base64url(slice_of(mac, sizeof mac), &token);
	if (err == GP_OK)
		err = buf_append(out, buf_slice(&token));
out:
	mem_wipe(mac, sizeof mac);
	buf_fini(&token);
	buf_fini(&json);
	return err;
}
