/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "world.h"

enum {
	MINUTE_MS = 60 * 1000,
};

static const char *const every = "";
static const char *const distinct = "autoban_count = distinct\n";
static const char source[] = "198.51.100.7";

static const enum service services[] = { SERVICE_SUBMISSION, SERVICE_IMAP, SERVICE_POP3 };

/* n sessions of one source on both fronts and three services, all signing in at once. */
static void try_many(
	struct world *world, uint64_t first, unsigned n, const char *secret, bool is_different)
{
	for (unsigned i = 0; i < n; i++) {
		char each[64];

		(void)snprintf(each, sizeof each, is_different ? "%s%u" : "%s", secret, i);
		world_open(world, i % WORLD_FRONTS, first + i, services[i % GP_ARRAY_LEN(services)],
			source);
		world_signin(world, i % WORLD_FRONTS, first + i, "alice@example.test", each);
	}
	world_settle(world);
}

static void exactly_five(const char *mode, bool is_different)
{
	struct world *world = world_new(mode, true);

	try_many(world, 1, 200, "wrong", is_different);
	world_await_answers(world, 200);
	world_settle(world);
	assert_int_equal(world->core->stats.guesses_checked, 5);
	assert_int_equal(world_count(world, VERDICT_DENY_BANNED), 1);
	assert_int_equal(world_count(world, VERDICT_OK), 0);
	assert_int_equal(world->counted, 5);
	assert_int_equal(world->bans_kept, 1);
	assert_int_equal(world->core->stats.bans_set, 1);
	assert_int_equal(world->core->signins.by_id.count, 0);
	world_free(&world);
}

static void of_200_at_once_five_are_checked(void **state)
{
	struct world *world = world_new(every, true);

	(void)state;
	try_many(world, 1, 200, "wrong", true);
	world_await_answers(world, 200);
	assert_int_equal(world->verified, 5);
	assert_int_equal(world->wrong, 5);
	assert_int_equal(world_count(world, VERDICT_DENY), 4);
	assert_int_equal(world_count(world, VERDICT_BANNED), 195);
	world_free(&world);
	for (unsigned round = 0; round < 5; round++) {
		exactly_five(every, true);
		exactly_five(every, false);
		exactly_five(distinct, true);
	}
}

static void with_distinct_one_mistake_counts_once(void **state)
{
	struct world *world = world_new("autoban_count = distinct\nautoban_repeats = 20\n", true);

	(void)state;
	try_many(world, 1, 21, "mistake", false);
	world_await_answers(world, 21);
	assert_int_equal(world_count(world, VERDICT_DENY), 21);
	assert_int_equal(world->core->stats.guesses_checked, 1);
	assert_int_equal(world->core->stats.guesses_repeated, 20);
	assert_int_equal(world->counted, 1);
	assert_int_equal(world->last_reason, REASON_REPEATED);
	/* Worn out: now each counts. */
	try_many(world, 100, 4, "mistake", false);
	assert_int_equal(world->core->stats.guesses_checked, 5);
	assert_int_equal(world->core->stats.bans_set, 1);
	world_free(&world);
}

static void fifty_right_passwords_all_get_in(void **state)
{
	struct world *world = world_new(every, true);

	(void)state;
	world->is_holding = true;
	try_many(world, 1, 50, "right", false);
	/* Five places, two slow vaults with one question each. */
	assert_int_equal(world->verified, 2);
	assert_int_equal(world->core->vaults.slow.count, 3);
	assert_int_equal(world->core->signins.waiting, 45);
	world_answer_held(world);
	world_await_answers(world, 50);
	assert_int_equal(world_count(world, VERDICT_OK), 50);
	assert_int_equal(world->core->stats.signins_ok, 50);
	assert_int_equal(world->core->stats.signins_waited, 45);
	assert_int_equal(world->counted, 0);
	assert_int_equal(world->most_at_once[2], 1);
	assert_int_equal(world->most_at_once[3], 1);
	assert_int_equal(world->core->sessions.signed_in, 50);
	world_free(&world);
}

static void a_success_clears_nothing(void **state)
{
	struct world *world = world_new(every, true);

	(void)state;
	for (uint64_t i = 1; i <= 4; i++)
		assert_int_equal(world_try(world, i, SERVICE_IMAP, source, "wrong"), VERDICT_DENY);
	assert_int_equal(world_try(world, 5, SERVICE_IMAP, source, "right"), VERDICT_OK);
	assert_int_equal(world_try(world, 6, SERVICE_POP3, source, "wrong"), VERDICT_DENY_BANNED);
	assert_int_equal(world_answer_of(world, 6)->ban_ms, 30 * MINUTE_MS);
	world_free(&world);
}

static void what_a_right_sign_in_brings(void **state)
{
	struct world *world = world_new(every, true);
	const struct world_answer *answer = NULL;

	(void)state;
	world_open(world, 1, 9, SERVICE_POP3, source);
	world_signin(world, 1, 9, "Alice%MAIL.example.test.", "right");
	world_settle(world);
	answer = world_answer_of(world, 9);
	assert_int_equal(answer->verdict, VERDICT_OK);
	assert_string_equal(answer->address, "alice@example.test");
	assert_string_equal(answer->backend, "pop3");
	assert_string_equal(answer->token, "token");
	/* The listener's default domain; and what was typed is what the event says. */
	world_open(world, 1, 10, SERVICE_POP3, source);
	world_signin(world, 1, 10, "bob", "right");
	world_settle(world);
	assert_string_equal(world->last_login, "bob@other.test");
	assert_string_equal(world->last_event_login, "bob");
	world_free(&world);
}

static void the_form_of_the_secret_picks_the_lane(void **state)
{
	struct world *world = world_new(every, true);

	(void)state;
	world->is_holding = true;
	for (uint64_t i = 1; i <= 4; i++) {
		world_open(world, 0, i, SERVICE_IMAP, source);
		world_signin(world, 0, i, "alice", "right");
	}
	world_settle(world);
	assert_int_equal(world->verified, 2);
	/* Main passwords are stuck; a device password is not. */
	world->is_holding = false;
	assert_int_equal(
		world_try(world, 5, SERVICE_IMAP, source, WORLD_DEVICE_SECRET), VERDICT_OK);
	assert_int_equal(world->last_vault, 1);
	world_free(&world);
}

static void half_open_guesses_count(void **state)
{
	struct world *world = world_new(every, true);

	(void)state;
	world->is_holding = true;
	for (uint64_t i = 1; i <= 20; i++) {
		world_open(world, 0, i, SERVICE_IMAP, source);
		world_signin(world, 0, i, "alice", "wrong");
		world_end(world, 0, i);
	}
	world_settle(world);
	assert_int_equal(world->core->sessions.by_id.count, 0);
	world_answer_held(world);
	assert_int_equal(world->answer_count, 0);
	assert_int_equal(world->core->stats.guesses_checked, 5);
	assert_int_equal(world->counted, 5);
	assert_int_equal(world_try(world, 99, SERVICE_IMAP, source, "right"), VERDICT_BANNED);
	world_free(&world);
}

static void our_own_faults_count_nothing(void **state)
{
	struct world *world = world_new(every, true);

	(void)state;
	for (uint64_t i = 1; i <= 20; i++)
		assert_int_equal(
			world_try(world, i, SERVICE_IMAP, source, "store"), VERDICT_TEMPORARY);
	assert_int_equal(world->core->stats.temporary_store, 20);
	/* A vault dies with the question. */
	world->is_holding = true;
	for (uint64_t i = 101; i <= 104; i++) {
		world_open(world, 0, i, SERVICE_IMAP, source);
		world_signin(world, 0, i, "alice", "wrong");
	}
	world_settle(world);
	world_cut_vault(world, 2);
	world_settle(world);
	assert_int_equal(world_answer_of(world, 101)->verdict, VERDICT_TEMPORARY);
	assert_int_equal(world->core->stats.temporary_vault, 1);
	world_cut_vault(world, 3);
	world_settle(world);
	assert_int_equal(world_count(world, VERDICT_TEMPORARY), 22);
	/* Nobody is there for the other two until a fresh one comes. */
	world->is_holding = false;
	world->held_count = 0;
	assert_int_equal(world->core->vaults.slow.count, 2);
	assert_int_equal(world->counted, 0);
	assert_int_equal(counter_remaining(world->core->windows.v4,
				 source_key(&(struct ip){ IP_V4, { 198, 51, 100, 7 } })),
		5);
	world_connect_vault(world, 2);
	world_settle(world);
	assert_int_equal(world_count(world, VERDICT_DENY), 2);
	assert_int_equal(world->counted, 2);
	world_free(&world);
}

static void a_right_secret_for_the_wrong_protocol_is_no_guess(void **state)
{
	struct world *world = world_new(every, true);

	(void)state;
	for (uint64_t i = 1; i <= 10; i++)
		assert_int_equal(
			world_try(world, i, SERVICE_IMAP, source, "device-scope"), VERDICT_DENY);
	assert_int_equal(world->counted, 0);
	assert_int_equal(world_try(world, 11, SERVICE_IMAP, source, "twofactor"), VERDICT_DENY);
	assert_int_equal(world->counted, 1);
	assert_int_equal(world->last_reason, REASON_TWOFACTOR);
	world_free(&world);
}

static void who_waits_too_long_is_told_busy(void **state)
{
	struct world *world = world_new("signin_wait = 20ms\n", true);

	(void)state;
	world->is_holding = true;
	try_many(world, 1, 8, "wrong", true);
	world_await_answers(world, 3);
	assert_int_equal(world_count(world, VERDICT_BUSY), 3);
	/* In order of arrival: the first five have the places. */
	assert_int_equal(world_answer_of(world, 6)->verdict, VERDICT_BUSY);
	assert_int_equal(world_answer_of(world, 8)->verdict, VERDICT_BUSY);
	assert_int_equal(world->core->stats.signins_busy, 3);
	assert_int_equal(world->counted, 0);
	world_free(&world);
}

static void a_full_queue_is_a_temporary_error(void **state)
{
	struct world *world = world_new("signin_queue = 4\nautoban_exempt = 198.51.100.7\n", true);

	(void)state;
	world->is_holding = true;
	try_many(world, 1, 10, "wrong", true);
	/* Two are checked, four wait, the newest four had to go. */
	assert_int_equal(world_count(world, VERDICT_TEMPORARY), 4);
	assert_int_equal(world->core->stats.temporary_queue, 4);
	assert_int_equal(world_answer_of(world, 10)->verdict, VERDICT_TEMPORARY);
	/* Another source takes the place of the one that has most in the queue, ... */
	world_open(world, 0, 50, SERVICE_IMAP, "203.0.113.5");
	world_signin(world, 0, 50, "alice", "right");
	world_settle(world);
	assert_int_equal(world_answer_of(world, 50)->verdict, VERDICT_MAX);
	assert_int_equal(world_answer_of(world, 6)->verdict, VERDICT_TEMPORARY);
	/* ... and is not left behind those who stay (its turn: test_queue). */
	world_answer_held(world);
	assert_int_equal(world_answer_of(world, 50)->verdict, VERDICT_OK);
	assert_int_equal(world->core->vaults.slow.count, 0);
	assert_int_equal(world->counted, 0);
	world_free(&world);
}

static void exempt_sources_are_neither_counted_nor_banned(void **state)
{
	struct world *world = world_new("autoban_exempt = 198.51.100.0/24\n", true);

	(void)state;
	try_many(world, 1, 100, "wrong", true);
	world_await_answers(world, 100);
	assert_int_equal(world_count(world, VERDICT_DENY), 100);
	assert_int_equal(world->counted, 0);
	assert_int_equal(world->core->stats.bans_set, 0);
	/* A backend's address, without being told. */
	for (uint64_t i = 201; i <= 210; i++)
		assert_int_equal(
			world_try(world, i, SERVICE_IMAP, "192.0.2.250", "wrong"), VERDICT_DENY);
	world_free(&world);
}

static void a_ban_ends_and_the_window_slides(void **state)
{
	struct world *world = world_new(every, true);
	struct ip ip = world_ip(source);

	(void)state;
	try_many(world, 1, 5, "wrong", true);
	assert_int_equal(world_try(world, 10, SERVICE_IMAP, source, "right"), VERDICT_BANNED);
	assert_int_equal(world_answer_of(world, 10)->ban_ms, 30 * MINUTE_MS);
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 30 * MINUTE_MS);
	assert_in_range(ban_map_origin(world->core->ban_map, &ip), 1, 5); /* a session */
	/* Somebody else is not touched; nor does an address of the same network. */
	assert_int_equal(world_try(world, 11, SERVICE_IMAP, "198.51.100.8", "right"), VERDICT_OK);
	clock_fake(WORLD_WALL, WORLD_STEADY + 30 * MINUTE_MS - 1);
	core_sweep(world->core);
	assert_int_equal(world_try(world, 12, SERVICE_IMAP, source, "right"), VERDICT_BANNED);
	clock_fake(WORLD_WALL, WORLD_STEADY + 30 * MINUTE_MS);
	core_sweep(world->core);
	assert_int_equal(world->core->stats.bans_ended, 1);
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 0);
	for (uint64_t i = 20; i < 24; i++)
		assert_int_equal(world_try(world, i, SERVICE_IMAP, source, "wrong"), VERDICT_DENY);
	assert_int_equal(world_try(world, 24, SERVICE_IMAP, source, "right"), VERDICT_OK);
	world_free(&world);
}

static void a_window_longer_than_the_ban_still_holds(void **state)
{
	struct world *world = world_new("autoban_time = 1m\n", true);

	(void)state;
	try_many(world, 1, 5, "wrong", true);
	clock_fake(WORLD_WALL, WORLD_STEADY + 2 * MINUTE_MS);
	core_sweep(world->core);
	/* No ban any more, but no place either: five in twenty minutes are five. */
	assert_int_equal(world_try(world, 10, SERVICE_IMAP, source, "wrong"), VERDICT_BANNED);
	assert_int_equal(world_answer_of(world, 10)->ban_ms, 18 * MINUTE_MS);
	assert_int_equal(world->core->stats.guesses_checked, 5);
	clock_fake(WORLD_WALL, WORLD_STEADY + 20 * MINUTE_MS);
	assert_int_equal(world_try(world, 11, SERVICE_IMAP, source, "wrong"), VERDICT_DENY);
	world_free(&world);
}

static void ipv6_counts_by_its_network(void **state)
{
	struct world *world = world_new(every, true);

	(void)state;
	for (uint64_t i = 1; i <= 5; i++) {
		char client[64];

		(void)snprintf(client, sizeof client, "2001:db8:5:6::%llx", (unsigned long long)i);
		(void)world_try(world, i, SERVICE_IMAP, client, "wrong");
	}
	assert_int_equal(
		world_try(world, 6, SERVICE_IMAP, "2001:db8:5:6::ffff", "right"), VERDICT_BANNED);
	assert_int_equal(world_try(world, 7, SERVICE_IMAP, "2001:db8:5:7::1", "right"), VERDICT_OK);
	world_free(&world);
}

static void a_ban_closes_the_sources_sessions(void **state)
{
	struct world *world = world_new(every, true);
	enum close_reason reason = CLOSE_MAX;

	(void)state;
	assert_int_equal(world_try(world, 1, SERVICE_IMAP, source, "right"), VERDICT_OK);
	world_open(world, 1, 2, SERVICE_SMTP, source);
	world_open(world, 1, 3, SERVICE_SUBMISSION, source);
	world_open(world, 1, 4, SERVICE_IMAP, "198.51.100.8");
	for (uint64_t i = 11; i <= 15; i++)
		(void)world_try(world, i, SERVICE_IMAP, source, "wrong");
	assert_true(world_was_closed(world, 1, &reason));
	assert_int_equal(reason, CLOSE_BANNED);
	assert_true(world_was_closed(world, 3, &reason));
	/* Mail from outside passes, others stay, and the asking session has its own answer. */
	assert_false(world_was_closed(world, 2, &reason));
	assert_false(world_was_closed(world, 4, &reason));
	assert_false(world_was_closed(world, 15, &reason));
	assert_int_equal(world_answer_of(world, 15)->verdict, VERDICT_DENY_BANNED);
	/* What a front sent before it heard of that is no crime. */
	world_mail(world, 1, 3);
	world_end(world, 1, 3);
	world_settle(world);
	assert_false(world->fronts[1].has_ended);
	world_free(&world);
}

static void an_answered_failure_survives_core(void **state)
{
	struct world *world = world_new(every, true);
	unsigned turns = 0;

	(void)state;
	world_open(world, 0, 1, SERVICE_IMAP, source);
	world_signin(world, 0, 1, "alice", "wrong");
	/* The desk does not read yet: what was handed to it outlives core all the same. */
	chan_pause(world->vaults[0].chan);
	while (world->answer_count == 0 && turns++ < 1000)
		loop_turn(world->loop);
	assert_int_equal(world->answer_count, 1);
	assert_int_equal(world->counted, 0);
	core_free(&world->core);
	chan_resume(world->vaults[0].chan);
	world_settle(world);
	assert_int_equal(world->counted, 1);
	world_free(&world);
}

static void an_account_changed_under_a_check_is_checked_again(void **state)
{
	struct world *world = world_new(every, true);

	(void)state;
	world->is_holding = true;
	world_open(world, 0, 1, SERVICE_IMAP, source);
	world_signin(world, 0, 1, "alice", "right");
	world_settle(world);
	assert_int_equal(world->verified, 1);
	assert_int_equal(world_op(world, "account.passwd",
				 "{\"address\":\"alice@example.test\",\"password\":\"x\"}"),
		GP_OK);
	world_answer_held(world);
	assert_int_equal(world->verified, 2);
	assert_int_equal(world_answer_of(world, 1)->verdict, VERDICT_OK);
	world_free(&world);
}

static void a_crashed_front_costs_strangers_one_failure(void **state)
{
	struct world *world = world_new(every, true);
	struct ip stranger = world_ip("203.0.113.1");
	struct ip guest = world_ip(source);

	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		world_open(world, 0, i, SERVICE_SMTP, "203.0.113.1");
	assert_int_equal(world_try(world, 9, SERVICE_IMAP, source, "right"), VERDICT_OK);
	world_cut_front(world, 0, true);
	assert_int_equal(counter_committed(world->core->windows.v4, source_key(&stranger)), 1);
	assert_int_equal(counter_committed(world->core->windows.v4, source_key(&guest)), 0);
	assert_int_equal(world->counted, 1);
	assert_int_equal(world->last_reason, REASON_CRASHED);
	assert_int_equal(world->core->sessions.by_id.count, 0);
	/* One that was told to end costs nothing; five crashes are a ban. */
	world_connect_front(world, 0);
	world_open(world, 0, 20, SERVICE_SMTP, "203.0.113.1");
	world_settle(world);
	world_cut_front(world, 0, false);
	assert_int_equal(counter_committed(world->core->windows.v4, source_key(&stranger)), 1);
	for (uint64_t i = 31; i <= 34; i++) {
		world_connect_front(world, 0);
		world_open(world, 0, i, SERVICE_SMTP, "203.0.113.1");
		world_settle(world);
		world_cut_front(world, 0, true);
	}
	assert_true(bans_left(world->core, &stranger) > 0);
	world_free(&world);
}

static void a_flood_of_refusals_fills_no_store(void **state)
{
	struct world *world = world_new(every, true);
	unsigned before;

	(void)state;
	try_many(world, 1, 5, "wrong", true);
	before = world->events;
	for (uint64_t i = 100; i < 200; i++)
		(void)world_try(world, i, SERVICE_IMAP, source, "wrong");
	assert_int_equal(world->events - before, NOTES_PER_SOURCE);
	assert_int_equal(world->core->stats.events_dropped, 100 - NOTES_PER_SOURCE);
	clock_fake(WORLD_WALL, WORLD_STEADY + MINUTE_MS);
	(void)world_try(world, 300, SERVICE_IMAP, source, "wrong");
	assert_int_equal(world->events - before, NOTES_PER_SOURCE + 1);
	world_free(&world);
}

static void a_name_that_cannot_be_is_checked_like_any(void **state)
{
	struct world *world = world_new(every, true);

	(void)state;
	world_open(world, 0, 1, SERVICE_IMAP, source);
	world_signin(world, 0, 1, "al\x01ice@@", "wrong");
	world_settle(world);
	assert_int_equal(world->verified, 1);
	assert_string_equal(world->last_login, "");
	assert_string_equal(world->last_event_login, "al\\x01ice@@");
	assert_int_equal(world->counted, 1);
	world_free(&world);
}

/* Nobody's name, a wrong password, the right one where 2FA is on: as many messages between the
 * processes, the same questions to the vaults, the same answer. */
static void why_it_was_refused_shows_in_no_message(void **state)
{
	static const struct {
		const char *login;
		const char *secret;
	} kinds[] = {
		{ "nobody@example.test", "wrong" },
		{ "alice@example.test", "wrong" },
		{ "alice@example.test", "twofactor" },
		{ "no such name at all", "wrong" },
	};
	struct world *world = world_new("", true);
	uint64_t first = 0;

	(void)state;
	/* The journal begins with the first of all. */
	(void)world_try(world, 99, SERVICE_IMAP, "198.51.100.99", "wrong");
	for (unsigned i = 0; i < GP_ARRAY_LEN(kinds); i++) {
		uint64_t session = i + 1;
		unsigned lookups = world->lookups;
		unsigned verified = world->verified;
		unsigned events = world->events;
		char client[32];
		uint64_t moved;

		(void)snprintf(client, sizeof client, "198.51.100.%u", i + 1);
		world_open(world, 0, session, SERVICE_IMAP, client);
		world_settle(world);
		moved = world->moved;
		world_signin(world, 0, session, kinds[i].login, kinds[i].secret);
		world_settle(world);
		moved = world->moved - moved;
		if (i == 0)
			first = moved;
		assert_int_equal(moved, first);
		assert_int_equal(world->lookups - lookups, 1);
		assert_int_equal(world->verified - verified, 1);
		assert_int_equal(world->events - events, 1);
		assert_int_equal(world_answer_of(world, session)->verdict, VERDICT_DENY);
		assert_int_equal(world_answer_of(world, session)->ban_ms, 0);
		assert_string_equal(world_answer_of(world, session)->address, "");
	}
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(why_it_was_refused_shows_in_no_message),
		cmocka_unit_test(of_200_at_once_five_are_checked),
		cmocka_unit_test(with_distinct_one_mistake_counts_once),
		cmocka_unit_test(fifty_right_passwords_all_get_in),
		cmocka_unit_test(a_success_clears_nothing),
		cmocka_unit_test(what_a_right_sign_in_brings),
		cmocka_unit_test(the_form_of_the_secret_picks_the_lane),
		cmocka_unit_test(half_open_guesses_count),
		cmocka_unit_test(our_own_faults_count_nothing),
		cmocka_unit_test(a_right_secret_for_the_wrong_protocol_is_no_guess),
		cmocka_unit_test(who_waits_too_long_is_told_busy),
		cmocka_unit_test(a_full_queue_is_a_temporary_error),
		cmocka_unit_test(exempt_sources_are_neither_counted_nor_banned),
		cmocka_unit_test(a_ban_ends_and_the_window_slides),
		cmocka_unit_test(a_window_longer_than_the_ban_still_holds),
		cmocka_unit_test(ipv6_counts_by_its_network),
		cmocka_unit_test(a_ban_closes_the_sources_sessions),
		cmocka_unit_test(an_answered_failure_survives_core),
		cmocka_unit_test(an_account_changed_under_a_check_is_checked_again),
		cmocka_unit_test(a_crashed_front_costs_strangers_one_failure),
		cmocka_unit_test(a_flood_of_refusals_fills_no_store),
		cmocka_unit_test(a_name_that_cannot_be_is_checked_like_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
