/* SPDX-License-Identifier: ISC */
/* Connections under TLS, between two of ours. */
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

static void test_both_sides(void **state)
{
	struct tls_setup s;

	(void)state;
	tls_set_up_pair(&s, false);
	s.server.echoes = true;
	assert_false(conn_is_tls(s.server.conn));
	assert_string_equal(conn_tls_version(s.server.conn), "");
	/* Plain words before the handshake still go in plain; those after it under TLS. */
	assert_int_equal(conn_write(s.server.conn, SLICE_LIT("220 go\r\n")), GP_OK);
	fixture_until_got(s.loop, &s.client, 8);
	tls_start(&s, FIXTURE_NAME);
	assert_int_equal(conn_write(s.client.conn, SLICE_LIT("after")), GP_OK);
	fixture_until_got(s.loop, &s.client, 8 + 5);
	assert_true(slice_is(buf_slice(&s.client.got), "220 go\r\nafter"));
	assert_int_equal(s.server.tls, 1);
	assert_int_equal(s.client.tls, 1);
	assert_string_equal(conn_tls_version(s.server.conn), "TLSv1.3");
	assert_true(strlen(conn_tls_cipher(s.client.conn)) > 0);
	assert_string_equal(conn_sni(s.server.conn), FIXTURE_NAME);
	assert_string_equal(conn_sni(s.client.conn), "");
	/* The contexts may go before the connections do. */
	tls_ctx_free(&s.server_ctx);
	tls_ctx_free(&s.client_ctx);
	assert_int_equal(conn_write(s.client.conn, SLICE_LIT("!")), GP_OK);
	fixture_until_got(s.loop, &s.client, 8 + 5 + 1);
	tls_tear_down(&s);
}

static void test_finish_says_goodbye(void **state)
{
	struct tls_setup s;

	(void)state;
	tls_set_up_pair(&s, false);
	tls_start_and_wait(&s);
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
	tls_tear_down(&s);
}

/* Sends a pattern through both directions at once, with kernel buffers that hold next to nothing,
 * so that every call is cut short somewhere. */
static void test_bulk_both_ways(void **state)
{
	enum {
		TOTAL = 700 * 1000
	};
	struct tls_setup s;
	size_t sent[2] = { 0, 0 };
	struct peer *peers[2];
	char block[10 * 1000];

	(void)state;
	tls_set_up_pair(&s, true);
	tls_start_and_wait(&s);
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
	tls_tear_down(&s);
}

static void test_one_byte_at_a_time(void **state)
{
	int left[2];
	int right[2];
	struct tls_setup s;

	(void)state;
	tls_set_up_ctx(&s);
	fixture_pair(left, false);
	fixture_pair(right, false);
	peer_open(&s.server, s.loop, left[0]);
	peer_open(&s.client, s.loop, right[0]);
	s.server.echoes = true;
	tls_start(&s, FIXTURE_NAME);
	assert_int_equal(conn_write(s.client.conn, SLICE_LIT("echo this")), GP_OK);
	for (unsigned i = 0; i < 20000 && s.client.got.len < 9; i++) {
		fixture_dribble(left[1], right[1]);
		fixture_dribble(right[1], left[1]);
		loop_turn(s.loop);
	}
	assert_true(slice_is(buf_slice(&s.client.got), "echo this"));
	(void)close(left[1]);
	(void)close(right[1]);
	tls_tear_down(&s);
}

static void test_pause_holds_what_tls_has_inside(void **state)
{
	struct tls_setup s;
	char block[40 * 1000] = { 0 };

	(void)state;
	tls_set_up_pair(&s, false);
	tls_start_and_wait(&s);
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
	tls_tear_down(&s);
}

/* OpenSSL takes some 17 of these from the socket at once: the fourth time it takes the last of
 * them, and those are more than the cap of the input by one and a half. */
enum {
	RECORDS = 67
};

/* Fills the server's end with records of 1000 bytes while it does not read. */
static void fill_with_records(struct tls_setup *s, unsigned count)
{
	char record[1000] = { 0 };

	tls_start_and_wait(s);
	conn_pause(s->server.conn);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(
			conn_write(s->client.conn, slice_of(record, sizeof record)), GP_OK);
		fixture_turns(s->loop, 2);
	}
	assert_int_equal(conn_output_len(s->client.conn), 0);
}

/* More than one helping, and its end is inside TLS when the socket has nothing more to say. */
static void test_all_is_read_though_the_socket_is_silent(void **state)
{
	struct tls_setup s;

	(void)state;
	tls_set_up_pair(&s, false);
	fill_with_records(&s, RECORDS);
	conn_resume(s.server.conn);
	fixture_until_got(s.loop, &s.server, RECORDS * 1000);
	tls_tear_down(&s);
}

static void test_room_wakes_what_tls_has_inside(void **state)
{
	struct tls_setup s;

	(void)state;
	tls_set_up_pair(&s, false);
	s.server.keeps_input = true;
	fill_with_records(&s, RECORDS);
	conn_resume(s.server.conn);
	fixture_turns(s.loop, 20);
	assert_int_equal(conn_input(s.server.conn).len, FIXTURE_CAP);
	s.server.keeps_input = false;
	conn_consume(s.server.conn, FIXTURE_CAP);
	fixture_until_got(s.loop, &s.server, RECORDS * 1000 - FIXTURE_CAP);
	tls_tear_down(&s);
}

static void pause_with_rest(struct peer *peer)
{
	conn_consume(peer->conn, 2);
	conn_pause(peer->conn);
}

/* Input and goodbye come in one helping; the goodbye waits for an owner that thinks. */
static void test_end_waits_for_an_owner_that_paused_in_on_input(void **state)
{
	struct tls_setup s;

	(void)state;
	tls_set_up_pair(&s, false);
	tls_start_and_wait(&s);
	s.server.on_input = pause_with_rest;
	conn_pause(s.server.conn);
	assert_int_equal(conn_write(s.client.conn, SLICE_LIT("a\nb\n")), GP_OK);
	conn_finish(s.client.conn);
	fixture_turns(s.loop, 5);
	conn_resume(s.server.conn);
	fixture_until(s.loop, &s.server.inputs, 1);
	fixture_turns(s.loop, 5);
	assert_int_equal(s.server.closed, 0);
	assert_true(slice_is(conn_input(s.server.conn), "b\n"));
	conn_resume(s.server.conn);
	fixture_until(s.loop, &s.server.inputs, 2);
	conn_resume(s.server.conn);
	fixture_until(s.loop, &s.server.closed, 1);
	assert_int_equal(s.server.end, CONN_END_EOF);
	tls_tear_down(&s);
}

static void test_write_to_a_closed_peer_is_no_signal(void **state)
{
	char block[8192] = { 0 };
	struct tls_setup s;

	(void)state;
	tls_set_up_pair(&s, false);
	tls_start_and_wait(&s);
	fixture_turns(s.loop, 5);
	conn_free(&s.client.conn);
	assert_int_equal(conn_write(s.server.conn, slice_of(block, sizeof block)), GP_OK);
	fixture_until(s.loop, &s.server.closed, 1);
	assert_int_equal(s.server.end, CONN_END_RESET);
	buf_fini(&s.client.got);
	tls_tear_down(&s);
}

static void test_end_without_close_notify(void **state)
{
	struct tls_setup s;

	(void)state;
	tls_set_up_pair(&s, false);
	tls_start_and_wait(&s);
	/* Closing with the session ticket unread would be a reset. */
	fixture_turns(s.loop, 5);
	conn_free(&s.client.conn);
	fixture_until(s.loop, &s.server.closed, 1);
	assert_int_equal(s.server.end, CONN_END_EOF);
	buf_fini(&s.client.got);
	tls_tear_down(&s);
}

static void test_broken_record(void **state)
{
	int left[2];
	int right[2];
	struct tls_setup s;
	char bytes[4096];

	(void)state;
	tls_set_up_ctx(&s);
	fixture_pair(left, false);
	fixture_pair(right, false);
	peer_open(&s.server, s.loop, left[0]);
	peer_open(&s.client, s.loop, right[0]);
	tls_start(&s, FIXTURE_NAME);
	for (unsigned i = 0; i < 20000 && s.server.tls + s.client.tls < 2; i++) {
		fixture_dribble(left[1], right[1]);
		fixture_dribble(right[1], left[1]);
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
	tls_tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_sides),
		cmocka_unit_test(test_finish_says_goodbye),
		cmocka_unit_test(test_bulk_both_ways),
		cmocka_unit_test(test_one_byte_at_a_time),
		cmocka_unit_test(test_pause_holds_what_tls_has_inside),
		cmocka_unit_test(test_all_is_read_though_the_socket_is_silent),
		cmocka_unit_test(test_room_wakes_what_tls_has_inside),
		cmocka_unit_test(test_write_to_a_closed_peer_is_no_signal),
		cmocka_unit_test(test_end_waits_for_an_owner_that_paused_in_on_input),
		cmocka_unit_test(test_end_without_close_notify),
		cmocka_unit_test(test_broken_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
