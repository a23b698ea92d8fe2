/* SPDX-License-Identifier: ISC */
/*
 *	COMMAND -- cmd_auth() --> RESPONSE -- on_sasl(), DONE --> ASKING
 *	        -- cmd_pass() --------------------------------> ASKING
 *	        -- cmd_stls() --> STARTTLS -- tls_started() --> COMMAND
 *	ASKING  -- answer_signin(): no --> COMMAND
 *	        -- answer_signin(): yes --> SIGNED_IN
 *	any     -- end(), abort() --> CLOSED
 */
#include "proto/pop3_server.h"

#include "base/check.h"
#include "base/mem.h"
#include "proto/login_server.h"

/* name, states it may go to */
#define POP3_STATE_LIST(X)                                                \
	X(COMMAND, TO(RESPONSE) | TO(ASKING) | TO(STARTTLS) | TO(CLOSED)) \
	X(RESPONSE, TO(COMMAND) | TO(ASKING) | TO(CLOSED))                \
	X(ASKING, TO(COMMAND) | TO(SIGNED_IN) | TO(CLOSED))               \
	X(STARTTLS, TO(COMMAND) | TO(CLOSED))                             \
	X(SIGNED_IN, TO(CLOSED))                                          \
	X(CLOSED, 0)

enum pop3_state {
#define STATE_ENUM(name, edges) STATE_##name,
	POP3_STATE_LIST(STATE_ENUM)
#undef STATE_ENUM
};

struct pop3_server {
	struct login_server login;
	enum pop3_state state;
	struct buf user; /* of USER, until PASS; empty if there was none */
};

enum command_flag {
	NO_ARGUMENTS = 1,
	SIGNS_IN = 2, /* only where one may sign in */
};

struct command {
	const char *verb;
	unsigned flags;
	void (*run)(struct pop3_server *server, struct slice argument);
};

static void enter(struct pop3_server *server, enum pop3_state state)
{
#define TO(name)                 (1U << STATE_##name)
#define STATE_EDGES(name, edges) edges,
	static const unsigned edges[] = { POP3_STATE_LIST(STATE_EDGES) };
#undef STATE_EDGES
#undef TO

	GP_ASSERT((edges[server->state] & (1U << state)) != 0);
	server->state = state;
}

static void say(struct pop3_server *server, const char *line)
{
	login_server_say(&server->login, "%s\r\n", line);
}

static void reply(struct pop3_server *server, enum reply_situation situation)
{
	login_server_reply(&server->login, situation, slice_of(NULL, 0));
}

static void end(struct pop3_server *server)
{
	login_server_close(&server->login);
	enter(server, STATE_CLOSED);
}

/* TOP and UIDL are the backend's, and every one has them; mail programs ask before sign-in. What
 * a backend may lack (PIPELINING, UTF8, LANG) is not promised for it. */
static void cmd_capa(struct pop3_server *server, struct slice argument)
{
	(void)argument;
	say(server, "+OK Capability list follows");
	say(server, "TOP");
	say(server, "UIDL");
	if (login_server_may_starttls(&server->login))
		say(server, "STLS");
	if (login_server_may_signin(&server->login)) {
		say(server, "USER");
		say(server, "SASL PLAIN LOGIN");
	}
	say(server, "RESP-CODES");
	say(server, "AUTH-RESP-CODE");
	say(server, "IMPLEMENTATION Gatepost");
	say(server, ".");
}

static void cmd_noop(struct pop3_server *server, struct slice argument)
{
	(void)argument;
	say(server, "+OK");
}

static void cmd_quit(struct pop3_server *server, struct slice argument)
{
	(void)argument;
	say(server, "+OK Goodbye");
	end(server);
}

static void cmd_stls(struct pop3_server *server, struct slice argument)
{
	(void)argument;
	if (!login_server_may_starttls(&server->login)) {
		say(server, server->login.is_tls ? "-ERR TLS is on already"
						 : "-ERR STLS is not offered");
		return;
	}
	say(server, "+OK Begin TLS negotiation now");
	login_server_starttls(&server->login);
	enter(server, STATE_STARTTLS);
}

static void cmd_user(struct pop3_server *server, struct slice argument)
{
	buf_clear(&server->user);
	if (sasl_is_login(argument) && buf_append(&server->user, argument) == GP_OK)
		say(server, "+OK Send PASS");
	else
		say(server, "-ERR Malformed name");
}

static void cmd_pass(struct pop3_server *server, struct slice argument)
{
	if (server->user.len == 0) {
		say(server, "-ERR USER comes first");
		return;
	}
	if (!sasl_is_secret(argument)) {
		say(server, "-ERR Malformed password");
		return;
	}
	login_server_ask(&server->login, MECHANISM_USER, buf_slice(&server->user), argument);
	enter(server, STATE_ASKING);
}

/* A digest of the password, which is nowhere to compare it with. */
static void cmd_apop(struct pop3_server *server, struct slice argument)
{
	(void)argument;
	reply(server, REPLY_MECHANISM);
	login_server_note(&server->login, REASON_MECHANISM, SLICE_LIT("APOP"));
}

static void on_sasl(struct pop3_server *server, enum sasl_result result)
{
	switch (result) {
	case SASL_CHALLENGE:
		login_server_say(&server->login, "+ %s\r\n", sasl_challenge(&server->login.sasl));
		if (server->state != STATE_RESPONSE)
			enter(server, STATE_RESPONSE);
		return;
	case SASL_DONE:
		login_server_ask_sasl(&server->login);
		enter(server, STATE_ASKING);
		return;
	case SASL_BAD:
		say(server, "-ERR Malformed authentication response");
		break;
	case SASL_CANCELLED:
		say(server, "-ERR Authentication cancelled");
		break;
	}
	login_server_drop_sasl(&server->login);
	if (server->state == STATE_RESPONSE)
		enter(server, STATE_COMMAND);
}

/* Without an argument: the list, as programs older than CAPA ask for it. */
static void cmd_auth(struct pop3_server *server, struct slice argument)
{
	struct slice mechanism = slice_word(&argument);
	struct slice initial = slice_trim(argument);

	if (mechanism.len == 0) {
		say(server, "+OK Mechanisms follow");
		say(server, "PLAIN");
		say(server, "LOGIN");
		say(server, ".");
		return;
	}
	if (!sasl_init(&server->login.sasl, mechanism)) {
		reply(server, REPLY_MECHANISM);
		login_server_note(&server->login, REASON_MECHANISM, mechanism);
		return;
	}
	server->login.has_sasl = true;
	buf_clear(&server->user);
	on_sasl(server, sasl_begin(&server->login.sasl, initial.len > 0, initial));
}

static const struct command commands[] = {
	{ "CAPA", NO_ARGUMENTS, cmd_capa },
	{ "STLS", NO_ARGUMENTS, cmd_stls },
	{ "USER", SIGNS_IN, cmd_user },
	{ "PASS", SIGNS_IN, cmd_pass },
	{ "AUTH", SIGNS_IN, cmd_auth },
	{ "APOP", 0, cmd_apop },
	{ "NOOP", NO_ARGUMENTS, cmd_noop },
	{ "QUIT", NO_ARGUMENTS, cmd_quit },
};

/* "VERB" or "VERB SP argument", the argument being all the rest (RFC 1939 section 7 lets passwords
 * hold spaces); spaces behind a verb that takes none do no harm. */
static void run_command(struct pop3_server *server, struct slice line)
{
	ptrdiff_t space = slice_find(line, ' ');
	struct slice verb = space >= 0 ? slice_head(line, (size_t)space) : line;
	struct slice argument = slice_from(line, verb.len + 1);

	for (size_t i = 0; i < GP_ARRAY_LEN(commands); i++) {
		const struct command *command = &commands[i];

		if (!slice_is_nocase(verb, command->verb))
			continue;
		if ((command->flags & NO_ARGUMENTS) != 0 && slice_trim(argument).len > 0) {
			say(server, "-ERR This command has no arguments");
			return;
		}
		if ((command->flags & SIGNS_IN) != 0 && !login_server_may_signin(&server->login)) {
			reply(server, REPLY_NO_TLS);
			login_server_note(&server->login, REASON_NO_TLS, slice_of(NULL, 0));
			return;
		}
		command->run(server, argument);
		return;
	}
	say(server, "-ERR Unknown command, or not before sign-in");
}

static bool is_within_limits(struct pop3_server *server)
{
	server->login.commands++;
	if (server->login.commands <= server->login.conf->max_commands)
		return true;
	login_server_note(&server->login, REASON_LIMIT, SLICE_LIT("commands"));
	say(server, "-ERR Too many commands before sign-in");
	end(server);
	return false;
}

static void on_line(struct pop3_server *server, struct slice line)
{
	if (server->state == STATE_RESPONSE) {
		on_sasl(server, sasl_step(&server->login.sasl, line));
		return;
	}
	if (login_server_is_http(&server->login, line)) {
		enter(server, STATE_CLOSED);
		return;
	}
	if (is_within_limits(server))
		run_command(server, line);
}

/* Only SASL needs long lines. */
static size_t line_max(const struct pop3_server *server)
{
	bool is_sasl = server->state == STATE_RESPONSE ||
		       slice_starts_nocase(buf_slice(&server->login.command), "AUTH ");

	return is_sasl ? ENGINE_LINE_MAX : POP3_LINE_MAX;
}

static void drop_line(struct pop3_server *server)
{
	buf_clear(&server->login.command);
	buf_trim(&server->login.command);
}

static void read_line(struct pop3_server *server, struct slice *rest)
{
	struct slice line;

	if (login_server_is_tls_hello(&server->login, *rest)) {
		enter(server, STATE_CLOSED);
		return;
	}
	switch (login_server_read_line(&server->login, rest, line_max(server))) {
	case LOGIN_LINE_MORE:
		return;
	case LOGIN_LINE_DONE:
		line = buf_slice(&server->login.command);
		line.len -= 2;
		on_line(server, line);
		break;
	case LOGIN_LINE_LONG:
		if (server->login.command.len < line_max(server))
			return; /* it is AUTH's, as is known only now */
		say(server, "-ERR Line too long");
		end(server);
		break;
	}
	drop_line(server);
}

static size_t pop3_server_input(void *engine, struct slice bytes, struct engine_action *ret_action)
{
	struct pop3_server *server = engine;
	struct slice rest = bytes;

	*ret_action = (struct engine_action){ .type = ENGINE_NONE };
	while (!login_server_next_action(&server->login, ret_action)) {
		bool is_reading = server->state == STATE_COMMAND || server->state == STATE_RESPONSE;

		if (!is_reading || rest.len == 0 || server->login.output.len > LOGIN_OUTPUT_HIGH)
			break;
		read_line(server, &rest);
	}
	return bytes.len - rest.len;
}

static void *pop3_server_create(const struct engine_server_conf *conf)
{
	struct pop3_server *server = mem_new(1, sizeof *server);

	login_server_init(&server->login, conf, ENGINE_LINE_MAX);
	buf_init(&server->user, SASL_LOGIN_MAX);
	login_server_say(&server->login, "+OK %s ready\r\n", conf->hostname);
	return server;
}

static void pop3_server_destroy(void *engine)
{
	struct pop3_server *server = engine;

	if (server == NULL)
		return;
	login_server_fini(&server->login);
	buf_fini(&server->user);
	mem_free(server);
}

static struct buf *pop3_server_output(void *engine)
{
	struct pop3_server *server = engine;

	return &server->login.output;
}

static void pop3_server_tls_started(void *engine)
{
	struct pop3_server *server = engine;

	if (server->state == STATE_CLOSED)
		return;
	server->login.is_tls = true;
	buf_clear(&server->user);
	enter(server, STATE_COMMAND);
}

static void pop3_server_answer_signin(void *engine, const struct engine_answer *answer)
{
	struct pop3_server *server = engine;
	struct buf *output = &server->login.output;

	login_server_forget(&server->login);
	buf_clear(&server->user);
	if (server->state == STATE_CLOSED)
		return; /* aborted meanwhile */
	GP_ASSERT(server->state == STATE_ASKING);
	if (answer->verdict == VERDICT_OK) {
		login_server_say(&server->login, "+OK ");
		GP_ASSERT(reply_append_clean(
			output, answer->text.len > 0 ? answer->text : SLICE_LIT("Signed in")));
		say(server, "");
		enter(server, STATE_SIGNED_IN);
		return;
	}
	enter(server, login_server_refuse(&server->login, answer, slice_of(NULL, 0))
			      ? STATE_COMMAND
			      : STATE_CLOSED);
}

static void pop3_server_abort(void *engine, const char *text)
{
	struct pop3_server *server = engine;

	if (server->state == STATE_CLOSED)
		return;
	login_server_abort(&server->login, "-ERR ", text);
	enter(server, STATE_CLOSED);
}

/* POP3 has no way to tell. */
static const char *pop3_server_client_name(void *engine)
{
	const struct pop3_server *server = engine;

	return server->login.client_name;
}

const struct login_server_ops pop3_server_ops = {
	.create = pop3_server_create,
	.destroy = pop3_server_destroy,
	.input = pop3_server_input,
	.output = pop3_server_output,
	.tls_started = pop3_server_tls_started,
	.answer_signin = pop3_server_answer_signin,
	.abort = pop3_server_abort,
	.client_name = pop3_server_client_name,
};
