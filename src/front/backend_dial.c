/* SPDX-License-Identifier: ISC */
#include "front/backend_dial.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/dialer.h"
#include "front/session_core.h"

enum {
	REPEAT_MS = 50,
	REPEATS_MAX = 100,
};

struct backend_dial {
	struct front *front;
	uint64_t session; /* whose mailbox it is; 0: a next hop */
	struct settings *settings;
	uint64_t generation; /* of settings */
	struct settings_backend *backend;
	bool is_first; /* it is core that asked, and for the first host */
	bool is_early; /* the answer to that came before we chose: */
	int early_fd;
	int early_errno;
	struct haproxy_header client;
	bool has_client;
	const struct backend_dial_ops *ops;
	void *owner;
	uint32_t tried; /* 0: no host is chosen yet */
	unsigned host;  /* the one being tried */
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

static int64_t timeout_ms(const struct backend_dial *dial)
{
	return (int64_t)dial->backend->conf->connect_timeout * 1000;
}

static void dial_host(struct backend_dial *dial)
{
	dial->is_first = false;
	dialer_forget(&dial->dial);
	if (dial->session == 0) {
		dialer_start(&dial->dial, dial->generation, dial->backend->index, dial->host,
			timeout_ms(dial));
		return;
	}
	dialer_expect(&dial->dial);
	dialer_limit(&dial->dial, timeout_ms(dial));
	if (session_core_ask_host(
		    dial->front, dial->session, dial->dial.request, dial->generation, dial->host))
		return;
	/* Without core there is no connection; that is no fault of the host. */
	dialer_forget(&dial->dial);
	dial->ops->on_failed(dial, dial->owner);
}

static void on_repeat(struct loop_timer *timer)
{
	dial_host(timer->owner);
}

static void finish_dial(struct backend_dial *dial, int *fd, int errno_value);

/* Core had the first host of the backend dialled: unless we know better, that is the one. */
static void await_first(struct backend_dial *dial)
{
	int fd = dial->early_fd;

	dial->early_fd = -1;
	if (dial->is_early)
		finish_dial(dial, &fd, dial->early_errno);
	else if (dial->host == 0)
		dialer_limit(&dial->dial, timeout_ms(dial));
	else
		dial_host(dial);
	if (fd >= 0)
		(void)close(fd);
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
	if (dial->is_first)
		await_first(dial);
	else
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

/* Settings may have changed while core let the session in, or the account's server. */
static bool leads_elsewhere(const struct backend_dial *dial)
{
	const struct ipc_dialed *answer = &dial->dial.answer;

	return answer->request != 0 &&
	       (answer->generation != dial->generation || answer->backend != dial->backend->index ||
		       answer->member != dial->host);
}

static void use_socket(struct backend_dial *dial, int *fd)
{
	const struct config_backend *conf = dial->backend->conf;
	enum gp_err err = GP_OK;

	dial->conn = conn_new(
		dial->front->loop, fd, &tls_ops, dial, BACKEND_INPUT_MAX, BACKEND_OUTPUT_MAX);
	if (dial->has_client && conf->client_address == CONFIG_CLIENT_PROXY)
		err = send_header(dial);
	if (err == GP_OK && conf->tls == CONFIG_TLS_IMPLICIT) {
		conn_set_deadline(dial->conn, timeout_ms(dial));
		err = conn_starttls_client(dial->conn, dial->backend->tls, conf->tls_name);
		if (err == GP_OK)
			return;
	}
	if (err != GP_OK)
		fail_host(dial, gp_err_text(err));
	else
		give(dial);
}

static void finish_dial(struct backend_dial *dial, int *fd, int errno_value)
{
	bool was_first = dial->is_first;

	dial->is_first = false;
	if (was_first && leads_elsewhere(dial)) {
		dial_host(dial);
		return;
	}
	/* No fault of the host: gatepostd is in the middle of a reload and does not know these
	 * settings yet, or it has too much to do. */
	if ((errno_value == EINVAL || errno_value == EAGAIN) && dial->repeats < REPEATS_MAX) {
		dial->repeats++;
		loop_timer_set(&dial->repeat, REPEAT_MS);
		return;
	}
	if (*fd < 0)
		fail_host(dial, strerror(errno_value));
	else if (leads_elsewhere(dial))
		fail_host(dial, "core knows another server of the mailbox");
	else
		use_socket(dial, fd);
}

static void on_dialed(struct dial *request, int *fd, int errno_value)
{
	struct backend_dial *dial = request->owner;

	if (dial->tried != 0) {
		finish_dial(dial, fd, errno_value);
		return;
	}
	dial->is_early = true;
	dial->early_fd = *fd;
	dial->early_errno = errno_value;
	*fd = -1;
}

static struct backend_dial *make(struct front *front)
{
	struct backend_dial *dial = mem_new(1, sizeof *dial);

	dial->front = front;
	dial->early_fd = -1;
	dialer_init_dial(front->dialer, &dial->dial, on_dialed, dial);
	loop_timer_init(front->loop, &dial->repeat, on_repeat, dial);
	return dial;
}

void backend_dial_begin(struct backend_dial *dial, struct settings_backend *backend,
	const struct haproxy_header *client, const struct backend_dial_ops *ops, void *owner)
{
	dial->settings = settings_hold(dial->front->settings);
	dial->generation = dial->front->child->generation;
	dial->backend = backend;
	dial->has_client = client != NULL;
	if (client != NULL)
		dial->client = *client;
	dial->ops = ops;
	dial->owner = owner;
	try_next(dial);
}

struct backend_dial *backend_dial_new(struct front *front, struct settings_backend *backend,
	const struct haproxy_header *client, const struct backend_dial_ops *ops, void *owner)
{
	struct backend_dial *dial = make(front);

	backend_dial_begin(dial, backend, client, ops, owner);
	return dial;
}

struct backend_dial *backend_dial_expect(struct front *front, uint64_t session)
{
	struct backend_dial *dial = make(front);

	dial->session = session;
	dial->is_first = true;
	dialer_expect(&dial->dial);
	return dial;
}

uint64_t backend_dial_request(const struct backend_dial *dial)
{
	return dial->dial.request;
}

void backend_dial_free(struct backend_dial **pdial)
{
	struct backend_dial *dial = *pdial;

	*pdial = NULL;
	if (dial == NULL)
		return;
	dialer_fini_dial(&dial->dial);
	loop_timer_fini(&dial->repeat);
	if (dial->early_fd >= 0)
		(void)close(dial->early_fd);
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
