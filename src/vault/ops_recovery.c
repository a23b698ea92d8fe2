/* SPDX-License-Identifier: ISC */
/* The recovery address: where a link is sent when the password is lost. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypt/once.h"
#include "store/store_recovery.h"
#include "vault/case.h"

enum {
	CODE_LIFETIME = 24 * 60 * 60, /* s */
};

static const char code_purpose[] = "gatepost recovery address";

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
	enum gp_err err;

	once_make_code(code);
	once_tag(secret_slice(op->vault->pepper), code_purpose, account->id, slice_str(code), tag);
	err = store_recovery_address_begin(
		op->vault->store, account->id, slice_str(address), tag, clock_wall());
	if (err == GP_OK)
		err = desk_post(
			op, account, address, "recovery_address", json_pack("{s:s}", "code", code));
	mem_wipe(code, sizeof code);
	return err;
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
	if (err == GP_OK)
		err = desk_begin(op);
	if (err != GP_OK)
		return err;
	return is_removal ? store_recovery_address_remove(op->vault->store, account.id)
			  : begin(op, &account, address);
}

enum gp_err op_self_recovery_address_confirm(struct desk_op *op)
{
	uint8_t tag[ONCE_TAG_SIZE];
	struct store_account account = { 0 };
	int64_t now = clock_wall();
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = case_check_roots(op);
	if (err == GP_OK)
		err = desk_self(op, &account);
	mem_wipe(account.password, sizeof account.password);
	if (err != GP_OK)
		return err;
	once_tag(secret_slice(op->vault->pepper), code_purpose, account.id,
		slice_str(desk_string(op, "code")), tag);
	err = store_recovery_address_confirm(
		op->vault->store, account.id, tag, now - CODE_LIFETIME, now);
	if (err == GP_ERR_NOT_FOUND)
		err = gp_why_set(&op->why, GP_ERR_DENIED, "that code is not right, or too old");
	return err;
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
