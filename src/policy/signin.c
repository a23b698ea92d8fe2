/* SPDX-License-Identifier: ISC */
#include "policy/signin.h"

#include <string.h>

#include <idn2.h>
#include <sodium.h>

#include "base/check.h"
#include "base/text.h"

enum {
	LABEL_MAX = 63,
	ALIAS_STEPS_MAX = 4, /* an alias of an alias of ...; a circle ends here */
};

/* The copies that libidn2 makes are no larger than a name and hold no secret. */
static bool take_idn(int rc, char *made, char *out, size_t size)
{
	bool fits = rc == IDN2_OK && made != NULL && slice_copy(slice_str(made), out, size);

	if (rc == IDN2_OK)
		idn2_free(made);
	return fits;
}

/* As typed, NUL-terminated, for libidn2. */
static bool to_ascii(const char *name, char *out, size_t size)
{
	char *made = NULL;
	int rc = idn2_to_ascii_8z(name, &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

	return take_idn(rc, made, out, size);
}

static bool to_unicode(const char *name, char *out, size_t size)
{
	char *made = NULL;
	int rc = idn2_to_unicode_8z8z(name, &made, 0);

	return take_idn(rc, made, out, size);
}

/* Letters, digits, hyphens and underscores in labels of 1..63 bytes. */
static bool is_domain(struct slice domain)
{
	size_t label = 0;

	for (size_t i = 0; i < domain.len; i++) {
		char byte = domain.data[i];

		if (byte == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!text_is_alnum(byte) && byte != '-' && byte != '_')
			return false;
		if (++label > LABEL_MAX)
			return false;
	}
	return label > 0;
}

bool signin_domain(struct slice typed, char out[static SIGNIN_DOMAIN_SIZE])
{
	char name[SIGNIN_DOMAIN_SIZE];

	out[0] = '\0';
	if (typed.len > 0 && typed.data[typed.len - 1] == '.')
		typed.len--;
	if (!text_is_printable(typed) || !slice_copy(typed, name, sizeof name))
		return false;
	if (!text_is_ascii(typed)) {
		char mapped[SIGNIN_DOMAIN_SIZE];

		if (!to_ascii(name, mapped, sizeof mapped))
			return false;
		memcpy(name, mapped, sizeof name);
	}
	text_lower_all(name);
	if (!is_domain(slice_str(name)))
		return false;
	return slice_copy(slice_str(name), out, SIGNIN_DOMAIN_SIZE);
}

/* Lower case; what is not ASCII goes there and back through UTS 46, which leaves it folded and in
 * NFC. A name that mapping does not take is none that an account has. */
static bool canonical_local(struct slice typed, char out[static SIGNIN_LOCAL_MAX + 1])
{
	char name[SIGNIN_LOCAL_MAX + 1];
	char ascii[SIGNIN_DOMAIN_SIZE];

	if (typed.len == 0 || !text_is_printable(typed) || !slice_copy(typed, name, sizeof name))
		return false;
	if (text_is_ascii(typed)) {
		memcpy(out, name, sizeof name);
		text_lower_all(out);
		return true;
	}
	return to_ascii(name, ascii, sizeof ascii) &&
	       to_unicode(ascii, out, SIGNIN_LOCAL_MAX + 1) && out[0] != '\0';
}

static void resolve_alias(const struct signin_names *names, char domain[static SIGNIN_DOMAIN_SIZE])
{
	for (unsigned step = 0; step < ALIAS_STEPS_MAX; step++) {
		struct slice target = { NULL, 0 };
		char copy[SIGNIN_DOMAIN_SIZE];

		if (names->find(names->owner, slice_str(domain), &target) != SIGNIN_DOMAIN_ALIAS)
			return;
		if (!slice_copy(target, copy, sizeof copy))
			return;
		memcpy(domain, copy, sizeof copy);
	}
}

/* The domain of a name that was typed without one. */
static bool default_domain(const struct signin_names *names, char out[static SIGNIN_DOMAIN_SIZE])
{
	struct slice target = { NULL, 0 };

	if (names->sni.len > 0 && signin_domain(names->sni, out) &&
		names->find(names->owner, slice_str(out), &target) != SIGNIN_DOMAIN_FOREIGN)
		return true;
	if (names->listener_default.len > 0)
		return signin_domain(names->listener_default, out);
	return names->global_default.len > 0 && signin_domain(names->global_default, out);
}

bool signin_canonical(
	struct slice typed, const struct signin_names *names, char out[static SIGNIN_LOGIN_SIZE])
{
	char local[SIGNIN_LOCAL_MAX + 1];
	char domain[SIGNIN_DOMAIN_SIZE];
	ptrdiff_t at;
	size_t len;

	out[0] = '\0';
	typed = slice_trim(typed);
	at = slice_find_last(typed, '@');
	if (at < 0)
		at = slice_find_last(typed, '%');
	if (!canonical_local(at < 0 ? typed : slice_head(typed, (size_t)at), local))
		return false;
	if (at < 0 ? !default_domain(names, domain)
		   : !signin_domain(slice_from(typed, (size_t)at + 1), domain))
		return false;
	resolve_alias(names, domain);

	len = strlen(local);
	memcpy(out, local, len);
	out[len++] = '@';
	GP_ASSERT(slice_copy(slice_str(domain), out + len, SIGNIN_LOGIN_SIZE - len));
	return true;
}

struct signin_judgement signin_judge(enum reason reason, bool is_known)
{
	static const struct {
		enum reason reason;
		struct signin_judgement judgement;
	} answers[] = {
		{ REASON_OK, { VERDICT_OK, false } },
		{ REASON_WRONG_PASSWORD, { VERDICT_DENY, true } },
		{ REASON_UNKNOWN_ACCOUNT, { VERDICT_DENY, true } },
		{ REASON_ACCOUNT_OFF, { VERDICT_DENY, true } },
		{ REASON_NO_PASSWORD, { VERDICT_DENY, true } },
		{ REASON_TWOFACTOR, { VERDICT_DENY, true } },
		{ REASON_WRONG_DEVICE, { VERDICT_DENY, true } },
		{ REASON_UNCHECKED, { VERDICT_DENY, true } },
		{ REASON_DEVICE_SCOPE, { VERDICT_DENY, false } },
	};

	if (reason == REASON_TWOFACTOR && is_known)
		return (struct signin_judgement){ VERDICT_DENY, false };
	for (size_t i = 0; i < GP_ARRAY_LEN(answers); i++) {
		if (answers[i].reason == reason)
			return answers[i].judgement;
	}
	return (struct signin_judgement){ VERDICT_TEMPORARY, false };
}

static void tag_part(crypto_generichash_state *state, struct slice part)
{
	uint64_t len = part.len;

	/* The length first, so that no two triples of parts are the same bytes. */
	(void)crypto_generichash_update(state, (const unsigned char *)&len, sizeof len);
	if (part.len > 0)
		(void)crypto_generichash_update(state, (const unsigned char *)part.data, part.len);
}

void signin_tag(const unsigned char key[static SIGNIN_TAG_KEY_SIZE], struct slice source,
	struct slice login, struct slice secret, unsigned char out[static SIGNIN_TAG_SIZE])
{
	crypto_generichash_state state;

	(void)crypto_generichash_init(&state, key, SIGNIN_TAG_KEY_SIZE, SIGNIN_TAG_SIZE);
	tag_part(&state, source);
	tag_part(&state, login);
	tag_part(&state, secret);
	(void)crypto_generichash_final(&state, out, SIGNIN_TAG_SIZE);
	sodium_memzero(&state, sizeof state);
}
