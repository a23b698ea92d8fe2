/* SPDX-License-Identifier: ISC */
#include "web/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "web/request.h"

struct server {
	struct web *web;
	struct MHD_Daemon *daemon;
	struct loop_io io;
	struct loop_timer timer;
	struct loop_task task;
	struct ip arriving; /* of the connection that is being added */
};

/* One request, and its connection with it. */
struct exchange {
	struct server *server;
	struct MHD_Connection *connection;
	char *target;
	struct buf body;
	struct request *request; /* NULL until it is whole */
	bool has_begun;
	bool is_too_long;
	bool is_suspended;
};

/* Turns. */

static void turn(struct server *server)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;

	if (MHD_run(server->daemon) != MHD_YES)
		log_error("mhd_failed", LOG_STR("call", "MHD_run"));
	if (MHD_get_timeout(server->daemon, &ms) == MHD_YES)
		loop_timer_set(&server->timer, (int64_t)(ms < INT32_MAX ? ms : INT32_MAX));
	else
		loop_timer_clear(&server->timer);
}

static void on_ready(struct loop_io *io, unsigned ready)
{
	(void)ready;
	turn(io->owner);
}

static void on_timer(struct loop_timer *timer)
{
	turn(timer->owner);
}

static void run_turn(struct loop_task *task)
{
	turn(task->owner);
}

/* Requests. */

static struct slice field(const struct exchange *exchange, const char *name)
{
	return slice_str(MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name));
}

static const struct ip *client_of(const struct exchange *exchange)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

static void on_answer(struct request *request, void *owner)
{
	struct exchange *exchange = owner;
	struct server *server = exchange->server;

	(void)request;
	if (!exchange->is_suspended)
		return;
	exchange->is_suspended = false;
	MHD_resume_connection(exchange->connection);
	loop_defer(server->web->loop, &server->task, run_turn, server);
}

static void begin_request(struct exchange *exchange, const char *method)
{
	struct request_facts facts = { .client = *client_of(exchange),
		.method = slice_str(method),
		.target = slice_str(exchange->target),
		.host = field(exchange, "Host"),
		.origin = field(exchange, "Origin"),
		.site = field(exchange, "Sec-Fetch-Site"),
		.content_type = field(exchange, "Content-Type"),
		.accept_encoding = field(exchange, "Accept-Encoding"),
		.accept_language = field(exchange, "Accept-Language"),
		.if_none_match = field(exchange, "If-None-Match"),
		.cookie = field(exchange, "Cookie"),
		.authorization = field(exchange, "Authorization"),
		.idempotency_key = field(exchange, "Idempotency-Key"),
		.user_agent = field(exchange, "User-Agent"),
		.body = buf_slice(&exchange->body) };

	exchange->request = request_new(exchange->server->web, &facts, on_answer, exchange);
	buf_fini(&exchange->body);
}

/* Answers. */

static bool add_fields(struct MHD_Response *response, const struct answer *answer)
{
	bool is_good = true;

	for (size_t i = 0; i < answer_common_count; i++) {
		const char *value =
			answer->is_page ? answer_common[i].page : answer_common[i].other;

		if (value != NULL)
			is_good = is_good && MHD_add_response_header(response,
						     answer_common[i].name, value) == MHD_YES;
	}
	for (unsigned i = 0; i < answer->field_count; i++)
		is_good = is_good && MHD_add_response_header(response, answer->fields[i].name,
					     answer->fields[i].value) == MHD_YES;
	return is_good;
}

/* The body is the answer's, which the exchange keeps until it is over. */
static enum MHD_Result send_answer(struct exchange *exchange, const struct answer *answer)
{
	struct slice body =
		answer->content.data != NULL ? answer->content : buf_slice(&answer->body);
	struct MHD_Response *response;
	enum MHD_Result result = MHD_NO;
	void *data = NULL;

	if (body.len > 0)
		memcpy(&data, &body.data, sizeof data); /* without its const: it is only read */
	response = MHD_create_response_from_buffer(body.len, data, MHD_RESPMEM_PERSISTENT);
	if (response == NULL)
		return MHD_NO;
	if (add_fields(response, answer))
		result = MHD_queue_response(exchange->connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result on_whole(struct exchange *exchange, const char *method)
{
	const struct answer *answer;

	if (exchange->is_too_long)
		return MHD_NO;
	if (exchange->request == NULL)
		begin_request(exchange, method);
	answer = request_answer(exchange->request);
	if (answer != NULL)
		return send_answer(exchange, answer);
	exchange->is_suspended = true;
	MHD_suspend_connection(exchange->connection);
	return MHD_YES;
}

/* What libmicrohttpd calls. */

static void *on_target(void *owner, const char *target, struct MHD_Connection *connection)
{
	struct exchange *exchange = mem_new(1, sizeof *exchange);

	exchange->server = owner;
	exchange->connection = connection;
	exchange->target = mem_strdup(target);
	buf_init_secret(&exchange->body, REQUEST_BODY_MAX);
	return exchange;
}

static enum MHD_Result on_request(void *owner, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **context)
{
	struct exchange *exchange = *context;

	(void)owner;
	(void)connection;
	(void)url;
	(void)version;
	if (exchange == NULL)
		return MHD_NO;
	if (!exchange->has_begun) {
		exchange->has_begun = true;
		return MHD_YES;
	}
	if (*upload_size == 0)
		return on_whole(exchange, method);
	if (buf_append(&exchange->body, slice_of(upload, *upload_size)) != GP_OK)
		exchange->is_too_long = true;
	*upload_size = 0;
	return MHD_YES;
}

static void on_completed(void *owner, struct MHD_Connection *connection, void **context,
	enum MHD_RequestTerminationCode how)
{
	struct exchange *exchange = *context;

	(void)owner;
	(void)connection;
	(void)how;
	*context = NULL;
	if (exchange == NULL)
		return;
	request_free(&exchange->request);
	buf_fini(&exchange->body);
	mem_free(exchange->target);
	mem_free(exchange);
}

/* The connection's context is where the browser is. */
static void on_connection(void *owner, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	const struct server *server = owner;
	struct ip *client;

	(void)connection;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		client = mem_new(1, sizeof *client);
		*client = server->arriving;
		*context = client;
	} else {
		mem_free(*context);
		*context = NULL;
	}
}

/* Paths and queries are taken apart by ourselves (web/route.h). */
static size_t keep_escapes(void *owner, struct MHD_Connection *connection, char *text)
{
	(void)owner;
	(void)connection;
	return strlen(text);
}

/* Life. */

enum gp_err server_new(struct web *web, struct server **ret_server, struct gp_why *why)
{
	struct server *server = mem_new(1, sizeof *server);
	const union MHD_DaemonInfo *info;

	server->web = web;
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		on_request, server,                                /* the options follow */
		MHD_OPTION_URI_LOG_CALLBACK, on_target, server,    /* makes the exchange */
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, /* ends it */
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_UNESCAPE_CALLBACK,
		keep_escapes, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVER_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SERVER_TIMEOUT_S,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_END);
	info = server->daemon != NULL
		       ? MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)
		       : NULL;
	if (info == NULL) {
		mem_free(server);
		return gp_why_set(
			why, GP_ERR_IO, "libmicrohttpd did not start: %s", strerror(errno));
	}
	loop_io_start(web->loop, &server->io, info->epoll_fd, LOOP_READ, on_ready, server);
	loop_timer_init(web->loop, &server->timer, on_timer, server);
	*ret_server = server;
	return GP_OK;
}

void server_free(struct server **pserver)
{
	struct server *server = *pserver;

	*pserver = NULL;
	if (server == NULL)
		return;
	loop_io_stop(&server->io);
	loop_timer_fini(&server->timer);
	MHD_stop_daemon(server->daemon);
	mem_free(server);
}

void server_add(struct server *server, int *fd, const struct ip *client)
{
	const struct sockaddr nobody = { .sa_family = AF_UNIX };
	int taken = *fd;

	*fd = -1;
	server->arriving = *client;
	/* It closes the descriptor if it fails. */
	if (MHD_add_connection(server->daemon, taken, &nobody, sizeof nobody) != MHD_YES)
		log_warn("connection_not_taken", LOG_ERRNO);
	turn(server);
}
