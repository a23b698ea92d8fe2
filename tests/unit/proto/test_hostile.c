/* SPDX-License-Identifier: ISC */
/*
 * Every engine, in every state it has, against what no honest peer sends, at once and a byte at a
 * time: lines of 10 MiB, literals of every size, NUL, broken UTF-8. Whatever it is, the engine
 * takes it or ends: it never waits with a full buffer, never says more than it may, and asks for no
 * sign-in with a name that cannot be one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mem.h"
#include "proto/imap_client.h"
#include "proto/imap_server.h"
#include "proto/pop3_client.h"
#include "proto/pop3_server.h"
#include "proto/smtp_client.h"
#include "proto/smtp_server.h"

enum {
	WINDOW_SERVER = ENGINE_LINE_MAX + 4096, /* as a front's session has it */
	WINDOW_CLIENT = 64 * 1024,
	SAID_MAX = 256 * 1024, /* to one peer, however much it sends */
	FLOOD_BYTES = 10 * 1024 * 1024,
	FLOOD_BYTES_SLOW = 256 * 1024, /* a byte at a time */
	BABBLE_MAX = 1024 * 1024,      /* taken from a backend that never comes to the point */
	LOGIN_MAX = 320,
};

enum engine {
	SMTP_SERVER,
	IMAP_SERVER,
	POP3_SERVER,
	SMTP_CLIENT,
	LMTP_CLIENT,
	IMAP_CLIENT,
	POP3_CLIENT,
};

struct peer {
	enum engine engine;
	void *state;
	struct smtp_server_conf conf;
	bool is_over;
	size_t said;
};

static const struct login_server_ops *login_server(const struct peer *peer)
{
	return peer->engine == IMAP_SERVER ? &imap_server_ops : &pop3_server_ops;
}

static const struct login_client_ops *login_client(const struct peer *peer)
{
	return peer->engine == IMAP_CLIENT ? &imap_client_ops : &pop3_client_ops;
}

static bool is_server(const struct peer *peer)
{
	return peer->engine <= POP3_SERVER;
}

static void peer_init(struct peer *peer, enum engine engine)
{
	static const enum service services[] = { SERVICE_SUBMISSIONS, SERVICE_IMAPS,
		SERVICE_POP3S };
	struct login_client_conf login = { .credential = LOGIN_TOKEN,
		.address = SLICE_LIT("alice@example.test"),
		.secret = SLICE_LIT("token") };
	struct smtp_client_conf smtp = { .is_lmtp = engine == LMTP_CLIENT,
		.helo_name = "mail.example.test" };

	*peer = (struct peer){ .engine = engine };
	if (is_server(peer))
		peer->conf.common = (struct engine_server_conf){ .hostname = "mail.example.test",
			.portal_url = "https://mail.example.test/",
			.service = services[engine],
			.client_address = SLICE_LIT("192.0.2.7"),
			.is_tls = true,
			.max_commands = 20,
			.max_attempts = 3 };
	peer->conf.message_recipients = 100;
	if (engine == SMTP_SERVER)
		peer->state = smtp_server_new(&peer->conf);
	else if (is_server(peer))
		peer->state = login_server(peer)->create(&peer->conf.common);
	else if (engine == SMTP_CLIENT || engine == LMTP_CLIENT)
		peer->state = smtp_client_new(&smtp);
	else
		peer->state = login_client(peer)->create(&login);
}

static void peer_fini(struct peer *peer)
{
	struct smtp_server *server = peer->state;
	struct smtp_client *client = peer->state;

	if (peer->engine == SMTP_SERVER)
		smtp_server_free(&server);
	else if (is_server(peer))
		login_server(peer)->destroy(peer->state);
	else if (peer->engine == SMTP_CLIENT || peer->engine == LMTP_CLIENT)
		smtp_client_free(&client);
	else
		login_client(peer)->destroy(peer->state);
}

static void drain(struct peer *peer)
{
	struct buf *out;

	if (peer->engine == SMTP_SERVER)
		out = smtp_server_output(peer->state);
	else if (is_server(peer))
		out = login_server(peer)->output(peer->state);
	else if (peer->engine == SMTP_CLIENT || peer->engine == LMTP_CLIENT)
		out = smtp_client_output(peer->state);
	else
		out = login_client(peer)->output(peer->state);
	peer->said += out->len;
	assert_true(peer->said <= SAID_MAX);
	buf_clear(out);
}

/* ---- servers ---- */

static void answer_signin(struct peer *peer, const struct engine_signin *signin)
{
	struct slice right = SLICE_LIT("right");
	struct engine_answer answer = {
		.verdict = slice_equal(signin->secret, right) ? VERDICT_OK : VERDICT_DENY
	};

	assert_true(signin->login.len > 0 && signin->login.len <= LOGIN_MAX);
	assert_true(slice_find(signin->login, '\0') < 0);
	assert_true(signin->secret.len > 0 && signin->secret.len <= 1024);
	if (peer->engine == SMTP_SERVER)
		smtp_server_answer_signin(peer->state, &answer);
	else
		login_server(peer)->answer_signin(peer->state, &answer);
}

static void perform(struct peer *peer, const struct engine_action *action)
{
	struct smtp_reply reply;

	switch (action->type) {
	case ENGINE_SIGNIN:
		answer_signin(peer, &action->signin);
		return;
	case ENGINE_CLOSE:
		peer->is_over = true;
		return;
	case ENGINE_MAIL:
	case ENGINE_RCPT:
		assert_true(action->path.address.len <= SMTP_SERVER_PATH_MAX);
		assert_true(slice_find(action->path.address, '\0') < 0);
		smtp_reply_set(&reply, 250, "2.0.0", "Ok");
		smtp_server_answer(peer->state, &reply);
		return;
	case ENGINE_DATA:
	case ENGINE_BODY_END:
	case ENGINE_VRFY:
		smtp_reply_set(&reply, action->type == ENGINE_DATA ? 354 : 250, "", "Ok");
		smtp_server_answer(peer->state, &reply);
		return;
	case ENGINE_NONE:
	case ENGINE_STARTTLS:
	case ENGINE_NOTE:
	case ENGINE_BODY:
	case ENGINE_RSET:
		return;
	}
}

static size_t take_server(struct peer *peer, struct slice bytes, bool *ret_has_acted)
{
	struct engine_action action = { .type = ENGINE_NONE };
	size_t used = peer->engine == SMTP_SERVER
			      ? smtp_server_input(peer->state, bytes, &action)
			      : login_server(peer)->input(peer->state, bytes, &action);

	*ret_has_acted = action.type != ENGINE_NONE;
	perform(peer, &action);
	return used;
}

/* ---- clients ---- */

static size_t take_client(struct peer *peer, struct slice bytes, bool *ret_has_acted)
{
	struct smtp_client_event smtp = { .type = ENGINE_EVENT_NONE };
	struct login_client_event login = { .type = ENGINE_EVENT_NONE };
	bool is_smtp = peer->engine == SMTP_CLIENT || peer->engine == LMTP_CLIENT;
	size_t used = is_smtp ? smtp_client_input(peer->state, bytes, &smtp)
			      : login_client(peer)->input(peer->state, bytes, &login);
	enum engine_event_type type = is_smtp ? smtp.type : login.type;

	*ret_has_acted = type != ENGINE_EVENT_NONE;
	if (type == ENGINE_EVENT_FAILED || type == ENGINE_EVENT_REFUSED ||
		(type == ENGINE_EVENT_READY && !is_smtp))
		peer->is_over = true;
	return used;
}

/* ---- the wire ---- */

struct wire {
	struct peer *peer;
	struct buf window;
	size_t step;
	size_t taken;
};

static void work(struct wire *wire)
{
	struct peer *peer = wire->peer;
	bool has_acted = true;
	size_t used = 0;

	while (!peer->is_over && (has_acted || used > 0)) {
		struct slice bytes = buf_slice(&wire->window);

		used = is_server(peer) ? take_server(peer, bytes, &has_acted)
				       : take_client(peer, bytes, &has_acted);
		assert_true(used <= bytes.len);
		buf_consume(&wire->window, used);
		wire->taken += used;
		drain(peer);
	}
	/* A full buffer with nothing to be done is a connection that hangs. */
	assert_true(peer->is_over || buf_room(&wire->window) > 0);
}

static void send_bytes(struct wire *wire, struct slice bytes)
{
	while (bytes.len > 0 && !wire->peer->is_over) {
		size_t room = buf_room(&wire->window);
		struct slice piece = slice_head(bytes, wire->step < room ? wire->step : room);

		assert_int_equal(buf_append(&wire->window, piece), GP_OK);
		bytes = slice_from(bytes, piece.len);
		work(wire);
	}
}

static void wire_open(struct wire *wire, struct peer *peer, enum engine engine, size_t step)
{
	peer_init(peer, engine);
	*wire = (struct wire){ .peer = peer, .step = step };
	buf_init(&wire->window, is_server(peer) ? WINDOW_SERVER : WINDOW_CLIENT);
	work(wire);
}

static void wire_close(struct wire *wire)
{
	buf_fini(&wire->window);
	peer_fini(wire->peer);
}

/* ---- what is tried ---- */

#define EHLO  "EHLO x\r\n"
#define AUTH  EHLO "AUTH PLAIN AGEAcmlnaHQ=\r\n" /* a, right */
#define MAIL  AUTH "MAIL FROM:<a@example.test>\r\n"
#define HELLO "220 x\r\n"

static const struct place {
	enum engine engine;
	const char *way; /* to a state */
} places[] = {
	{ SMTP_SERVER, "" },
	{ SMTP_SERVER, EHLO },
	{ SMTP_SERVER, EHLO "AUTH PLAIN\r\n" },
	{ SMTP_SERVER, EHLO "AUTH LOGIN\r\nYQ==\r\n" },
	{ SMTP_SERVER, AUTH },
	{ SMTP_SERVER, MAIL },
	{ SMTP_SERVER, MAIL "RCPT TO:<b@example.test>\r\n" },
	{ SMTP_SERVER, MAIL "RCPT TO:<b@example.test>\r\nDATA\r\n" },
	{ IMAP_SERVER, "" },
	{ IMAP_SERVER, "a LOGIN " },
	{ IMAP_SERVER, "a LOGIN {5}\r\n" },
	{ IMAP_SERVER, "a LOGIN {5+}\r\nalice " },
	{ IMAP_SERVER, "a LOGIN \"alice" },
	{ IMAP_SERVER, "a ID (\"name\" " },
	{ IMAP_SERVER, "a AUTHENTICATE PLAIN\r\n" },
	{ IMAP_SERVER, "a AUTHENTICATE LOGIN\r\nYQ==\r\n" },
	{ POP3_SERVER, "" },
	{ POP3_SERVER, "USER alice\r\n" },
	{ POP3_SERVER, "AUTH PLAIN\r\n" },
	{ POP3_SERVER, "AUTH LOGIN\r\nYQ==\r\n" },
	{ SMTP_CLIENT, "" },
	{ SMTP_CLIENT, "220-x\r\n" },
	{ SMTP_CLIENT, HELLO },
	{ SMTP_CLIENT, HELLO "250-x\r\n" },
	{ SMTP_CLIENT, HELLO "250 x\r\n" },
	{ LMTP_CLIENT, HELLO },
	{ LMTP_CLIENT, HELLO "250-x\r\n" },
	{ IMAP_CLIENT, "" },
	{ IMAP_CLIENT, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] x\r\n" },
	{ IMAP_CLIENT, "* OK x\r\n* CAPABILITY IMAP4rev1 " },
	{ POP3_CLIENT, "" },
	{ POP3_CLIENT, "+OK x\r\n" },
	{ POP3_CLIENT, "+OK x\r\n+OK\r\nSASL XOAUTH2\r\n" },
};

static const struct slice floods[] = {
	{ "x", 1 },
	{ "\0", 1 },
	{ "\r", 1 },
	{ "\n", 1 },
	{ "\xff", 1 },
	{ "\r\n", 2 },
	{ "\n\r", 2 },
	{ "{", 1 },
	{ "a {9+}\r\n", 8 },
	{ "* OK x\r\n", 8 },
	{ "250-x\r\n", 7 },
	{ "+ \r\n", 4 },
};

static const struct slice lines[] = {
	{ "{4294967295}\r\n", 14 },
	{ "{99999999999}\r\n", 15 },
	{ "{18446744073709551617}\r\n", 24 },
	{ "{9+}\r\n", 6 },
	{ "{-1}\r\n", 6 },
	{ "{0000000000000000000000000000000000000009+}\r\n", 44 },
	{ "{0}\r\n", 5 },
	{ "a LOGIN {4294967295}\r\n", 22 },
	{ "a LOGIN {99999999999+}\r\n", 24 },
	{ "a LOGIN {9+}\r\nalice\0bob {1+}\r\nx\r\n", 33 },
	{ "a LOGIN \"\xff\xfe\" x\r\n", 17 },
	{ "a LOGIN al\0ice x\r\n", 18 },
	{ "~{9}\r\n", 6 },
	{ "\0\r\n", 3 },
	{ "\xc3\r\n", 3 },
	{ "\xf4\x90\x80\x80\r\n", 6 },
	{ "USER \xff\r\n", 8 },
	{ "USER al\0ice\r\n", 13 },
	{ "EHLO \xff\0\r\n", 9 },
	{ "MAIL FROM:<\xc3\x28@example.test> SMTPUTF8\r\n", 38 },
	{ "RCPT TO:<\0@example.test>\r\n", 26 },
	{ "AUTH PLAIN AP8A/w==\r\n", 21 },
	{ "AUTH PLAIN AGEAYgBj\r\n", 21 },
	{ "AP8A/w==\r\n", 10 },
	{ "AGEAYgBj\r\n", 10 },
	{ "=\r\n", 3 },
	{ ".\r\n", 3 },
	{ "999 x\r\n", 7 },
	{ "25\r\n", 4 },
	{ "250", 3 },
};

static const size_t steps[] = { 1, 7, SIZE_MAX };

static struct buf make_flood(struct slice unit)
{
	struct buf flood;

	buf_init(&flood, FLOOD_BYTES + 16);
	while (flood.len < FLOOD_BYTES)
		assert_int_equal(buf_append(&flood, unit), GP_OK);
	return flood;
}

static void test_floods(void **state)
{
	(void)state;
	for (size_t f = 0; f < GP_ARRAY_LEN(floods); f++) {
		struct buf flood = make_flood(floods[f]);

		for (size_t n = 0; n < GP_ARRAY_LEN(places) * GP_ARRAY_LEN(steps); n++) {
			const struct place *place = &places[n % GP_ARRAY_LEN(places)];
			size_t step = steps[n / GP_ARRAY_LEN(places)];
			struct slice bytes = buf_slice(&flood);
			struct peer peer;
			struct wire wire;

			if (step < SIZE_MAX)
				bytes = slice_head(bytes, FLOOD_BYTES_SLOW);
			wire_open(&wire, &peer, place->engine, step);
			send_bytes(&wire, slice_str(place->way));
			send_bytes(&wire, bytes);
			/* Only a message may be so long. */
			if (step == SIZE_MAX && strstr(place->way, "DATA") == NULL)
				assert_true(peer.is_over && wire.taken <= BABBLE_MAX);
			wire_close(&wire);
		}
		buf_fini(&flood);
	}
}

/* Each line in each place, and then again behind itself. */
static void test_lines(void **state)
{
	(void)state;
	for (size_t n = 0; n < GP_ARRAY_LEN(places) * GP_ARRAY_LEN(steps); n++) {
		const struct place *place = &places[n % GP_ARRAY_LEN(places)];

		for (size_t l = 0; l < GP_ARRAY_LEN(lines); l++) {
			struct peer peer;
			struct wire wire;

			wire_open(&wire, &peer, place->engine, steps[n / GP_ARRAY_LEN(places)]);
			send_bytes(&wire, slice_str(place->way));
			for (size_t again = 0; again < 3; again++)
				send_bytes(&wire, lines[l]);
			wire_close(&wire);
		}
	}
}

/* The places are what they are said to be. */
static void test_ways(void **state)
{
	(void)state;
	for (size_t n = 0; n < GP_ARRAY_LEN(places); n++) {
		struct peer peer;
		struct wire wire;

		wire_open(&wire, &peer, places[n].engine, SIZE_MAX);
		send_bytes(&wire, slice_str(places[n].way));
		assert_false(peer.is_over);
		if (places[n].engine == SMTP_SERVER && strstr(places[n].way, "DATA") != NULL)
			assert_string_equal(smtp_server_state(peer.state), "BODY");
		wire_close(&wire);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_floods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
