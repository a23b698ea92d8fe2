/* SPDX-License-Identifier: ISC */
/*
 * Further addresses of an account. Who is bound to domains gives and takes addresses of these
 * domains only, whosoever account has them.
 */
#include "base/mem.h"
#include "vault/desk.h"

enum gp_err desk_add_alias(
	struct desk_op *op, const char *typed, char out[static STORE_ADDRESS_SIZE])
{
	enum gp_err err = desk_new_address(op->vault, slice_str(typed), out, &op->why);

	if (err == GP_OK)
		err = desk_check_new_address(op, out);
	if (err != GP_OK)
		return err;
	err = store_alias_add(op->vault->store, op->account, slice_str(out));
	if (err == GP_ERR_EXISTS)
		return gp_why_set(&op->why, err, "%.200s is taken", out);
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(&op->why, err, "no domain for %.200s: domain add first", out);
	if (err == GP_ERR_LIMIT)
		return gp_why_set(
			&op->why, err, "at most %d aliases an account", STORE_ALIASES_MAX);
	return err;
}

static enum gp_err find_account(struct desk_op *op, struct store_account *ret_account)
{
	enum gp_err err = desk_account(op, ret_account);

	mem_wipe(ret_account->password, sizeof ret_account->password);
	return err;
}

enum gp_err op_alias_add(struct desk_op *op)
{
	struct store_account account = { 0 };
	char alias[STORE_ADDRESS_SIZE];
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = find_account(op, &account);
	if (err == GP_OK)
		err = desk_add_alias(op, desk_string(op, "alias"), alias);
	op->effect = IPC_EFFECT_SENDERS;
	if (err == GP_OK)
		err = desk_row(
			op, json_pack("{s:s, s:s}", "address", account.address, "alias", alias));
	return err;
}

static enum gp_err alias_row(struct slice address, void *arg)
{
	return desk_row(arg, json_pack("{s:o}", "alias", desk_json_text(address)));
}

enum gp_err op_alias_list(struct desk_op *op)
{
	struct store_account account = { 0 };
	enum gp_err err = find_account(op, &account);

	return err == GP_OK ? store_alias_each(op->vault->store, account.id, alias_row, op) : err;
}

enum gp_err op_alias_remove(struct desk_op *op)
{
	struct slice typed = slice_str(desk_string(op, "alias"));
	struct store_account account = { 0 };
	char alias[STORE_ADDRESS_SIZE];
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = find_account(op, &account);
	if (err == GP_OK)
		err = desk_old_address(op->vault, typed, alias, &op->why);
	if (err == GP_OK)
		err = desk_check_new_address(op, alias);
	if (err != GP_OK)
		return err;
	op->effect = IPC_EFFECT_SENDERS;
	err = store_alias_remove(op->vault->store, account.id, slice_str(alias));
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(
			&op->why, err, "%.150s has no alias %.90s", account.address, alias);
	return err;
}
