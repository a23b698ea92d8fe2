/* SPDX-License-Identifier: ISC */
/*
 *	GREETING --> CAPA --> STLS --> TLS -- tls_started() --> CAPA
 *	               |
 *	               +-- sign_in() --> [XCLIENT -->] AUTH --------> OVER (READY)
 *	                                         +--> USER --> PASS --> OVER (READY)
 *	any -- fail --> OVER
 *
 * One command at a time: POP3 offers PIPELINING too seldom to have a second way.
 */
#include "proto/pop3_client.h"

#include "base/check.h"
#include "base/mem.h"
#include "proto/login_client.h"

#define POP3_CLIENT_STATE_LIST(X)                                        \
	X(GREETING, TO(CAPA) | TO(OVER))                                 \
	X(CAPA, TO(STLS) | TO(XCLIENT) | TO(AUTH) | TO(USER) | TO(OVER)) \
	X(STLS, TO(TLS) | TO(OVER))                                      \
	X(TLS, TO(CAPA) | TO(OVER))                                      \
	X(XCLIENT, TO(AUTH) | TO(USER) | TO(OVER))                       \
	X(AUTH, TO(OVER))                                                \
	X(USER, TO(PASS) | TO(OVER))                                     \
	X(PASS, TO(OVER))                                                \
	X(OVER, 0)

enum pop3_client_state {
#define STATE_ENUM(name, edges) STATE_##name,
	POP3_CLIENT_STATE_LIST(STATE_ENUM)
#undef STATE_ENUM
};

enum {
	AUTH_LINE_MAX = 255, /* with its CRLF; RFC 5034 section 4 */
};

struct pop3_client {
	struct login_client login;
	enum pop3_client_state state;
	unsigned lines;     /* of the CAPA answer */
	bool is_listing;    /* in the lines of the CAPA answer */
	bool takes_xclient; /* the greeting named it */
	bool has_stls;
	bool has_user;
	bool has_failure; /* a failure challenge was answered */
	struct buf sasl;  /* mechanisms listed */
	enum login_mechanism mechanism;
	struct buf response; /* SASL message for the first "+"; secret, empty once sent */
};

static void enter(struct pop3_client *client, enum pop3_client_state state)
{
#define TO(name)                 (1U << STATE_##name)
#define STATE_EDGES(name, edges) edges,
	static const unsigned edges[] = { POP3_CLIENT_STATE_LIST(STATE_EDGES) };
#undef STATE_EDGES
#undef TO

	GP_ASSERT((edges[client->state] & (1U << state)) != 0);
	client->state = state;
}

static bool offers_sasl(const struct pop3_client *client, const char *mechanism)
{
	return login_client_has_word(buf_slice(&client->sasl), mechanism);
}

static void ask_capa(struct pop3_client *client)
{
	client->has_stls = false;
	client->has_user = false;
	client->is_listing = false;
	buf_clear(&client->sasl);
	login_client_send(&client->login, "CAPA\r\n");
	enter(client, STATE_CAPA);
}

/* Dovecot's: believed from addresses in its login_trusted_networks. */
static void send_xclient(struct pop3_client *client)
{
	const struct login_client *login = &client->login;

	login_client_send(&client->login,
		"XCLIENT ADDR=%s PORT=%u SESSION=%s TTL=4 DESTADDR=%s DESTPORT=%u\r\n",
		login->client_address, (unsigned)login->client_port, login->session,
		login->local_address, (unsigned)login->local_port);
	enter(client, STATE_XCLIENT);
}

static void send_response(struct pop3_client *client)
{
	login_client_send_bytes(&client->login, buf_slice(&client->response));
	login_client_send(&client->login, "\r\n");
	buf_fini(&client->response);
}

static void authenticate(struct pop3_client *client)
{
	const char *name = login_mechanism_name(client->mechanism);
	enum gp_err err = login_client_sasl(&client->login, client->mechanism, &client->response);
	size_t line_len = sizeof "AUTH  \r\n" - 1 + slice_str(name).len + client->response.len;

	login_client_forget(&client->login);
	if (err != GP_OK) {
		login_client_fail(&client->login, "the credential is too long");
		return;
	}
	login_client_send(&client->login, "AUTH %s", name);
	if (line_len <= AUTH_LINE_MAX) {
		login_client_send(&client->login, " ");
		send_response(client);
	} else {
		login_client_send(&client->login, "\r\n");
	}
	enter(client, STATE_AUTH);
}

/* USER and PASS: what they say must fit into a line, and be one. */
static void say_user(struct pop3_client *client)
{
	struct slice secret = buf_slice(&client->login.secret);

	if (slice_find(secret, '\r') >= 0 || slice_find(secret, '\n') >= 0) {
		login_client_set_event(&client->login, ENGINE_EVENT_REFUSED,
			SLICE_LIT("POP3 cannot say this password"));
		return;
	}
	login_client_send(&client->login, "USER %s\r\n", client->login.address);
	enter(client, STATE_USER);
}

static void say_pass(struct pop3_client *client)
{
	login_client_send(&client->login, "PASS ");
	login_client_send_bytes(&client->login, buf_slice(&client->login.secret));
	login_client_send(&client->login, "\r\n");
	login_client_forget(&client->login);
	enter(client, STATE_PASS);
}

static void sign_in(struct pop3_client *client)
{
	client->mechanism = login_client_choose(&client->login, offers_sasl(client, "OAUTHBEARER"),
		offers_sasl(client, "XOAUTH2"), offers_sasl(client, "PLAIN"));
	if (client->mechanism != LOGIN_MECHANISM_NONE)
		authenticate(client);
	else if (client->login.credential == LOGIN_PASSTHROUGH && client->has_user)
		say_user(client);
	else
		login_client_fail(&client->login, "the backend offers no way to sign in");
}

/* The answer to CAPA is there. */
static void proceed(struct pop3_client *client)
{
	if (client->login.want_starttls && !client->login.is_tls) {
		if (!client->has_stls) {
			login_client_fail(&client->login, "the backend offers no STLS");
			return;
		}
		login_client_send(&client->login, "STLS\r\n");
		enter(client, STATE_STLS);
	} else if (client->login.tell_client && client->takes_xclient) {
		send_xclient(client);
	} else {
		sign_in(client);
	}
}

static void on_capability(struct pop3_client *client, struct slice line)
{
	struct slice rest = line;
	struct slice name = slice_word(&rest);

	client->lines++;
	if (client->lines > POP3_CLIENT_LINES_MAX) {
		login_client_fail(&client->login, "the backend babbles");
	} else if (slice_is(line, ".")) {
		client->is_listing = false;
		proceed(client);
	} else if (slice_is_nocase(name, "STLS")) {
		client->has_stls = true;
	} else if (slice_is_nocase(name, "USER")) {
		client->has_user = true;
	} else if (slice_is_nocase(name, "SASL")) {
		buf_clear(&client->sasl);
		GP_ASSERT(buf_append(&client->sasl, rest) == GP_OK);
	}
}

static void on_ok(struct pop3_client *client, struct slice text)
{
	switch (client->state) {
	case STATE_GREETING:
		client->takes_xclient = login_client_has_word(text, "[XCLIENT]");
		ask_capa(client);
		return;
	case STATE_CAPA:
		client->is_listing = true;
		return;
	case STATE_STLS:
		login_client_set_event(&client->login, ENGINE_EVENT_STARTTLS, slice_of(NULL, 0));
		enter(client, STATE_TLS);
		return;
	case STATE_XCLIENT:
		sign_in(client);
		return;
	case STATE_USER:
		say_pass(client);
		return;
	case STATE_AUTH:
	case STATE_PASS:
		if (client->response.len > 0) {
			login_client_fail(&client->login, "the backend said +OK too early");
			return;
		}
		login_client_set_event(&client->login, ENGINE_EVENT_READY, text);
		enter(client, STATE_OVER);
		return;
	case STATE_TLS:
	case STATE_OVER:
		break;
	}
	login_client_fail(&client->login, "the backend answered what was not asked");
}

/* No to the credential, unless its response code tells of something else (RFC 2449, 3206). */
static bool is_refusal(const struct pop3_client *client, struct slice text)
{
	static const char *const faults[] = { "[SYS/", "[IN-USE]", "[LOGIN-DELAY]" };

	for (size_t i = 0; i < GP_ARRAY_LEN(faults); i++) {
		if (slice_starts_nocase(text, faults[i]))
			return false;
	}
	return client->state == STATE_AUTH || client->state == STATE_USER ||
	       client->state == STATE_PASS;
}

static void on_err(struct pop3_client *client, struct slice text)
{
	if (client->state == STATE_CAPA) {
		client->has_user = true; /* older than CAPA: RFC 1939 alone */
		proceed(client);
	} else if (client->state == STATE_XCLIENT) {
		sign_in(client); /* it does not believe us: then it does not know the address */
	} else {
		login_client_set_event(&client->login,
			is_refusal(client, text) ? ENGINE_EVENT_REFUSED : ENGINE_EVENT_FAILED,
			text);
	}
}

static void on_continuation(struct pop3_client *client)
{
	const char *answer = login_mechanism_failure_answer(client->mechanism);

	if (client->state == STATE_AUTH && client->response.len > 0) {
		send_response(client);
	} else if (client->state == STATE_AUTH && answer != NULL && !client->has_failure) {
		client->has_failure = true;
		login_client_send(&client->login, "%s\r\n", answer);
	} else {
		login_client_fail(&client->login, "the backend asks for more than there is");
	}
}

static void on_line(struct pop3_client *client, struct slice line)
{
	struct slice text = line;
	struct slice status = slice_word(&text);

	text = slice_trim(text);
	if (client->is_listing)
		on_capability(client, line);
	else if (slice_is_nocase(status, "+OK"))
		on_ok(client, text);
	else if (slice_is_nocase(status, "-ERR"))
		on_err(client, text);
	else if (slice_is(status, "+"))
		on_continuation(client);
	else
		login_client_fail(&client->login, "the backend does not speak POP3");
}

/* What follows +OK to STLS in the clear would be read as if it had come by TLS. */
static void check_injection(struct pop3_client *client, struct slice rest)
{
	if (client->login.event == ENGINE_EVENT_STARTTLS && rest.len > 0)
		login_client_fail(&client->login, "the backend sent more behind STLS");
}

static size_t pop3_client_input(
	void *engine, struct slice bytes, struct login_client_event *ret_event)
{
	struct pop3_client *client = engine;
	struct slice rest = bytes;

	*ret_event = (struct login_client_event){ .type = ENGINE_EVENT_NONE };
	while (client->login.event == ENGINE_EVENT_NONE && rest.len > 0 &&
		client->state != STATE_TLS && client->state != STATE_OVER) {
		struct slice line;

		if (login_client_read_line(&client->login, &rest, &line)) {
			on_line(client, line);
			check_injection(client, rest);
			login_client_drop_line(&client->login);
		}
	}
	ret_event->type = client->login.event;
	if (client->login.event != ENGINE_EVENT_NONE)
		ret_event->text = buf_slice(&client->login.text);
	if (client->login.event == ENGINE_EVENT_REFUSED ||
		client->login.event == ENGINE_EVENT_FAILED)
		client->state = STATE_OVER;
	client->login.event = ENGINE_EVENT_NONE;
	return bytes.len - rest.len;
}

static void *pop3_client_create(const struct login_client_conf *conf)
{
	struct pop3_client *client = mem_new(1, sizeof *client);

	login_client_init(&client->login, conf, POP3_CLIENT_LINE_MAX);
	buf_init(&client->sasl, POP3_CLIENT_LINE_MAX);
	buf_init_secret(&client->response, LOGIN_CLIENT_OUTPUT_MAX);
	if (client->login.is_misused)
		login_client_fail(&client->login, "the credential cannot be said in POP3");
	return client;
}

static void pop3_client_destroy(void *engine)
{
	struct pop3_client *client = engine;

	if (client == NULL)
		return;
	login_client_fini(&client->login);
	buf_fini(&client->sasl);
	buf_fini(&client->response);
	mem_free(client);
}

static struct buf *pop3_client_output(void *engine)
{
	struct pop3_client *client = engine;

	return &client->login.output;
}

static void pop3_client_tls_started(void *engine)
{
	struct pop3_client *client = engine;

	client->login.is_tls = true;
	ask_capa(client);
}

const struct login_client_ops pop3_client_ops = {
	.create = pop3_client_create,
	.destroy = pop3_client_destroy,
	.input = pop3_client_input,
	.output = pop3_client_output,
	.tls_started = pop3_client_tls_started,
};
