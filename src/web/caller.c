/* SPDX-License-Identifier: ISC */
#include "web/caller.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"

struct caller {
	struct web *web;
	struct chan *chan; /* NULL: core is gone */
	uint32_t core_pid;
	struct map waiting; /* by request */
	uint64_t last_request;
};

static void stop_waiting(struct call *call)
{
	if (!call->is_waiting)
		return;
	call->is_waiting = false;
	map_remove(&call->caller->waiting, &call->node);
	loop_timer_clear(&call->timer);
}

static void end(struct call *call, enum gp_err err, struct slice why, struct slice fault)
{
	stop_waiting(call);
	call->ops->on_done(call, err, why, fault);
}

static void on_timeout(struct loop_timer *timer)
{
	log_warn("core_late", LOG_INT("ms", CALLER_ANSWER_MS));
	end(timer->owner, GP_ERR_TIMEOUT, SLICE_LIT("no answer came in time"), SLICE_LIT(""));
}

static void lose(struct caller *caller)
{
	while (caller->waiting.count > 0)
		end(MAP_ENTRY(map_first(&caller->waiting), struct call, node), GP_ERR_CLOSED,
			SLICE_LIT("it is not known whether it was done; please look"),
			SLICE_LIT(""));
}

/* The channel. */

static struct call *find(struct caller *caller, uint64_t request)
{
	struct map_node *node = map_find(&caller->waiting, slice_of(&request, sizeof request));

	return node != NULL ? MAP_ENTRY(node, struct call, node) : NULL;
}

static void on_message(struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct caller *caller = owner;
	struct call *call = NULL;

	(void)chan;
	(void)fd;
	if (message->type == IPC_OP_ROW) {
		call = find(caller, message->op_row.request);
		if (call != NULL)
			call->ops->on_row(call, message->op_row.row);
	} else if (message->type == IPC_OP_DONE) {
		call = find(caller, message->op_done.request);
		if (call != NULL)
			end(call, (enum gp_err)message->op_done.err, message->op_done.why,
				message->op_done.fault);
	}
}

/* A fresh channel comes with a fresh core. */
static void report_core(struct caller *caller)
{
	struct ipc_message message = { .type = IPC_CORE_BAD, .core_bad = { caller->core_pid } };

	log_error("core_broke_the_rules", LOG_UINT("core", caller->core_pid));
	if (chan_send(caller->web->child->parent, &message, -1) != GP_OK)
		log_error("core_not_reported", LOG_UINT("core", caller->core_pid));
}

static void on_end(struct chan *chan, enum chan_end how, void *owner)
{
	struct caller *caller = owner;

	(void)chan;
	if (how == CHAN_END_ATTACK)
		report_core(caller);
	else
		log_warn("core_gone", LOG_STR("then", "the portal is temporarily unavailable"));
	chan_free(&caller->chan);
	lose(caller);
}

struct caller *caller_new(struct web *web)
{
	struct caller *caller = mem_new(1, sizeof *caller);

	caller->web = web;
	map_init(&caller->waiting);
	return caller;
}

void caller_free(struct caller **pcaller)
{
	struct caller *caller = *pcaller;

	*pcaller = NULL;
	if (caller == NULL)
		return;
	GP_ASSERT(caller->waiting.count == 0);
	map_fini(&caller->waiting);
	chan_free(&caller->chan);
	mem_free(caller);
}

void caller_connect(struct caller *caller, uint32_t core_pid, int *fd)
{
	static const struct chan_ops ops = { on_message, on_end };

	caller->core_pid = core_pid;
	chan_free(&caller->chan);
	lose(caller);
	caller->chan = chan_new(caller->web->loop, fd, IPC_ROLE_WEB, IPC_ROLE_CORE, &ops, caller);
}

/* Calls. */

void caller_init_call(
	struct caller *caller, struct call *call, const struct call_ops *ops, void *owner)
{
	*call = (struct call){ .caller = caller, .ops = ops, .owner = owner };
	loop_timer_init(caller->web->loop, &call->timer, on_timeout, call);
}

void caller_fini_call(struct call *call)
{
	stop_waiting(call);
	loop_timer_fini(&call->timer);
}

enum gp_err caller_start(struct call *call, const struct ipc_call *question)
{
	struct caller *caller = call->caller;
	struct ipc_message message = { .type = IPC_CALL, .call = *question };
	enum gp_err err;

	GP_ASSERT(!call->is_waiting);
	if (caller->chan == NULL)
		return GP_ERR_CLOSED;
	call->request = ++caller->last_request;
	message.call.request = call->request;
	err = chan_send(caller->chan, &message, -1);
	if (err != GP_OK)
		return err;
	call->is_waiting = true;
	map_add(&caller->waiting, &call->node, slice_of(&call->request, sizeof call->request));
	loop_timer_set(&call->timer, CALLER_ANSWER_MS);
	return GP_OK;
}
