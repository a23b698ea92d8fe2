/* SPDX-License-Identifier: ISC */
/* Two-factor sign-in as its owner switches it on and off and staff helps, and the check of a code
 * for core. */
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "crypt/once.h"
#include "crypt/qr.h"
#include "vault/case.h"
#include "vault/twofactor.h"

enum {
	SVG_MAX = 12 * 1024, /* the rest of a row is for the names */
};

static enum gp_err look_for_case(struct desk_op *op, struct case_view *ret_view, bool *ret_has_case)
{
	enum gp_err err = case_look(op, ret_view);

	*ret_has_case = err == GP_OK;
	return err == GP_ERR_NOT_FOUND ? GP_OK : err;
}

enum gp_err op_twofactor_check(struct desk_op *op)
{
	struct slice code = slice_str(desk_string(op, "code"));
	struct twofactor_answer answer = { 0 };
	struct case_view view;
	bool has_case = false;
	enum gp_err err = desk_number(op, "account", 0, &op->account);

	if (err == GP_OK)
		err = look_for_case(op, &view, &has_case);
	if (err == GP_OK)
		err = twofactor_check(op->vault, op->account, code, true, &answer, &op->why);
	/* A recovery code at the sign-in is as good a proof as one that is asked for later. */
	if (err == GP_OK && has_case && answer.is_recovery &&
		release_accepts(&view.facts, RELEASE_PROOF_RECOVERY))
		err = store_case_prove(op->vault->store, view.found.id,
			release_proof_name(RELEASE_PROOF_RECOVERY), op->portal, clock_wall());
	if (err != GP_OK)
		return err;
	return desk_row(
		op, json_pack("{s:s, s:i}", "kind", answer.is_recovery ? "recovery" : "totp",
			    "left", (int)answer.left));
}

/* ---- setting it up ---- */

static json_t *text_json(const struct buf *text)
{
	return json_stringn(buf_slice(text).data, text->len);
}

/* What the owner needs to tell an authenticator program about the key. */
static enum gp_err show_key(struct desk_op *op, const uint8_t key[static TOTP_SECRET_SIZE],
	const struct store_account *account)
{
	struct buf text;
	struct buf uri;
	struct buf svg;
	enum gp_err err;

	buf_init_secret(&text, TOTP_TEXT_MAX);
	buf_init_secret(&uri, TOTP_URI_MAX);
	buf_init_secret(&svg, SVG_MAX);
	err = totp_format_secret(key, &text);
	if (err == GP_OK)
		err = totp_format_uri(key, slice_str(op->vault->config->hostname),
			slice_str(account->address), &uri);
	if (err == GP_OK)
		err = qr_svg(buf_slice(&uri), &svg);
	if (err == GP_OK)
		err = desk_row(op, json_pack("{s:o, s:o, s:o}", "secret", text_json(&text), "uri",
					   text_json(&uri), "svg", text_json(&svg)));
	buf_fini(&text);
	buf_fini(&uri);
	buf_fini(&svg);
	return err;
}

enum gp_err op_self_twofactor_begin(struct desk_op *op)
{
	uint8_t key[TOTP_SECRET_SIZE];
	struct store_sealed sealed = { 0 };
	struct store_account account = { 0 };
	struct slice password = slice_str(desk_string(op, "password"));
	struct case_view view;
	bool is_release = false;
	enum gp_err err = case_check_step(op, "twofactor", &view, &is_release);

	if (err == GP_OK)
		err = desk_self_with_password(op, password, &account);
	/* Whoever has a session and the password must not put a key of his own in its place: that
	 * needs the old one, a recovery code, or what opens a stopped account. */
	if (err == GP_OK && account.twofactor_at != 0 && op->role != ROLE_RECOVERY && !is_release)
		err = gp_why_set(&op->why, GP_ERR_EXISTS,
			"two-factor sign-in is on already: switch it off first");
	if (err != GP_OK)
		return err;
	rand_bytes(key, sizeof key);
	err = twofactor_seal(op->vault, account.id, key, &sealed);
	if (err == GP_OK)
		err = desk_begin(op);
	if (err == GP_OK)
		err = store_twofactor_begin(op->vault->store, account.id,
			slice_of(sealed.data, sealed.len), clock_wall());
	if (err == GP_OK)
		err = show_key(op, key, &account);
	mem_wipe(key, sizeof key);
	return err;
}

/* The step whose code was typed; GP_ERR_DENIED if it is of none, which is kept. */
static enum gp_err match_pending(
	struct desk_op *op, const struct store_twofactor *facts, uint64_t *ret_step)
{
	int64_t age = clock_wall() - facts->pending_at;
	struct slice code = slice_str(desk_string(op, "code"));
	uint8_t key[TOTP_SECRET_SIZE];
	enum gp_err err;

	if (facts->pending.len == 0 || age < 0 || age > TWOFACTOR_PENDING)
		return gp_why_set(&op->why, GP_ERR_NOT_FOUND, "that took too long: begin again");
	if (facts->pending_wrong >= STORE_WRONG_MAX)
		return gp_why_set(&op->why, GP_ERR_LIMIT, "too many wrong codes: begin again");
	err = twofactor_open(op->vault, op->asker, &facts->pending, key);
	if (err == GP_OK)
		err = totp_match(key, code, clock_wall(), 0, ret_step);
	mem_wipe(key, sizeof key);
	if (err != GP_OK || *ret_step != 0)
		return err;
	err = store_twofactor_note_wrong(op->vault->store, op->asker, true);
	return err != GP_OK
		       ? err
		       : gp_why_set(&op->why, GP_ERR_DENIED,
				 "that code is not right: is the clock of the telephone right?");
}

/* New recovery codes; their row also says what is left to do after a recovery. */
static enum gp_err give_codes(struct desk_op *op)
{
	uint8_t tags[TWOFACTOR_CODES][STORE_TAG_SIZE];
	struct store_twofactor facts = { 0 };
	json_t *codes = json_array();
	enum gp_err err;

	for (size_t i = 0; i < TWOFACTOR_CODES; i++) {
		char code[ONCE_CODE_SIZE];

		once_make_code(code);
		once_tag(secret_slice(op->vault->pepper), "gatepost recovery code", op->asker,
			slice_str(code), tags[i]);
		GP_ASSERT(json_array_append_new(codes, json_string(code)) == 0);
		mem_wipe(code, sizeof code);
	}
	err = store_recovery_set(op->vault->store, op->asker,
		(const uint8_t(*)[STORE_TAG_SIZE])tags, TWOFACTOR_CODES, clock_wall());
	if (err == GP_OK)
		err = store_twofactor_get(op->vault->store, op->asker, &facts);
	if (err == GP_OK)
		err = desk_row(op, json_pack("{s:O, s:o}", "recovery_codes", codes, "must",
					   desk_must_json(op, &facts)));
	json_decref(codes);
	return err;
}

enum gp_err op_self_twofactor_confirm(struct desk_op *op)
{
	struct store_account account = { 0 };
	struct store_twofactor facts = { 0 };
	struct case_view view;
	bool is_release = false;
	uint64_t step = 0;
	enum gp_err err = desk_self(op, &account);

	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		err = case_check_step(op, "twofactor", &view, &is_release);
	if (err == GP_OK)
		err = store_twofactor_get(op->vault->store, op->asker, &facts);
	if (err == GP_OK)
		err = match_pending(op, &facts, &step);
	if (err == GP_OK)
		err = desk_begin(op);
	if (err == GP_OK)
		err = store_twofactor_confirm(op->vault->store, op->asker,
			slice_of(facts.pending.data, facts.pending.len), step, clock_wall());
	if (err == GP_OK)
		err = give_codes(op);
	if (err == GP_OK)
		err = desk_post(op, &account, NULL, "twofactor_on", NULL);
	/* The last step of a release: sending is open again by itself. */
	if (err == GP_OK && is_release)
		err = case_close(op, &view, "released");
	op->effect = is_release ? IPC_EFFECT_RELEASED : IPC_EFFECT_TWOFACTOR;
	return err;
}

/* ---- while it is on ---- */

/* The asker has said password and code; the code is used up from here on. */
static enum gp_err check_both(struct desk_op *op, struct store_account *account)
{
	struct slice password = slice_str(desk_string(op, "password"));
	struct twofactor_answer answer;
	enum gp_err err = case_check_roots(op);

	if (err == GP_OK)
		err = desk_self_with_password(op, password, account);
	if (err == GP_OK && account->twofactor_at == 0)
		err = gp_why_set(&op->why, GP_ERR_NOT_FOUND, "two-factor sign-in is off");
	if (err != GP_OK)
		return err;
	return twofactor_check(
		op->vault, op->asker, slice_str(desk_string(op, "code")), false, &answer, &op->why);
}

/* Off, with a letter about it. */
static enum gp_err switch_off(struct desk_op *op, const struct store_account *account)
{
	enum gp_err err = store_twofactor_off(op->vault->store, account->id);

	if (err == GP_OK)
		err = desk_post(op, account, NULL, "twofactor_off", NULL);
	op->effect = IPC_EFFECT_TWOFACTOR;
	return err;
}

enum gp_err op_self_twofactor_off(struct desk_op *op)
{
	struct store_account account = { 0 };
	enum gp_err err = check_both(op, &account);

	if (err == GP_OK)
		err = desk_begin(op);
	return err == GP_OK ? switch_off(op, &account) : err;
}

enum gp_err op_self_recovery_codes(struct desk_op *op)
{
	struct store_account account = { 0 };
	enum gp_err err = check_both(op, &account);

	if (err == GP_OK)
		err = desk_begin(op);
	return err == GP_OK ? give_codes(op) : err;
}

/* ---- for others ---- */

/* desk_begin(), then the account that "address" names. */
static enum gp_err begin_on_account(struct desk_op *op, struct store_account *account)
{
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = desk_account(op, account);
	mem_wipe(account->password, sizeof account->password);
	return err;
}

enum gp_err op_twofactor_status(struct desk_op *op)
{
	struct store_account account = { 0 };
	struct store_twofactor facts = { 0 };
	enum gp_err err = desk_account(op, &account);

	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		err = store_twofactor_get(op->vault->store, account.id, &facts);
	if (err != GP_OK)
		return err;
	return desk_row(op,
		json_pack("{s:s, s:b, s:o, s:b, s:o}", "address", account.address, "on",
			account.twofactor_at != 0, "since", desk_json_time(account.twofactor_at),
			"is_stopped", (int)(facts.wrong >= STORE_WRONG_MAX), "removal_due_at",
			desk_json_time(facts.removal_due_at)));
}

enum gp_err op_twofactor_reset(struct desk_op *op)
{
	struct store_account account = { 0 };
	enum gp_err err = begin_on_account(op, &account);

	return err == GP_OK ? switch_off(op, &account) : err;
}

static enum gp_err set_removal(
	struct desk_op *op, const struct store_account *account, int64_t due_at)
{
	enum gp_err err = store_twofactor_set_removal(op->vault->store, account->id, due_at);

	if (err == GP_ERR_NOT_FOUND)
		err = gp_why_set(&op->why, err, "two-factor sign-in is off");
	return err;
}

/* The day between is the owner's, to say that he did not ask for it. */
enum gp_err op_twofactor_remove(struct desk_op *op)
{
	struct store_account account = { 0 };
	struct store_twofactor facts = { 0 };
	int64_t due_at = clock_wall() + TWOFACTOR_REMOVAL;
	char due[CLOCK_TEXT_SIZE];
	enum gp_err err = begin_on_account(op, &account);

	if (err == GP_OK)
		err = store_twofactor_get(op->vault->store, account.id, &facts);
	if (err == GP_OK && facts.removal_due_at != 0)
		return gp_why_set(&op->why, GP_ERR_EXISTS, "that is under way already, due %s",
			clock_format(facts.removal_due_at, due));
	if (err == GP_OK)
		err = set_removal(op, &account, due_at);
	if (err == GP_OK)
		err = desk_post(op, &account, NULL, "twofactor_removal",
			json_pack("{s:s}", "due", clock_format(due_at, due)));
	return err == GP_OK ? desk_row(op, json_pack("{s:s, s:s}", "address", account.address,
						   "due_at", clock_format(due_at, due)))
			    : err;
}

enum gp_err op_twofactor_remove_cancel(struct desk_op *op)
{
	struct store_account account = { 0 };
	enum gp_err err = begin_on_account(op, &account);

	return err == GP_OK ? set_removal(op, &account, 0) : err;
}

enum gp_err op_self_twofactor_keep(struct desk_op *op)
{
	struct store_account account = { 0 };
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = desk_self(op, &account);
	mem_wipe(account.password, sizeof account.password);
	return err == GP_OK ? set_removal(op, &account, 0) : err;
}
