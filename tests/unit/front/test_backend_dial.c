/* SPDX-License-Identifier: ISC */
/* Promise: the connection to a mailbox is used in whatever order it and the answer to the sign-in
 * come, for the host that it leads to and no other, and no descriptor stays behind. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "front/backend_dial.h"
#include "front/dialer.h"
#include "front/session_core.h"

enum {
	SESSION = 99,
	GENERATION = 5,
	BACKEND = 3,
	TURNS = 4,
};

/* A front with one backend of two hosts, gatepostd and core played by the test. */
static struct {
	struct loop *loop;
	struct child child;
	struct front front;
	struct chan *parent;
	struct chan *gatepostd;
	struct config config;
	struct config_backend conf;
	char *hosts[2];
	struct settings settings;
	struct settings_backend backend;
	struct backend_dial *dial;
	int mine; /* the other end of the socket that was handed over last */
	bool is_core_gone;
	unsigned dials; /* gatepostd was asked for */
	unsigned asked; /* core was, for a further host */
	uint64_t asked_request;
	unsigned asked_member;
	unsigned opened;
	unsigned failed;
} bench;

/* What backend_dial.c needs of the others. */

struct settings *settings_hold(struct settings *settings)
{
	settings->references++;
	return settings;
}

void settings_release(struct settings **psettings)
{
	if (*psettings != NULL)
		(*psettings)->references--;
	*psettings = NULL;
}

bool session_core_ask_host(
	struct front *front, uint64_t session, uint64_t dial, uint64_t generation, unsigned member)
{
	assert_ptr_equal(front, &bench.front);
	assert_int_equal(session, SESSION);
	assert_int_equal(generation, GENERATION);
	if (bench.is_core_gone)
		return false;
	bench.asked++;
	bench.asked_request = dial;
	bench.asked_member = member;
	return true;
}

static void on_parent_message(
	struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	(void)chan;
	(void)fd;
	(void)owner;
	bench.dials += message->type == IPC_DIAL;
}

static void on_end(struct chan *chan, enum chan_end end, void *owner)
{
	(void)chan;
	(void)end;
	(void)owner;
}

static void turn(void)
{
	for (unsigned n = 0; n < TURNS; n++)
		loop_turn(bench.loop);
}

static void on_open(struct backend_dial *dial, struct conn **pconn, void *owner)
{
	(void)pconn;
	(void)owner;
	assert_ptr_equal(dial, bench.dial);
	bench.opened++;
}

static void on_failed(struct backend_dial *dial, void *owner)
{
	(void)owner;
	assert_ptr_equal(dial, bench.dial);
	bench.failed++;
}

static const struct backend_dial_ops dial_ops = { on_open, on_failed };

static void open_bench(void)
{
	static const struct chan_ops ops = { on_parent_message, on_end };
	static char first[] = "192.0.2.1:143";
	static char second[] = "192.0.2.2:143";
	int fds[2];

	memset(&bench, 0, sizeof bench);
	log_set_level(LOG_LEVEL_FATAL);
	bench.mine = -1;
	bench.loop = loop_new();
	assert_int_equal(chan_pair(fds), GP_OK);
	bench.parent = chan_new(bench.loop, &fds[0], IPC_ROLE_FRONT, IPC_ROLE_PARENT, &ops, NULL);
	bench.gatepostd =
		chan_new(bench.loop, &fds[1], IPC_ROLE_PARENT, IPC_ROLE_FRONT, &ops, NULL);
	bench.hosts[0] = first;
	bench.hosts[1] = second;
	bench.conf = (struct config_backend){ .name = first,
		.hosts = { .items = bench.hosts, .count = 2 },
		.tls = CONFIG_TLS_OFF,
		.connect_timeout = 3600 };
	bench.backend = (struct settings_backend){ .conf = &bench.conf, .index = BACKEND };
	health_init(&bench.backend.health, 2);
	bench.child.generation = GENERATION;
	bench.front = (struct front){ .child = &bench.child,
		.loop = bench.loop,
		.settings = &bench.settings,
		.dialer = dialer_new(bench.loop, bench.parent) };
}

static void close_bench(void)
{
	backend_dial_free(&bench.dial);
	turn();
	assert_int_equal(bench.settings.references, 0);
	dialer_free(&bench.front.dialer);
	chan_free(&bench.parent);
	chan_free(&bench.gatepostd);
	turn();
	loop_free(&bench.loop);
	if (bench.mine >= 0)
		(void)close(bench.mine);
}

static void expect(void)
{
	bench.dial = backend_dial_expect(&bench.front, SESSION);
}

static void begin(void)
{
	backend_dial_begin(bench.dial, &bench.backend, NULL, &dial_ops, NULL);
	turn();
}

/* gatepostd answers, as main.c and the channel hand it on. */
static void answer(uint64_t request, unsigned member, uint64_t generation, int errno_value)
{
	struct ipc_dialed dialed = { .request = request,
		.errno_value = errno_value,
		.generation = generation,
		.backend = BACKEND,
		.member = (uint16_t)member };
	int fds[2] = { -1, -1 };

	if (bench.mine >= 0)
		(void)close(bench.mine);
	if (errno_value == 0)
		assert_int_equal(
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	bench.mine = fds[1];
	dialer_on_dialed(bench.front.dialer, &dialed, &fds[0]);
	if (fds[0] >= 0)
		(void)close(fds[0]);
	turn();
}

/* Did the front let go of what it was handed? */
static bool is_closed(void)
{
	char byte;

	return recv(bench.mine, &byte, 1, MSG_DONTWAIT) == 0;
}

static void the_answer_first(void **state)
{
	uint64_t request;

	(void)state;
	open_bench();
	expect();
	request = backend_dial_request(bench.dial);
	assert_true(request > 0);
	begin();
	assert_int_equal(bench.opened, 0);
	answer(request, 0, GENERATION, 0);
	assert_int_equal(bench.opened, 1);
	assert_int_equal(bench.asked + bench.dials, 0);
	close_bench();
}

static void the_socket_first(void **state)
{
	(void)state;
	open_bench();
	expect();
	answer(backend_dial_request(bench.dial), 0, GENERATION, 0);
	assert_int_equal(bench.opened, 0);
	assert_false(is_closed());
	begin();
	assert_int_equal(bench.opened, 1);
	assert_int_equal(bench.asked + bench.dials, 0);
	close_bench();
}

/* One turn of the loop brings both, from two channels. */
static void both_at_once(void **state)
{
	(void)state;
	open_bench();
	expect();
	backend_dial_begin(bench.dial, &bench.backend, NULL, &dial_ops, NULL);
	answer(backend_dial_request(bench.dial), 0, GENERATION, 0);
	assert_int_equal(bench.opened, 1);
	assert_int_equal(bench.asked, 0);
	close_bench();
}

static void no_answer(void **state)
{
	uint64_t request;

	(void)state;
	open_bench();
	expect();
	answer(backend_dial_request(bench.dial), 0, GENERATION, 0);
	backend_dial_free(&bench.dial);
	turn();
	assert_true(is_closed());
	/* And one that comes when nobody waits any more. */
	expect();
	request = backend_dial_request(bench.dial);
	backend_dial_free(&bench.dial);
	answer(request, 0, GENERATION, 0);
	assert_true(is_closed());
	/* The next one is another. */
	expect();
	assert_int_not_equal(backend_dial_request(bench.dial), request);
	close_bench();
}

static void no_socket(void **state)
{
	(void)state;
	open_bench();
	bench.conf.connect_timeout = 0;
	expect();
	begin();
	/* Time is up at once for each host, first and second. */
	while (bench.failed == 0)
		turn();
	assert_int_equal(bench.failed, 1);
	assert_int_equal(bench.opened, 0);
	assert_int_equal(bench.asked, 1);
	close_bench();
}

static void the_second_host(void **state)
{
	static const bool is_early[] = { false, true };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(is_early); i++) {
		open_bench();
		expect();
		if (!is_early[i])
			begin();
		answer(backend_dial_request(bench.dial), 0, GENERATION, ECONNREFUSED);
		if (is_early[i])
			begin();
		assert_int_equal(bench.asked, 1);
		assert_int_equal(bench.asked_member, 1);
		answer(bench.asked_request, 1, GENERATION, 0);
		assert_int_equal(bench.opened, 1);
		/* That one is of no use, either, says who speaks with it. */
		backend_dial_next(bench.dial);
		turn();
		assert_int_equal(bench.failed, 1);
		close_bench();
	}
}

static void the_first_host_is_known_to_be_down(void **state)
{
	uint64_t first;

	(void)state;
	for (unsigned is_early = 0; is_early < 2; is_early++) {
		open_bench();
		expect();
		first = backend_dial_request(bench.dial);
		bench.backend.health.failed_at[0] = clock_steady();
		if (is_early) {
			answer(first, 0, GENERATION, 0);
			assert_false(is_closed());
		}
		begin();
		assert_int_equal(bench.asked, 1);
		assert_int_equal(bench.asked_member, 1);
		if (!is_early)
			answer(first, 0, GENERATION, 0);
		assert_true(is_closed());
		assert_int_equal(bench.opened, 0);
		answer(bench.asked_request, 1, GENERATION, 0);
		assert_int_equal(bench.opened, 1);
		close_bench();
	}
}

static void of_another_configuration(void **state)
{
	(void)state;
	open_bench();
	expect();
	begin();
	answer(backend_dial_request(bench.dial), 0, GENERATION + 1, 0);
	assert_true(is_closed());
	assert_int_equal(bench.asked, 1);
	assert_int_equal(bench.asked_member, 0);
	/* One that was asked for so and leads elsewhere all the same is none for this mailbox. */
	answer(bench.asked_request, 0, GENERATION + 1, 0);
	assert_true(is_closed());
	assert_int_equal(bench.opened, 0);
	assert_int_equal(bench.asked, 2);
	assert_int_equal(bench.asked_member, 1);
	close_bench();
}

static void without_core_there_is_no_other_host(void **state)
{
	(void)state;
	open_bench();
	expect();
	begin();
	bench.is_core_gone = true;
	answer(backend_dial_request(bench.dial), 0, GENERATION, ECONNREFUSED);
	assert_int_equal(bench.failed, 1);
	/* It was not asked, so nothing is held against it. */
	assert_int_equal(bench.backend.health.failed_at[1], 0);
	close_bench();
}

static void a_next_hop_is_asked_of_gatepostd(void **state)
{
	(void)state;
	open_bench();
	bench.dial = backend_dial_new(&bench.front, &bench.backend, NULL, &dial_ops, NULL);
	turn();
	assert_int_equal(bench.dials, 1);
	assert_int_equal(bench.asked, 0);
	answer(backend_dial_request(bench.dial), 0, GENERATION, 0);
	assert_int_equal(bench.opened, 1);
	close_bench();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_answer_first),
		cmocka_unit_test(the_socket_first),
		cmocka_unit_test(both_at_once),
		cmocka_unit_test(no_answer),
		cmocka_unit_test(no_socket),
		cmocka_unit_test(the_second_host),
		cmocka_unit_test(the_first_host_is_known_to_be_down),
		cmocka_unit_test(of_another_configuration),
		cmocka_unit_test(without_core_there_is_no_other_host),
		cmocka_unit_test(a_next_hop_is_asked_of_gatepostd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
