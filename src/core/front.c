/* SPDX-License-Identifier: ISC */
#include "core/front.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/core.h"

static void on_message(struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	(void)chan;
	(void)fd;
	on_front_message(owner, message);
}

static void end_sessions(struct front *front)
{
	while (!TAILQ_EMPTY(&front->sessions)) {
		struct session *session = TAILQ_FIRST(&front->sessions);

		session_free(front->core, &session);
	}
}

void front_cut(struct front *front, const char *what, uint64_t session)
{
	if (front->chan == NULL)
		return;
	log_error("front_cut", LOG_UINT("front", front->index), LOG_STR("why", what),
		LOG_ID("session", session));
	core_report_peer(front->core, IPC_ROLE_FRONT, front->index);
	chan_free(&front->chan);
	end_sessions(front);
}

/* What is recorded goes to the desk vault before anybody hears of it, but that somebody was let in.
 */
static void push_journal(void *owner)
{
	struct front *front = owner;

	if (front->core->journal.is_urgent)
		vaults_push_desk(front->core);
	front->core->journal.is_urgent = false;
}

static void on_end(struct chan *chan, enum chan_end end, void *owner)
{
	struct front *front = owner;

	(void)chan;
	/* Its sessions stay until gatepostd says whether it crashed. */
	if (end == CHAN_END_ATTACK)
		front_cut(front, "message not permitted", 0);
	else
		chan_free(&front->chan);
}

static void front_free(struct front **pfront)
{
	struct front *front = *pfront;

	*pfront = NULL;
	if (front == NULL)
		return;
	chan_free(&front->chan);
	end_sessions(front);
	/* A task that is queued still runs, on nothing: it must not find freed memory. */
	if (front->cut.is_queued)
		front->is_stuck = false;
	else
		mem_free(front);
}

static void run_cut(struct loop_task *task)
{
	struct front *front = task->owner;

	if (front->is_stuck)
		front_cut(front, "takes no messages", 0);
	else
		mem_free(front);
}

void front_send(struct front *front, const struct ipc_message *message)
{
	enum gp_err err;

	if (front->chan == NULL || front->is_stuck)
		return;
	err = chan_send(front->chan, message, -1);
	if (err == GP_OK || err == GP_ERR_CLOSED)
		return;
	/* Not here: the caller may be walking through its sessions. */
	front->is_stuck = true;
	loop_defer(front->core->loop, &front->cut, run_cut, front);
}

void front_dial(const struct session *session, uint64_t request, uint64_t generation,
	const char *backend, unsigned member)
{
	const struct front *front = session->front;
	struct ipc_message message = { .type = IPC_DIAL_MAILBOX,
		.dial_mailbox = { .front = (uint16_t)front->index,
			.pid = front->pid,
			.session = session->id,
			.request = request,
			.generation = generation,
			.backend = slice_str(backend),
			.member = (uint16_t)member } };

	if (front->core->parent != NULL && chan_send(front->core->parent, &message, -1) != GP_OK)
		log_error("mailbox_not_dialled", LOG_ID("session", session->id));
}

void front_open(struct core *core, const struct ipc_peer *peer, int *fd)
{
	static const struct chan_ops ops = { on_message, on_end };
	unsigned index = peer->index;
	struct front *front = NULL;

	if (index >= FRONTS_MAX) {
		log_error("too_many_fronts", LOG_UINT("front", index));
		return;
	}
	front_gone(core, index, false);
	front = mem_new(1, sizeof *front);
	front->core = core;
	front->index = index;
	front->pid = peer->pid;
	TAILQ_INIT(&front->sessions);
	front->chan = chan_new(core->loop, fd, IPC_ROLE_CORE, IPC_ROLE_FRONT, &ops, front);
	chan_gather(front->chan, push_journal);
	core->fronts.front[index] = front;
}

void front_gone(struct core *core, unsigned index, bool crashed)
{
	struct front *front = index < FRONTS_MAX ? core->fronts.front[index] : NULL;

	if (front == NULL)
		return;
	if (crashed)
		signin_penalise_front(core, front);
	core->fronts.front[index] = NULL;
	front_free(&front);
}

void front_fini(struct core *core)
{
	for (unsigned index = 0; index < FRONTS_MAX; index++)
		front_gone(core, index, false);
}
