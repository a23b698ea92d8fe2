/* SPDX-License-Identifier: ISC */
/* Who goes away without a word is told of only where somebody watches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/clock.h"
#include "world.h"

static const char home[] = "198.51.100.7";
static const char elsewhere[] = "203.0.113.9";

static void watch(struct world *world, const char *client)
{
	struct portal_account who = { WORLD_RIGHT_ACCOUNT, ROLE_USER,
		SLICE_LIT("alice@example.test"), SLICE_LIT(""), SLICE_LIT("browser"),
		world_ip(client) };
	char cookie[PORTAL_COOKIE_SIZE];

	(void)portal_open(world->core, &who, PORTAL_SIGNED_IN, cookie);
	assert_int_equal(world_call(world, "self.watch", "", cookie, client), GP_OK);
}

/* One comes and goes: how many events that gives. */
static unsigned leave(struct world *world, const char *client, enum reason reason)
{
	static uint64_t session = 1000;
	struct ipc_message message = { .type = IPC_NOTE };
	unsigned before = world->events;

	world_open(world, 0, ++session, SERVICE_SUBMISSION, client);
	message.note = (struct ipc_note){ .session = session, .reason = (uint8_t)reason };
	world_send(world, 0, &message);
	world_end(world, 0, session);
	world_settle(world);
	return world->events - before;
}

static void only_where_somebody_watches(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	assert_int_equal(leave(world, home, REASON_LEFT), 0);
	assert_int_equal(leave(world, home, REASON_HTTP), 1);
	watch(world, home);
	assert_int_equal(leave(world, home, REASON_LEFT), 1);
	assert_int_equal(leave(world, elsewhere, REASON_LEFT), 0);
	clock_fake(WORLD_WALL, WORLD_STEADY + WATCHERS_MS - 1);
	assert_int_equal(leave(world, home, REASON_LEFT), 1);
	clock_fake(WORLD_WALL, WORLD_STEADY + WATCHERS_MS);
	assert_int_equal(leave(world, home, REASON_LEFT), 0);
	world_free(&world);
}

static void so_many_networks_at_once(void **state)
{
	struct world *world = world_new("", true);
	struct ip first = world_ip("192.0.2.0");
	char client[32];

	(void)state;
	for (int i = 0; i < WATCHERS_MAX; i++) {
		struct ip ip;

		clock_fake(WORLD_WALL, WORLD_STEADY + i);
		(void)snprintf(client, sizeof client, "192.0.2.%d", i);
		ip = world_ip(client);
		watchers_note(world->core, &ip);
		watchers_note(world->core, &ip); /* one place is enough */
	}
	assert_true(watchers_has(world->core, &first));
	struct ip one_more = world_ip("2001:db8::1");
	struct ip neighbour = world_ip("2001:db8::2");
	struct ip second = world_ip("192.0.2.1");

	watchers_note(world->core, &one_more);
	assert_true(watchers_has(world->core, &neighbour));
	assert_false(watchers_has(world->core, &first));
	assert_true(watchers_has(world->core, &second));
	struct ip nowhere = { .family = IP_NONE };

	watchers_note(world->core, &nowhere);
	assert_false(watchers_has(world->core, &nowhere));
	assert_true(watchers_has(world->core, &second));
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_where_somebody_watches),
		cmocka_unit_test(so_many_networks_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
