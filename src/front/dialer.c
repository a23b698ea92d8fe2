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

void dialer_forget(struct dial *dial)
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

	dialer_forget(dial);
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
	dialer_forget(dial);
	loop_timer_fini(&dial->timer);
}

void dialer_expect(struct dial *dial)
{
	struct dialer *dialer = dial->dialer;

	GP_ASSERT(!dial->is_waiting);
	dial->request = ++dialer->last_request;
	dial->answer = (struct ipc_dialed){ 0 };
	dial->is_waiting = true;
	map_add(&dialer->waiting, &dial->node, slice_of(&dial->request, sizeof dial->request));
}

void dialer_limit(struct dial *dial, int64_t timeout_ms)
{
	loop_timer_set(&dial->timer, timeout_ms);
}

static void ask(struct dial *dial, const struct ipc_message *message, int64_t timeout_ms)
{
	enum gp_err err = chan_send(dial->dialer->parent, message, -1);

	if (err != GP_OK)
		log_warn("dial_not_sent", LOG_STR("error", gp_err_text(err)));
	dialer_limit(dial, err == GP_OK ? timeout_ms : 0);
}

void dialer_start(struct dial *dial, uint64_t generation, unsigned backend, unsigned member,
	int64_t timeout_ms)
{
	struct ipc_message message = { .type = IPC_DIAL };

	dialer_expect(dial);
	message.dial = (struct ipc_dial){ .request = dial->request,
		.generation = generation,
		.backend = (uint16_t)backend,
		.member = (uint16_t)member };
	ask(dial, &message, timeout_ms);
}

void dialer_start_web(
	struct dial *dial, const struct ip *client, uint16_t client_port, int64_t timeout_ms)
{
	struct ipc_message message = { .type = IPC_DIAL_WEB };

	dialer_expect(dial);
	message.dial_web = (struct ipc_dial_web){
		.request = dial->request, .client = *client, .client_port = client_port
	};
	ask(dial, &message, timeout_ms);
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
	dialer_forget(dial);
	dial->answer = *dialed;
	dial->on_done(dial, is_up ? fd : &none, is_up ? 0 : (int)dialed->errno_value);
}
