/* SPDX-License-Identifier: ISC */
#include "chan_fixture.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static void on_message(struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct side *side = owner;

	assert_ptr_equal(chan, side->chan);
	side->messages++;
	if (side->is_slow)
		clock_shift(clock_shifted() + CHAN_BATCH_MS);
	side->had_more = chan_has_more(chan);
	if (side->counts)
		assert_int_equal(message->session_end.session, side->messages);
	if (message->type == IPC_SESSION_END)
		side->last_session = message->session_end.session;
	if (side->takes_fd) {
		side->taken_fd = *fd;
		*fd = -1;
	}
	if (side->pauses_itself)
		chan_pause(chan);
	if (side->frees_itself) {
		chan_free(&side->chan);
		/* What came along stays good until we return. */
		assert_int_equal(message->type, IPC_SESSION_END);
	}
}

static void on_end(struct chan *chan, enum chan_end end, void *owner)
{
	struct side *side = owner;

	assert_ptr_equal(chan, side->chan);
	side->closed += end == CHAN_END_CLOSED;
	side->attacks += end == CHAN_END_ATTACK;
	chan_free(&side->chan);
}

static const struct chan_ops ops = { on_message, on_end };

static int set_up(void **state, bool is_raw)
{
	static struct world world;
	int fds[2];

	world = (struct world){ .loop = loop_new(), .raw = -1 };
	world.core.taken_fd = -1;
	assert_int_equal(chan_pair(fds), GP_OK);
	world.core.chan =
		chan_new(world.loop, &fds[0], IPC_ROLE_CORE, IPC_ROLE_FRONT, &ops, &world.core);
	assert_int_equal(fds[0], -1);
	if (is_raw)
		world.raw = fds[1];
	else
		world.front.chan = chan_new(
			world.loop, &fds[1], IPC_ROLE_FRONT, IPC_ROLE_CORE, &ops, &world.front);
	/* The attacks of this file are to be logged, but not here. */
	log_setup("test", LOG_TARGET_STDERR, -1, LOG_LEVEL_FATAL);
	*state = &world;
	return 0;
}

int set_up_pair(void **state)
{
	return set_up(state, false);
}

int set_up_raw(void **state)
{
	return set_up(state, true);
}

int tear_down(void **state)
{
	struct world *world = *state;

	chan_free(&world->core.chan);
	chan_free(&world->front.chan);
	loop_free(&world->loop);
	if (world->raw >= 0)
		(void)close(world->raw);
	return 0;
}

struct ipc_message session_end(uint64_t session)
{
	return (struct ipc_message){ .type = IPC_SESSION_END, .session_end = { session } };
}

void send_raw(int fd, const void *data, size_t len, const int *fds, size_t count)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = { .bytes = { 0 } };
	char copy[IPC_PACKET_MAX + 1] = { 0 };
	struct iovec vector = { .iov_base = copy, .iov_len = len };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

	assert_true(len <= sizeof copy);
	memcpy(copy, data, len);
	if (count > 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(count * sizeof *fds);
		memcpy(CMSG_DATA(&control.head), fds, count * sizeof *fds);
	}
	assert_int_equal(sendmsg(fd, &message, 0), (ssize_t)len);
}

void assert_attack(struct world *world)
{
	loop_turn(world->loop);
	assert_int_equal(world->core.attacks, 1);
	assert_int_equal(world->core.messages, 0);
	assert_null(world->core.chan);
}
