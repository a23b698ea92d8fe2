/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net_fixture.h"

struct setup {
	struct loop *loop;
	int raw; /* the other end, without a conn; -1 if there is a conn */
	struct peer a;
	struct peer b;
};

static void set_up_raw(struct setup *s, bool small_buffers)
{
	int fds[2];

	*s = (struct setup){ .loop = loop_new() };
	fixture_pair(fds, small_buffers);
	peer_open(&s->a, s->loop, fds[0]);
	s->raw = fds[1];
}

static void set_up_both(struct setup *s, bool small_buffers)
{
	set_up_raw(s, small_buffers);
	peer_open(&s->b, s->loop, s->raw);
	s->raw = -1;
}

static void tear_down(struct setup *s)
{
	peer_close(&s->a);
	if (s->raw < 0)
		peer_close(&s->b);
	else
		(void)close(s->raw);
	loop_free(&s->loop);
}

static void test_echo(void **state)
{
	struct setup s;

	(void)state;
	set_up_both(&s, false);
	s.b.echoes = true;
	assert_int_equal(conn_write(s.a.conn, SLICE_LIT("hello ")), GP_OK);
	assert_int_equal(conn_write(s.a.conn, SLICE_LIT("world")), GP_OK);
	assert_int_equal(conn_output_len(s.a.conn), 11);
	fixture_until_got(s.loop, &s.a, 11);
	assert_true(slice_is(buf_slice(&s.a.got), "hello world"));
	/* Both writes of one turn left as one. */
	assert_int_equal(s.b.inputs, 1);
	assert_int_equal(s.a.drained, 1);
	tear_down(&s);
}

static void start_tls(
	struct setup *s, struct tls_ctx *server, struct tls_ctx *client, const char *name)
{
	assert_int_equal(conn_starttls_server(s->a.conn, server), GP_OK);
	assert_int_equal(conn_starttls_client(s->b.conn, client, name), GP_OK);
}

static void test_tls_both_sides(void **state)
{
	static const char *const names[] = { "mail.example.test" };
	char *trust = NULL;
	struct tls_ctx *server = fixture_server_ctx(names, 1, &trust);
	struct tls_ctx *client = NULL;
	struct setup s;

	(void)state;
	assert_int_equal(tls_ctx_new_client(slice_str(trust), &client, NULL), GP_OK);
	set_up_both(&s, false);
	s.a.echoes = true;
	/* Plain words before STARTTLS still go out in plain, those after it under TLS. */
	assert_int_equal(conn_write(s.a.conn, SLICE_LIT("220 go\r\n")), GP_OK);
	fixture_until_got(s.loop, &s.b, 8);
	start_tls(&s, server, client, "mail.example.test");
	assert_int_equal(conn_write(s.b.conn, SLICE_LIT("after")), GP_OK);
	fixture_until(s.loop, &s.a.tls, 1);
	fixture_until(s.loop, &s.b.tls, 1);
	assert_string_equal(conn_tls_version(s.a.conn), "TLSv1.3");
	assert_true(strlen(conn_tls_cipher(s.b.conn)) > 0);
	assert_string_equal(conn_sni(s.a.conn), "mail.example.test");
	fixture_until_got(s.loop, &s.b, 8 + 5);
	assert_true(slice_is(buf_slice(&s.b.got), "220 go\r\nafter"));
	/* close_notify, and both ends learn of it. */
	conn_finish(s.b.conn);
	fixture_until(s.loop, &s.a.closed, 1);
	assert_int_equal(s.a.end, CONN_END_EOF);
	peer_close(&s.a);
	fixture_until(s.loop, &s.b.closed, 1);
	assert_int_equal(s.b.end, CONN_END_EOF);
	/* The contexts may go before the connections do. */
	tls_ctx_free(&server);
	tls_ctx_free(&client);
	mem_free(trust);
	buf_init(&s.a.got, 1);
	tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_tls_both_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
