/* SPDX-License-Identifier: ISC */
#include "core/asker.h"

#include <stdbool.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/core.h"

struct asker_packet {
	STAILQ_ENTRY(asker_packet) link;
	struct buf bytes;
};

struct asker *asker_find(struct core *core, uint64_t id)
{
	struct asker *asker = NULL;

	TAILQ_FOREACH (asker, &core->askers.all, link) {
		if (asker->id == id)
			return asker;
	}
	return NULL;
}

static void drop_first(struct asker *asker)
{
	struct asker_packet *packet = STAILQ_FIRST(&asker->outbox);

	STAILQ_REMOVE_HEAD(&asker->outbox, link);
	asker->outbox_bytes -= buf_slice(&packet->bytes).len;
	buf_fini(&packet->bytes);
	mem_free(packet);
}

void asker_close(struct asker **pasker)
{
	struct asker *asker = *pasker;

	*pasker = NULL;
	TAILQ_REMOVE(&asker->core->askers.all, asker, link);
	while (!STAILQ_EMPTY(&asker->outbox))
		drop_first(asker);
	chan_free(&asker->chan);
	mem_free(asker);
}

/* A CLI is nobody's child. */
static void report(const struct asker *asker)
{
	if (asker->kind->role != IPC_ROLE_CLI)
		core_report_peer(asker->core, asker->kind->role, asker->index);
}

static void cut(struct asker *asker)
{
	log_warn("asker_cut", LOG_STR("why", "takes no answers"), LOG_STR("asker", asker->name));
	report(asker);
	asker_close(&asker);
}

/* Sends what waits; false if nothing of it could go. */
static bool flush(struct asker *asker)
{
	bool has_moved = false;

	while (!STAILQ_EMPTY(&asker->outbox)) {
		struct asker_packet *packet = STAILQ_FIRST(&asker->outbox);
		struct ipc_message message;

		GP_ASSERT(ipc_decode(buf_slice(&packet->bytes), &message) == GP_OK);
		if (chan_send(asker->chan, &message, -1) == GP_ERR_BUSY)
			return has_moved;
		drop_first(asker);
		has_moved = true;
	}
	return true;
}

static void on_step(struct loop_timer *timer)
{
	struct core *core = timer->owner;
	struct asker *asker = TAILQ_FIRST(&core->askers.all);
	bool is_waiting = false;

	while (asker != NULL) {
		struct asker *next = TAILQ_NEXT(asker, link);

		asker->stuck_ms = flush(asker) ? 0 : asker->stuck_ms + ASKER_STEP_MS;
		if (asker->stuck_ms >= ASKER_STUCK_MS)
			cut(asker);
		else
			is_waiting = is_waiting || !STAILQ_EMPTY(&asker->outbox);
		asker = next;
	}
	if (is_waiting)
		loop_timer_set(&core->askers.step, ASKER_STEP_MS);
	else
		vaults_pause_desk(core, false);
}

static void put_out(struct asker *asker, const struct ipc_message *message)
{
	struct core *core = asker->core;
	struct asker_packet *packet = mem_new(1, sizeof *packet);

	buf_init_secret(&packet->bytes, IPC_PACKET_MAX);
	/* What does not encode would not have been sent either. */
	if (ipc_encode(message, &packet->bytes) != GP_OK) {
		buf_fini(&packet->bytes);
		mem_free(packet);
		return;
	}
	STAILQ_INSERT_TAIL(&asker->outbox, packet, link);
	asker->outbox_bytes += buf_slice(&packet->bytes).len;
	if (asker->outbox_bytes > ASKER_OUTBOX_MAX) {
		cut(asker);
		return;
	}
	if (!loop_timer_is_set(&core->askers.step))
		loop_timer_set(&core->askers.step, ASKER_STEP_MS);
	vaults_pause_desk(core, true);
}

void asker_send(struct core *core, uint64_t id, const struct ipc_message *message)
{
	struct asker *asker = asker_find(core, id);

	if (asker == NULL)
		return;
	if (!STAILQ_EMPTY(&asker->outbox) || chan_send(asker->chan, message, -1) == GP_ERR_BUSY)
		put_out(asker, message);
}

size_t asker_count(const struct core *core, enum ipc_role role)
{
	const struct asker *asker = NULL;
	size_t count = 0;

	TAILQ_FOREACH (asker, &core->askers.all, link)
		count += asker->kind->role == role;
	return count;
}

static void on_message(struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct asker *asker = owner;

	(void)chan;
	asker->kind->on_message(asker, message, *fd);
}

static void on_end(struct chan *chan, enum chan_end end, void *owner)
{
	struct asker *asker = owner;

	(void)chan;
	if (end == CHAN_END_ATTACK)
		report(asker);
	asker_close(&asker);
}

struct asker *asker_open(
	struct core *core, int *fd, const struct asker_kind *kind, unsigned index, const char *name)
{
	static const struct chan_ops ops = { on_message, on_end };
	struct askers *askers = &core->askers;
	struct asker *asker = mem_new(1, sizeof *asker);

	asker->core = core;
	asker->id = ++askers->last_id;
	asker->kind = kind;
	asker->index = index;
	STAILQ_INIT(&asker->outbox);
	GP_ASSERT(slice_copy(slice_str(name), asker->name, sizeof asker->name));
	asker->chan = chan_new(core->loop, fd, IPC_ROLE_CORE, kind->role, &ops, asker);
	TAILQ_INSERT_TAIL(&askers->all, asker, link);
	return asker;
}

void asker_init(struct core *core)
{
	TAILQ_INIT(&core->askers.all);
	loop_timer_init(core->loop, &core->askers.step, on_step, core);
}

void asker_fini(struct core *core)
{
	while (!TAILQ_EMPTY(&core->askers.all)) {
		struct asker *asker = TAILQ_FIRST(&core->askers.all);

		asker_close(&asker);
	}
	loop_timer_fini(&core->askers.step);
}
