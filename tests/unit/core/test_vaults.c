/* SPDX-License-Identifier: ISC */
/* Who comes first where main passwords wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "world.h"

enum {
	AT_ONCE = 2, /* the slow vaults of the world */
};

static const char home[] = "203.0.113.50";

static void stranger(struct world *world, unsigned n)
{
	char client[32];
	char login[32];

	(void)snprintf(client, sizeof client, "198.51.100.%u", n);
	(void)snprintf(login, sizeof login, "user%u@example.test", n);
	world_open(world, 0, n, SERVICE_IMAP, client);
	world_signin(world, 0, n, login, "a guess");
	world_settle(world);
}

static void resident(struct world *world, uint64_t session)
{
	world_open(world, 1, session, SERVICE_IMAP, home);
	world_signin(world, 1, session, "alice@example.test", "right");
	world_settle(world);
}

/* Answers the oldest question; true: the one that a vault gets now is the resident's. */
static bool is_resident_next(struct world *world)
{
	struct world_held oldest = world->held[0];
	unsigned count = world->held_count;

	memmove(&world->held[0], &world->held[1], (count - 1) * sizeof oldest);
	world->held_count--;
	world_answer_verify(world, &oldest);
	world_settle(world);
	assert_int_equal(world->held_count, count);
	return strcmp(world->held[count - 1].secret, "right") == 0;
}

static struct world *world_of(const char *conf)
{
	struct world *world = world_new(conf, true);

	world->known_source = world_ip(home);
	world->is_holding = true;
	return world;
}

static void known_sources_go_first(void **state)
{
	struct world *world = world_of("");

	(void)state;
	for (unsigned n = 1; n <= AT_ONCE + 10; n++)
		stranger(world, n);
	assert_int_equal(world->held_count, AT_ONCE);
	resident(world, 100);
	assert_int_equal(vaults_waiting(world->core, IPC_LANE_SLOW), 11);
	assert_true(is_resident_next(world));
	assert_false(is_resident_next(world));
	world_answer_held(world);
	assert_int_equal(world_answer_of(world, 100)->verdict, VERDICT_OK);
	assert_int_equal(world_count(world, VERDICT_DENY), AT_ONCE + 10);
	world_free(&world);
}

static void strangers_have_their_turn(void **state)
{
	struct world *world = world_of("");
	unsigned turns = 0;

	(void)state;
	for (unsigned n = 1; n <= AT_ONCE + 4; n++)
		stranger(world, n);
	for (uint64_t n = 0; n < 3 * VAULTS_STRANGERS_TURN; n++)
		resident(world, 100 + n);
	for (unsigned n = 0; n < 2 * VAULTS_STRANGERS_TURN; n++)
		turns += !is_resident_next(world);
	assert_int_equal(turns, 2);
	world_answer_held(world);
	assert_int_equal(world_count(world, VERDICT_OK), 3 * VAULTS_STRANGERS_TURN);
	world_free(&world);
}

static void strangers_give_way(void **state)
{
	struct world *world = world_of("signin_queue = 4\n");

	(void)state;
	for (unsigned n = 1; n <= AT_ONCE + 4; n++)
		stranger(world, n);
	assert_int_equal(world_count(world, VERDICT_TEMPORARY), 0);
	for (uint64_t n = 0; n < 4; n++)
		resident(world, 100 + n);
	/* All four that waited are gone, and a fifth finds no room. */
	assert_int_equal(world_count(world, VERDICT_TEMPORARY), 4);
	stranger(world, 20);
	assert_int_equal(world_answer_of(world, 20)->verdict, VERDICT_TEMPORARY);
	/* Nor does a resident among residents. */
	resident(world, 110);
	assert_int_equal(world_answer_of(world, 110)->verdict, VERDICT_TEMPORARY);
	assert_int_equal(vaults_waiting(world->core, IPC_LANE_SLOW), 4);
	world_answer_held(world);
	assert_int_equal(world_count(world, VERDICT_OK), 4);
	world_free(&world);
}

/* Main passwords need the fast vault for one question only, which another can answer. */
static void main_passwords_go_on_without_the_fast_vault(void **state)
{
	struct world *world = world_new("", true);
	const struct attempt *attempt = NULL;

	(void)state;
	world->known_source = world_ip(home);
	world->is_fast_mute = true;
	resident(world, 1);
	assert_int_equal(world->lookups, 1);
	attempt = TAILQ_FIRST(&world->core->vaults.vault[FAST]->checking);
	assert_true(attempt->timer.due <= clock_real() + SIGNIN_LOOKUP_MS * INT64_C(1000000));
	world_await_answers(world, 1);
	assert_int_equal(world->lookups, 2);
	assert_int_equal(world_answer_of(world, 1)->verdict, VERDICT_OK);
	/* Nor when it is gone, ... */
	world_cut_vault(world, FAST);
	resident(world, 2);
	assert_int_equal(world_answer_of(world, 2)->verdict, VERDICT_MAX);
	world_await_answers(world, 2);
	assert_int_equal(world_answer_of(world, 2)->verdict, VERDICT_OK);
	assert_int_equal(world->core->vaults.fast.count, 0);
	/* ... and the guesses count as ever. */
	for (unsigned n = 1; n <= 6; n++) {
		world_open(world, 0, 100 + n, SERVICE_IMAP, "198.51.100.1");
		world_signin(world, 0, 100 + n, "alice@example.test", "a guess");
	}
	world_await_answers(world, 8);
	assert_int_equal(world->counted, 5);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_sources_go_first),
		cmocka_unit_test(strangers_have_their_turn),
		cmocka_unit_test(strangers_give_way),
		cmocka_unit_test(main_passwords_go_on_without_the_fast_vault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
