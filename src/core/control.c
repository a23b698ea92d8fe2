/* SPDX-License-Identifier: ISC */
/*
 * An asker chooses its requests as it likes, so each operation gets an id of core's own towards the
 * vault; struct op translates back.
 */
#include "core/control.h"

#include "base/check.h"
#include "base/log.h"
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

static void send_done(struct core *core, uint64_t asker, uint64_t request, enum gp_err err,
	struct slice why, struct slice fault)
{
	struct ipc_message message = { .type = IPC_OP_DONE,
		.op_done = {
			.request = request, .err = (uint8_t)err, .why = why, .fault = fault } };

	asker_send(core, asker, &message);
}

void op_row(struct op_call *call, json_t *row)
{
	struct ipc_message message = { .type = IPC_OP_ROW };
	char text[IPC_PACKET_MAX];
	size_t len;

	GP_ASSERT(row != NULL);
	len = json_dumpb(row, text, sizeof text, JSON_COMPACT);
	repeat_add_row(call->core, call->repeat, row);
	json_decref(row);
	if (len > sizeof text)
		return;
	message.op_row.request = call->request;
	message.op_row.row = slice_of(text, len);
	asker_send(call->core, call->asker, &message);
}

void op_step_row(struct op_call *call, struct portal_session *session, enum portal_state state,
	const char *told)
{
	char cookie[PORTAL_COOKIE_SIZE];
	json_t *row = NULL;

	portal_enter(call->core, session, state, cookie);
	row = json_pack("{s:s}", "cookie", cookie);
	mem_wipe(cookie, sizeof cookie);
	if (told != NULL)
		GP_ASSERT(json_object_set_new(row, "state", json_string(told)) == 0);
	op_row(call, row);
}

/* Operations on their way. */

static struct op *op_new(struct core *core, uint64_t asker_id, uint64_t request)
{
	struct control *control = &core->control;
	struct asker *asker = asker_find(core, asker_id);
	struct op *op = NULL;

	if (control->ops.count >= CONTROL_OPS_MAX)
		return NULL;
	op = mem_new(1, sizeof *op);
	op->core = core;
	op->id = ++control->last_op;
	op->asker = asker_id;
	op->request = request;
	buf_init_secret(&op->question, IPC_PACKET_MAX);
	map_add(&control->ops, &op->node, slice_of(&op->id, sizeof op->id));
	if (asker != NULL)
		asker->ops++;
	return op;
}

struct op *op_begin(const struct op_call *call)
{
	const struct portal_session *session = portal_find_number(call->core, call->caller->portal);
	struct op *op = op_new(call->core, call->asker, call->request);

	if (op != NULL)
		op->repeat = call->repeat;
	if (op == NULL || session == NULL)
		return op;
	op->portal = session->number;
	op->portal_state = session->state;
	return op;
}

struct op *op_find(struct core *core, uint64_t id)
{
	struct map_node *node = map_find(&core->control.ops, slice_of(&id, sizeof id));

	return node != NULL ? MAP_ENTRY(node, struct op, node) : NULL;
}

static void op_free(struct op *op)
{
	struct asker *asker = asker_find(op->core, op->asker);

	if (asker != NULL)
		asker->ops--;
	map_remove(&op->core->control.ops, &op->node);
	journal_wait_fini(&op->wait);
	buf_fini(&op->question);
	json_decref(op->gathered);
	mem_free(op->why);
	mem_free(op->fault);
	mem_free(op);
}

struct op_call op_call_of(const struct op *op)
{
	return (struct op_call){ op->core, op->asker, op->request, NULL, op->repeat };
}

void op_done(const struct op *op, enum gp_err err, struct slice why)
{
	send_done(op->core, op->asker, op->request, err, why,
		op->fault != NULL ? slice_str(op->fault) : SLICE_LIT(""));
	repeat_end(op->core, op->repeat, err);
}

void op_finish(struct op *op, enum gp_err err, struct slice why)
{
	if (op->events != NULL)
		op->events->on_done(op, err, why);
	else
		op_done(op, err, why);
	op_free(op);
}

enum gp_err op_ask(struct op *op, struct ipc_message *question, int fd)
{
	question->op.request = op->id;
	op->is_asked = true;
	return vaults_send_desk(op->core, question, fd);
}

enum gp_err op_ask_instead(struct op *op, enum ops_id id, const struct caller *caller, json_t *args)
{
	struct ipc_message question = { .type = IPC_OP };
	char text[IPC_PACKET_MAX];
	enum gp_err err;

	GP_ASSERT(args != NULL);
	question.op = (struct ipc_op){ .name = slice_str(ops_entry(id)->name),
		.arguments = slice_of(text, json_dumpb(args, text, sizeof text, JSON_COMPACT)),
		.actor = caller->actor,
		.role = ROLE_CORE,
		.asker = caller->account,
		.portal = caller->portal,
		.source = caller->source,
		.client_name = caller->client_name,
		.language = caller->language };
	json_decref(args);
	err = op_ask(op, &question, -1);
	mem_wipe(text, sizeof text);
	return err;
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
	message.op = (struct ipc_op){ .name = slice_str(ops_entry(id)->name),
		.actor = SLICE_LIT("core"),
		.role = ROLE_CORE,
		.arguments = slice_of(text, len) };
	if (op_ask(op, &message, -1) == GP_OK)
		return true;
	op_free(op);
	return false;
}

/* Who came in by a recovery code is told what is left to do by the key "must" of the row. */
static void note_mended(struct op *op, struct slice row)
{
	const struct portal_session *session = portal_find_number(op->core, op->portal);
	json_t *object = NULL;
	const json_t *must = NULL;

	if (session == NULL || session->state != PORTAL_RECOVERY)
		return;
	object = json_loadb(row.data, row.len, 0, NULL);
	must = json_object_get(object, "must");
	op->is_mended = json_is_array(must) && json_array_size(must) == 0;
	json_decref(object);
}

void control_on_row(struct core *core, const struct ipc_op_row *row)
{
	struct op *op = op_find(core, row->request);
	struct ipc_message message = { .type = IPC_OP_ROW, .op_row = *row };

	if (op == NULL)
		return;
	message.op_row.request = op->request;
	if (op->events != NULL) {
		op->events->on_row(op, row->row);
		return;
	}
	note_mended(op, row->row);
	asker_send(core, op->asker, &message);
}

void control_on_progress(struct core *core, const struct ipc_op_progress *progress)
{
	struct op *op = op_find(core, progress->request);
	struct ipc_message message = { .type = IPC_OP_PROGRESS, .op_progress = *progress };

	if (op == NULL || op->events != NULL)
		return;
	message.op_progress.request = op->request;
	asker_send(core, op->asker, &message);
}

/* A session that changed what opens its account goes on under a new id. */
static void step_portal(struct op *op, const struct ipc_op_done *done)
{
	struct core *core = op->core;
	struct portal_session *session = portal_find_number(core, op->portal);
	struct op_call call = op_call_of(op);
	enum ipc_effect effect = (enum ipc_effect)done->effect;

	if (session == NULL || session->account != done->account ||
		(effect != IPC_EFFECT_PASSWORD && effect != IPC_EFFECT_TWOFACTOR &&
			effect != IPC_EFFECT_RELEASED))
		return;
	op_step_row(&call, session, op->is_mended ? PORTAL_SIGNED_IN : session->state, NULL);
}

void control_on_done(struct core *core, const struct ipc_op_done *done)
{
	struct op *op = op_find(core, done->request);

	/* First the effect: who reads the answer may rely on it. */
	effects_apply(core, done, op != NULL ? op->portal : 0);
	if (op == NULL)
		return;
	op->fault = slice_dup(done->fault);
	if (done->err == GP_OK)
		step_portal(op, done);
	if (op->attempt != NULL)
		guarded_on_done(op, (enum gp_err)done->err, done->why);
	else
		op_finish(op, (enum gp_err)done->err, done->why);
}

/* Those that the vault is at work on. */
struct asked {
	uint64_t ids[CONTROL_OPS_MAX];
	size_t count;
};

static void add_asked(struct map_node *node, void *arg)
{
	const struct op *op = MAP_ENTRY(node, struct op, node);
	struct asked *asked = arg;

	if (op->is_asked && !op->is_reload)
		asked->ids[asked->count++] = op->id;
}

void control_on_desk_gone(struct core *core)
{
	struct asked asked = { .count = 0 };

	/* The end of one may let others go on, or end them: so they are gathered first. */
	map_each(&core->control.ops, add_asked, &asked);
	for (size_t i = 0; i < asked.count; i++) {
		struct op *op = op_find(core, asked.ids[i]);

		if (op != NULL && op->attempt != NULL)
			signin_fail(op->attempt, REASON_VAULT);
		else if (op != NULL)
			op_finish(op, GP_ERR_STORE,
				SLICE_LIT("the vault ended while it was at work; look whether it "
					  "was done"));
	}
}

bool op_start_reload(struct op_call *call)
{
	struct core *core = call->core;
	struct op *op = NULL;
	struct ipc_message message = { .type = IPC_RELOAD };

	if (core->parent == NULL)
		return false;
	op = op_new(core, call->asker, call->request);
	if (op == NULL)
		return false;
	op->is_reload = true;
	op->is_asked = true;
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

/* What is asked. */

static enum gp_err forward(const struct op_call *call, enum ops_id id,
	const struct control_ask *ask, struct gp_why *why)
{
	const struct caller *caller = call->caller;
	struct op *op = op_begin(call);
	struct ipc_message message = { .type = IPC_OP };

	if (op == NULL)
		return gp_why_set(why, GP_ERR_BUSY, "too many operations at once");
	if (id == OPS_self_watch)
		watchers_note(call->core, &caller->source);
	message.op = (struct ipc_op){ .name = ask->name,
		.arguments = ask->arguments,
		.actor = caller->actor,
		.role = (uint8_t)caller->role,
		.asker = caller->account,
		.portal = caller->portal,
		.domains = caller->domains,
		.source = caller->source,
		.client_name = caller->client_name,
		.language = caller->language,
		.idempotency = caller->idempotency };
	if (ops_has_guess(id)) {
		guarded_begin(op, id, caller, &message);
		return GP_ERR_AGAIN;
	}
	if (op_ask(op, &message, ask->fd) == GP_OK)
		return GP_ERR_AGAIN;
	op_free(op);
	return gp_why_set(why, GP_ERR_STORE, "no vault is there to do it; try again");
}

static bool tells_of_bans(enum ops_id id)
{
	return id == OPS_ban_list || id == OPS_ban_add || id == OPS_ban_remove;
}

static const char not_kept[] = "it is in force, but the store takes nothing now; until it does, a "
			       "restart of everything undoes it";

static void on_bans_kept(struct journal_wait *wait, bool is_kept)
{
	struct op *op = MAP_ENTRY(wait, struct op, wait);

	if (is_kept || !op->is_change)
		op_finish(op, GP_OK, SLICE_LIT(""));
	else
		op_finish(op, GP_ERR_STORE, SLICE_LIT(not_kept));
}

/* What is said of a ban shall be true after a restart of everything, too: so the end of the answer
 * waits for the store. */
static enum gp_err await_bans(const struct op_call *call, enum ops_id id, struct gp_why *why)
{
	bool is_change = id == OPS_ban_add || id == OPS_ban_remove;
	struct op *op = op_begin(call);
	enum gp_err err = GP_OK;

	if (op == NULL)
		return GP_OK;
	op->is_change = is_change;
	err = journal_await_bans(call->core, &op->wait, on_bans_kept);
	if (err == GP_ERR_AGAIN)
		return err;
	op_free(op);
	return err == GP_OK || !is_change ? GP_OK : gp_why_set(why, err, "%s", not_kept);
}

static enum gp_err do_once(
	struct op_call *call, enum ops_id id, const struct control_ask *ask, struct gp_why *why)
{
	json_t *args = NULL;
	enum gp_err err = ops_parse(id, ask->arguments, &args, why);

	if (err == GP_OK)
		err = handlers[id](call, args, why);
	/* A reload is under way. */
	if (err == GP_OK || (err == GP_ERR_AGAIN && id == OPS_reload))
		audit_note(call->core, call->caller, id, args);
	json_decref(args);
	if (err == GP_OK && tells_of_bans(id))
		err = await_bans(call, id, why);
	return err;
}

static enum gp_err answer(
	struct op_call *call, enum ops_id id, const struct control_ask *ask, struct gp_why *why)
{
	enum gp_err err = repeat_find(call, id, ask->arguments, &call->repeat, why);

	if (err != GP_ERR_NOT_FOUND)
		return err;
	err = do_once(call, id, ask, why);
	if (err != GP_ERR_AGAIN)
		repeat_end(call->core, call->repeat, err);
	return err;
}

/* Whose operation is it? What people do for their own account needs one. */
static bool is_own(enum role role)
{
	return role > ROLE_GUEST && role <= ROLE_USER;
}

static enum gp_err check_role(enum ops_id id, const struct caller *caller, struct gp_why *why)
{
	enum role least = id < OPS_MAX ? ops_entry(id)->role : ROLE_CORE;

	if (least == ROLE_CORE)
		return gp_why_set(why, GP_ERR_UNSUPPORTED, "there is no such operation");
	if (caller->role < least && caller->role == ROLE_GUEST)
		return gp_why_set(why, GP_ERR_SIGNIN, "sign in first");
	if (caller->role < least && caller->role == ROLE_PENDING)
		return gp_why_set(why, GP_ERR_SIGNIN, "enter the code first");
	if (caller->role < least && caller->role == ROLE_RECOVERY)
		return gp_why_set(
			why, GP_ERR_ROLE, "first set up two-factor anew and change the password");
	if (caller->role < least)
		return gp_why_set(why, GP_ERR_ROLE, "%s may not do that: it needs %s",
			role_name(caller->role), role_name(least));
	if (is_own(least) && caller->account == 0)
		return gp_why_set(
			why, GP_ERR_UNSUPPORTED, "that is only for who is signed in at the portal");
	return GP_OK;
}

void control_on_ask(struct asker *asker, const struct caller *caller, const struct control_ask *ask)
{
	struct core *core = asker->core;
	struct op_call call = { core, asker->id, ask->request, caller, 0 };
	enum ops_id id = ops_by_name(ask->name);
	struct gp_why why = { "" };
	enum gp_err err = check_role(id, caller, &why);

	if (err != GP_OK)
		log_debug("op_refused", LOG_STR("asker", asker->name), LOG_STR("why", why.text));
	else if (asker->ops >= asker->kind->ops_max)
		err = gp_why_set(&why, GP_ERR_BUSY, "too many operations at once");
	else if (ops_entry(id)->place == OPS_PLACE_VAULT)
		err = forward(&call, id, ask, &why);
	else
		err = answer(&call, id, ask, &why);
	/* The asker may have been cut meanwhile. */
	if (err != GP_ERR_AGAIN)
		send_done(core, call.asker, ask->request, err, slice_str(why.text), SLICE_LIT(""));
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
