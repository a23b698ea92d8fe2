/* SPDX-License-Identifier: ISC */
/*
 *	GREETING --> CAPABILITY --> STARTTLS --> TLS -- tls_started() --> CAPABILITY
 *	    |             |
 *	    +-------------+-- sign_in() --> AUTH --> OVER (READY)
 *	                                      +----> LISTING --> OVER (READY)
 *	any -- fail --> OVER
 *
 * CAPABILITY is skipped where the greeting lists them; LISTING asks for those of a signed-in
 * client where the OK does not list them. ID and AUTHENTICATE go out together: the backend takes
 * them in turn, and a round trip is saved.
 */
#include "proto/imap_client.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/text.h"
#include "proto/imap_lex.h"
#include "proto/login_client.h"

#define IMAP_CLIENT_STATE_LIST(X)                                        \
	X(GREETING, TO(CAPABILITY) | TO(STARTTLS) | TO(AUTH) | TO(OVER)) \
	X(CAPABILITY, TO(STARTTLS) | TO(AUTH) | TO(OVER))                \
	X(STARTTLS, TO(TLS) | TO(OVER))                                  \
	X(TLS, TO(CAPABILITY) | TO(OVER))                                \
	X(AUTH, TO(LISTING) | TO(OVER))                                  \
	X(LISTING, TO(OVER))                                             \
	X(OVER, 0)

enum imap_client_state {
#define STATE_ENUM(name, edges) STATE_##name,
	IMAP_CLIENT_STATE_LIST(STATE_ENUM)
#undef STATE_ENUM
};

enum {
	LOGIN_PIECES = 3, /* what goes out between two continuation requests */
};

struct imap_client {
	struct login_client login;
	enum imap_client_state state;
	unsigned last_tag;       /* of the command that the state waits for */
	unsigned id_tag;         /* of an ID sent before it; 0: none is open */
	unsigned lines;          /* taken so far */
	uint64_t literal_left;   /* bytes of an untagged response's literal to step over */
	bool is_tail;            /* the next line belongs to the same response */
	bool has_capabilities;   /* the list is of the present state */
	bool has_filter_need;    /* UNAUTHENTICATE was seen in a list */
	bool has_failure;        /* a failure challenge was answered */
	struct buf capabilities; /* as listed last */
	struct buf offered;      /* cleaned, for the event */
	enum login_mechanism mechanism;
	struct buf pieces[LOGIN_PIECES]; /* of AUTHENTICATE or LOGIN, each sent at a "+"; secret */
	unsigned next_piece;
};

static void enter(struct imap_client *client, enum imap_client_state state)
{
#define TO(name)                 (1U << STATE_##name)
#define STATE_EDGES(name, edges) edges,
	static const unsigned edges[] = { IMAP_CLIENT_STATE_LIST(STATE_EDGES) };
#undef STATE_EDGES
#undef TO

	GP_ASSERT((edges[client->state] & (1U << state)) != 0);
	client->state = state;
}

static bool offers(const struct imap_client *client, const char *capability)
{
	return login_client_has_word(buf_slice(&client->capabilities), capability);
}

static void ask_capabilities(struct imap_client *client, enum imap_client_state state)
{
	client->last_tag++;
	login_client_send(&client->login, "G%u CAPABILITY\r\n", client->last_tag);
	client->has_capabilities = false;
	enter(client, state);
}

/* Dovecot's extension of RFC 2971: believed from addresses in its login_trusted_networks. */
static void send_id(struct imap_client *client)
{
	const struct login_client *login = &client->login;

	client->last_tag++;
	client->id_tag = client->last_tag;
	login_client_send(&client->login,
		"G%u ID (\"x-originating-ip\" \"%s\" \"x-originating-port\" \"%u\" "
		"\"x-connected-ip\" \"%s\" \"x-connected-port\" \"%u\" "
		"\"x-session-id\" \"%s\" \"x-proxy-ttl\" \"4\")\r\n",
		client->id_tag, login->client_address, (unsigned)login->client_port,
		login->local_address, (unsigned)login->local_port, login->session);
}

static void send_piece(struct imap_client *client)
{
	struct buf *piece = &client->pieces[client->next_piece];

	login_client_send_bytes(&client->login, buf_slice(piece));
	buf_fini(piece);
	client->next_piece++;
}

static bool has_piece(const struct imap_client *client)
{
	return client->next_piece < LOGIN_PIECES && client->pieces[client->next_piece].len > 0;
}

static bool is_quotable(struct slice text)
{
	return text_is_ascii(text) && text_is_printable(text);
}

/* An astring: quoted where that can hold it, else a literal, whose bytes begin the next piece
 * unless they may follow at once. */
static enum gp_err append_astring(struct imap_client *client, unsigned *piece, struct slice text)
{
	struct buf *out = &client->pieces[*piece];
	bool is_nonsync = offers(client, "LITERAL+") || offers(client, "LITERAL-");
	enum gp_err err;

	if (!is_quotable(text)) {
		err = buf_printf(out, "{%zu%s}\r\n", text.len, is_nonsync ? "+" : "");
		if (!is_nonsync)
			*piece += 1;
		return err == GP_OK ? buf_append(&client->pieces[*piece], text) : err;
	}
	err = buf_append_byte(out, '"');
	for (size_t i = 0; err == GP_OK && i < text.len; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\')
			err = buf_append_byte(out, '\\');
		if (err == GP_OK)
			err = buf_append_byte(out, text.data[i]);
	}
	return err == GP_OK ? buf_append_byte(out, '"') : err;
}

static enum gp_err write_login(struct imap_client *client)
{
	unsigned piece = 0;

	if (buf_printf(&client->pieces[0], "G%u LOGIN ", client->last_tag) != GP_OK ||
		append_astring(client, &piece, slice_str(client->login.address)) != GP_OK ||
		buf_append_byte(&client->pieces[piece], ' ') != GP_OK ||
		append_astring(client, &piece, buf_slice(&client->login.secret)) != GP_OK)
		return GP_ERR_LIMIT;
	return buf_append_str(&client->pieces[piece], "\r\n");
}

static enum gp_err write_authenticate(struct imap_client *client)
{
	bool has_initial = offers(client, "SASL-IR");
	unsigned piece = has_initial ? 0 : 1;

	if (buf_printf(&client->pieces[0], "G%u AUTHENTICATE %s%s", client->last_tag,
		    login_mechanism_name(client->mechanism), has_initial ? " " : "\r\n") != GP_OK ||
		login_client_sasl(&client->login, client->mechanism, &client->pieces[piece]) !=
			GP_OK)
		return GP_ERR_LIMIT;
	return buf_append_str(&client->pieces[piece], "\r\n");
}

static void sign_in(struct imap_client *client)
{
	enum gp_err err;

	client->mechanism = login_client_choose(&client->login, offers(client, "AUTH=OAUTHBEARER"),
		offers(client, "AUTH=XOAUTH2"), offers(client, "AUTH=PLAIN"));
	if (client->mechanism == LOGIN_MECHANISM_NONE &&
		(client->login.credential != LOGIN_PASSTHROUGH ||
			offers(client, "LOGINDISABLED"))) {
		login_client_fail(&client->login, "the backend offers no way to sign in");
		return;
	}
	if (client->login.tell_client && offers(client, "ID"))
		send_id(client);
	client->last_tag++;
	err = client->mechanism == LOGIN_MECHANISM_NONE ? write_login(client)
							: write_authenticate(client);
	login_client_forget(&client->login);
	if (err != GP_OK) {
		login_client_fail(&client->login, "the credential is too long");
		return;
	}
	send_piece(client);
	client->has_capabilities = false;
	enter(client, STATE_AUTH);
}

/* The capabilities of this state are known. */
static void proceed(struct imap_client *client)
{
	if (!client->login.want_starttls || client->login.is_tls) {
		sign_in(client);
		return;
	}
	if (!offers(client, "STARTTLS")) {
		login_client_fail(&client->login, "the backend offers no STARTTLS");
		return;
	}
	client->last_tag++;
	login_client_send(&client->login, "G%u STARTTLS\r\n", client->last_tag);
	enter(client, STATE_STARTTLS);
}

/* Keeps a list of capabilities. It fits: a line is no longer. */
static void keep_capabilities(struct imap_client *client, struct slice list)
{
	buf_clear(&client->capabilities);
	GP_ASSERT(buf_append(&client->capabilities, list) == GP_OK);
	client->has_capabilities = true;
	if (offers(client, "UNAUTHENTICATE"))
		client->has_filter_need = true;
}

/* Cuts a response code, if there is one, off the front of *text and returns its inside. */
static struct slice cut_code(struct slice *text)
{
	ptrdiff_t end = slice_find(*text, ']');
	struct slice code;

	if (text->len == 0 || text->data[0] != '[' || end < 0)
		return slice_of(NULL, 0);
	code = slice_from(slice_head(*text, (size_t)end), 1);
	*text = slice_trim(slice_from(*text, (size_t)end + 1));
	return code;
}

/* Text of a status response: keeps what a CAPABILITY code lists, returns the words behind it. */
static struct slice take_status_text(struct imap_client *client, struct slice text)
{
	struct slice code = cut_code(&text);

	if (slice_is_nocase(slice_word(&code), "CAPABILITY"))
		keep_capabilities(client, code);
	return text;
}

/* A capability goes to the mail program if it is one to a signed-in client and well formed. */
static bool is_offered_on(const struct imap_client *client, struct slice capability)
{
	static const char *const dropped[] = { "STARTTLS", "LOGINDISABLED", "SASL-IR",
		"UNAUTHENTICATE" };

	for (size_t i = 0; i < GP_ARRAY_LEN(dropped); i++) {
		if (slice_is_nocase(capability, dropped[i]))
			return false;
	}
	if (slice_starts_nocase(capability, "AUTH="))
		return false;
	if (client->has_filter_need && slice_starts_nocase(capability, "COMPRESS="))
		return false;
	return text_is_ascii(capability) && text_is_printable(capability) &&
	       slice_find(capability, ']') < 0 && slice_find(capability, '"') < 0;
}

static void become_ready(struct imap_client *client)
{
	struct slice rest = buf_slice(&client->capabilities);

	while (rest.len > 0) {
		struct slice word = slice_word(&rest);

		if (word.len == 0 || !is_offered_on(client, word))
			continue;
		GP_ASSERT(client->offered.len == 0 ||
			  buf_append_byte(&client->offered, ' ') == GP_OK);
		GP_ASSERT(buf_append(&client->offered, word) == GP_OK);
	}
	client->login.event = ENGINE_EVENT_READY;
	enter(client, STATE_OVER);
}

/* NO to the credential; with some codes it is not about the credential (RFC 5530). */
static void on_no(struct imap_client *client, struct slice text)
{
	static const char *const faults[] = { "UNAVAILABLE", "CONTACTADMIN", "LIMIT", "INUSE",
		"SERVERBUG", "PRIVACYREQUIRED" };
	struct slice words = text;
	struct slice code = cut_code(&words);
	struct slice name = slice_word(&code);
	enum engine_event_type event = ENGINE_EVENT_REFUSED;

	for (size_t i = 0; i < GP_ARRAY_LEN(faults); i++) {
		if (slice_is_nocase(name, faults[i]))
			event = ENGINE_EVENT_FAILED;
	}
	login_client_set_event(&client->login, event, text);
}

static void on_ok(struct imap_client *client, struct slice text)
{
	struct slice words = take_status_text(client, text);

	switch (client->state) {
	case STATE_CAPABILITY:
		if (client->has_capabilities)
			proceed(client);
		else
			login_client_fail(&client->login, "the backend lists no capabilities");
		return;
	case STATE_STARTTLS:
		login_client_set_event(&client->login, ENGINE_EVENT_STARTTLS, slice_of(NULL, 0));
		enter(client, STATE_TLS);
		return;
	case STATE_AUTH:
		login_client_set_event(&client->login, ENGINE_EVENT_NONE, words);
		if (has_piece(client))
			login_client_fail(&client->login, "the backend said OK too early");
		else if (client->has_capabilities)
			become_ready(client);
		else
			ask_capabilities(client, STATE_LISTING);
		return;
	case STATE_LISTING:
		become_ready(client);
		return;
	case STATE_GREETING:
	case STATE_TLS:
	case STATE_OVER:
		break;
	}
	login_client_fail(&client->login, "the backend answered what was not asked");
}

static bool is_tag(struct slice word, unsigned tag)
{
	unsigned long long number = 0;

	return tag > 0 && slice_starts_nocase(word, "G") &&
	       slice_to_u64(slice_from(word, 1), UINT32_MAX, &number) && number == tag;
}

static void on_tagged(struct imap_client *client, struct slice line)
{
	struct slice text = line;
	struct slice tag = slice_word(&text);
	struct slice status = slice_word(&text);

	text = slice_trim(text);
	if (is_tag(tag, client->id_tag)) {
		client->id_tag = 0; /* whatever it thinks of ID */
		return;
	}
	if (!is_tag(tag, client->last_tag) || client->id_tag != 0)
		login_client_fail(&client->login, "the backend does not speak IMAP");
	else if (slice_is_nocase(status, "OK"))
		on_ok(client, text);
	else if (slice_is_nocase(status, "NO") && client->state == STATE_AUTH)
		on_no(client, text);
	else
		login_client_set_event(&client->login, ENGINE_EVENT_FAILED, text);
}

static void on_continuation(struct imap_client *client)
{
	const char *answer = login_mechanism_failure_answer(client->mechanism);

	if (client->state == STATE_AUTH && client->id_tag == 0 && has_piece(client)) {
		send_piece(client);
		return;
	}
	if (client->state != STATE_AUTH || client->id_tag != 0 || answer == NULL ||
		client->has_failure) {
		login_client_fail(&client->login, "the backend asks for more than there is");
		return;
	}
	client->has_failure = true;
	login_client_send(&client->login, "%s\r\n", answer);
}

static void on_greeting(struct imap_client *client, struct slice line)
{
	struct slice text = line;
	struct slice star = slice_word(&text);
	struct slice status = slice_word(&text);

	text = slice_trim(text);
	if (!slice_is(star, "*") || !slice_is_nocase(status, "OK")) {
		login_client_set_event(&client->login, ENGINE_EVENT_FAILED,
			slice_is_nocase(status, "BYE") ? text
						       : SLICE_LIT("the backend's greeting is "
								   "not that of IMAP"));
		return;
	}
	(void)take_status_text(client, text);
	if (client->has_capabilities)
		proceed(client);
	else
		ask_capabilities(client, STATE_CAPABILITY);
}

static void on_untagged(struct imap_client *client, struct slice line)
{
	struct slice text = slice_from(line, 2);
	struct slice status = slice_word(&text);

	text = slice_trim(text);
	if (slice_is_nocase(status, "BYE")) {
		login_client_set_event(&client->login, ENGINE_EVENT_FAILED, text);
	} else if (slice_is_nocase(status, "CAPABILITY")) {
		keep_capabilities(client, text);
	} else if (slice_is_nocase(status, "OK") || slice_is_nocase(status, "NO") ||
		   slice_is_nocase(status, "BAD")) {
		(void)take_status_text(client, text);
	} else if (imap_lex_literal_head(line, &client->literal_left) != IMAP_LITERAL_NONE) {
		client->is_tail = true;
	}
}

static void on_line(struct imap_client *client, struct slice line)
{
	client->lines++;
	if (client->lines > IMAP_CLIENT_LINES_MAX)
		login_client_fail(&client->login, "the backend babbles");
	else if (client->is_tail)
		client->is_tail =
			imap_lex_literal_head(line, &client->literal_left) != IMAP_LITERAL_NONE;
	else if (client->state == STATE_GREETING)
		on_greeting(client, line);
	else if (slice_starts_nocase(line, "* "))
		on_untagged(client, line);
	else if (slice_starts_nocase(line, "+"))
		on_continuation(client);
	else
		on_tagged(client, line);
	if (client->literal_left > IMAP_CLIENT_LINE_MAX)
		login_client_fail(&client->login, "the backend babbles");
}

static void skip_literal(struct imap_client *client, struct slice *rest)
{
	size_t len = rest->len < client->literal_left ? rest->len : (size_t)client->literal_left;

	*rest = slice_from(*rest, len);
	client->literal_left -= len;
}

/* What follows an OK to STARTTLS in the clear would be read as if it had come by TLS. */
static void check_injection(struct imap_client *client, struct slice rest)
{
	if (client->login.event == ENGINE_EVENT_STARTTLS && rest.len > 0)
		login_client_fail(&client->login, "the backend sent more behind STARTTLS");
}

static void give_event(struct imap_client *client, struct login_client_event *ret_event)
{
	ret_event->type = client->login.event;
	ret_event->text = buf_slice(&client->login.text);
	if (client->login.event == ENGINE_EVENT_READY) {
		ret_event->capabilities = buf_slice(&client->offered);
		ret_event->needs_filter = client->has_filter_need;
	}
	if (client->login.event == ENGINE_EVENT_REFUSED ||
		client->login.event == ENGINE_EVENT_FAILED)
		client->state = STATE_OVER;
	client->login.event = ENGINE_EVENT_NONE;
}

static size_t imap_client_input(
	void *engine, struct slice bytes, struct login_client_event *ret_event)
{
	struct imap_client *client = engine;
	struct slice rest = bytes;

	*ret_event = (struct login_client_event){ .type = ENGINE_EVENT_NONE };
	while (client->login.event == ENGINE_EVENT_NONE && rest.len > 0 &&
		client->state != STATE_TLS && client->state != STATE_OVER) {
		struct slice line;

		if (client->literal_left > 0) {
			skip_literal(client, &rest);
		} else if (login_client_read_line(&client->login, &rest, &line)) {
			on_line(client, line);
			check_injection(client, rest);
			login_client_drop_line(&client->login);
		}
	}
	if (client->login.event != ENGINE_EVENT_NONE)
		give_event(client, ret_event);
	return bytes.len - rest.len;
}

static void *imap_client_create(const struct login_client_conf *conf)
{
	struct imap_client *client = mem_new(1, sizeof *client);

	login_client_init(&client->login, conf, IMAP_CLIENT_LINE_MAX);
	buf_init(&client->capabilities, IMAP_CLIENT_LINE_MAX);
	buf_init(&client->offered, IMAP_CLIENT_LINE_MAX);
	for (size_t i = 0; i < LOGIN_PIECES; i++)
		buf_init_secret(&client->pieces[i], LOGIN_CLIENT_OUTPUT_MAX);
	if (client->login.is_misused)
		login_client_fail(&client->login, "the credential cannot be said in IMAP");
	return client;
}

static void imap_client_destroy(void *engine)
{
	struct imap_client *client = engine;

	if (client == NULL)
		return;
	login_client_fini(&client->login);
	buf_fini(&client->capabilities);
	buf_fini(&client->offered);
	for (size_t i = 0; i < LOGIN_PIECES; i++)
		buf_fini(&client->pieces[i]);
	mem_free(client);
}

static struct buf *imap_client_output(void *engine)
{
	struct imap_client *client = engine;

	return &client->login.output;
}

static void imap_client_tls_started(void *engine)
{
	struct imap_client *client = engine;

	client->login.is_tls = true;
	ask_capabilities(client, STATE_CAPABILITY);
}

const struct login_client_ops imap_client_ops = {
	.create = imap_client_create,
	.destroy = imap_client_destroy,
	.input = imap_client_input,
	.output = imap_client_output,
	.tls_started = imap_client_tls_started,
};
