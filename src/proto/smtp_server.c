/* SPDX-License-Identifier: ISC */
/*
 * Each edge with the function behind it:
 *
 *	GREETED   --cmd_ehlo(), cmd_helo()-->             READY
 *	GREETED,
 *	READY     --cmd_starttls()-->                     STARTTLS
 *	STARTTLS  --smtp_server_tls_started()-->          GREETED
 *	READY     --cmd_auth()-->                         SASL, or at once SIGNIN
 *	SASL      --smtp_command_run_response()-->        SIGNIN, or READY (malformed, cancelled)
 *	SIGNIN    --smtp_server_answer_signin()-->        READY
 *	READY     --cmd_mail()-->                         MAIL
 *	MAIL      --cmd_rset(), cmd_ehlo(), cmd_helo(),
 *	            settle(): MAIL was refused-->         READY
 *	MAIL      --cmd_data()-->                         DATA
 *	DATA      --settle()-->                           BODY (354), MAIL (refused), or READY (MAIL
 *	                                                  was refused meanwhile)
 *	BODY      --take_body()-->                        END
 *	END       --settle()-->                           READY
 *	any       --cmd_quit(), smtp_over_limit(), smtp_server_abort(),
 *	            a ban, a broken line or message-->    CLOSING
 *	CLOSING   --tell_rest(): ENGINE_CLOSE-->          CLOSED
 *
 * MAIL, RCPT, VRFY, DATA and the message's end are owed a reply by the shell (reply_queue.h).
 * is_paused is set from the action until the shell has answered or said to go on; the states
 * SIGNIN, STARTTLS, DATA and END wait by themselves.
 *
 * A MAIL that was passed on counts as accepted until its reply says otherwise, for the commands
 * behind it are parsed meanwhile; likewise RCPT before an early DATA. So each reply carries the
 * number of its transaction, and one that comes after RSET changes nothing.
 */
#include "proto/smtp_server.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"
#include "proto/smtp_command.h"

enum {
	CAPS_FIRST = SMTP_CAP_PIPELINING | SMTP_CAP_ENHANCEDSTATUSCODES,
};

/* ---- input ---- */

/* Not SMTP at all: the first bytes of a TLS hello, or of an HTTP request. */
static enum reason foreign_protocol(const struct smtp_server *server, struct slice bytes)
{
	static const char *const http[] = { "GET ", "POST ", "HEAD ", "PUT ", "CONNECT ",
		"OPTIONS " };

	if (!server->is_tls && bytes.data[0] == 0x16)
		return bytes.len > 1 && bytes.data[1] == 0x03 ? REASON_TLS_ON_PLAIN_PORT
							      : REASON_NONE;
	for (size_t i = 0; i < GP_ARRAY_LEN(http); i++) {
		if (slice_starts_nocase(bytes, http[i]))
			return REASON_HTTP;
	}
	return REASON_NONE;
}

/* Closes without a word: even the greeting stays unsaid if it is still here. */
static size_t refuse_foreign(struct smtp_server *server, enum reason reason, struct slice bytes)
{
	struct slice rest = bytes;
	struct slice verb = reason == REASON_HTTP ? slice_word(&rest) : slice_of(NULL, 0);

	buf_clear(&server->replies.out);
	smtp_note(server, reason, verb);
	smtp_enter(server, STATE_CLOSING);
	return bytes.len;
}

static enum line_result find_line(
	struct smtp_server *server, struct slice bytes, struct slice *ret_text)
{
	size_t max = server->state == STATE_SASL || slice_starts_nocase(bytes, "AUTH ")
			     ? ENGINE_LINE_MAX
			     : SMTP_SERVER_LINE_MAX;

	return line_find(&server->line, bytes, max, ret_text);
}

static void refuse_line(struct smtp_server *server, enum line_result result)
{
	if (result == LINE_TOO_LONG)
		smtp_say(server, "500 5.5.6 Line too long");
	else
		smtp_say(server, "500 5.5.2 Lines end in CRLF and hold no other CR, LF or NUL");
	smtp_drop_sasl(server);
	smtp_enter(server, STATE_CLOSING);
}

static size_t take_line(
	struct smtp_server *server, struct slice bytes, struct engine_action *action)
{
	const struct smtp_verb *verb = NULL;
	struct slice text = { NULL, 0 };
	struct slice rest;
	enum line_result result;

	if (bytes.len == 0)
		return 0;
	if (server->is_first_line && foreign_protocol(server, bytes) != REASON_NONE)
		return refuse_foreign(server, foreign_protocol(server, bytes), bytes);
	result = find_line(server, bytes, &text);
	if (result == LINE_MORE)
		return 0;
	rest = text;
	if (result == LINE_FOUND && server->state != STATE_SASL)
		verb = smtp_command_find(slice_word(&rest));
	/* Most commands wait for their turn, and so does the end after a broken line. */
	if (server->replies.count > 0 && !smtp_command_overtakes(server, verb, slice_trim(rest)))
		return 0;
	server->is_first_line = false;
	if (result != LINE_FOUND) {
		refuse_line(server, result);
		return bytes.len;
	}
	server->is_trailed = bytes.len > text.len + 2;
	if (server->state == STATE_SASL)
		smtp_command_run_response(server, text, action);
	else
		smtp_command_run(server, verb, slice_trim(rest), action);
	return text.len + 2;
}

static size_t take_body(
	struct smtp_server *server, struct slice bytes, struct engine_action *action)
{
	size_t good = 0;
	enum smtp_body_result result = smtp_body_scan(&server->body, bytes, &good);

	if (result == SMTP_BODY_BAD) {
		smtp_say_situation(server, REPLY_BARE_LINE_END, NULL);
		smtp_note(server, REASON_BARE_LINE_END, SLICE_LIT(""));
		smtp_enter(server, STATE_CLOSING);
		return bytes.len;
	}
	if (smtp_is_too_big(server, server->body.size)) {
		smtp_say(server, "552 5.3.4 Message is too big, at most %llu bytes are taken",
			(unsigned long long)smtp_size_limit(server));
		smtp_enter(server, STATE_CLOSING);
		return bytes.len;
	}
	if (good > 0) {
		action->type = ENGINE_BODY;
		action->bytes = slice_head(bytes, good);
		return good; /* an end behind it is found again, at once, by the next call */
	}
	if (result == SMTP_BODY_MORE)
		return 0;
	smtp_enter(server, STATE_END);
	smtp_ask(server, ENGINE_BODY_END, action);
	return SMTP_BODY_END_LEN;
}

/* What the last command left to tell, once it has no action of its own. */
static void tell_rest(struct smtp_server *server, struct engine_action *action)
{
	if (action->type != ENGINE_NONE)
		return;
	if (server->note != REASON_NONE) {
		action->type = ENGINE_NOTE;
		action->note.reason = server->note;
		action->note.detail = slice_str(server->note_detail);
		server->note = REASON_NONE;
	} else if (server->state == STATE_CLOSING) {
		action->type = ENGINE_CLOSE;
		smtp_enter(server, STATE_CLOSED);
	}
}

static size_t take(struct smtp_server *server, struct slice bytes, struct engine_action *action)
{
	switch (server->state) {
	case STATE_GREETED:
	case STATE_READY:
	case STATE_MAIL:
	case STATE_SASL:
		if (server->is_paused || reply_queue_is_full(&server->replies))
			return 0;
		if (server->errors < SMTP_SERVER_ERRORS_MAX)
			return take_line(server, bytes, action);
		if (server->replies.count == 0)
			smtp_over_limit(server, "Too many errors");
		return 0;
	case STATE_BODY:
		return take_body(server, bytes, action);
	case STATE_SIGNIN:
	case STATE_STARTTLS:
	case STATE_DATA:
	case STATE_END:
	case STATE_CLOSING:
		return 0;
	case STATE_CLOSED:
		break;
	}
	return bytes.len;
}

size_t smtp_server_input(
	struct smtp_server *server, struct slice bytes, struct engine_action *ret_action)
{
	size_t used;

	ret_action->type = ENGINE_NONE;
	tell_rest(server, ret_action);
	if (ret_action->type != ENGINE_NONE)
		return 0;
	used = take(server, bytes, ret_action);
	tell_rest(server, ret_action);
	return used;
}

/* ---- answers ---- */

/* What the reply to a command changes. */
static void settle(
	struct smtp_server *server, struct reply_owed owed, const struct smtp_reply *reply)
{
	bool is_accepted = reply->code >= 200 && reply->code < 300;
	bool is_current = owed.transaction == server->transaction;

	if (owed.action == ENGINE_MAIL && is_current && !is_accepted) {
		server->is_mail_refused = true;
		smtp_end_transaction(server);
		/* An early DATA is answered in its turn. */
		if (server->state == STATE_MAIL)
			smtp_enter(server, STATE_READY);
	} else if (owed.action == ENGINE_RCPT && is_current) {
		server->recipients_owed--;
		server->recipients += is_accepted;
	} else if (owed.action == ENGINE_DATA) {
		if (reply->code == 354)
			smtp_enter(server, STATE_BODY);
		else
			smtp_enter(server, server->is_mail_refused ? STATE_READY : STATE_MAIL);
	} else if (owed.action == ENGINE_BODY_END) {
		smtp_end_transaction(server);
		smtp_enter(server, STATE_READY);
		if (is_accepted) {
			server->commands = 0;
			server->errors = 0;
		}
	}
}

static bool is_over(const struct smtp_server *server)
{
	return server->state == STATE_CLOSING || server->state == STATE_CLOSED;
}

/* The reply to come is DATA's, and nobody is left to get the message. */
static bool is_data_void(const struct smtp_server *server)
{
	return server->state == STATE_DATA && server->replies.count == 1 && server->recipients == 0;
}

void smtp_server_answer(struct smtp_server *server, const struct smtp_reply *reply)
{
	struct smtp_reply instead;

	if (is_over(server))
		return;
	if (reply->code == 421) {
		smtp_server_abort(server, reply);
		return;
	}
	if (is_data_void(server)) {
		smtp_command_refuse_data(server, &instead);
		reply = &instead;
	}
	settle(server, reply_queue_answer(&server->replies, reply), reply);
	if (server->replies.count == 0)
		server->is_paused = false;
}

void smtp_server_refuse(struct smtp_server *server, const struct smtp_reply *reply)
{
	if (is_over(server))
		return;
	GP_ASSERT(server->is_paused);
	if (server->replies.count == 1 || reply->code == 421) {
		smtp_server_answer(server, reply);
		return;
	}
	settle(server, reply_queue_answer_newest(&server->replies, reply), reply);
	server->is_paused = false;
}

void smtp_server_proceed(struct smtp_server *server)
{
	GP_ASSERT(server->is_paused || is_over(server));
	server->is_paused = false;
}

void smtp_server_abort(struct smtp_server *server, const struct smtp_reply *reply)
{
	bool fits;

	if (is_over(server))
		return;
	reply_queue_drop(&server->replies);
	fits = smtp_reply_append(&server->replies.out, reply);
	GP_ASSERT(fits);
	smtp_drop_sasl(server);
	server->is_paused = false;
	smtp_enter(server, STATE_CLOSING);
}

void smtp_server_answer_signin(struct smtp_server *server, const struct engine_answer *answer)
{
	if (is_over(server))
		return;
	const struct smtp_ban ban = { answer->ban_minutes, answer->ban_reference };

	GP_ASSERT(server->state == STATE_SIGNIN);
	smtp_drop_sasl(server);
	smtp_enter(server, STATE_READY);
	switch (answer->verdict) {
	case VERDICT_OK:
		server->is_signed_in = true;
		smtp_say(server, "235 2.7.0 Signed in");
		break;
	case VERDICT_DENY:
		server->attempts++;
		smtp_say_situation(server, REPLY_DENIED, NULL);
		break;
	case VERDICT_DENY_BANNED:
		smtp_say_situation(server, REPLY_DENIED, NULL);
		smtp_say_situation(server, REPLY_BANNED, &ban);
		smtp_enter(server, STATE_CLOSING);
		break;
	case VERDICT_BANNED:
		smtp_say_situation(server, REPLY_BANNED, &ban);
		smtp_enter(server, STATE_CLOSING);
		break;
	case VERDICT_BUSY:
		smtp_say_situation(server, REPLY_BUSY, NULL);
		break;
	case VERDICT_TEMPORARY:
	case VERDICT_MAX:
		smtp_say_situation(server, REPLY_TEMPORARY_SIGNIN, NULL);
		break;
	}
}

void smtp_server_tls_started(struct smtp_server *server)
{
	smtp_enter(server, STATE_GREETED);
	server->is_tls = true;
	server->is_esmtp = false;
	server->client_name[0] = '\0';
	line_init(&server->line);
}

/* ---- life and facts ---- */

struct smtp_server *smtp_server_new(const struct smtp_server_conf *conf)
{
	struct smtp_server *server = mem_new(1, sizeof *server);

	server->conf = conf;
	server->state = STATE_GREETED;
	server->is_first_line = true;
	server->is_tls = conf->common.is_tls;
	server->caps = CAPS_FIRST;
	reply_queue_init(&server->replies);
	line_init(&server->line);
	smtp_body_init(&server->body);
	buf_init(&server->params, SMTP_SERVER_LINE_MAX);
	smtp_say(server, "220 %s ESMTP", conf->common.hostname);
	return server;
}

void smtp_server_free(struct smtp_server **pserver)
{
	struct smtp_server *server = *pserver;

	if (server == NULL)
		return;
	smtp_drop_sasl(server);
	reply_queue_fini(&server->replies);
	buf_fini(&server->params);
	mem_free(server);
	*pserver = NULL;
}

struct buf *smtp_server_output(struct smtp_server *server)
{
	return &server->replies.out;
}

void smtp_server_set_caps(struct smtp_server *server, unsigned caps, uint64_t size)
{
	server->caps = caps;
	server->hop_size = size;
}

void smtp_server_pipeline_data(struct smtp_server *server, bool is_so)
{
	server->is_data_early = is_so;
}

void smtp_server_limit_size(struct smtp_server *server, uint64_t size)
{
	server->sender_size = size;
}

unsigned smtp_server_owed(const struct smtp_server *server)
{
	return server->replies.count;
}

bool smtp_server_is_signed_in(const struct smtp_server *server)
{
	return server->is_signed_in;
}

bool smtp_server_is_esmtp(const struct smtp_server *server)
{
	return server->is_esmtp;
}

const char *smtp_server_client_name(const struct smtp_server *server)
{
	return server->client_name;
}

unsigned smtp_server_recipients(const struct smtp_server *server)
{
	return server->recipients;
}

uint64_t smtp_server_message_size(const struct smtp_server *server)
{
	return server->body.size;
}

const char *smtp_server_state(const struct smtp_server *server)
{
	static const char *const names[] = {
#define STATE_NAME(name) [STATE_##name] = #name,
		SMTP_STATE_LIST(STATE_NAME)
#undef STATE_NAME
	};

	return names[server->state];
}
