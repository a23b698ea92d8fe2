/* SPDX-License-Identifier: ISC */
#include "front/smtp_hop.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/backend_dial.h"

struct smtp_hop {
	struct front *front;
	struct settings *settings;
	struct settings_backend *backend;
	const struct smtp_hop_ops *ops;
	void *owner;
	/* The client, as it is told to each host that is tried. */
	bool has_client;
	bool has_login;
	bool is_esmtp;
	struct haproxy_header peer;
	char *login;
	char *helo;
	struct backend_dial *dial;
	struct conn *conn;
	struct smtp_client *client;
	bool is_ready;
	bool has_failed;
	int64_t used_at; /* clock_steady() of the last reply */
	struct loop_task fail_task;
};

static void drop_host(struct smtp_hop *hop)
{
	smtp_client_free(&hop->client);
	conn_free(&hop->conn);
}

static void tell_failed(struct loop_task *task)
{
	struct smtp_hop *hop = task->owner;

	if (hop->backend == NULL)
		mem_free(hop);
	else
		hop->ops->on_failed(hop, hop->owner);
}

static void fail(struct smtp_hop *hop)
{
	if (hop->has_failed)
		return;
	hop->has_failed = true;
	hop->is_ready = false;
	drop_host(hop);
	loop_defer(hop->front->loop, &hop->fail_task, tell_failed, hop);
}

/* While it is being opened the next host is tried; later the user must know. */
static void lose(struct smtp_hop *hop, const char *why, const struct smtp_reply *reply)
{
	bool is_idle = hop->is_ready && smtp_client_owed(hop->client) == 0;

	/* That a next hop closes a connection nobody uses is its right. */
	log_at(is_idle ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "next_hop_lost",
		LOG_STR("backend", hop->backend->conf->name), LOG_STR("why", why),
		LOG_STR("text", reply != NULL ? reply->text : ""));
	if (hop->is_ready) {
		fail(hop);
		return;
	}
	drop_host(hop);
	backend_dial_next(hop->dial);
}

void smtp_hop_flush(struct smtp_hop *hop)
{
	struct buf *output;
	struct slice bytes;

	if (hop->conn == NULL)
		return;
	output = smtp_client_output(hop->client);
	bytes = buf_slice(output);
	if (bytes.len == 0)
		return;
	if (conn_write(hop->conn, bytes) != GP_OK) {
		lose(hop, "does not read", NULL);
		return;
	}
	buf_consume(output, bytes.len);
	conn_set_deadline(hop->conn, (int64_t)hop->backend->conf->reply_timeout * 1000);
}

static void become_ready(struct smtp_hop *hop)
{
	backend_dial_worked(hop->dial);
	hop->is_ready = true;
	hop->used_at = clock_steady();
	hop->backend->has_caps = true;
	hop->backend->caps = smtp_client_caps(hop->client);
	hop->backend->size = smtp_client_size(hop->client);
	conn_set_deadline(hop->conn, 0);
	hop->ops->on_ready(hop, hop->owner);
}

/* false: nothing more to do with this engine now. */
static bool perform(struct smtp_hop *hop, const struct smtp_client_event *event, size_t used)
{
	const struct config_backend *conf = hop->backend->conf;

	conn_consume(hop->conn, used);
	switch (event->type) {
	case ENGINE_EVENT_NONE:
		return used > 0;
	case ENGINE_EVENT_STARTTLS:
		if (conn_starttls_client(hop->conn, hop->backend->tls, conf->tls_name) != GP_OK)
			lose(hop, "bytes after the STARTTLS answer", NULL);
		return false;
	case ENGINE_EVENT_READY:
		become_ready(hop);
		return true;
	case ENGINE_EVENT_REPLY:
		hop->used_at = clock_steady();
		if (smtp_client_owed(hop->client) == 0)
			conn_set_deadline(hop->conn, 0);
		hop->ops->on_reply(hop, event, hop->owner);
		return true;
	case ENGINE_EVENT_REFUSED:
		lose(hop, "refuses us", event->reply);
		return false;
	case ENGINE_EVENT_FAILED:
		lose(hop, "unusable answer", event->reply);
		return false;
	}
	return false;
}

/* The user may free the hop in any callback: its memory stays until the end of the turn. */
static void pump(struct smtp_hop *hop)
{
	bool goes_on = true;

	while (goes_on && hop->conn != NULL) {
		struct smtp_client_event event = { .type = ENGINE_EVENT_NONE };
		size_t used = smtp_client_input(hop->client, conn_input(hop->conn), &event);

		smtp_hop_flush(hop);
		if (hop->conn == NULL)
			return;
		goes_on = perform(hop, &event, used);
	}
}

static void on_input(struct conn *conn, void *owner)
{
	(void)conn;
	pump(owner);
}

static void on_drained(struct conn *conn, void *owner)
{
	struct smtp_hop *hop = owner;

	if (!hop->is_ready)
		return;
	if (smtp_client_owed(hop->client) == 0)
		conn_set_deadline(conn, 0);
	hop->ops->on_drained(hop, hop->owner);
}

static void on_tls(struct conn *conn, void *owner)
{
	struct smtp_hop *hop = owner;

	(void)conn;
	smtp_client_tls_started(hop->client);
	pump(hop);
}

static void on_closed(struct conn *conn, enum conn_end end, void *owner)
{
	const char *why = end == CONN_END_TLS       ? conn_tls_error(conn)
			  : end == CONN_END_TIMEOUT ? "no answer in time"
						    : "closed the connection";

	lose(owner, why, NULL);
}

static const struct conn_ops hop_conn_ops = {
	.on_input = on_input,
	.on_drained = on_drained,
	.on_tls = on_tls,
	.on_closed = on_closed,
};

static struct smtp_client *create_engine(const struct smtp_hop *hop)
{
	const struct config_backend *conf = hop->backend->conf;
	char address[IP_TEXT_SIZE];
	struct smtp_client_identity identity = { .address = ip_format(&hop->peer.client, address),
		.port = hop->peer.client_port,
		.login = hop->login,
		.helo = hop->helo,
		.proto = hop->is_esmtp ? "ESMTP" : "SMTP" };
	struct smtp_client_conf engine = {
		.is_lmtp = conf->protocol == CONFIG_BACKEND_LMTP,
		.helo_name = hop->settings->config->hostname,
		.want_starttls = conf->tls == CONFIG_TLS_STARTTLS,
		.auth_user = conf->auth_user,
		.auth_password = secret_slice(hop->backend->auth),
	};

	if (hop->has_client && conf->client_address == CONFIG_CLIENT_ID)
		engine.identity = &identity;
	return smtp_client_new(&engine);
}

static void on_open(struct backend_dial *dial, struct conn **pconn, void *owner)
{
	struct smtp_hop *hop = owner;

	(void)dial;
	hop->conn = *pconn;
	*pconn = NULL;
	conn_set_owner(hop->conn, &hop_conn_ops, hop, BACKEND_INPUT_MAX, BACKEND_OUTPUT_MAX);
	conn_set_deadline(hop->conn, (int64_t)hop->backend->conf->reply_timeout * 1000);
	hop->client = create_engine(hop);
	pump(hop);
}

static void on_dial_failed(struct backend_dial *dial, void *owner)
{
	(void)dial;
	fail(owner);
}

static const struct backend_dial_ops dial_ops = {
	.on_open = on_open,
	.on_failed = on_dial_failed,
};

struct smtp_hop *smtp_hop_new(struct front *front, struct settings_backend *backend,
	const struct smtp_hop_client *client, const struct smtp_hop_ops *ops, void *owner)
{
	struct smtp_hop *hop = mem_new(1, sizeof *hop);

	hop->front = front;
	hop->settings = settings_hold(front->settings);
	hop->backend = backend;
	hop->ops = ops;
	hop->owner = owner;
	hop->has_client = client != NULL;
	if (client != NULL) {
		hop->peer = client->peer;
		hop->is_esmtp = client->is_esmtp;
		hop->login = client->login != NULL ? mem_strdup(client->login) : NULL;
		hop->helo = mem_strdup(client->helo);
	}
	hop->dial = backend_dial_new(
		front, backend, client != NULL ? &hop->peer : NULL, &dial_ops, hop);
	return hop;
}

void smtp_hop_free(struct smtp_hop **phop)
{
	struct smtp_hop *hop = *phop;

	*phop = NULL;
	if (hop == NULL)
		return;
	drop_host(hop);
	backend_dial_free(&hop->dial);
	mem_free(hop->login);
	mem_free(hop->helo);
	settings_release(&hop->settings);
	hop->backend = NULL;
	hop->is_ready = false;
	loop_defer(hop->front->loop, &hop->fail_task, tell_failed, hop);
}

void smtp_hop_set_user(struct smtp_hop *hop, const struct smtp_hop_ops *ops, void *owner)
{
	hop->ops = ops;
	hop->owner = owner;
}

bool smtp_hop_is_ready(const struct smtp_hop *hop)
{
	return hop->is_ready;
}

bool smtp_hop_is_stale(const struct smtp_hop *hop)
{
	int64_t rested = clock_steady() - hop->used_at;

	if (smtp_client_owed(hop->client) > 0)
		return false;
	return rested < 0 || rested > SMTP_HOP_FRESH_MS;
}

bool smtp_hop_is_shareable(const struct smtp_hop *hop)
{
	enum config_client_address told = hop->backend->conf->client_address;

	if (!hop->is_ready || told == CONFIG_CLIENT_PROXY || smtp_hop_has_identity(hop))
		return false;
	/* Each session is to be named on a connection of its own. */
	return told != CONFIG_CLIENT_ID || !(smtp_client_caps(hop->client) & SMTP_CAP_XCLIENT);
}

bool smtp_hop_has_identity(const struct smtp_hop *hop)
{
	return hop->client != NULL && smtp_client_took_identity(hop->client);
}

const struct settings_backend *smtp_hop_backend(const struct smtp_hop *hop)
{
	return hop->backend;
}

struct smtp_client *smtp_hop_client(struct smtp_hop *hop)
{
	GP_ASSERT(hop->is_ready);
	return hop->client;
}

void smtp_hop_send_body(struct smtp_hop *hop, struct slice bytes)
{
	struct buf *output;

	if (hop->conn == NULL)
		return;
	output = smtp_client_output(hop->client);
	/* Most often nothing waits in the engine, and the bytes are spared a copy. */
	if (output->len == 0) {
		if (conn_write(hop->conn, bytes) != GP_OK)
			lose(hop, "does not read", NULL);
	} else if (smtp_client_body(hop->client, bytes) != GP_OK) {
		lose(hop, "does not read", NULL);
	} else {
		smtp_hop_flush(hop);
	}
	/* A next hop that does not read is as bad as one that does not answer. */
	if (smtp_hop_is_full(hop))
		conn_set_deadline(hop->conn, (int64_t)hop->backend->conf->reply_timeout * 1000);
}

bool smtp_hop_is_full(const struct smtp_hop *hop)
{
	return hop->conn != NULL && conn_output_len(hop->conn) > CONN_HIGH_WATER;
}
