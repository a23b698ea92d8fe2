/* SPDX-License-Identifier: ISC */
/*
 * Networks that are lifted, and tables that are full: every IPv4 ban there may be, and a million
 * fresh IPv6 sources that are banned, or fail once. Memory stops growing, no IPv4 entry moves, the
 * oldest of the weakest go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/ban_map.h"
#include "world.h"

enum {
	FLOOD = 1000 * 1000,
	FILLED = 2 * WINDOW_KEYS_MAX, /* of the flood: from here on nothing may grow */
	GROWTH = 256 * 1024,
	BAN_MS = 1800 * 1000,
};

static struct ip_net v4_net(uint32_t n)
{
	struct ip_net net = { .base = { .family = IP_V4 }, .prefix = 32 };

	for (unsigned i = 0; i < 4; i++)
		net.base.bytes[i] = (uint8_t)((0x0a000000U + n) >> (24 - 8 * i));
	return net;
}

/* Each in a /48 of its own. */
static struct ip_net v6_net(uint32_t n)
{
	struct ip_net net = { .base = { .family = IP_V6, .bytes = { 0x20 } }, .prefix = 64 };

	for (unsigned i = 0; i < 4; i++)
		net.base.bytes[i + 2] = (uint8_t)(n >> (24 - 8 * i));
	return net;
}

static int begin(void **state)
{
	log_set_level(LOG_LEVEL_FATAL);
	*state = world_new("", true);
	return 0;
}

static int end(void **state)
{
	struct world *world = *state;

	world_free(&world);
	return 0;
}

/* AddressSanitizer's allocator keeps no such count: then this is 0 always, and the tables' own
 * counts are what is left. */
static size_t allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void ban(struct world *world, const struct ip_net *net, int64_t ms)
{
	bans_set(world->core, net, ms, SLICE_LIT("guesses"), 0);
}

static void a_full_ban_table_under_a_flood(void **state)
{
	struct world *world = *state;
	struct core *core = world->core;
	struct ban_map *map = NULL;
	size_t filled = 0;
	int fd = -1;

	assert_int_equal(ban_map_create(&fd), GP_OK);
	assert_int_equal(ban_map_open_write(fd, &map), GP_OK);
	bans_use_map(core, &map);
	for (uint32_t n = 0; n < BANS_MAX; n++) {
		struct ip_net net = v4_net(n);

		ban(world, &net, BAN_MS);
	}
	for (uint32_t n = 0; n < FLOOD; n++) {
		struct ip_net net = v6_net(n);

		if (n == FILLED)
			filled = allocated();
		ban(world, &net, BAN_MS + n);
	}
	assert_true(allocated() < filled + GROWTH);
	assert_int_equal(core->bans.v4.count, BANS_MAX);
	assert_int_equal(core->bans.v6[IP_LEVEL_SOURCE].count, BANS_MAX);
	assert_int_equal(core->bans.by_net.count, 2 * BANS_MAX);
	for (uint32_t n = 0; n < BANS_MAX; n++) {
		struct ip_net net = v4_net(n);
		struct ip_net newest = v6_net(FLOOD - BANS_MAX + n);

		assert_int_equal(bans_left(core, &net.base), BAN_MS);
		assert_true(bans_left(core, &newest.base) > BAN_MS);
	}
	for (uint32_t n = 0; n < FLOOD - BANS_MAX; n++) {
		struct ip_net net = v6_net(n);

		assert_int_equal(bans_left(core, &net.base), 0);
	}
	(void)close(fd);
}

static void on_counted(struct counter_ask *ask, const struct counter_result *result)
{
	assert_int_equal(result->answer, COUNTER_DONE);
	(void)ask;
}

static void add_failure(struct world *world, const struct ip_net *net, unsigned weight)
{
	struct counter_ask ask = { .on_answer = on_counted };

	for (unsigned level = 0; level < ip_levels(&net->base); level++) {
		struct ip_net wider = ip_level_net(&net->base, (enum ip_level)level);

		counter_add(source_window(world->core, &net->base, (enum ip_level)level),
			source_key(&wider.base), weight, 0, &ask);
	}
}

static unsigned failures(struct world *world, const struct ip_net *net)
{
	return counter_committed(
		source_window(world->core, &net->base, IP_LEVEL_SOURCE), source_key(&net->base));
}

static void full_windows_under_a_flood(void **state)
{
	enum {
		STRONG = 1000
	};
	struct world *world = *state;
	size_t filled = 0;

	for (uint32_t n = 0; n < WINDOW_KEYS_MAX; n++) {
		struct ip_net net = v4_net(n);

		add_failure(world, &net, 1);
	}
	for (uint32_t n = 0; n < FLOOD; n++) {
		struct ip_net net = v6_net(n);

		if (n == FILLED)
			filled = allocated();
		/* The first of them are one failure from a ban. */
		add_failure(world, &net, n < STRONG ? 4 : 1);
	}
	assert_true(allocated() < filled + GROWTH);
	for (uint32_t n = 0; n < WINDOW_KEYS_MAX; n++) {
		struct ip_net net = v4_net(n);

		assert_int_equal(failures(world, &net), 1);
	}
	for (uint32_t n = 0; n < FLOOD; n++) {
		struct ip_net net = v6_net(n);
		bool is_newest = n >= FLOOD - (WINDOW_KEYS_MAX - STRONG);

		if (n < STRONG)
			assert_int_equal(failures(world, &net), 4);
		else
			assert_int_equal(failures(world, &net), is_newest ? 1 : 0);
	}
}

static unsigned failures_of(struct world *world, const char *source, enum ip_level level)
{
	struct ip ip = world_ip(source);
	struct ip_net net = ip_level_net(&ip, level);

	return counter_committed(source_window(world->core, &ip, level), source_key(&net.base));
}

static void to_lift_a_network_forgives_all_in_it(void **state)
{
	static const char inside[] = "2001:db8:7:101::";
	static const char outside[] = "2001:db8:7:201::";
	struct world *world = world_new("autoban_failures_56 = 6\n", true);

	(void)state;
	for (unsigned n = 0; n < 6; n++)
		(void)world_try(world, n + 1, SERVICE_IMAP,
			n % 2 ? inside : "2001:db8:7:102::", n % 2 ? "wrong one" : "wrong two");
	(void)world_try(world, 10, SERVICE_IMAP, outside, "wrong");
	assert_int_equal(world->core->bans.v6[IP_LEVEL_56].count, 1);
	assert_int_equal(failures_of(world, inside, IP_LEVEL_SOURCE), 3);
	assert_int_equal(
		world_op(world, "ban.remove", "{\"source\":\"2001:db8:7:100::/56\"}"), GP_OK);
	assert_int_equal(failures_of(world, inside, IP_LEVEL_SOURCE), 0);
	assert_int_equal(failures_of(world, "2001:db8:7:102::", IP_LEVEL_SOURCE), 0);
	assert_int_equal(failures_of(world, inside, IP_LEVEL_56), 0);
	/* Beside it, and above, nothing is forgiven. */
	assert_int_equal(failures_of(world, outside, IP_LEVEL_SOURCE), 1);
	assert_int_equal(failures_of(world, outside, IP_LEVEL_56), 1);
	assert_int_equal(failures_of(world, inside, IP_LEVEL_48), 7);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_lift_a_network_forgives_all_in_it),
		cmocka_unit_test_setup_teardown(a_full_ban_table_under_a_flood, begin, end),
		cmocka_unit_test_setup_teardown(full_windows_under_a_flood, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
