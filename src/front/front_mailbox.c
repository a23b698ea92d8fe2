/* SPDX-License-Identifier: ISC */
#include "front/front_mailbox.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/backend_dial.h"
#include "front/backend_login.h"
#include "front/session_core.h"
#include "net/relay.h"
#include "proto/imap_client.h"
#include "proto/imap_filter.h"
#include "proto/imap_server.h"
#include "proto/pop3_client.h"
#include "proto/pop3_server.h"

enum mailbox_state {
	MAILBOX_LOGIN,
	MAILBOX_ASKING,
	MAILBOX_OPENING,
	MAILBOX_RELAY,
};

/* All that an idle signed-in session keeps is this, the relay and the two connections. */
struct mailbox {
	struct session *session;
	enum mailbox_state state;
	struct mailbox_login *login; /* NULL once relayed */
	struct relay *relay;
	struct imap_filter *commands;
	struct imap_filter *responses;
	struct relay_totals seen; /* at the last look: was the relay idle since? */
};

/* What only lives until sign-in. */
struct mailbox_login {
	struct engine_server_conf conf;
	const struct login_server_ops *server_ops;
	const struct login_client_ops *client_ops;
	void *server;
	struct secret *secret;     /* as typed, where a backend wants it passed through */
	struct backend_dial *dial; /* while core is asked: it may have the backend dialled */
	struct backend_login *backend;
};

static void pump(struct mailbox *mailbox);

static void free_login(struct mailbox *mailbox)
{
	struct mailbox_login *login = mailbox->login;

	mailbox->login = NULL;
	if (login == NULL)
		return;
	backend_dial_free(&login->dial);
	backend_login_free(&login->backend);
	if (login->server != NULL)
		login->server_ops->destroy(login->server);
	secret_free(&login->secret);
	mem_free(login);
}

/* The answer to a sign-in, and on with the dialogue. */
static void answer(struct mailbox *mailbox, const struct engine_answer *reply)
{
	struct mailbox_login *login = mailbox->login;

	GP_ASSERT(reply->verdict != VERDICT_OK);
	backend_dial_free(&login->dial);
	secret_free(&login->secret);
	mailbox->state = MAILBOX_LOGIN;
	login->server_ops->answer_signin(login->server, reply);
	pump(mailbox);
}

static void answer_verdict(struct mailbox *mailbox, enum verdict verdict, int64_t ban_ms)
{
	struct engine_answer reply = { .verdict = verdict,
		.ban_minutes = session_ban_minutes(ban_ms),
		.ban_reference = session_ban_reference(mailbox->session) };

	answer(mailbox, &reply);
}

/* The relay. */

static void on_relay_end(struct relay *relay, void *owner)
{
	struct mailbox *mailbox = owner;
	struct relay_totals totals = relay_totals(relay);

	mailbox->session->from_client = totals.client_bytes;
	mailbox->session->from_backend = totals.backend_bytes;
	session_end(mailbox->session, "closed");
}

static int64_t idle_ms(const struct session *session)
{
	const struct config *config = session->settings->config;

	return 1000 * (int64_t)(session->protocol->protocol == PROTOCOL_IMAP
					? config->imap_timeout
					: config->pop3_timeout);
}

static void start_relay(struct mailbox *mailbox, struct conn **pbackend, bool needs_filter)
{
	struct session *session = mailbox->session;
	struct relay_filter from_client = { .pass = imap_filter_pass };
	struct relay_filter from_backend = { .pass = imap_filter_pass };

	if (needs_filter) {
		mailbox->commands = imap_filter_new_commands();
		mailbox->responses = imap_filter_new_responses();
		from_client.state = mailbox->commands;
		from_backend.state = mailbox->responses;
	}
	session_resume(session);
	mailbox->relay = relay_new(session->front->loop, &session->conn, pbackend,
		needs_filter ? &from_client : NULL, needs_filter ? &from_backend : NULL,
		idle_ms(session), on_relay_end, mailbox);
	mailbox->state = MAILBOX_RELAY;
	free_login(mailbox);
	session_settle(session);
}

/* The backend. */

static void on_backend_ready(
	struct backend_login *backend, const struct backend_login_ready *ready, void *owner)
{
	struct mailbox *mailbox = owner;
	struct mailbox_login *login = mailbox->login;
	struct engine_answer reply = {
		.verdict = VERDICT_OK, .capabilities = ready->capabilities, .text = ready->text
	};

	(void)backend;
	if (mailbox->session->is_over || mailbox->session->is_finishing)
		return;
	login->server_ops->answer_signin(login->server, &reply);
	if (session_send(mailbox->session, login->server_ops->output(login->server)))
		start_relay(mailbox, ready->pconn, ready->needs_filter);
}

static void on_backend_failed(struct backend_login *backend, enum reason reason, void *owner)
{
	struct mailbox *mailbox = owner;

	(void)backend;
	if (mailbox->session->is_over || mailbox->session->is_finishing)
		return;
	backend_login_free(&mailbox->login->backend);
	session_core_undo_signin(mailbox->session, reason);
	answer_verdict(mailbox, VERDICT_TEMPORARY, 0);
}

static const struct backend_login_ops backend_ops = {
	.on_ready = on_backend_ready,
	.on_failed = on_backend_failed,
};

static void fill_credential(const struct mailbox *mailbox, const struct settings_backend *backend,
	struct slice token, struct backend_login_conf *conf)
{
	switch (backend->conf->auth) {
	case CONFIG_AUTH_TOKEN:
		conf->credential = LOGIN_TOKEN;
		conf->secret = token;
		break;
	case CONFIG_AUTH_MASTER:
		conf->credential = LOGIN_MASTER;
		conf->secret = secret_slice(backend->auth);
		break;
	case CONFIG_AUTH_PASSTHROUGH:
		conf->credential = LOGIN_PASSTHROUGH;
		conf->secret = secret_slice(mailbox->login->secret);
		break;
	}
}

static void open_mailbox(struct mailbox *mailbox, const struct ipc_signin_reply *reply)
{
	struct session *session = mailbox->session;
	struct mailbox_login *login = mailbox->login;
	struct settings_backend *backend =
		settings_backend(session->front->settings, reply->backend);
	struct backend_login_conf conf = { .pdial = &login->dial,
		.protocol = login->client_ops,
		.address = reply->address,
		.client = session->peer,
		.session = session->id };

	if (backend == NULL) {
		log_error("no_such_backend", LOG_ID("session", session->id),
			LOG_SLICE("backend", reply->backend));
		session_core_undo_signin(session, REASON_BACKEND);
		answer_verdict(mailbox, VERDICT_TEMPORARY, 0);
		return;
	}
	fill_credential(mailbox, backend, reply->token, &conf);
	mailbox->state = MAILBOX_OPENING;
	login->backend = backend_login_new(session->front, backend, &conf, &backend_ops, mailbox);
	secret_free(&login->secret);
}

static void on_signin(struct session *session, const struct ipc_signin_reply *reply)
{
	struct mailbox *mailbox = session->shell;
	struct mailbox_login *login = mailbox->login;

	if (reply->verdict != VERDICT_OK) {
		answer_verdict(mailbox, (enum verdict)reply->verdict, reply->ban_ms);
		return;
	}
	session_set_person(session, reply, login->server_ops->client_name(login->server));
	open_mailbox(mailbox, reply);
}

/* The dialogue. */

static void ask_signin(struct mailbox *mailbox, const struct engine_signin *signin)
{
	struct session *session = mailbox->session;
	struct mailbox_login *login = mailbox->login;
	const char *name = login->server_ops->client_name(login->server);
	struct engine_answer reply = { .verdict = VERDICT_DENY };

	if (session_core_is_askable(signin)) {
		login->dial = backend_dial_expect(session->front, session->id);
		if (session_core_ask_signin(
			    session, signin, name, backend_dial_request(login->dial))) {
			mailbox->state = MAILBOX_ASKING;
			if (session->front->settings->has_passthrough)
				login->secret = secret_new(signin->secret);
			return;
		}
		backend_dial_free(&login->dial);
		reply.verdict = VERDICT_TEMPORARY;
	}
	login->server_ops->answer_signin(login->server, &reply);
}

/* false: the loop of pump() ends here. */
static bool perform(struct mailbox *mailbox, const struct engine_action *action, size_t used)
{
	struct session *session = mailbox->session;
	struct mailbox_login *login = mailbox->login;
	struct buf *output = login->server_ops->output(login->server);

	if (action->type == ENGINE_SIGNIN)
		ask_signin(mailbox, &action->signin);
	else if (action->type == ENGINE_NOTE)
		session_core_note(
			session, &action->note, login->server_ops->client_name(login->server));
	conn_consume(session->conn, used);
	if (!session_send(session, output))
		return false;
	if (action->type == ENGINE_STARTTLS) {
		(void)session_start_tls(session);
		return false;
	}
	if (action->type == ENGINE_CLOSE) {
		session_finish(session);
		return false;
	}
	return mailbox->state == MAILBOX_LOGIN && (used > 0 || action->type != ENGINE_NONE);
}

static void pump(struct mailbox *mailbox)
{
	struct session *session = mailbox->session;
	struct mailbox_login *login = mailbox->login;
	bool goes_on = mailbox->state == MAILBOX_LOGIN;

	while (goes_on) {
		struct engine_action action = { .type = ENGINE_NONE };
		size_t used =
			login->server_ops->input(login->server, conn_input(session->conn), &action);

		goes_on = perform(mailbox, &action, used);
	}
	if (session->is_over || session->is_finishing)
		return;
	/* While a question is open nothing is read: there is no queue of unparsed commands. */
	if (mailbox->state == MAILBOX_LOGIN)
		session_resume(session);
	else
		session_pause(session);
}

static void on_input(struct session *session)
{
	pump(session->shell);
}

static void on_tls(struct session *session)
{
	struct mailbox *mailbox = session->shell;

	mailbox->login->server_ops->tls_started(mailbox->login->server);
	pump(mailbox);
}

/* An engine stops using input while its output is full; now it may go on. */
static void on_drained(struct session *session)
{
	pump(session->shell);
}

static void begin(struct session *session, const struct login_server_ops *server_ops,
	const struct login_client_ops *client_ops)
{
	struct mailbox *mailbox = mem_new(1, sizeof *mailbox);
	struct mailbox_login *login = mem_new(1, sizeof *login);

	mailbox->session = session;
	mailbox->login = login;
	login->server_ops = server_ops;
	login->client_ops = client_ops;
	session_fill_conf(session, &login->conf);
	login->server = server_ops->create(&login->conf);
	session->shell = mailbox;
	pump(mailbox);
}

static void begin_imap(struct session *session)
{
	begin(session, &imap_server_ops, &imap_client_ops);
}

static void begin_pop3(struct session *session)
{
	begin(session, &pop3_server_ops, &pop3_client_ops);
}

/* The end. */

static bool on_gone(struct session *session)
{
	(void)session;
	return false;
}

static void say_last(struct session *session, struct slice line)
{
	struct mailbox *mailbox = session->shell;

	if (mailbox->relay != NULL) {
		/* on_relay_end() follows. */
		relay_finish(mailbox->relay, line);
		return;
	}
	if (session_send(session, mailbox->login->server_ops->output(mailbox->login->server)) &&
		(line.len == 0 || conn_write(session->conn, line) == GP_OK))
		session_finish(session);
	else
		session_end(session, "closed");
}

static bool is_waiting(const struct session *session)
{
	const struct mailbox *mailbox = session->shell;

	return mailbox->state == MAILBOX_ASKING || mailbox->state == MAILBOX_OPENING;
}

/* A relay is idle when nothing was passed on since the last look. */
static bool is_idle(struct session *session)
{
	struct mailbox *mailbox = session->shell;
	struct relay_totals before = mailbox->seen;

	if (mailbox->relay == NULL)
		return !is_waiting(session);
	mailbox->seen = relay_totals(mailbox->relay);
	return mailbox->seen.client_bytes == before.client_bytes &&
	       mailbox->seen.backend_bytes == before.backend_bytes;
}

static void destroy(struct session *session)
{
	struct mailbox *mailbox = session->shell;

	relay_free(&mailbox->relay);
	imap_filter_free(&mailbox->commands);
	imap_filter_free(&mailbox->responses);
	free_login(mailbox);
	mem_free(mailbox);
	session->shell = NULL;
}

/* Only SMTP asks these. */
static void on_no_mail(struct session *session, const struct ipc_mail_reply *reply)
{
	(void)session;
	(void)reply;
}

static void on_no_rcpt(struct session *session, const struct ipc_rcpt_reply *reply)
{
	(void)session;
	(void)reply;
}

static void on_no_from(struct session *session, const struct ipc_from_reply *reply)
{
	(void)session;
	(void)reply;
}

static void on_no_end(struct session *session, const struct ipc_end_reply *reply)
{
	(void)session;
	(void)reply;
}

#define MAILBOX_PROTOCOL(which, begin_it)                                             \
	{                                                                             \
		.protocol = (which), .speaks_first = true, .begin = (begin_it),       \
		.on_input = on_input, .on_drained = on_drained, .on_tls = on_tls,     \
		.on_signin = on_signin, .on_mail = on_no_mail, .on_rcpt = on_no_rcpt, \
		.on_from = on_no_from, .on_end = on_no_end, .on_gone = on_gone,       \
		.say_last = say_last, .is_waiting = is_waiting, .is_idle = is_idle,   \
		.destroy = destroy,                                                   \
	}

const struct session_protocol front_mailbox_imap = MAILBOX_PROTOCOL(PROTOCOL_IMAP, begin_imap);
const struct session_protocol front_mailbox_pop3 = MAILBOX_PROTOCOL(PROTOCOL_POP3, begin_pop3);
