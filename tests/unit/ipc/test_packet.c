/* SPDX-License-Identifier: ISC */
/* How channels take packets in: how often they ask the kernel, and what of several is done. */
#include "chan_fixture.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "ipc/packet.h"

static unsigned calls;

int __real_recvmmsg(
	int fd, struct mmsghdr *headers, unsigned count, int flags, struct timespec *timeout);
int __wrap_recvmmsg(
	int fd, struct mmsghdr *headers, unsigned count, int flags, struct timespec *timeout);

int __wrap_recvmmsg(
	int fd, struct mmsghdr *headers, unsigned count, int flags, struct timespec *timeout)
{
	calls++;
	return __real_recvmmsg(fd, headers, count, flags, timeout);
}

static void send_ends(struct world *world, uint64_t first, uint64_t last)
{
	for (uint64_t n = first; n <= last; n++) {
		struct ipc_message message = session_end(n);

		assert_int_equal(chan_send(world->front.chan, &message, -1), GP_OK);
	}
}

/* Nobody holds the other end, which is seen without waiting. Closes this one. */
static void assert_pipe_is_free(int fd)
{
	char byte;

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(read(fd, &byte, 1), 0);
	(void)close(fd);
}

static void a_wake_up_costs_one_call(void **state)
{
	static const struct {
		uint64_t packets;
		unsigned calls;
	} cases[] = { { 1, 1 }, { PACKET_BATCH - 1, 1 }, { PACKET_BATCH, 2 },
		{ PACKET_BATCH + 1, 2 }, { 2 * PACKET_BATCH + 1, 3 } };
	struct world *world = *state;

	world->core.counts = true;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		uint64_t before = (uint64_t)world->core.messages;

		send_ends(world, before + 1, before + cases[i].packets);
		calls = 0;
		loop_turn(world->loop);
		assert_int_equal((uint64_t)world->core.messages, before + cases[i].packets);
		assert_int_equal(calls, cases[i].calls);
	}
	calls = 0;
	loop_turn(world->loop);
	assert_int_equal(calls, 0);
}

/* However many packets were there before the end. */
static void the_end_comes_after_all_packets(void **state)
{
	for (uint64_t count = 0; count <= PACKET_BATCH + 1; count++) {
		struct world *world = *state;

		send_ends(world, 1, count);
		chan_free(&world->front.chan);
		loop_turn(world->loop);
		loop_turn(world->loop);
		assert_int_equal(world->core.messages, count);
		assert_int_equal(world->core.closed, 1);
		assert_int_equal(world->core.attacks, 0);
		(void)tear_down(state);
		(void)set_up_pair(state);
	}
}

/* The kernel tells that first, before what the peer has left. */
static void the_last_words_of_a_peer_that_did_not_listen_are_heard(void **state)
{
	struct world *world = *state;
	struct ipc_message unread = { .type = IPC_SESSION_CLOSE };

	send_ends(world, 1, 3);
	assert_int_equal(chan_send(world->core.chan, &unread, -1), GP_OK);
	chan_free(&world->front.chan);
	loop_turn(world->loop);
	loop_turn(world->loop);
	assert_int_equal(world->core.messages, 3);
	assert_int_equal(world->core.closed, 1);
}

/* Whoever pauses at the first packet has taken in the next ones already. */
static void what_has_arrived_waits_while_it_is_not_read(void **state)
{
	struct world *world = *state;

	world->core.pauses_itself = true;
	world->core.counts = true;
	send_ends(world, 1, 2);
	for (int n = 1; n <= 2; n++) {
		loop_turn(world->loop);
		loop_turn(world->loop);
		assert_int_equal(world->core.messages, n);
		chan_resume(world->core.chan);
	}
	send_ends(world, 3, 3);
	loop_turn(world->loop);
	assert_int_equal(world->core.messages, 3);
}

/* A batch that ends between two packets: no socket tells of the second one any more. */
static void what_has_arrived_is_read_in_the_next_turn(void **state)
{
	struct world *world = *state;

	chan_gather(world->front.chan, NULL);
	send_ends(world, 1, CHAN_BATCH);
	chan_push(world->front.chan);
	send_ends(world, CHAN_BATCH + 1, CHAN_BATCH + 1);
	chan_push(world->front.chan);
	loop_turn(world->loop);
	assert_int_equal(world->core.messages, CHAN_BATCH + 1);
}

static void what_arrived_in_one_turn_is_known_to_be_more(void **state)
{
	struct world *world = *state;

	world->core.pauses_itself = true;
	send_ends(world, 1, 3);
	for (int n = 1; n <= 3; n++) {
		loop_turn(world->loop);
		assert_int_equal(world->core.messages, n);
		assert_int_equal(world->core.had_more, n < 3);
		chan_resume(world->core.chan);
	}
}

static void descriptors_that_have_arrived_go_with_the_channel(void **state)
{
	struct world *world = *state;
	struct ipc_message message = session_end(1);
	int pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	world->core.pauses_itself = true;
	for (int n = 0; n < 3; n++)
		assert_int_equal(chan_send(world->front.chan, &message, pipe_fds[1]), GP_OK);
	(void)close(pipe_fds[1]);
	loop_turn(world->loop);
	assert_int_equal(world->core.messages, 1);
	chan_free(&world->core.chan);
	assert_pipe_is_free(pipe_fds[0]);
}

/* What came before is heard, nothing after, and no descriptor stays. */
static void a_channel_ends_at_the_first_packet_that_is_broken(void **state)
{
	struct world *world = *state;
	char end[9] = { IPC_SESSION_END, 1 };
	int pipe_fds[2];
	int two[2];

	assert_int_equal(pipe(pipe_fds), 0);
	two[0] = two[1] = pipe_fds[1];
	send_raw(world->raw, end, sizeof end, NULL, 0);
	send_raw(world->raw, end, sizeof end, two, 2);
	send_raw(world->raw, end, sizeof end, two, 1);
	(void)close(pipe_fds[1]);
	loop_turn(world->loop);
	assert_int_equal(world->core.messages, 1);
	assert_int_equal(world->core.attacks, 1);
	assert_pipe_is_free(pipe_fds[0]);
}

/* An empty packet is the end, whatever follows it. */
static void nothing_is_heard_after_the_end(void **state)
{
	struct world *world = *state;
	char end[9] = { IPC_SESSION_END, 1 };
	int pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	send_raw(world->raw, end, sizeof end, NULL, 0);
	send_raw(world->raw, "", 0, NULL, 0);
	send_raw(world->raw, end, sizeof end, &pipe_fds[1], 1);
	(void)close(pipe_fds[1]);
	loop_turn(world->loop);
	assert_int_equal(world->core.messages, 1);
	assert_int_equal(world->core.closed, 1);
	assert_pipe_is_free(pipe_fds[0]);
}

/* Used again for channels of all kinds, so nothing of one may be found by another. */
static void a_packet_leaves_nothing_behind(void **state)
{
	struct packet_list list = STAILQ_HEAD_INITIALIZER(list);
	struct packet *packet;
	char zeros[64] = { 0 };
	char text[64];

	(void)state;
	memset(text, 'x', sizeof text);
	packet = packet_new(IPC_PACKET_MAX);
	packet->len = sizeof text;
	memcpy(packet->bytes, text, sizeof text);
	STAILQ_INSERT_TAIL(&list, packet, link);
	packet_drop(&list);
	assert_ptr_equal(packet_new(IPC_PACKET_MAX), packet);
	assert_int_equal(packet->len, 0);
	assert_int_equal(packet->fd, -1);
	assert_memory_equal(packet->bytes, zeros, sizeof zeros);
	STAILQ_INSERT_TAIL(&list, packet, link);
	packet_drop_all(&list);
	assert_true(STAILQ_EMPTY(&list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR(a_wake_up_costs_one_call),
		PAIR(the_end_comes_after_all_packets),
		PAIR(the_last_words_of_a_peer_that_did_not_listen_are_heard),
		PAIR(what_has_arrived_waits_while_it_is_not_read),
		PAIR(what_has_arrived_is_read_in_the_next_turn),
		PAIR(what_arrived_in_one_turn_is_known_to_be_more),
		PAIR(descriptors_that_have_arrived_go_with_the_channel),
		RAW(a_channel_ends_at_the_first_packet_that_is_broken),
		RAW(nothing_is_heard_after_the_end),
		PAIR(a_packet_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
