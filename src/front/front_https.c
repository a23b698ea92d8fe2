/* SPDX-License-Identifier: ISC */
#include "front/front_https.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/dialer.h"
#include "proto/http_answer.h"
#include "proto/http_server.h"

enum {
	HEAD_ROOM = HTTP_ANSWER_HEAD_MAX + 64,
	WEB_INPUT_MAX = 64 * 1024,
};

enum state {
	READING,
	DIALING,
	ASKING,
	ANSWERING,
};

struct https {
	struct session *session;
	enum state state;
	struct http_server http;
	struct dial dial;
	struct conn *web;   /* NULL: not dialed */
	struct buf request; /* as it goes to web */
	enum http_method method;
	bool is_last;       /* the connection ends with this answer */
	uint64_t body_left; /* of the answer */
	int64_t since;      /* clock_steady(): when the request, the pause or the answer began */
	bool has_begun;     /* bytes of a request are there, or it is the first */
	bool is_counted;    /* among front->asking_web */
};

static struct https *https_of(const struct session *session)
{
	return session->shell;
}

static void enter(struct https *https, enum state state)
{
	https->state = state;
	https->since = clock_steady();
}

static void leave_web(struct https *https)
{
	dialer_fini_dial(&https->dial);
	conn_free(&https->web);
	buf_fini(&https->request);
	if (https->is_counted)
		https->session->front->asking_web--;
	https->is_counted = false;
}

/* An answer of our own, then the end. */
static void refuse(struct https *https, enum http_fault fault)
{
	struct session *session = https->session;
	struct buf out;

	leave_web(https);
	enter(https, READING);
	log_debug("http_refused", LOG_ID("session", session->id),
		LOG_UINT("status", http_fault_status(fault)),
		LOG_STR("why", http_fault_detail(fault)));
	buf_init(&out, HTTP_REFUSAL_MAX);
	if (http_refusal_append(fault, https->method == HTTP_HEAD, &out) != GP_OK ||
		session_send(session, &out))
		session_finish(session);
	buf_fini(&out);
}

/* The answer. */

static void on_web_input(struct conn *conn, void *owner);
static void on_web_closed(struct conn *conn, enum conn_end end, void *owner);

static void ignore(struct conn *conn, void *owner)
{
	(void)conn;
	(void)owner;
}

static const struct conn_ops web_ops = {
	.on_input = on_web_input,
	.on_drained = ignore,
	.on_tls = ignore,
	.on_closed = on_web_closed,
};

/* How long the next request may be in coming. */
static int64_t pause_ms(const struct session *session)
{
	int64_t whole = (int64_t)session->settings->config->login_timeout * 1000;

	return whole < FRONT_HTTPS_IDLE_MS ? whole : FRONT_HTTPS_IDLE_MS;
}

static void end_answer(struct https *https)
{
	struct session *session = https->session;

	leave_web(https);
	http_server_init(&https->http);
	https->has_begun = false;
	enter(https, READING);
	if (https->is_last || session->front->is_stopping) {
		session_finish(session);
		return;
	}
	session_yield(session);
	loop_timer_set(&session->timer, pause_ms(session));
	session_resume(session);
}

/* Passes on as much of the body as the browser takes in this turn. */
static void pump(struct https *https)
{
	struct session *session = https->session;

	while (https->body_left > 0) {
		struct slice waiting = conn_input(https->web);
		size_t room = SESSION_OUTPUT_MAX - conn_output_len(session->conn);
		size_t n = waiting.len < room ? waiting.len : room;

		if (n > https->body_left)
			n = (size_t)https->body_left;
		if (room == 0)
			conn_pause(https->web); /* until on_drained() */
		if (n == 0)
			return;
		if (conn_write(session->conn, slice_head(waiting, n)) != GP_OK) {
			session_end(session, "connection lost");
			return;
		}
		conn_consume(https->web, n);
		https->body_left -= n;
	}
	end_answer(https);
}

static void take_head(struct https *https)
{
	struct http_answer answer;
	struct buf head;

	buf_init(&head, HEAD_ROOM);
	switch (http_answer_read(conn_input(https->web), https->method == HTTP_HEAD,
		https->is_last || https->session->front->is_stopping, &head, &answer)) {
	case HTTP_ANSWER_MORE:
		break;
	case HTTP_ANSWER_BAD:
		log_error("web_answer_bad", LOG_ID("session", https->session->id));
		refuse(https, HTTP_FAULT_BAD_WEB);
		break;
	case HTTP_ANSWER_HEAD:
		conn_consume(https->web, answer.head_len);
		https->body_left = answer.body_len;
		enter(https, ANSWERING);
		if (session_send(https->session, &head))
			pump(https);
		break;
	}
	buf_fini(&head);
}

static void on_web_input(struct conn *conn, void *owner)
{
	struct https *https = owner;
	struct session *session = https->session;

	(void)conn;
	if (session->is_over || session->is_finishing)
		return;
	if (https->state == ASKING)
		take_head(https);
	else if (https->state == ANSWERING)
		pump(https);
}

static void on_web_closed(struct conn *conn, enum conn_end end, void *owner)
{
	struct https *https = owner;

	(void)conn;
	if (https->session->is_over || https->session->is_finishing)
		conn_free(&https->web);
	else if (https->state == ANSWERING)
		session_end(https->session, "the portal's answer broke off");
	else
		refuse(https, end == CONN_END_TIMEOUT ? HTTP_FAULT_LATE : HTTP_FAULT_NO_WEB);
}

/* The request. */

static void on_dialed(struct dial *dial, int *fd, int errno_value)
{
	struct https *https = dial->owner;

	(void)errno_value;
	if (https->session->is_over || https->session->is_finishing)
		return;
	if (*fd < 0) {
		refuse(https, HTTP_FAULT_NO_WEB);
		return;
	}
	https->web = conn_new(
		https->session->front->loop, fd, &web_ops, https, WEB_INPUT_MAX, HTTP_REQUEST_MAX);
	conn_set_deadline(https->web, FRONT_HTTPS_ANSWER_MS);
	enter(https, ASKING);
	if (conn_write(https->web, buf_slice(&https->request)) != GP_OK)
		refuse(https, HTTP_FAULT_NO_WEB);
	buf_fini(&https->request);
}

static void take_request(struct https *https, const struct http_request *request)
{
	struct session *session = https->session;
	const struct config_nets *proxies = &session->listener->trusted_proxies;
	struct ip client =
		http_request_client(request, &session->peer.client, proxies->nets, proxies->count);
	bool is_direct = ip_equal(&client, &session->peer.client);
	enum gp_err err;

	https->method = request->method;
	https->is_last = request->is_last;
	if (session->front->asking_web >= FRONT_HTTPS_ASKING_MAX) {
		refuse(https, HTTP_FAULT_NO_WEB);
		return;
	}
	buf_init_secret(&https->request, HTTP_REQUEST_MAX);
	err = http_request_append(request, &https->request);
	GP_ASSERT(err == GP_OK);
	conn_consume(session->conn, request->length);
	session_pause(session);
	https->is_counted = true;
	session->front->asking_web++;
	enter(https, DIALING);
	dialer_init_dial(session->front->dialer, &https->dial, on_dialed, https);
	dialer_start_web(&https->dial, &client, is_direct ? session->peer.client_port : 0,
		FRONT_HTTPS_DIAL_MS);
}

static void on_input(struct session *session)
{
	struct https *https = https_of(session);
	struct slice input = conn_input(session->conn);
	struct buf interim;
	struct http_request request;

	if (https->state != READING || input.len == 0)
		return;
	if (!https->has_begun) {
		https->has_begun = true;
		enter(https, READING);
	}
	switch (http_server_input(&https->http, input, &request)) {
	case HTTP_MORE:
		break;
	case HTTP_CONTINUE:
		buf_init(&interim, http_continue.len);
		if (buf_append(&interim, http_continue) == GP_OK)
			(void)session_send(session, &interim);
		buf_fini(&interim);
		break;
	case HTTP_WHOLE:
		take_request(https, &request);
		break;
	case HTTP_REFUSED:
		https->method = https->http.method;
		refuse(https, http_server_fault(&https->http));
		break;
	}
}

static void on_drained(struct session *session)
{
	struct https *https = https_of(session);

	if (https->state == ANSWERING && https->web != NULL)
		conn_resume(https->web); /* on_web_input() follows */
}

/* Life. */

static void begin(struct session *session)
{
	struct https *https = mem_new(1, sizeof *https);

	https->session = session;
	http_server_init(&https->http);
	buf_init_secret(&https->request, HTTP_REQUEST_MAX);
	https->state = READING;
	/* The handshake counts. */
	https->since = session->started;
	https->has_begun = true;
	session->shell = https;
	session_take_input(session, HTTP_INPUT_MAX);
}

static void on_tls(struct session *session)
{
	(void)session;
	GP_ASSERT(!"a listener with implicit TLS");
}

static bool on_gone(struct session *session)
{
	(void)session;
	return false;
}

static void say_last(struct session *session, struct slice line)
{
	struct https *https = https_of(session);

	(void)line;
	if (https->state == READING && conn_input(session->conn).len > 0)
		refuse(https, session->front->is_stopping ? HTTP_FAULT_NO_WEB : HTTP_FAULT_SLOW);
	else if (https->state == READING)
		session_finish(session);
	else
		session_end(session, "timed out");
}

static bool is_waiting(const struct session *session)
{
	const struct https *https = https_of(session);

	return https->state == DIALING || https->state == ASKING;
}

static bool is_idle(struct session *session)
{
	return https_of(session)->state == READING && conn_input(session->conn).len == 0;
}

static int64_t deadline(const struct session *session)
{
	const struct https *https = https_of(session);

	if (https->state == READING && !https->has_begun)
		return https->since + pause_ms(session);
	return https->since + (int64_t)session->settings->config->login_timeout * 1000;
}

static void destroy(struct session *session)
{
	struct https *https = https_of(session);

	leave_web(https);
	mem_free(https);
	session->shell = NULL;
}

const struct session_protocol front_https_protocol = {
	.protocol = PROTOCOL_HTTP,
	.begin = begin,
	.on_input = on_input,
	.on_drained = on_drained,
	.on_tls = on_tls,
	.on_gone = on_gone,
	.say_last = say_last,
	.is_waiting = is_waiting,
	.is_idle = is_idle,
	.deadline = deadline,
	.destroy = destroy,
};
