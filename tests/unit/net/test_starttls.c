/* SPDX-License-Identifier: ISC */
/* How TLS begins: injection, plain text in its place, certificates that are not accepted. */
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

static void raw_send(struct tls_setup *s, struct slice bytes)
{
	assert_int_equal(send(s->raw, bytes.data, bytes.len, MSG_NOSIGNAL), bytes.len);
}

static void take_first_line(struct peer *peer)
{
	struct tls_setup *s = peer->context;
	struct slice input = conn_input(peer->conn);
	ptrdiff_t end = slice_find(input, '\n');

	assert_true(end >= 0);
	conn_consume(peer->conn, (size_t)end + 1);
	if (peer == &s->server)
		assert_int_equal(conn_starttls_server(peer->conn, s->server_ctx), GP_ERR_PROTOCOL);
	else
		assert_int_equal(conn_starttls_client(peer->conn, s->client_ctx, FIXTURE_NAME),
			GP_ERR_PROTOCOL);
	peer->tls = 1000; /* on_tls() would be seen */
	conn_free(&peer->conn);
}

static void test_injected_commands(void **state)
{
	struct tls_setup s;

	(void)state;
	tls_set_up_raw(&s);
	s.server.on_input = take_first_line;
	s.server.context = &s;
	raw_send(&s, SLICE_LIT("STARTTLS\r\nRSET\r\n"));
	fixture_until(s.loop, &s.server.inputs, 1);
	assert_int_equal(s.server.tls, 1000);
	tls_tear_down(&s);
}

static void test_injected_replies(void **state)
{
	struct tls_setup s;

	(void)state;
	tls_set_up_pair(&s, false);
	s.client.on_input = take_first_line;
	s.client.context = &s;
	assert_int_equal(
		conn_write(s.server.conn, SLICE_LIT("220 go\r\n250-AUTH PLAIN\r\n")), GP_OK);
	fixture_until(s.loop, &s.client.inputs, 1);
	assert_int_equal(s.client.tls, 1000);
	buf_fini(&s.client.got);
	tls_tear_down(&s);
}

static void test_injection_that_comes_late(void **state)
{
	struct tls_setup s;

	(void)state;
	tls_set_up_raw(&s);
	assert_int_equal(conn_starttls_server(s.server.conn, s.server_ctx), GP_OK);
	fixture_turns(s.loop, 2);
	raw_send(&s, SLICE_LIT("RSET\r\n"));
	fixture_until(s.loop, &s.server.closed, 1);
	assert_int_equal(s.server.end, CONN_END_PLAIN_ON_TLS);
	assert_int_equal(s.server.inputs, 0);
	tls_tear_down(&s);
}

struct first_bytes_case {
	const char *bytes;
	bool bytewise;
	bool then_close;
	enum conn_end end;
};

static void check_first_bytes(const struct first_bytes_case *c, bool greets)
{
	struct tls_setup s;
	char byte;
	size_t len = strlen(c->bytes);

	tls_set_up_raw(&s);
	assert_int_equal(conn_starttls_server(s.server.conn, s.server_ctx), GP_OK);
	if (greets) {
		assert_int_equal(conn_write(s.server.conn, SLICE_LIT("220 hello\r\n")), GP_OK);
		conn_allow_early(s.server.conn);
	}
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
	tls_tear_down(&s);
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
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		check_first_bytes(&cases[i], false);
		check_first_bytes(&cases[i], true);
	}
}

/* Which side of a failed handshake hears what. */
static void check_refusal(struct tls_ctx *client_ctx, const char *name, const char *client_error,
	const char *server_error)
{
	struct tls_setup s;

	tls_set_up_pair(&s, false);
	if (client_ctx != NULL) {
		tls_ctx_free(&s.client_ctx);
		s.client_ctx = client_ctx;
	}
	tls_start(&s, name);
	fixture_until(s.loop, &s.client.closed, 1);
	fixture_until(s.loop, &s.server.closed, 1);
	assert_int_equal(s.client.end, CONN_END_TLS);
	assert_int_equal(s.server.end, CONN_END_TLS);
	assert_string_equal(conn_tls_error(s.client.conn), client_error);
	assert_string_equal(conn_tls_error(s.server.conn), server_error);
	tls_tear_down(&s);
}

static void test_certificate_refused(void **state)
{
	struct fixture_pem other = fixture_certificate(FIXTURE_NAME);
	struct tls_ctx *distrusting = NULL;

	(void)state;
	check_refusal(NULL, "other.example.test", "certificate not accepted: hostname mismatch",
		"sslv3 alert bad certificate");
	check_refusal(NULL, "192.0.2.1", "certificate not accepted: IP address mismatch",
		"sslv3 alert bad certificate");
	assert_int_equal(tls_ctx_new_client(slice_str(other.chain), &distrusting, NULL), GP_OK);
	check_refusal(distrusting, FIXTURE_NAME,
		"certificate not accepted: self-signed certificate", "tlsv1 alert unknown ca");
	fixture_pem_free(&other);
}

static void test_no_trust_checks_nothing(void **state)
{
	struct tls_setup s;

	(void)state;
	tls_set_up_pair(&s, false);
	tls_ctx_free(&s.client_ctx);
	assert_int_equal(tls_ctx_new_client(slice_of(NULL, 0), &s.client_ctx, NULL), GP_OK);
	tls_start(&s, "other.example.test");
	fixture_until(s.loop, &s.client.tls, 1);
	fixture_until(s.loop, &s.server.tls, 1);
	tls_tear_down(&s);
}

static void test_peer_gone_during_the_handshake(void **state)
{
	struct tls_setup s;

	(void)state;
	tls_set_up_pair(&s, false);
	assert_int_equal(conn_starttls_client(s.client.conn, s.client_ctx, FIXTURE_NAME), GP_OK);
	fixture_turns(s.loop, 3);
	conn_finish(s.server.conn);
	fixture_until(s.loop, &s.client.closed, 1);
	assert_int_equal(s.client.end, CONN_END_TLS);
	assert_string_equal(conn_tls_error(s.client.conn), "the peer closed during the handshake");
	tls_tear_down(&s);
}

static void test_names_that_are_none(void **state)
{
	char longer[400];
	struct tls_setup s;

	(void)state;
	memset(longer, 'a', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	tls_set_up_pair(&s, false);
	assert_int_equal(conn_starttls_client(s.client.conn, s.client_ctx, longer), GP_ERR_SYNTAX);
	tls_tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_injected_commands),
		cmocka_unit_test(test_injected_replies),
		cmocka_unit_test(test_injection_that_comes_late),
		cmocka_unit_test(test_first_bytes),
		cmocka_unit_test(test_certificate_refused),
		cmocka_unit_test(test_no_trust_checks_nothing),
		cmocka_unit_test(test_peer_gone_during_the_handshake),
		cmocka_unit_test(test_names_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
