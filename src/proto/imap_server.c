/* SPDX-License-Identifier: ISC */
/*
 *	                 on_line(): line ends in a literal's head
 *	  +---------> COMMAND <-----------------------------> LITERAL
 *	  |             | |                 read_literal()
 *	  |             | +-- cmd_starttls() --> STARTTLS -- tls_started() --> COMMAND
 *	  |             +-- cmd_authenticate() --> RESPONSE
 *	  |             |                             | on_sasl(), DONE
 *	  |             +-- cmd_login() ----------> ASKING
 *	  +------------- answer_signin(): no ---------+
 *	                 answer_signin(): yes --------+--> SIGNED_IN
 *
 *	any -- end(), abort() --> CLOSED
 *
 * A command is gathered whole, literals and all, and then parsed in one go; only what it may be and
 * how long is decided before.
 */
#include "proto/imap_server.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"
#include "proto/imap_lex.h"
#include "proto/login_server.h"

/* name, states it may go to (bits of enum imap_state) */
#define IMAP_STATE_LIST(X)                                                              \
	X(COMMAND, TO(LITERAL) | TO(RESPONSE) | TO(ASKING) | TO(STARTTLS) | TO(CLOSED)) \
	X(LITERAL, TO(COMMAND) | TO(CLOSED))                                            \
	X(RESPONSE, TO(COMMAND) | TO(ASKING) | TO(CLOSED))                              \
	X(ASKING, TO(COMMAND) | TO(SIGNED_IN) | TO(CLOSED))                             \
	X(STARTTLS, TO(COMMAND) | TO(CLOSED))                                           \
	X(SIGNED_IN, TO(CLOSED))                                                        \
	X(CLOSED, 0)

enum imap_state {
#define STATE_ENUM(name, edges) STATE_##name,
	IMAP_STATE_LIST(STATE_ENUM)
#undef STATE_ENUM
};

enum {
	ID_PAIRS_MAX = 30, /* RFC 2971 section 3.3 */
	CAPABILITIES_MAX = 256,
};

struct imap_server {
	struct login_server login;
	enum imap_state state;
	size_t line_start;   /* offset in the command of its current line */
	size_t literal_left; /* STATE_LITERAL */
	char tag[IMAP_TAG_MAX + 1];
};

/* One command: what it needs and what runs it. */
enum command_flag {
	NO_ARGUMENTS = 1,
	SIGNS_IN = 2, /* only where one may sign in */
};

struct command {
	const char *verb;
	unsigned flags;
	void (*run)(struct imap_server *server, struct slice arguments);
};

static void enter(struct imap_server *server, enum imap_state state)
{
#define TO(name)                 (1U << STATE_##name)
#define STATE_EDGES(name, edges) edges,
	static const unsigned edges[] = { IMAP_STATE_LIST(STATE_EDGES) };
#undef STATE_EDGES
#undef TO

	GP_ASSERT((edges[server->state] & (1U << state)) != 0);
	server->state = state;
}

static void end(struct imap_server *server)
{
	login_server_close(&server->login);
	enter(server, STATE_CLOSED);
}

static struct slice tag_of(const struct imap_server *server)
{
	return slice_str(server->tag);
}

static void say_tagged(struct imap_server *server, const char *words)
{
	login_server_say(
		&server->login, "%s %s\r\n", server->tag[0] != '\0' ? server->tag : "*", words);
}

/* What holds before sign-in; everything else is the backend's to offer. */
static void capabilities(const struct imap_server *server, char out[static CAPABILITIES_MAX])
{
	struct buf list;

	buf_init(&list, CAPABILITIES_MAX - 1);
	GP_ASSERT(buf_printf(&list, "IMAP4rev1 SASL-IR LITERAL- ID%s%s",
			  login_server_may_starttls(&server->login) ? " STARTTLS" : "",
			  login_server_may_signin(&server->login) ? " AUTH=PLAIN AUTH=LOGIN"
								  : " LOGINDISABLED") == GP_OK);
	GP_ASSERT(slice_copy(buf_slice(&list), out, CAPABILITIES_MAX));
	buf_fini(&list);
}

static void cmd_capability(struct imap_server *server, struct slice arguments)
{
	char list[CAPABILITIES_MAX];

	(void)arguments;
	capabilities(server, list);
	login_server_say(&server->login, "* CAPABILITY %s\r\n", list);
	say_tagged(server, "OK CAPABILITY completed");
}

static void cmd_noop(struct imap_server *server, struct slice arguments)
{
	(void)arguments;
	say_tagged(server, "OK NOOP completed");
}

static void cmd_logout(struct imap_server *server, struct slice arguments)
{
	(void)arguments;
	login_server_say(&server->login, "* BYE Logging out\r\n");
	say_tagged(server, "OK LOGOUT completed");
	end(server);
}

static void cmd_starttls(struct imap_server *server, struct slice arguments)
{
	(void)arguments;
	if (!login_server_may_starttls(&server->login)) {
		say_tagged(server, server->login.is_tls ? "BAD TLS is on already"
							: "BAD STARTTLS is not offered");
		return;
	}
	say_tagged(server, "OK Begin TLS negotiation now");
	login_server_starttls(&server->login);
	enter(server, STATE_STARTTLS);
}

/* "(" string SP nstring ... ")": keeps the values of name and version. */
static bool parse_id(struct slice *rest, struct buf *key, struct buf *name, struct buf *version)
{
	if (!imap_lex_byte(rest, '('))
		return false;
	for (unsigned pairs = 0; !imap_lex_byte(rest, ')'); pairs++) {
		bool is_nil = false;
		struct buf ignored;
		struct buf *value = &ignored;
		bool ok;

		if (pairs >= ID_PAIRS_MAX || (pairs > 0 && !imap_lex_byte(rest, ' ')))
			return false;
		buf_clear(key);
		if (!imap_lex_nstring(rest, key, &is_nil) || is_nil || !imap_lex_byte(rest, ' '))
			return false;
		if (slice_is_nocase(buf_slice(key), "name") && name->len == 0)
			value = name;
		else if (slice_is_nocase(buf_slice(key), "version") && version->len == 0)
			value = version;
		buf_init(&ignored, IMAP_COMMAND_MAX);
		ok = imap_lex_nstring(rest, value, &is_nil);
		buf_fini(&ignored);
		if (!ok)
			return false;
	}
	return true;
}

static void keep_client_name(
	struct imap_server *server, struct buf *name, const struct buf *version)
{
	if (version->len > 0 && (buf_append_byte(name, ' ') != GP_OK ||
					buf_append(name, buf_slice(version)) != GP_OK))
		return;
	if (name->len > 0)
		text_escape(slice_trim(buf_slice(name)), server->login.client_name,
			sizeof server->login.client_name);
}

static void cmd_id(struct imap_server *server, struct slice arguments)
{
	struct buf key;
	struct buf name;
	struct buf version;
	bool ok;

	buf_init(&key, IMAP_COMMAND_MAX);
	buf_init(&name, 2 * IMAP_COMMAND_MAX);
	buf_init(&version, IMAP_COMMAND_MAX);
	ok = imap_lex_byte(&arguments, ' ');
	if (ok && !slice_is_nocase(arguments, "NIL"))
		ok = parse_id(&arguments, &key, &name, &version) && arguments.len == 0;
	if (ok) {
		keep_client_name(server, &name, &version);
		login_server_say(&server->login, "* ID (\"name\" \"Gatepost\")\r\n");
		say_tagged(server, "OK ID completed");
	} else {
		say_tagged(server, "BAD Malformed ID");
	}
	buf_fini(&key);
	buf_fini(&name);
	buf_fini(&version);
}

static void cmd_login(struct imap_server *server, struct slice arguments)
{
	struct buf login;
	struct buf secret;

	buf_init(&login, IMAP_COMMAND_MAX);
	buf_init_secret(&secret, IMAP_COMMAND_MAX);
	if (imap_lex_byte(&arguments, ' ') && imap_lex_astring(&arguments, &login) &&
		imap_lex_byte(&arguments, ' ') && imap_lex_astring(&arguments, &secret) &&
		arguments.len == 0 && sasl_is_login(buf_slice(&login)) &&
		sasl_is_secret(buf_slice(&secret))) {
		login_server_ask(
			&server->login, MECHANISM_USER, buf_slice(&login), buf_slice(&secret));
		enter(server, STATE_ASKING);
	} else {
		say_tagged(server, "BAD Malformed name or password");
	}
	buf_fini(&login);
	buf_fini(&secret);
}

static void on_sasl(struct imap_server *server, enum sasl_result result)
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
		say_tagged(server, "BAD Malformed authentication response");
		break;
	case SASL_CANCELLED:
		say_tagged(server, "BAD Authentication cancelled");
		break;
	}
	login_server_drop_sasl(&server->login);
	if (server->state == STATE_RESPONSE)
		enter(server, STATE_COMMAND);
}

static void cmd_authenticate(struct imap_server *server, struct slice arguments)
{
	bool has_initial;
	struct slice mechanism;

	if (!imap_lex_byte(&arguments, ' ')) {
		say_tagged(server, "BAD Which mechanism?");
		return;
	}
	mechanism = imap_lex_atom(&arguments);
	has_initial = imap_lex_byte(&arguments, ' ');
	if (mechanism.len == 0 || (!has_initial && arguments.len > 0)) {
		say_tagged(server, "BAD Malformed AUTHENTICATE");
		return;
	}
	if (!sasl_init(&server->login.sasl, mechanism)) {
		login_server_reply(&server->login, REPLY_MECHANISM, tag_of(server));
		login_server_note(&server->login, REASON_MECHANISM, mechanism);
		return;
	}
	server->login.has_sasl = true;
	on_sasl(server, sasl_begin(&server->login.sasl, has_initial, arguments));
}

static const struct command commands[] = {
	{ "CAPABILITY", NO_ARGUMENTS, cmd_capability },
	{ "NOOP", NO_ARGUMENTS, cmd_noop },
	{ "LOGOUT", NO_ARGUMENTS, cmd_logout },
	{ "STARTTLS", NO_ARGUMENTS, cmd_starttls },
	{ "ID", 0, cmd_id },
	{ "LOGIN", SIGNS_IN, cmd_login },
	{ "AUTHENTICATE", SIGNS_IN, cmd_authenticate },
};

/* Cuts the tag and keeps it; without a usable one the answer is untagged. */
static bool take_tag(struct imap_server *server, struct slice *rest)
{
	struct slice tag = imap_lex_tag(rest);

	server->tag[0] = '\0';
	if (tag.len > 0 && imap_lex_byte(rest, ' ') &&
		slice_copy(tag, server->tag, sizeof server->tag))
		return true;
	login_server_say(&server->login, "* BAD Malformed tag\r\n");
	return false;
}

/* The command that text begins with, tag and verb cut off, if it may be given here and now; NULL
 * after saying why not. */
static const struct command *admit(struct imap_server *server, struct slice *text)
{
	struct slice verb;

	if (!take_tag(server, text))
		return NULL;
	verb = imap_lex_atom(text);
	for (size_t i = 0; i < GP_ARRAY_LEN(commands); i++) {
		const struct command *command = &commands[i];

		if (!slice_is_nocase(verb, command->verb))
			continue;
		if ((command->flags & NO_ARGUMENTS) != 0 && text->len > 0) {
			say_tagged(server, "BAD This command has no arguments");
			return NULL;
		}
		if ((command->flags & SIGNS_IN) != 0 && !login_server_may_signin(&server->login)) {
			login_server_reply(&server->login, REPLY_NO_TLS, tag_of(server));
			login_server_note(&server->login, REASON_NO_TLS, slice_of(NULL, 0));
			return NULL;
		}
		return command;
	}
	say_tagged(server, "BAD Unknown command, or not before sign-in");
	return NULL;
}

static void drop_command(struct imap_server *server)
{
	buf_clear(&server->login.command);
	buf_trim(&server->login.command);
	server->line_start = 0;
}

static void run_command(struct imap_server *server, struct slice text)
{
	const struct command *command = admit(server, &text);

	if (command != NULL)
		command->run(server, text);
	drop_command(server);
}

/* A literal of this size is announced: takes it, or refuses it without reading it. */
static void on_literal(
	struct imap_server *server, enum imap_literal kind, uint64_t size, struct slice text)
{
	bool is_too_big = size > IMAP_LITERAL_MAX || size > buf_room(&server->login.command);

	if (kind == IMAP_LITERAL_SYNC && admit(server, &text) == NULL) {
		drop_command(server);
		return;
	}
	if (is_too_big && (kind == IMAP_LITERAL_SYNC || take_tag(server, &text)))
		say_tagged(server, "BAD [TOOBIG] Literal too large");
	if (is_too_big) {
		drop_command(server);
		if (kind == IMAP_LITERAL_SYNC)
			return;
		/* Its bytes are on their way and are no commands. */
		login_server_say(&server->login, "* BYE Literal too large\r\n");
		end(server);
		return;
	}
	if (kind == IMAP_LITERAL_SYNC)
		login_server_say(&server->login, "+ Ready\r\n");
	server->literal_left = (size_t)size;
	enter(server, STATE_LITERAL);
}

static bool is_within_limits(struct imap_server *server)
{
	server->login.commands++;
	if (server->login.commands <= server->login.conf->max_commands)
		return true;
	login_server_note(&server->login, REASON_LIMIT, SLICE_LIT("commands"));
	login_server_say(&server->login, "* BYE Too many commands before sign-in\r\n");
	end(server);
	return false;
}

/* A line is whole: the first of a command, or what follows a literal. */
static void on_line(struct imap_server *server)
{
	struct slice text = buf_slice(&server->login.command);
	enum imap_literal kind;
	uint64_t size = 0;

	text.len -= 2;
	if (server->line_start == 0) {
		if (login_server_is_http(&server->login, text)) {
			enter(server, STATE_CLOSED);
			return;
		}
		if (!is_within_limits(server))
			return;
	}
	kind = imap_lex_literal_head(slice_from(text, server->line_start), &size);
	if (kind != IMAP_LITERAL_NONE)
		on_literal(server, kind, size, text);
	else
		run_command(server, text);
}

static void on_response(struct imap_server *server)
{
	struct slice text = buf_slice(&server->login.command);

	text.len -= 2;
	on_sasl(server, sasl_step(&server->login.sasl, text));
	drop_command(server);
}

static void read_line(struct imap_server *server, struct slice *rest)
{
	if (login_server_is_tls_hello(&server->login, *rest)) {
		enter(server, STATE_CLOSED);
		return;
	}
	switch (login_server_read_line(&server->login, rest, IMAP_COMMAND_MAX)) {
	case LOGIN_LINE_MORE:
		return;
	case LOGIN_LINE_DONE:
		if (server->state == STATE_RESPONSE)
			on_response(server);
		else
			on_line(server);
		return;
	case LOGIN_LINE_LONG:
		login_server_say(&server->login, "* BYE Command too long\r\n");
		drop_command(server);
		end(server);
		return;
	}
}

static void read_literal(struct imap_server *server, struct slice *rest)
{
	struct slice part = slice_head(*rest, server->literal_left);

	GP_ASSERT(buf_append(&server->login.command, part) == GP_OK);
	*rest = slice_from(*rest, part.len);
	server->literal_left -= part.len;
	if (server->literal_left == 0) {
		server->line_start = server->login.command.len;
		enter(server, STATE_COMMAND);
	}
}

/* Uses some of *rest; false: nothing can be used now. */
static bool step(struct imap_server *server, struct slice *rest)
{
	if (server->login.output.len > LOGIN_OUTPUT_HIGH)
		return false;
	switch (server->state) {
	case STATE_LITERAL:
		if (rest->len == 0 && server->literal_left > 0)
			return false;
		read_literal(server, rest);
		return true;
	case STATE_COMMAND:
	case STATE_RESPONSE:
		if (rest->len == 0)
			return false;
		read_line(server, rest);
		return true;
	case STATE_ASKING:
	case STATE_STARTTLS:
	case STATE_SIGNED_IN:
	case STATE_CLOSED:
		return false;
	}
	return false;
}

static size_t imap_server_input(void *engine, struct slice bytes, struct engine_action *ret_action)
{
	struct imap_server *server = engine;
	struct slice rest = bytes;
	bool can_go_on = true;

	*ret_action = (struct engine_action){ .type = ENGINE_NONE };
	while (can_go_on && !login_server_next_action(&server->login, ret_action))
		can_go_on = step(server, &rest);
	return bytes.len - rest.len;
}

static void *imap_server_create(const struct engine_server_conf *conf)
{
	struct imap_server *server = mem_new(1, sizeof *server);
	char list[CAPABILITIES_MAX];

	login_server_init(&server->login, conf, IMAP_COMMAND_MAX);
	capabilities(server, list);
	login_server_say(&server->login, "* OK [CAPABILITY %s] %s ready\r\n", list, conf->hostname);
	return server;
}

static void imap_server_destroy(void *engine)
{
	struct imap_server *server = engine;

	if (server == NULL)
		return;
	login_server_fini(&server->login);
	mem_free(server);
}

static struct buf *imap_server_output(void *engine)
{
	struct imap_server *server = engine;

	return &server->login.output;
}

static void imap_server_tls_started(void *engine)
{
	struct imap_server *server = engine;

	if (server->state == STATE_CLOSED)
		return;
	/* What was said in the clear is forgotten, RFC 9051 section 6.2.1. */
	server->login.is_tls = true;
	server->login.client_name[0] = '\0';
	enter(server, STATE_COMMAND);
}

static void say_signed_in(struct imap_server *server, const struct engine_answer *answer)
{
	struct buf *output = &server->login.output;
	struct slice words = answer->text.len > 0 ? answer->text : SLICE_LIT("Signed in");

	login_server_say(&server->login, "%s OK ", server->tag);
	/* Too long a list stays away; a mail program then asks for it. */
	if (answer->capabilities.len > 0 && answer->capabilities.len < buf_room(output) / 2) {
		GP_ASSERT(buf_append_str(output, "[CAPABILITY ") == GP_OK);
		GP_ASSERT(buf_append(output, answer->capabilities) == GP_OK);
		GP_ASSERT(buf_append_str(output, "] ") == GP_OK);
	}
	GP_ASSERT(reply_append_clean(output, words));
	GP_ASSERT(buf_append_str(output, "\r\n") == GP_OK);
}

static void imap_server_answer_signin(void *engine, const struct engine_answer *answer)
{
	struct imap_server *server = engine;

	login_server_forget(&server->login);
	if (server->state == STATE_CLOSED)
		return; /* aborted meanwhile */
	GP_ASSERT(server->state == STATE_ASKING);
	if (answer->verdict == VERDICT_OK) {
		say_signed_in(server, answer);
		enter(server, STATE_SIGNED_IN);
		return;
	}
	enter(server, login_server_refuse(&server->login, answer, tag_of(server)) ? STATE_COMMAND
										  : STATE_CLOSED);
}

static void imap_server_abort(void *engine, const char *text)
{
	struct imap_server *server = engine;

	if (server->state == STATE_CLOSED)
		return;
	login_server_abort(&server->login, "* BYE ", text);
	enter(server, STATE_CLOSED);
}

static const char *imap_server_client_name(void *engine)
{
	const struct imap_server *server = engine;

	return server->login.client_name;
}

const struct login_server_ops imap_server_ops = {
	.create = imap_server_create,
	.destroy = imap_server_destroy,
	.input = imap_server_input,
	.output = imap_server_output,
	.tls_started = imap_server_tls_started,
	.answer_signin = imap_server_answer_signin,
	.abort = imap_server_abort,
	.client_name = imap_server_client_name,
};
