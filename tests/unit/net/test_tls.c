/* SPDX-License-Identifier: ISC */
/* Connections with TLS, between two of ours and against bytes from a bare socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mem.h"
#include "net_fixture.h"

#define NAME "mail.example.test"

/* A server and a client of ours, or a server alone with a bare socket at the other end. */
struct setup {
	struct loop *loop;
	struct tls_ctx *server_ctx;
	struct tls_ctx *client_ctx;
	struct peer server;
	struct peer client;
	int raw;
};

static void set_up_ctx(struct setup *s)
{
	static const char *const names[] = { NAME };
	char *trust = NULL;

	*s = (struct setup){ .loop = loop_new(), .raw = -1 };
	s->server_ctx = fixture_server_ctx(names, 1, &trust);
	assert_int_equal(tls_ctx_new_client(slice_str(trust), &s->client_ctx, NULL), GP_OK);
	mem_free(trust);
}

static void set_up_pair(struct setup *s, bool small_buffers)
{
	int fds[2];

	set_up_ctx(s);
	fixture_pair(fds, small_buffers);
	peer_open(&s->server, s->loop, fds[0]);
	peer_open(&s->client, s->loop, fds[1]);
}

static void set_up_raw(struct setup *s)
{
	int fds[2];

	set_up_ctx(s);
	fixture_pair(fds, false);
	peer_open(&s->server, s->loop, fds[0]);
	s->raw = fds[1];
}

static void tear_down(struct setup *s)
{
	peer_close(&s->server);
	if (s->client.conn != NULL)
		peer_close(&s->client);
	if (s->raw >= 0)
		(void)close(s->raw);
	tls_ctx_free(&s->server_ctx);
	tls_ctx_free(&s->client_ctx);
	loop_free(&s->loop);
}

static void start_tls(struct setup *s, const char *name)
{
	assert_int_equal(conn_starttls_server(s->server.conn, s->server_ctx), GP_OK);
	assert_int_equal(conn_starttls_client(s->client.conn, s->client_ctx, name), GP_OK);
}

static void start_tls_and_wait(struct setup *s)
{
	start_tls(s, NAME);
	fixture_until(s->loop, &s->server.tls, 1);
	fixture_until(s->loop, &s->client.tls, 1);
}

static void raw_send(struct setup *s, struct slice bytes)
{
	assert_int_equal(send(s->raw, bytes.data, bytes.len, MSG_NOSIGNAL), bytes.len);
}

static void test_both_sides(void **state)
{
	struct setup s;

	(void)state;
	set_up_pair(&s, false);
	s.server.echoes = true;
	assert_false(conn_is_tls(s.server.conn));
	assert_string_equal(conn_tls_version(s.server.conn), "");
	/* Plain words before the handshake still go in plain; those after it under TLS. */
	assert_int_equal(conn_write(s.server.conn, SLICE_LIT("220 go\r\n")), GP_OK);
	fixture_until_got(s.loop, &s.client, 8);
	start_tls(&s, NAME);
	assert_int_equal(conn_write(s.client.conn, SLICE_LIT("after")), GP_OK);
	fixture_until_got(s.loop, &s.client, 8 + 5);
	assert_true(slice_is(buf_slice(&s.client.got), "220 go\r\nafter"));
	assert_int_equal(s.server.tls, 1);
	assert_int_equal(s.client.tls, 1);
	assert_string_equal(conn_tls_version(s.server.conn), "TLSv1.3");
	assert_true(strlen(conn_tls_cipher(s.client.conn)) > 0);
	assert_string_equal(conn_sni(s.server.conn), NAME);
	assert_string_equal(conn_sni(s.client.conn), "");
	/* The contexts may go before the connections do. */
	tls_ctx_free(&s.server_ctx);
	tls_ctx_free(&s.client_ctx);
	assert_int_equal(conn_write(s.client.conn, SLICE_LIT("!")), GP_OK);
	fixture_until_got(s.loop, &s.client, 8 + 5 + 1);
	tear_down(&s);
}

static void test_finish_says_goodbye(void **state)
{
	struct setup s;

	(void)state;
	set_up_pair(&s, false);
	start_tls_and_wait(&s);
	assert_int_equal(conn_write(s.server.conn, SLICE_LIT("221 bye\r\n")), GP_OK);
	conn_finish(s.server.conn);
	fixture_until(s.loop, &s.client.closed, 1);
	assert_true(slice_is(buf_slice(&s.client.got), "221 bye\r\n"));
	assert_int_equal(s.client.end, CONN_END_EOF);
	assert_int_equal(s.server.closed, 0);
	conn_free(&s.client.conn);
	fixture_until(s.loop, &s.server.closed, 1);
	assert_int_equal(s.server.end, CONN_END_EOF);
	buf_fini(&s.client.got);
	tear_down(&s);
}

/* Sends a pattern through both directions at once, with kernel buffers that hold next to nothing,
 * so that every call is cut short somewhere. */
static void test_bulk_both_ways(void **state)
{
	enum {
		TOTAL = 700 * 1000
	};
	struct setup s;
	size_t sent[2] = { 0, 0 };
	struct peer *peers[2];
	char block[10 * 1000];

	(void)state;
	set_up_pair(&s, true);
	start_tls_and_wait(&s);
	peers[0] = &s.server;
	peers[1] = &s.client;
	for (unsigned turn = 0;
		turn < 100000 && (s.server.got.len < TOTAL || s.client.got.len < TOTAL); turn++) {
		for (unsigned i = 0; i < 2; i++) {
			size_t n = (turn * 37 + i) % sizeof block + 1;

			n = n < TOTAL - sent[i] ? n : TOTAL - sent[i];
			for (size_t k = 0; k < n; k++)
				block[k] = (char)((sent[i] + k) % 251);
			if (n > 0 && conn_write(peers[i]->conn, slice_of(block, n)) == GP_OK)
				sent[i] += n;
		}
		loop_turn(s.loop);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct slice got = buf_slice(&peers[i]->got);

		assert_int_equal(got.len, TOTAL);
		for (size_t k = 0; k < TOTAL; k++)
			assert_int_equal((unsigned char)got.data[k], k % 251);
	}
	tear_down(&s);
}

/* Carries bytes between two sockets, one for each turn of the loop. */
static void dribble(int from, int to)
{
	char byte;

	if (recv(from, &byte, 1, 0) == 1)
		assert_int_equal(send(to, &byte, 1, MSG_NOSIGNAL), 1);
}

static void test_one_byte_at_a_time(void **state)
{
	int left[2];
	int right[2];
	struct setup s;

	(void)state;
	set_up_ctx(&s);
	fixture_pair(left, false);
	fixture_pair(right, false);
	peer_open(&s.server, s.loop, left[0]);
	peer_open(&s.client, s.loop, right[0]);
	s.server.echoes = true;
	start_tls(&s, NAME);
	assert_int_equal(conn_write(s.client.conn, SLICE_LIT("echo this")), GP_OK);
	for (unsigned i = 0; i < 20000 && s.client.got.len < 9; i++) {
		dribble(left[1], right[1]);
		dribble(right[1], left[1]);
		loop_turn(s.loop);
	}
	assert_true(slice_is(buf_slice(&s.client.got), "echo this"));
	(void)close(left[1]);
	(void)close(right[1]);
	tear_down(&s);
}

static void test_pause_holds_what_tls_has_inside(void **state)
{
	struct setup s;
	char block[40 * 1000] = { 0 };

	(void)state;
	set_up_pair(&s, false);
	start_tls_and_wait(&s);
	s.server.keeps_input = true;
	assert_int_equal(conn_write(s.client.conn, slice_of(block, sizeof block)), GP_OK);
	fixture_until(s.loop, &s.server.inputs, 1);
	conn_pause(s.server.conn);
	assert_int_equal(conn_write(s.client.conn, slice_of(block, sizeof block)), GP_OK);
	conn_finish(s.client.conn);
	fixture_turns(s.loop, 20);
	assert_int_equal(s.server.closed, 0);
	/* The cap falls within a record: its rest stays inside TLS until there is room. */
	conn_resume(s.server.conn);
	fixture_turns(s.loop, 20);
	assert_int_equal(conn_input(s.server.conn).len, FIXTURE_CAP);
	s.server.keeps_input = false;
	conn_resume(s.server.conn);
	fixture_until_got(s.loop, &s.server, 2 * sizeof block);
	fixture_until(s.loop, &s.server.closed, 1);
	assert_int_equal(s.server.end, CONN_END_EOF);
	tear_down(&s);
}

static void take_first_line(struct peer *peer)
{
	struct setup *s = peer->context;
	struct slice input = conn_input(peer->conn);
	ptrdiff_t end = slice_find(input, '\n');

	assert_true(end >= 0);
	conn_consume(peer->conn, (size_t)end + 1);
	if (peer == &s->server)
		assert_int_equal(conn_starttls_server(peer->conn, s->server_ctx), GP_ERR_PROTOCOL);
	else
		assert_int_equal(
			conn_starttls_client(peer->conn, s->client_ctx, NAME), GP_ERR_PROTOCOL);
	peer->tls = 1000; /* on_tls() would be seen */
	conn_free(&peer->conn);
}

static void test_injected_commands(void **state)
{
	struct setup s;

	(void)state;
	set_up_raw(&s);
	s.server.on_input = take_first_line;
	s.server.context = &s;
	raw_send(&s, SLICE_LIT("STARTTLS\r\nRSET\r\n"));
	fixture_until(s.loop, &s.server.inputs, 1);
	assert_int_equal(s.server.tls, 1000);
	tear_down(&s);
}

static void test_injected_replies(void **state)
{
	struct setup s;

	(void)state;
	set_up_pair(&s, false);
	s.client.on_input = take_first_line;
	s.client.context = &s;
	assert_int_equal(
		conn_write(s.server.conn, SLICE_LIT("220 go\r\n250-AUTH PLAIN\r\n")), GP_OK);
	fixture_until(s.loop, &s.client.inputs, 1);
	assert_int_equal(s.client.tls, 1000);
	buf_fini(&s.client.got);
	tear_down(&s);
}

static void test_injection_that_comes_late(void **state)
{
	struct setup s;

	(void)state;
	set_up_raw(&s);
	assert_int_equal(conn_starttls_server(s.server.conn, s.server_ctx), GP_OK);
	fixture_turns(s.loop, 2);
	raw_send(&s, SLICE_LIT("RSET\r\n"));
	fixture_until(s.loop, &s.server.closed, 1);
	assert_int_equal(s.server.end, CONN_END_PLAIN_ON_TLS);
	assert_int_equal(s.server.inputs, 0);
	tear_down(&s);
}

struct first_bytes_case {
	const char *bytes;
	bool bytewise;
	bool then_close;
	enum conn_end end;
};

static void check_first_bytes(const struct first_bytes_case *c)
{
	struct setup s;
	char byte;
	size_t len = strlen(c->bytes);

	set_up_raw(&s);
	assert_int_equal(conn_starttls_server(s.server.conn, s.server_ctx), GP_OK);
	for (size_t i = 0; c->bytewise && i < len; i++) {
		(void)!send(s.raw, c->bytes + i, 1, MSG_NOSIGNAL);
		fixture_turns(s.loop, 3);
	}
	if (!c->bytewise)
		(void)!send(s.raw, c->bytes, len, MSG_NOSIGNAL);
	if (c->then_close)
		assert_int_equal(shutdown(s.raw, SHUT_WR), 0);
	fixture_until(s.loop, &s.server.closed, 1);
	assert_int_equal(s.server.end, c->end);
	assert_int_equal(s.server.tls, 0);
	/* No alert, no word: nothing went out to one who does not speak TLS. */
	if (c->end != CONN_END_TLS)
		assert_int_equal(recv(s.raw, &byte, 1, 0), -1);
	tear_down(&s);
}

static void test_first_bytes(void **state)
{
	static const struct first_bytes_case cases[] = {
		{ "EHLO client.example.test\r\n", false, false, CONN_END_PLAIN_ON_TLS },
		{ "EHLO client.example.test\r\n", true, false, CONN_END_PLAIN_ON_TLS },
		{ "a1 LOGIN x y\r\n", false, false, CONN_END_PLAIN_ON_TLS },
		{ "\r\n", false, false, CONN_END_PLAIN_ON_TLS },
		{ "GET / HTTP/1.1\r\n\r\n", false, false, CONN_END_HTTP_ON_TLS },
		{ "GET / HTTP/1.1\r\n\r\n", true, false, CONN_END_HTTP_ON_TLS },
		{ "OPTIONS * HTTP/1.1\r\n", true, false, CONN_END_HTTP_ON_TLS },
		{ "CONNECT mx:25 HTTP/1.1\r\n", false, false, CONN_END_HTTP_ON_TLS },
		{ "GETX", false, false, CONN_END_PLAIN_ON_TLS },
		{ "POS", false, true, CONN_END_PLAIN_ON_TLS }, { "", false, true, CONN_END_EOF },
		{ "\x16", false, true, CONN_END_TLS },
		{ "\x16\x03\x01\x01", false, true, CONN_END_TLS },
		{ "\x16garbage garbage", false, false, CONN_END_TLS },
		{ "\x80\x2e\x01\x03\x01", false, false, CONN_END_PLAIN_ON_TLS }, /* SSLv2 */
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++)
		check_first_bytes(&cases[i]);
}

/* Which side of a failed handshake hears what. */
static void check_refusal(struct tls_ctx *client_ctx, const char *name, const char *client_error,
	const char *server_error)
{
	struct setup s;

	set_up_pair(&s, false);
	if (client_ctx != NULL) {
		tls_ctx_free(&s.client_ctx);
		s.client_ctx = client_ctx;
	}
	start_tls(&s, name);
	fixture_until(s.loop, &s.client.closed, 1);
	fixture_until(s.loop, &s.server.closed, 1);
	assert_int_equal(s.client.end, CONN_END_TLS);
	assert_int_equal(s.server.end, CONN_END_TLS);
	assert_string_equal(conn_tls_error(s.client.conn), client_error);
	assert_string_equal(conn_tls_error(s.server.conn), server_error);
	tear_down(&s);
}

static void test_certificate_refused(void **state)
{
	struct fixture_pem other = fixture_certificate(NAME);
	struct tls_ctx *distrusting = NULL;

	(void)state;
	check_refusal(NULL, "other.example.test", "certificate not accepted: hostname mismatch",
		"sslv3 alert bad certificate");
	check_refusal(NULL, "192.0.2.1", "certificate not accepted: IP address mismatch",
		"sslv3 alert bad certificate");
	assert_int_equal(tls_ctx_new_client(slice_str(other.chain), &distrusting, NULL), GP_OK);
	check_refusal(distrusting, NAME, "certificate not accepted: self-signed certificate",
		"tlsv1 alert unknown ca");
	fixture_pem_free(&other);
}

static void test_no_trust_checks_nothing(void **state)
{
	struct setup s;

	(void)state;
	set_up_pair(&s, false);
	tls_ctx_free(&s.client_ctx);
	assert_int_equal(tls_ctx_new_client(slice_of(NULL, 0), &s.client_ctx, NULL), GP_OK);
	start_tls(&s, "other.example.test");
	fixture_until(s.loop, &s.client.tls, 1);
	fixture_until(s.loop, &s.server.tls, 1);
	tear_down(&s);
}

static void test_peer_gone_during_the_handshake(void **state)
{
	struct setup s;

	(void)state;
	set_up_pair(&s, false);
	assert_int_equal(conn_starttls_client(s.client.conn, s.client_ctx, NAME), GP_OK);
	fixture_turns(s.loop, 3);
	conn_finish(s.server.conn);
	fixture_until(s.loop, &s.client.closed, 1);
	assert_int_equal(s.client.end, CONN_END_TLS);
	assert_string_equal(conn_tls_error(s.client.conn), "the peer closed during the handshake");
	tear_down(&s);
}

static void test_end_without_close_notify(void **state)
{
	struct setup s;

	(void)state;
	set_up_pair(&s, false);
	start_tls_and_wait(&s);
	/* Closing with the session ticket unread would be a reset. */
	fixture_turns(s.loop, 5);
	conn_free(&s.client.conn);
	fixture_until(s.loop, &s.server.closed, 1);
	assert_int_equal(s.server.end, CONN_END_EOF);
	buf_fini(&s.client.got);
	tear_down(&s);
}

static void test_broken_record(void **state)
{
	int left[2];
	int right[2];
	struct setup s;
	char bytes[4096];

	(void)state;
	set_up_ctx(&s);
	fixture_pair(left, false);
	fixture_pair(right, false);
	peer_open(&s.server, s.loop, left[0]);
	peer_open(&s.client, s.loop, right[0]);
	start_tls(&s, NAME);
	for (unsigned i = 0; i < 20000 && s.server.tls + s.client.tls < 2; i++) {
		dribble(left[1], right[1]);
		dribble(right[1], left[1]);
		loop_turn(s.loop);
	}
	assert_int_equal(conn_write(s.client.conn, SLICE_LIT("bent on the way")), GP_OK);
	for (unsigned i = 0; i < 20; i++) {
		ssize_t n = recv(right[1], bytes, sizeof bytes, 0);

		if (n > 0) {
			bytes[n - 1] ^= 1;
			assert_int_equal(send(left[1], bytes, (size_t)n, MSG_NOSIGNAL), n);
		}
		loop_turn(s.loop);
	}
	assert_int_equal(s.server.closed, 1);
	assert_int_equal(s.server.end, CONN_END_TLS);
	assert_int_equal(s.server.inputs, 0);
	(void)close(left[1]);
	(void)close(right[1]);
	tear_down(&s);
}

static void test_names_that_are_none(void **state)
{
	char longer[400];
	struct setup s;

	(void)state;
	memset(longer, 'a', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	set_up_pair(&s, false);
	assert_int_equal(conn_starttls_client(s.client.conn, s.client_ctx, longer), GP_ERR_SYNTAX);
	tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_sides),
		cmocka_unit_test(test_finish_says_goodbye),
		cmocka_unit_test(test_bulk_both_ways),
		cmocka_unit_test(test_one_byte_at_a_time),
		cmocka_unit_test(test_pause_holds_what_tls_has_inside),
		cmocka_unit_test(test_injected_commands),
		cmocka_unit_test(test_injected_replies),
		cmocka_unit_test(test_injection_that_comes_late),
		cmocka_unit_test(test_first_bytes),
		cmocka_unit_test(test_certificate_refused),
		cmocka_unit_test(test_no_trust_checks_nothing),
		cmocka_unit_test(test_peer_gone_during_the_handshake),
		cmocka_unit_test(test_end_without_close_notify),
		cmocka_unit_test(test_broken_record),
		cmocka_unit_test(test_names_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
