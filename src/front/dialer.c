/* SPDX-License-Identifier: ISC */
#include "front/dialer.h"

#include <errno.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"

struct dialer {
	struct loop *loop;
	struct chan *parent;
	struct map waiting; /* by request */
	uint64_t last_request;
};

struct dialer *dialer_new(struct loop *loop, struct chan *parent)
{
	struct dialer *dialer = mem_new(1, sizeof *dialer);

	dialer->loop = loop;
	dialer->parent = parent;
	map_init(&dialer->waiting);
	return dialer;
}

void dialer_free(struct dialer **pdialer)
{
	struct dialer *dialer = *pdialer;

	*pdialer = NULL;
	if (dialer == NULL)
		return;
	GP_ASSERT(dialer->waiting.count == 0);
	map_fini(&dialer->waiting);
	mem_free(dialer);
}

static void stop_waiting(struct dial *dial)
{
	if (!dial->is_waiting)
		return;
	dial->is_waiting = false;
	map_remove(&dial->dialer->waiting, &dial->node);
	loop_timer_clear(&dial->timer);
}

static void on_timeout(struct loop_timer *timer)
{
	struct dial *dial = timer->owner;
	int none = -1;

	stop_waiting(dial);
	dial->on_done(dial, &none, ETIMEDOUT);
}

void dialer_init_dial(
	struct dialer *dialer, struct dial *dial, dialer_done_fn *on_done, void *owner)
{
	*dial = (struct dial){ .dialer = dialer, .on_done = on_done, .owner = owner };
	loop_timer_init(dialer->loop, &dial->timer, on_timeout, dial);
}

void dialer_fini_dial(struct dial *dial)
{
	stop_waiting(dial);
	loop_timer_fini(&dial->timer);
}

static void start(struct dial *dial, const struct ipc_message *message, int64_t timeout_ms)
{
	struct dialer *dialer = dial->dialer;
	enum gp_err err = chan_send(dialer->parent, message, -1);

	if (err != GP_OK) {
		log_warn("dial_not_sent", LOG_STR("error", gp_err_text(err)));
		timeout_ms = 0;
	}
	dial->is_waiting = true;
	map_add(&dialer->waiting, &dial->node, slice_of(&dial->request, sizeof dial->request));
	loop_timer_set(&dial->timer, timeout_ms);
}

void dialer_start(struct dial *dial, uint64_t generation, unsigned backend, unsigned member,
	int64_t timeout_ms)
{
	struct ipc_message message = { .type = IPC_DIAL };

	GP_ASSERT(!dial->is_waiting);
	dial->request = ++dial->dialer->last_request;
	message.dial = (struct ipc_dial){ .request = dial->request,
		.generation = generation,
		.backend = (uint16_t)backend,
		.member = (uint16_t)member };
	start(dial, &message, timeout_ms);
}

void dialer_start_web(
	struct dial *dial, const struct ip *client, uint16_t client_port, int64_t timeout_ms)
{
	struct ipc_message message = { .type = IPC_DIAL_WEB };

	GP_ASSERT(!dial->is_waiting);
	dial->request = ++dial->dialer->last_request;
	message.dial_web = (struct ipc_dial_web){
		.request = dial->request, .client = *client, .client_port = client_port
	};
	start(dial, &message, timeout_ms);
}

void dialer_on_dialed(struct dialer *dialer, const struct ipc_dialed *dialed, int *fd)
{
	struct map_node *node =
		map_find(&dialer->waiting, slice_of(&dialed->request, sizeof dialed->request));
	struct dial *dial;
	int none = -1;
	bool is_up = dialed->errno_value == 0 && *fd >= 0;

	if (node == NULL)
		return;
	dial = MAP_ENTRY(node, struct dial, node);
	stop_waiting(dial);
	dial->on_done(dial, is_up ? fd : &none, is_up ? 0 : (int)dialed->errno_value);
}
