/* SPDX-License-Identifier: ISC */
/*
 * A CLI chooses its requests as it likes, so each operation gets an id of core's own towards the
 * vault; struct op translates back.
 */
#include "core/control.h"

#include "base/check.h"
#include "base/mem.h"
#include "core/core.h"

static op_fn *const handlers[OPS_MAX] = {
#define HANDLER_CORE(id) [OPS_##id] = op_##id,
#define HANDLER_VAULT(id)
#define OP(id, name, role, place, arguments, what) HANDLER_##place(id)
#include "ops/ops.def"
#undef OP
#undef HANDLER_CORE
#undef HANDLER_VAULT
};

static void send_done(
	struct core *core, uint64_t cli, uint64_t request, enum gp_err err, struct slice why)
{
	struct ipc_message message = { .type = IPC_OP_DONE,
		.op_done = { .request = request, .err = (uint8_t)err, .why = why } };

	cli_send(core, cli, &message);
}

void op_row(struct op_call *call, json_t *row)
{
	struct ipc_message message = { .type = IPC_OP_ROW };
	char text[IPC_PACKET_MAX];
	size_t len;

	GP_ASSERT(row != NULL);
	len = json_dumpb(row, text, sizeof text, JSON_COMPACT);
	json_decref(row);
	if (len > sizeof text)
		return;
	message.op_row.request = call->request;
	message.op_row.row = slice_of(text, len);
	cli_send(call->core, call->cli, &message);
}

/* Operations on their way. */

static struct op *op_new(struct core *core, uint64_t cli, uint64_t request)
{
	struct control *control = &core->control;
	struct op *op = NULL;

	if (control->ops.count >= CONTROL_OPS_MAX)
		return NULL;
	op = mem_new(1, sizeof *op);
	op->core = core;
	op->id = ++control->last_op;
	op->cli = cli;
	op->request = request;
	map_add(&control->ops, &op->node, slice_of(&op->id, sizeof op->id));
	return op;
}

static struct op *op_find(struct core *core, uint64_t id)
{
	struct map_node *node = map_find(&core->control.ops, slice_of(&id, sizeof id));

	return node != NULL ? MAP_ENTRY(node, struct op, node) : NULL;
}

static void op_free(struct op *op)
{
	struct cli *cli = cli_find(op->core, op->cli);

	if (cli != NULL)
		cli->ops--;
	map_remove(&op->core->control.ops, &op->node);
	mem_free(op);
}

static void op_finish(struct op *op, enum gp_err err, struct slice why)
{
	if (op->events != NULL)
		op->events->on_done(op, err, why);
	else
		send_done(op->core, op->cli, op->request, err, why);
	op_free(op);
}

bool control_ask_vault(struct core *core, enum ops_id id, const json_t *args,
	const struct op_events *events, uint64_t session)
{
	char text[IPC_PACKET_MAX];
	size_t len = json_dumpb(args, text, sizeof text, JSON_COMPACT);
	struct op *op = len <= sizeof text ? op_new(core, 0, 0) : NULL;
	struct ipc_message message = { .type = IPC_OP };

	if (op == NULL)
		return false;
	op->events = events;
	op->session = session;
	message.op = (struct ipc_op){ .request = op->id,
		.name = slice_str(ops_entry(id)->name),
		.actor = SLICE_LIT("core"),
		.role = ROLE_ADMIN,
		.arguments = slice_of(text, len) };
	if (vaults_send_desk(core, &message, -1) == GP_OK)
		return true;
	op_free(op);
	return false;
}

void control_on_row(struct core *core, const struct ipc_op_row *row)
{
	struct op *op = op_find(core, row->request);
	struct ipc_message message = { .type = IPC_OP_ROW, .op_row = *row };

	if (op == NULL)
		return;
	message.op_row.request = op->request;
	if (op->events != NULL)
		op->events->on_row(op, row->row);
	else
		cli_send(core, op->cli, &message);
}

void control_on_progress(struct core *core, const struct ipc_op_progress *progress)
{
	struct op *op = op_find(core, progress->request);
	struct ipc_message message = { .type = IPC_OP_PROGRESS, .op_progress = *progress };

	if (op == NULL || op->events != NULL)
		return;
	message.op_progress.request = op->request;
	cli_send(core, op->cli, &message);
}

void control_on_done(struct core *core, const struct ipc_op_done *done)
{
	struct op *op = op_find(core, done->request);

	/* First the effect: who reads the answer may rely on it. */
	effects_apply(core, done);
	if (op != NULL)
		op_finish(op, (enum gp_err)done->err, done->why);
}

struct ending {
	bool is_reload;
	enum gp_err err;
	struct slice why;
};

static void end_op(struct map_node *node, void *arg)
{
	struct op *op = MAP_ENTRY(node, struct op, node);
	const struct ending *ending = arg;

	if (op->is_reload == ending->is_reload)
		op_finish(op, ending->err, ending->why);
}

void control_on_desk_gone(struct core *core)
{
	struct ending ending = { false, GP_ERR_STORE,
		SLICE_LIT("the vault ended while it was at work; look whether it was done") };

	map_each(&core->control.ops, end_op, &ending);
}

bool op_start_reload(struct op_call *call)
{
	struct core *core = call->core;
	struct cli *cli = cli_find(core, call->cli);
	struct op *op = NULL;
	struct ipc_message message = { .type = IPC_RELOAD };

	if (core->parent == NULL || cli == NULL)
		return false;
	op = op_new(core, call->cli, call->request);
	if (op == NULL)
		return false;
	op->is_reload = true;
	cli->ops++;
	message.reload.request = op->id;
	if (chan_send(core->parent, &message, -1) == GP_OK)
		return true;
	op_free(op);
	return false;
}

void control_on_reloaded(struct core *core, const struct ipc_reloaded *message)
{
	struct op *op = op_find(core, message->request);

	if (op != NULL && op->is_reload)
		op_finish(op, message->ok ? GP_OK : GP_ERR_CONFIG, message->why);
}

/* What CLIs ask. */

static enum gp_err forward(struct cli *cli, const struct ipc_op *ask, int fd, struct gp_why *why)
{
	struct core *core = cli->core;
	struct ipc_message message = { .type = IPC_OP, .op = *ask };
	struct op *op = op_new(core, cli->id, ask->request);

	if (op == NULL)
		return gp_why_set(why, GP_ERR_BUSY, "too many operations at once");
	cli->ops++;
	message.op.request = op->id;
	message.op.actor = slice_str(cli->actor);
	message.op.role = ROLE_ADMIN;
	message.op.asker = 0;
	message.op.domains = SLICE_LIT("");
	if (vaults_send_desk(core, &message, fd) == GP_OK)
		return GP_ERR_AGAIN;
	op_free(op);
	return gp_why_set(why, GP_ERR_STORE, "no vault is there to do it; try again");
}

static enum gp_err call(
	struct cli *cli, enum ops_id id, const struct ipc_op *ask, struct gp_why *why)
{
	struct op_call op_call = { cli->core, cli->id, ask->request };
	json_t *args = NULL;
	enum gp_err err = ops_parse(id, ask->arguments, &args, why);

	if (err == GP_OK)
		err = handlers[id](&op_call, args, why);
	json_decref(args);
	return err;
}

void control_on_op(struct cli *cli, const struct ipc_op *ask, int fd)
{
	struct core *core = cli->core;
	uint64_t cli_id = cli->id;
	enum ops_id id = ops_by_name(ask->name);
	struct gp_why why = { "" };
	enum gp_err err;

	if (id == OPS_MAX)
		err = gp_why_set(&why, GP_ERR_UNSUPPORTED, "there is no such operation");
	else if (cli->ops >= CONTROL_CLI_OPS_MAX)
		err = gp_why_set(&why, GP_ERR_BUSY, "too many operations at once");
	else if (ops_entry(id)->place == OPS_PLACE_VAULT)
		err = forward(cli, ask, fd, &why);
	else
		err = call(cli, id, ask, &why);
	/* The CLI may have been cut meanwhile. */
	if (err != GP_ERR_AGAIN)
		send_done(core, cli_id, ask->request, err, slice_str(why.text));
}

void control_init(struct core *core)
{
	core->control = (struct control){ 0 };
	map_init(&core->control.ops);
}

void control_fini(struct core *core)
{
	struct control *control = &core->control;

	while (control->ops.count > 0)
		op_free(MAP_ENTRY(map_first(&control->ops), struct op, node));
	map_fini(&control->ops);
}
