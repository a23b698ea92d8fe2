/* SPDX-License-Identifier: ISC */
#include "vault/desk.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "vault/replay.h"

static enum gp_err (*const handlers[OPS_MAX])(struct desk_op *op) = {
#define DESK_VAULT(id) [OPS_##id] = op_##id,
#define DESK_CORE(id)
#define OP(id, name, role, place, arguments, what) DESK_##place(id)
#include "ops/ops.def"
#undef OP
#undef DESK_VAULT
#undef DESK_CORE
};

/* ---- answers ---- */

enum gp_err desk_send_row(struct vault *vault, uint64_t request, const json_t *row)
{
	struct ipc_message message = { .type = IPC_OP_ROW, .op_row = { .request = request } };
	struct buf text;
	size_t len;
	enum gp_err err;

	buf_init_secret(&text, DESK_ROW_MAX);
	err = buf_reserve(&text, DESK_ROW_MAX);
	GP_ASSERT(err == GP_OK);
	len = json_dumpb(row, buf_tail(&text), DESK_ROW_MAX, JSON_COMPACT);
	if (len == 0 || len > DESK_ROW_MAX) {
		err = GP_ERR_LIMIT;
	} else {
		buf_added(&text, len);
		message.op_row.row = buf_slice(&text);
		err = vault_send(vault, &message);
	}
	buf_fini(&text);
	return err;
}

void desk_send_progress(struct vault *vault, uint64_t request, uint64_t done, uint64_t total)
{
	struct ipc_message message = { .type = IPC_OP_PROGRESS,
		.op_progress = { .request = request, .done = done, .total = total } };

	if (vault_send(vault, &message) != GP_OK)
		log_debug("progress_unheard", LOG_UINT("request", request));
}

static void send_done(
	struct vault *vault, uint64_t request, enum gp_err err, const struct ipc_op_done *done)
{
	struct ipc_message message = { .type = IPC_OP_DONE, .op_done = *done };

	message.op_done.request = request;
	message.op_done.err = (uint8_t)err;
	if (err != GP_OK && done->why.len == 0)
		message.op_done.why = slice_str(gp_err_text(err));
	if (vault_send(vault, &message) != GP_OK)
		log_warn("op_unheard", LOG_UINT("request", request));
}

void desk_send_done(struct vault *vault, uint64_t request, enum gp_err err,
	const struct gp_why *why, enum ipc_effect effect)
{
	const struct ipc_op_done done = { .why = slice_str(why->text), .effect = (uint8_t)effect };

	send_done(vault, request, err, &done);
}

enum gp_err desk_row(struct desk_op *op, json_t *row)
{
	enum gp_err err = GP_OK;

	GP_ASSERT(row != NULL);
	if (op->is_begun)
		GP_ASSERT(json_array_append(op->rows, row) == 0);
	else
		err = desk_send_row(op->vault, op->request, row);
	json_decref(row);
	return err;
}

/* ---- one operation ---- */

enum gp_err desk_begin(struct desk_op *op)
{
	enum gp_err err = store_begin(op->vault->store, STORE_DURABLE);

	op->is_begun = err == GP_OK;
	return err;
}

enum gp_err desk_audit(struct vault *vault, struct slice actor, enum ops_id id, uint64_t account,
	const char *subject, const json_t *detail)
{
	struct store_audit audit = { .at = clock_wall(),
		.actor = actor,
		.operation = slice_str(ops_entry(id)->name),
		.account_id = account,
		.account = slice_str(subject) };
	struct buf text;
	size_t len;
	enum gp_err err;

	buf_init_secret(&text, DESK_ROW_MAX);
	err = buf_reserve(&text, DESK_ROW_MAX);
	GP_ASSERT(err == GP_OK);
	len = json_dumpb(detail, buf_tail(&text), DESK_ROW_MAX, JSON_COMPACT);
	if (len > 0 && len <= DESK_ROW_MAX)
		buf_added(&text, len);
	audit.detail = len > 0 && len <= DESK_ROW_MAX ? buf_slice(&text) : SLICE_LIT("{}");
	err = audit_append(vault, &audit);
	buf_fini(&text);
	return err;
}

/* The arguments as they came, but no password. */
static enum gp_err audit(const struct desk_op *op)
{
	json_t *detail = json_deep_copy(op->args);
	enum gp_err err;

	ops_strip(op->id, detail);
	err = desk_audit(op->vault, op->actor, op->id, op->account, op->subject, detail);
	json_decref(detail);
	return err;
}

static void send_rows(struct desk_op *op)
{
	json_t *row;
	size_t i;

	/* It is done: that the answer does not get through undoes nothing. */
	json_array_foreach(op->rows, i, row)
	{
		if (desk_send_row(op->vault, op->request, row) != GP_OK)
			log_warn("op_row_unheard", LOG_UINT("request", op->request));
	}
}

static void run_hook(const struct desk_op *op)
{
	struct ipc_message message = { .type = IPC_HOOK,
		.hook = { .account = slice_str(op->subject), .reason = slice_str(op->hook) } };

	if (vault_send(op->vault, &message) != GP_OK)
		log_error("hook_not_run", LOG_STR("account", op->subject),
			LOG_STR("why", "core cannot be told"));
}

static enum gp_err finish(struct desk_op *op, const struct replay *replay, enum gp_err err)
{
	if (!op->is_begun)
		return err;
	if (err == GP_OK)
		err = audit(op);
	if (err == GP_OK)
		err = replay_keep(replay, op->rows, &op->why);
	if (err == GP_OK)
		err = store_commit(op->vault->store);
	else
		store_rollback(op->vault->store);
	audit_on_end(op->vault, err == GP_OK);
	op->is_begun = false;
	if (err == GP_OK)
		send_rows(op);
	if (err == GP_OK && op->has_posted)
		outbox_wake(op->vault);
	if (err == GP_OK && op->hook[0] != '\0')
		run_hook(op);
	return err;
}

static enum gp_err run(struct desk_op *op, const struct ipc_op *message)
{
	const struct replay replay = { .vault = op->vault,
		.actor = op->actor,
		.idempotency = message->idempotency,
		.id = op->id,
		.arguments = message->arguments };
	json_t *args = NULL;
	enum gp_err err = ops_parse(op->id, message->arguments, &args, &op->why);

	if (err != GP_OK)
		return err;
	op->args = args;
	err = replay_find(&replay, &op->rows, &op->why);
	if (err == GP_OK)
		send_rows(op);
	if (err == GP_ERR_NOT_FOUND) {
		op->rows = json_array();
		err = finish(op, &replay, handlers[op->id](op));
	}
	json_decref(op->rows);
	json_decref(args);
	return err;
}

/* Core has looked at the role already; whoever has taken core over has to get past this too. */
static enum gp_err check_role(struct desk_op *op)
{
	const struct ops_entry *entry = ops_entry(op->id);

	if (entry->role == ROLE_CORE && op->role != ROLE_CORE)
		return gp_why_set(&op->why, GP_ERR_UNSUPPORTED, "no such operation");
	if (op->role >= entry->role)
		return GP_OK;
	return op->role < ROLE_RECOVERY
		       ? gp_why_set(&op->why, GP_ERR_SIGNIN, "sign in first")
		       : gp_why_set(&op->why, GP_ERR_ROLE, "that is for the role %s",
				 role_name(entry->role));
}

void desk_on_op(struct vault *vault, const struct ipc_op *message, int *fd)
{
	struct desk_op op = { .vault = vault,
		.request = message->request,
		.id = ops_by_name(message->name),
		.actor = message->actor,
		.role = (enum role)message->role,
		.asker = message->asker,
		.portal = message->portal,
		.domains = message->domains,
		.source = message->source,
		.client_name = message->client_name,
		.language = message->language,
		.fd = fd };
	struct ipc_op_done done = { 0 };
	enum gp_err err;

	/* Whoever is bound to domains is a domain-admin at most: all that he may knows of them. */
	if (op.domains.len > 0 && op.role > ROLE_DOMAIN_ADMIN && op.role < ROLE_CORE)
		op.role = ROLE_DOMAIN_ADMIN;
	record_flush(vault);
	if (op.id == OPS_MAX || handlers[op.id] == NULL)
		err = gp_why_set(&op.why, GP_ERR_UNSUPPORTED, "no such operation");
	else
		err = check_role(&op);
	if (err == GP_OK)
		err = run(&op, message);
	if (op.is_going_on && err == GP_OK)
		return;
	done.why = slice_str(op.why.text);
	if (err != GP_OK && op.fault != NULL)
		done.fault = slice_str(op.fault);
	if (err == GP_OK) {
		done.effect = (uint8_t)op.effect;
		done.account = op.account;
		done.device = op.device;
	}
	send_done(vault, op.request, err, &done);
}

/* ---- arguments and values ---- */

const char *desk_string(const struct desk_op *op, const char *key)
{
	return json_string_value(json_object_get(op->args, key));
}

bool desk_bool(const struct desk_op *op, const char *key)
{
	return json_is_true(json_object_get(op->args, key));
}

enum gp_err desk_number(
	struct desk_op *op, const char *key, uint64_t otherwise, uint64_t *ret_value)
{
	const json_t *value = json_object_get(op->args, key);

	if (value != NULL && json_integer_value(value) < 0)
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "\"%s\" must not be negative", key);
	*ret_value = value != NULL ? (uint64_t)json_integer_value(value) : otherwise;
	return GP_OK;
}

enum gp_err desk_limit(struct desk_op *op, uint64_t *ret_limit)
{
	enum gp_err err = desk_number(op, "limit", DESK_LIST_DEFAULT, ret_limit);

	if (err == GP_OK && *ret_limit > DESK_LIST_MAX)
		err = gp_why_set(&op->why, GP_ERR_LIMIT,
			"\"limit\" is at most %d; ask again from the last row", DESK_LIST_MAX);
	return err;
}

enum gp_err desk_time(struct desk_op *op, const char *key, int64_t *ret_time)
{
	const char *text = desk_string(op, key);
	int64_t time = text != NULL ? clock_parse(text) : 0;

	if (time < 0)
		return gp_why_set(&op->why, GP_ERR_SYNTAX,
			"\"%s\" must be a time in UTC like 2026-01-31T23:59:59Z", key);
	*ret_time = time;
	return GP_OK;
}

enum gp_err desk_account(struct desk_op *op, struct store_account *ret_account)
{
	enum gp_err err = desk_old_address(
		op->vault, slice_str(desk_string(op, "address")), op->subject, &op->why);

	if (err != GP_OK)
		return err;
	err = store_account_find(op->vault->store, slice_str(op->subject), ret_account);
	if (err == GP_OK && !desk_has_address(op, slice_str(ret_account->address))) {
		mem_wipe(ret_account->password, sizeof ret_account->password);
		err = GP_ERR_NOT_FOUND;
	}
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(&op->why, err, "no account %.200s", op->subject);
	if (err != GP_OK)
		return err;
	op->account = ret_account->id;
	memcpy(op->subject, ret_account->address, sizeof op->subject);
	err = op->is_begun ? desk_check_rank(op, slice_str(ret_account->role)) : GP_OK;
	if (err != GP_OK)
		mem_wipe(ret_account->password, sizeof ret_account->password);
	return err;
}

enum gp_err desk_asker(struct desk_op *op, uint64_t *ret_account)
{
	if (op->asker == 0)
		return gp_why_set(&op->why, GP_ERR_SIGNIN, "that is for whoever is signed in");
	op->account = op->asker;
	*ret_account = op->asker;
	return GP_OK;
}

enum gp_err desk_self(struct desk_op *op, struct store_account *ret_account)
{
	uint64_t id = 0;
	enum gp_err err = desk_asker(op, &id);

	if (err == GP_OK)
		err = store_account_get(op->vault->store, id, ret_account);
	if (err == GP_OK)
		memcpy(op->subject, ret_account->address, sizeof op->subject);
	return err;
}

enum gp_err desk_self_with_password(
	struct desk_op *op, struct slice password, struct store_account *ret_account)
{
	bool matches = false;
	enum gp_err err = desk_self(op, ret_account);

	if (err != GP_OK)
		return err;
	err = pwhash_verify(&op->vault->policy,
		ret_account->password[0] != '\0' ? ret_account->password : NULL, password,
		&matches);
	mem_wipe(ret_account->password, sizeof ret_account->password);
	if (err == GP_OK && !matches)
		err = gp_why_set(&op->why, GP_ERR_DENIED, "that is not the password");
	return err;
}

json_t *desk_must_json(const struct desk_op *op, const struct store_twofactor *facts)
{
	json_t *list = json_array();

	if (op->role != ROLE_RECOVERY)
		return list;
	if (facts->must_twofactor)
		GP_ASSERT(json_array_append_new(list, json_string("twofactor")) == 0);
	if (facts->must_password)
		GP_ASSERT(json_array_append_new(list, json_string("password")) == 0);
	return list;
}

json_t *desk_json_time(int64_t wall_s)
{
	char text[CLOCK_TEXT_SIZE];

	return wall_s != 0 ? json_string(clock_format(wall_s, text)) : json_null();
}

json_t *desk_json_text(struct slice text)
{
	json_t *value = json_stringn(text.len > 0 ? text.data : "", text.len);

	/* What the store holds is printable; a row that was damaged must not take the list along.
	 */
	return value != NULL ? value : json_string("?");
}
