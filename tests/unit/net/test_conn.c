/* SPDX-License-Identifier: ISC */
/* Connections without TLS: buffers, back-pressure, and every way to end. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rand.h"
#include "net_fixture.h"

struct setup {
	struct loop *loop;
	struct peer peer;
	int raw; /* the other end */
};

static void set_up(struct setup *s, bool small_buffers)
{
	int fds[2];

	*s = (struct setup){ .loop = loop_new() };
	fixture_pair(fds, small_buffers);
	peer_open(&s->peer, s->loop, fds[0]);
	s->raw = fds[1];
}

static void tear_down(struct setup *s)
{
	peer_close(&s->peer);
	if (s->raw >= 0)
		(void)close(s->raw);
	loop_free(&s->loop);
}

static void raw_send(struct setup *s, struct slice bytes)
{
	assert_int_equal(send(s->raw, bytes.data, bytes.len, MSG_NOSIGNAL), bytes.len);
}

/* Reads and checks what must be there now. */
static void raw_expect(struct setup *s, const char *text)
{
	char got[256];
	ssize_t n = recv(s->raw, got, sizeof got, 0);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static void raw_expect_eof(struct setup *s)
{
	char byte;

	assert_int_equal(recv(s->raw, &byte, 1, 0), 0);
}

static void raw_close(struct setup *s)
{
	(void)close(s->raw);
	s->raw = -1;
}

static void test_writes_of_one_turn_leave_together(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s, false);
	s.peer.echoes = true;
	raw_send(&s, SLICE_LIT("x"));
	assert_int_equal(conn_write(s.peer.conn, SLICE_LIT("hello ")), GP_OK);
	assert_int_equal(conn_write(s.peer.conn, SLICE_LIT("world ")), GP_OK);
	assert_int_equal(conn_output_len(s.peer.conn), 12);
	fixture_until(s.loop, &s.peer.drained, 1);
	assert_int_equal(conn_output_len(s.peer.conn), 0);
	raw_expect(&s, "hello world x");
	tear_down(&s);
}

static void test_one_byte_at_a_time(void **state)
{
	static const char text[] = "EHLO client.example.test\r\n";
	struct setup s;

	(void)state;
	set_up(&s, false);
	s.peer.keeps_input = true;
	for (size_t i = 0; i < sizeof text - 1; i++) {
		raw_send(&s, slice_of(text + i, 1));
		fixture_until(s.loop, &s.peer.inputs, (unsigned)i + 1);
		assert_true(slice_equal(conn_input(s.peer.conn), slice_of(text, i + 1)));
	}
	conn_consume(s.peer.conn, 5);
	assert_true(slice_is(conn_input(s.peer.conn), "client.example.test\r\n"));
	tear_down(&s);
}

static void test_output_cap_takes_all_or_nothing(void **state)
{
	char *block = mem_new(FIXTURE_CAP, 1);
	struct setup s;
	size_t before;

	(void)state;
	set_up(&s, true);
	memset(block, 'o', FIXTURE_CAP);
	/* Straight into the kernel until that is full, the rest into the buffer. */
	assert_int_equal(conn_write(s.peer.conn, slice_of(block, FIXTURE_CAP)), GP_OK);
	before = conn_output_len(s.peer.conn);
	assert_in_range(before, 1, FIXTURE_CAP - 1);
	assert_int_equal(
		conn_write(s.peer.conn, slice_of(block, FIXTURE_CAP - before + 1)), GP_ERR_LIMIT);
	assert_int_equal(conn_output_len(s.peer.conn), before);
	assert_int_equal(conn_write(s.peer.conn, slice_of(block, FIXTURE_CAP - before)), GP_OK);
	assert_int_equal(conn_output_len(s.peer.conn), FIXTURE_CAP);
	fixture_turns(s.loop, 5);
	assert_int_equal(s.peer.drained, 0);
	for (unsigned i = 0; i < 1000 && s.peer.drained < 1; i++) {
		(void)!recv(s.raw, block, 1024, 0);
		loop_turn(s.loop);
	}
	/* The first call comes at the low-water mark, not only when all is gone. */
	assert_in_range(conn_output_len(s.peer.conn), 1, CONN_HIGH_WATER / 2);
	for (unsigned i = 0; i < 1000 && s.peer.drained < 2; i++) {
		(void)!recv(s.raw, block, 1024, 0);
		loop_turn(s.loop);
	}
	assert_int_equal(conn_output_len(s.peer.conn), 0);
	mem_free(block);
	tear_down(&s);
}

static void test_input_cap_rests_the_socket(void **state)
{
	char *block = mem_new(FIXTURE_CAP, 1);
	struct setup s;
	size_t sent = 0;

	(void)state;
	set_up(&s, false);
	s.peer.keeps_input = true;
	memset(block, 'i', FIXTURE_CAP);
	for (unsigned i = 0; i < 100; i++) {
		ssize_t n = send(s.raw, block, FIXTURE_CAP / 3, MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		loop_turn(s.loop);
	}
	assert_int_equal(conn_input(s.peer.conn).len, FIXTURE_CAP);
	assert_true(sent > FIXTURE_CAP);
	/* Room made outside of a callback wakes the socket again. */
	s.peer.inputs = 0;
	conn_consume(s.peer.conn, 1000);
	fixture_until(s.loop, &s.peer.inputs, 1);
	assert_int_equal(conn_input(s.peer.conn).len, FIXTURE_CAP);
	s.peer.keeps_input = false;
	conn_consume(s.peer.conn, 1);
	fixture_until_got(s.loop, &s.peer, sent - 1001);
	mem_free(block);
	tear_down(&s);
}

static void test_pause_holds_input_and_end(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s, false);
	conn_pause(s.peer.conn);
	raw_send(&s, SLICE_LIT("waits"));
	raw_close(&s);
	fixture_turns(s.loop, 10);
	assert_int_equal(s.peer.inputs, 0);
	assert_int_equal(s.peer.closed, 0);
	conn_resume(s.peer.conn);
	assert_int_equal(s.peer.inputs, 0);
	fixture_until(s.loop, &s.peer.closed, 1);
	assert_true(slice_is(buf_slice(&s.peer.got), "waits"));
	assert_int_equal(s.peer.end, CONN_END_EOF);
	tear_down(&s);
}

static void pause_with_rest(struct peer *peer)
{
	conn_consume(peer->conn, 2);
	conn_pause(peer->conn);
}

static void test_end_waits_for_an_owner_that_paused_in_on_input(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s, false);
	s.peer.on_input = pause_with_rest;
	raw_send(&s, SLICE_LIT("a\nb\n"));
	raw_close(&s);
	fixture_turns(s.loop, 10);
	assert_int_equal(s.peer.inputs, 1);
	assert_int_equal(s.peer.closed, 0);
	conn_resume(s.peer.conn);
	fixture_turns(s.loop, 10);
	assert_int_equal(s.peer.inputs, 2);
	assert_int_equal(s.peer.closed, 0);
	conn_resume(s.peer.conn);
	fixture_until(s.loop, &s.peer.closed, 1);
	assert_int_equal(s.peer.end, CONN_END_EOF);
	tear_down(&s);
}

static void test_answer_goes_out_to_a_peer_that_shut_its_side(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s, false);
	s.peer.echoes = true;
	raw_send(&s, SLICE_LIT("QUIT\r\n"));
	assert_int_equal(shutdown(s.raw, SHUT_WR), 0);
	fixture_until(s.loop, &s.peer.closed, 1);
	raw_expect(&s, "QUIT\r\n");
	assert_int_equal(conn_write(s.peer.conn, SLICE_LIT("late")), GP_ERR_CLOSED);
	tear_down(&s);
}

static void test_reset(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s, false);
	assert_int_equal(conn_write(s.peer.conn, SLICE_LIT("unread")), GP_OK);
	fixture_until(s.loop, &s.peer.drained, 1);
	/* Closing with bytes unread resets the stream. */
	raw_close(&s);
	fixture_until(s.loop, &s.peer.closed, 1);
	assert_int_equal(s.peer.end, CONN_END_RESET);
	fixture_turns(s.loop, 10);
	assert_int_equal(s.peer.closed, 1);
	tear_down(&s);
}

static void test_write_to_a_closed_peer_is_no_signal(void **state)
{
	char *block = mem_new(FIXTURE_CAP, 1);
	struct setup s;

	(void)state;
	set_up(&s, false);
	raw_close(&s);
	/* Fails inside the call; the owner hears of it from the loop. */
	assert_int_equal(conn_write(s.peer.conn, slice_of(block, FIXTURE_CAP)), GP_OK);
	assert_int_equal(s.peer.closed, 0);
	fixture_until(s.loop, &s.peer.closed, 1);
	assert_int_equal(s.peer.end, CONN_END_RESET);
	mem_free(block);
	tear_down(&s);
}

/* One turn for a peer that says a line and goes. */
static void test_last_bytes_and_end_are_read_at_once(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s, false);
	raw_send(&s, SLICE_LIT("QUIT\r\n"));
	raw_close(&s);
	loop_turn(s.loop);
	assert_true(slice_is(buf_slice(&s.peer.got), "QUIT\r\n"));
	assert_int_equal(s.peer.closed, 1);
	assert_int_equal(s.peer.end, CONN_END_EOF);
	tear_down(&s);
}

/* More than one helping before the end. */
static void test_end_comes_after_all_that_was_sent(void **state)
{
	char block[100 * 1000] = { 0 };
	struct setup s;

	(void)state;
	set_up(&s, false);
	raw_send(&s, slice_of(block, sizeof block));
	raw_close(&s);
	loop_turn(s.loop);
	assert_int_equal(s.peer.closed, 0);
	fixture_until(s.loop, &s.peer.closed, 1);
	assert_int_equal(s.peer.got.len, sizeof block);
	tear_down(&s);
}

static void say_two(struct peer *peer)
{
	assert_int_equal(conn_write(peer->conn, SLICE_LIT("2")), GP_OK);
}

static void say_one(struct peer *peer)
{
	conn_consume(peer->conn, conn_input(peer->conn).len);
	assert_int_equal(conn_write(peer->conn, SLICE_LIT("1")), GP_OK);
	peer->on_drained = say_two;
}

/* The peer has said all, and listens still to an owner that goes on when there is room. */
static void test_end_waits_for_what_is_said_when_there_is_room(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s, false);
	s.peer.on_input = say_one;
	raw_send(&s, SLICE_LIT("QUIT\r\n"));
	assert_int_equal(shutdown(s.raw, SHUT_WR), 0);
	fixture_until(s.loop, &s.peer.closed, 1);
	raw_expect(&s, "12");
	tear_down(&s);
}

/* While finishing, neither more bytes nor an old errno are the end. */
static void test_finishing_hears_the_end_and_nothing_else(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s, false);
	conn_finish(s.peer.conn);
	fixture_turns(s.loop, 2);
	raw_send(&s, SLICE_LIT("still here"));
	errno = ECONNRESET;
	loop_turn(s.loop);
	assert_int_equal(s.peer.closed, 0);
	raw_send(&s, SLICE_LIT("bye"));
	raw_close(&s);
	loop_turn(s.loop);
	assert_int_equal(s.peer.closed, 1);
	tear_down(&s);
}

static void test_finish_sends_all_then_waits_for_the_peer(void **state)
{
	char *block = mem_new(FIXTURE_CAP, 1);
	struct setup s;
	size_t total = 0;
	ssize_t n = 0;

	(void)state;
	set_up(&s, true);
	assert_int_equal(conn_write(s.peer.conn, slice_of(block, FIXTURE_CAP)), GP_OK);
	assert_true(conn_output_len(s.peer.conn) > 0);
	conn_finish(s.peer.conn);
	assert_int_equal(conn_write(s.peer.conn, SLICE_LIT("late")), GP_ERR_CLOSED);
	raw_send(&s, SLICE_LIT("of no interest"));
	for (unsigned i = 0; i < 10000 && (n = recv(s.raw, block, 4096, 0)) != 0; i++) {
		total += n > 0 ? (size_t)n : 0;
		loop_turn(s.loop);
	}
	assert_int_equal(total, FIXTURE_CAP);
	raw_expect_eof(&s);
	fixture_turns(s.loop, 10);
	assert_int_equal(s.peer.closed, 0);
	raw_close(&s);
	fixture_until(s.loop, &s.peer.closed, 1);
	assert_int_equal(s.peer.end, CONN_END_EOF);
	assert_int_equal(s.peer.inputs, 0);
	mem_free(block);
	tear_down(&s);
}

static void test_finish_of_a_paused_one(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s, false);
	conn_pause(s.peer.conn);
	raw_send(&s, SLICE_LIT("unheard"));
	assert_int_equal(conn_write(s.peer.conn, SLICE_LIT("bye")), GP_OK);
	conn_finish(s.peer.conn);
	fixture_turns(s.loop, 5);
	raw_expect(&s, "bye");
	raw_expect_eof(&s);
	raw_close(&s);
	fixture_until(s.loop, &s.peer.closed, 1);
	assert_int_equal(s.peer.end, CONN_END_EOF);
	tear_down(&s);
}

static void test_free_sends_nothing_more(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s, false);
	assert_int_equal(conn_write(s.peer.conn, SLICE_LIT("lost")), GP_OK);
	conn_free(&s.peer.conn);
	raw_expect_eof(&s);
	tear_down(&s);
}

static void free_in_callback(struct peer *peer)
{
	conn_free(&peer->conn);
}

static void test_free_inside_a_callback(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s, false);
	s.peer.on_input = free_in_callback;
	raw_send(&s, SLICE_LIT("x"));
	fixture_until(s.loop, &s.peer.inputs, 1);
	fixture_turns(s.loop, 5);
	assert_null(s.peer.conn);
	assert_int_equal(s.peer.closed, 0);
	raw_expect_eof(&s);
	tear_down(&s);
}

static void test_deadline(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s, false);
	conn_set_deadline(s.peer.conn, 1);
	conn_set_deadline(s.peer.conn, 0);
	conn_set_deadline(s.peer.conn, 1);
	for (unsigned i = 0; i < 1000000 && s.peer.closed == 0; i++)
		loop_turn(s.loop);
	assert_int_equal(s.peer.closed, 1);
	assert_int_equal(s.peer.end, CONN_END_TIMEOUT);
	tear_down(&s);
}

/* Red zones of a sanitized build are read over. */
__attribute__((no_sanitize_address)) static bool is_in_memory(
	const char *from, const char *to, const char *bytes, size_t len)
{
	for (; from + len <= to; from++) {
		size_t same = 0;

		while (same < len && from[same] == bytes[same])
			same++;
		if (same == len)
			return true;
	}
	return false;
}

/* Passwords arrive here: once consumed they are nowhere in the program's own data. */
static void test_what_was_received_is_wiped(void **state)
{
	extern char __bss_start;
	extern char _end;
	char *bytes = mem_new(32, 1);
	struct setup s;

	(void)state;
	set_up(&s, false);
	rand_bytes(bytes, 32);
	raw_send(&s, slice_of(bytes, 32));
	fixture_until(s.loop, &s.peer.inputs, 1);
	assert_true(slice_equal(buf_slice(&s.peer.got), slice_of(bytes, 32)));
	assert_false(is_in_memory(&__bss_start, &_end, bytes, 32));
	mem_free(bytes);
	tear_down(&s);
}

static void hand_over(struct peer *peer)
{
	struct peer *heir = peer->context;

	conn_consume(peer->conn, 6);
	conn_set_owner(peer->conn, &peer_ops, heir, 16, FIXTURE_CAP);
}

static void test_new_owner_sees_what_waits(void **state)
{
	struct peer heir = { .keeps_input = true };
	struct setup s;

	(void)state;
	set_up(&s, false);
	s.peer.on_input = hand_over;
	s.peer.context = &heir;
	raw_send(&s, SLICE_LIT("login\nmore than the cap of the heir"));
	fixture_until(s.loop, &heir.inputs, 1);
	assert_int_equal(s.peer.inputs, 1);
	assert_true(slice_is(conn_input(s.peer.conn), "more than the cap of the heir"));
	/* Its own cap holds from now on. */
	conn_consume(s.peer.conn, conn_input(s.peer.conn).len);
	raw_send(&s, SLICE_LIT("0123456789abcdef0123456789abcdef"));
	fixture_until(s.loop, &heir.inputs, 2);
	fixture_turns(s.loop, 5);
	assert_in_range(conn_input(s.peer.conn).len, 16, 29);
	raw_close(&s);
	conn_consume(s.peer.conn, conn_input(s.peer.conn).len);
	heir.keeps_input = false;
	buf_init(&heir.got, 64);
	fixture_until(s.loop, &heir.closed, 1);
	assert_int_equal(s.peer.closed, 0);
	buf_fini(&heir.got);
	tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_of_one_turn_leave_together),
		cmocka_unit_test(test_one_byte_at_a_time),
		cmocka_unit_test(test_output_cap_takes_all_or_nothing),
		cmocka_unit_test(test_input_cap_rests_the_socket),
		cmocka_unit_test(test_pause_holds_input_and_end),
		cmocka_unit_test(test_end_waits_for_an_owner_that_paused_in_on_input),
		cmocka_unit_test(test_answer_goes_out_to_a_peer_that_shut_its_side),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_write_to_a_closed_peer_is_no_signal),
		cmocka_unit_test(test_last_bytes_and_end_are_read_at_once),
		cmocka_unit_test(test_end_comes_after_all_that_was_sent),
		cmocka_unit_test(test_end_waits_for_what_is_said_when_there_is_room),
		cmocka_unit_test(test_finishing_hears_the_end_and_nothing_else),
		cmocka_unit_test(test_finish_sends_all_then_waits_for_the_peer),
		cmocka_unit_test(test_finish_of_a_paused_one),
		cmocka_unit_test(test_free_sends_nothing_more),
		cmocka_unit_test(test_free_inside_a_callback),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_what_was_received_is_wiped),
		cmocka_unit_test(test_new_owner_sees_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
