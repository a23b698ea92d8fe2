/* SPDX-License-Identifier: ISC */
/*
 * Main passwords: changed by their owner, set anew through a link that staff sent to the recovery
 * address, set by an admin or a hosting panel. Whichever way: the old hash is kept to tell devices
 * that still use it, sessions end, links that were sent end, and the owner gets a letter.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crypt/once.h"
#include "store/store_recovery.h"
#include "store/store_setup.h"
#include "vault/case.h"
#include "vault/recovery.h"

enum {
	LINK_LIFETIME = 24 * 60 * 60, /* s */
};

static const char link_purpose[] = "gatepost reset link";

/* Everything that follows from a new password, in the operation's transaction. */
static enum gp_err set_password(struct desk_op *op, const struct store_account *account,
	const char *hash, bool ends_devices)
{
	struct store *store = op->vault->store;
	int64_t now = clock_wall();
	enum gp_err err = store_account_set_password(store, account->id, hash, now);

	if (err == GP_OK)
		err = store_twofactor_password_done(store, account->id);
	if (err == GP_OK)
		err = store_link_end_all(store, account->id, now);
	if (err == GP_OK)
		err = store_setup_end_all(store, account->id, now);
	if (err == GP_OK && ends_devices)
		err = store_device_remove(store, account->id, 0);
	if (err == GP_ERR_NOT_FOUND && ends_devices)
		err = GP_OK;
	if (err == GP_OK)
		err = desk_post(op, account, NULL, "password_changed", NULL);
	op->effect = IPC_EFFECT_PASSWORD;
	return err;
}

static enum gp_err make_hash(struct desk_op *op, struct slice password,
	const struct store_account *account, char out[static PWHASH_SIZE])
{
	enum gp_err err = desk_check_password(op, password, account->address);

	return err == GP_OK ? pwhash_make(&op->vault->policy, password, out) : err;
}

/* ---- by the owner ---- */

static enum gp_err check_change(struct desk_op *op, struct store_account *account)
{
	struct slice old = slice_str(desk_string(op, "old"));
	struct slice new = slice_str(desk_string(op, "new"));
	enum gp_err err = desk_self_with_password(op, old, account);

	/* Only who knows the old one is told so. */
	if (err == GP_OK && secret_equal(old, new)) {
		op->fault = "password_same";
		err = gp_why_set(&op->why, GP_ERR_SYNTAX, "that is the password already");
	}
	return err;
}

enum gp_err op_self_password(struct desk_op *op)
{
	struct store_account account = { 0 };
	struct store_twofactor facts = { 0 };
	struct case_view view;
	char hash[PWHASH_SIZE] = "";
	bool is_release = false;
	enum gp_err err = check_change(op, &account);

	/* Hashed first: the write lock is not held meanwhile. */
	if (err == GP_OK)
		err = make_hash(op, slice_str(desk_string(op, "new")), &account, hash);
	if (err == GP_OK)
		err = desk_begin(op);
	if (err == GP_OK)
		err = case_check_step(op, "password", &view, &is_release);
	if (err == GP_OK)
		err = set_password(op, &account, hash, is_release || desk_bool(op, "end_devices"));
	if (err == GP_OK && is_release)
		err = store_case_note_password(op->vault->store, view.found.id, clock_wall());
	if (err == GP_OK)
		err = store_twofactor_get(op->vault->store, account.id, &facts);
	if (err == GP_OK)
		err = desk_row(op, json_pack("{s:o}", "must", desk_must_json(op, &facts)));
	mem_wipe(hash, sizeof hash);
	return err;
}

/* ---- by others ---- */

enum gp_err op_account_passwd(struct desk_op *op)
{
	struct store_account account = { 0 };
	char hash[PWHASH_SIZE] = "";
	enum gp_err err = desk_check_secret(op);

	if (err == GP_OK)
		err = desk_account(op, &account);
	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		err = desk_check_rank(op, slice_str(account.role));
	if (err == GP_OK)
		err = make_hash(op, slice_str(desk_string(op, "password")), &account, hash);
	if (err == GP_OK)
		err = desk_begin(op);
	if (err == GP_OK)
		err = set_password(op, &account, hash, false);
	mem_wipe(hash, sizeof hash);
	return err;
}

/* ---- by a link ---- */

static json_t *link_values(const char *token, int64_t due)
{
	char text[CLOCK_TEXT_SIZE];

	return json_pack("{s:s, s:s}", "token", token, "due", clock_format(due, text));
}

enum gp_err op_account_reset_link(struct desk_op *op)
{
	struct store_recovery_address recovery = { .address = "" };
	struct store_account account = { 0 };
	char token[ONCE_TOKEN_SIZE];
	uint8_t tag[ONCE_TAG_SIZE];
	const char *way_back = NULL;
	int64_t since;
	int64_t now = clock_wall();
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = desk_account(op, &account);
	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		err = store_recovery_address_get(op->vault->store, account.id, now, &recovery);
	way_back = store_recovery_address_way_back(&recovery, &since);
	if (err == GP_OK && way_back[0] == '\0')
		err = gp_why_set(&op->why, GP_ERR_NOT_FOUND,
			"%.200s has no recovery address to send a link to", account.address);
	if (err != GP_OK)
		return err;
	once_make_token(token);
	once_tag(secret_slice(op->vault->pepper), link_purpose, 0, slice_str(token), tag);
	err = store_link_add(op->vault->store, account.id, tag, now, now + LINK_LIFETIME);
	if (err == GP_OK)
		err = desk_post(op, &account, way_back, "reset_link",
			link_values(token, now + LINK_LIFETIME));
	mem_wipe(token, sizeof token);
	return err;
}

/*
 * The account of the link that was followed. GP_ERR_NOT_FOUND: it was good once, so it is no guess.
 * GP_ERR_DENIED: there never was such a link, or it is long over.
 */
static enum gp_err find_link(
	struct desk_op *op, uint8_t tag[static ONCE_TAG_SIZE], struct store_account *ret_account)
{
	struct slice token = slice_str(desk_string(op, "token"));
	struct store_link link = { 0 };
	enum gp_err err = once_is_token(token) ? GP_OK : GP_ERR_NOT_FOUND;

	once_tag(secret_slice(op->vault->pepper), link_purpose, 0, token, tag);
	if (err == GP_OK)
		err = store_link_find(op->vault->store, tag, &link);
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(&op->why, GP_ERR_DENIED, "there is no such link");
	if (err == GP_OK && (link.used_at != 0 || link.expires_at <= clock_wall()))
		return gp_why_set(&op->why, GP_ERR_NOT_FOUND,
			"this link was used, or is over: ask for a new one");
	if (err == GP_OK)
		err = store_account_get(op->vault->store, link.account, ret_account);
	mem_wipe(ret_account->password, sizeof ret_account->password);
	if (err == GP_OK && ret_account->is_off)
		err = gp_why_set(&op->why, GP_ERR_NOT_FOUND, "the account is switched off");
	if (err == GP_OK) {
		op->account = ret_account->id;
		memcpy(op->subject, ret_account->address, sizeof op->subject);
	}
	return err;
}

enum gp_err op_reset_show(struct desk_op *op)
{
	uint8_t tag[ONCE_TAG_SIZE];
	struct store_account account = { 0 };
	enum gp_err err = find_link(op, tag, &account);

	return err == GP_OK ? desk_row(op, json_pack("{s:s}", "address", account.address)) : err;
}

enum gp_err op_reset_use(struct desk_op *op)
{
	uint8_t tag[ONCE_TAG_SIZE];
	struct store_account account = { 0 };
	char hash[PWHASH_SIZE] = "";
	enum gp_err err = find_link(op, tag, &account);

	/* A password that will not do leaves the link as it is. */
	if (err == GP_OK)
		err = make_hash(op, slice_str(desk_string(op, "password")), &account, hash);
	if (err == GP_OK)
		err = desk_begin(op);
	if (err == GP_OK)
		err = store_link_use(op->vault->store, tag, clock_wall());
	/* It was mailed there. */
	if (err == GP_OK)
		err = recovery_restore(op, &account);
	if (err == GP_OK)
		err = set_password(op, &account, hash, false);
	mem_wipe(hash, sizeof hash);
	return err;
}
