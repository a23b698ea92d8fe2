/* SPDX-License-Identifier: ISC */
#include "core/mail.h"

#include "core/core.h"
#include "policy/signin.h"

/* So that the reference of the refusal leads to something. Once a session, as the reference is. */
static void note_refusal(struct core *core, struct session *session, enum reason reason)
{
	if (!session->is_refusal_noted)
		journal_session_event(core, session, VERDICT_DENY, reason, SLICE_LIT(""));
	session->is_refusal_noted = true;
}

static void count_refusal(struct core *core, struct session *session, enum permit permit)
{
	if (permit == PERMIT_BLOCKED) {
		core->stats.mail_blocked++;
		note_refusal(core, session, REASON_BLOCKED);
	} else if (permit == PERMIT_NO) {
		core->stats.mail_refused++;
		note_refusal(core, session, REASON_SIGNIN_REQUIRED);
	}
}

void mail_reply_sender(struct core *core, struct session *session, enum permit permit,
	uint64_t size, bool is_lease)
{
	struct ipc_message message = { .type = IPC_MAIL_REPLY,
		.mail_reply = { .session = session->id,
			.permit = (uint8_t)permit,
			.size = size,
			.is_lease = is_lease } };

	if (permit == PERMIT_BLOCKED || permit == PERMIT_NOT_OWN)
		message.mail_reply.text = slice_str(session->address);
	count_refusal(core, session, permit);
	front_send(session->front, &message);
}

void mail_reply_recipient(struct core *core, struct session *session, enum permit permit,
	const struct config_backend *backend, const char *text)
{
	struct ipc_message message = { .type = IPC_RCPT_REPLY,
		.rcpt_reply = { .session = session->id,
			.permit = (uint8_t)permit,
			.text = slice_str(text) } };

	if (permit == PERMIT_YES && backend == NULL)
		message.rcpt_reply.permit = PERMIT_TEMPORARY;
	else if (permit == PERMIT_YES)
		message.rcpt_reply.backend = slice_str(backend->name);
	count_refusal(core, session, permit);
	front_send(session->front, &message);
}

void mail_permit_recipient(struct core *core, struct session *session,
	const struct config_backend *backend, bool wants_body)
{
	struct ipc_message message = { .type = IPC_RCPT_REPLY,
		.rcpt_reply = { .session = session->id,
			.permit = PERMIT_YES,
			.wants_body = wants_body,
			.backend = slice_str(backend->name) } };

	(void)core;
	front_send(session->front, &message);
}

void mail_reply_from(struct core *core, struct session *session, enum permit permit)
{
	struct ipc_message message = { .type = IPC_FROM_REPLY,
		.from_reply = { .session = session->id, .permit = (uint8_t)permit } };

	(void)core;
	if (permit == PERMIT_NOT_OWN)
		message.from_reply.text = slice_str(session->address);
	front_send(session->front, &message);
}

void mail_reply_end(struct core *core, struct session *session, enum permit permit)
{
	struct ipc_message message = { .type = IPC_END_REPLY,
		.end_reply = { .session = session->id, .permit = (uint8_t)permit } };

	if (permit == PERMIT_BLOCKED || permit == PERMIT_ASKED)
		message.end_reply.text = slice_str(session->address);
	count_refusal(core, session, permit);
	front_send(session->front, &message);
}

static bool may_relay(const struct core *core, const struct session *session)
{
	return ip_nets_contain(core->config->relay_networks.nets,
		core->config->relay_networks.count, &session->client);
}

void mail_on_sender(struct core *core, struct session *session, const struct ipc_mail *mail)
{
	if (session->state == SESSION_SIGNED_IN) {
		if (sending_mail_is_waiting(session))
			front_cut(session->front, "MAIL while MAIL is asked", session->id);
		else
			sending_mail_on_mail(core, session, mail);
		return;
	}
	mail_reply_sender(core, session,
		session->service == SERVICE_SMTP || may_relay(core, session) ? PERMIT_YES
									     : PERMIT_NO,
		0, false);
}

/* The domain of a recipient in canonical form, the default one for "postmaster" (RFC 5321 section
 * 4.5.1). */
static bool recipient_domain(struct core *core, const struct session *session,
	struct slice recipient, char out[static SIGNIN_DOMAIN_SIZE])
{
	ptrdiff_t at = slice_find_last(recipient, '@');
	struct signin_names names;

	if (at >= 0)
		return signin_domain(slice_from(recipient, (size_t)at + 1), out);
	if (!slice_is_nocase(recipient, "postmaster"))
		return false;
	names = domains_names(core, session->listener, SLICE_LIT(""));
	if (names.listener_default.len > 0)
		return signin_domain(names.listener_default, out);
	return names.global_default.len > 0 && signin_domain(names.global_default, out);
}

static void answer_stranger(struct core *core, struct session *session, struct slice recipient)
{
	const struct config *config = core->config;
	char domain[SIGNIN_DOMAIN_SIZE];
	struct slice target = { NULL, 0 };
	enum signin_domain_kind kind = SIGNIN_DOMAIN_FOREIGN;
	bool relays = may_relay(core, session);

	if (!relays && session->service != SERVICE_SMTP) {
		mail_reply_recipient(core, session, PERMIT_NO, NULL, NULL);
		return;
	}
	if (!loading_is_done(core)) {
		mail_reply_recipient(core, session, PERMIT_TEMPORARY, NULL, NULL);
		return;
	}
	if (recipient_domain(core, session, recipient, domain)) {
		target = slice_str(domain);
		kind = domains_find(core, slice_str(domain), &target);
	}
	if (kind != SIGNIN_DOMAIN_FOREIGN)
		mail_reply_recipient(core, session, PERMIT_YES,
			config_route(config, target, PROTOCOL_SMTP, true), NULL);
	else if (relays)
		mail_reply_recipient(core, session, PERMIT_YES,
			config_route(config, target, PROTOCOL_SMTP, false), NULL);
	else
		mail_reply_recipient(core, session, PERMIT_NO, NULL, NULL);
}

void mail_on_recipient(struct core *core, struct session *session, struct slice recipient)
{
	if (session->state == SESSION_SIGNED_IN)
		sending_mail_on_rcpt(core, session, recipient);
	else
		answer_stranger(core, session, recipient);
}

void mail_on_from(struct core *core, struct session *session, struct slice addresses)
{
	/* Mail of strangers is judged by the mail server. */
	if (session->state == SESSION_SIGNED_IN)
		sending_mail_on_from(core, session, addresses);
	else
		mail_reply_from(core, session, PERMIT_YES);
}

void mail_on_end(struct core *core, struct session *session, enum filter filter)
{
	if (session->state == SESSION_SIGNED_IN)
		sending_mail_on_end(core, session, filter);
	else
		mail_reply_end(core, session, PERMIT_YES);
}
