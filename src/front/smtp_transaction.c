/* SPDX-License-Identifier: ISC */
#include "front/smtp_transaction.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/received.h"
#include "front/session_core.h"
#include "front/smtp_pool.h"

static const struct smtp_hop_ops hop_ops;

static void change_hop(struct smtp_transaction *tx);

/* Answers. */

static bool has_client(const struct smtp_transaction *tx)
{
	const struct session *session = tx->session;

	return session->conn != NULL && !session->is_over && !session->is_finishing;
}

static void fill_temporary(const struct smtp_transaction *tx, struct smtp_reply *reply)
{
	struct reply_facts facts;

	session_fill_facts(tx->session, 0, &facts);
	smtp_reply_set_situation(reply, REPLY_TEMPORARY, &facts);
	session_core_note_fault(tx->session);
}

/* The reply to the action that pauses the engine, in its turn behind those that are owed. */
static void refuse_temporary(struct smtp_transaction *tx)
{
	struct smtp_reply reply;

	fill_temporary(tx, &reply);
	tx->wait = SMTP_WAIT_NONE;
	smtp_server_refuse(tx->server, &reply);
}

static void refuse(
	struct smtp_transaction *tx, unsigned code, const char *enhanced, const char *text)
{
	struct smtp_reply reply;

	smtp_reply_set(&reply, code, enhanced, text);
	smtp_server_refuse(tx->server, &reply);
}

/*
 * The next hop's reply as the client may see it. A 421 is about our connection, not the client's; a
 * 53x says that we should sign in there, which would read as "your password is wrong"; and what is
 * no answer to the command is none.
 */
static void pass_on(
	struct smtp_transaction *tx, enum smtp_command command, const struct smtp_reply *reply)
{
	struct smtp_reply changed;
	unsigned code = reply->code;
	bool is_answer = code / 100 == 4 || code / 100 == 5 ||
			 (command == SMTP_COMMAND_DATA ? code == 354 : code / 100 == 2);

	if (is_answer && code != 421 && code != 530 && code != 534 && code != 535 && code != 538) {
		smtp_server_answer(tx->server, reply);
		return;
	}
	log_warn("next_hop_reply", LOG_ID("session", tx->session->id),
		LOG_STR("backend", smtp_hop_backend(tx->hop)->conf->name), LOG_UINT("code", code),
		LOG_STR("text", reply->text));
	fill_temporary(tx, &changed);
	smtp_server_answer(tx->server, &changed);
}

/* Life. */

void smtp_transaction_init(struct smtp_transaction *tx, struct session *session,
	struct smtp_server *server, void (*on_progress)(struct session *session))
{
	*tx = (struct smtp_transaction){
		.session = session, .server = server, .on_progress = on_progress
	};
}

static void forget_envelope(struct smtp_transaction *tx)
{
	mem_free(tx->sender);
	mem_free(tx->sender_params);
	mem_free(tx->recipient);
	mem_free(tx->recipient_params);
	tx->sender = tx->sender_params = tx->recipient = tx->recipient_params = NULL;
	tx->recipients = 0;
}

void smtp_transaction_leave_hop(struct smtp_transaction *tx)
{
	/* In the middle of a message only closing keeps it from being delivered. */
	if (tx->stage == SMTP_STAGE_BODY || tx->stage == SMTP_STAGE_ENDED)
		smtp_hop_free(&tx->hop);
	else
		smtp_pool_give(tx->session->front->hops, &tx->hop, tx->is_hop_dirty);
	tx->is_hop_dirty = false;
}

void smtp_transaction_fini(struct smtp_transaction *tx)
{
	smtp_transaction_leave_hop(tx);
	forget_envelope(tx);
	mem_free(tx->mail_refusal);
	mem_free(tx->next_backend);
	tx->mail_refusal = NULL;
	tx->next_backend = NULL;
}

void smtp_transaction_abandon(struct smtp_transaction *tx)
{
	if (tx->stage == SMTP_STAGE_ENDED)
		return;
	smtp_transaction_leave_hop(tx);
	tx->stage = SMTP_STAGE_NONE;
	tx->wait = SMTP_WAIT_NONE;
	tx->owed = 0;
}

bool smtp_transaction_is_full(const struct smtp_transaction *tx)
{
	return tx->stage == SMTP_STAGE_BODY && tx->hop != NULL && smtp_hop_is_full(tx->hop);
}

bool smtp_transaction_is_ended(const struct smtp_transaction *tx)
{
	return tx->stage == SMTP_STAGE_ENDED;
}

static enum smtp_stage stage_without_hop(const struct smtp_transaction *tx)
{
	switch (tx->stage) {
	case SMTP_STAGE_HELD:
		/* What was lost is an earlier one's, unless this one just asked for it. */
		return tx->wait == SMTP_WAIT_HOP ? SMTP_STAGE_LOST : SMTP_STAGE_HELD;
	case SMTP_STAGE_OPEN:
		return tx->wait == SMTP_WAIT_OWED ? SMTP_STAGE_OPEN : SMTP_STAGE_LOST;
	case SMTP_STAGE_BODY:
		return SMTP_STAGE_BODY_LOST;
	case SMTP_STAGE_NONE:
	case SMTP_STAGE_ENDED:
		return SMTP_STAGE_NONE;
	case SMTP_STAGE_LOST:
	case SMTP_STAGE_BODY_LOST:
		break;
	}
	return tx->stage;
}

/* The next hop is gone, or could not be had: everything that is owed has this answer. */
static void lose(struct smtp_transaction *tx)
{
	struct smtp_reply reply;
	bool has_waited = tx->wait == SMTP_WAIT_OWED;
	bool was_paused = tx->wait != SMTP_WAIT_NONE && !has_waited;

	smtp_hop_free(&tx->hop);
	tx->is_hop_dirty = false;
	if (tx->stage == SMTP_STAGE_ENDED)
		session_core_tell_done(tx->session, false, tx->ended_recipients, tx->ended_size);
	tx->stage = stage_without_hop(tx);
	tx->wait = SMTP_WAIT_NONE;
	if (!has_client(tx)) {
		if (tx->session->conn == NULL)
			session_end(tx->session, "client left, next hop lost");
		return;
	}
	fill_temporary(tx, &reply);
	for (; tx->owed > 0; tx->owed--)
		smtp_server_answer(tx->server, &reply);
	if (was_paused)
		smtp_server_refuse(tx->server, &reply);
	if (has_waited)
		change_hop(tx);
	tx->on_progress(tx->session);
}

/* The connection. */

static void fill_client(const struct smtp_transaction *tx, struct smtp_hop_client *ret_client)
{
	const struct session *session = tx->session;

	*ret_client = (struct smtp_hop_client){ .peer = session->peer,
		.login = session->person != NULL ? session->person->address : NULL,
		.helo = smtp_server_client_name(tx->server),
		.is_esmtp = smtp_server_is_esmtp(tx->server) };
}

static void open_hop(struct smtp_transaction *tx, struct settings_backend *backend)
{
	struct smtp_hop_client client;

	fill_client(tx, &client);
	tx->wait = SMTP_WAIT_HOP;
	tx->hop = smtp_hop_new(tx->session->front, backend, &client, &hop_ops, tx);
}

/* true: tx->hop can be used now; else it is being opened and SMTP_WAIT_HOP ends in on_ready(). A
 * next hop that still owes replies of an earlier transaction is kept until it has given them. */
static bool have_hop(struct smtp_transaction *tx, struct settings_backend *backend)
{
	if (tx->hop != NULL && smtp_hop_is_ready(tx->hop) && smtp_hop_backend(tx->hop) == backend)
		return true;
	if (tx->owed > 0) {
		mem_free(tx->next_backend);
		tx->next_backend = mem_strdup(backend->conf->name);
		tx->wait = SMTP_WAIT_OWED;
		return false;
	}
	smtp_transaction_leave_hop(tx);
	tx->hop = smtp_pool_take(tx->session->front->hops, backend);
	if (tx->hop != NULL) {
		smtp_hop_set_user(tx->hop, &hop_ops, tx);
		return true;
	}
	open_hop(tx, backend);
	return false;
}

/* After a command for the next hop, in answer to the action that pauses the engine. */
static bool is_sent(struct smtp_transaction *tx, enum gp_err err)
{
	if (err == GP_OK) {
		smtp_hop_flush(tx->hop);
		return true;
	}
	tx->wait = SMTP_WAIT_NONE;
	if (err == GP_ERR_UNSUPPORTED) {
		refuse(tx, 553, "5.6.7", "The mail server takes no internationalized addresses");
	} else if (err == GP_ERR_SYNTAX) {
		refuse(tx, 501, "5.5.4", "The mail server takes no such address");
	} else {
		log_error("next_hop_command", LOG_ID("session", tx->session->id),
			LOG_STR("error", gp_err_text(err)));
		tx->wait = SMTP_WAIT_HOP;
		lose(tx);
	}
	return false;
}

static void proceed(struct smtp_transaction *tx)
{
	tx->wait = SMTP_WAIT_NONE;
	tx->owed++;
	smtp_server_proceed(tx->server);
}

/* false: it failed in this very turn; on_failed() is on its way and will answer. */
static bool is_alive(struct smtp_transaction *tx)
{
	if (smtp_hop_is_ready(tx->hop))
		return true;
	tx->wait = SMTP_WAIT_HOP;
	return false;
}

static void send_rcpt(struct smtp_transaction *tx)
{
	struct smtp_client *client = NULL;

	if (!is_alive(tx))
		return;
	client = smtp_hop_client(tx->hop);
	if (!is_sent(tx, smtp_client_rcpt(client, slice_str(tx->recipient),
				 slice_str(tx->recipient_params))))
		return;
	tx->recipients++;
	proceed(tx);
}

/* MAIL, and the RCPT that a held MAIL waited for. On a connection that has rested the reply to MAIL
 * is awaited: if it is dead, nothing is lost yet and a fresh one takes its place. */
static void send_mail(struct smtp_transaction *tx)
{
	struct smtp_client *client = smtp_hop_client(tx->hop);
	bool is_stale = smtp_hop_is_stale(tx->hop);

	if (tx->is_hop_dirty && !is_sent(tx, smtp_client_rset(client)))
		return;
	tx->is_hop_dirty = false;
	if (!is_sent(tx,
		    smtp_client_mail(client, slice_str(tx->sender), slice_str(tx->sender_params))))
		return;
	tx->is_hop_dirty = true;
	tx->stage = SMTP_STAGE_OPEN;
	if (is_stale)
		tx->wait = SMTP_WAIT_MAIL;
	else if (tx->is_held_mail)
		send_rcpt(tx);
	else
		proceed(tx);
}

static void on_ready(struct smtp_hop *hop, void *owner)
{
	struct smtp_transaction *tx = owner;

	(void)hop;
	if (!has_client(tx))
		return;
	send_mail(tx);
	tx->on_progress(tx->session);
}

static void on_drained(struct smtp_hop *hop, void *owner)
{
	struct smtp_transaction *tx = owner;

	(void)hop;
	if (has_client(tx))
		tx->on_progress(tx->session);
}

static void on_failed(struct smtp_hop *hop, void *owner)
{
	struct smtp_transaction *tx = owner;
	struct settings_backend *backend;

	if (tx->session->is_over)
		return;
	if (tx->wait != SMTP_WAIT_MAIL || tx->has_retried || !has_client(tx)) {
		lose(tx);
		return;
	}
	tx->has_retried = true;
	backend = settings_backend(
		tx->session->front->settings, slice_str(smtp_hop_backend(hop)->conf->name));
	smtp_hop_free(&tx->hop);
	tx->is_hop_dirty = false;
	if (backend == NULL)
		lose(tx);
	else
		open_hop(tx, backend);
}

/* The last reply of the earlier transactions is there: on to the next hop of this one. */
static void change_hop(struct smtp_transaction *tx)
{
	struct settings_backend *backend =
		settings_backend(tx->session->front->settings, slice_str(tx->next_backend));

	tx->wait = SMTP_WAIT_NONE;
	if (backend == NULL)
		refuse_temporary(tx);
	else if (have_hop(tx, backend))
		send_mail(tx);
}

/* Commands. */

void smtp_transaction_mail(struct smtp_transaction *tx, struct settings_backend *backend,
	struct slice sender, struct slice params)
{
	forget_envelope(tx);
	tx->sender = slice_dup(sender);
	tx->sender_params = slice_dup(params);
	tx->has_retried = false;
	tx->is_held_mail = backend == NULL;
	if (backend == NULL) {
		tx->stage = SMTP_STAGE_HELD;
		refuse(tx, 250, "2.1.0", "Ok");
		return;
	}
	tx->stage = SMTP_STAGE_OPEN;
	if (have_hop(tx, backend))
		send_mail(tx);
}

void smtp_transaction_rcpt(struct smtp_transaction *tx, struct settings_backend *backend,
	struct slice recipient, struct slice params)
{
	bool is_held = tx->stage == SMTP_STAGE_HELD;

	if (tx->stage != SMTP_STAGE_OPEN && !is_held) {
		refuse_temporary(tx);
		return;
	}
	if (!is_held && tx->is_held_mail && smtp_hop_backend(tx->hop) != backend) {
		refuse(tx, 452, "4.5.3", "One domain at a time: send to this recipient separately");
		return;
	}
	mem_free(tx->recipient);
	mem_free(tx->recipient_params);
	tx->recipient = slice_dup(recipient);
	tx->recipient_params = slice_dup(params);
	if (!is_held)
		send_rcpt(tx);
	else if (have_hop(tx, backend))
		send_mail(tx);
}

void smtp_transaction_data(struct smtp_transaction *tx)
{
	if (tx->stage != SMTP_STAGE_OPEN) {
		refuse_temporary(tx);
		return;
	}
	if (!is_alive(tx))
		return;
	tx->wait = SMTP_WAIT_DATA;
	(void)is_sent(tx, smtp_client_data(smtp_hop_client(tx->hop)));
}

void smtp_transaction_vrfy(struct smtp_transaction *tx, struct slice argument)
{
	if (tx->hop == NULL || !smtp_hop_is_ready(tx->hop)) {
		refuse(tx, 252, "2.5.2", "Cannot verify, but will try to deliver");
		return;
	}
	tx->wait = SMTP_WAIT_VRFY;
	(void)is_sent(tx, smtp_client_vrfy(smtp_hop_client(tx->hop), argument));
}

void smtp_transaction_reset(struct smtp_transaction *tx)
{
	bool is_in_body = tx->stage == SMTP_STAGE_BODY || tx->stage == SMTP_STAGE_ENDED;

	if (is_in_body)
		smtp_transaction_leave_hop(tx);
	tx->stage = SMTP_STAGE_NONE;
	forget_envelope(tx);
	if (tx->hop == NULL || !tx->is_hop_dirty || !smtp_hop_is_ready(tx->hop))
		return;
	tx->is_hop_dirty = false;
	if (smtp_client_rset(smtp_hop_client(tx->hop)) == GP_OK)
		smtp_hop_flush(tx->hop);
	else
		lose(tx);
}

/* The message. */

/* With the first bytes of the message, so that they travel together. */
static void send_received(struct smtp_transaction *tx)
{
	const struct session *session = tx->session;
	struct received received = { .helo = slice_str(smtp_server_client_name(tx->server)),
		.client = &session->peer.client,
		.hostname = session->settings->config->hostname,
		.is_esmtp = smtp_server_is_esmtp(tx->server),
		.is_tls = session->tls_text[0] != '\0',
		.is_signed_in = session->person != NULL,
		.is_utf8 = received_is_utf8(slice_str(tx->sender_params)),
		.session = session->id,
		.recipient = slice_str(tx->recipients == 1 ? tx->recipient : NULL),
		.date = clock_wall() };
	struct buf line;

	if (!tx->owes_received || tx->stage != SMTP_STAGE_BODY)
		return;
	tx->owes_received = false;
	buf_init(&line, RECEIVED_MAX);
	if (received_append(&line, &received) == GP_OK)
		smtp_hop_send_body(tx->hop, buf_slice(&line));
	else
		log_error("received_too_long", LOG_ID("session", session->id));
	buf_fini(&line);
}

void smtp_transaction_body(struct smtp_transaction *tx, struct slice bytes)
{
	if (tx->stage != SMTP_STAGE_BODY || tx->hop == NULL)
		return;
	send_received(tx);
	smtp_hop_send_body(tx->hop, bytes);
}

void smtp_transaction_body_end(struct smtp_transaction *tx)
{
	tx->ended_recipients = smtp_server_recipients(tx->server);
	tx->ended_size = smtp_server_message_size(tx->server);
	send_received(tx);
	if (tx->stage != SMTP_STAGE_BODY || !smtp_hop_is_ready(tx->hop)) {
		/* If it failed a moment ago, on_failed() is on its way and finds nothing owed. */
		tx->stage = SMTP_STAGE_NONE;
		refuse_temporary(tx);
		return;
	}
	tx->stage = SMTP_STAGE_ENDED;
	tx->wait = SMTP_WAIT_END;
	(void)is_sent(tx, smtp_client_body_end(smtp_hop_client(tx->hop)));
}

/* Replies. */

static void on_mail_reply(struct smtp_transaction *tx, const struct smtp_reply *reply)
{
	bool was_awaited = tx->wait == SMTP_WAIT_MAIL;

	if (!tx->is_held_mail) {
		if (!was_awaited)
			tx->owed--;
		tx->wait = SMTP_WAIT_NONE;
		pass_on(tx, SMTP_COMMAND_MAIL, reply);
		return;
	}
	/* We have said yes already; a no becomes the answer to each recipient. */
	mem_free(tx->mail_refusal);
	tx->mail_refusal = NULL;
	if (reply->code / 100 != 2) {
		tx->mail_refusal = mem_new(1, sizeof *tx->mail_refusal);
		*tx->mail_refusal = *reply;
	}
	if (was_awaited)
		send_rcpt(tx);
}

static void on_data_reply(struct smtp_transaction *tx, const struct smtp_reply *reply)
{
	tx->wait = SMTP_WAIT_NONE;
	if (reply->code == 354) {
		tx->stage = SMTP_STAGE_BODY;
		session_take_large_input(tx->session);
		tx->owes_received = !smtp_hop_has_identity(tx->hop);
	}
	pass_on(tx, SMTP_COMMAND_DATA, reply);
}

/* The next hop's word on the message. Core hears of it once the client has its answer. */
static void on_end_reply(struct smtp_transaction *tx, const struct smtp_reply *reply)
{
	struct session *session = tx->session;
	bool is_accepted = reply->code / 100 == 2;

	tx->wait = SMTP_WAIT_NONE;
	tx->stage = SMTP_STAGE_NONE;
	tx->is_hop_dirty = false;
	log_info("message", LOG_ID("session", session->id), LOG_UINT("code", reply->code),
		LOG_UINT("recipients", tx->ended_recipients), LOG_UINT("size", tx->ended_size),
		LOG_STR("backend", smtp_hop_backend(tx->hop)->conf->name));
	if (has_client(tx)) {
		pass_on(tx, SMTP_COMMAND_BODY, reply);
		(void)session_send(session, smtp_server_output(tx->server));
	}
	session_core_tell_done(session, is_accepted, tx->ended_recipients, tx->ended_size);
	if (session->conn == NULL)
		session_end(session, "client left before the answer");
}

static void on_reply(struct smtp_hop *hop, enum smtp_command command,
	const struct smtp_reply *reply, void *owner)
{
	struct smtp_transaction *tx = owner;

	(void)hop;
	if (tx->session->is_over || (!has_client(tx) && command != SMTP_COMMAND_BODY))
		return;
	switch (command) {
	case SMTP_COMMAND_MAIL:
		on_mail_reply(tx, reply);
		break;
	case SMTP_COMMAND_RCPT:
		GP_ASSERT(tx->owed > 0);
		tx->owed--;
		pass_on(tx, command,
			tx->is_held_mail && tx->mail_refusal != NULL ? tx->mail_refusal : reply);
		break;
	case SMTP_COMMAND_DATA:
		on_data_reply(tx, reply);
		break;
	case SMTP_COMMAND_BODY:
		on_end_reply(tx, reply);
		break;
	case SMTP_COMMAND_VRFY:
		tx->wait = SMTP_WAIT_NONE;
		pass_on(tx, command, reply);
		break;
	case SMTP_COMMAND_NONE:
	case SMTP_COMMAND_RSET:
	case SMTP_COMMAND_NOOP:
	case SMTP_COMMAND_QUIT:
		break;
	}
	if (!has_client(tx))
		return;
	if (tx->wait == SMTP_WAIT_OWED && tx->owed == 0)
		change_hop(tx);
	tx->on_progress(tx->session);
}

static const struct smtp_hop_ops hop_ops = {
	.on_ready = on_ready,
	.on_reply = on_reply,
	.on_drained = on_drained,
	.on_failed = on_failed,
};
