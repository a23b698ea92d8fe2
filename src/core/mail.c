/* SPDX-License-Identifier: ISC */
#include "core/mail.h"

#include <jansson.h>

#include "base/check.h"
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

static void reply_mail(struct core *core, struct session *session, enum permit permit)
{
	struct ipc_message message = { .type = IPC_MAIL_REPLY,
		.mail_reply = { .session = session->id, .permit = (uint8_t)permit } };

	if (permit == PERMIT_BLOCKED)
		message.mail_reply.text = slice_str(session->address);
	count_refusal(core, session, permit);
	front_send(session->front, &message);
}

static void reply_rcpt(struct core *core, struct session *session, enum permit permit,
	const struct config_backend *backend)
{
	struct ipc_message message = { .type = IPC_RCPT_REPLY,
		.rcpt_reply = { .session = session->id, .permit = (uint8_t)permit } };

	if (permit == PERMIT_YES && backend == NULL)
		message.rcpt_reply.permit = PERMIT_TEMPORARY;
	else if (permit == PERMIT_YES)
		message.rcpt_reply.backend = slice_str(backend->name);
	count_refusal(core, session, permit);
	front_send(session->front, &message);
}

static bool may_relay(const struct core *core, const struct session *session)
{
	return ip_nets_contain(core->config->relay_networks.nets,
		core->config->relay_networks.count, &session->client);
}

/* The vault's word on the account of a session that outlived the last core: account.show. */
static void on_account_row(struct op *op, struct slice row)
{
	json_t *account = json_loadb(row.data, row.len, 0, NULL);
	const json_t *blocked_at = json_object_get(account, "blocked_at");

	if (blocked_at != NULL) {
		op->found = true;
		op->is_blocked = !json_is_null(blocked_at);
	}
	json_decref(account);
}

static void on_account_done(struct op *op, enum gp_err err, struct slice why)
{
	struct core *core = op->core;
	struct session *session = session_find(core, op->session);

	(void)why;
	if (session == NULL || session->state != SESSION_SIGNED_IN || !session->is_asking_block)
		return;
	session->is_asking_block = false;
	if (err == GP_OK && op->found) {
		session->block = op->is_blocked ? SESSION_BLOCK_YES : SESSION_BLOCK_NO;
		reply_mail(core, session, op->is_blocked ? PERMIT_BLOCKED : PERMIT_YES);
	} else {
		reply_mail(core, session, PERMIT_TEMPORARY);
		if (err == GP_ERR_NOT_FOUND)
			session_close(core, session, CLOSE_ACCOUNT_REMOVED, 0);
	}
}

static void ask_block(struct core *core, struct session *session)
{
	static const struct op_events events = { on_account_row, on_account_done };
	json_t *args = json_pack("{s:s}", "address", session->address);

	GP_ASSERT(args != NULL);
	session->is_asking_block = true;
	if (!control_ask_vault(core, OPS_account_show, args, &events, session->id)) {
		session->is_asking_block = false;
		reply_mail(core, session, PERMIT_TEMPORARY);
	}
	json_decref(args);
}

void mail_on_sender(struct core *core, struct session *session)
{
	if (session->state == SESSION_SIGNED_IN) {
		if (session->is_asking_block)
			front_cut(session->front, "MAIL while MAIL is asked", session->id);
		else if (session->block == SESSION_BLOCK_UNKNOWN)
			ask_block(core, session);
		else
			reply_mail(core, session,
				session->block == SESSION_BLOCK_YES ? PERMIT_BLOCKED : PERMIT_YES);
		return;
	}
	reply_mail(core, session,
		session->service == SERVICE_SMTP || may_relay(core, session) ? PERMIT_YES
									     : PERMIT_NO);
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
		reply_rcpt(core, session, PERMIT_NO, NULL);
		return;
	}
	if (!loading_is_done(core)) {
		reply_rcpt(core, session, PERMIT_TEMPORARY, NULL);
		return;
	}
	if (recipient_domain(core, session, recipient, domain)) {
		target = slice_str(domain);
		kind = domains_find(core, slice_str(domain), &target);
	}
	if (kind != SIGNIN_DOMAIN_FOREIGN)
		reply_rcpt(core, session, PERMIT_YES,
			config_route(config, target, PROTOCOL_SMTP, true));
	else if (relays)
		reply_rcpt(core, session, PERMIT_YES,
			config_route(config, target, PROTOCOL_SMTP, false));
	else
		reply_rcpt(core, session, PERMIT_NO, NULL);
}

void mail_on_recipient(struct core *core, struct session *session, struct slice recipient)
{
	if (session->state != SESSION_SIGNED_IN)
		answer_stranger(core, session, recipient);
	else if (session->block == SESSION_BLOCK_YES)
		reply_rcpt(core, session, PERMIT_BLOCKED, NULL);
	else
		reply_rcpt(core, session, PERMIT_YES,
			domains_backend(core, session->route, session->address, PROTOCOL_SMTP));
}

void mail_on_from(struct core *core, struct session *session, struct slice addresses)
{
	struct ipc_message message = { .type = IPC_FROM_REPLY,
		.from_reply = { .session = session->id, .permit = PERMIT_YES } };

	(void)core;
	(void)addresses;
	front_send(session->front, &message);
}
