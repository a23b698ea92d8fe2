/* SPDX-License-Identifier: ISC */
#include "proto/login_server.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/reference.h"
#include "base/secret.h"
#include "base/text.h"

enum {
	TLS_RECORD_HANDSHAKE = 0x16,
	SAY_MAX = 1024,
};

void login_server_init(
	struct login_server *server, const struct engine_server_conf *conf, size_t command_max)
{
	*server = (struct login_server){
		.conf = conf, .is_tls = conf->is_tls, .is_first_line = true
	};
	buf_init(&server->output, LOGIN_OUTPUT_MAX);
	buf_init_secret(&server->command, command_max);
	buf_init(&server->login, SASL_LOGIN_MAX);
	buf_init_secret(&server->secret, SECRET_MAX);
}

void login_server_fini(struct login_server *server)
{
	login_server_drop_sasl(server);
	buf_fini(&server->output);
	buf_fini(&server->command);
	buf_fini(&server->login);
	buf_fini(&server->secret);
}

bool login_server_may_signin(const struct login_server *server)
{
	return server->is_tls || server->conf->plaintext_signin;
}

bool login_server_may_starttls(const struct login_server *server)
{
	return server->conf->can_starttls && !server->is_tls;
}

/* Bytes up to and with the LF that ends a line, or all of them; last: the byte before them. */
static size_t line_length(struct slice bytes, char last, bool *ret_is_whole)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.data[i] == '\n' && last == '\r') {
			*ret_is_whole = true;
			return i + 1;
		}
		last = bytes.data[i];
	}
	*ret_is_whole = false;
	return bytes.len;
}

enum login_line login_server_read_line(struct login_server *server, struct slice *rest, size_t max)
{
	struct buf *command = &server->command;
	struct slice have = buf_slice(command);
	char last = have.len > 0 ? have.data[have.len - 1] : '\0';
	size_t room = have.len < max ? max - have.len : 0;
	bool is_whole = false;
	size_t len = line_length(slice_head(*rest, room), last, &is_whole);

	if (len == 0 && rest->len > 0)
		return LOGIN_LINE_LONG;
	if (buf_append(command, slice_head(*rest, len)) != GP_OK)
		return LOGIN_LINE_LONG;
	*rest = slice_from(*rest, len);
	if (is_whole)
		return LOGIN_LINE_DONE;
	return command->len >= max ? LOGIN_LINE_LONG : LOGIN_LINE_MORE;
}

bool login_server_is_tls_hello(struct login_server *server, struct slice bytes)
{
	if (!server->is_first_line || server->is_tls || server->command.len > 0 || bytes.len == 0 ||
		bytes.data[0] != TLS_RECORD_HANDSHAKE)
		return false;
	login_server_note(server, REASON_TLS_ON_PLAIN_PORT, slice_of(NULL, 0));
	login_server_close(server);
	return true;
}

bool login_server_is_http(struct login_server *server, struct slice line)
{
	static const char *const verbs[] = { "GET", "POST", "HEAD", "PUT", "CONNECT", "OPTIONS",
		"DELETE", "PATCH", "TRACE", "PRI" };
	bool is_verb = false;
	bool was_first = server->is_first_line;
	struct slice rest = line;
	struct slice verb = slice_word(&rest);
	struct slice target = slice_word(&rest);

	server->is_first_line = false;
	for (size_t i = 0; i < GP_ARRAY_LEN(verbs); i++)
		is_verb = is_verb || slice_is(verb, verbs[i]);
	/* "GET" alone could be a tag. */
	if (!was_first || !is_verb ||
		!(slice_starts_nocase(target, "/") ||
			slice_starts_nocase(slice_trim(rest), "HTTP/")))
		return false;
	login_server_note(server, REASON_HTTP, line);
	login_server_close(server);
	return true;
}

void login_server_say(struct login_server *server, const char *format, ...)
{
	char text[SAY_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	GP_ASSERT(len >= 0 && (size_t)len < sizeof text);
	GP_ASSERT(buf_append(&server->output, slice_of(text, (size_t)len)) == GP_OK);
}

/* answer: NULL for what is no ban. */
static void reply(struct login_server *server, enum reply_situation situation, struct slice tag,
	const struct engine_answer *answer)
{
	struct reply_facts facts = {
		.portal_url = server->conf->portal_url,
		.client_address = server->conf->client_address,
		.ban_failures = server->conf->ban_failures,
		.ban_minutes = answer != NULL ? answer->ban_minutes : 0,
		.tag = tag,
		.reference = answer != NULL ? answer->ban_reference : server->conf->reference,
	};
	enum protocol protocol = service_protocol(server->conf->service);

	GP_ASSERT(reply_append(&server->output, protocol, situation, &facts));
}

void login_server_reply(
	struct login_server *server, enum reply_situation situation, struct slice tag)
{
	reply(server, situation, tag, NULL);
}

void login_server_abort(struct login_server *server, const char *mark, const char *text)
{
	login_server_say(server, "%s", mark);
	GP_ASSERT(reply_append_clean(&server->output, slice_str(text)));
	login_server_say(server, "\r\n");
	server->has_question = false;
	server->wants_tls = false;
	login_server_close(server);
}

void login_server_note(struct login_server *server, enum reason reason, struct slice detail)
{
	if (server->has_note)
		return;
	server->has_note = true;
	server->reason = reason;
	text_escape(detail, server->detail, sizeof server->detail);
}

void login_server_ask(struct login_server *server, enum mechanism mechanism, struct slice login,
	struct slice secret)
{
	GP_ASSERT(sasl_is_login(login) && sasl_is_secret(secret) && !server->has_question);
	GP_ASSERT(server->login.len == 0 && server->secret.len == 0);
	GP_ASSERT(buf_append(&server->login, login) == GP_OK);
	GP_ASSERT(buf_append(&server->secret, secret) == GP_OK);
	server->mechanism = mechanism;
	server->has_question = true;
	server->attempts++;
}

void login_server_starttls(struct login_server *server)
{
	server->wants_tls = true;
}

void login_server_close(struct login_server *server)
{
	server->wants_close = true;
}

bool login_server_next_action(struct login_server *server, struct engine_action *ret_action)
{
	if (server->has_note) {
		server->has_note = false;
		*ret_action = (struct engine_action){ .type = ENGINE_NOTE,
			.note = { server->reason, slice_str(server->detail) } };
		return true;
	}
	if (server->has_question) {
		server->has_question = false;
		*ret_action = (struct engine_action){ .type = ENGINE_SIGNIN,
			.signin = { server->mechanism, buf_slice(&server->login),
				buf_slice(&server->secret) } };
		return true;
	}
	if (server->wants_tls) {
		server->wants_tls = false;
		*ret_action = (struct engine_action){ .type = ENGINE_STARTTLS };
		return true;
	}
	if (server->wants_close) {
		server->wants_close = false;
		*ret_action = (struct engine_action){ .type = ENGINE_CLOSE };
		return true;
	}
	return false;
}

void login_server_ask_sasl(struct login_server *server)
{
	GP_ASSERT(server->has_sasl);
	login_server_ask(server, server->sasl.mechanism, buf_slice(&server->sasl.login),
		buf_slice(&server->sasl.secret));
	login_server_drop_sasl(server);
}

void login_server_drop_sasl(struct login_server *server)
{
	if (server->has_sasl)
		sasl_fini(&server->sasl);
	server->has_sasl = false;
}

static bool is_denial(enum verdict verdict)
{
	return verdict == VERDICT_DENY || verdict == VERDICT_DENY_BANNED;
}

static bool is_ban(enum verdict verdict)
{
	return verdict == VERDICT_BANNED || verdict == VERDICT_DENY_BANNED;
}

/* The connection's last words in IMAP; in POP3 nothing may be said unasked. */
static void end_attempts(struct login_server *server)
{
	bool is_imap = service_protocol(server->conf->service) == PROTOCOL_IMAP;
	char reference[REFERENCE_SIZE];

	login_server_note(server, REASON_LIMIT, SLICE_LIT("sign-ins"));
	if (is_imap && server->conf->reference != 0)
		login_server_say(server, "* BYE Too many sign-ins on one connection (ref %s)\r\n",
			reference_format(server->conf->reference, reference));
	else if (is_imap)
		login_server_say(server, "* BYE Too many sign-ins on one connection\r\n");
	login_server_close(server);
}

bool login_server_refuse(
	struct login_server *server, const struct engine_answer *answer, struct slice tag)
{
	bool is_imap = service_protocol(server->conf->service) == PROTOCOL_IMAP;
	enum verdict verdict = answer->verdict;

	GP_ASSERT(verdict != VERDICT_OK);
	if (is_denial(verdict))
		login_server_reply(server, REPLY_DENIED, tag);
	else if (verdict == VERDICT_BUSY)
		login_server_reply(server, REPLY_BUSY, tag);
	else if (verdict == VERDICT_TEMPORARY)
		login_server_reply(server, REPLY_TEMPORARY_SIGNIN, tag);
	if (verdict == VERDICT_BANNED || (verdict == VERDICT_DENY_BANNED && is_imap))
		reply(server, REPLY_BANNED, tag, answer);
	if (is_ban(verdict)) {
		login_server_close(server);
		return false;
	}
	if (server->attempts >= server->conf->max_attempts) {
		end_attempts(server);
		return false;
	}
	return true;
}

void login_server_forget(struct login_server *server)
{
	buf_clear(&server->login);
	buf_clear(&server->secret);
}
