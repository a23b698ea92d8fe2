/* SPDX-License-Identifier: ISC */
#include "front/smtp_transaction.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/session_core.h"
#include "front/smtp_pool.h"
#include "front/smtp_transaction_private.h"

static const struct smtp_hop_ops hop_ops;

static void change_hop(struct smtp_transaction *tx);

/* Answers. */

bool smtp_transaction_has_client(const struct smtp_transaction *tx)
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
void smtp_transaction_refuse_temporary(struct smtp_transaction *tx)
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
void smtp_transaction_pass_on(
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
	smtp_books_init(&tx->books, session);
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
	smtp_books_forget_owed(&tx->books);
}

void smtp_transaction_fini(struct smtp_transaction *tx)
{
	smtp_transaction_leave_hop(tx);
	forget_envelope(tx);
	smtp_transfer_forget(tx);
	smtp_books_fini(&tx->books);
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
	smtp_transfer_on_lost(tx);
	tx->stage = SMTP_STAGE_NONE;
	tx->wait = SMTP_WAIT_NONE;
	tx->owed = 0;
}

void smtp_transaction_settle(struct smtp_transaction *tx)
{
	smtp_books_settle(&tx->books, &(struct smtp_books_end){ .is_sent = false });
}

bool smtp_transaction_is_lost(const struct smtp_transaction *tx)
{
	return tx->stage == SMTP_STAGE_LOST;
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

void smtp_transaction_lose(struct smtp_transaction *tx)
{
	struct smtp_reply reply;
	bool has_waited = tx->wait == SMTP_WAIT_OWED;
	enum smtp_wait question = tx->wait == SMTP_WAIT_FROM || tx->wait == SMTP_WAIT_FILTER
					  ? tx->wait
					  : SMTP_WAIT_NONE;
	bool was_paused = tx->wait != SMTP_WAIT_NONE && !has_waited && question == SMTP_WAIT_NONE;

	smtp_hop_free(&tx->hop);
	tx->is_hop_dirty = false;
	smtp_books_forget_owed(&tx->books);
	smtp_transfer_on_lost(tx);
	tx->stage = stage_without_hop(tx);
	tx->wait = question;
	if (!smtp_transaction_has_client(tx)) {
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

/* After a command for the next hop, in answer to the action that pauses the engine. It leaves with
 * what follows it, at the latest by smtp_transaction_flush(). */
static bool is_queued(struct smtp_transaction *tx, enum gp_err err)
{
	if (err == GP_OK)
		return true;
	tx->wait = SMTP_WAIT_NONE;
	if (err == GP_ERR_UNSUPPORTED) {
		refuse(tx, 553, "5.6.7", "The mail server takes no internationalized addresses");
	} else if (err == GP_ERR_SYNTAX) {
		refuse(tx, 501, "5.5.4", "The mail server takes no such address");
	} else {
		log_error("next_hop_command", LOG_ID("session", tx->session->id),
			LOG_STR("error", gp_err_text(err)));
		tx->wait = SMTP_WAIT_HOP;
		smtp_transaction_lose(tx);
	}
	return false;
}

bool smtp_transaction_is_sent(struct smtp_transaction *tx, enum gp_err err)
{
	if (!is_queued(tx, err))
		return false;
	smtp_hop_flush(tx->hop);
	return true;
}

void smtp_transaction_flush(struct smtp_transaction *tx)
{
	if (tx->hop != NULL)
		smtp_hop_flush(tx->hop);
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
	if (!smtp_transaction_is_sent(tx, smtp_client_rcpt(client, slice_str(tx->recipient),
						  slice_str(tx->recipient_params))))
		return;
	tx->recipients++;
	smtp_books_pass(&tx->books);
	smtp_filter_recipient(tx->filter, slice_str(tx->recipient));
	proceed(tx);
}

/* MAIL, and the RCPT that a held MAIL waited for. On a connection that has rested the reply to MAIL
 * is awaited: if it is dead, nothing is lost yet and a fresh one takes its place. */
static void send_mail(struct smtp_transaction *tx)
{
	struct smtp_client *client = smtp_hop_client(tx->hop);
	bool is_stale = smtp_hop_is_stale(tx->hop);

	if (tx->is_hop_dirty && !is_queued(tx, smtp_client_rset(client)))
		return;
	tx->is_hop_dirty = false;
	if (!is_queued(tx,
		    smtp_client_mail(client, slice_str(tx->sender), slice_str(tx->sender_params))))
		return;
	tx->is_hop_dirty = true;
	tx->stage = SMTP_STAGE_OPEN;
	smtp_server_pipeline_data(
		tx->server, (smtp_client_caps(client) & SMTP_CAP_PIPELINING) != 0);
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
	if (!smtp_transaction_has_client(tx))
		return;
	send_mail(tx);
	tx->on_progress(tx->session);
}

static void on_drained(struct smtp_hop *hop, void *owner)
{
	struct smtp_transaction *tx = owner;

	(void)hop;
	if (smtp_transaction_has_client(tx))
		tx->on_progress(tx->session);
}

static void on_failed(struct smtp_hop *hop, void *owner)
{
	struct smtp_transaction *tx = owner;
	struct settings_backend *backend;

	if (tx->session->is_over)
		return;
	if (tx->wait != SMTP_WAIT_MAIL || tx->has_retried || !smtp_transaction_has_client(tx)) {
		smtp_transaction_lose(tx);
		return;
	}
	tx->has_retried = true;
	backend = settings_backend(
		tx->session->front->settings, slice_str(smtp_hop_backend(hop)->conf->name));
	smtp_hop_free(&tx->hop);
	tx->is_hop_dirty = false;
	if (backend == NULL)
		smtp_transaction_lose(tx);
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
		smtp_transaction_refuse_temporary(tx);
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
	smtp_filter_free(&tx->filter);
	tx->filter = smtp_filter_new(tx->session, sender, smtp_server_client_name(tx->server));
	tx->has_retried = false;
	tx->wants_body = false;
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

static void take_rcpt(struct smtp_transaction *tx, struct settings_backend *backend,
	struct slice recipient, struct slice params)
{
	bool is_held = tx->stage == SMTP_STAGE_HELD;

	if (tx->stage != SMTP_STAGE_OPEN && !is_held) {
		smtp_transaction_refuse_temporary(tx);
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

void smtp_transaction_rcpt(struct smtp_transaction *tx, struct settings_backend *backend,
	struct slice recipient, struct slice params)
{
	take_rcpt(tx, backend, recipient, params);
	/* Else it is with the next hop, or waits for one. */
	if (tx->wait == SMTP_WAIT_NONE)
		smtp_books_keep(&tx->books);
}

void smtp_transaction_data(struct smtp_transaction *tx)
{
	if (tx->stage != SMTP_STAGE_OPEN) {
		smtp_transaction_refuse_temporary(tx);
		return;
	}
	if (!is_alive(tx))
		return;
	tx->wait = SMTP_WAIT_DATA;
	(void)smtp_transaction_is_sent(tx, smtp_client_data(smtp_hop_client(tx->hop)));
}

void smtp_transaction_vrfy(struct smtp_transaction *tx, struct slice argument)
{
	if (tx->hop == NULL || !smtp_hop_is_ready(tx->hop)) {
		refuse(tx, 252, "2.5.2", "Cannot verify, but will try to deliver");
		return;
	}
	tx->wait = SMTP_WAIT_VRFY;
	(void)smtp_transaction_is_sent(tx, smtp_client_vrfy(smtp_hop_client(tx->hop), argument));
}

void smtp_transaction_reset(struct smtp_transaction *tx)
{
	bool is_in_body = tx->stage == SMTP_STAGE_BODY || tx->stage == SMTP_STAGE_ENDED;

	if (is_in_body)
		smtp_transaction_leave_hop(tx);
	smtp_transaction_settle(tx);
	smtp_transfer_forget(tx);
	tx->stage = SMTP_STAGE_NONE;
	forget_envelope(tx);
	if (tx->hop == NULL || !tx->is_hop_dirty || !smtp_hop_is_ready(tx->hop))
		return;
	tx->is_hop_dirty = false;
	if (smtp_client_rset(smtp_hop_client(tx->hop)) == GP_OK)
		smtp_hop_flush(tx->hop);
	else
		smtp_transaction_lose(tx);
}

/* Replies. */

static void on_mail_reply(struct smtp_transaction *tx, const struct smtp_reply *reply)
{
	bool was_awaited = tx->wait == SMTP_WAIT_MAIL;

	if (!tx->is_held_mail) {
		/* Else DATA may be behind it. */
		if (was_awaited)
			tx->wait = SMTP_WAIT_NONE;
		else
			tx->owed--;
		smtp_transaction_pass_on(tx, SMTP_COMMAND_MAIL, reply);
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

static bool is_of_message(enum smtp_command command)
{
	return command == SMTP_COMMAND_BODY || command == SMTP_COMMAND_PART;
}

static void on_rcpt_reply(struct smtp_transaction *tx, const struct smtp_client_event *event)
{
	bool is_lmtp = smtp_hop_backend(tx->hop)->conf->protocol == CONFIG_BACKEND_LMTP;

	GP_ASSERT(tx->owed > 0);
	tx->owed--;
	smtp_books_answer(&tx->books, event->outcome, is_lmtp);
	smtp_transaction_pass_on(tx, event->command,
		tx->is_held_mail && tx->mail_refusal != NULL ? tx->mail_refusal : event->reply);
}

static void on_reply(struct smtp_hop *hop, const struct smtp_client_event *event, void *owner)
{
	struct smtp_transaction *tx = owner;

	(void)hop;
	if (tx->session->is_over ||
		(!smtp_transaction_has_client(tx) && !is_of_message(event->command)))
		return;
	switch (event->command) {
	case SMTP_COMMAND_MAIL:
		on_mail_reply(tx, event->reply);
		break;
	case SMTP_COMMAND_RCPT:
		on_rcpt_reply(tx, event);
		break;
	case SMTP_COMMAND_DATA:
		smtp_transfer_on_data(tx, event->reply);
		break;
	case SMTP_COMMAND_PART:
		smtp_books_part(&tx->books, event->outcome);
		break;
	case SMTP_COMMAND_BODY:
		smtp_transfer_on_end(tx, event);
		break;
	case SMTP_COMMAND_VRFY:
		tx->wait = SMTP_WAIT_NONE;
		smtp_transaction_pass_on(tx, event->command, event->reply);
		break;
	case SMTP_COMMAND_NONE:
	case SMTP_COMMAND_RSET:
	case SMTP_COMMAND_NOOP:
	case SMTP_COMMAND_QUIT:
		break;
	}
	if (!smtp_transaction_has_client(tx))
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
