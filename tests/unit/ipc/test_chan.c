/* SPDX-License-Identifier: ISC */
#include "chan_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

static void messages_arrive_in_order(void **state)
{
	struct world *world = *state;

	for (uint64_t n = 1; n <= 3; n++) {
		struct ipc_message message = session_end(n);

		assert_int_equal(chan_send(world->front.chan, &message, -1), GP_OK);
	}
	loop_turn(world->loop);
	assert_int_equal(world->core.messages, 3);
	assert_int_equal(world->core.last_session, 3);
}

static void stop(struct loop_task *task)
{
	loop_stop(task->owner);
}

/* A turn as processes have it, in which tasks may defer others several times. */
static void whole_turn(struct loop *loop)
{
	static struct loop_task task;

	loop_defer_last(loop, &task, stop, loop);
	assert_int_equal(loop_run(loop), GP_OK);
}

/* Whoever takes long for each hears others in between, whether they came together or later. */
static void slow_messages_are_one_a_turn(void **state)
{
	struct world *world = *state;

	world->core.is_slow = true;
	for (uint64_t n = 1; n <= 6; n++) {
		struct ipc_message message = session_end(n);

		assert_int_equal(chan_send(world->front.chan, &message, -1), GP_OK);
		assert_int_equal(chan_flush(world->front.chan, 1), GP_OK);
	}
	for (int n = 1; n <= 6; n++) {
		whole_turn(world->loop);
		assert_int_equal(world->core.messages, n);
		assert_int_equal(world->core.last_session, n);
	}
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void a_descriptor_comes_along(void **state)
{
	struct world *world = *state;
	struct ipc_message message = session_end(1);
	int pipe_fds[2];
	char byte = 0;

	assert_int_equal(pipe(pipe_fds), 0);
	world->core.takes_fd = true;
	assert_int_equal(chan_send(world->front.chan, &message, pipe_fds[1]), GP_OK);
	/* Borrowed: still ours. */
	assert_true(is_open(pipe_fds[1]));
	(void)close(pipe_fds[1]);
	loop_turn(world->loop);
	assert_true(world->core.taken_fd >= 0);
	assert_int_equal(fcntl(world->core.taken_fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(world->core.taken_fd, "x", 1), 1);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	(void)close(world->core.taken_fd);
	(void)close(pipe_fds[0]);
}

/* The other end of the pipe sees that nobody holds it any more. */
static void a_descriptor_nobody_takes_is_closed(void **state)
{
	struct world *world = *state;
	struct ipc_message message = session_end(1);
	int pipe_fds[2];
	char byte;

	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(chan_send(world->front.chan, &message, pipe_fds[1]), GP_OK);
	(void)close(pipe_fds[1]);
	loop_turn(world->loop);
	assert_int_equal(world->core.messages, 1);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 0);
	(void)close(pipe_fds[0]);
}

static void a_slow_peer_fills_the_queue_and_then_gets_all(void **state)
{
	struct world *world = *state;
	static char text[1000];
	struct ipc_message message = { .type = IPC_SIGNIN };
	enum gp_err err = GP_OK;
	int sent = 0;

	memset(text, 'x', sizeof text);
	message.signin.secret = slice_of(text, sizeof text);
	chan_pause(world->core.chan);
	while ((err = chan_send(world->front.chan, &message, -1)) == GP_OK)
		sent++;
	assert_int_equal(err, GP_ERR_BUSY);
	assert_true(sent > CHAN_QUEUE_MAX / 1100);
	loop_turn(world->loop);
	assert_int_equal(world->core.messages, 0);
	assert_int_equal(chan_flush(world->front.chan, 1), GP_ERR_TIMEOUT);
	chan_resume(world->core.chan);
	loop_turn(world->loop);
	/* A batch a turn, so that one busy peer leaves time for others. */
	assert_int_equal(world->core.messages, CHAN_BATCH);
	for (int n = 0; n < 2 * sent && world->core.messages < sent; n++)
		loop_turn(world->loop);
	assert_int_equal(world->core.messages, sent);
	assert_int_equal(chan_flush(world->front.chan, 1), GP_OK);
}

static void a_queued_descriptor_arrives_too(void **state)
{
	struct world *world = *state;
	struct ipc_message message = session_end(1);
	int pipe_fds[2];
	char byte;
	int sent = 0;

	assert_int_equal(pipe(pipe_fds), 0);
	while (send(chan_fd(world->front.chan), "\0", 1, MSG_DONTWAIT) == 1)
		sent++;
	assert_true(sent > 0);
	assert_int_equal(chan_send(world->front.chan, &message, pipe_fds[1]), GP_OK);
	(void)close(pipe_fds[1]);
	/* It waits in the queue and keeps the pipe open; gone with the channel. */
	assert_int_equal(fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(read(pipe_fds[0], &byte, 1), -1);
	chan_free(&world->front.chan);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 0);
	(void)close(pipe_fds[0]);
}

/* More than a batch, and the end; while it was not to be read. */
static void a_channel_is_read_out_at_once(void **state)
{
	struct world *world = *state;

	for (uint64_t n = 1; n <= 2 * CHAN_BATCH; n++) {
		struct ipc_message message = session_end(n);

		assert_int_equal(chan_send(world->front.chan, &message, -1), GP_OK);
	}
	chan_pause(world->core.chan);
	chan_drain(world->core.chan);
	assert_int_equal(world->core.messages, 2 * CHAN_BATCH);
	assert_non_null(world->core.chan);
	chan_free(&world->front.chan);
	chan_drain(world->core.chan);
	assert_int_equal(world->core.closed, 1);
	assert_null(world->core.chan);
}

static void the_last_words_are_heard_before_the_end(void **state)
{
	struct world *world = *state;
	struct ipc_message message = session_end(7);

	assert_int_equal(chan_send(world->front.chan, &message, -1), GP_OK);
	chan_free(&world->front.chan);
	assert_int_equal(
		chan_send(world->core.chan, &(struct ipc_message){ .type = IPC_SESSION_CLOSE }, -1),
		GP_ERR_CLOSED);
	loop_turn(world->loop);
	assert_int_equal(world->core.last_session, 7);
	assert_int_equal(world->core.closed, 1);
	assert_null(world->core.chan);
}

static void a_channel_may_be_freed_while_it_speaks(void **state)
{
	struct world *world = *state;
	struct ipc_message message = session_end(1);

	world->core.frees_itself = true;
	assert_int_equal(chan_send(world->front.chan, &message, -1), GP_OK);
	assert_int_equal(chan_send(world->front.chan, &message, -1), GP_OK);
	loop_turn(world->loop);
	assert_int_equal(world->core.messages, 1);
	assert_int_equal(world->core.closed + world->core.attacks, 0);
	loop_turn(world->loop);
	assert_int_equal(world->front.closed, 1);
}

static void pausing_takes_effect_at_once(void **state)
{
	struct world *world = *state;
	struct ipc_message message = session_end(1);

	world->core.pauses_itself = true;
	assert_int_equal(chan_send(world->front.chan, &message, -1), GP_OK);
	assert_int_equal(chan_send(world->front.chan, &message, -1), GP_OK);
	loop_turn(world->loop);
	loop_turn(world->loop);
	assert_int_equal(world->core.messages, 1);
	chan_resume(world->core.chan);
	loop_turn(world->loop);
	assert_int_equal(world->core.messages, 2);
}

/* Attacks: each ends the channel as such, and no descriptor stays behind. */

static void garbage_is_an_attack(void **state)
{
	struct world *world = *state;

	send_raw(world->raw, "\xff\xff", 2, NULL, 0);
	assert_attack(world);
}

static void a_message_of_another_role_is_an_attack(void **state)
{
	struct world *world = *state;
	struct ipc_message message = { .type = IPC_BAN_DROP,
		.ban_drop = { { .family = IP_V4, .bytes = { 127, 0, 0, 1 } } } };
	struct buf wire;

	buf_init(&wire, IPC_PACKET_MAX);
	assert_int_equal(ipc_encode(&message, &wire), GP_OK);
	send_raw(world->raw, wire.data, wire.len, NULL, 0);
	buf_fini(&wire);
	assert_attack(world);
}

static void a_packet_too_long_is_an_attack(void **state)
{
	static const char zeros[IPC_PACKET_MAX + 1];
	struct world *world = *state;

	send_raw(world->raw, zeros, sizeof zeros, NULL, 0);
	assert_attack(world);
}

static int count_open(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += is_open(fd);
	return count;
}

static void several_descriptors_are_an_attack(void **state)
{
	static const size_t counts[] = { 2, 3, 4, 5, 16 };
	struct world *world = *state;
	char end[9] = { IPC_SESSION_END };
	int null = open("/dev/null", O_RDONLY);
	int many[16];

	for (size_t i = 0; i < GP_ARRAY_LEN(many); i++)
		many[i] = null;
	for (size_t i = 0; i < GP_ARRAY_LEN(counts); i++) {
		int before = count_open();

		send_raw(world->raw, end, sizeof end, many, counts[i]);
		assert_attack(world);
		/* The channel's own is gone, and none is new. */
		assert_int_equal(count_open(), before - 1);
		(void)close(world->raw);
		(void)tear_down(state);
		(void)set_up_raw(state);
	}
	(void)close(null);
}

static void an_empty_packet_with_a_descriptor_is_an_attack(void **state)
{
	struct world *world = *state;
	int null = open("/dev/null", O_RDONLY);
	int before = count_open();

	send_raw(world->raw, "", 0, &null, 1);
	assert_attack(world);
	assert_int_equal(count_open(), before - 1);
	(void)close(null);
}

/* A mistake of our own code, not of a peer. */
static void sending_what_is_not_permitted_is_an_assertion(void **state)
{
	struct world *world = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct ipc_message message = { .type = IPC_SIGNIN_REPLY };

		(void)close(STDERR_FILENO);
		(void)(chan_send(world->front.chan, &message, -1) == GP_OK);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR(messages_arrive_in_order),
		PAIR(slow_messages_are_one_a_turn),
		PAIR(a_descriptor_comes_along),
		PAIR(a_descriptor_nobody_takes_is_closed),
		PAIR(a_slow_peer_fills_the_queue_and_then_gets_all),
		PAIR(a_queued_descriptor_arrives_too),
		PAIR(a_channel_is_read_out_at_once),
		PAIR(the_last_words_are_heard_before_the_end),
		PAIR(a_channel_may_be_freed_while_it_speaks),
		PAIR(pausing_takes_effect_at_once),
		PAIR(sending_what_is_not_permitted_is_an_assertion),
		RAW(garbage_is_an_attack),
		RAW(a_message_of_another_role_is_an_attack),
		RAW(a_packet_too_long_is_an_attack),
		RAW(several_descriptors_are_an_attack),
		RAW(an_empty_packet_with_a_descriptor_is_an_attack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
