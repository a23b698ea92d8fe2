/* SPDX-License-Identifier: ISC */
/* Channels that gather what they send. */
#include "chan_fixture.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

static void send_ends(struct chan *chan, uint64_t first, uint64_t last)
{
	for (uint64_t n = first; n <= last; n++) {
		struct ipc_message message = session_end(n);

		assert_int_equal(chan_send(chan, &message, -1), GP_OK);
	}
}

static void what_a_turn_gathers_is_one_packet(void **state)
{
	struct world *world = *state;
	struct ipc_message close_it = { .type = IPC_SESSION_CLOSE };
	char packet[IPC_PACKET_MAX];
	size_t one;

	chan_gather(world->core.chan, NULL);
	assert_int_equal(chan_send(world->core.chan, &close_it, -1), GP_OK);
	assert_int_equal(recv(world->raw, packet, sizeof packet, MSG_DONTWAIT), -1);
	loop_turn(world->loop);
	one = (size_t)recv(world->raw, packet, sizeof packet, MSG_DONTWAIT);
	assert_int_equal(packet[0], IPC_SESSION_CLOSE);
	for (int n = 0; n < 3; n++)
		assert_int_equal(chan_send(world->core.chan, &close_it, -1), GP_OK);
	loop_turn(world->loop);
	assert_int_equal(recv(world->raw, packet, sizeof packet, MSG_DONTWAIT), 1 + 3 * (2 + one));
	assert_int_equal((unsigned char)packet[0], 255);
	assert_int_equal(recv(world->raw, packet, sizeof packet, MSG_DONTWAIT), -1);
}

/* More than a packet, more than a batch; a descriptor and the end of the channel in between. */
static void gathered_messages_arrive_in_order(void **state)
{
	struct world *world = *state;
	struct ipc_message message = session_end(0);
	const int count = IPC_PACKET_MAX / 4;
	int null = open("/dev/null", O_RDONLY);

	chan_gather(world->front.chan, NULL);
	world->core.counts = true;
	send_ends(world->front.chan, 1, 10);
	message.session_end.session = 11;
	assert_int_equal(chan_send(world->front.chan, &message, null), GP_OK);
	(void)close(null);
	send_ends(world->front.chan, 12, (uint64_t)count);
	chan_free(&world->front.chan);
	for (int n = 0; n < count && world->core.closed == 0; n++)
		loop_turn(world->loop);
	assert_int_equal(world->core.messages, count);
	assert_int_equal(world->core.closed, 1);
}

static void pausing_takes_effect_within_a_bundle(void **state)
{
	struct world *world = *state;

	chan_gather(world->front.chan, NULL);
	world->core.pauses_itself = true;
	send_ends(world->front.chan, 1, 3);
	for (int n = 0; n < 3; n++)
		loop_turn(world->loop);
	for (int n = 1; n <= 3; n++) {
		assert_int_equal(world->core.messages, n);
		assert_int_equal(world->core.last_session, n);
		assert_int_equal(chan_has_more(world->core.chan), n < 3);
		chan_resume(world->core.chan);
		loop_turn(world->loop);
	}
	/* What is left of it when the channel goes is lost with it. */
	send_ends(world->front.chan, 4, 6);
	loop_turn(world->loop);
	loop_turn(world->loop);
	chan_resume(world->core.chan);
	chan_free(&world->core.chan);
	assert_int_equal(world->core.messages, 4);
}

static void a_channel_may_be_freed_within_a_bundle(void **state)
{
	struct world *world = *state;

	chan_gather(world->front.chan, NULL);
	world->core.frees_itself = true;
	send_ends(world->front.chan, 1, 3);
	loop_turn(world->loop);
	loop_turn(world->loop);
	assert_int_equal(world->core.messages, 1);
	assert_int_equal(world->core.closed + world->core.attacks, 0);
}

static void push_front(void *owner)
{
	struct side *core = owner;
	struct world *world = core->world;

	chan_push(world->front.chan);
}

/* What one channel sends is to leave before what another one sends. */
static void a_push_may_let_another_channel_go_first(void **state)
{
	struct world *world = *state;
	struct ipc_message close_it = { .type = IPC_SESSION_CLOSE };

	world->core.world = world;
	chan_gather(world->core.chan, push_front);
	chan_gather(world->front.chan, NULL);
	send_ends(world->front.chan, 1, 2);
	assert_int_equal(chan_send(world->core.chan, &close_it, -1), GP_OK);
	chan_push(world->core.chan);
	chan_drain(world->core.chan);
	assert_int_equal(world->core.messages, 2);
}

static bool has_packet(const struct world *world)
{
	char byte;

	return recv(world->raw, &byte, sizeof byte, MSG_DONTWAIT | MSG_PEEK) == 1;
}

/* ... and does not wait longer for that than it must. */
static void what_may_leave_later_leaves_with_the_next(void **state)
{
	struct world *world = *state;
	struct chan *chan = world->core.chan;
	struct ipc_message later = { .type = IPC_LEASE_END };
	struct ipc_message now = { .type = IPC_SESSION_CLOSE };
	unsigned char packet[IPC_PACKET_MAX];

	chan_gather(chan, NULL);
	assert_int_equal(chan_send_later(chan, &later), GP_OK);
	assert_false(has_packet(world));
	assert_int_equal(chan_send(chan, &now, -1), GP_OK);
	loop_turn(world->loop);
	assert_true(recv(world->raw, packet, sizeof packet, MSG_DONTWAIT) > 0);
	assert_int_equal(packet[0], 255);
	assert_int_equal(packet[3], IPC_LEASE_END);
	assert_false(has_packet(world));
	assert_int_equal(chan_send_later(chan, &later), GP_OK);
	assert_false(has_packet(world));
	while (!has_packet(world))
		loop_turn(world->loop);
	assert_true(recv(world->raw, packet, sizeof packet, MSG_DONTWAIT) > 0);
	assert_int_equal(packet[0], IPC_LEASE_END);
}

static void what_may_leave_later_leaves_before_the_end(void **state)
{
	struct world *world = *state;
	struct ipc_message message = session_end(1);

	chan_gather(world->front.chan, NULL);
	assert_int_equal(chan_send_later(world->front.chan, &message), GP_OK);
	chan_free(&world->front.chan);
	for (int n = 0; n < 3 && world->core.closed == 0; n++)
		loop_turn(world->loop);
	assert_int_equal(world->core.messages, 1);
	assert_int_equal(world->core.closed, 1);
}

static void add_session(const struct ipc_message *message, void *owner)
{
	struct side *side = owner;

	side->last_session = 10 * side->last_session + message->session_end.session;
}

/* A peer that is gone has not read it; so much is known even before its end is. */
static void what_could_not_leave_any_more_is_kept(void **state)
{
	struct world *world = *state;
	struct chan *chan = world->front.chan;
	struct ipc_message message = session_end(1);

	chan_gather(chan, NULL);
	chan_each_unsent(chan, add_session);
	assert_int_equal(world->front.last_session, 0);
	assert_int_equal(chan_send_later(chan, &message), GP_OK);
	chan_push(chan);
	message.session_end.session = 2;
	assert_int_equal(chan_send_later(chan, &message), GP_OK);
	message.session_end.session = 3;
	assert_int_equal(chan_send(chan, &message, -1), GP_OK);
	chan_free(&world->core.chan);
	chan_push(chan);
	assert_int_equal(chan_send(chan, &message, -1), GP_ERR_CLOSED);
	assert_int_equal(chan_send_later(chan, &message), GP_ERR_CLOSED);
	chan_push(chan);
	chan_each_unsent(chan, add_session);
	assert_int_equal(world->front.last_session, 23);
}

static void a_full_queue_is_told_to_who_gathers(void **state)
{
	struct world *world = *state;
	static char text[1000];
	struct ipc_message message = { .type = IPC_SIGNIN };
	enum gp_err err = GP_OK;
	int sent = 0;

	memset(text, 'x', sizeof text);
	message.signin.secret = slice_of(text, sizeof text);
	chan_gather(world->front.chan, NULL);
	chan_pause(world->core.chan);
	while ((err = chan_send(world->front.chan, &message, -1)) == GP_OK)
		sent++;
	assert_int_equal(err, GP_ERR_BUSY);
	chan_resume(world->core.chan);
	for (int n = 0; n < 2 * sent && world->core.messages < sent; n++)
		loop_turn(world->loop);
	assert_int_equal(world->core.messages, sent);
}

static void a_broken_bundle_is_an_attack(void **state)
{
	static const struct {
		size_t len;
		char bytes[16];
	} cases[] = {
		{ 1, "\xff" },
		{ 2, "\xff\1" },
		{ 3, "\xff\1" },                 /* nothing after the length */
		{ 4, { '\xff', 0, 0, 0 } },      /* an empty message */
		{ 4, { '\xff', 2, 0, 1 } },      /* cut off */
		{ 4, { '\xff', 1, 0, '\xff' } }, /* a bundle within */
		{ 5, { '\xff', 2, 0, IPC_SESSION_END, 0 } },
	};

	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct world *world = *state;

		send_raw(world->raw, cases[i].bytes, cases[i].len, NULL, 0);
		assert_attack(world);
		(void)close(world->raw);
		(void)tear_down(state);
		(void)set_up_raw(state);
	}
}

/* Of a bundle that goes wrong, what came before is heard, and nothing after. */
static void a_bundle_ends_where_it_breaks(void **state)
{
	struct world *world = *state;
	char bytes[] = { '\xff', 9, 0, IPC_SESSION_END, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, '\xfe', 9, 0,
		IPC_SESSION_END, 2, 0, 0, 0, 0, 0, 0, 0 };

	send_raw(world->raw, bytes, sizeof bytes, NULL, 0);
	loop_turn(world->loop);
	assert_int_equal(world->core.attacks, 1);
	assert_int_equal(world->core.messages, 1);
	assert_int_equal(world->core.last_session, 1);
}

static void a_bundle_with_a_descriptor_is_an_attack(void **state)
{
	struct world *world = *state;
	char bytes[] = { '\xff', 9, 0, IPC_SESSION_END, 1, 0, 0, 0, 0, 0, 0, 0 };
	int null = open("/dev/null", O_RDONLY);

	send_raw(world->raw, bytes, sizeof bytes, &null, 1);
	(void)close(null);
	assert_attack(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR(gathered_messages_arrive_in_order),
		PAIR(pausing_takes_effect_within_a_bundle),
		PAIR(a_channel_may_be_freed_within_a_bundle),
		PAIR(a_push_may_let_another_channel_go_first),
		PAIR(a_full_queue_is_told_to_who_gathers),
		RAW(what_a_turn_gathers_is_one_packet),
		RAW(what_may_leave_later_leaves_with_the_next),
		PAIR(what_may_leave_later_leaves_before_the_end),
		PAIR(what_could_not_leave_any_more_is_kept),
		RAW(a_broken_bundle_is_an_attack),
		RAW(a_bundle_ends_where_it_breaks),
		RAW(a_bundle_with_a_descriptor_is_an_attack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
