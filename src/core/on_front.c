/* SPDX-License-Identifier: ISC */
/*
 * One handler for each message of a front, and the table that says in which state of its session
 * it may come. A handler is called for permitted messages only and so checks no states.
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/core.h"

#define STATE(name) (1U << SESSION_##name)
#define ANY_STATE   (STATE(OPEN) | STATE(ASKING) | STATE(SIGNED_IN) | STATE(CLOSING))
#define NOT_ASKING  (STATE(OPEN) | STATE(SIGNED_IN) | STATE(CLOSING))

enum rule_of {
	OF_ALL,
	OF_SMTP,
	OF_MAILBOXES,
};

struct rule {
	enum ipc_type type;
	unsigned states; /* STATE() bits */
	enum rule_of of; /* sessions of these protocols only */
	/* The session of the message. */
	uint64_t (*session_of)(const struct ipc_message *message);
	/* Not called in CLOSING, but for SESSION_END. */
	void (*handle)(
		struct core *core, struct session *session, const struct ipc_message *message);
};

#define SESSION_OF(member)                                                     \
	static uint64_t session_of_##member(const struct ipc_message *message) \
	{                                                                      \
		return message->member.session;                                \
	}
SESSION_OF(session_end)
SESSION_OF(session_resume)
SESSION_OF(signin)
SESSION_OF(signin_undone)
SESSION_OF(mailbox_host)
SESSION_OF(note)
SESSION_OF(mail)
SESSION_OF(rcpt)
SESSION_OF(rcpt_done)
SESSION_OF(from)
SESSION_OF(end)
SESSION_OF(message_done)
#undef SESSION_OF

static void on_session_end(
	struct core *core, struct session *session, const struct ipc_message *message)
{
	(void)message;
	/* A sign-in under way goes on: who left before the answer has guessed all the same. */
	session_free(core, &session);
}

static void on_session_resume(
	struct core *core, struct session *session, const struct ipc_message *message)
{
	const struct ipc_session_resume *resume = &message->session_resume;
	struct session_account account = {
		.account = resume->account,
		.device = resume->device,
		.address = resume->address,
		.client_name = resume->client_name,
		.tls = resume->tls,
	};

	if (clock_steady() > core->resume_until) {
		front_cut(session->front, "SESSION_RESUME long after the start", session->id);
		return;
	}
	session_sign_in(core, session, &account);
	session->since = resume->since;
	if (service_protocol(session->service) == PROTOCOL_SMTP)
		sending_mail_on_resume(core, session);
}

static void on_signin(struct core *core, struct session *session, const struct ipc_message *message)
{
	signin_begin(core, session, &message->signin);
}

static void on_signin_undone(
	struct core *core, struct session *session, const struct ipc_message *message)
{
	enum reason reason = (enum reason)message->signin_undone.reason;

	core->stats.signins_undone++;
	journal_session_event(core, session, VERDICT_TEMPORARY, reason, SLICE_LIT(""));
	session_sign_out(core, session);
}

/* Which server it is follows from the account; the front says no more than which of its hosts. */
static void on_mailbox_host(
	struct core *core, struct session *session, const struct ipc_message *message)
{
	const struct ipc_mailbox_host *host = &message->mailbox_host;
	const struct config_backend *backend = domains_backend(
		core, session->route, session->address, service_protocol(session->service));

	if (++session->dials > SESSION_DIALS_MAX)
		front_cut(session->front, "too many connections to a mailbox", session->id);
	else if (backend != NULL)
		front_dial(session, host->dial, host->generation, backend->name, host->member);
}

static void on_note(struct core *core, struct session *session, const struct ipc_message *message)
{
	journal_note(core, session, &message->note);
}

static void on_mail(struct core *core, struct session *session, const struct ipc_message *message)
{
	mail_on_sender(core, session, &message->mail);
}

static void on_rcpt(struct core *core, struct session *session, const struct ipc_message *message)
{
	mail_on_recipient(core, session, message->rcpt.recipient);
}

static void on_rcpt_done(
	struct core *core, struct session *session, const struct ipc_message *message)
{
	if (message->rcpt_done.outcome != RCPT_DELIVERED)
		core->stats.recipients_refused++;
	if (session->address != NULL)
		sending_mail_on_rcpt_done(core, session, &message->rcpt_done);
}

static void on_from(struct core *core, struct session *session, const struct ipc_message *message)
{
	mail_on_from(core, session, message->from.addresses);
}

static void on_end(struct core *core, struct session *session, const struct ipc_message *message)
{
	mail_on_end(core, session, (enum filter)message->end.filter);
}

static void on_message_done(
	struct core *core, struct session *session, const struct ipc_message *message)
{
	const struct ipc_message_done *done = &message->message_done;

	if (done->accepted) {
		core->stats.messages_accepted++;
		core->stats.recipients_accepted += done->recipients;
	} else if (done->size > 0 || done->is_spam) {
		/* Else it was given up before its end. */
		core->stats.messages_refused++;
	}
	if (session->address != NULL)
		sending_mail_on_done(core, session, done);
}

static const struct rule rules[] = {
	{ IPC_SESSION_END, ANY_STATE, OF_ALL, session_of_session_end, on_session_end },
	{ IPC_SESSION_RESUME, STATE(OPEN), OF_ALL, session_of_session_resume, on_session_resume },
	{ IPC_SIGNIN, STATE(OPEN) | STATE(CLOSING), OF_ALL, session_of_signin, on_signin },
	{ IPC_SIGNIN_UNDONE, STATE(SIGNED_IN) | STATE(CLOSING), OF_ALL, session_of_signin_undone,
		on_signin_undone },
	{ IPC_MAILBOX_HOST, STATE(SIGNED_IN) | STATE(CLOSING), OF_MAILBOXES,
		session_of_mailbox_host, on_mailbox_host },
	{ IPC_NOTE, ANY_STATE, OF_ALL, session_of_note, on_note },
	{ IPC_MAIL, NOT_ASKING, OF_SMTP, session_of_mail, on_mail },
	{ IPC_RCPT, NOT_ASKING, OF_SMTP, session_of_rcpt, on_rcpt },
	{ IPC_RCPT_DONE, NOT_ASKING, OF_SMTP, session_of_rcpt_done, on_rcpt_done },
	{ IPC_FROM, NOT_ASKING, OF_SMTP, session_of_from, on_from },
	{ IPC_END, NOT_ASKING, OF_SMTP, session_of_end, on_end },
	{ IPC_MESSAGE_DONE, NOT_ASKING, OF_SMTP, session_of_message_done, on_message_done },
};

static const struct rule *find_rule(enum ipc_type type)
{
	for (size_t i = 0; i < GP_ARRAY_LEN(rules); i++) {
		if (rules[i].type == type)
			return &rules[i];
	}
	return NULL;
}

/* Of a session that is being closed. What the next hop still says of a message counts. */
static bool is_heard_to_the_end(enum ipc_type type)
{
	return type == IPC_SESSION_END || type == IPC_RCPT_DONE || type == IPC_MESSAGE_DONE;
}

static bool is_of(enum rule_of of, const struct session *session)
{
	bool is_smtp = service_protocol(session->service) == PROTOCOL_SMTP;

	return of == OF_ALL || is_smtp == (of == OF_SMTP);
}

static void on_session_message(
	struct front *front, const struct rule *rule, const struct ipc_message *message)
{
	uint64_t id = rule->session_of(message);
	struct session *session = session_find(front->core, id);

	if (session == NULL || session->front != front) {
		front_cut(front, "session of another", id);
		return;
	}
	if ((rule->states & (1U << session->state)) == 0 || !is_of(rule->of, session)) {
		log_error("ipc_state", LOG_STR("message", ipc_type_name(message->type)),
			LOG_STR("state", session_state_name(session->state)));
		front_cut(front, "message in the wrong state", id);
		return;
	}
	if (session->state == SESSION_CLOSING && !is_heard_to_the_end(message->type))
		return;
	rule->handle(front->core, session, message);
}

static void count_filtered(struct stats *stats, enum filter_result result)
{
	stats->rspamd_ok += result == FILTER_RESULT_OK;
	stats->rspamd_failed += result == FILTER_RESULT_FAILED;
	stats->rspamd_timeouts += result == FILTER_RESULT_TIMEOUT;
}

void on_front_message(struct front *front, const struct ipc_message *message)
{
	const struct rule *rule = find_rule(message->type);

	if (rule != NULL) {
		on_session_message(front, rule, message);
	} else if (message->type == IPC_SESSION_OPEN) {
		if (session_open(front->core, front, &message->session_open) == NULL)
			front_cut(front, "session id taken, or too many",
				message->session_open.session);
	} else if (message->type == IPC_NOTICE_DONE) {
		notices_on_done(front->core, &message->notice_done);
	} else if (message->type == IPC_FILTERED) {
		count_filtered(&front->core->stats, (enum filter_result)message->filtered.result);
	} else if (message->type == IPC_REFUSED) {
		front->core->stats.refused_banned += message->refused.count;
	} else {
		front_cut(front, "no such message", 0);
	}
}
