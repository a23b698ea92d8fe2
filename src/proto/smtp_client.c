/* SPDX-License-Identifier: ISC */
/*
 *	GREETING --220--> EHLO --250--> advance() --> READY <---> commands: on_answer()
 *	                   | ^             |
 *	      5xx: HELO <--' |             +--> STARTTLS --220--> TLS --smtp_client_tls_started()-->
 * EHLO |         |             +--> AUTH --235--> advance()
 *	           '-> advance()           '--> XCLIENT --220--> EHLO; refused --> advance()
 *
 *	any state: fail(), refused AUTH --> OVER
 *
 * Commands stand in a ring from smtp_client_mail() and the like until their reply. The first .sent
 * of them are on the wire; the bytes of the others wait in .held until they may follow (pump()).
 */
#include "proto/smtp_client.h"

#include "base/check.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "proto/lmtp_fold.h"
#include "proto/smtp_answer.h"
#include "proto/smtp_caps.h"
#include "proto/smtp_xclient.h"

#define STATE_LIST(X) \
	X(GREETING)   \
	X(EHLO)       \
	X(HELO)       \
	X(STARTTLS)   \
	X(TLS)        \
	X(AUTH)       \
	X(XCLIENT)    \
	X(READY)      \
	X(OVER)

enum state {
#define STATE_ENUM(name) STATE_##name,
	STATE_LIST(STATE_ENUM)
#undef STATE_ENUM
};

#define FROM(name) (1U << STATE_##name)

enum {
	COMMANDS_MAX = SMTP_SERVER_PENDING + 16, /* without a reply */
	OUT_BYTES = 256 * 1024,
	HELD_BYTES = 128 * 1024,
};

struct pending {
	enum smtp_command command;
	size_t len; /* bytes of held, until it is sent */
};

struct smtp_client {
	enum state state;
	bool is_lmtp;
	bool want_starttls;
	bool is_tls;
	bool is_auth_done;
	bool has_told; /* an XCLIENT was accepted */
	bool is_data;  /* 354 came, the end has not been sent */
	char *helo_name;
	char *auth_user;
	struct secret *auth_password;
	struct smtp_xclient *xclient; /* NULL: none, or refused */
	struct lmtp_fold *fold;       /* LMTP */
	struct smtp_caps_offer offer;
	struct smtp_answer answer;
	struct pending pending[COMMANDS_MAX];
	unsigned first;
	unsigned count;
	unsigned sent;
	struct buf out;
	struct buf held;
};

static void enter(struct smtp_client *client, enum state state)
{
	/* From where each state is reached. */
	static const unsigned legal[] = {
		[STATE_GREETING] = 0,
		[STATE_EHLO] = FROM(GREETING) | FROM(TLS) | FROM(XCLIENT),
		[STATE_HELO] = FROM(EHLO),
		[STATE_STARTTLS] = FROM(EHLO),
		[STATE_TLS] = FROM(STARTTLS),
		[STATE_AUTH] = FROM(EHLO),
		[STATE_XCLIENT] = FROM(EHLO) | FROM(AUTH),
		[STATE_READY] = FROM(EHLO) | FROM(HELO) | FROM(AUTH) | FROM(XCLIENT),
		[STATE_OVER] = ~FROM(OVER),
	};

	GP_ASSERT((legal[state] & (1U << client->state)) != 0);
	client->state = state;
}

/* ---- the way to READY ---- */

static void fail(
	struct smtp_client *client, const struct smtp_reply *reply, struct smtp_client_event *event)
{
	enter(client, STATE_OVER);
	client->is_data = false;
	event->type = ENGINE_EVENT_FAILED;
	event->reply = reply;
}

static void say_hello(struct smtp_client *client, enum state state)
{
	const char *verb = client->is_lmtp ? "LHLO" : "EHLO";
	const char *name = client->helo_name;
	enum gp_err err;

	/* Behind XCLIENT the next hop sees the client itself, by its own name. */
	if (client->has_told && smtp_xclient_helo(client->xclient) != NULL)
		name = smtp_xclient_helo(client->xclient);
	client->offer = (struct smtp_caps_offer){ .caps = 0 };
	enter(client, state);
	err = buf_printf(&client->out, "%s %s\r\n", state == STATE_HELO ? "HELO" : verb, name);
	GP_ASSERT(err == GP_OK);
}

static void say_auth(struct smtp_client *client)
{
	struct slice password = secret_slice(client->auth_password);
	struct buf plain;
	enum gp_err err;

	buf_init_secret(&plain, OUT_BYTES);
	err = buf_printf(&plain, "%c%s%c", '\0', client->auth_user, '\0');
	GP_ASSERT(err == GP_OK);
	err = buf_append(&plain, password);
	GP_ASSERT(err == GP_OK);
	err = buf_append_str(&client->out, "AUTH PLAIN ");
	GP_ASSERT(err == GP_OK);
	err = encode_base64(buf_slice(&plain), &client->out);
	GP_ASSERT(err == GP_OK);
	err = buf_append_str(&client->out, "\r\n");
	GP_ASSERT(err == GP_OK);
	buf_fini(&plain);
	secret_free(&client->auth_password);
	enter(client, STATE_AUTH);
}

/* The next step that is wanted and not yet done. */
static void advance(struct smtp_client *client, struct smtp_client_event *event)
{
	bool has_hello = client->state == STATE_EHLO;

	if (client->want_starttls && !client->is_tls) {
		if ((client->offer.caps & SMTP_CAP_STARTTLS) == 0) {
			fail(client, NULL, event);
			return;
		}
		enter(client, STATE_STARTTLS);
		if (buf_append_str(&client->out, "STARTTLS\r\n") != GP_OK)
			fail(client, NULL, event);
		return;
	}
	if (client->auth_user != NULL && !client->is_auth_done) {
		if (!has_hello || (client->offer.caps & SMTP_CAP_AUTH_PLAIN) == 0)
			fail(client, NULL, event);
		else
			say_auth(client);
		return;
	}
	if (client->has_told && (client->offer.caps & SMTP_CAP_XCLIENT) == 0 &&
		smtp_xclient_has_more(client->xclient)) {
		/* Half a client is worse than none. */
		fail(client, NULL, event);
		return;
	}
	if (client->xclient != NULL && (client->offer.caps & SMTP_CAP_XCLIENT) != 0 &&
		client->state != STATE_XCLIENT &&
		smtp_xclient_append_next(client->xclient, &client->out)) {
		enter(client, STATE_XCLIENT);
		return;
	}
	enter(client, STATE_READY);
	event->type = ENGINE_EVENT_READY;
}

static void take_capability(struct smtp_client *client, struct slice line)
{
	struct slice attributes = smtp_caps_take_line(&client->offer, line);

	if (client->xclient != NULL && attributes.len > 0)
		smtp_xclient_set_offer(client->xclient, attributes);
}

static void on_hello(struct smtp_client *client, struct smtp_client_event *event)
{
	const struct smtp_reply *reply = &client->answer.reply;

	if (reply->code == 250)
		advance(client, event);
	else if (reply->code >= 500 && client->state == STATE_EHLO && !client->is_lmtp)
		say_hello(client, STATE_HELO);
	else
		fail(client, reply, event);
}

static void on_starttls(
	struct smtp_client *client, bool is_trailed, struct smtp_client_event *event)
{
	const struct smtp_reply *reply = &client->answer.reply;

	/* What came in plain text behind the 220 would pass for the next hop's words under TLS. */
	if (reply->code != 220 || is_trailed) {
		fail(client, reply->code != 220 ? reply : NULL, event);
		return;
	}
	enter(client, STATE_TLS);
	event->type = ENGINE_EVENT_STARTTLS;
}

static void on_auth(struct smtp_client *client, struct smtp_client_event *event)
{
	const struct smtp_reply *reply = &client->answer.reply;

	if (reply->code == 235) {
		client->is_auth_done = true;
		advance(client, event);
		return;
	}
	fail(client, reply, event);
	if (reply->code >= 500)
		event->type = ENGINE_EVENT_REFUSED;
}

static void on_xclient(struct smtp_client *client, struct smtp_client_event *event)
{
	const struct smtp_reply *reply = &client->answer.reply;

	if (reply->code == 220) {
		client->has_told = true;
		say_hello(client, STATE_EHLO);
	} else if (client->has_told || reply->code < 500) {
		fail(client, reply, event);
	} else {
		advance(client, event);
	}
}

/* ---- commands ---- */

static struct pending *pending_at(struct smtp_client *client, unsigned i)
{
	return &client->pending[(client->first + i) % COMMANDS_MAX];
}

/* Nothing may follow these before their reply (RFC 2920 section 3.1). */
static bool is_barrier(enum smtp_command command)
{
	return command != SMTP_COMMAND_MAIL && command != SMTP_COMMAND_RCPT &&
	       command != SMTP_COMMAND_RSET;
}

static bool may_send(struct smtp_client *client)
{
	if (client->sent == client->count || client->is_data)
		return false;
	return client->sent == 0 ||
	       ((client->offer.caps & SMTP_CAP_PIPELINING) != 0 &&
		       !is_barrier(pending_at(client, client->sent - 1)->command));
}

static void pump(struct smtp_client *client)
{
	while (may_send(client)) {
		struct pending *next = pending_at(client, client->sent);

		if (buf_append(&client->out, slice_head(buf_slice(&client->held), next->len)) !=
			GP_OK)
			return; /* when the output is drained */
		buf_consume(&client->held, next->len);
		next->len = 0;
		client->sent++;
	}
}

static enum gp_err queue(struct smtp_client *client, enum smtp_command command, const char *verb,
	struct slice path, const char *after, struct slice params)
{
	const struct slice pieces[] = { slice_str(verb), path, slice_str(after),
		slice_head(SLICE_LIT(" "), params.len), params, SLICE_LIT("\r\n") };
	size_t before = client->held.len;
	enum gp_err err;

	if (client->state != STATE_READY || client->is_data)
		return client->state == STATE_OVER ? GP_ERR_CLOSED : GP_ERR_AGAIN;
	if (!text_is_printable(path) || !text_is_printable(params))
		return GP_ERR_SYNTAX;
	/* What may follow DATA depends on its reply. */
	if (client->count > 0 &&
		pending_at(client, client->count - 1)->command == SMTP_COMMAND_DATA)
		return GP_ERR_AGAIN;
	if (client->count == COMMANDS_MAX)
		return GP_ERR_LIMIT;
	err = buf_append_all(&client->held, pieces, GP_ARRAY_LEN(pieces));
	if (err != GP_OK)
		return err;
	*pending_at(client, client->count) = (struct pending){ command, client->held.len - before };
	client->count++;
	pump(client);
	return GP_OK;
}

static enum gp_err queue_plain(
	struct smtp_client *client, enum smtp_command command, const char *verb)
{
	return queue(client, command, verb, slice_of(NULL, 0), "", slice_of(NULL, 0));
}

static enum gp_err queue_path(struct smtp_client *client, enum smtp_command command,
	const char *verb, struct slice address, struct slice params)
{
	struct buf kept;
	enum gp_err err;

	if (!text_is_ascii(address) && (client->offer.caps & SMTP_CAP_SMTPUTF8) == 0)
		return GP_ERR_UNSUPPORTED;
	buf_init(&kept, HELD_BYTES);
	err = smtp_caps_filter(client->offer.caps, params, &kept);
	if (err == GP_OK)
		err = queue(client, command, verb, address, ">", buf_slice(&kept));
	buf_fini(&kept);
	return err;
}

enum gp_err smtp_client_mail(struct smtp_client *client, struct slice sender, struct slice params)
{
	enum gp_err err = queue_path(client, SMTP_COMMAND_MAIL, "MAIL FROM:<", sender, params);

	if (err == GP_OK && client->fold != NULL)
		lmtp_fold_reset(client->fold);
	return err;
}

enum gp_err smtp_client_rcpt(
	struct smtp_client *client, struct slice recipient, struct slice params)
{
	enum gp_err err;

	if (client->fold != NULL && !lmtp_fold_has_room(client->fold, recipient))
		return GP_ERR_LIMIT;
	err = queue_path(client, SMTP_COMMAND_RCPT, "RCPT TO:<", recipient, params);
	if (err == GP_OK && client->fold != NULL)
		lmtp_fold_asked(client->fold, recipient);
	return err;
}

enum gp_err smtp_client_data(struct smtp_client *client)
{
	return queue_plain(client, SMTP_COMMAND_DATA, "DATA");
}

enum gp_err smtp_client_body(struct smtp_client *client, struct slice bytes)
{
	if (!client->is_data)
		return client->state == STATE_OVER ? GP_ERR_CLOSED : GP_ERR_AGAIN;
	return buf_append(&client->out, bytes);
}

enum gp_err smtp_client_body_end(struct smtp_client *client)
{
	enum gp_err err = smtp_client_body(client, SLICE_LIT(".\r\n"));

	if (err != GP_OK)
		return err;
	/* queue() lets nothing follow DATA, so the ring is empty. */
	GP_ASSERT(client->count == 0);
	client->is_data = false;
	*pending_at(client, 0) = (struct pending){ SMTP_COMMAND_BODY, 0 };
	client->count = 1;
	client->sent = 1;
	return GP_OK;
}

enum gp_err smtp_client_rset(struct smtp_client *client)
{
	enum gp_err err = queue_plain(client, SMTP_COMMAND_RSET, "RSET");

	if (err == GP_OK && client->fold != NULL)
		lmtp_fold_reset(client->fold);
	return err;
}

enum gp_err smtp_client_vrfy(struct smtp_client *client, struct slice argument)
{
	return queue(client, SMTP_COMMAND_VRFY, "VRFY ", argument, "", slice_of(NULL, 0));
}

enum gp_err smtp_client_noop(struct smtp_client *client)
{
	return queue_plain(client, SMTP_COMMAND_NOOP, "NOOP");
}

enum gp_err smtp_client_quit(struct smtp_client *client)
{
	return queue_plain(client, SMTP_COMMAND_QUIT, "QUIT");
}

/* ---- replies ---- */

/* Whether this code can answer this command at all. */
static bool is_fitting(enum smtp_command command, unsigned code)
{
	return command == SMTP_COMMAND_DATA ? code == 354 || code >= 400
					    : code < 300 || code >= 400;
}

static void on_command(struct smtp_client *client, struct smtp_client_event *event)
{
	struct smtp_reply *reply = &client->answer.reply;
	enum smtp_command command = pending_at(client, 0)->command;

	if (client->sent == 0 || reply->code == 421 || !is_fitting(command, reply->code)) {
		fail(client, reply, event);
		return;
	}
	if (command == SMTP_COMMAND_RCPT && client->fold != NULL)
		lmtp_fold_answered(client->fold, reply->code < 300);
	event->outcome = smtp_outcome(
		command == SMTP_COMMAND_RCPT ? SMTP_ANSWERED_RCPT : SMTP_ANSWERED_MESSAGE, reply);
	if (command == SMTP_COMMAND_BODY && client->fold != NULL) {
		if (lmtp_fold_is_empty(client->fold)) {
			fail(client, reply, event);
			return;
		}
		if (!lmtp_fold_take(client->fold, reply)) {
			event->type = ENGINE_EVENT_REPLY;
			event->command = SMTP_COMMAND_PART;
			event->reply = reply;
			return;
		}
	}
	client->first = (client->first + 1) % COMMANDS_MAX;
	client->count--;
	client->sent--;
	client->is_data = command == SMTP_COMMAND_DATA && reply->code == 354;
	event->type = ENGINE_EVENT_REPLY;
	event->command = command;
	event->reply = reply;
	pump(client);
}

static void on_answer(struct smtp_client *client, bool is_trailed, struct smtp_client_event *event)
{
	switch (client->state) {
	case STATE_GREETING:
		if (client->answer.reply.code == 220)
			say_hello(client, STATE_EHLO);
		else
			fail(client, &client->answer.reply, event);
		return;
	case STATE_EHLO:
	case STATE_HELO:
		on_hello(client, event);
		return;
	case STATE_STARTTLS:
		on_starttls(client, is_trailed, event);
		return;
	case STATE_AUTH:
		on_auth(client, event);
		return;
	case STATE_XCLIENT:
		on_xclient(client, event);
		return;
	case STATE_READY:
		on_command(client, event);
		return;
	case STATE_TLS:
	case STATE_OVER:
		return;
	}
}

size_t smtp_client_input(
	struct smtp_client *client, struct slice bytes, struct smtp_client_event *ret_event)
{
	size_t used = 0;

	*ret_event = (struct smtp_client_event){ .type = ENGINE_EVENT_NONE };
	while (ret_event->type == ENGINE_EVENT_NONE && client->state != STATE_TLS &&
		client->state != STATE_OVER) {
		size_t len = 0;
		struct slice text = { NULL, 0 };
		enum smtp_answer_result result =
			smtp_answer_take(&client->answer, slice_from(bytes, used), &len, &text);

		if (result == SMTP_ANSWER_MORE)
			break;
		used += len;
		if (result == SMTP_ANSWER_BAD)
			fail(client, NULL, ret_event);
		else if (client->state == STATE_EHLO && client->answer.lines > 1)
			take_capability(client, text);
		if (result == SMTP_ANSWER_DONE)
			on_answer(client, used < bytes.len, ret_event);
	}
	pump(client);
	return client->state == STATE_OVER ? bytes.len : used;
}

void smtp_client_closed(struct smtp_client *client, struct smtp_client_event *ret_event)
{
	bool is_due = client->state == STATE_OVER ||
		      (client->state == STATE_READY && !client->is_data &&
			      (client->count == 0 ||
				      pending_at(client, 0)->command == SMTP_COMMAND_QUIT));

	*ret_event = (struct smtp_client_event){ .type = ENGINE_EVENT_NONE };
	if (!is_due)
		fail(client, NULL, ret_event);
	else if (client->state != STATE_OVER)
		enter(client, STATE_OVER);
}

void smtp_client_tls_started(struct smtp_client *client)
{
	client->is_tls = true;
	say_hello(client, STATE_EHLO);
}

/* ---- life and facts ---- */

struct smtp_client *smtp_client_new(const struct smtp_client_conf *conf)
{
	struct smtp_client *client = mem_new(1, sizeof *client);

	client->state = STATE_GREETING;
	client->is_lmtp = conf->is_lmtp;
	client->want_starttls = conf->want_starttls;
	client->helo_name = mem_strdup(conf->helo_name);
	if (conf->auth_user != NULL) {
		client->auth_user = mem_strdup(conf->auth_user);
		client->auth_password = secret_new(conf->auth_password);
	}
	if (conf->identity != NULL)
		client->xclient = smtp_xclient_new(conf->identity);
	if (conf->is_lmtp)
		client->fold = lmtp_fold_new();
	smtp_answer_init(&client->answer);
	if (conf->auth_user != NULL)
		buf_init_secret(&client->out, OUT_BYTES);
	else
		buf_init(&client->out, OUT_BYTES);
	buf_init(&client->held, HELD_BYTES);
	return client;
}

void smtp_client_free(struct smtp_client **pclient)
{
	struct smtp_client *client = *pclient;

	if (client == NULL)
		return;
	mem_free(client->helo_name);
	mem_free(client->auth_user);
	secret_free(&client->auth_password);
	smtp_xclient_free(&client->xclient);
	lmtp_fold_free(&client->fold);
	smtp_answer_fini(&client->answer);
	buf_fini(&client->out);
	buf_fini(&client->held);
	mem_free(client);
	*pclient = NULL;
}

struct buf *smtp_client_output(struct smtp_client *client)
{
	return &client->out;
}

unsigned smtp_client_caps(const struct smtp_client *client)
{
	return client->offer.caps;
}

uint64_t smtp_client_size(const struct smtp_client *client)
{
	return client->offer.size;
}

bool smtp_client_took_identity(const struct smtp_client *client)
{
	return client->has_told && smtp_xclient_has_address(client->xclient);
}

unsigned smtp_client_owed(const struct smtp_client *client)
{
	return client->count;
}
