/* SPDX-License-Identifier: ISC */
/*
 * Transcripts of the SMTP engines.
 *
 * Settings: "engine client" or "engine lmtp" (towards a next hop; default: server). For a server:
 * service, starttls, plaintext, old_clients, banned, relay (yes or no), commands, attempts, size,
 * recipients, code, reference. For a client: starttls (yes or no), user, secret, client (address),
 * port, login, helo, proto.
 *
 * Actions of a server:  SIGNIN mechanism login secret | MAIL <address> parameters |
 *                       RCPT <address> parameters | DATA | END bytes "the whole message, escaped" |
 *                       RSET | VRFY argument | NOTE reason detail | STARTTLS | CLOSE
 * TELL to a server:     ok | denied | banned 29 [reference] | denied+banned 30 [reference] | busy |
 * temporary (to SIGNIN); answer, refuse or abort CODE X.Y.Z text ("-" for no X.Y.Z; "|" ends a
 *                       line); proceed; pipelines; caps NAME ... SIZE=n; name text, owed n, esmtp
 * yes or no, recipients n: fail unless it is so Actions of a client:  STARTTLS | READY capabilities
 * | REPLY command CODE X.Y.Z text | REFUSED CODE ... | FAILED CODE ... TELL to a client:     mail,
 * rcpt address parameters; data; body text; end; rset; vrfy text; noop; quit; closed; "not
 * error_name command ..." must give that error; told yes or no, owed n: fail unless it is so After
 * STARTTLS, TLS is up.
 */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/reference.h"
#include "base/text.h"
#include "proto/smtp_client.h"
#include "proto/smtp_server.h"
#include "transcript.h"

enum {
	VALUE_SIZE = 256,
	BODY_MAX = 1024 * 1024,
	SHOWN_SIZE = 2048,
};

struct target {
	bool is_client;
	struct smtp_server_conf server_conf;
	struct smtp_client_conf client_conf;
	struct smtp_client_identity identity;
	char values[6][VALUE_SIZE]; /* the client's texts, in the order of text_names */
	struct smtp_server *server;
	struct smtp_client *client;
	struct buf body;
	struct smtp_client_event closed; /* what "TELL: closed" gave */
};

enum text {
	TEXT_USER,
	TEXT_SECRET,
	TEXT_CLIENT,
	TEXT_LOGIN,
	TEXT_HELO,
	TEXT_PROTO
};

static const char *const text_names[] = { "user", "secret", "client", "login", "helo", "proto" };

struct cap_name {
	const char *name;
	unsigned cap;
};

static const struct cap_name cap_names[] = {
	{ "PIPELINING", SMTP_CAP_PIPELINING },
	{ "SIZE", SMTP_CAP_SIZE },
	{ "8BITMIME", SMTP_CAP_8BITMIME },
	{ "SMTPUTF8", SMTP_CAP_SMTPUTF8 },
	{ "DSN", SMTP_CAP_DSN },
	{ "ENHANCEDSTATUSCODES", SMTP_CAP_ENHANCEDSTATUSCODES },
	{ "STARTTLS", SMTP_CAP_STARTTLS },
	{ "XCLIENT", SMTP_CAP_XCLIENT },
	{ "AUTH", SMTP_CAP_AUTH_PLAIN },
};

static void *create(void)
{
	struct target *target = mem_new(1, sizeof *target);

	target->server_conf = (struct smtp_server_conf){
		.common = {
			.hostname = "mail.example.test",
			.portal_url = "https://mail.example.test/",
			.service = SERVICE_SUBMISSION,
			.client_address = slice_str("192.0.2.7"),
			.ban_failures = 5,
			.ban_minutes = 12,
			.can_starttls = true,
			.max_commands = 20,
			.max_attempts = 3,
		},
		.message_size = 10000,
		.message_recipients = 100,
	};
	target->client_conf.helo_name = "gatepost.example.test";
	buf_init(&target->body, BODY_MAX);
	return target;
}

static void destroy(void *state)
{
	struct target *target = state;

	smtp_server_free(&target->server);
	smtp_client_free(&target->client);
	buf_fini(&target->body);
	mem_free(target);
}

static bool parse_bool(bool *flag, const char *value)
{
	*flag = strcmp(value, "yes") == 0;
	return *flag || strcmp(value, "no") == 0;
}

static bool parse_number(unsigned *number, const char *value)
{
	unsigned long long parsed = 0;

	if (!slice_to_u64(slice_str(value), 1000000, &parsed))
		return false;
	*number = (unsigned)parsed;
	return true;
}

static bool set_service(struct engine_server_conf *conf, const char *value)
{
	conf->service = service_by_name(slice_str(value));
	conf->is_tls = conf->service != SERVICE_MAX && service_is_tls(conf->service);
	return conf->service != SERVICE_MAX;
}

static bool set_server(struct target *target, const char *name, const char *value)
{
	struct smtp_server_conf *conf = &target->server_conf;
	struct engine_server_conf *common = &conf->common;
	unsigned size = 0;
	const struct {
		const char *name;
		bool *flag;
		unsigned *number;
	} settings[] = {
		{ "starttls", &common->can_starttls, NULL },
		{ "plaintext", &common->plaintext_signin, NULL },
		{ "old_clients", &common->old_clients, NULL },
		{ "banned", &common->is_banned, NULL },
		{ "relay", &conf->may_relay, NULL },
		{ "commands", NULL, &common->max_commands },
		{ "attempts", NULL, &common->max_attempts },
		{ "recipients", NULL, &conf->message_recipients },
		{ "code", NULL, &conf->signin_required_code },
	};

	if (strcmp(name, "service") == 0)
		return set_service(common, value);
	if (strcmp(name, "reference") == 0)
		return reference_parse(slice_str(value), &common->reference);
	if (strcmp(name, "size") == 0) {
		bool ok = parse_number(&size, value);

		conf->message_size = size;
		return ok;
	}
	for (size_t i = 0; i < GP_ARRAY_LEN(settings); i++) {
		if (strcmp(name, settings[i].name) != 0)
			continue;
		return settings[i].flag != NULL ? parse_bool(settings[i].flag, value)
						: parse_number(settings[i].number, value);
	}
	return false;
}

static bool set_client(struct target *target, const char *name, const char *value)
{
	unsigned port = 0;

	if (strcmp(name, "starttls") == 0)
		return parse_bool(&target->client_conf.want_starttls, value);
	if (strcmp(name, "port") == 0) {
		bool ok = parse_number(&port, value);

		target->identity.port = (uint16_t)port;
		return ok;
	}
	for (size_t i = 0; i < GP_ARRAY_LEN(text_names); i++) {
		if (strcmp(name, text_names[i]) == 0)
			return slice_copy(slice_str(value), target->values[i], VALUE_SIZE);
	}
	return false;
}

static bool set(void *state, const char *name, const char *value)
{
	struct target *target = state;

	if (strcmp(name, "engine") == 0) {
		target->client_conf.is_lmtp = strcmp(value, "lmtp") == 0;
		target->is_client = target->client_conf.is_lmtp || strcmp(value, "client") == 0;
		return target->is_client;
	}
	return target->is_client ? set_client(target, name, value)
				 : set_server(target, name, value);
}

static const char *text_of(const struct target *target, enum text text)
{
	return target->values[text][0] != '\0' ? target->values[text] : NULL;
}

static void start(void *state)
{
	struct target *target = state;
	struct smtp_client_conf *conf = &target->client_conf;

	if (!target->is_client) {
		target->server = smtp_server_new(&target->server_conf);
		return;
	}
	conf->auth_user = text_of(target, TEXT_USER);
	conf->auth_password = slice_str(target->values[TEXT_SECRET]);
	target->identity.address = text_of(target, TEXT_CLIENT);
	target->identity.login = text_of(target, TEXT_LOGIN);
	target->identity.helo = text_of(target, TEXT_HELO);
	target->identity.proto = text_of(target, TEXT_PROTO);
	if (target->identity.address != NULL)
		conf->identity = &target->identity;
	target->client = smtp_client_new(conf);
	/* What was borrowed is gone from here on. */
	mem_wipe(target->values, sizeof target->values);
}

static bool is_client(const void *state)
{
	const struct target *target = state;

	return target->is_client;
}

static void add(struct buf *out, struct slice text)
{
	GP_ASSERT(buf_append(out, text) == GP_OK);
}

static void add_word(struct buf *out, struct slice text)
{
	if (text.len > 0 && out->len > 0)
		add(out, SLICE_LIT(" "));
	add(out, text);
}

static void add_path(struct buf *out, const char *verb, const struct engine_path *path)
{
	add_word(out, slice_str(verb));
	add(out, SLICE_LIT(" <"));
	add(out, path->address);
	add(out, SLICE_LIT(">"));
	add_word(out, path->params);
}

static void add_message(struct target *target, struct buf *out)
{
	char shown[SHOWN_SIZE];

	text_escape(buf_slice(&target->body), shown, sizeof shown);
	GP_ASSERT(buf_printf(out, "END %zu \"%s\"",
			  (size_t)smtp_server_message_size(target->server), shown) == GP_OK);
	buf_clear(&target->body);
}

static void show_action(struct target *target, const struct engine_action *action, struct buf *out)
{
	switch (action->type) {
	case ENGINE_NONE:
		return;
	case ENGINE_BODY:
		add(&target->body, action->bytes);
		return;
	case ENGINE_BODY_END:
		add_message(target, out);
		return;
	case ENGINE_SIGNIN:
		add_word(out, SLICE_LIT("SIGNIN"));
		add_word(out, slice_str(mechanism_name(action->signin.mechanism)));
		add_word(out, action->signin.login);
		add_word(out, action->signin.secret);
		return;
	case ENGINE_NOTE:
		add_word(out, SLICE_LIT("NOTE"));
		add_word(out, slice_str(reason_name(action->note.reason)));
		add_word(out, action->note.detail);
		return;
	case ENGINE_MAIL:
		add_path(out, "MAIL", &action->path);
		return;
	case ENGINE_RCPT:
		add_path(out, "RCPT", &action->path);
		return;
	case ENGINE_VRFY:
		add_word(out, SLICE_LIT("VRFY"));
		add_word(out, action->bytes);
		return;
	case ENGINE_DATA:
		add_word(out, SLICE_LIT("DATA"));
		return;
	case ENGINE_RSET:
		add_word(out, SLICE_LIT("RSET"));
		return;
	case ENGINE_STARTTLS:
		add_word(out, SLICE_LIT("STARTTLS"));
		return;
	case ENGINE_CLOSE:
		add_word(out, SLICE_LIT("CLOSE"));
		return;
	}
}

static void show_reply(const struct smtp_reply *reply, struct buf *out)
{
	char code[8];

	if (reply == NULL)
		return;
	(void)snprintf(code, sizeof code, "%u", reply->code);
	add_word(out, slice_str(code));
	add_word(out, slice_str(reply->enhanced));
	add_word(out, slice_str(reply->text));
	for (char *at = out->data + out->head; at < out->data + out->head + out->len; at++)
		*at = *at == '\n' ? '|' : *at;
}

static void show_ready(const struct target *target, struct buf *out)
{
	add_word(out, SLICE_LIT("READY"));
	for (size_t i = 0; i < GP_ARRAY_LEN(cap_names); i++) {
		if ((smtp_client_caps(target->client) & cap_names[i].cap) == 0)
			continue;
		add_word(out, slice_str(cap_names[i].name));
		if (cap_names[i].cap == SMTP_CAP_SIZE)
			GP_ASSERT(buf_printf(out, "=%llu",
					  (unsigned long long)smtp_client_size(target->client)) ==
				  GP_OK);
	}
}

static void show_event(
	const struct target *target, const struct smtp_client_event *event, struct buf *out)
{
	static const char *const names[] = { "NONE", "MAIL", "RCPT", "DATA", "BODY", "RSET", "VRFY",
		"NOOP", "QUIT", "PART" };

	switch (event->type) {
	case ENGINE_EVENT_NONE:
		return;
	case ENGINE_EVENT_STARTTLS:
		add_word(out, SLICE_LIT("STARTTLS"));
		return;
	case ENGINE_EVENT_READY:
		show_ready(target, out);
		return;
	case ENGINE_EVENT_REFUSED:
		add_word(out, SLICE_LIT("REFUSED"));
		break;
	case ENGINE_EVENT_FAILED:
		add_word(out, SLICE_LIT("FAILED"));
		break;
	case ENGINE_EVENT_REPLY:
		add_word(out, SLICE_LIT("REPLY"));
		add_word(out, slice_str(names[event->command]));
		break;
	}
	show_reply(event->reply, out);
}

static size_t input(void *state, struct slice bytes, struct buf *ret_action)
{
	struct target *target = state;
	struct smtp_client_event event = target->closed;
	struct engine_action action = { .type = ENGINE_NONE };
	size_t used = 0;

	if (!target->is_client) {
		used = smtp_server_input(target->server, bytes, &action);
		show_action(target, &action, ret_action);
		/* Part of a message is no action here, but the engine may have more to say. */
		return used;
	}
	target->closed = (struct smtp_client_event){ .type = ENGINE_EVENT_NONE };
	if (event.type == ENGINE_EVENT_NONE)
		used = smtp_client_input(target->client, bytes, &event);
	show_event(target, &event, ret_action);
	return used;
}

static struct buf *output(void *state)
{
	struct target *target = state;

	return target->is_client ? smtp_client_output(target->client)
				 : smtp_server_output(target->server);
}

static void performed(void *state, const char *action)
{
	struct target *target = state;

	if (strcmp(action, "STARTTLS") != 0)
		return;
	if (target->is_client)
		smtp_client_tls_started(target->client);
	else
		smtp_server_tls_started(target->server);
}

/* "CODE X.Y.Z text": whether it is one. */
static bool parse_reply(struct slice rest, struct smtp_reply *reply)
{
	unsigned long long code = 0;
	struct slice word = slice_word(&rest);
	char enhanced[12];
	char *text;

	if (!slice_to_u64(word, 599, &code))
		return false;
	word = slice_word(&rest);
	if (!slice_copy(slice_is(word, "-") ? slice_of(NULL, 0) : word, enhanced, sizeof enhanced))
		return false;
	text = slice_dup(slice_trim(rest));
	for (char *at = text; *at != '\0'; at++)
		*at = *at == '|' ? '\n' : *at;
	smtp_reply_set(reply, (unsigned)code, enhanced, text);
	mem_free(text);
	return true;
}

static bool tell_caps(struct smtp_server *server, struct slice rest)
{
	unsigned caps = 0;
	unsigned long long size = 0;

	for (struct slice word = slice_word(&rest); word.len > 0; word = slice_word(&rest)) {
		if (slice_starts_nocase(word, "SIZE=") &&
			!slice_to_u64(slice_from(word, 5), UINT64_MAX, &size))
			return false;
		for (size_t i = 0; i < GP_ARRAY_LEN(cap_names); i++) {
			if (slice_starts_nocase(word, cap_names[i].name))
				caps |= cap_names[i].cap;
		}
	}
	smtp_server_set_caps(server, caps, size);
	return true;
}

static bool is_number(struct slice text, unsigned long long number)
{
	unsigned long long value = 0;

	return slice_to_u64(text, UINT64_MAX, &value) && value == number;
}

static bool tell_verdict(struct smtp_server *server, struct slice name, struct slice rest)
{
	struct engine_answer answer = { .verdict = verdict_by_name(name) };
	struct slice number = slice_word(&rest);
	struct slice reference = slice_word(&rest);
	unsigned long long minutes = 0;

	if (answer.verdict == VERDICT_MAX ||
		(number.len > 0 && !slice_to_u64(number, 100000, &minutes)) ||
		(reference.len > 0 && !reference_parse(reference, &answer.ban_reference)))
		return false;
	answer.ban_minutes = (unsigned)minutes;
	smtp_server_answer_signin(server, &answer);
	return true;
}

static bool tell_server(struct smtp_server *server, struct slice name, struct slice rest)
{
	struct smtp_reply reply;

	if (slice_is(name, "caps"))
		return tell_caps(server, rest);
	if (slice_is(name, "name"))
		return slice_is(rest, smtp_server_client_name(server));
	if (slice_is(name, "owed"))
		return is_number(rest, smtp_server_owed(server));
	if (slice_is(name, "recipients"))
		return is_number(rest, smtp_server_recipients(server));
	if (slice_is(name, "esmtp"))
		return slice_is(rest, smtp_server_is_esmtp(server) ? "yes" : "no");
	if (slice_is(name, "proceed")) {
		smtp_server_proceed(server);
		return true;
	}
	if (slice_is(name, "pipelines")) {
		smtp_server_pipeline_data(server, true);
		return true;
	}
	if (!slice_is(name, "answer") && !slice_is(name, "refuse") && !slice_is(name, "abort"))
		return tell_verdict(server, name, rest);
	if (!parse_reply(rest, &reply))
		return false;
	if (slice_is(name, "answer"))
		smtp_server_answer(server, &reply);
	else if (slice_is(name, "refuse"))
		smtp_server_refuse(server, &reply);
	else
		smtp_server_abort(server, &reply);
	return true;
}

static enum gp_err command_of(struct smtp_client *client, struct slice name, struct slice rest)
{
	struct slice params = rest;
	struct slice address = slice_word(&params);

	if (slice_is(name, "mail"))
		return smtp_client_mail(client,
			slice_is(address, "<>") ? slice_of(NULL, 0) : address, slice_trim(params));
	if (slice_is(name, "rcpt"))
		return smtp_client_rcpt(client, address, slice_trim(params));
	if (slice_is(name, "data"))
		return smtp_client_data(client);
	if (slice_is(name, "end"))
		return smtp_client_body_end(client);
	if (slice_is(name, "rset"))
		return smtp_client_rset(client);
	if (slice_is(name, "vrfy"))
		return smtp_client_vrfy(client, rest);
	if (slice_is(name, "noop"))
		return smtp_client_noop(client);
	if (slice_is(name, "quit"))
		return smtp_client_quit(client);
	if (slice_is(name, "body") && smtp_client_body(client, rest) == GP_OK)
		return smtp_client_body(client, SLICE_LIT("\r\n"));
	return slice_is(name, "body") ? GP_ERR_AGAIN : GP_ERR_INTERNAL;
}

static bool tell_client(struct target *target, struct slice name, struct slice rest)
{
	static const struct {
		const char *name;
		enum gp_err err;
	} errors[] = {
		{ "again", GP_ERR_AGAIN },
		{ "closed", GP_ERR_CLOSED },
		{ "limit", GP_ERR_LIMIT },
		{ "syntax", GP_ERR_SYNTAX },
		{ "unsupported", GP_ERR_UNSUPPORTED },
	};
	enum gp_err expected = GP_OK;

	if (slice_is(name, "closed")) {
		smtp_client_closed(target->client, &target->closed);
		return true;
	}
	if (slice_is(name, "told"))
		return slice_is(rest, smtp_client_took_identity(target->client) ? "yes" : "no");
	if (slice_is(name, "owed"))
		return is_number(rest, smtp_client_owed(target->client));
	if (slice_is(name, "not")) {
		name = slice_word(&rest);
		for (size_t i = 0; i < GP_ARRAY_LEN(errors); i++) {
			if (slice_is(name, errors[i].name))
				expected = errors[i].err;
		}
		name = slice_word(&rest);
	}
	return command_of(target->client, name, slice_trim(rest)) == expected;
}

static bool tell(void *state, const char *words)
{
	struct target *target = state;
	struct slice rest = slice_str(words);
	struct slice name = slice_word(&rest);

	rest = slice_trim(rest);
	return target->is_client ? tell_client(target, name, rest)
				 : tell_server(target->server, name, rest);
}

int main(int argc, char **argv)
{
	static const struct transcript_engine engine = {
		.create = create,
		.destroy = destroy,
		.set = set,
		.start = start,
		.is_client = is_client,
		.input = input,
		.output = output,
		.performed = performed,
		.tell = tell,
	};

	return transcript_main(&engine, argc, argv);
}
