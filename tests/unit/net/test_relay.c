/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mem.h"
#include "net/relay.h"
#include "net_fixture.h"

enum {
	BULK = 50 * 1000 * 1000,
	PERIOD = 65521, /* of the pattern: prime, so that no buffer size hides a shift */
	IDLE_MS = 60 * 1000,
};

struct setup {
	struct loop *loop;
	struct relay *relay;
	struct peer client; /* owner until the relay takes over */
	struct peer backend;
	struct conn *client_conn; /* borrowed, to look at */
	struct conn *backend_conn;
	int client_fd; /* the outer ends */
	int backend_fd;
	unsigned ended;
};

static void on_end(struct relay *relay, void *owner)
{
	struct setup *s = owner;

	assert_ptr_equal(relay, s->relay);
	s->ended++;
	relay_free(&s->relay);
}

static void set_up_conns(struct setup *s, bool slow_client)
{
	int fds[2];

	*s = (struct setup){ .loop = loop_new() };
	fixture_pair(fds, slow_client);
	peer_open(&s->client, s->loop, fds[0]);
	s->client_fd = fds[1];
	fixture_pair(fds, false);
	peer_open(&s->backend, s->loop, fds[0]);
	s->backend_fd = fds[1];
	s->client_conn = s->client.conn;
	s->backend_conn = s->backend.conn;
}

static void start(struct setup *s, const struct relay_filter *from_client,
	const struct relay_filter *from_backend, int64_t idle_ms)
{
	s->relay = relay_new(s->loop, &s->client.conn, &s->backend.conn, from_client, from_backend,
		idle_ms, on_end, s);
	assert_null(s->client.conn);
	assert_null(s->backend.conn);
}

static void set_up(struct setup *s)
{
	set_up_conns(s, false);
	start(s, NULL, NULL, IDLE_MS);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void tear_down(struct setup *s)
{
	relay_free(&s->relay);
	close_fd(&s->client_fd);
	close_fd(&s->backend_fd);
	peer_close(&s->client);
	peer_close(&s->backend);
	loop_free(&s->loop);
}

static void put(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void expect(struct setup *s, int fd, const char *text)
{
	char got[256];
	size_t len = 0;

	for (unsigned i = 0; i < 100 && len < strlen(text); i++) {
		ssize_t n = recv(fd, got + len, sizeof got - len, 0);

		len += n > 0 ? (size_t)n : 0;
		loop_turn(s->loop);
	}
	assert_int_equal(len, strlen(text));
	assert_memory_equal(got, text, len);
}

static void expect_eof(struct setup *s, int fd)
{
	char byte;
	ssize_t n = -1;

	for (unsigned i = 0; i < 100 && n < 0; i++) {
		loop_turn(s->loop);
		n = recv(fd, &byte, 1, 0);
	}
	assert_int_equal(n, 0);
}

/* One end of a bulk transfer: writes the pattern, reads it back from the other end. */
struct stream {
	int from;
	int to;
	size_t sent;
	size_t received;
};

static void stream_turn(struct stream *stream, const char *pattern, size_t reading)
{
	static char got[64 * 1024];
	size_t at = stream->sent % PERIOD;
	size_t left = BULK - stream->sent;
	ssize_t n = left > 0 ? send(stream->from, pattern + at, left < PERIOD ? left : PERIOD,
				       MSG_NOSIGNAL)
			     : 0;

	stream->sent += n > 0 ? (size_t)n : 0;
	n = recv(stream->to, got, reading, 0);
	if (n > 0) {
		assert_memory_equal(got, pattern + stream->received % PERIOD, (size_t)n);
		stream->received += (size_t)n;
	}
}

static char *make_pattern(void)
{
	char *pattern = mem_new(2, PERIOD + 64 * 1024);

	for (size_t i = 0; i < 2 * (PERIOD + 64 * 1024); i++)
		pattern[i] = (char)(i % PERIOD * 31 % 253);
	return pattern;
}

static void test_bulk_both_ways_with_a_slow_sink(void **state)
{
	char *pattern = make_pattern();
	struct setup s;
	struct stream up;
	struct stream down;
	size_t most = 0;

	(void)state;
	set_up(&s);
	up = (struct stream){ .from = s.client_fd, .to = s.backend_fd };
	down = (struct stream){ .from = s.backend_fd, .to = s.client_fd };
	for (unsigned i = 0; i < 1000000 && (up.received < BULK || down.received < BULK); i++) {
		/* The client reads in small sips, and sometimes not at all. */
		stream_turn(&up, pattern, 64 * 1024);
		stream_turn(&down, pattern, i % 64 < 16 ? 0 : 7777);
		loop_turn(s.loop);
		if (conn_output_len(s.client_conn) > most)
			most = conn_output_len(s.client_conn);
		assert_in_range(conn_input(s.backend_conn).len, 0, RELAY_BUFFER);
	}
	assert_int_equal(up.received, BULK);
	assert_int_equal(down.received, BULK);
	/* The sink was slow, and what waited for it stayed within the buffer. */
	assert_in_range(most, CONN_HIGH_WATER / 2, RELAY_BUFFER);
	assert_int_equal(relay_totals(s.relay).client_bytes, BULK);
	assert_int_equal(relay_totals(s.relay).backend_bytes, BULK);
	mem_free(pattern);
	tear_down(&s);
}

static void test_slow_sink_stops_its_source_only(void **state)
{
	char *pattern = make_pattern();
	struct setup s;
	size_t taken = 0;

	(void)state;
	set_up(&s);
	for (unsigned i = 0; i < 1000; i++) {
		ssize_t n = send(s.backend_fd, pattern, PERIOD, MSG_NOSIGNAL);

		taken += n > 0 ? (size_t)n : 0;
		loop_turn(s.loop);
	}
	/* Two buffers of ours and four of the kernel's. */
	assert_in_range(taken, RELAY_BUFFER, 2 * 1000 * 1000);
	assert_true(relay_totals(s.relay).backend_bytes < taken);
	put(s.client_fd, "a2 NOOP\r\n");
	expect(&s, s.backend_fd, "a2 NOOP\r\n");
	mem_free(pattern);
	tear_down(&s);
}

static void test_input_before_the_relay_is_carried(void **state)
{
	struct setup s;

	(void)state;
	set_up_conns(&s, false);
	s.client.keeps_input = true;
	put(s.client_fd, "a1 SELECT inbox\r\n");
	fixture_until(s.loop, &s.client.inputs, 1);
	conn_pause(s.client.conn);
	conn_set_deadline(s.client.conn, 1);
	start(&s, NULL, NULL, IDLE_MS);
	expect(&s, s.backend_fd, "a1 SELECT inbox\r\n");
	/* The sign-in's deadline does not end what follows it. */
	for (unsigned i = 0; i < 50000; i++)
		loop_turn(s.loop);
	put(s.backend_fd, "a1 OK\r\n");
	expect(&s, s.client_fd, "a1 OK\r\n");
	tear_down(&s);
}

static void test_slow_client_gets_all_of_a_closed_backend(void **state)
{
	char *pattern = make_pattern();
	struct setup s;
	size_t sent = 0;
	size_t received = 0;
	ssize_t n = -1;

	(void)state;
	set_up_conns(&s, true);
	start(&s, NULL, NULL, IDLE_MS);
	for (unsigned i = 0; i < 1000; i++) {
		n = send(s.backend_fd, pattern + sent % PERIOD, 10 * 1000, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		loop_turn(s.loop);
	}
	assert_true(sent > RELAY_BUFFER);
	close_fd(&s.backend_fd);
	fixture_turns(s.loop, 100);
	for (unsigned i = 0; i < 100000 && n != 0; i++) {
		char got[4096];

		n = recv(s.client_fd, got, sizeof got, 0);
		if (n > 0) {
			assert_memory_equal(got, pattern + received % PERIOD, (size_t)n);
			received += (size_t)n;
		}
		loop_turn(s.loop);
	}
	assert_int_equal(received, sent);
	mem_free(pattern);
	tear_down(&s);
}

static void test_backend_closing_still_delivers(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s);
	put(s.backend_fd, "* BYE\r\na9 OK\r\n");
	close_fd(&s.backend_fd);
	expect(&s, s.client_fd, "* BYE\r\na9 OK\r\n");
	expect_eof(&s, s.client_fd);
	assert_int_equal(s.ended, 0);
	close_fd(&s.client_fd);
	fixture_until(s.loop, &s.ended, 1);
	assert_null(s.relay);
	tear_down(&s);
}

static void test_client_gone(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s);
	put(s.client_fd, "a3 STORE 1 +FLAGS (\\Seen)\r\n");
	close_fd(&s.client_fd);
	expect(&s, s.backend_fd, "a3 STORE 1 +FLAGS (\\Seen)\r\n");
	expect_eof(&s, s.backend_fd);
	close_fd(&s.backend_fd);
	fixture_until(s.loop, &s.ended, 1);
	fixture_turns(s.loop, 5);
	assert_int_equal(s.ended, 1);
	tear_down(&s);
}

static void test_finish_with_last_words(void **state)
{
	struct setup s;

	(void)state;
	set_up(&s);
	relay_finish(s.relay, SLICE_LIT("* BYE blocked\r\n"));
	assert_int_equal(s.ended, 0);
	put(s.backend_fd, "late\r\n");
	expect(&s, s.client_fd, "* BYE blocked\r\n");
	expect_eof(&s, s.client_fd);
	expect_eof(&s, s.backend_fd);
	close_fd(&s.client_fd);
	close_fd(&s.backend_fd);
	fixture_until(s.loop, &s.ended, 1);
	tear_down(&s);
}

static void test_last_words_do_not_cut_into_a_reply(void **state)
{
	char *pattern = make_pattern();
	struct setup s;
	size_t total = 0;
	ssize_t n = -1;
	char last = '\0';

	(void)state;
	set_up(&s);
	for (unsigned i = 0; i < 1000 && conn_output_len(s.client_conn) == 0; i++) {
		(void)!send(s.backend_fd, pattern, PERIOD, MSG_NOSIGNAL);
		loop_turn(s.loop);
	}
	assert_true(conn_output_len(s.client_conn) > 0);
	relay_finish(s.relay, SLICE_LIT("* BYE blocked\r\n"));
	for (unsigned i = 0; i < 10000 && n != 0; i++) {
		char got[4096];

		n = recv(s.client_fd, got, sizeof got, 0);
		if (n > 0) {
			total += (size_t)n;
			last = got[n - 1];
		}
		loop_turn(s.loop);
	}
	assert_int_equal(n, 0);
	assert_int_equal(last, pattern[(total - 1) % PERIOD]);
	mem_free(pattern);
	tear_down(&s);
}

static void test_idle(void **state)
{
	struct setup s;

	(void)state;
	set_up_conns(&s, false);
	start(&s, NULL, NULL, 4);
	for (unsigned i = 0; i < 1000000 && s.ended == 0; i++) {
		char byte;

		loop_turn(s.loop);
		if (s.client_fd >= 0 && recv(s.client_fd, &byte, 1, 0) == 0) {
			close_fd(&s.client_fd);
			close_fd(&s.backend_fd);
		}
	}
	assert_int_equal(s.ended, 1);
	tear_down(&s);
}

/* Doubles each 'x', swallows each 'y', and gives up at 'z'. */
static bool filter_pass(void *state, struct slice bytes, struct buf *out)
{
	unsigned *calls = state;

	(*calls)++;
	for (size_t i = 0; i < bytes.len; i++) {
		char byte = bytes.data[i];

		if (byte == 'z')
			return false;
		if (byte != 'y' && buf_append_byte(out, byte) != GP_OK)
			return false;
		if (byte == 'x' && buf_append_byte(out, byte) != GP_OK)
			return false;
	}
	return true;
}

static void test_filters(void **state)
{
	unsigned calls[2] = { 0, 0 };
	const struct relay_filter from_client = { filter_pass, &calls[0] };
	const struct relay_filter from_backend = { filter_pass, &calls[1] };
	struct setup s;

	(void)state;
	set_up_conns(&s, false);
	start(&s, &from_client, &from_backend, IDLE_MS);
	put(s.client_fd, "axbyc");
	expect(&s, s.backend_fd, "axxbc");
	put(s.backend_fd, "yyxy");
	expect(&s, s.client_fd, "xx");
	assert_int_equal(calls[0], 1);
	assert_int_equal(calls[1], 1);
	assert_int_equal(relay_totals(s.relay).client_bytes, 5);
	put(s.client_fd, "oh z");
	expect_eof(&s, s.client_fd);
	expect_eof(&s, s.backend_fd);
	tear_down(&s);
}

static void test_filter_that_adds_much_to_a_slow_sink(void **state)
{
	unsigned calls = 0;
	const struct relay_filter filter = { filter_pass, &calls };
	struct setup s;
	char *block = mem_new(RELAY_BUFFER, 1);
	size_t sent = 0;
	size_t received = 0;

	(void)state;
	memset(block, 'x', RELAY_BUFFER);
	set_up_conns(&s, false);
	start(&s, NULL, &filter, IDLE_MS);
	for (unsigned i = 0; i < 20000 && (sent < 2 * 1000 * 1000 || received < 2 * sent); i++) {
		ssize_t n = 0;

		if (sent < 2 * 1000 * 1000)
			n = send(s.backend_fd, block, 50 * 1000, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		loop_turn(s.loop);
		n = recv(s.client_fd, block, i % 8 == 0 ? 9999 : 0, 0);
		received += n > 0 ? (size_t)n : 0;
		assert_in_range(conn_output_len(s.client_conn), 0, 2 * RELAY_BUFFER);
	}
	assert_int_equal(s.ended, 0);
	assert_int_equal(received, 2 * sent);
	mem_free(block);
	tear_down(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bulk_both_ways_with_a_slow_sink),
		cmocka_unit_test(test_slow_sink_stops_its_source_only),
		cmocka_unit_test(test_input_before_the_relay_is_carried),
		cmocka_unit_test(test_slow_client_gets_all_of_a_closed_backend),
		cmocka_unit_test(test_backend_closing_still_delivers),
		cmocka_unit_test(test_client_gone),
		cmocka_unit_test(test_finish_with_last_words),
		cmocka_unit_test(test_last_words_do_not_cut_into_a_reply),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_filter_that_adds_much_to_a_slow_sink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
