/* SPDX-License-Identifier: ISC */
/* The recovery address: where a link is sent when the password is lost. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypt/once.h"
#include "store/store_outbox.h"
#include "vault/case.h"
#include "vault/recovery.h"
#include "vault/twofactor.h"

enum {
	CODE_LIFETIME = 24 * 60 * 60, /* s */
	DAY_S = 24 * 60 * 60,
};

static const char code_purpose[] = "gatepost recovery address";
static const char code_letter[] = "recovery_address";

/* One that mail can reach, and not the mailbox that may be out of reach. */
static enum gp_err take_address(struct desk_op *op, const struct store_account *account,
	char out[static STORE_ADDRESS_SIZE])
{
	struct slice typed = slice_trim(slice_str(desk_string(op, "address")));
	struct store_account own;
	enum gp_err err;

	if (slice_find(typed, '@') < 0)
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "that is no mail address");
	err = desk_new_address(op->vault, typed, out, &op->why);
	if (err != GP_OK)
		return err;
	err = store_account_find(op->vault->store, slice_str(out), &own);
	if (err == GP_ERR_NOT_FOUND)
		return GP_OK;
	if (err != GP_OK)
		return err;
	mem_wipe(own.password, sizeof own.password);
	if (own.id == account->id)
		return gp_why_set(
			&op->why, GP_ERR_SYNTAX, "that is this mailbox: take an address elsewhere");
	return GP_OK;
}

static enum gp_err begin(
	struct desk_op *op, const struct store_account *account, const char *address)
{
	uint8_t tag[ONCE_TAG_SIZE];
	char code[ONCE_CODE_SIZE];
	uint64_t count = 0;
	enum gp_err err = store_outbox_count(op->vault->store, account->id, slice_str(code_letter),
		clock_wall() - DAY_S, &count);

	/* They go to whomever the asker names. */
	if (err == GP_OK && count >= RECOVERY_CODES_A_DAY)
		err = gp_why_set(&op->why, GP_ERR_LIMIT, "%d codes were mailed today; that is all",
			RECOVERY_CODES_A_DAY);
	if (err != GP_OK)
		return err;
	once_make_code(code);
	once_tag(secret_slice(op->vault->pepper), code_purpose, account->id, slice_str(code), tag);
	err = store_recovery_address_begin(
		op->vault->store, account->id, slice_str(address), tag, clock_wall());
	if (err == GP_OK)
		err = desk_post(
			op, account, address, code_letter, json_pack("{s:s}", "code", code));
	mem_wipe(code, sizeof code);
	return err;
}

static enum gp_err end(struct desk_op *op, const struct store_account *account)
{
	struct store *store = op->vault->store;
	struct store_recovery_address was = { .address = "" };
	int64_t now = clock_wall();
	enum gp_err err = store_recovery_address_get(store, account->id, now, &was);

	if (err == GP_OK)
		err = store_recovery_address_remove(store, account->id, now);
	return err == GP_OK ? recovery_tell(op, account, &was) : err;
}

/* Where the address may become a proof of who one is, two-factor sign-in is not to be got round by
 * it. */
static enum gp_err check_code(struct desk_op *op, const struct store_account *account)
{
	const char *code = desk_string(op, "code");
	struct twofactor_answer answer;

	if (account->twofactor_at == 0)
		return GP_OK;
	if (code == NULL)
		return gp_why_set(&op->why, GP_ERR_SYNTAX,
			"two-factor sign-in is on: a \"code\" must be there");
	return twofactor_check(op->vault, account->id, slice_str(code), false, &answer, &op->why);
}

enum gp_err op_self_recovery_address(struct desk_op *op)
{
	char address[STORE_ADDRESS_SIZE] = "";
	struct store_account account = { 0 };
	struct slice password = slice_str(desk_string(op, "password"));
	enum gp_err err = case_check_roots(op);
	bool is_removal = slice_trim(slice_str(desk_string(op, "address"))).len == 0;

	if (err == GP_OK)
		err = desk_self_with_password(op, password, &account);
	if (err == GP_OK && !is_removal)
		err = take_address(op, &account, address);
	/* The last that is looked at: a code is good once. */
	if (err == GP_OK)
		err = check_code(op, &account);
	if (err == GP_OK)
		err = desk_begin(op);
	if (err != GP_OK)
		return err;
	return is_removal ? end(op, &account) : begin(op, &account, address);
}

enum gp_err op_self_recovery_address_confirm(struct desk_op *op)
{
	struct store *store = op->vault->store;
	uint8_t tag[ONCE_TAG_SIZE];
	struct store_account account = { 0 };
	struct store_recovery_address was = { .address = "" };
	int64_t now = clock_wall();
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = case_check_roots(op);
	if (err == GP_OK)
		err = desk_self(op, &account);
	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		err = store_recovery_address_get(store, account.id, now, &was);
	if (err != GP_OK)
		return err;
	once_tag(secret_slice(op->vault->pepper), code_purpose, account.id,
		slice_str(desk_string(op, "code")), tag);
	err = store_recovery_address_confirm(store, account.id, tag, now - CODE_LIFETIME, now);
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(&op->why, GP_ERR_DENIED, "that code is not right, or too old");
	return err == GP_OK ? recovery_tell(op, &account, &was) : err;
}

/* ---- language ---- */

/* RFC 5646, as far as it matters here: letters, digits and hyphens, beginning with letters. */
static bool is_language(struct slice tag)
{
	if (tag.len < 2 || tag.len >= STORE_LANGUAGE_SIZE || text_is_digit(tag.data[0]))
		return false;
	for (size_t i = 0; i < tag.len; i++) {
		bool is_hyphen = tag.data[i] == '-' && i > 1 && i + 1 < tag.len;

		if (!text_is_alnum(tag.data[i]) && !is_hyphen)
			return false;
	}
	return true;
}

enum gp_err op_self_language(struct desk_op *op)
{
	struct slice language = slice_str(desk_string(op, "language"));
	struct store_account account = { 0 };
	enum gp_err err;

	if (!is_language(language))
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "a language is two letters, like en");
	err = desk_begin(op);
	if (err == GP_OK)
		err = desk_self(op, &account);
	mem_wipe(account.password, sizeof account.password);
	return err == GP_OK ? store_account_set_language(op->vault->store, account.id, language)
			    : err;
}
