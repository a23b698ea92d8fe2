/* SPDX-License-Identifier: ISC */
#include "front/backend_login.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/backend_dial.h"

enum {
	SESSION_TEXT_SIZE = 17
};

struct backend_login {
	struct front *front;
	struct settings *settings;
	struct settings_backend *backend;
	struct backend_login_conf conf;
	char *address;
	struct secret *secret;
	const struct backend_login_ops *ops;
	void *owner;
	struct backend_dial *dial;
	struct conn *conn;
	void *engine;
};

static void drop_host(struct backend_login *login)
{
	if (login->engine != NULL)
		login->conf.protocol->destroy(login->engine);
	login->engine = NULL;
	conn_free(&login->conn);
}

static void next_host(struct backend_login *login, const char *why, struct slice text)
{
	log_warn("backend_login_failed", LOG_ID("session", login->conf.session),
		LOG_STR("backend", login->backend->conf->name), LOG_STR("why", why),
		LOG_SLICE("text", text));
	drop_host(login);
	backend_dial_next(login->dial);
}

static bool send_output(struct backend_login *login)
{
	struct buf *output = login->conf.protocol->output(login->engine);
	struct slice bytes = buf_slice(output);

	if (bytes.len == 0)
		return true;
	if (conn_write(login->conn, bytes) != GP_OK)
		return false;
	buf_consume(output, bytes.len);
	return true;
}

/* The event's slices borrow from the input and the engine, both of which end here. */
static void finish(struct backend_login *login, const struct login_client_event *event, size_t used)
{
	char *capabilities = mem_strndup(event->capabilities.data, event->capabilities.len);
	char *text = mem_strndup(event->text.data, event->text.len);
	struct backend_login_ready ready = { .capabilities = { capabilities,
						     event->capabilities.len },
		.text = { text, event->text.len },
		.needs_filter = event->needs_filter,
		.pconn = &login->conn };

	backend_dial_worked(login->dial);
	conn_consume(login->conn, used);
	conn_set_deadline(login->conn, 0);
	login->ops->on_ready(login, &ready, login->owner);
	mem_free(capabilities);
	mem_free(text);
}

static void refuse(struct backend_login *login, struct slice text)
{
	log_warn("backend_refused", LOG_ID("session", login->conf.session),
		LOG_STR("backend", login->backend->conf->name), LOG_SLICE("text", text));
	backend_dial_worked(login->dial);
	drop_host(login);
	login->ops->on_failed(login, REASON_BACKEND_REFUSED, login->owner);
}

/* false: nothing more to do with this engine now. */
static bool perform(
	struct backend_login *login, const struct login_client_event *event, size_t used)
{
	const struct config_backend *conf = login->backend->conf;

	switch (event->type) {
	case ENGINE_EVENT_NONE:
		conn_consume(login->conn, used);
		return used > 0;
	case ENGINE_EVENT_STARTTLS:
		conn_consume(login->conn, used);
		if (conn_starttls_client(login->conn, login->backend->tls, conf->tls_name) != GP_OK)
			next_host(login, "bytes after the STARTTLS answer", slice_str(NULL));
		return false;
	case ENGINE_EVENT_READY:
		finish(login, event, used);
		return false;
	case ENGINE_EVENT_REFUSED:
		refuse(login, event->text);
		return false;
	case ENGINE_EVENT_FAILED:
		next_host(login, "unusable answer", event->text);
		return false;
	case ENGINE_EVENT_REPLY:
		break;
	}
	GP_ASSERT(!"an event of a login engine");
	return false;
}

static void pump(struct backend_login *login)
{
	const struct login_client_ops *protocol = login->conf.protocol;
	bool goes_on = true;

	while (goes_on) {
		struct login_client_event event = { .type = ENGINE_EVENT_NONE };
		size_t used = protocol->input(login->engine, conn_input(login->conn), &event);

		if (!send_output(login)) {
			next_host(login, "does not read", slice_str(NULL));
			return;
		}
		goes_on = perform(login, &event, used);
	}
}

static void on_input(struct conn *conn, void *owner)
{
	(void)conn;
	pump(owner);
}

static void on_drained(struct conn *conn, void *owner)
{
	(void)conn;
	(void)owner;
}

static void on_tls(struct conn *conn, void *owner)
{
	struct backend_login *login = owner;

	(void)conn;
	login->conf.protocol->tls_started(login->engine);
	pump(login);
}

static void on_closed(struct conn *conn, enum conn_end end, void *owner)
{
	const char *why = end == CONN_END_TLS       ? conn_tls_error(conn)
			  : end == CONN_END_TIMEOUT ? "no answer in time"
						    : "closed the connection";

	next_host(owner, why, slice_str(NULL));
}

static const struct conn_ops login_conn_ops = {
	.on_input = on_input,
	.on_drained = on_drained,
	.on_tls = on_tls,
	.on_closed = on_closed,
};

static void create_engine(struct backend_login *login)
{
	const struct config_backend *conf = login->backend->conf;
	const struct haproxy_header *client = &login->conf.client;
	char client_text[IP_TEXT_SIZE];
	char local_text[IP_TEXT_SIZE];
	char session[SESSION_TEXT_SIZE];
	struct login_client_conf engine = { .credential = login->conf.credential,
		.address = slice_str(login->address),
		.user = slice_str(conf->auth_user),
		.secret = secret_slice(login->secret),
		.want_starttls = conf->tls == CONFIG_TLS_STARTTLS,
		.tell_client = conf->client_address == CONFIG_CLIENT_ID,
		.client_address = slice_str(ip_format(&client->client, client_text)),
		.client_port = client->client_port,
		.local_address = slice_str(ip_format(&client->local, local_text)),
		.local_port = client->local_port };

	snprintf(session, sizeof session, "%016" PRIx64, login->conf.session);
	engine.session = slice_str(session);
	login->engine = login->conf.protocol->create(&engine);
}

/* The person waits, and the token ages: no longer than the whole sign-in may take. */
static int64_t patience_ms(const struct backend_login *login)
{
	unsigned reply = login->backend->conf->reply_timeout;
	unsigned whole = login->settings->config->login_timeout;

	return (int64_t)(reply < whole ? reply : whole) * 1000;
}

static void on_open(struct backend_dial *dial, struct conn **pconn, void *owner)
{
	struct backend_login *login = owner;

	(void)dial;
	login->conn = *pconn;
	*pconn = NULL;
	conn_set_owner(login->conn, &login_conn_ops, login, BACKEND_INPUT_MAX, BACKEND_OUTPUT_MAX);
	conn_set_deadline(login->conn, patience_ms(login));
	create_engine(login);
	pump(login);
}

static void on_dial_failed(struct backend_dial *dial, void *owner)
{
	struct backend_login *login = owner;

	(void)dial;
	login->ops->on_failed(login, REASON_BACKEND, login->owner);
}

static const struct backend_dial_ops dial_ops = {
	.on_open = on_open,
	.on_failed = on_dial_failed,
};

struct backend_login *backend_login_new(struct front *front, struct settings_backend *backend,
	const struct backend_login_conf *conf, const struct backend_login_ops *ops, void *owner)
{
	struct backend_login *login = mem_new(1, sizeof *login);

	login->front = front;
	login->settings = settings_hold(front->settings);
	login->backend = backend;
	login->conf = *conf;
	login->address = mem_strndup(conf->address.data, conf->address.len);
	login->secret = secret_new(conf->secret);
	login->conf.address = slice_str(login->address);
	login->conf.secret = secret_slice(login->secret);
	login->ops = ops;
	login->owner = owner;
	login->conf.pdial = NULL;
	login->dial = *conf->pdial;
	*conf->pdial = NULL;
	backend_dial_begin(login->dial, backend, &login->conf.client, &dial_ops, login);
	return login;
}

void backend_login_free(struct backend_login **plogin)
{
	struct backend_login *login = *plogin;

	*plogin = NULL;
	if (login == NULL)
		return;
	drop_host(login);
	backend_dial_free(&login->dial);
	mem_free(login->address);
	secret_free(&login->secret);
	settings_release(&login->settings);
	mem_free(login);
}
