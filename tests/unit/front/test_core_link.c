/* SPDX-License-Identifier: ISC */
/* What core hears of messages when it dies before it does. */
#include "front/core_link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "front/notice.h"
#include "front/session_core.h"

enum {
	KNOWN = 1, /* a session that lives */
	ENDED = 2
};

static unsigned gone;
static unsigned back;

void notices_send(struct notices *notices, const struct ipc_notice *notice)
{
	(void)notices;
	(void)notice;
}

void session_core_on_message(struct front *front, const struct ipc_message *message)
{
	(void)front;
	(void)message;
}

void session_core_on_gone(struct front *front)
{
	(void)front;
	gone++;
}

void session_core_on_back(struct front *front)
{
	(void)front;
	back++;
}

bool session_core_is_known(struct front *front, uint64_t id)
{
	(void)front;
	return id == KNOWN;
}

static int connect_core(struct core_link *link)
{
	int fds[2];

	assert_int_equal(chan_pair(fds), GP_OK);
	core_link_connect(link, 1, &fds[0]);
	return fds[1];
}

static bool tell_done(struct core_link *link, uint64_t session)
{
	struct ipc_message message = { .type = IPC_MESSAGE_DONE,
		.message_done = { .session = session, .accepted = true } };

	return core_link_tell(link, &message);
}

static void a_new_core_hears_what_the_old_one_did_not(void **state)
{
	struct front front = { .loop = loop_new() };
	struct core_link *link = core_link_new(&front);
	struct ipc_message refused = { .type = IPC_RCPT_DONE, .rcpt_done = { .session = KNOWN } };
	struct ipc_message message;
	char packet[IPC_PACKET_MAX];
	ssize_t len = -1;
	int core = connect_core(link);

	(void)state;
	assert_true(tell_done(link, ENDED));
	assert_true(core_link_tell(link, &refused));
	assert_true(tell_done(link, KNOWN));
	(void)close(core);
	while (gone == 0)
		loop_turn(front.loop);
	assert_false(tell_done(link, KNOWN));
	core = connect_core(link);
	assert_int_equal(back, 2);
	/* Of a recipient, and of a session that has ended, it would know nothing. */
	while (len < 0) {
		loop_turn(front.loop);
		len = recv(core, packet, sizeof packet, MSG_DONTWAIT);
	}
	assert_int_equal(ipc_decode(slice_of(packet, (size_t)len), &message), GP_OK);
	assert_int_equal(message.type, IPC_MESSAGE_DONE);
	assert_int_equal(message.message_done.session, KNOWN);
	assert_int_equal(recv(core, packet, sizeof packet, MSG_DONTWAIT), -1);
	assert_int_equal(gone, 1);
	core_link_free(&link);
	loop_turn(front.loop);
	loop_free(&front.loop);
	(void)close(core);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_core_hears_what_the_old_one_did_not),
	};

	log_setup("test", LOG_TARGET_STDERR, -1, LOG_LEVEL_FATAL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
