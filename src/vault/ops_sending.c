/* SPDX-License-Identifier: ISC */
/* Cases as core opens them, and as staff and hosting panels see and end them. */
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "vault/case_row.h"
#include "vault/case_secret.h"

/* ---- for core ---- */

static enum gp_err copy_text(struct desk_op *op, const char *key, char *out, size_t size)
{
	struct slice text = slice_str(desk_string(op, key));

	if (slice_copy(slice_head(text, size - 1), out, size))
		return GP_OK;
	return gp_why_set(&op->why, GP_ERR_SYNTAX, "\"%s\" has a NUL", key);
}

static enum gp_err read_begun(struct desk_op *op, struct store_case *begun)
{
	uint64_t began = 0;
	enum gp_err err = copy_text(op, "kind", begun->kind, sizeof begun->kind);

	if (err == GP_OK && strcmp(begun->kind, STORE_CASE_ASK) != 0 &&
		strcmp(begun->kind, STORE_CASE_BLOCK) != 0)
		err = gp_why_set(&op->why, GP_ERR_SYNTAX, "the kind must be ask or block");
	if (err == GP_OK)
		err = copy_text(op, "reason", begun->reason, sizeof begun->reason);
	if (err == GP_OK)
		err = copy_text(op, "session", begun->session, sizeof begun->session);
	if (err == GP_OK)
		err = desk_number(op, "began", 0, &began);
	if (err == GP_OK)
		err = desk_number(op, "device", 0, &begun->device);
	begun->began_at = (int64_t)began;
	return err;
}

enum gp_err op_sending_open(struct desk_op *op)
{
	struct store_account account = { 0 };
	struct store_case begun = { .id = 0 };
	uint64_t id = 0;
	enum gp_err err = desk_number(op, "account", 0, &id);

	if (err == GP_OK)
		err = read_begun(op, &begun);
	if (err == GP_OK)
		err = desk_begin(op);
	if (err == GP_OK)
		err = store_account_get(op->vault->store, id, &account);
	mem_wipe(account.password, sizeof account.password);
	return err == GP_OK
		       ? case_open(op, &account, &begun, json_object_get(op->args, "sources"), true)
		       : err;
}

/* ---- lists ---- */

static enum gp_err send_case(const struct store_case *found, void *arg)
{
	struct desk_op *op = arg;
	json_t *row = case_row_of(found);
	enum gp_err err = case_row_add_sent(op, found, row);

	GP_ASSERT(json_object_del(row, "networks") == 0);
	if (err == GP_OK)
		return desk_row(op, row);
	json_decref(row);
	return err;
}

enum gp_err op_sending_list(struct desk_op *op)
{
	struct slice domains = desk_is_bound(op) ? op->domains : SLICE_LIT("");
	uint64_t limit = 0;
	uint64_t before = 0;
	enum gp_err err = desk_limit(op, &limit);

	if (err == GP_OK)
		err = desk_number(op, "before", 0, &before);
	/* Who is for no domain sees nothing. */
	if (err != GP_OK || (desk_is_bound(op) && domains.len == 0))
		return err;
	return store_case_each(
		op->vault->store, desk_bool(op, "all"), domains, before, limit, send_case, op);
}

/* The last case of the account that "address" names, open or not. */
static enum gp_err last_case(struct desk_op *op, struct store_case *found)
{
	struct store_account account = { 0 };
	enum gp_err err = desk_account(op, &account);

	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		err = store_case_last(op->vault->store, account.id, found);
	if (err == GP_ERR_NOT_FOUND && op->account != 0)
		err = gp_why_set(
			&op->why, err, "%.200s was never stopped from sending", op->subject);
	return err;
}

enum gp_err op_sending_show(struct desk_op *op)
{
	struct store_case found;
	json_t *row = NULL;
	enum gp_err err = last_case(op, &found);

	if (err != GP_OK)
		return err;
	row = case_row_of(&found);
	err = case_row_add_sent(op, &found, row);
	if (err == GP_OK)
		return desk_row(op, row);
	json_decref(row);
	return err;
}

enum gp_err op_sending_sent(struct desk_op *op)
{
	struct store_case found;
	enum gp_err err = last_case(op, &found);

	return err == GP_OK ? case_row_send_sent(op, &found) : err;
}

/* ---- what staff does ---- */

/* desk_begin(), then the open case of the account that "address" names. */
static enum gp_err begin_on_case(struct desk_op *op, struct case_view *view)
{
	struct store_account account = { 0 };
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = desk_account(op, &account);
	mem_wipe(account.password, sizeof account.password);
	if (err != GP_OK)
		return err;
	err = case_look(op, view);
	if (err == GP_ERR_NOT_FOUND)
		err = gp_why_set(&op->why, err, "%.200s is not stopped from sending", op->subject);
	return err;
}

enum gp_err op_sending_release(struct desk_op *op)
{
	bool is_learned = desk_bool(op, "learn");
	struct case_view view;
	enum gp_err err = begin_on_case(op, &view);

	op->effect = is_learned ? IPC_EFFECT_CONFIRMED : IPC_EFFECT_UNBLOCKED;
	return err == GP_OK ? case_close(op, &view, is_learned ? "confirmed" : "staff") : err;
}

enum gp_err op_sending_keep(struct desk_op *op)
{
	struct case_view view;
	enum gp_err err = begin_on_case(op, &view);

	if (err == GP_OK && strcmp(view.found.kind, STORE_CASE_ASK) == 0)
		err = case_raise(op, &view);
	return err == GP_OK ? store_case_keep(op->vault->store, view.found.id, op->actor) : err;
}

enum gp_err op_sending_vouch(struct desk_op *op)
{
	struct case_view view;
	json_t *row = NULL;
	enum gp_err err = desk_check_secret(op);

	if (err == GP_OK)
		err = begin_on_case(op, &view);
	if (err == GP_OK && view.facts.is_for_staff)
		err = gp_why_set(&op->why, GP_ERR_ROLE,
			"%.200s is for staff to release: its owner cannot", op->subject);
	if (err == GP_OK)
		err = case_secret_vouch(op, &view, &row);
	return err == GP_OK ? desk_row(op, row) : err;
}
