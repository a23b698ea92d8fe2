/* SPDX-License-Identifier: ISC */
#include "front/session_core.h"

#include "base/clock.h"
#include "base/log.h"
#include "front/core_link.h"

enum {
	/* As in ipc/messages.def. */
	LOGIN_MAX = 320,
	DETAIL_MAX = 256,
};

static struct ipc_message open_message(
	uint64_t id, enum service service, unsigned listener, const struct haproxy_header *peer)
{
	struct ipc_message message = { .type = IPC_SESSION_OPEN };

	message.session_open = (struct ipc_session_open){ .session = id,
		.service = (uint8_t)service,
		.listener = (uint16_t)listener,
		.client = peer->client,
		.client_port = peer->client_port,
		.local = peer->local,
		.local_port = peer->local_port };
	return message;
}

static void send_end(struct front *front, uint64_t id)
{
	struct ipc_message message = { .type = IPC_SESSION_END };

	message.session_end.session = id;
	(void)core_link_send(front->core, &message);
}

static void send_note(struct front *front, uint64_t id, const struct engine_note *note,
	const char *client_name, const char *tls)
{
	struct ipc_message message = { .type = IPC_NOTE };

	message.note = (struct ipc_note){ .session = id,
		.reason = (uint8_t)note->reason,
		.client_name = slice_str(client_name),
		.tls = slice_str(tls),
		.detail = slice_head(note->detail, DETAIL_MAX) };
	(void)core_link_send(front->core, &message);
}

void session_core_tell_open(struct session *session)
{
	struct ipc_message message = open_message(
		session->id, session->listener->service, session->listener_index, &session->peer);

	/* Core knows mail sessions; those of the portal are signed in one by one (ipc CALL). */
	if (session->listener->service == SERVICE_HTTPS)
		return;
	session->is_known = core_link_send(session->front->core, &message);
}

/* On port 25 servers come, which do not sign in. */
static bool has_left(const struct session *session)
{
	return session->has_spoken && !session->has_tried && session->person == NULL &&
	       session->listener->service != SERVICE_SMTP;
}

void session_core_tell_end(struct session *session)
{
	const struct engine_note left = { .reason = REASON_LEFT };

	if (session->is_known && has_left(session))
		send_note(session->front, session->id, &left, "", session->tls_text);
	if (session->is_known)
		send_end(session->front, session->id);
	session->is_known = false;
}

void session_core_note_only(struct front *front, enum service service, unsigned listener,
	const struct haproxy_header *peer, enum reason reason, const char *detail)
{
	uint64_t id = session_take_id(front);
	struct ipc_message message = open_message(id, service, listener, peer);
	struct engine_note note = { .reason = reason, .detail = slice_str(detail) };

	if (!core_link_send(front->core, &message))
		return;
	send_note(front, id, &note, "", "");
	send_end(front, id);
}

void session_core_note(
	struct session *session, const struct engine_note *note, const char *client_name)
{
	log_info("note", LOG_ID("session", session->id),
		LOG_STR("service", service_name(session->listener->service)),
		LOG_IP("client", &session->peer.client),
		LOG_STR("reason", reason_name(note->reason)), LOG_SLICE("detail", note->detail));
	session->has_tried = true;
	if (session->is_known)
		send_note(session->front, session->id, note, client_name, session->tls_text);
}

void session_core_note_fault(struct session *session)
{
	const struct engine_note note = { .reason = REASON_BACKEND };

	if (!session->is_fault_noted)
		session_core_note(session, &note,
			session->person != NULL ? session->person->client_name : "");
	session->is_fault_noted = true;
}

/* Questions. */

bool session_core_is_askable(const struct engine_signin *signin)
{
	return signin->login.len <= LOGIN_MAX && signin->secret.len <= SECRET_MAX &&
	       slice_find(signin->login, '\0') < 0;
}

static bool ask(
	struct session *session, enum session_question question, const struct ipc_message *message)
{
	if (!session->is_known || !core_link_send(session->front->core, message))
		return false;
	session->question = question;
	return true;
}

bool session_core_ask_signin(struct session *session, const struct engine_signin *signin,
	const char *client_name, uint64_t dial)
{
	struct ipc_message message = { .type = IPC_SIGNIN };

	session->has_tried = true;
	message.signin = (struct ipc_signin){ .session = session->id,
		.dial = dial,
		.mechanism = (uint8_t)signin->mechanism,
		.login = signin->login,
		.secret = signin->secret,
		.client_name = slice_str(client_name),
		.tls = slice_str(session->tls_text),
		.sni = slice_str(conn_sni(session->conn)) };
	return ask(session, SESSION_ASKS_SIGNIN, &message);
}

bool session_core_ask_host(
	struct front *front, uint64_t session, uint64_t dial, uint64_t generation, unsigned member)
{
	const struct session *asker = session_find(front, session);
	struct ipc_message message = { .type = IPC_MAILBOX_HOST };

	message.mailbox_host = (struct ipc_mailbox_host){ .session = session,
		.dial = dial,
		.generation = generation,
		.member = (uint16_t)member };
	return asker != NULL && asker->is_known && core_link_send(front->core, &message);
}

bool session_core_ask_mail(struct session *session, struct slice sender, uint64_t size)
{
	struct ipc_message message = { .type = IPC_MAIL };

	message.mail = (struct ipc_mail){ .session = session->id, .sender = sender, .size = size };
	return ask(session, SESSION_ASKS_MAIL, &message);
}

bool session_core_ask_rcpt(struct session *session, struct slice recipient)
{
	struct ipc_message message = { .type = IPC_RCPT };

	message.rcpt = (struct ipc_rcpt){ .session = session->id, .recipient = recipient };
	return ask(session, SESSION_ASKS_RCPT, &message);
}

bool session_core_ask_from(struct session *session, struct slice addresses)
{
	struct ipc_message message = { .type = IPC_FROM };

	message.from = (struct ipc_from){ .session = session->id, .addresses = addresses };
	return ask(session, SESSION_ASKS_FROM, &message);
}

bool session_core_ask_end(struct session *session, enum filter filter)
{
	struct ipc_message message = { .type = IPC_END };

	message.end = (struct ipc_end){ .session = session->id, .filter = (uint8_t)filter };
	return ask(session, SESSION_ASKS_END, &message);
}

bool session_core_tell_mail(struct session *session, struct slice sender, uint64_t size)
{
	struct ipc_message message = { .type = IPC_MAIL };

	message.mail = (struct ipc_mail){
		.session = session->id, .sender = sender, .size = size, .is_leased = true
	};
	return session->is_known && core_link_send(session->front->core, &message);
}

void session_core_tell_rcpt(struct session *session, uint32_t number, enum rcpt_outcome outcome)
{
	struct ipc_message message = { .type = IPC_RCPT_DONE };

	message.rcpt_done = (struct ipc_rcpt_done){
		.session = session->id, .index = number, .outcome = (uint8_t)outcome
	};
	if (session->is_known)
		(void)core_link_tell(session->front->core, &message);
}

void session_core_tell_done(struct session *session, const struct ipc_message_done *done)
{
	struct ipc_message message = { .type = IPC_MESSAGE_DONE, .message_done = *done };

	message.message_done.session = session->id;
	if (session->is_known)
		(void)core_link_tell(session->front->core, &message);
}

void session_core_undo_signin(struct session *session, enum reason reason)
{
	struct ipc_message message = { .type = IPC_SIGNIN_UNDONE };

	message.signin_undone =
		(struct ipc_signin_undone){ .session = session->id, .reason = (uint8_t)reason };
	if (session->is_known)
		(void)core_link_send(session->front->core, &message);
	session_drop_person(session);
}

/* Answers. */

/* An answer to a question that was not asked, or whose session is gone, is dropped. */
static struct session *find_asker(struct front *front, uint64_t id, enum session_question question)
{
	struct session *session = session_find(front, id);

	if (session == NULL || session->is_finishing || session->question != question)
		return NULL;
	session->question = SESSION_ASKS_NOTHING;
	session->last_active = clock_steady();
	return session;
}

static void on_close(struct front *front, const struct ipc_session_close *close)
{
	struct session *session = session_find(front, close->session);

	if (session == NULL)
		return;
	log_info("session_closed_by_core", LOG_ID("session", session->id),
		LOG_STR("reason", close_name((enum close_reason)close->reason)));
	session_say_last(
		session, LAST_WORDS_CLOSED, (enum close_reason)close->reason, close->ban_ms);
}

static void on_lease_end(struct front *front, const struct ipc_lease_end *lease_end)
{
	struct session *session = session_find(front, lease_end->session);

	if (session != NULL && session->shell != NULL && session->protocol->on_lease_end != NULL)
		session->protocol->on_lease_end(session);
}

void session_core_on_message(struct front *front, const struct ipc_message *message)
{
	struct session *session;

	if (message->type == IPC_SESSION_CLOSE) {
		on_close(front, &message->session_close);
	} else if (message->type == IPC_LEASE_END) {
		on_lease_end(front, &message->lease_end);
	} else if (message->type == IPC_SIGNIN_REPLY) {
		session = find_asker(front, message->signin_reply.session, SESSION_ASKS_SIGNIN);
		if (session != NULL)
			session->protocol->on_signin(session, &message->signin_reply);
	} else if (message->type == IPC_MAIL_REPLY) {
		session = find_asker(front, message->mail_reply.session, SESSION_ASKS_MAIL);
		if (session != NULL)
			session->protocol->on_mail(session, &message->mail_reply);
	} else if (message->type == IPC_RCPT_REPLY) {
		session = find_asker(front, message->rcpt_reply.session, SESSION_ASKS_RCPT);
		if (session != NULL)
			session->protocol->on_rcpt(session, &message->rcpt_reply);
	} else if (message->type == IPC_FROM_REPLY) {
		session = find_asker(front, message->from_reply.session, SESSION_ASKS_FROM);
		if (session != NULL)
			session->protocol->on_from(session, &message->from_reply);
	} else if (message->type == IPC_END_REPLY) {
		session = find_asker(front, message->end_reply.session, SESSION_ASKS_END);
		if (session != NULL)
			session->protocol->on_end(session, &message->end_reply);
	}
}

/* Core died and came back. */

static void lose_core(struct map_node *node, void *arg)
{
	struct session *session = MAP_ENTRY(node, struct session, node);
	enum session_question question = session->question;
	struct ipc_signin_reply signin = { .verdict = VERDICT_TEMPORARY };
	struct ipc_mail_reply mail = { .permit = PERMIT_TEMPORARY };
	struct ipc_rcpt_reply rcpt = { .permit = PERMIT_TEMPORARY };
	struct ipc_from_reply from = { .permit = PERMIT_TEMPORARY };
	struct ipc_end_reply end = { .permit = PERMIT_TEMPORARY };

	(void)arg;
	session->is_known = false;
	session->question = SESSION_ASKS_NOTHING;
	if (session->shell != NULL && session->protocol->on_core_gone != NULL)
		session->protocol->on_core_gone(session);
	if (session->is_finishing)
		return;
	switch (question) {
	case SESSION_ASKS_NOTHING:
		break;
	case SESSION_ASKS_SIGNIN:
		session->protocol->on_signin(session, &signin);
		break;
	case SESSION_ASKS_MAIL:
		session->protocol->on_mail(session, &mail);
		break;
	case SESSION_ASKS_RCPT:
		session->protocol->on_rcpt(session, &rcpt);
		break;
	case SESSION_ASKS_FROM:
		session->protocol->on_from(session, &from);
		break;
	case SESSION_ASKS_END:
		session->protocol->on_end(session, &end);
		break;
	}
}

void session_core_on_gone(struct front *front)
{
	session_each(front, lose_core, NULL);
}

static void tell_again(struct map_node *node, void *arg)
{
	struct session *session = MAP_ENTRY(node, struct session, node);
	const struct session_person *person = session->person;
	struct ipc_message message = { .type = IPC_SESSION_RESUME };

	(void)arg;
	if (session->is_finishing)
		return;
	session_core_tell_open(session);
	if (person == NULL)
		return;
	message.session_resume = (struct ipc_session_resume){ .session = session->id,
		.account = person->account,
		.device = person->device,
		.address = slice_str(person->address),
		.client_name = slice_str(person->client_name),
		.tls = slice_str(session->tls_text),
		.since = person->since };
	(void)core_link_send(session->front->core, &message);
}

bool session_core_is_known(struct front *front, uint64_t id)
{
	const struct session *session = session_find(front, id);

	return session != NULL && session->is_known;
}

void session_core_on_back(struct front *front)
{
	session_each(front, tell_again, NULL);
}
