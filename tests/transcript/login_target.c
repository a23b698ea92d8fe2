/* SPDX-License-Identifier: ISC */
#include "login_target.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/reference.h"
#include "transcript.h"

enum {
	VALUE_SIZE = 256
};

struct target {
	bool is_client;
	struct engine_server_conf server_conf;
	struct login_client_conf client_conf;
	char address[VALUE_SIZE];
	char user[VALUE_SIZE];
	char secret[VALUE_SIZE];
	void *engine;
};

/* Set by login_target_main(): one protocol a program. */
static const struct login_server_ops *server_ops;
static const struct login_client_ops *client_ops;
static enum protocol protocol;

static void *create(void)
{
	struct target *target = mem_new(1, sizeof *target);

	target->server_conf = (struct engine_server_conf){
		.hostname = "mail.example.test",
		.portal_url = "https://mail.example.test/",
		.service = protocol == PROTOCOL_IMAP ? SERVICE_IMAP : SERVICE_POP3,
		.client_address = slice_str("192.0.2.7"),
		.ban_failures = 5,
		.can_starttls = true,
		.max_commands = 20,
		.max_attempts = 3,
	};
	target->client_conf = (struct login_client_conf){
		.client_address = slice_str("192.0.2.7"),
		.client_port = 50123,
		.local_address = slice_str("198.51.100.1"),
		.local_port = protocol == PROTOCOL_IMAP ? 993 : 995,
		.session = slice_str("00000000000000a7"),
	};
	GP_ASSERT(slice_copy(slice_str("alice@example.test"), target->address, VALUE_SIZE));
	GP_ASSERT(slice_copy(slice_str("secret"), target->secret, VALUE_SIZE));
	return target;
}

static void destroy(void *state)
{
	struct target *target = state;

	if (target->is_client)
		client_ops->destroy(target->engine);
	else
		server_ops->destroy(target->engine);
	mem_free(target);
}

static bool set_bool(bool *flag, const char *value)
{
	*flag = strcmp(value, "yes") == 0;
	return *flag || strcmp(value, "no") == 0;
}

static bool set_number(unsigned *number, const char *value)
{
	unsigned long long parsed = 0;

	if (!slice_to_u64(slice_str(value), 1000000, &parsed))
		return false;
	*number = (unsigned)parsed;
	return true;
}

static bool set_service(struct target *target, const char *value)
{
	target->server_conf.service = service_by_name(slice_str(value));
	if (target->server_conf.service == SERVICE_MAX)
		return false;
	target->server_conf.is_tls = service_is_tls(target->server_conf.service);
	return true;
}

static bool set_server(struct target *target, const char *name, const char *value)
{
	struct engine_server_conf *conf = &target->server_conf;

	if (strcmp(name, "tls") == 0)
		return set_bool(&conf->is_tls, value);
	if (strcmp(name, "starttls") == 0)
		return set_bool(&conf->can_starttls, value);
	if (strcmp(name, "plaintext") == 0)
		return set_bool(&conf->plaintext_signin, value);
	if (strcmp(name, "service") == 0)
		return set_service(target, value);
	if (strcmp(name, "commands") == 0)
		return set_number(&conf->max_commands, value);
	if (strcmp(name, "reference") == 0)
		return reference_parse(slice_str(value), &conf->reference);
	if (strcmp(name, "attempts") == 0)
		return set_number(&conf->max_attempts, value);
	return false;
}

static bool set_credential(struct login_client_conf *conf, const char *value)
{
	static const char *const names[] = { "token", "master", "passthrough" };

	for (size_t i = 0; i < GP_ARRAY_LEN(names); i++) {
		if (strcmp(value, names[i]) == 0) {
			conf->credential = (enum login_credential)i;
			return true;
		}
	}
	return false;
}

static bool set_client(struct target *target, const char *name, const char *value)
{
	struct login_client_conf *conf = &target->client_conf;

	if (strcmp(name, "credential") == 0)
		return set_credential(conf, value);
	if (strcmp(name, "starttls") == 0)
		return set_bool(&conf->want_starttls, value);
	if (strcmp(name, "tell") == 0)
		return set_bool(&conf->tell_client, value);
	if (strcmp(name, "address") == 0)
		return slice_copy(slice_str(value), target->address, VALUE_SIZE);
	if (strcmp(name, "user") == 0)
		return slice_copy(slice_str(value), target->user, VALUE_SIZE);
	if (strcmp(name, "secret") == 0)
		return slice_copy(slice_str(value), target->secret, VALUE_SIZE);
	return false;
}

static bool set(void *state, const char *name, const char *value)
{
	struct target *target = state;

	if (strcmp(name, "engine") == 0) {
		target->is_client = strcmp(value, "client") == 0;
		return target->is_client;
	}
	return target->is_client ? set_client(target, name, value)
				 : set_server(target, name, value);
}

static void start(void *state)
{
	struct target *target = state;

	if (!target->is_client) {
		target->engine = server_ops->create(&target->server_conf);
		return;
	}
	target->client_conf.address = slice_str(target->address);
	target->client_conf.user = slice_str(target->user);
	target->client_conf.secret = slice_str(target->secret);
	target->engine = client_ops->create(&target->client_conf);
	/* What was borrowed is gone after create(). */
	mem_wipe(target->address, VALUE_SIZE);
	mem_wipe(target->user, VALUE_SIZE);
	mem_wipe(target->secret, VALUE_SIZE);
}

static bool is_client(const void *state)
{
	const struct target *target = state;

	return target->is_client;
}

static void add(struct buf *out, const char *text)
{
	GP_ASSERT(buf_append_str(out, text) == GP_OK);
}

static void add_slice(struct buf *out, const char *before, struct slice text)
{
	add(out, before);
	GP_ASSERT(buf_append(out, text) == GP_OK);
}

static size_t server_input(struct target *target, struct slice bytes, struct buf *ret_action)
{
	struct engine_action action;
	size_t used = server_ops->input(target->engine, bytes, &action);

	if (action.type == ENGINE_SIGNIN) {
		add_slice(ret_action, "ASK: SIGNIN ",
			slice_str(mechanism_name(action.signin.mechanism)));
		add_slice(ret_action, " ", action.signin.login);
		add_slice(ret_action, " ", action.signin.secret);
	} else if (action.type == ENGINE_NOTE) {
		add_slice(ret_action, "NOTE: ", slice_str(reason_name(action.note.reason)));
		if (action.note.detail.len > 0)
			add_slice(ret_action, " ", action.note.detail);
	} else if (action.type != ENGINE_NONE) {
		add(ret_action, action.type == ENGINE_STARTTLS ? "STARTTLS" : "CLOSE");
	}
	return used;
}

static size_t client_input(struct target *target, struct slice bytes, struct buf *ret_action)
{
	struct login_client_event event;
	size_t used = client_ops->input(target->engine, bytes, &event);

	if (event.type == ENGINE_EVENT_STARTTLS) {
		add(ret_action, "STARTTLS");
	} else if (event.type == ENGINE_EVENT_READY) {
		add(ret_action, event.needs_filter ? "READY+FILTER: " : "READY: ");
		add_slice(ret_action, "", event.capabilities);
		add_slice(ret_action, " = ", event.text);
	} else if (event.type != ENGINE_EVENT_NONE) {
		add(ret_action, event.type == ENGINE_EVENT_REFUSED ? "REFUSED:" : "FAILED:");
		if (event.text.len > 0)
			add_slice(ret_action, " ", event.text);
	}
	return used;
}

static size_t input(void *state, struct slice bytes, struct buf *ret_action)
{
	struct target *target = state;

	return target->is_client ? client_input(target, bytes, ret_action)
				 : server_input(target, bytes, ret_action);
}

static struct buf *output(void *state)
{
	struct target *target = state;

	return target->is_client ? client_ops->output(target->engine)
				 : server_ops->output(target->engine);
}

static void performed(void *state, const char *action)
{
	struct target *target = state;

	if (strcmp(action, "STARTTLS") != 0)
		return;
	if (target->is_client)
		client_ops->tls_started(target->engine);
	else
		server_ops->tls_started(target->engine);
}

/* "29", "29 7K3QX9TD" or nothing. */
static bool parse_ban(struct slice text, unsigned long long *ret_minutes, uint64_t *ret_reference)
{
	struct slice number = slice_word(&text);
	struct slice reference = slice_word(&text);

	return (number.len == 0 || slice_to_u64(number, 100000, ret_minutes)) &&
	       (reference.len == 0 || reference_parse(reference, ret_reference));
}

static bool tell(void *state, const char *words)
{
	struct target *target = state;
	struct slice rest = slice_str(words);
	struct engine_answer answer = { .verdict = VERDICT_DENY };
	unsigned long long minutes = 0;
	struct slice name = slice_word(&rest);
	ptrdiff_t equals;

	rest = slice_trim(rest);
	if (target->is_client)
		return false;
	if (slice_is(name, "name"))
		return slice_is(rest, server_ops->client_name(target->engine));
	if (slice_is(name, "abort") && rest.len > 0) {
		server_ops->abort(target->engine, rest.data);
		return true;
	}
	answer.verdict = verdict_by_name(name);
	equals = slice_find(rest, '=');
	if (answer.verdict == VERDICT_OK && equals >= 0) {
		answer.text = slice_trim(slice_from(rest, (size_t)equals + 1));
		rest = slice_trim(slice_head(rest, (size_t)equals));
	}
	if (answer.verdict == VERDICT_OK)
		answer.capabilities = rest;
	else if (!parse_ban(rest, &minutes, &answer.ban_reference))
		return false;
	answer.ban_minutes = (unsigned)minutes;
	if (answer.verdict < VERDICT_MAX)
		server_ops->answer_signin(target->engine, &answer);
	return answer.verdict < VERDICT_MAX;
}

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

int login_target_main(enum protocol which, const struct login_server_ops *of_server,
	const struct login_client_ops *of_client, int argc, char **argv)
{
	protocol = which;
	server_ops = of_server;
	client_ops = of_client;
	return transcript_main(&engine, argc, argv);
}
