/* SPDX-License-Identifier: ISC */
/*
 * The message of a transaction, from the next hop's 354 to its word on it. Whatever looks at
 * messages on their way does so in look(), which sees each byte once; what must be known before
 * the next hop may have a message is awaited in smtp_transaction_body_end().
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/received.h"
#include "front/session_core.h"
#include "front/smtp_transaction_private.h"
#include "proto/header_text.h"

void smtp_transfer_forget(struct smtp_transaction *tx)
{
	message_scan_free(&tx->scan);
	smtp_filter_free(&tx->filter);
	mem_free(tx->from);
	mem_free(tx->refusal);
	tx->from = NULL;
	tx->refusal = NULL;
	tx->is_from_settled = false;
}

/* With what was noticed of the message, as far as it came. */
static void settle(struct smtp_transaction *tx, struct smtp_books_end end)
{
	unsigned char body[SIPHASH_BYTES];
	struct buf subject;

	buf_init(&subject, HEADER_TEXT_MAX);
	if (tx->scan != NULL) {
		message_scan_subject(tx->scan, &subject);
		if (message_scan_body(tx->scan, body))
			end.body = slice_of(body, sizeof body);
	}
	end.subject = buf_slice(&subject);
	end.filter = smtp_filter_verdict(tx->filter);
	smtp_books_settle(&tx->books, &end);
	buf_fini(&subject);
}

/* ---- the From: field ---- */

/* The next hop never gets the end of this message, and so must not see another on this line. */
static void refuse_message(
	struct smtp_transaction *tx, enum reply_situation situation, struct slice account)
{
	struct reply_facts facts;

	session_fill_facts(tx->session, 0, &facts);
	facts.account = account;
	facts.sender = slice_str(tx->from);
	if (situation == REPLY_BLOCKED && !tx->session->settings->config->blocked_reference)
		facts.reference = 0;
	tx->refusal = mem_new(1, sizeof *tx->refusal);
	smtp_reply_set_situation(tx->refusal, situation, &facts);
	log_info("message_refused", LOG_ID("session", tx->session->id),
		LOG_STR("from", tx->from != NULL ? tx->from : ""),
		LOG_UINT("code", tx->refusal->code));
	smtp_hop_free(&tx->hop);
	tx->is_hop_dirty = false;
	tx->stage = SMTP_STAGE_BODY_LOST;
	settle(tx, (struct smtp_books_end){ .is_sent = false });
}

static bool wants_from(const struct smtp_transaction *tx)
{
	return tx->stage == SMTP_STAGE_BODY && tx->scan != NULL && !tx->is_from_settled &&
	       tx->session->settings->config->sending_from;
}

/* Once the header was seen. Afterwards core is asked, or there is nothing to ask. */
static void check_from(struct smtp_transaction *tx)
{
	struct buf addresses;
	enum message_from from;

	tx->is_from_settled = true;
	buf_init(&addresses, MESSAGE_SCAN_ADDRESSES);
	from = message_scan_from(tx->scan, &addresses);
	if (from == MESSAGE_FROM_BAD) {
		refuse_message(tx, REPLY_FROM_UNREADABLE, slice_str(NULL));
	} else if (from == MESSAGE_FROM_ADDRESSES) {
		tx->from = slice_dup(buf_slice(&addresses));
		if (!session_core_ask_from(tx->session, slice_str(tx->from))) {
			session_core_note_fault(tx->session);
			refuse_message(tx, REPLY_TEMPORARY, slice_str(NULL));
		}
	}
	buf_fini(&addresses);
}

/* ---- the bytes ---- */

static void look(struct smtp_transaction *tx, struct slice bytes)
{
	smtp_filter_body(tx->filter, bytes);
	if (tx->scan == NULL)
		return;
	message_scan_add(tx->scan, bytes);
	if (message_scan_has_header(tx->scan) && wants_from(tx))
		check_from(tx);
}

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

/* DATA was pipelined, no recipient is left, and the next hop waits for a message all the same.
 * Without the connection nobody gets one, over LMTP neither, where even an empty one has no reply.
 */
static bool is_for_nobody(const struct smtp_transaction *tx, const struct smtp_reply *reply)
{
	return reply->code == 354 && smtp_server_recipients(tx->server) == 0;
}

void smtp_transfer_on_data(struct smtp_transaction *tx, const struct smtp_reply *reply)
{
	if (is_for_nobody(tx, reply)) {
		log_warn("next_hop_reply", LOG_ID("session", tx->session->id),
			LOG_STR("backend", smtp_hop_backend(tx->hop)->conf->name),
			LOG_UINT("code", reply->code), LOG_STR("why", "DATA without recipients"));
		smtp_transaction_lose(tx);
		return;
	}
	tx->wait = SMTP_WAIT_NONE;
	if (reply->code == 354) {
		tx->stage = SMTP_STAGE_BODY;
		session_take_large_input(tx->session);
		tx->owes_received = !smtp_hop_has_identity(tx->hop);
		if (tx->session->person != NULL)
			tx->scan = message_scan_new(
				tx->session->settings->config->sending_from, tx->wants_body);
		smtp_filter_open(tx->filter);
	}
	smtp_transaction_pass_on(tx, SMTP_COMMAND_DATA, reply);
}

void smtp_transaction_body(struct smtp_transaction *tx, struct slice bytes)
{
	if (tx->stage != SMTP_STAGE_BODY || tx->hop == NULL)
		return;
	send_received(tx);
	smtp_hop_send_body(tx->hop, bytes);
	look(tx, bytes);
}

/* ---- the end ---- */

static void refuse_end(struct smtp_transaction *tx)
{
	tx->stage = SMTP_STAGE_NONE;
	tx->wait = SMTP_WAIT_NONE;
	if (tx->refusal == NULL)
		smtp_transaction_refuse_temporary(tx);
	else
		smtp_server_refuse(tx->server, tx->refusal);
	smtp_transfer_forget(tx);
}

static void send_end(struct smtp_transaction *tx)
{
	if (tx->stage != SMTP_STAGE_BODY || !smtp_hop_is_ready(tx->hop)) {
		/* If it failed a moment ago, on_failed() is on its way and finds nothing owed. */
		settle(tx, (struct smtp_books_end){ .is_sent = false });
		refuse_end(tx);
		return;
	}
	tx->stage = SMTP_STAGE_ENDED;
	tx->wait = SMTP_WAIT_END;
	(void)smtp_transaction_is_sent(tx, smtp_client_body_end(smtp_hop_client(tx->hop)));
}

/* ---- the filter's verdict ---- */

/* Core is asked about a message that is not clean. Without core the verdict changes nothing. */
static void check_verdict(struct smtp_transaction *tx)
{
	enum filter filter = smtp_filter_verdict(tx->filter);

	if (tx->stage == SMTP_STAGE_BODY && (filter == FILTER_DOUBTFUL || filter == FILTER_BAD) &&
		session_core_ask_end(tx->session, filter))
		tx->wait = SMTP_WAIT_FILTER;
	else
		send_end(tx);
}

static void on_verdict(void *owner)
{
	struct smtp_transaction *tx = owner;

	if (tx->session->is_over || tx->wait != SMTP_WAIT_FILTER)
		return;
	tx->wait = SMTP_WAIT_NONE;
	check_verdict(tx);
	tx->on_progress(tx->session);
}

static void await_verdict(struct smtp_transaction *tx)
{
	if (tx->stage == SMTP_STAGE_BODY && smtp_filter_end(tx->filter, on_verdict, tx))
		tx->wait = SMTP_WAIT_FILTER;
	else
		check_verdict(tx);
}

void smtp_transaction_end(struct smtp_transaction *tx, enum permit permit, struct slice text)
{
	smtp_books_on_answer(&tx->books);
	if (tx->stage == SMTP_STAGE_BODY && permit == PERMIT_BLOCKED)
		refuse_message(tx, REPLY_BLOCKED, text);
	else if (tx->stage == SMTP_STAGE_BODY && permit == PERMIT_ASKED)
		refuse_message(tx, REPLY_ASKED, text);
	if (tx->wait != SMTP_WAIT_FILTER)
		return;
	tx->wait = SMTP_WAIT_NONE;
	send_end(tx);
}

/* ---- all in order ---- */

void smtp_transaction_body_end(struct smtp_transaction *tx)
{
	tx->ended_recipients = smtp_server_recipients(tx->server);
	tx->ended_size = smtp_server_message_size(tx->server);
	send_received(tx);
	if (tx->scan != NULL)
		message_scan_end(tx->scan);
	if (wants_from(tx))
		check_from(tx);
	if (tx->session->question == SESSION_ASKS_FROM)
		tx->wait = SMTP_WAIT_FROM;
	else
		await_verdict(tx);
}

void smtp_transaction_from(struct smtp_transaction *tx, enum permit permit, struct slice text)
{
	bool is_one = tx->from != NULL && strchr(tx->from, ',') == NULL;

	smtp_books_on_answer(&tx->books);
	if (tx->stage == SMTP_STAGE_BODY && permit != PERMIT_YES) {
		enum reply_situation situation = REPLY_TEMPORARY;

		if (permit == PERMIT_NOT_OWN)
			situation = is_one ? REPLY_NOT_OWN : REPLY_FROM_NOT_OWN;
		else if (permit == PERMIT_BLOCKED)
			situation = REPLY_BLOCKED;
		else
			session_core_note_fault(tx->session);
		refuse_message(tx, situation, text);
	}
	if (tx->wait != SMTP_WAIT_FROM)
		return;
	tx->wait = SMTP_WAIT_NONE;
	await_verdict(tx);
}

void smtp_transfer_on_lost(struct smtp_transaction *tx)
{
	bool is_sent = tx->stage == SMTP_STAGE_ENDED;

	settle(tx, (struct smtp_books_end){ .is_sent = is_sent,
			   .accepted = is_sent ? tx->ended_recipients : 0,
			   .size = is_sent ? tx->ended_size : 0 });
	if (is_sent)
		smtp_transfer_forget(tx);
}

/* The next hop's word on the message. Core hears of it once the client has its answer. */
void smtp_transfer_on_end(struct smtp_transaction *tx, const struct smtp_client_event *event)
{
	struct session *session = tx->session;
	const struct smtp_reply *reply = event->reply;

	tx->wait = SMTP_WAIT_NONE;
	tx->stage = SMTP_STAGE_NONE;
	tx->is_hop_dirty = false;
	log_info("message", LOG_ID("session", session->id), LOG_UINT("code", reply->code),
		LOG_STR("outcome", rcpt_outcome_name(event->outcome)),
		LOG_STR("filter", filter_name(smtp_filter_verdict(tx->filter))),
		LOG_UINT("recipients", tx->ended_recipients), LOG_UINT("size", tx->ended_size),
		LOG_STR("backend", smtp_hop_backend(tx->hop)->conf->name));
	if (smtp_transaction_has_client(tx)) {
		smtp_transaction_pass_on(tx, SMTP_COMMAND_BODY, reply);
		(void)session_send(session, smtp_server_output(tx->server));
	}
	settle(tx, (struct smtp_books_end){ .is_sent = true,
			   .is_accepted = reply->code / 100 == 2,
			   .accepted = tx->ended_recipients,
			   .size = tx->ended_size,
			   .has_reply = true,
			   .outcome = event->outcome });
	smtp_transfer_forget(tx);
	if (session->conn == NULL)
		session_end(session, "client left before the answer");
}
