/* SPDX-License-Identifier: ISC */
#include "front/front_smtp.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/session_core.h"
#include "front/smtp_lease.h"
#include "front/smtp_transaction.h"

struct front_smtp {
	struct session *session;
	struct smtp_server_conf conf;
	struct smtp_server *server;
	struct smtp_transaction tx;
	char *backend; /* name of the next hop of who signed in; NULL: not signed in */
	bool is_pumping;
	/* The path core is asked about. */
	char *address;
	char *params;
	struct smtp_lease lease;
	bool is_mail_untold; /* it was answered by the lease, and core has not heard of it */
	uint64_t mail_size;  /* as that MAIL announced it */
};

static void pump(struct session *session);

static void set_path(struct front_smtp *smtp, const struct engine_path *path)
{
	mem_free(smtp->address);
	mem_free(smtp->params);
	smtp->address = path != NULL ? slice_dup(path->address) : NULL;
	smtp->params = path != NULL ? slice_dup(path->params) : NULL;
}

/* text: the account's address, or core's words, as in RCPT_REPLY. */
static void refuse(struct front_smtp *smtp, enum reply_situation situation, struct slice text)
{
	struct reply_facts facts;
	struct smtp_reply reply;

	session_fill_facts(smtp->session, 0, &facts);
	facts.account = text;
	facts.words = text;
	facts.sender = slice_str(smtp->address);
	if (situation == REPLY_BLOCKED && !smtp->session->settings->config->blocked_reference)
		facts.reference = 0;
	smtp_reply_set_situation(&reply, situation, &facts);
	smtp_server_refuse(smtp->server, &reply);
	if (situation == REPLY_TEMPORARY)
		session_core_note_fault(smtp->session);
}

static void refuse_permit(struct front_smtp *smtp, enum permit permit, struct slice text)
{
	static const enum reply_situation situations[PERMIT_MAX] = {
		[PERMIT_NO] = REPLY_SIGNIN_REQUIRED,
		[PERMIT_BLOCKED] = REPLY_BLOCKED,
		[PERMIT_TEMPORARY] = REPLY_TEMPORARY,
		[PERMIT_NOT_OWN] = REPLY_NOT_OWN,
		[PERMIT_LIMIT] = REPLY_LIMIT,
		[PERMIT_SLOW] = REPLY_SLOW,
		[PERMIT_ASKED] = REPLY_ASKED,
		[PERMIT_SIZE] = REPLY_SIZE,
	};

	GP_ASSERT(permit != PERMIT_YES && permit < PERMIT_MAX);
	refuse(smtp, situations[permit], text);
}

/* Core's answers. */

static void set_caps_of(struct front_smtp *smtp, const struct settings_backend *backend)
{
	const unsigned ours = SMTP_CAP_PIPELINING | SMTP_CAP_SIZE;

	if (backend != NULL && backend->has_caps)
		smtp_server_set_caps(smtp->server, backend->caps | ours, backend->size);
}

static void on_signin(struct session *session, const struct ipc_signin_reply *reply)
{
	struct front_smtp *smtp = session->shell;
	struct engine_answer answer = { .verdict = (enum verdict)reply->verdict,
		.ban_minutes = session_ban_minutes(reply->ban_ms),
		.ban_reference = session_ban_reference(session) };

	if (reply->verdict == VERDICT_OK) {
		session_set_person(session, reply, smtp_server_client_name(smtp->server));
		mem_free(smtp->backend);
		smtp->backend = slice_dup(reply->backend);
		smtp_transaction_leave_hop(&smtp->tx);
		set_caps_of(smtp, settings_backend(session->front->settings, reply->backend));
		session_settle(session);
	}
	smtp_server_answer_signin(smtp->server, &answer);
	pump(session);
}

static void on_from(struct session *session, const struct ipc_from_reply *reply)
{
	struct front_smtp *smtp = session->shell;

	smtp_transaction_from(&smtp->tx, (enum permit)reply->permit, reply->text);
	pump(session);
}

static void on_lease_end(struct session *session)
{
	struct front_smtp *smtp = session->shell;

	smtp_lease_end(&smtp->lease);
}

static void on_core_gone(struct session *session)
{
	struct front_smtp *smtp = session->shell;

	smtp_lease_end(&smtp->lease);
	smtp_books_on_core_gone(&smtp->tx.books);
}

/* size: the largest message, as in MAIL_REPLY. */
static void permit_mail(
	struct front_smtp *smtp, struct slice sender, struct slice params, uint64_t size)
{
	struct settings_backend *backend = NULL;

	if (smtp->backend != NULL)
		backend =
			settings_backend(smtp->session->front->settings, slice_str(smtp->backend));
	if (smtp->backend != NULL && backend == NULL) {
		refuse(smtp, REPLY_TEMPORARY, slice_str(NULL));
		return;
	}
	smtp_server_limit_size(smtp->server, size);
	smtp_transaction_mail(&smtp->tx, backend, sender, params);
}

static void on_mail(struct session *session, const struct ipc_mail_reply *reply)
{
	struct front_smtp *smtp = session->shell;

	if (reply->permit == PERMIT_YES && reply->is_lease)
		smtp_lease_take(&smtp->lease, slice_str(smtp->address), reply->size);
	if (reply->permit == PERMIT_YES)
		permit_mail(smtp, slice_str(smtp->address), slice_str(smtp->params), reply->size);
	else
		refuse_permit(smtp, (enum permit)reply->permit, reply->text);
	set_path(smtp, NULL);
	pump(session);
}

static void on_rcpt(struct session *session, const struct ipc_rcpt_reply *reply)
{
	struct front_smtp *smtp = session->shell;
	struct settings_backend *backend =
		settings_backend(session->front->settings, reply->backend);

	if (reply->permit == PERMIT_YES)
		smtp_books_permit(&smtp->tx.books);
	smtp_books_on_answer(&smtp->tx.books);
	if (reply->permit != PERMIT_YES) {
		refuse_permit(smtp, (enum permit)reply->permit, reply->text);
	} else if (backend == NULL && smtp->backend == NULL) {
		log_error("no_such_backend", LOG_ID("session", session->id),
			LOG_SLICE("backend", reply->backend));
		refuse(smtp, REPLY_TEMPORARY, slice_str(NULL));
	} else {
		/* Whoever brings mail that is wanted is no guest at the door any more. */
		if (!session->is_settled)
			session_settle(session);
		smtp->tx.wants_body |= reply->wants_body;
		smtp_transaction_rcpt(
			&smtp->tx, backend, slice_str(smtp->address), slice_str(smtp->params));
	}
	set_path(smtp, NULL);
	pump(session);
}

static void on_end(struct session *session, const struct ipc_end_reply *reply)
{
	struct front_smtp *smtp = session->shell;

	smtp_transaction_end(&smtp->tx, (enum permit)reply->permit, reply->text);
	pump(session);
}

/* The dialogue. */

static void ask_signin(struct front_smtp *smtp, const struct engine_signin *signin)
{
	struct engine_answer answer = { .verdict = VERDICT_DENY };

	if (session_core_is_askable(signin)) {
		if (session_core_ask_signin(
			    smtp->session, signin, smtp_server_client_name(smtp->server), 0))
			return;
		answer.verdict = VERDICT_TEMPORARY;
	}
	smtp_server_answer_signin(smtp->server, &answer);
}

static void ask_mail(struct front_smtp *smtp, const struct engine_path *path)
{
	smtp_transaction_settle(&smtp->tx);
	smtp->is_mail_untold = smtp_lease_covers(&smtp->lease, path->address, path->size);
	smtp->mail_size = path->size;
	if (smtp->is_mail_untold) {
		permit_mail(smtp, path->address, path->params, smtp->lease.size);
		return;
	}
	smtp_lease_end(&smtp->lease);
	if (session_core_ask_mail(smtp->session, path->address, path->size))
		set_path(smtp, path);
	else
		refuse(smtp, REPLY_TEMPORARY, slice_str(NULL));
}

/* false: core can not be told now. */
static bool tell_mail(struct front_smtp *smtp)
{
	if (smtp->is_mail_untold &&
		!session_core_tell_mail(smtp->session, slice_str(smtp->tx.sender), smtp->mail_size))
		return false;
	smtp->is_mail_untold = false;
	return true;
}

static void ask_rcpt(struct front_smtp *smtp, const struct engine_path *path)
{
	/* What can come to nothing needs no place. */
	bool is_useless = smtp->backend != NULL && smtp_transaction_is_lost(&smtp->tx);

	if (!is_useless && tell_mail(smtp) && session_core_ask_rcpt(smtp->session, path->address))
		set_path(smtp, path);
	else
		refuse(smtp, REPLY_TEMPORARY, slice_str(NULL));
}

static void vrfy(struct front_smtp *smtp, struct slice argument)
{
	struct smtp_reply reply;

	if (smtp_server_is_signed_in(smtp->server)) {
		smtp_transaction_vrfy(&smtp->tx, argument);
		return;
	}
	smtp_reply_set(&reply, 252, "2.5.2", "Cannot verify, but will try to deliver");
	smtp_server_refuse(smtp->server, &reply);
}

/* Those that are done before the input is consumed: their slices borrow from it. */
static void perform(struct front_smtp *smtp, const struct engine_action *action)
{
	switch (action->type) {
	case ENGINE_SIGNIN:
		ask_signin(smtp, &action->signin);
		break;
	case ENGINE_NOTE:
		session_core_note(
			smtp->session, &action->note, smtp_server_client_name(smtp->server));
		break;
	case ENGINE_MAIL:
		ask_mail(smtp, &action->path);
		break;
	case ENGINE_RCPT:
		ask_rcpt(smtp, &action->path);
		break;
	case ENGINE_DATA:
		smtp_transaction_data(&smtp->tx);
		break;
	case ENGINE_BODY:
		smtp_transaction_body(&smtp->tx, action->bytes);
		break;
	case ENGINE_BODY_END:
		smtp_transaction_body_end(&smtp->tx);
		break;
	case ENGINE_RSET:
		smtp_transaction_reset(&smtp->tx);
		break;
	case ENGINE_VRFY:
		vrfy(smtp, action->bytes);
		break;
	case ENGINE_NONE:
	case ENGINE_STARTTLS:
	case ENGINE_CLOSE:
		break;
	}
}

/* Nothing is read now: a question is open, or the next hop takes no more. */
static bool is_held(const struct front_smtp *smtp)
{
	return smtp->session->question != SESSION_ASKS_NOTHING || smtp->tx.wait != SMTP_WAIT_NONE ||
	       smtp_transaction_is_full(&smtp->tx);
}

/* false: the loop of pump() ends here. */
static bool step(struct front_smtp *smtp)
{
	struct session *session = smtp->session;
	struct engine_action action = { .type = ENGINE_NONE };
	size_t used = smtp_server_input(smtp->server, conn_input(session->conn), &action);

	perform(smtp, &action);
	if (session->is_over || session->is_finishing)
		return false;
	conn_consume(session->conn, used);
	if (!session_send(session, smtp_server_output(smtp->server)))
		return false;
	if (action.type == ENGINE_STARTTLS) {
		(void)session_start_tls(session);
		return false;
	}
	if (action.type == ENGINE_CLOSE) {
		smtp_transaction_abandon(&smtp->tx);
		session_finish(session);
		return false;
	}
	return used > 0 || action.type != ENGINE_NONE;
}

static void pump(struct session *session)
{
	struct front_smtp *smtp = session->shell;

	/* From inside step(), when an action failed at once: its loop goes on by itself. */
	if (smtp->is_pumping)
		return;
	smtp->is_pumping = true;
	while (!session->is_over && !session->is_finishing && !session->is_in_handshake) {
		if (is_held(smtp) || !step(smtp))
			break;
	}
	smtp->is_pumping = false;
	if (session->is_over || session->is_finishing || session->is_in_handshake)
		return;
	/* Core's word on the recipient comes at once; so MAIL, RCPT and DATA can leave together. */
	if (session->question != SESSION_ASKS_RCPT)
		smtp_transaction_flush(&smtp->tx);
	/* What an answer has put into the output while the engine may not go on. */
	if (!session_send(session, smtp_server_output(smtp->server)))
		return;
	if (is_held(smtp))
		session_pause(session);
	else
		session_resume(session);
}

static void on_tls(struct session *session)
{
	struct front_smtp *smtp = session->shell;

	smtp_server_tls_started(smtp->server);
	pump(session);
}

static void begin(struct session *session)
{
	struct front_smtp *smtp = mem_new(1, sizeof *smtp);
	const struct config *config = session->settings->config;
	uint64_t size = 0;
	unsigned caps = settings_hop_caps(session->front->settings, &size);

	smtp->session = session;
	session_fill_conf(session, &smtp->conf.common);
	smtp->conf.message_size = config->message_size;
	smtp->conf.message_recipients = config->message_recipients;
	smtp->conf.signin_required_code = config->signin_required_code;
	smtp->conf.may_relay = ip_nets_contain(
		config->relay_networks.nets, config->relay_networks.count, &session->peer.client);
	smtp->server = smtp_server_new(&smtp->conf);
	smtp_server_set_caps(smtp->server, caps, size);
	smtp_transaction_init(&smtp->tx, session, smtp->server, pump);
	session->shell = smtp;
	/* The greeting; while TLS comes up, nothing else is done. */
	if (session_send(session, smtp_server_output(smtp->server)))
		pump(session);
}

/* The end. */

/* A message whose end was sent is the next hop's: its answer counts, though nobody waits for it. */
static bool on_gone(struct session *session)
{
	struct front_smtp *smtp = session->shell;

	smtp_transaction_abandon(&smtp->tx);
	return smtp_transaction_is_ended(&smtp->tx);
}

static void say_last(struct session *session, struct slice line)
{
	struct front_smtp *smtp = session->shell;

	if (session->conn == NULL)
		return; /* only the next hop's answer is awaited */
	smtp_transaction_abandon(&smtp->tx);
	if (session_send(session, smtp_server_output(smtp->server)) &&
		(line.len == 0 || conn_write(session->conn, line) == GP_OK))
		session_finish(session);
	else
		session_end(session, "closed");
}

static bool is_waiting(const struct session *session)
{
	const struct front_smtp *smtp = session->shell;

	return is_held(smtp) || smtp->tx.owed > 0;
}

static bool is_idle(struct session *session)
{
	const struct front_smtp *smtp = session->shell;

	return smtp->tx.stage == SMTP_STAGE_NONE && !is_waiting(session);
}

static void destroy(struct session *session)
{
	struct front_smtp *smtp = session->shell;

	smtp_transaction_fini(&smtp->tx);
	smtp_server_free(&smtp->server);
	smtp_lease_end(&smtp->lease);
	set_path(smtp, NULL);
	mem_free(smtp->backend);
	mem_free(smtp);
	session->shell = NULL;
}

const struct session_protocol front_smtp_protocol = {
	.protocol = PROTOCOL_SMTP,
	.speaks_first = true,
	.begin = begin,
	.on_input = pump,
	.on_drained = pump,
	.on_tls = on_tls,
	.on_signin = on_signin,
	.on_mail = on_mail,
	.on_rcpt = on_rcpt,
	.on_from = on_from,
	.on_end = on_end,
	.on_lease_end = on_lease_end,
	.on_core_gone = on_core_gone,
	.on_gone = on_gone,
	.say_last = say_last,
	.is_waiting = is_waiting,
	.is_idle = is_idle,
	.destroy = destroy,
};
