/* SPDX-License-Identifier: ISC */
/*
 *	PLAIN:  begin --(no initial response)--> "" --> DONE
 *	LOGIN:  begin --(no initial response)--> "Username:" --> "Password:" --> DONE
 *
 * An initial response takes the place of the answer to the first challenge; for LOGIN, which by
 * its draft has none, that is the name: mail programs do it.
 */
#include "proto/sasl.h"

#include "base/check.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

enum {
	STEP_FIRST,  /* PLAIN's message, or LOGIN's name, is next */
	STEP_SECRET, /* LOGIN's password is next */
	STEP_OVER,
};

bool sasl_is_login(struct slice login)
{
	return login.len > 0 && login.len <= SASL_LOGIN_MAX && text_is_printable(login);
}

bool sasl_is_secret(struct slice secret)
{
	return secret.len > 0 && secret.len <= SECRET_MAX && slice_find(secret, '\0') < 0;
}

bool sasl_init(struct sasl *sasl, struct slice mechanism)
{
	enum mechanism chosen = MECHANISM_NONE;

	if (slice_is_nocase(mechanism, "PLAIN"))
		chosen = MECHANISM_PLAIN;
	else if (slice_is_nocase(mechanism, "LOGIN"))
		chosen = MECHANISM_LOGIN;
	else
		return false;
	*sasl = (struct sasl){ .mechanism = chosen };
	buf_init(&sasl->login, SASL_LOGIN_MAX);
	buf_init_secret(&sasl->secret, SECRET_MAX);
	return true;
}

void sasl_fini(struct sasl *sasl)
{
	buf_fini(&sasl->login);
	buf_fini(&sasl->secret);
}

static bool keep_login(struct sasl *sasl, struct slice login)
{
	return sasl_is_login(login) && buf_append(&sasl->login, login) == GP_OK;
}

static bool keep_secret(struct sasl *sasl, struct slice secret)
{
	return sasl_is_secret(secret) && buf_append(&sasl->secret, secret) == GP_OK;
}

/* [authzid] NUL authcid NUL passwd. Nobody acts for another here, so authzid only repeats. */
static bool take_plain(struct sasl *sasl, struct slice message)
{
	ptrdiff_t first = slice_find(message, '\0');
	struct slice rest = first >= 0 ? slice_from(message, (size_t)first + 1) : message;
	ptrdiff_t second = slice_find(rest, '\0');
	struct slice authzid;
	struct slice authcid;

	if (first < 0 || second < 0)
		return false;
	authzid = slice_head(message, (size_t)first);
	authcid = slice_head(rest, (size_t)second);
	if (authzid.len > 0 && !slice_equal(authzid, authcid))
		return false;
	return keep_login(sasl, authcid) && keep_secret(sasl, slice_from(rest, (size_t)second + 1));
}

static enum sasl_result end(struct sasl *sasl, enum sasl_result result)
{
	sasl->step = STEP_OVER;
	if (result != SASL_DONE) {
		buf_clear(&sasl->login);
		buf_clear(&sasl->secret);
	}
	return result;
}

static enum sasl_result take(struct sasl *sasl, struct slice message)
{
	if (sasl->mechanism == MECHANISM_PLAIN)
		return end(sasl, take_plain(sasl, message) ? SASL_DONE : SASL_BAD);
	if (sasl->step == STEP_SECRET)
		return end(sasl, keep_secret(sasl, message) ? SASL_DONE : SASL_BAD);
	if (!keep_login(sasl, message))
		return end(sasl, SASL_BAD);
	sasl->step = STEP_SECRET;
	return SASL_CHALLENGE;
}

static enum sasl_result decode(struct sasl *sasl, struct slice text)
{
	enum sasl_result result = SASL_BAD;
	struct buf message;

	/* The decoder's own room for a last, unfinished byte. */
	buf_init_secret(&message, SASL_RESPONSE_MAX + 1);
	if (decode_base64(text, &message) == GP_OK && message.len <= SASL_RESPONSE_MAX)
		result = take(sasl, buf_slice(&message));
	else
		result = end(sasl, SASL_BAD);
	buf_fini(&message);
	return result;
}

enum sasl_result sasl_begin(struct sasl *sasl, bool has_initial, struct slice initial)
{
	GP_ASSERT(sasl->step == STEP_FIRST && sasl->login.len == 0);
	if (!has_initial)
		return SASL_CHALLENGE;
	if (slice_is(initial, "="))
		initial = slice_of(NULL, 0);
	return decode(sasl, initial);
}

enum sasl_result sasl_step(struct sasl *sasl, struct slice line)
{
	GP_ASSERT(sasl->step != STEP_OVER);
	if (slice_is(line, "*"))
		return end(sasl, SASL_CANCELLED);
	return decode(sasl, line);
}

const char *sasl_challenge(const struct sasl *sasl)
{
	if (sasl->mechanism == MECHANISM_PLAIN)
		return "";
	return sasl->step == STEP_SECRET ? "UGFzc3dvcmQ6" : "VXNlcm5hbWU6";
}
