/* SPDX-License-Identifier: ISC */
#include "vault/case_secret.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crypt/once.h"

static const char link_purpose[] = "gatepost sending link";
static const char code_purpose[] = "gatepost sending code";
static const char recovery_purpose[] = "gatepost recovery code";

_Static_assert((int)ONCE_TAG_SIZE == (int)STORE_TAG_SIZE, "the store keeps the tag");

/* Links name no account. */
static void tag_link(
	const struct desk_op *op, struct slice token, uint8_t out[static ONCE_TAG_SIZE])
{
	once_tag(secret_slice(op->vault->pepper), link_purpose, 0, token, out);
}

static void tag_code(const struct desk_op *op, const char *purpose, struct slice code,
	uint8_t out[static ONCE_TAG_SIZE])
{
	once_tag(secret_slice(op->vault->pepper), purpose, op->account, code, out);
}

/* ---- making ---- */

enum gp_err case_secret_put_link(struct desk_op *op, uint64_t id, json_t *values)
{
	int64_t now = clock_wall();
	const struct store_case_secret secret = {
		.id = id, .kind = CASE_SECRET_LINK, .created_at = now, .expires_at = now + CASE_LINK
	};
	uint8_t tag[ONCE_TAG_SIZE];
	char token[ONCE_TOKEN_SIZE];
	char due[CLOCK_TEXT_SIZE];
	enum gp_err err;

	once_make_token(token);
	tag_link(op, slice_str(token), tag);
	err = store_case_add_secret(op->vault->store, &secret, tag, now - CASE_DAY, CASE_LINKS_MAX);
	if (err == GP_OK) {
		clock_format(secret.expires_at, due);
		GP_ASSERT(json_object_set_new(values, "token", json_string(token)) == 0);
		GP_ASSERT(json_object_set_new(values, "due", json_string(due)) == 0);
	}
	mem_wipe(token, sizeof token);
	return err;
}

static enum gp_err make_code(struct desk_op *op, const struct store_case_secret *secret,
	unsigned max, char out[static ONCE_CODE_SIZE])
{
	uint8_t tag[ONCE_TAG_SIZE];

	once_make_code(out);
	tag_code(op, code_purpose, slice_str(out), tag);
	return store_case_add_secret(
		op->vault->store, secret, tag, secret->created_at - CASE_DAY, max);
}

enum gp_err case_secret_mail(struct desk_op *op, const struct case_view *view)
{
	int64_t now = clock_wall();
	const struct store_case_secret secret = { .id = view->found.id,
		.kind = CASE_SECRET_ADDRESS,
		.portal = op->portal,
		.created_at = now,
		.expires_at = now + CASE_CODE };
	char code[ONCE_CODE_SIZE];
	enum gp_err err = make_code(op, &secret, CASE_CODES_MAX, code);

	if (err == GP_OK)
		err = desk_post(op, &view->account, view->address, "sending_code",
			json_pack("{s:s}", "code", code));
	else if (err == GP_ERR_LIMIT)
		err = gp_why_set(
			&op->why, err, "%d codes were mailed today; that is all", CASE_CODES_MAX);
	mem_wipe(code, sizeof code);
	return err;
}

enum gp_err case_secret_vouch(struct desk_op *op, const struct case_view *view, json_t **ret_row)
{
	int64_t now = clock_wall();
	const struct store_case_secret secret = { .id = view->found.id,
		.kind = CASE_SECRET_PANEL,
		.created_at = now,
		.expires_at = now + CASE_VOUCHED };
	char code[ONCE_CODE_SIZE];
	enum gp_err err = make_code(op, &secret, CASE_VOUCHED_MAX, code);

	if (err == GP_OK)
		*ret_row = json_pack("{s:s, s:s, s:o}", "address", view->account.address, "code",
			code, "expires_at", desk_json_time(secret.expires_at));
	else if (err == GP_ERR_LIMIT)
		err = gp_why_set(
			&op->why, err, "%d codes were made today; that is all", CASE_VOUCHED_MAX);
	mem_wipe(code, sizeof code);
	return err;
}

/* ---- judging ---- */

static enum gp_err wrong(struct desk_op *op)
{
	return gp_why_set(&op->why, GP_ERR_DENIED, "that is not right, or was used before");
}

/* A mailed code can be guessed at so often and no more, whoever guesses. */
static enum gp_err check_mailed(
	struct desk_op *op, const struct case_view *view, const uint8_t tag[static ONCE_TAG_SIZE])
{
	struct store *store = op->vault->store;
	uint64_t id = 0;
	int64_t expires_at = 0;
	bool is_used = false;
	enum gp_err err;

	if (view->found.wrong >= CASE_TRIES_MAX)
		return gp_why_set(&op->why, GP_ERR_LIMIT,
			"too many wrong codes: have a new one "
			"mailed");
	err = store_case_find_secret(store, CASE_SECRET_ADDRESS, tag, &id, &expires_at, &is_used);
	if (err == GP_OK && id == view->found.id)
		return GP_OK;
	if (err == GP_OK || err == GP_ERR_NOT_FOUND)
		err = store_case_note_wrong(store, view->found.id);
	return err == GP_OK ? wrong(op) : err;
}

static enum gp_err use(struct desk_op *op, const struct case_view *view, const char *kind,
	const uint8_t tag[static ONCE_TAG_SIZE])
{
	return store_case_use_secret(
		op->vault->store, view->found.id, kind, op->portal, tag, clock_wall());
}

static enum gp_err use_proof(struct desk_op *op, const struct case_view *view,
	enum release_proof proof, struct slice code)
{
	uint8_t tag[ONCE_TAG_SIZE];
	enum gp_err err = GP_OK;

	tag_code(op, proof == RELEASE_PROOF_RECOVERY ? recovery_purpose : code_purpose, code, tag);
	if (proof == RELEASE_PROOF_ADDRESS)
		err = check_mailed(op, view, tag);
	if (err == GP_OK)
		err = desk_begin(op);
	if (err != GP_OK)
		return err;
	switch (proof) {
	case RELEASE_PROOF_ADDRESS:
		return use(op, view, CASE_SECRET_ADDRESS, tag);
	case RELEASE_PROOF_PANEL:
		return use(op, view, CASE_SECRET_PANEL, tag);
	case RELEASE_PROOF_RECOVERY:
		return store_recovery_take(op->vault->store, op->account, tag);
	case RELEASE_PROOFS:
		break;
	}
	return GP_ERR_NOT_FOUND;
}

static enum gp_err use_link(struct desk_op *op, const struct case_view *view, struct slice token)
{
	enum gp_err err = desk_begin(op);

	return err == GP_OK ? case_secret_use_link(op, view, token) : err;
}

enum gp_err case_secret_prove(
	struct desk_op *op, const struct case_view *view, const char *kind, struct slice code)
{
	bool is_link = strcmp(kind, CASE_SECRET_LINK) == 0;
	enum release_proof proof =
		is_link ? RELEASE_PROOF_ADDRESS : release_proof_by_name(slice_str(kind));
	enum gp_err err;

	if (proof == RELEASE_PROOFS)
		return gp_why_set(&op->why, GP_ERR_SYNTAX,
			"the kind must be address, recovery, panel or link");
	if (view->facts.is_for_staff || !release_accepts(&view->facts, proof))
		return gp_why_set(&op->why, GP_ERR_NOT_FOUND, "nothing of that kind counts here");
	err = is_link ? use_link(op, view, code) : use_proof(op, view, proof, code);
	if (err == GP_ERR_NOT_FOUND)
		return wrong(op);
	if (err == GP_OK)
		err = store_case_prove(op->vault->store, view->found.id, release_proof_name(proof),
			op->portal, clock_wall());
	return err;
}

/* ---- links ---- */

enum gp_err case_secret_find_link(
	struct desk_op *op, struct slice token, struct case_view *ret_view)
{
	struct store *store = op->vault->store;
	struct store_case found;
	uint8_t tag[ONCE_TAG_SIZE];
	uint64_t id = 0;
	int64_t expires_at = 0;
	bool is_used = false;
	enum gp_err err = once_is_token(token) ? GP_OK : GP_ERR_NOT_FOUND;

	tag_link(op, token, tag);
	if (err == GP_OK)
		err = store_case_find_secret(
			store, CASE_SECRET_LINK, tag, &id, &expires_at, &is_used);
	if (err == GP_OK)
		err = store_case_get(store, id, &found);
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(&op->why, GP_ERR_DENIED, "there is no such link");
	if (err != GP_OK)
		return err;
	op->account = found.account;
	memcpy(op->subject, found.address, sizeof op->subject);
	if (is_used || expires_at <= clock_wall() || found.closed_at != 0)
		return gp_why_set(&op->why, GP_ERR_NOT_FOUND, "this link was used, or is over");
	err = case_look(op, ret_view);
	if (err == GP_OK && !release_accepts(&ret_view->facts, RELEASE_PROOF_ADDRESS))
		err = gp_why_set(&op->why, GP_ERR_NOT_FOUND, "this link is over");
	return err;
}

enum gp_err case_secret_use_link(
	struct desk_op *op, const struct case_view *view, struct slice token)
{
	uint8_t tag[ONCE_TAG_SIZE];

	tag_link(op, token, tag);
	return use(op, view, CASE_SECRET_LINK, tag);
}
