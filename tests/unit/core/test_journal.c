/* SPDX-License-Identifier: ISC */
/* What core hands to the desk vault, until it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

static const char source[] = "198.51.100.7";

/* The desk says so. */
static void say_kept(struct world *world, uint64_t number, bool again)
{
	struct ipc_message message = { .type = IPC_KEPT, .kept = { number, again } };

	assert_int_equal(chan_send(world->vaults[0].chan, &message, -1), GP_OK);
	world_settle(world);
}

static void events_wait_for_a_vault(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	world->is_keeping_mute = true;
	world_cut_vault(world, 0);
	for (uint64_t i = 1; i <= 5; i++)
		(void)world_try(world, i, SERVICE_IMAP, source, "wrong");
	assert_int_equal(world->counted, 0);
	assert_int_equal(world->core->journal.count, 6);
	world_connect_vault(world, 0);
	world_settle(world);
	assert_int_equal(world->counted, 5);
	assert_int_equal(world->bans_kept, 1);
	/* All are sent, and stay until they are kept. */
	assert_int_equal(world->core->journal.count, 6);
	say_kept(world, world->journal + 4, false);
	assert_int_equal(world->core->journal.count, 2);
	say_kept(world, world->journal + 100, false);
	assert_int_equal(world->core->journal.count, 0);
	world_free(&world);
}

/* What a vault took along when it died, or the store did not take, is sent again, in order. */
static void events_are_sent_again_until_they_are_kept(void **state)
{
	struct world *world = world_new("", true);
	uint64_t first;

	(void)state;
	world->is_keeping_mute = true;
	(void)world_try(world, 1, SERVICE_IMAP, source, "wrong");
	(void)world_try(world, 2, SERVICE_IMAP, source, "wrong");
	first = world->journal;
	assert_true(first > 0 && first <= INT64_MAX);
	assert_int_equal(world->counted, 2);
	say_kept(world, first + 1, false);
	world_cut_vault(world, 0);
	world_connect_vault(world, 0);
	world_settle(world);
	assert_int_equal(world->journal, first + 1);
	assert_int_equal(world->counted, 3);
	/* The store takes none: what comes waits for the next try. */
	say_kept(world, first + 1, true);
	(void)world_try(world, 3, SERVICE_IMAP, source, "wrong");
	assert_int_equal(world->counted, 3);
	assert_int_equal(world->core->journal.count, 2);
	say_kept(world, first + 1, true); /* said twice */
	journal_tick(world->core);
	world_settle(world);
	assert_int_equal(world->journal, first + 1);
	assert_int_equal(world->counted, 5);
	assert_int_equal(world->core->stats.events_sent, 3);
	say_kept(world, first + 3, false);
	assert_int_equal(world->core->journal.count, 0);
	(void)world_try(world, 4, SERVICE_IMAP, source, "wrong");
	assert_int_equal(world->journal, first + 1);
	assert_int_equal(world->counted, 6);
	/* A vault that claims to have kept what it never got is not believed. */
	world_cut_vault(world, 0);
	(void)world_try(world, 5, SERVICE_IMAP, source, "wrong");
	world_connect_vault(world, 0);
	world_settle(world);
	assert_int_equal(world->journal, first + 3);
	assert_int_equal(world->counted, 8);
	world_free(&world);
}

/* A ban is reported when the store has it, so that it stands whatever ends then. */
static void a_ban_is_told_when_it_is_kept(void **state)
{
	static const char add[] = "{\"source\":\"198.51.100.9\"}";
	struct world *world = world_new("", true);
	unsigned done;

	(void)state;
	world->is_keeping_mute = true;
	(void)world_try(world, 1, SERVICE_IMAP, source, "wrong");
	/* Other records are not waited for. */
	assert_int_equal(world_op(world, "ban.list", "{}"), GP_OK);
	done = world->done_count;
	(void)world_ask(world, "ban.add", add);
	(void)world_ask(world, "ban.list", "{}");
	world_settle(world);
	assert_int_equal(world->done_count, done);
	say_kept(world, world->journal + 1, false);
	assert_int_equal(world->done_count, done);
	say_kept(world, world->journal + 2, false);
	assert_int_equal(world->done_count, done + 2);
	assert_int_equal(world->done[done].err, GP_OK);
	assert_int_equal(world->done[done + 1].err, GP_OK);
	assert_int_equal(world_op(world, "ban.list", "{}"), GP_OK);
	/* The store takes none: the change is in force, and that is said. */
	(void)world_ask(world, "ban.remove", add);
	(void)world_ask(world, "ban.list", "{}");
	world_settle(world);
	say_kept(world, world->journal + 2, true);
	assert_int_equal(world->done[done + 3].err, GP_ERR_STORE);
	assert_int_equal(world->done[done + 4].err, GP_OK);
	assert_int_equal(world_op(world, "ban.add", add), GP_ERR_STORE);
	assert_int_equal(world_op(world, "ban.list", "{}"), GP_OK);
	assert_int_equal(json_array_size(world->rows), 1);
	/* It takes some again. */
	world->is_keeping_mute = false;
	journal_tick(world->core);
	world_settle(world);
	assert_int_equal(world_op(world, "ban.remove", add), GP_OK);
	world_free(&world);
}

/* Who asks may go meanwhile, and so may core. */
static void who_waits_for_a_ban_to_be_kept_may_go(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	world->is_keeping_mute = true;
	(void)world_ask(world, "ban.add", "{\"source\":\"198.51.100.9\"}");
	world_settle(world);
	chan_free(&world->cli.chan);
	world_settle(world);
	say_kept(world, world->journal + 1, false);
	assert_int_equal(world->core->control.ops.count, 0);
	world_free(&world);
}

/* What only informs gives way first; what counts has the other half of the room. */
static void the_journal_is_bounded(void **state)
{
	struct world *world = world_new("", true);
	struct ipc_message message = { .type = IPC_BAN_DROP, .ban_drop = { world_ip(source) } };

	(void)state;
	world_cut_vault(world, 0);
	for (unsigned i = 0; i < JOURNAL_WAITING_MAX + 10; i++)
		journal_send(world->core, &message, false);
	assert_int_equal(world->core->journal.count, JOURNAL_INFORM_MAX);
	for (unsigned i = 0; i < JOURNAL_WAITING_MAX + 10; i++)
		journal_send(world->core, &message, true);
	assert_int_equal(world->core->journal.count, JOURNAL_WAITING_MAX);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_wait_for_a_vault),
		cmocka_unit_test(events_are_sent_again_until_they_are_kept),
		cmocka_unit_test(a_ban_is_told_when_it_is_kept),
		cmocka_unit_test(who_waits_for_a_ban_to_be_kept_may_go),
		cmocka_unit_test(the_journal_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
