/* SPDX-License-Identifier: ISC */
#include "front/backend_dial.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/dialer.h"

enum {
	REPEAT_MS = 50,
	REPEATS_MAX = 100,
};

struct backend_dial {
	struct front *front;
	struct settings *settings;
	uint64_t generation; /* of settings */
	struct settings_backend *backend;
	struct haproxy_header client;
	bool has_client;
	const struct backend_dial_ops *ops;
	void *owner;
	uint32_t tried;
	unsigned host; /* the one being tried */
	struct dial dial;
	struct loop_timer repeat;
	unsigned repeats;
	struct conn *conn; /* while TLS is coming up */
	struct loop_task next;
	bool is_freed;
};

static void log_failure(const struct backend_dial *dial, const char *why)
{
	const struct config_backend *conf = dial->backend->conf;

	log_warn("backend_down", LOG_STR("backend", conf->name),
		LOG_STR("host", conf->hosts.items[dial->host]), LOG_STR("why", why));
}

static void dial_host(struct backend_dial *dial)
{
	dialer_start(&dial->dial, dial->generation, dial->backend->index, dial->host,
		(int64_t)dial->backend->conf->connect_timeout * 1000);
}

static void on_repeat(struct loop_timer *timer)
{
	dial_host(timer->owner);
}

static void run_next(struct loop_task *task)
{
	struct backend_dial *dial = task->owner;
	int host;

	if (dial->is_freed) {
		mem_free(dial);
		return;
	}
	host = health_next(&dial->backend->health, dial->tried, clock_steady());
	if (host < 0) {
		dial->ops->on_failed(dial, dial->owner);
		return;
	}
	dial->host = (unsigned)host;
	dial->tried |= 1U << dial->host;
	dial_host(dial);
}

static void try_next(struct backend_dial *dial)
{
	loop_defer(dial->front->loop, &dial->next, run_next, dial);
}

static void fail_host(struct backend_dial *dial, const char *why)
{
	log_failure(dial, why);
	health_failed(&dial->backend->health, dial->host, clock_steady());
	conn_free(&dial->conn);
	try_next(dial);
}

static void give(struct backend_dial *dial)
{
	struct conn *conn = dial->conn;

	dial->conn = NULL;
	conn_set_deadline(conn, 0);
	dial->ops->on_open(dial, &conn, dial->owner);
	conn_free(&conn);
}

static void on_tls(struct conn *conn, void *owner)
{
	(void)conn;
	give(owner);
}

static void on_closed(struct conn *conn, enum conn_end end, void *owner)
{
	struct backend_dial *dial = owner;
	const char *why = end == CONN_END_TLS       ? conn_tls_error(conn)
			  : end == CONN_END_TIMEOUT ? "no TLS in time"
						    : "closed before TLS was up";

	fail_host(dial, why);
}

static void on_nothing(struct conn *conn, void *owner)
{
	(void)conn;
	(void)owner;
}

static const struct conn_ops tls_ops = {
	.on_input = on_nothing,
	.on_drained = on_nothing,
	.on_tls = on_tls,
	.on_closed = on_closed,
};

static enum gp_err send_header(struct backend_dial *dial)
{
	struct buf header;
	enum gp_err err;

	buf_init(&header, HAPROXY_V2_MAX);
	err = haproxy_append(&header, &dial->client);
	if (err == GP_OK)
		err = conn_write(dial->conn, buf_slice(&header));
	buf_fini(&header);
	return err;
}

static void on_dialed(struct dial *request, int *fd, int errno_value)
{
	struct backend_dial *dial = request->owner;
	const struct config_backend *conf = dial->backend->conf;
	enum gp_err err = GP_OK;

	/* No fault of the host: gatepostd is in the middle of a reload and does not know these
	 * settings yet, or it has too much to do. */
	if ((errno_value == EINVAL || errno_value == EAGAIN) && dial->repeats < REPEATS_MAX) {
		dial->repeats++;
		loop_timer_set(&dial->repeat, REPEAT_MS);
		return;
	}
	if (*fd < 0) {
		fail_host(dial, strerror(errno_value));
		return;
	}
	dial->conn = conn_new(
		dial->front->loop, fd, &tls_ops, dial, BACKEND_INPUT_MAX, BACKEND_OUTPUT_MAX);
	if (dial->has_client && conf->client_address == CONFIG_CLIENT_PROXY)
		err = send_header(dial);
	if (err == GP_OK && conf->tls == CONFIG_TLS_IMPLICIT) {
		conn_set_deadline(dial->conn, (int64_t)conf->connect_timeout * 1000);
		err = conn_starttls_client(dial->conn, dial->backend->tls, conf->tls_name);
		if (err == GP_OK)
			return;
	}
	if (err != GP_OK)
		fail_host(dial, gp_err_text(err));
	else
		give(dial);
}

struct backend_dial *backend_dial_new(struct front *front, struct settings_backend *backend,
	const struct haproxy_header *client, const struct backend_dial_ops *ops, void *owner)
{
	struct backend_dial *dial = mem_new(1, sizeof *dial);

	dial->front = front;
	dial->settings = settings_hold(front->settings);
	dial->generation = front->child->generation;
	dial->backend = backend;
	dial->has_client = client != NULL;
	if (client != NULL)
		dial->client = *client;
	dial->ops = ops;
	dial->owner = owner;
	dialer_init_dial(front->dialer, &dial->dial, on_dialed, dial);
	loop_timer_init(front->loop, &dial->repeat, on_repeat, dial);
	try_next(dial);
	return dial;
}

void backend_dial_free(struct backend_dial **pdial)
{
	struct backend_dial *dial = *pdial;

	*pdial = NULL;
	if (dial == NULL)
		return;
	dialer_fini_dial(&dial->dial);
	loop_timer_fini(&dial->repeat);
	conn_free(&dial->conn);
	settings_release(&dial->settings);
	/* The memory goes in a task of its own, also when a turn is still to come for it. */
	dial->is_freed = true;
	try_next(dial);
}

void backend_dial_next(struct backend_dial *dial)
{
	health_failed(&dial->backend->health, dial->host, clock_steady());
	try_next(dial);
}

void backend_dial_worked(struct backend_dial *dial)
{
	health_worked(&dial->backend->health, dial->host);
}
