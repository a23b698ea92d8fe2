/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "ipc/ban_map.h"

enum {
	NOW = 1000000,
	SPAN = 60000,
	PLACES = BAN_MAP_SPARE * BAN_MAP_ENTRIES, /* of one table */
};

struct world {
	int fd;
	int read_fd;
	struct ban_map *core;
	struct ban_map *front;
};

static int set_up(void **state)
{
	static struct world world;

	clock_fake(1000, NOW);
	assert_int_equal(ban_map_create(&world.fd), GP_OK);
	assert_int_equal(ban_map_reopen_read(world.fd, &world.read_fd), GP_OK);
	assert_int_equal(ban_map_open_write(world.fd, &world.core), GP_OK);
	assert_int_equal(ban_map_open_read(world.read_fd, &world.front), GP_OK);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	ban_map_close(&world->core);
	ban_map_close(&world->front);
	(void)close(world->fd);
	(void)close(world->read_fd);
	return 0;
}

static struct ip v4(uint32_t number)
{
	struct ip ip = { .family = IP_V4 };

	for (size_t i = 0; i < 4; i++)
		ip.bytes[i] = (uint8_t)(number >> (24 - 8 * i));
	return ip;
}

static struct ip v6(uint64_t number)
{
	struct ip ip = { .family = IP_V6 };

	for (size_t i = 0; i < 8; i++)
		ip.bytes[i] = (uint8_t)(number >> (56 - 8 * i));
	return ip;
}

/* The ban of a source. */
static void ban_in(struct ban_map *map, const struct ip *source, int64_t until)
{
	struct ip_net net = ip_level_net(source, IP_LEVEL_SOURCE);

	ban_map_set(map, &net, until, 0);
}

static void unban(struct world *world, const struct ip *source)
{
	struct ip_net net = ip_level_net(source, IP_LEVEL_SOURCE);

	ban_map_clear(world->core, &net);
}

static void a_ban_is_seen_and_ends(void **state)
{
	struct world *world = *state;
	struct ip source = v4(0xc0000201);
	struct ip other = v4(0xc0000202);

	assert_int_equal(ban_map_left(world->front, &source), 0);
	ban_in(world->core, &source, NOW + SPAN);
	assert_int_equal(ban_map_left(world->front, &source), SPAN);
	assert_int_equal(ban_map_left(world->front, &other), 0);
	clock_fake(1000, NOW + SPAN - 1);
	assert_int_equal(ban_map_left(world->front, &source), 1);
	clock_fake(1000, NOW + SPAN);
	assert_int_equal(ban_map_left(world->front, &source), 0);
}

static void a_later_ban_replaces_and_clearing_ends_it(void **state)
{
	struct world *world = *state;
	struct ip source = v6(0x20010db800000001);

	ban_in(world->core, &source, NOW + SPAN);
	ban_in(world->core, &source, NOW + 2 * SPAN);
	assert_int_equal(ban_map_left(world->front, &source), 2 * SPAN);
	ban_in(world->core, &source, NOW + 1);
	assert_int_equal(ban_map_left(world->front, &source), 1);
	unban(world, &source);
	assert_int_equal(ban_map_left(world->front, &source), 0);
	unban(world, &source);
	ban_in(world->core, &source, NOW + SPAN);
	ban_map_clear_all(world->core);
	assert_int_equal(ban_map_left(world->front, &source), 0);
}

static void the_shift_of_core_moves_all_ends(void **state)
{
	struct world *world = *state;
	struct ip source = v4(1);

	ban_in(world->core, &source, NOW + SPAN);
	ban_map_set_shift(world->core, SPAN - 10);
	assert_int_equal(ban_map_shift(world->front), SPAN - 10);
	assert_int_equal(ban_map_left(world->front, &source), 10);
	ban_map_set_shift(world->core, SPAN);
	assert_int_equal(ban_map_left(world->front, &source), 0);
}

static void no_address_is_no_source(void **state)
{
	struct world *world = *state;
	struct ip none = { .family = IP_NONE };
	struct ip zero = v4(0);

	ban_in(world->core, &none, NOW + SPAN);
	unban(world, &none);
	assert_int_equal(ban_map_left(world->front, &none), 0);
	assert_int_equal(ban_map_left(world->front, &zero), 0);
	ban_in(world->core, &zero, NOW + SPAN);
	assert_int_equal(ban_map_left(world->front, &zero), SPAN);
}

/* Networks flood the IPv6 half far beyond its size: IPv4 bans stay, all of them, and what is thrown
 * out is what ends first. */
static void a_flood_of_networks_moves_no_address(void **state)
{
	struct world *world = *state;
	enum {
		ADDRESSES = 2000,
		FLOOD = 4 * PLACES,
		LAST = 1000
	};
	size_t kept = 0;

	for (uint32_t n = 0; n < ADDRESSES; n++) {
		struct ip source = v4(0x0a000000 + n);

		ban_in(world->core, &source, NOW + SPAN);
	}
	for (uint32_t n = 0; n < FLOOD; n++) {
		struct ip source = v6(((uint64_t)0x20010db8 << 32) + n);

		ban_in(world->core, &source, NOW + SPAN + n);
		if (n >= FLOOD - LAST)
			assert_int_equal(ban_map_left(world->front, &source), SPAN + n);
	}
	for (uint32_t n = 0; n < ADDRESSES; n++) {
		struct ip source = v4(0x0a000000 + n);

		assert_int_equal(ban_map_left(world->front, &source), SPAN);
	}
	for (uint32_t n = 0; n < FLOOD; n++) {
		struct ip source = v6(((uint64_t)0x20010db8 << 32) + n);

		kept += ban_map_left(world->front, &source) > 0;
		if (n >= FLOOD - LAST)
			assert_true(ban_map_left(world->front, &source) > 0);
	}
	assert_true(kept <= PLACES && kept > PLACES * 99 / 100);
}

/* Within one set of places the ban that ends first goes, whichever came first. */
static void the_ban_that_ends_first_goes(void **state)
{
	struct world *world = *state;
	struct ip longest = v4(1);

	ban_in(world->core, &longest, NOW + 1000 * SPAN);
	for (uint32_t n = 2; n < 4 * PLACES; n++) {
		struct ip source = v4(n);

		ban_in(world->core, &source, NOW + SPAN);
	}
	assert_int_equal(ban_map_left(world->front, &longest), 1000 * SPAN);
}

static void a_front_cannot_write(void **state)
{
	struct world *world = *state;
	void *memory =
		mmap(NULL, ban_map_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, world->read_fd, 0);

	assert_ptr_equal(memory, MAP_FAILED);
	assert_int_equal(errno, EACCES);
	memory = mmap(NULL, ban_map_bytes(), PROT_READ, MAP_SHARED, world->read_fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(mprotect(memory, ban_map_bytes(), PROT_READ | PROT_WRITE), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(pwrite(world->read_fd, "x", 1, 0), -1);
	(void)munmap(memory, ban_map_bytes());
	/* Nor pull the memory from under core. */
	assert_int_equal(ftruncate(world->fd, 0), -1);
	assert_int_equal(errno, EPERM);
}

/* Another user cannot open the memory anew through /proc. */
static void another_user_cannot_reopen(void **state)
{
	struct world *world = *state;
	char path[64];
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0) {
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", world->read_fd);
		if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)
			_exit(2);
		_exit(open(path, O_RDWR) < 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void memory_of_another_size_is_refused(void **state)
{
	struct ban_map *map = NULL;
	int fd = memfd_create("short", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(ban_map_open_read(fd, &map), GP_ERR_PROTOCOL);
	assert_null(map);
	(void)close(fd);
}

/* Another source that stands in the very place of this one, in a half that is full of longer bans:
 * it drives the other out. */
static struct ip find_rival(struct ban_map *core, const struct ip *source)
{
	for (uint32_t n = 0; n < 4 * PLACES; n++) {
		struct ip filler = v4(0x0b000000 + n);

		ban_in(core, &filler, NOW + 1000 * SPAN);
	}
	for (uint32_t n = 0;; n++) {
		struct ip rival = v4(0x0c000000 + n);

		ban_in(core, source, NOW + SPAN);
		ban_in(core, &rival, NOW + 2 * SPAN);
		if (ban_map_left(core, source) == 0)
			return rival;
		/* As long as the rest, so that it is not the first to go where it stands. */
		ban_in(core, &rival, NOW + 1000 * SPAN);
	}
}

/* Core writes two bans over each other in one place as fast as it can, in another process; a reader
 * never sees the end of one with the name of the other. */
static void sum_left(const struct ip_net *net, int64_t left, uint64_t origin, void *arg)
{
	(void)origin;
	(void)net;
	*(int64_t *)arg += left;
}

static void see_ban(const struct ip_net *net, int64_t left, uint64_t origin, void *arg)
{
	assert_int_equal(origin, 0xfedcba9876543210);
	assert_int_equal(left, SPAN);
	*(struct ip_net *)arg = *net;
}

static void all_bans_can_be_visited(void **state)
{
	struct world *world = *state;
	const struct ip host = v4(0xc0000205);
	const struct ip network = v6(0x20010db801020304);
	const struct ip_net nets[] = { ip_level_net(&host, IP_LEVEL_SOURCE),
		ip_level_net(&network, IP_LEVEL_SOURCE), ip_level_net(&network, IP_LEVEL_56),
		ip_level_net(&network, IP_LEVEL_48) };
	int64_t sum = 0;

	ban_map_each(world->core, sum_left, &sum);
	assert_int_equal(sum, 0);
	for (size_t i = 0; i < GP_ARRAY_LEN(nets); i++) {
		struct ip_net seen = { .prefix = 0 };

		ban_map_set(world->core, &nets[i], NOW + SPAN, 0xfedcba9876543210);
		ban_map_each(world->core, see_ban, &seen);
		assert_true(ip_net_equal(&seen, &nets[i]));
		ban_map_clear(world->core, &nets[i]);
	}
	for (uint32_t i = 1; i <= 100; i++) {
		struct ip one = v4(i);

		ban_in(world->core, &one, NOW + 1000 * i);
	}
	ban_map_each(world->core, sum_left, &sum);
	assert_int_equal(sum, 1000 * 5050);
	clock_fake(1000, NOW + SPAN);
	sum = 0;
	ban_map_each(world->core, sum_left, &sum);
	assert_int_equal(sum, 1000 * 820); /* of those that last 61 to 100 seconds */
}

/* The reference is that of the ban that counts: the one that lasts longest. */
static void a_ban_knows_its_origin(void **state)
{
	struct world *world = *state;
	const struct ip network = v6(0x20010db801020304);
	const struct ip_net own = ip_level_net(&network, IP_LEVEL_SOURCE);
	const struct ip_net wide = ip_level_net(&network, IP_LEVEL_48);

	assert_int_equal(ban_map_origin(world->front, &network), 0);
	ban_map_set(world->core, &own, NOW + SPAN, 11);
	assert_int_equal(ban_map_origin(world->front, &network), 11);
	ban_map_set(world->core, &wide, NOW + SPAN / 2, 22);
	assert_int_equal(ban_map_origin(world->front, &network), 11);
	ban_map_set(world->core, &wide, NOW + 2 * SPAN, 33);
	assert_int_equal(ban_map_origin(world->front, &network), 33);
	ban_map_clear(world->core, &wide);
	assert_int_equal(ban_map_origin(world->front, &network), 11);
	clock_fake(1000, NOW + SPAN);
	assert_int_equal(ban_map_origin(world->front, &network), 0);
}

static void readers_never_see_half_a_ban(void **state)
{
	struct world *world = *state;
	struct ip a = v4(7);
	struct ip b = find_rival(world->core, &a);
	size_t seen = 0;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		/* Ends by itself where the test fails. */
		for (uint32_t n = 0; n < 500000000; n++)
			ban_in(world->core, n % 2 == 0 ? &a : &b,
				NOW + (n % 2 == 0 ? SPAN : 2 * SPAN));
		_exit(0);
	}
	/* Longer where the writer has not had its turn yet. */
	for (size_t n = 0; n < 3000000 || (seen == 0 && n < 3000000000U); n++) {
		int64_t left_a = ban_map_left(world->front, &a);
		int64_t left_b = ban_map_left(world->front, &b);

		assert_true(left_a == 0 || left_a == SPAN);
		assert_true(left_b == 0 || left_b == 2 * SPAN);
		seen += left_a > 0;
	}
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(seen > 0);
	/* Killed in the midst of writing: the next core goes on, and readers with it. */
	ban_in(world->core, &a, NOW + 3 * SPAN);
	assert_int_equal(ban_map_left(world->front, &a), 3 * SPAN);
}

/* A /56 and a /48 keep out every address in them and no other; each level is lifted by itself. */
static void an_aggregate_is_banned_as_a_whole(void **state)
{
	struct world *world = *state;
	struct ip source = v6(0x20010db800010203);
	struct ip neighbour = v6(0x20010db8000102ff);
	struct ip cousin = v6(0x20010db800010300);
	struct ip stranger = v6(0x20010db800020203);
	struct ip address = source;
	struct ip_net net56 = ip_level_net(&source, IP_LEVEL_56);
	struct ip_net net48 = ip_level_net(&source, IP_LEVEL_48);
	struct ip_net odd = { source, 60 };

	address.bytes[15] = 9;
	ban_map_set(world->core, &net56, NOW + SPAN, 0);
	assert_int_equal(ban_map_left(world->front, &source), SPAN);
	assert_int_equal(ban_map_left(world->front, &address), SPAN);
	assert_int_equal(ban_map_left(world->front, &neighbour), SPAN);
	assert_int_equal(ban_map_left(world->front, &cousin), 0);
	ban_map_set(world->core, &net48, NOW + 3 * SPAN, 0);
	assert_int_equal(ban_map_left(world->front, &source), 3 * SPAN);
	assert_int_equal(ban_map_left(world->front, &cousin), 3 * SPAN);
	assert_int_equal(ban_map_left(world->front, &stranger), 0);
	assert_int_equal(ban_map_net_left(world->front, &net56), SPAN);
	ban_in(world->core, &source, NOW + 2 * SPAN);
	ban_map_clear(world->core, &net48);
	assert_int_equal(ban_map_left(world->front, &source), 2 * SPAN);
	assert_int_equal(ban_map_left(world->front, &cousin), 0);
	ban_map_clear_all(world->core);
	assert_int_equal(ban_map_left(world->front, &source), 0);
	/* No level's network: nothing to ban. */
	ban_map_set(world->core, &odd, NOW + SPAN, 0);
	assert_int_equal(ban_map_left(world->front, &source), 0);
}

/* The attack of the largest size: every place of IPv4 taken, then a million fresh IPv6 networks, as
 * /64, as /56 and as /48. The memory is what it was, no IPv4 ban has moved, and of the IPv6 ones
 * those that end last are there. */
static void a_million_networks_find_a_fixed_table(void **state)
{
	enum {
		FLOOD = 1000000,
		LAST = 5000
	};
	struct world *world = *state;
	size_t v4_before = 0;
	size_t v4_after = 0;

	for (uint32_t n = 0; n < BAN_MAP_ENTRIES; n++) {
		struct ip source = v4(0x0a000000 + n);

		ban_in(world->core, &source, NOW + SPAN + n);
	}
	for (uint32_t n = 0; n < BAN_MAP_ENTRIES; n++) {
		struct ip source = v4(0x0a000000 + n);

		v4_before += ban_map_left(world->front, &source) == SPAN + n;
	}
	for (uint32_t n = 0; n < FLOOD; n++) {
		struct ip source = v6(((uint64_t)0x2001 << 48) | ((uint64_t)n << 16) | (n & 0xff));
		struct ip_net net = ip_level_net(&source, (enum ip_level)(n % IP_LEVELS));

		ban_map_set(world->core, &net, NOW + SPAN + n, 0);
		if (n >= FLOOD - LAST)
			assert_int_equal(ban_map_net_left(world->front, &net), SPAN + n);
	}
	for (uint32_t n = 0; n < BAN_MAP_ENTRIES; n++) {
		struct ip source = v4(0x0a000000 + n);

		v4_after += ban_map_left(world->front, &source) == SPAN + n;
	}
	for (uint32_t n = FLOOD - LAST; n < FLOOD; n++) {
		struct ip source = v6(((uint64_t)0x2001 << 48) | ((uint64_t)n << 16) | (n & 0xff));

		assert_true(ban_map_left(world->front, &source) > 0);
	}
	assert_int_equal(v4_after, v4_before);
	assert_true(v4_before > BAN_MAP_ENTRIES * 99 / 100);
	assert_int_equal(lseek(world->fd, 0, SEEK_END), (off_t)ban_map_bytes());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ban_is_seen_and_ends),
		TEST(a_later_ban_replaces_and_clearing_ends_it),
		TEST(the_shift_of_core_moves_all_ends),
		TEST(no_address_is_no_source),
		TEST(a_flood_of_networks_moves_no_address),
		TEST(the_ban_that_ends_first_goes),
		TEST(an_aggregate_is_banned_as_a_whole),
		TEST(a_million_networks_find_a_fixed_table),
		TEST(a_front_cannot_write),
		TEST(another_user_cannot_reopen),
		TEST(memory_of_another_size_is_refused),
		TEST(all_bans_can_be_visited),
		TEST(a_ban_knows_its_origin),
		TEST(readers_never_see_half_a_ban),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
