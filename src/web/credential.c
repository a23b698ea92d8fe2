/* SPDX-License-Identifier: ISC */
#include "web/credential.h"

#include "base/text.h"

#define BEARER "Bearer "

/* base64url, and what separates the parts of a token. */
static bool is_credential(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];

		if (!text_is_alnum(byte) && byte != '-' && byte != '_' && byte != '.')
			return false;
	}
	return text.len > 0 && text.len <= CREDENTIAL_MAX;
}

/* RFC 6265 section 4.2.1: pairs with "; " between them. */
static struct slice find_cookie(struct slice cookies)
{
	const struct slice none = { NULL, 0 };
	struct slice found = none;

	while (cookies.len > 0) {
		ptrdiff_t semicolon = slice_find(cookies, ';');
		size_t len = semicolon < 0 ? cookies.len : (size_t)semicolon;
		struct slice pair = slice_trim(slice_head(cookies, len));
		ptrdiff_t equals = slice_find(pair, '=');

		cookies = slice_from(cookies, len + 1);
		if (equals < 0 || !slice_is(slice_head(pair, (size_t)equals), CREDENTIAL_COOKIE))
			continue;
		if (found.data != NULL)
			return none;
		found = slice_from(pair, (size_t)equals + 1);
		if (!is_credential(found))
			return none;
	}
	return found;
}

struct credential credential_find(struct slice cookie, struct slice authorization)
{
	struct credential credential = { .text = { NULL, 0 } };

	if (authorization.len == 0) {
		credential.text = find_cookie(cookie);
		return credential;
	}
	credential.is_token = true;
	if (slice_starts_nocase(authorization, BEARER))
		credential.text = slice_trim(slice_from(authorization, sizeof BEARER - 1));
	if (!is_credential(credential.text))
		credential = (struct credential){ .is_token = true, .is_malformed = true };
	return credential;
}
