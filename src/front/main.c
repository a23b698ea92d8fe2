/* SPDX-License-Identifier: ISC */
/*
 * gatepost-front: where hostile bytes end. It holds the clients' connections and their TLS, asks
 * core, and passes bytes to the mail servers behind; it has no files, no store, and connects only
 * through gatepostd.
 */
#include "base/check.h"
#include "base/log.h"
#include "front/core_link.h"
#include "front/dialer.h"
#include "front/front.h"
#include "front/listen.h"
#include "front/notice.h"
#include "front/session.h"
#include "front/smtp_pool.h"

enum {
	DRAIN_TICK_MS = 250
};

/* The process's one front, and how it comes down. */
static struct {
	struct front front;
	size_t capacity;
	struct loop_timer drain;
	unsigned ticks_left;
	bool is_last_call;
} worker;

static enum gp_err before_jail(struct child *child, const struct config *config, struct gp_why *why)
{
	(void)child;
	(void)config;
	(void)why;
	worker.capacity = listen_find_capacity();
	return GP_OK;
}

static void build(struct child *child)
{
	struct front *front = &worker.front;

	front->child = child;
	front->loop = child->loop;
	front->sessions = session_table_new(child->loop);
	chan_gather(child->parent, NULL);
	front->dialer = dialer_new(child->loop, child->parent);
	front->core = core_link_new(front);
	front->hops = smtp_pool_new(front);
	front->notices = notices_new(front);
	front->listen = listen_new(front, worker.capacity);
}

static enum gp_err on_config(struct child *child, const struct config *config,
	const struct child_material *materials, size_t count, struct gp_why *why)
{
	struct front *front = &worker.front;
	struct settings *settings = NULL;
	enum gp_err err = settings_new(config, materials, count, &settings, why);

	if (err != GP_OK)
		return err;
	if (front->loop == NULL)
		build(child);
	settings_release(&front->settings);
	front->settings = settings;
	smtp_pool_reset(front->hops);
	return GP_OK;
}

static void on_ban_map(struct front *front, int fd)
{
	struct ban_map *map = NULL;
	enum gp_err err = ban_map_open_read(fd, &map);

	if (err != GP_OK) {
		log_error("ban_map_not_mapped", LOG_STR("error", gp_err_text(err)));
		return;
	}
	ban_map_close(&front->bans);
	front->bans = map;
}

static void on_listener(struct front *front, const struct ipc_listener *listener, int *fd)
{
	if (listener->listener >= front->settings->config->listener_count) {
		log_error("no_such_listener", LOG_UINT("listener", listener->listener));
		return;
	}
	if (!front->is_stopping)
		listen_add(front->listen, listener->listener, fd);
}

static void on_message(struct child *child, const struct ipc_message *message, int *fd)
{
	struct front *front = &worker.front;

	(void)child;
	if (message->type == IPC_DIALED)
		dialer_on_dialed(front->dialer, &message->dialed, fd);
	else if (message->type == IPC_LISTENER && *fd >= 0)
		on_listener(front, &message->listener, fd);
	else if (message->type == IPC_LISTENERS_RESET)
		listen_reset(front->listen);
	else if (message->type == IPC_PEER && message->peer.role == IPC_ROLE_CORE && *fd >= 0)
		core_link_connect(front->core, message->peer.pid, fd);
	else if (message->type == IPC_BAN_MAP && *fd >= 0)
		on_ban_map(front, *fd);
}

/* Everything is ended; its memory goes at the end of this turn, then the loop stops. */
static void on_drain(struct loop_timer *timer)
{
	struct front *front = &worker.front;

	if (worker.is_last_call || session_count(front) == 0) {
		loop_stop(front->loop);
		return;
	}
	if (worker.ticks_left > 0)
		worker.ticks_left--;
	worker.is_last_call = worker.ticks_left == 0;
	session_drain(front, worker.is_last_call);
	loop_timer_set(timer, DRAIN_TICK_MS);
}

static void on_stop(struct child *child, unsigned grace_ms)
{
	struct front *front = &worker.front;

	if (front->loop == NULL) {
		loop_stop(child->loop);
		return;
	}
	if (front->is_stopping)
		return;
	front->is_stopping = true;
	listen_reset(front->listen);
	worker.ticks_left = grace_ms / DRAIN_TICK_MS;
	loop_timer_init(front->loop, &worker.drain, on_drain, NULL);
	loop_timer_set(&worker.drain, 0);
}

static const struct child_ops ops = {
	.role = IPC_ROLE_FRONT,
	.before_jail = before_jail,
	.on_config = on_config,
	.on_message = on_message,
	.on_stop = on_stop,
};

int main(int argc, char **argv)
{
	return child_main(&ops, argc, argv);
}
