/* SPDX-License-Identifier: ISC */
#include "proto/smtp_session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/reference.h"
#include "base/text.h"

#define IN(name) (1U << STATE_##name)

enum {
	SAY_MAX = 1024,
};

void smtp_enter(struct smtp_server *server, enum smtp_state state)
{
	static const unsigned legal[] = {
		[STATE_GREETED] = IN(READY) | IN(STARTTLS),
		[STATE_READY] = IN(READY) | IN(SASL) | IN(SIGNIN) | IN(STARTTLS) | IN(MAIL),
		[STATE_SASL] = IN(READY) | IN(SASL) | IN(SIGNIN),
		[STATE_SIGNIN] = IN(READY),
		[STATE_STARTTLS] = IN(GREETED),
		[STATE_MAIL] = IN(READY) | IN(DATA),
		[STATE_DATA] = IN(READY) | IN(MAIL) | IN(BODY),
		[STATE_BODY] = IN(END),
		[STATE_END] = IN(READY),
		[STATE_CLOSING] = IN(CLOSED),
		[STATE_CLOSED] = 0,
	};

	GP_ASSERT((legal[server->state] & (1U << state)) != 0 ||
		  (state == STATE_CLOSING && server->state != STATE_CLOSED));
	server->state = state;
}

/* One reply of ours, whole, to the newest command. */
void smtp_say(struct smtp_server *server, const char *format, ...)
{
	char text[SAY_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof text - 2, format, args);
	va_end(args);
	GP_ASSERT(len > 0);
	if ((size_t)len > sizeof text - 3)
		len = sizeof text - 3;
	memcpy(text + len, "\r\n", 2);
	reply_queue_say(&server->replies, slice_of(text, (size_t)len + 2));
}

/* The same for what counts towards SMTP_SERVER_ERRORS_MAX. */
void smtp_say_mistake(
	struct smtp_server *server, unsigned code, const char *enhanced, const char *text)
{
	server->errors++;
	smtp_say(server, "%u %s %s", code, enhanced, text);
}

void smtp_say_situation(
	struct smtp_server *server, enum reply_situation situation, const struct smtp_ban *ban)
{
	const struct engine_server_conf *common = &server->conf->common;
	struct reply_facts facts = {
		.portal_url = common->portal_url,
		.client_address = common->client_address,
		.ban_minutes = ban != NULL ? ban->minutes : 0,
		.ban_failures = common->ban_failures,
		.signin_required_code = server->conf->signin_required_code,
		.reference = ban != NULL ? ban->reference : common->reference,
	};
	struct buf line;
	bool fits;

	buf_init(&line, REPLY_QUEUE_FULL);
	fits = reply_append(&line, PROTOCOL_SMTP, situation, &facts);
	GP_ASSERT(fits);
	reply_queue_say(&server->replies, buf_slice(&line));
	buf_fini(&line);
}

/* Tells core once this command is handled. */
void smtp_note(struct smtp_server *server, enum reason reason, struct slice detail)
{
	server->note = reason;
	text_escape(detail, server->note_detail, sizeof server->note_detail);
}

void smtp_over_limit(struct smtp_server *server, const char *text)
{
	char reference[REFERENCE_SIZE];

	if (server->conf->common.reference != 0)
		smtp_say(server, "421 4.7.0 %s (ref %s)", text,
			reference_format(server->conf->common.reference, reference));
	else
		smtp_say(server, "421 4.7.0 %s", text);
	smtp_note(server, REASON_LIMIT, slice_str(text));
	smtp_enter(server, STATE_CLOSING);
}

bool smtp_may_sign_in(const struct smtp_server *server)
{
	return server->is_tls || server->conf->common.plaintext_signin;
}

bool smtp_is_auth_refused(const struct smtp_server *server)
{
	return server->conf->common.is_banned && server->conf->common.service == SERVICE_SMTP;
}

bool smtp_may_mail(const struct smtp_server *server)
{
	return server->is_signed_in || server->conf->may_relay ||
	       server->conf->common.service == SERVICE_SMTP;
}

/* Greatest message, 0: no limit. */
uint64_t smtp_size_limit(const struct smtp_server *server)
{
	const uint64_t limits[] = { server->hop_size, server->sender_size };
	uint64_t least = server->conf->message_size;

	for (size_t i = 0; i < GP_ARRAY_LEN(limits); i++) {
		if (limits[i] != 0 && (least == 0 || limits[i] < least))
			least = limits[i];
	}
	return least;
}

bool smtp_is_too_big(const struct smtp_server *server, uint64_t size)
{
	return smtp_size_limit(server) != 0 && size > smtp_size_limit(server);
}

void smtp_end_transaction(struct smtp_server *server)
{
	server->transaction++;
	server->recipients = 0;
	server->recipients_owed = 0;
	server->has_utf8 = false;
	server->is_data_early = false;
	server->sender_size = 0;
}

/* The shell owes the reply to this command. */
void smtp_ask(
	struct smtp_server *server, enum engine_action_type type, struct engine_action *action)
{
	action->type = type;
	reply_queue_owe(&server->replies, type, server->transaction);
	server->is_paused = true;
}

void smtp_drop_sasl(struct smtp_server *server)
{
	if (server->has_sasl)
		sasl_fini(&server->sasl);
	server->has_sasl = false;
}
