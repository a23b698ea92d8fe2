/* SPDX-License-Identifier: ISC */
#include "proto/smtp_command.h"

#include "base/check.h"
#include "base/text.h"
#include "proto/smtp_path.h"

#define IN(name) (1U << STATE_##name)

enum {
	IN_ANY = IN(GREETED) | IN(READY) | IN(MAIL), /* where commands are taken */
};

/* Off the transaction, if there is one; the shell hears of it. */
static void leave_transaction(struct smtp_server *server, struct engine_action *action)
{
	server->is_mail_refused = false;
	if (server->state != STATE_MAIL)
		return;
	smtp_end_transaction(server);
	smtp_enter(server, STATE_READY);
	action->type = ENGINE_RSET;
}

/* ---- commands: the dispatcher has checked state and flags ---- */

static void offer(struct smtp_server *server, unsigned cap, const char *keyword)
{
	if ((server->caps & cap) != 0)
		smtp_say(server, "250-%s", keyword);
}

static void say_ehlo(struct smtp_server *server)
{
	const struct engine_server_conf *common = &server->conf->common;
	bool has_auth =
		smtp_may_sign_in(server) && !server->is_signed_in && !smtp_is_auth_refused(server);

	smtp_say(server, "250-%s", common->hostname);
	offer(server, SMTP_CAP_PIPELINING, "PIPELINING");
	if (common->can_starttls && !server->is_tls && !server->is_signed_in)
		smtp_say(server, "250-STARTTLS");
	if (has_auth)
		smtp_say(server, "250-AUTH PLAIN LOGIN");
	if (has_auth && common->old_clients)
		smtp_say(server, "250-AUTH=PLAIN LOGIN");
	offer(server, SMTP_CAP_8BITMIME, "8BITMIME");
	offer(server, SMTP_CAP_SMTPUTF8, "SMTPUTF8");
	offer(server, SMTP_CAP_DSN, "DSN");
	offer(server, SMTP_CAP_ENHANCEDSTATUSCODES, "ENHANCEDSTATUSCODES");
	/* Ours whatever the next hop says: the limit holds here already. */
	smtp_say(server, "250 SIZE %llu", (unsigned long long)smtp_size_limit(server));
}

static void greet(
	struct smtp_server *server, bool is_esmtp, struct slice name, struct engine_action *action)
{
	/* Mail programs of old say HELO with nothing, or with a name no host can have. */
	if (name.len == 0 && server->conf->common.service == SERVICE_SMTP) {
		smtp_say_mistake(server, 501, "5.5.4", "Your name is missing");
		return;
	}
	leave_transaction(server, action);
	smtp_enter(server, STATE_READY);
	server->is_esmtp = is_esmtp;
	text_escape(name, server->client_name, sizeof server->client_name);
	if (is_esmtp)
		say_ehlo(server);
	else
		smtp_say(server, "250 %s", server->conf->common.hostname);
}

static void cmd_ehlo(struct smtp_server *server, struct slice args, struct engine_action *action)
{
	greet(server, true, args, action);
}

static void cmd_helo(struct smtp_server *server, struct slice args, struct engine_action *action)
{
	greet(server, false, args, action);
}

/* What is pipelined behind it was sent in plain text, perhaps by somebody between the client and
 * us: it is never parsed (RFC 3207 section 4.2). */
static void cmd_starttls(
	struct smtp_server *server, struct slice args, struct engine_action *action)
{
	(void)args;
	if (server->is_tls) {
		smtp_say_mistake(server, 503, "5.5.1", "TLS is on already");
		return;
	}
	if (!server->conf->common.can_starttls) {
		smtp_say_mistake(server, 502, "5.5.1", "STARTTLS is not offered here");
		return;
	}
	if (server->is_trailed) {
		smtp_say(server, "501 5.5.4 Nothing may follow STARTTLS");
		smtp_enter(server, STATE_CLOSING);
		return;
	}
	smtp_say(server, "220 2.0.0 Go on with TLS");
	smtp_enter(server, STATE_STARTTLS);
	action->type = ENGINE_STARTTLS;
}

static void go_on_with_sasl(
	struct smtp_server *server, enum sasl_result result, struct engine_action *action)
{
	switch (result) {
	case SASL_CHALLENGE:
		smtp_say(server, "334 %s", sasl_challenge(&server->sasl));
		smtp_enter(server, STATE_SASL);
		return;
	case SASL_DONE:
		smtp_enter(server, STATE_SIGNIN);
		action->type = ENGINE_SIGNIN;
		action->signin.mechanism = server->sasl.mechanism;
		action->signin.login = buf_slice(&server->sasl.login);
		action->signin.secret = buf_slice(&server->sasl.secret);
		return;
	case SASL_BAD:
		smtp_say_mistake(server, 501, "5.5.2", "Malformed authentication data");
		break;
	case SASL_CANCELLED:
		smtp_say_mistake(server, 501, "5.7.0", "Authentication cancelled");
		break;
	}
	smtp_drop_sasl(server);
	smtp_enter(server, STATE_READY);
}

static void cmd_auth(struct smtp_server *server, struct slice args, struct engine_action *action)
{
	struct slice mechanism = slice_word(&args);
	struct slice initial = slice_trim(args);

	if (mechanism.len == 0 || slice_find(initial, ' ') >= 0) {
		smtp_say_mistake(server, 501, "5.5.4", "Syntax: AUTH mechanism [initial response]");
		return;
	}
	if (smtp_is_auth_refused(server)) {
		const struct engine_server_conf *common = &server->conf->common;
		const struct smtp_ban ban = { common->ban_minutes, common->ban_reference };

		smtp_say_situation(server, REPLY_BANNED, &ban);
		smtp_note(server, REASON_BANNED, mechanism);
		smtp_enter(server, STATE_CLOSING);
		return;
	}
	if (!smtp_may_sign_in(server)) {
		smtp_say_situation(server, REPLY_NO_TLS, NULL);
		smtp_note(server, REASON_NO_TLS, mechanism);
		return;
	}
	if (!sasl_init(&server->sasl, mechanism)) {
		smtp_say_situation(server, REPLY_MECHANISM, NULL);
		smtp_note(server, REASON_MECHANISM, mechanism);
		return;
	}
	server->has_sasl = true;
	if (server->attempts >= server->conf->common.max_attempts) {
		smtp_drop_sasl(server);
		smtp_over_limit(server, "Too many sign-ins on one connection");
		return;
	}
	go_on_with_sasl(server, sasl_begin(&server->sasl, initial.len > 0, initial), action);
}

static void cmd_mail(struct smtp_server *server, struct slice args, struct engine_action *action)
{
	const struct smtp_fault *fault;
	struct smtp_path path;

	server->is_mail_refused = true;
	if (!smtp_may_mail(server)) {
		smtp_say_situation(server, REPLY_SIGNIN_REQUIRED, NULL);
		if (!server->is_stranger_noted)
			smtp_note(server, REASON_SIGNIN_REQUIRED, SLICE_LIT(""));
		server->is_stranger_noted = true;
		return;
	}
	buf_clear(&server->params);
	fault = smtp_path_parse_mail(args, &server->params, &path);
	if (fault != NULL) {
		smtp_say_mistake(server, fault->code, fault->enhanced, fault->text);
		return;
	}
	if (smtp_is_too_big(server, path.size)) {
		smtp_say(server, "552 5.3.4 Message is too big, at most %llu bytes are taken",
			(unsigned long long)smtp_size_limit(server));
		return;
	}
	server->is_mail_refused = false;
	smtp_end_transaction(server);
	server->has_utf8 = path.has_smtputf8;
	smtp_enter(server, STATE_MAIL);
	smtp_body_init(&server->body);
	smtp_ask(server, ENGINE_MAIL, action);
	action->path.address = path.address;
	action->path.params = buf_slice(&server->params);
	action->path.size = path.size;
}

static void cmd_rcpt(struct smtp_server *server, struct slice args, struct engine_action *action)
{
	const struct smtp_fault *fault;
	struct smtp_path path;

	buf_clear(&server->params);
	fault = smtp_path_parse_rcpt(args, server->has_utf8, &server->params, &path);
	if (fault != NULL) {
		smtp_say_mistake(server, fault->code, fault->enhanced, fault->text);
		return;
	}
	if (server->recipients + server->recipients_owed >= server->conf->message_recipients) {
		smtp_say(server, "452 4.5.3 Too many recipients, send the rest in another message");
		return;
	}
	server->recipients_owed++;
	smtp_ask(server, ENGINE_RCPT, action);
	action->path.address = path.address;
	action->path.params = buf_slice(&server->params);
	action->path.size = 0;
}

static const char no_recipients[] = "No valid recipients";
static const char mail_first[] = "MAIL first";

static void cmd_data(struct smtp_server *server, struct slice args, struct engine_action *action)
{
	(void)args;
	if (server->recipients + server->recipients_owed == 0) {
		smtp_say(server, "554 5.5.1 %s", no_recipients);
		return;
	}
	smtp_enter(server, STATE_DATA);
	smtp_ask(server, ENGINE_DATA, action);
}

static void cmd_rset(struct smtp_server *server, struct slice args, struct engine_action *action)
{
	(void)args;
	smtp_say(server, "250 2.0.0 Ok");
	leave_transaction(server, action);
}

static void cmd_noop(struct smtp_server *server, struct slice args, struct engine_action *action)
{
	(void)args;
	(void)action;
	smtp_say(server, "250 2.0.0 Ok");
}

/* A stranger is told nothing about who has an account. */
static void cmd_vrfy(struct smtp_server *server, struct slice args, struct engine_action *action)
{
	if (args.len == 0 || args.len > SMTP_SERVER_PATH_MAX || !text_is_printable(args)) {
		smtp_say_mistake(server, 501, "5.5.4", "Syntax: VRFY address");
		return;
	}
	if (!server->is_signed_in) {
		smtp_say(server, "252 2.5.0 Not verified; mail to it may still be taken");
		return;
	}
	smtp_ask(server, ENGINE_VRFY, action);
	action->bytes = args;
}

static void cmd_help(struct smtp_server *server, struct slice args, struct engine_action *action)
{
	(void)args;
	(void)action;
	smtp_say(server, "214 2.0.0 See %s", server->conf->common.portal_url);
}

static void cmd_quit(struct smtp_server *server, struct slice args, struct engine_action *action)
{
	(void)args;
	(void)action;
	smtp_say(server, "221 2.0.0 %s closes the connection", server->conf->common.hostname);
	smtp_enter(server, STATE_CLOSING);
}

/* Known, and never done: what would speak for somebody else, or pass bytes around the scanner. */
static void cmd_never(struct smtp_server *server, struct slice args, struct engine_action *action)
{
	(void)args;
	(void)action;
	smtp_say_mistake(server, 502, "5.5.1", "Command not offered");
}

/* ---- the dispatcher ---- */

enum {
	FLAG_OVERTAKES = 1,     /* may be taken while replies to earlier commands are owed */
	FLAG_BEFORE_SIGNIN = 2, /* 503 after it */
	FLAG_NO_ARGUMENT = 4,
	FLAG_OF_MAIL = 8, /* part of passing mail, which strangers may do on port 25 */
};

struct smtp_verb {
	const char *name;
	unsigned states;
	unsigned flags;
	void (*handle)(struct smtp_server *server, struct slice args, struct engine_action *action);
};

static const struct smtp_verb verbs[] = {
	{ "EHLO", IN_ANY, 0, cmd_ehlo },
	{ "HELO", IN_ANY, 0, cmd_helo },
	{ "STARTTLS", IN(GREETED) | IN(READY), FLAG_BEFORE_SIGNIN | FLAG_NO_ARGUMENT,
		cmd_starttls },
	{ "AUTH", IN(READY), FLAG_BEFORE_SIGNIN, cmd_auth },
	{ "MAIL", IN(READY), FLAG_OVERTAKES, cmd_mail },
	{ "RCPT", IN(MAIL), FLAG_OVERTAKES | FLAG_OF_MAIL, cmd_rcpt },
	{ "DATA", IN(MAIL), FLAG_OVERTAKES | FLAG_NO_ARGUMENT | FLAG_OF_MAIL, cmd_data },
	{ "RSET", IN_ANY, FLAG_OVERTAKES | FLAG_NO_ARGUMENT, cmd_rset },
	{ "NOOP", IN_ANY, 0, cmd_noop },
	{ "VRFY", IN(READY) | IN(MAIL), 0, cmd_vrfy },
	{ "HELP", IN_ANY, 0, cmd_help },
	{ "QUIT", IN_ANY, FLAG_NO_ARGUMENT, cmd_quit },
	{ "EXPN", IN_ANY, 0, cmd_never },
	{ "XCLIENT", IN_ANY, 0, cmd_never },
	{ "XFORWARD", IN_ANY, 0, cmd_never },
	{ "ETRN", IN_ANY, 0, cmd_never },
	{ "BURL", IN_ANY, 0, cmd_never },
	{ "BDAT", IN_ANY, 0, cmd_never },
	{ "TURN", IN_ANY, 0, cmd_never },
};

const struct smtp_verb *smtp_command_find(struct slice word)
{
	for (size_t i = 0; i < GP_ARRAY_LEN(verbs); i++) {
		if (slice_is_nocase(word, verbs[i].name))
			return &verbs[i];
	}
	return NULL;
}

/* Not where what is said now depends on what is said then: replies are the same however a dialogue
 * is cut into segments. */
bool smtp_command_overtakes(
	const struct smtp_server *server, const struct smtp_verb *verb, struct slice args)
{
	unsigned wanted = server->recipients + server->recipients_owed;

	if (verb == NULL || (verb->flags & FLAG_OVERTAKES) == 0)
		return false;
	if (verb->handle == cmd_mail)
		return server->state != STATE_MAIL;
	if (verb->handle == cmd_data)
		return server->is_data_early && args.len == 0 && wanted > 0;
	return verb->handle != cmd_rcpt || server->recipients_owed == 0 ||
	       wanted < server->conf->message_recipients;
}

/* Before sign-in a connection gets so many commands. Recipients are not among them where a stranger
 * may bring mail: a mail server has hundreds. */
static bool is_counted(const struct smtp_server *server, const struct smtp_verb *verb)
{
	return !server->is_signed_in &&
	       (verb == NULL || (verb->flags & FLAG_OF_MAIL) == 0 || !smtp_may_mail(server));
}

static void refuse_state(struct smtp_server *server, const struct smtp_verb *verb)
{
	const char *text = "Bad sequence of commands";

	if (server->state == STATE_GREETED)
		text = "Say EHLO or HELO first";
	else if (server->state == STATE_READY && (verb->flags & FLAG_OF_MAIL) != 0)
		text = mail_first;
	if ((verb->flags & FLAG_OF_MAIL) != 0 && server->is_mail_refused)
		smtp_say(server, "503 5.5.1 %s", text);
	else
		smtp_say_mistake(server, 503, "5.5.1", text);
}

void smtp_command_refuse_data(const struct smtp_server *server, struct smtp_reply *ret_reply)
{
	if (server->is_mail_refused)
		smtp_reply_set(ret_reply, 503, "5.5.1", mail_first);
	else
		smtp_reply_set(ret_reply, 554, "5.5.1", no_recipients);
}

void smtp_command_run(struct smtp_server *server, const struct smtp_verb *verb, struct slice args,
	struct engine_action *action)
{
	if (is_counted(server, verb) && ++server->commands > server->conf->common.max_commands) {
		smtp_over_limit(server, "Too many commands before sign-in");
		return;
	}
	if (verb == NULL)
		smtp_say_mistake(server, 500, "5.5.2", "Unknown command");
	else if ((verb->flags & FLAG_BEFORE_SIGNIN) != 0 && server->is_signed_in)
		smtp_say_mistake(server, 503, "5.5.1", "You are signed in already");
	else if ((verb->states & (1U << server->state)) == 0)
		refuse_state(server, verb);
	else if ((verb->flags & FLAG_NO_ARGUMENT) != 0 && args.len > 0)
		smtp_say_mistake(server, 501, "5.5.4", "No argument is taken");
	else
		verb->handle(server, args, action);
}

void smtp_command_run_response(
	struct smtp_server *server, struct slice line, struct engine_action *action)
{
	go_on_with_sasl(server, sasl_step(&server->sasl, line), action);
}
