/* SPDX-License-Identifier: ISC */
#include "crypt/jwt.h"

#include <inttypes.h>
#include <sodium.h>

#include "base/check.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/text.h"

static bool is_plain_json(struct slice text)
{
	return text.len > 0 && text_is_printable(text) && slice_find(text, '"') < 0 &&
	       slice_find(text, '\\') < 0;
}

static enum gp_err write_claims(const struct jwt_claims *claims, struct buf *out)
{
	int64_t issued = claims->now - JWT_SKEW;

	if (!is_plain_json(slice_str(claims->issuer)) || !is_plain_json(claims->subject))
		return GP_ERR_SYNTAX;
	return buf_printf(out,
		"{\"iss\":\"%s\",\"sub\":\"%.*s\",\"sid\":\"%016" PRIx64 "\",\"iat\":%" PRId64
		",\"nbf\":%" PRId64 ",\"exp\":%" PRId64 "}",
		claims->issuer, SLICE_ARG(claims->subject), claims->session, issued, issued,
		claims->now + claims->lifetime);
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
		err = encode_base64url(SLICE_LIT("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), &token);
	if (err == GP_OK)
		err = buf_append_byte(&token, '.');
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
