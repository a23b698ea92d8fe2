/* SPDX-License-Identifier: ISC */
#include "core.h"

#include "front/core_link.h"
#include "front/front_https.h"
#include "front/front_mailbox.h"
#include "front/session_core.h"

/* Protocols that no dialogue here speaks. */
const struct session_protocol front_https_protocol = { .protocol = PROTOCOL_HTTP };
const struct session_protocol front_mailbox_imap = { .protocol = PROTOCOL_IMAP };
const struct session_protocol front_mailbox_pop3 = { .protocol = PROTOCOL_POP3 };

static void answer_signin(struct core_link *core, const struct ipc_signin *signin)
{
	struct ipc_signin_reply *reply = &core->answer.signin_reply;

	core->answer.type = IPC_SIGNIN_REPLY;
	*reply = (struct ipc_signin_reply){ .session = signin->session, .verdict = VERDICT_DENY };
	if (slice_is(signin->secret, "rightful"))
		reply->verdict = VERDICT_OK;
	else if (slice_is(signin->secret, "busy"))
		reply->verdict = VERDICT_BUSY;
	else if (slice_is(signin->secret, "later"))
		reply->verdict = VERDICT_TEMPORARY;
	if (reply->verdict != VERDICT_OK)
		return;
	reply->account = 1;
	reply->address = SLICE_LIT("alice@example.test");
	reply->backend = SLICE_LIT("a");
	core->is_signed_in = true;
}

static void answer_mail(struct core_link *core, const struct ipc_mail *mail)
{
	enum permit permit = PERMIT_YES;

	if (slice_starts_nocase(mail->sender, "blocked@"))
		permit = PERMIT_BLOCKED;
	else if (slice_starts_nocase(mail->sender, "later@"))
		permit = PERMIT_TEMPORARY;
	core->answer.type = IPC_MAIL_REPLY;
	core->answer.mail_reply = (struct ipc_mail_reply){ .session = mail->session,
		.permit = (uint8_t)permit,
		.text = SLICE_LIT("alice@example.test"),
		.is_lease = core->is_signed_in && permit == PERMIT_YES };
	core->has_mail = permit == PERMIT_YES;
	core->has_lease = core->answer.mail_reply.is_lease;
	(void)slice_copy(mail->sender, core->sender, sizeof core->sender);
}

static void fault(struct core_link *core, const char *what)
{
	if (core->fault == NULL)
		core->fault = what;
}

static void hear_mail(struct core_link *core, const struct ipc_mail *mail)
{
	if (!core->has_lease || !slice_is(mail->sender, core->sender))
		fault(core, "a MAIL by a lease that was not given");
	core->is_leasing = true;
	core->has_mail = true;
}

static void end_lease(const struct core_link *core)
{
	struct ipc_message message = { .type = IPC_LEASE_END,
		.lease_end = { .session = core->answer.rcpt_reply.session } };

	session_core_on_message(core->front, &message);
}

static void answer_rcpt(struct core_link *core, const struct ipc_rcpt *rcpt)
{
	ptrdiff_t at = slice_find_last(rcpt->recipient, '@');
	struct slice domain = slice_from(rcpt->recipient, at >= 0 ? (size_t)at + 1 : 0);
	enum permit permit = PERMIT_YES;

	if (slice_starts_nocase(rcpt->recipient, "later@"))
		permit = PERMIT_TEMPORARY;
	else if (!core->is_signed_in && slice_is_nocase(domain, "foreign.test"))
		permit = PERMIT_NO;
	core->answer.type = IPC_RCPT_REPLY;
	core->answer.rcpt_reply = (struct ipc_rcpt_reply){ .session = rcpt->session,
		.permit = (uint8_t)permit,
		.wants_body = rcpt->recipient.len % 2 == 0,
		.backend = slice_is_nocase(domain, "b.test") ? SLICE_LIT("b") : SLICE_LIT("a") };
	core->wants_body |= permit == PERMIT_YES && rcpt->recipient.len % 2 == 0;
	if (core->is_signed_in && permit == PERMIT_YES)
		core->places++;
	if (core->places > PLACES_MAX)
		fault(core, "too many recipients for the test");
}

static void on_rcpt_done(struct core_link *core, const struct ipc_rcpt_done *done)
{
	if (done->index >= core->places)
		fault(core, "core hears of a recipient it did not permit");
	else if (core->is_told[done->index])
		fault(core, "core hears twice of a recipient");
	else
		core->is_told[done->index] = true;
	core->told_delivered += done->outcome == RCPT_DELIVERED;
}

static void on_done(struct core_link *core, const struct ipc_message_done *done)
{
	unsigned delivered = core->told_delivered;

	if (core->has_answer)
		fault(core, "a transaction ends while core is asked");
	if (core->is_signed_in && core->places == 0)
		fault(core, "a transaction ends for which nothing is reserved");
	for (unsigned i = 0; i < core->places; i++) {
		delivered += done->accepted && !core->is_told[i];
		core->is_told[i] = false;
	}
	if (done->body.len > 0 && !core->wants_body)
		fault(core, "core hears of a body that it does not want");
	if (core->is_signed_in && delivered != done->recipients)
		fault(core, "recipients are not those that were not refused");
	core->metered += core->is_signed_in ? delivered : done->recipients;
	core->places = 0;
	core->told_delivered = 0;
	core->wants_body = false;
	core->has_mail = false;
	if (!done->accepted) {
		core->refused++;
		return;
	}
	core->messages++;
	core->recipients += done->recipients;
}

/* Whatever is reserved is given back. */
static void end_session(struct core_link *core)
{
	core->is_open = false;
	core->places = 0;
}

static bool is_news(const struct ipc_message *message)
{
	return message->type == IPC_RCPT_DONE || message->type == IPC_MESSAGE_DONE;
}

static bool hear(struct core_link *link, const struct ipc_message *message)
{
	bool is_told = message->type == IPC_MAIL && message->mail.is_leased;
	bool asks = message->type == IPC_SIGNIN || (message->type == IPC_MAIL && !is_told) ||
		    message->type == IPC_RCPT;

	if (message->type == IPC_SESSION_OPEN) {
		link->is_open = true;
		return true;
	}
	if (!link->is_open)
		fault(link, "core hears of a session that is not open");
	if (asks && link->has_answer)
		fault(link, "core is asked two things at once");
	if (message->type == IPC_MAIL && link->places > 0)
		fault(link, "a transaction begins before the last one has ended");
	if (link->is_leasing && message->type != IPC_RCPT)
		fault(link, "core hears of a MAIL by a lease without its RCPT");
	if (message->type == IPC_RCPT && link->is_signed_in && !link->has_mail)
		fault(link, "core is asked for a recipient of a MAIL it has not heard of");
	link->is_leasing = false;
	link->has_answer = link->has_answer || asks;
	if (message->type == IPC_SIGNIN)
		answer_signin(link, &message->signin);
	else if (is_told)
		hear_mail(link, &message->mail);
	else if (message->type == IPC_MAIL)
		answer_mail(link, &message->mail);
	else if (message->type == IPC_RCPT)
		answer_rcpt(link, &message->rcpt);
	else if (message->type == IPC_RCPT_DONE)
		on_rcpt_done(link, &message->rcpt_done);
	else if (message->type == IPC_MESSAGE_DONE)
		on_done(link, &message->message_done);
	else if (message->type == IPC_SESSION_END)
		end_session(link);
	return true;
}

bool core_link_send(struct core_link *link, const struct ipc_message *message)
{
	if (is_news(message))
		fault(link, "core is woken for what it could hear with the next question");
	return hear(link, message);
}

/* When it leaves is no matter here: the order is that of one channel. */
bool core_link_tell(struct core_link *link, const struct ipc_message *message)
{
	if (!is_news(message))
		fault(link, "core hears of it too late");
	return hear(link, message);
}

void core_answer(struct core_link *core)
{
	enum ipc_type type = core->answer.type;

	core->has_answer = false;
	if (type == IPC_RCPT_REPLY && ++core->asked % 5 == 0) {
		end_lease(core);
		core->has_lease = false;
	}
	session_core_on_message(core->front, &core->answer);
	/* Behind it a MAIL may be under way that was answered before. */
	if (type == IPC_RCPT_REPLY && core->asked % 5 == 3)
		end_lease(core);
}

/* ---- net/tls_ctx.h: nobody speaks TLS here ---- */

struct tls_ctx *tls_ctx_new_server(void)
{
	return NULL;
}

enum gp_err tls_ctx_new_client(struct slice ca_pem, struct tls_ctx **ret_ctx, struct gp_why *why)
{
	(void)ca_pem;
	(void)ret_ctx;
	return gp_why_set(why, GP_ERR_UNSUPPORTED, "no TLS here");
}

enum gp_err tls_ctx_add(struct tls_ctx *ctx, const char *name, struct slice chain, struct slice key,
	struct gp_why *why)
{
	(void)ctx;
	(void)name;
	(void)chain;
	(void)key;
	return gp_why_set(why, GP_ERR_UNSUPPORTED, "no TLS here");
}

void tls_ctx_free(struct tls_ctx **pctx)
{
	*pctx = NULL;
}
