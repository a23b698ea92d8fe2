/* SPDX-License-Identifier: ISC */
/*
 * What leaves when, and in how many pieces: greetings before the handshake is over, its last
 * records, goodbyes.
 */
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mem.h"
#include "door.h"
#include "net/relay.h"

#define EARLY_TRY "a1 NOOP\r\n"

enum {
	RECORD_MAX = 16 * 1024
};

static void test_greeting_leaves_with_the_servers_part(void **state)
{
	struct door door;

	(void)state;
	door_open_and_greet(&door, FIXTURE_NAME);
	assert_true(door_shake(&door));
	assert_int_equal(asked.sends, 1);
	assert_int_equal(asked.gathered, 0);
	door_reads(&door, GREETING);
	assert_int_equal(door.server.tls, 0);
	assert_int_equal(conn_output_len(door.server.conn), 0);
	door_turn(&door);
	assert_int_equal(door.server.tls, 1);
	assert_string_equal(conn_tls_version(door.server.conn), "TLSv1.3");
	/* Nothing is left to say, so the client's last part is acknowledged by itself, once. */
	assert_int_equal(asked.sends, 1);
	assert_int_equal(asked.quick_acks, 1);
	door_check_echo(&door);
	assert_int_equal(asked.quick_acks, 1);
	door_close(&door);
}

static void test_nothing_leaves_early_that_was_not_allowed_to(void **state)
{
	struct door door;

	(void)state;
	door_open(&door, FIXTURE_NAME);
	assert_int_equal(conn_write(door.server.conn, SLICE_LIT("220 go\r\n")), GP_OK);
	assert_int_equal(conn_starttls_server(door.server.conn, door.ctx), GP_OK);
	door_turn(&door);
	assert_int_equal(recv(door.fd, (char[16]){ 0 }, 16, 0), strlen("220 go\r\n"));
	assert_int_equal(conn_write(door.server.conn, SLICE_LIT(GREETING)), GP_OK);
	assert_true(door_shake(&door));
	door_reads_nothing(&door);
	door_turn(&door);
	door_reads(&door, GREETING);
	assert_int_equal(asked.quick_acks, 0);
	door_close(&door);
}

/* What is allowed ends where conn_allow_early() was called. */
static void test_what_is_written_later_waits(void **state)
{
	struct door door;

	(void)state;
	door_open_and_greet(&door, FIXTURE_NAME);
	assert_int_equal(conn_write(door.server.conn, SLICE_LIT("later")), GP_OK);
	assert_true(door_shake(&door));
	door_reads(&door, GREETING);
	door_reads_nothing(&door);
	door_turn(&door);
	door_reads(&door, "later");
	door_close(&door);
}

static void test_early_is_one_record(void **state)
{
	char lines[RECORD_MAX + 10];
	char got[RECORD_MAX + 10];
	struct door door;
	size_t n = 0;

	(void)state;
	memset(lines, 'x', sizeof lines);
	door_open(&door, FIXTURE_NAME);
	door_greet_with(&door, slice_of(lines, sizeof lines));
	assert_true(door_shake(&door));
	assert_int_equal(SSL_read_ex(door.client, got, sizeof got, &n), 1);
	assert_int_equal(n, RECORD_MAX);
	door_reads_nothing(&door);
	door_turn(&door);
	door_reads(&door, "xxxxxxxxxx");
	door_close(&door);
}

/* There the server has the last word in the handshake, and the greeting goes with that. */
static void test_tls_1_2(void **state)
{
	struct door door;

	(void)state;
	door_open(&door, FIXTURE_NAME);
	assert_int_equal(SSL_set_max_proto_version(door.client, TLS1_2_VERSION), 1);
	door_greet(&door);
	assert_false(door_shake(&door));
	assert_int_equal(asked.sends, 1);
	door_turn(&door);
	assert_int_equal(asked.sends, 2);
	assert_true(door_shake(&door));
	door_reads(&door, GREETING);
	assert_string_equal(conn_tls_version(door.server.conn), "TLSv1.2");
	assert_int_equal(asked.quick_acks, 0);
	door_check_echo(&door);
	door_close(&door);
}

/* OpenSSL would send the greeting in plain, with the request for another hello. */
static void test_hello_retry(void **state)
{
	struct door door;

	(void)state;
	door_open(&door, FIXTURE_NAME);
	/* The first is offered a key for, and is not ours. */
	assert_int_equal(SSL_set1_groups_list(door.client, "P-521:P-256"), 1);
	door_greet(&door);
	assert_false(door_shake(&door));
	assert_int_equal(asked.sends, 1);
	assert_true(door_shake(&door));
	assert_int_equal(asked.sends, 2);
	door_reads_nothing(&door);
	door_turn(&door);
	door_reads(&door, GREETING);
	door_check_echo(&door);
	door_close(&door);
}

/* Its ticket is the last word, and acknowledges by itself. */
static void test_ticket_leaves_at_once(void **state)
{
	struct door door;

	(void)state;
	door_come_in(&door, RSA_NAME);
	door_turn(&door);
	assert_int_equal(asked.sends, 2);
	assert_int_equal(asked.gathered, 0);
	assert_int_equal(asked.quick_acks, 0);
	door_close(&door);
}

static void test_ticket_leaves_with_the_answer(void **state)
{
	struct door door;

	(void)state;
	door_open_and_greet(&door, RSA_NAME);
	assert_true(door_shake(&door));
	door_says(&door, "a1 NOOP\r\n");
	door_turn(&door);
	assert_int_equal(asked.sends, 2);
	door_reads(&door, GREETING);
	door_reads(&door, "a1 NOOP\r\n");
	door_close(&door);
}

static void test_command_that_comes_along_needs_no_acknowledgement(void **state)
{
	struct door door;

	(void)state;
	door_open_and_greet(&door, FIXTURE_NAME);
	door.server.echoes = false;
	assert_true(door_shake(&door));
	door_says(&door, "a1 LOGIN\r\n");
	door_turn(&door);
	assert_int_equal(door.server.inputs, 1);
	assert_int_equal(asked.quick_acks, 0);
	door_close(&door);
}

/* A client that resumes and sends a command with its hello all the same: the command is dropped
 * unread, the greeting leaves as ever. */
static void test_early_data_of_clients_are_refused(void **state)
{
	SSL_SESSION *session;
	struct door door;
	size_t n = 0;

	(void)state;
	door_open_and_greet(&door, RSA_NAME);
	assert_true(door_shake(&door));
	door_turn(&door);
	door_reads(&door, GREETING);
	door_reads_nothing(&door); /* but takes the ticket */
	session = SSL_get1_session(door.client);
	assert_true(SSL_SESSION_is_resumable(session));
	assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
	assert_int_equal(SSL_SESSION_set_max_early_data(session, 1000), 1);
	door_hang_up(&door);
	door_connect(&door, false);
	assert_int_equal(SSL_set_session(door.client, session), 1);
	door_greet(&door);
	assert_int_equal(SSL_write_early_data(door.client, EARLY_TRY, strlen(EARLY_TRY), &n), 1);
	door_turn(&door);
	assert_true(door_shake(&door));
	assert_int_equal(SSL_session_reused(door.client), 1);
	assert_int_equal(SSL_get_early_data_status(door.client), SSL_EARLY_DATA_REJECTED);
	door_reads(&door, GREETING);
	door_turn(&door);
	assert_int_equal(door.server.tls, 1);
	assert_int_equal(door.server.inputs, 0);
	door_check_echo(&door);
	SSL_SESSION_free(session);
	door_close(&door);
}

static void test_client_that_distrusts_us(void **state)
{
	struct door door;

	(void)state;
	door_open(&door, FIXTURE_NAME);
	SSL_set_verify(door.client, SSL_VERIFY_PEER, NULL);
	door_greet(&door);
	assert_false(door_shake(&door));
	door_turn(&door);
	assert_int_equal(door.server.closed, 1);
	assert_int_equal(door.server.end, CONN_END_TLS);
	assert_string_equal(conn_tls_error(door.server.conn), "tlsv1 alert unknown ca");
	assert_int_equal(door.server.tls, 0);
	door_close(&door);
}

/* The last that a client hears of a handshake that we end is why. */
static void test_alert_is_sent(void **state)
{
	struct door door;

	(void)state;
	door_open(&door, FIXTURE_NAME);
	assert_int_equal(SSL_set_max_proto_version(door.client, TLS1_2_VERSION), 1);
	assert_int_equal(SSL_set_cipher_list(door.client, "AES128-SHA"), 1);
	door_greet(&door);
	assert_false(door_shake(&door));
	assert_int_equal(asked.sends, 1);
	assert_int_equal(
		ERR_GET_REASON(ERR_peek_last_error()), SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE);
	assert_int_equal(door.server.end, CONN_END_TLS);
	door_close(&door);
}

/* From chains that are held whole to such that are sent while they are made, over sockets that
 * take next to nothing. */
static void check_chain(unsigned length, unsigned expected_early)
{
	struct door door;
	char got[256];
	size_t n = 0;
	bool is_done = false;

	door_open(&door, FIXTURE_NAME);
	door_hang_up(&door);
	tls_ctx_free(&door.ctx);
	door.ctx = door_ctx(FIXTURE_NAME, length);
	door_connect(&door, true);
	door_greet(&door);
	for (unsigned i = 0; i < 100 && !is_done; i++)
		is_done = door_shake(&door);
	assert_true(is_done);
	assert_int_equal(SSL_read_ex(door.client, got, sizeof got, &n), expected_early);
	door_turn(&door);
	if (expected_early == 0)
		door_reads(&door, GREETING);
	door_check_echo(&door);
	door_close(&door);
}

static void test_long_chains(void **state)
{
	(void)state;
	check_chain(1, 1);
	check_chain(20, 1);
	/* The room that is left is less than a record. */
	check_chain(60, 0);
	/* More than TLS_HELD_MAX. */
	check_chain(150, 0);
}

static void test_one_byte_at_a_time(void **state)
{
	int near[2];
	char got[256];
	size_t n = 0;
	struct door door;

	(void)state;
	door_open(&door, FIXTURE_NAME);
	fixture_pair(near, false);
	assert_int_equal(SSL_set_fd(door.client, near[0]), 1);
	door_greet(&door);
	for (unsigned i = 0; i < FIXTURE_TURNS && n == 0; i++) {
		fixture_dribble(near[1], door.fd);
		fixture_dribble(door.fd, near[1]);
		loop_turn(door.loop);
		if (SSL_read_ex(door.client, got, sizeof got, &n) != 1)
			n = 0;
	}
	assert_true(slice_is(slice_of(got, n), GREETING));
	(void)close(near[0]);
	(void)close(near[1]);
	door_close(&door);
}

static void test_last_words_and_goodbye_are_one_piece(void **state)
{
	struct door door;
	char byte;

	(void)state;
	door_come_in(&door, FIXTURE_NAME);
	door_turn(&door);
	assert_int_equal(conn_write(door.server.conn, SLICE_LIT("* BYE\r\n")), GP_OK);
	conn_finish(door.server.conn);
	door_turn(&door);
	assert_int_equal(asked.sends, 2);
	assert_int_equal(asked.gathered, 1); /* the end of the connection follows */
	door_reads(&door, "* BYE\r\n");
	assert_int_equal(SSL_read(door.client, &byte, 1), 0);
	assert_int_equal(SSL_get_error(door.client, 0), SSL_ERROR_ZERO_RETURN);
	door_close(&door);
}

/* A refusal: the handshake's end, and nothing after it but ours. */
static void check_refusal(int version)
{
	struct door door;
	char byte;

	door_open(&door, RSA_NAME);
	assert_int_equal(SSL_set_max_proto_version(door.client, version), 1);
	door_greet(&door);
	for (unsigned i = 0; i < 10 && door.server.tls == 0; i++)
		(void)door_shake(&door), door_turn(&door);
	conn_finish(door.server.conn);
	door_turn(&door);
	door_reads(&door, GREETING);
	assert_int_equal(SSL_read(door.client, &byte, 1), 0);
	assert_int_equal(SSL_get_error(door.client, 0), SSL_ERROR_ZERO_RETURN);
	assert_int_equal(recv(door.fd, &byte, 1, 0), 0);
	door_close(&door);
}

static void test_refusal_is_heard(void **state)
{
	(void)state;
	check_refusal(TLS1_3_VERSION);
	check_refusal(TLS1_2_VERSION);
}

static void test_plain_last_words_share_a_segment_with_the_end(void **state)
{
	struct door door;

	(void)state;
	door_open(&door, FIXTURE_NAME);
	assert_int_equal(conn_write(door.server.conn, SLICE_LIT("221 bye\r\n")), GP_OK);
	conn_finish(door.server.conn);
	door_turn(&door);
	assert_int_equal(asked.sends, 1);
	assert_int_equal(asked.gathered, 1);
	door_close(&door);
}

static void on_relay_end(struct relay *relay, void *owner)
{
	(void)relay, (void)owner;
}

/* The backend says goodbye and goes: one turn, one send, for its words, ours and the end. */
static void test_goodbye_of_a_backend_passes_in_one_piece(void **state)
{
	struct door door;
	struct peer backend = { .conn = NULL };
	struct relay *relay;
	char byte;
	int fds[2];

	(void)state;
	door_come_in(&door, FIXTURE_NAME);
	door_turn(&door);
	fixture_pair(fds, false);
	peer_open(&backend, door.loop, fds[0]);
	relay = relay_new(
		door.loop, &door.server.conn, &backend.conn, NULL, NULL, 1000, on_relay_end, &door);
	door_turn(&door);
	asked.sends = asked.gathered = 0;
	assert_int_equal(send(fds[1], "* BYE\r\n", 7, MSG_NOSIGNAL), 7);
	(void)close(fds[1]);
	loop_turn(door.loop);
	assert_int_equal(asked.sends, 1);
	assert_int_equal(asked.gathered, 1);
	door_reads(&door, "* BYE\r\n");
	assert_int_equal(SSL_read(door.client, &byte, 1), 0);
	assert_int_equal(recv(door.fd, &byte, 1, 0), 0);
	relay_free(&relay);
	peer_close(&backend);
	door_close(&door);
}

static void test_goodbye_waits_for_a_full_socket(void **state)
{
	struct door door;
	char block[8000] = { 0 };
	size_t total = 0;
	int n;

	(void)state;
	door_open(&door, FIXTURE_NAME);
	door_hang_up(&door);
	door_connect(&door, true);
	door_greet(&door);
	assert_true(door_shake(&door));
	door_reads(&door, GREETING);
	door_turn(&door);
	assert_int_equal(conn_write(door.server.conn, slice_of(block, sizeof block)), GP_OK);
	conn_finish(door.server.conn);
	do {
		door_turn(&door);
		n = SSL_read(door.client, block, sizeof block);
		total += n > 0 ? (size_t)n : 0;
	} while (n > 0 || SSL_get_error(door.client, n) == SSL_ERROR_WANT_READ);
	assert_int_equal(SSL_get_error(door.client, n), SSL_ERROR_ZERO_RETURN);
	assert_int_equal(total, sizeof block);
	door_close(&door);
}

static void test_gone_in_the_middle(void **state)
{
	struct door door;

	(void)state;
	for (unsigned turns = 0; turns < 6; turns++) {
		door_open(&door, FIXTURE_NAME);
		door_greet(&door);
		(void)SSL_do_handshake(door.client);
		fixture_turns(door.loop, turns);
		if (turns % 2 == 0)
			conn_finish(door.server.conn);
		fixture_turns(door.loop, turns);
		door_close(&door);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greeting_leaves_with_the_servers_part),
		cmocka_unit_test(test_nothing_leaves_early_that_was_not_allowed_to),
		cmocka_unit_test(test_what_is_written_later_waits),
		cmocka_unit_test(test_early_is_one_record),
		cmocka_unit_test(test_tls_1_2),
		cmocka_unit_test(test_hello_retry),
		cmocka_unit_test(test_ticket_leaves_at_once),
		cmocka_unit_test(test_ticket_leaves_with_the_answer),
		cmocka_unit_test(test_command_that_comes_along_needs_no_acknowledgement),
		cmocka_unit_test(test_early_data_of_clients_are_refused),
		cmocka_unit_test(test_client_that_distrusts_us),
		cmocka_unit_test(test_alert_is_sent),
		cmocka_unit_test(test_long_chains),
		cmocka_unit_test(test_one_byte_at_a_time),
		cmocka_unit_test(test_last_words_and_goodbye_are_one_piece),
		cmocka_unit_test(test_refusal_is_heard),
		cmocka_unit_test(test_plain_last_words_share_a_segment_with_the_end),
		cmocka_unit_test(test_goodbye_of_a_backend_passes_in_one_piece),
		cmocka_unit_test(test_goodbye_waits_for_a_full_socket),
		cmocka_unit_test(test_gone_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
