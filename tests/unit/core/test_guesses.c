/* SPDX-License-Identifier: ISC */
/* Guesses that come from many sources: an account's own window, IPv6 networks, one secret on many
 * names. */
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
	HOUR = 60 * 60,
	ROUNDS = 5,
};

static const char *const modes[] = { "", "autoban_count = distinct\n" };

/* One try from the n-th IPv4 source; session n + 1. */
static void try_from(struct world *world, unsigned n, const char *login, const char *secret)
{
	char client[32];

	(void)snprintf(client, sizeof client, "198.18.%u.%u", n / 250, n % 250 + 1);
	world_open(world, n % WORLD_FRONTS, n + 1, SERVICE_IMAP, client);
	world_signin(world, n % WORLD_FRONTS, n + 1, login, secret);
}

static enum verdict verdict_from(
	struct world *world, unsigned n, const char *login, const char *secret)
{
	try_from(world, n, login, secret);
	world_settle(world);
	return world_answer_of(world, n + 1)->verdict;
}

/* count sources, each one another wrong secret, all at once. */
static void guess(struct world *world, unsigned first, unsigned count, const char *login)
{
	for (unsigned n = first; n < first + count; n++) {
		char secret[32];

		(void)snprintf(secret, sizeof secret, "guess %u", n);
		try_from(world, n, login, secret);
	}
	world_settle(world);
}

static void of_200_sources_twenty_are_checked(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2 * ROUNDS; round++) {
		struct world *world = world_new(modes[round % 2], true);

		guess(world, 0, 200, "alice@example.test");
		world_await_answers(world, 200);
		world_settle(world);
		assert_int_equal(world->core->stats.guesses_checked, 20);
		assert_int_equal(world->core->stats.guesses_unchecked, 180);
		assert_int_equal(world->wrong, 20);
		assert_int_equal(world_count(world, VERDICT_DENY), 200);
		assert_int_equal(world->counted, 200);
		assert_int_equal(world->guesses, 20);
		assert_int_equal(world->core->signins.by_id.count, 0);
		assert_int_equal(world->core->lines.by_window.count, 0);
		world_free(&world);
	}
}

/* The door works in full for those who are not checked: as many questions to the vaults. */
static void who_is_not_checked_cannot_tell(void **state)
{
	struct world *world = world_new("account_guesses = 2\n", true);
	unsigned before;

	(void)state;
	guess(world, 0, 2, "alice@example.test");
	before = world->verified;
	for (unsigned n = 10; n < 14; n++) {
		char secret[32];

		(void)snprintf(secret, sizeof secret, "guess %u", n);
		assert_int_equal(
			world_try(world, n, SERVICE_POP3, "203.0.113.9", secret), VERDICT_DENY);
	}
	/* The source pays for them as for any other. */
	assert_int_equal(
		world_try(world, 15, SERVICE_POP3, "203.0.113.9", "right"), VERDICT_DENY_BANNED);
	assert_int_equal(world->last_reason, REASON_UNCHECKED);
	assert_int_equal(world->verified, before + 5);
	assert_int_equal(world->core->stats.guesses_checked, 2);
	world_free(&world);
}

static void nobody_locks_the_owner_out(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	world->known_source = world_ip("203.0.113.50");
	guess(world, 0, 60, "alice@example.test");
	assert_int_equal(world->core->stats.guesses_checked, 20);
	/* The right password from a strange place: not now. */
	assert_int_equal(verdict_from(world, 100, "alice@example.test", "right"), VERDICT_DENY);
	assert_int_equal(world->last_reason, REASON_UNCHECKED);
	assert_int_equal(world->last_account, WORLD_RIGHT_ACCOUNT);
	/* From a known one, and a device password from anywhere: as ever. */
	assert_int_equal(world_try(world, 201, SERVICE_IMAP, "203.0.113.50", "right"), VERDICT_OK);
	assert_int_equal(world_try(world, 202, SERVICE_IMAP, "203.0.113.51", WORLD_DEVICE_SECRET),
		VERDICT_OK);
	assert_int_equal(world->last_since, WORLD_WALL - 30 * 24 * HOUR);
	/* The known source is still a source: five, and no guess of the account's. */
	for (uint64_t n = 210; n < 214; n++)
		assert_int_equal(
			world_try(world, n, SERVICE_IMAP, "203.0.113.50", "wrong"), VERDICT_DENY);
	assert_int_equal(
		world_try(world, 214, SERVICE_IMAP, "203.0.113.50", "wrong"), VERDICT_DENY_BANNED);
	assert_int_equal(world->core->stats.guesses_checked, 25);
	assert_int_equal(world->guesses, 20);
	world_free(&world);
}

static void one_secret_is_one_guess(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	for (unsigned n = 0; n < 30; n++)
		try_from(world, n, "alice@example.test", "the same");
	world_await_answers(world, 30);
	world_settle(world);
	assert_int_equal(world->core->stats.guesses_checked, 30);
	assert_int_equal(world->guesses, 1);
	assert_int_equal(verdict_from(world, 50, "alice@example.test", "right"), VERDICT_OK);
	world_free(&world);
}

static void the_window_slides(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	guess(world, 0, 19, "alice@example.test");
	clock_fake(WORLD_WALL + 12 * HOUR, WORLD_STEADY + 12 * HOUR * 1000);
	guess(world, 50, 2, "alice@example.test");
	assert_int_equal(world->core->stats.guesses_checked, 20);
	clock_fake(WORLD_WALL + 24 * HOUR, WORLD_STEADY + 24 * HOUR * 1000);
	guess(world, 100, 30, "alice@example.test");
	assert_int_equal(world->core->stats.guesses_checked, 20 + 19);
	world_free(&world);
}

static void a_restart_forgets_no_guess(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	world->guess_row_count = 19;
	world_restart_core(world);
	world_settle(world);
	guess(world, 0, 10, "alice@example.test");
	assert_int_equal(world->core->stats.guesses_checked, 1);
	assert_int_equal(world->core->stats.guesses_unchecked, 9);
	world_free(&world);
}

static void a_new_password_begins_anew(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	guess(world, 0, 30, "alice@example.test");
	assert_int_equal(verdict_from(world, 50, "alice@example.test", "right"), VERDICT_DENY);
	assert_int_equal(
		world_op(world, "account.passwd", "{\"address\":\"alice@example.test\"}"), GP_OK);
	assert_int_equal(verdict_from(world, 51, "alice@example.test", "right"), VERDICT_OK);
	world_free(&world);
}

/* A name that is nobody's is treated as an account is, and takes no account's memory. */
static void names_that_are_nobodys_look_the_same(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	guess(world, 0, 50, "nobody@example.test");
	assert_int_equal(world_count(world, VERDICT_DENY), 50);
	assert_int_equal(world->core->stats.guesses_checked, 20);
	assert_int_equal(world->guesses, 0);
	assert_int_equal(counter_remaining(world->core->windows.accounts, SLICE_LIT("")), 20);
	assert_int_equal(verdict_from(world, 60, "alice@example.test", "right"), VERDICT_OK);
	world_free(&world);
}

/* All ways to write one name, an alias among them, are one account. */
static void all_names_of_an_account_share_its_window(void **state)
{
	static const char *const names[] = { "alice@example.test", "ALICE@example.test", "alice",
		"alice%example.test", "alice@mail.example.test", "Alice@Example.Test.",
		" alice@example.test ", "alice+news@example.test", "postmaster@example.test" };
	struct world *world = world_new("", true);

	(void)state;
	for (unsigned n = 0; n < 45; n++) {
		char secret[32];

		(void)snprintf(secret, sizeof secret, "guess %u", n);
		try_from(world, n, names[n % GP_ARRAY_LEN(names)], secret);
	}
	world_await_answers(world, 45);
	world_settle(world);
	assert_int_equal(world->core->stats.guesses_checked, 20);
	world_free(&world);
}

static void who_waits_for_the_account_is_told_busy(void **state)
{
	struct world *world = world_new("signin_wait = 20ms\naccount_guesses = 3\n", true);

	(void)state;
	world->is_holding = true;
	guess(world, 0, 8, "alice@example.test");
	assert_int_equal(world->core->signins.waiting, 5);
	world_await_answers(world, 5);
	assert_int_equal(world_count(world, VERDICT_BUSY), 5);
	assert_int_equal(world->core->lines.by_window.count, 0);
	world_answer_held(world);
	world_settle(world);
	world_answer_held(world);
	assert_int_equal(world->guesses, 3);
	world_free(&world);
}

/* Those who wait behind the places of an account go on when a right password gives one back. */
static void a_right_password_lets_the_next_in(void **state)
{
	struct world *world = world_new("account_guesses = 1\n", true);

	(void)state;
	for (unsigned n = 0; n < 40; n++)
		try_from(world, n, "alice@example.test", "right");
	world_await_answers(world, 40);
	assert_int_equal(world_count(world, VERDICT_OK), 40);
	assert_int_equal(world->core->stats.guesses_unchecked, 0);
	world_free(&world);
}

static void a_lookup_that_fails_counts_nothing(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	world->is_lookup_failing = true;
	guess(world, 0, 5, "alice@example.test");
	assert_int_equal(world_count(world, VERDICT_TEMPORARY), 5);
	assert_int_equal(world->core->stats.temporary_store, 5);
	assert_int_equal(world->verified + world->counted, 0);
	world_free(&world);
}

static void a_known_source_may_forget_the_second_factor(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	world->known_source = world_ip("203.0.113.50");
	for (uint64_t n = 1; n <= 10; n++)
		assert_int_equal(world_try(world, n, SERVICE_IMAP, "203.0.113.50", "twofactor"),
			VERDICT_DENY);
	assert_int_equal(world->counted, 0);
	assert_int_equal(world->last_reason, REASON_TWOFACTOR);
	for (uint64_t n = 21; n <= 24; n++)
		assert_int_equal(world_try(world, n, SERVICE_IMAP, "203.0.113.51", "twofactor"),
			VERDICT_DENY);
	assert_int_equal(world_try(world, 25, SERVICE_IMAP, "203.0.113.51", "twofactor"),
		VERDICT_DENY_BANNED);
	world_free(&world);
}

/* ---- IPv6 ---- */

/* The n-th /64 of each /56 of 2001:db8:7::/48, an account each. */
static void try_v6(
	struct world *world, unsigned net56, unsigned n, uint64_t session, const char *secret)
{
	char client[64], login[64];

	(void)snprintf(client, sizeof client, "2001:db8:7:%x::%x", net56 << 8 | n, n + 1);
	(void)snprintf(login, sizeof login, "user%u-%u@example.test", net56, n);
	world_open(world, n % WORLD_FRONTS, session, SERVICE_IMAP, client);
	world_signin(world, n % WORLD_FRONTS, session, login, secret);
}

static bool is_banned(struct world *world, const char *net)
{
	char arguments[96];

	(void)snprintf(arguments, sizeof arguments, "{\"source\":\"%s\"}", net);
	assert_int_equal(world_op(world, "ban.list", arguments), GP_OK);
	for (size_t i = 0; i < json_array_size(world->rows); i++) {
		if (strcmp(json_string_value(json_object_get(world_row(world, i), "source")),
			    net) == 0)
			return true;
	}
	return false;
}

static void of_a_56_twenty_are_checked(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2 * ROUNDS; round++) {
		struct world *world = world_new(modes[round % 2], true);
		struct ip inside = world_ip("2001:db8:7:1ff::1");
		struct ip outside = world_ip("2001:db8:7:200::1");

		for (unsigned n = 0; n < 200; n++) {
			char secret[32];

			(void)snprintf(secret, sizeof secret, "guess %u", n);
			try_v6(world, 1, n, n + 1, secret);
		}
		world_await_answers(world, 200);
		world_settle(world);
		assert_int_equal(world->core->stats.guesses_checked, 20);
		assert_int_equal(world_count(world, VERDICT_DENY_BANNED), 1);
		assert_int_equal(world_count(world, VERDICT_BANNED), 180);
		assert_true(is_banned(world, "2001:db8:7:100::/56"));
		assert_false(is_banned(world, "2001:db8:7::/48"));
		assert_int_equal(ban_map_left(world->core->ban_map, &inside), 30 * 60 * 1000);
		assert_int_equal(ban_map_left(world->core->ban_map, &outside), 0);
		assert_int_equal(world->core->signins.by_id.count, 0);
		assert_int_equal(world->core->lines.by_window.count, 0);
		world_free(&world);
	}
}

static void of_a_48_fifty_are_checked(void **state)
{
	struct world *world = world_new("", true);
	uint64_t session = 1;

	(void)state;
	for (unsigned n = 0; n < 10; n++) {
		for (unsigned net56 = 0; net56 < 16; net56++) {
			char secret[32];

			(void)snprintf(secret, sizeof secret, "guess %u", n);
			try_v6(world, net56, n, session++, secret);
		}
	}
	world_await_answers(world, 160);
	world_settle(world);
	assert_int_equal(world->core->stats.guesses_checked, 50);
	assert_true(is_banned(world, "2001:db8:7::/48"));
	/* Lifted by one address in it, as the one who was kept out knows no network. */
	assert_int_equal(
		world_op(world, "ban.remove", "{\"source\":\"2001:db8:7:f00::9\"}"), GP_OK);
	assert_false(is_banned(world, "2001:db8:7::/48"));
	try_v6(world, 15, 99, 900, "right");
	world_settle(world);
	assert_int_equal(world_answer_of(world, 900)->verdict, VERDICT_OK);
	world_free(&world);
}

static void right_passwords_of_one_network_all_get_in(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	for (unsigned n = 0; n < 100; n++)
		try_v6(world, n % 2, n, n + 1, "right");
	world_await_answers(world, 100);
	assert_int_equal(world_count(world, VERDICT_OK), 100);
	assert_int_equal(world->core->lines.by_window.count, 0);
	world_free(&world);
}

/* All places or none: who lacks one of the /56 holds none of its own. */
static void places_are_taken_together_or_not_at_all(void **state)
{
	struct world *world = world_new("autoban_failures_56 = 5\nsignin_wait = 10s\n", true);
	struct ip waiting = ip_source(&(struct ip){ IP_V6, { 0x20, 1, 0x0d, 0xb8, 0, 7, 0, 5 } });

	(void)state;
	world->is_holding = true;
	for (unsigned n = 0; n < 6; n++)
		try_v6(world, 0, n, n + 1, "right");
	world_settle(world);
	assert_int_equal(world->core->signins.waiting, 1);
	assert_int_equal(
		counter_remaining(world->core->windows.v6[IP_LEVEL_SOURCE], source_key(&waiting)),
		5);
	for (unsigned i = 0; i < 6; i++)
		world_answer_held(world);
	assert_int_equal(world_count(world, VERDICT_OK), 6);
	world_free(&world);
}

static void an_exempt_network_saves_the_wider_one(void **state)
{
	struct world *world =
		world_new("autoban_exempt = 2001:db8:7:105::/64\nautoban_failures_56 = 5\n", true);

	(void)state;
	for (unsigned n = 0; n < 40; n++) {
		char secret[32];

		(void)snprintf(secret, sizeof secret, "guess %u", n);
		try_v6(world, 1, n, n + 1, secret);
	}
	world_await_answers(world, 40);
	assert_int_equal(world_count(world, VERDICT_DENY), 40);
	assert_int_equal(world->core->stats.bans_set, 0);
	assert_int_equal(
		world_op(world, "ban.add", "{\"source\":\"2001:db8:7:100::/56\"}"), GP_ERR_DENIED);
	world_free(&world);
}

static void a_network_banned_by_hand_is_turned_out(void **state)
{
	struct world *world = world_new("", true);
	enum close_reason reason = CLOSE_MAX;

	(void)state;
	try_v6(world, 1, 1, 1, "right");
	try_v6(world, 2, 2, 2, "right");
	world_settle(world);
	world->is_holding = true;
	for (uint64_t session = 10; session < 18; session++)
		try_v6(world, 1, 9, session, "right");
	world_settle(world);
	assert_int_equal(world->core->signins.waiting, 3);
	assert_int_equal(world_op(world, "ban.add", "{\"source\":\"2001:db8:7:100::/56\"}"), GP_OK);
	world_settle(world);
	assert_true(world_was_closed(world, 1, &reason));
	assert_int_equal(reason, CLOSE_BANNED);
	assert_false(world_was_closed(world, 2, &reason));
	assert_int_equal(world->core->signins.waiting, 0);
	assert_int_equal(world_answer_of(world, 17)->verdict, VERDICT_BANNED);
	world_free(&world);
}

static void a_restart_counts_for_the_networks_too(void **state)
{
	struct world *world = world_new("autoban_failures_56 = 6\n", true);

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		char text[64];

		(void)snprintf(text, sizeof text, "2001:db8:7:1%02x::", i);
		world->failure_rows[i] = world_ip(text);
		world->failure_at[i] = WORLD_WALL - 60;
	}
	world->failure_row_count = 5;
	world->ban_rows[0] = (struct ip_net){ world_ip("2001:db8:9::"), 48 };
	world->ban_set_at[0] = WORLD_WALL - 60;
	world->ban_until[0] = WORLD_WALL + 600;
	world->ban_rows[1] = (struct ip_net){ world_ip("2001:db8:9::"), 33 };
	world->ban_set_at[1] = WORLD_WALL - 60;
	world->ban_until[1] = WORLD_WALL + 600;
	world->ban_row_count = 2;
	world_restart_core(world);
	world_settle(world);
	assert_int_equal(world->core->bans.by_net.count, 1);
	assert_int_equal(
		world_try(world, 1, SERVICE_IMAP, "2001:db8:9:1::1", "right"), VERDICT_BANNED);
	assert_int_equal(world_try(world, 2, SERVICE_IMAP, "2001:db8:7:1ff::1", "wrong"),
		VERDICT_DENY_BANNED);
	assert_true(is_banned(world, "2001:db8:7:100::/56"));
	world_free(&world);
}

/* ---- one secret on many names ---- */

static void spray(struct world *world, unsigned first, unsigned count, const char *secret)
{
	for (unsigned n = first; n < first + count; n++) {
		char login[64];

		(void)snprintf(login, sizeof login, "user%u@example.test", n);
		assert_int_equal(verdict_from(world, n, login, secret), VERDICT_DENY);
	}
}

static void a_sprayed_secret_weighs_five(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	spray(world, 0, 20, "Summer2026");
	assert_int_equal(world->weight, 20);
	/* The 21st try with it, wherever from and whatever the name: banned at once. */
	assert_int_equal(
		verdict_from(world, 30, "user0@example.test", "Summer2026"), VERDICT_DENY_BANNED);
	assert_int_equal(world->weight, 25);
	/* Another secret weighs what it did. */
	assert_int_equal(verdict_from(world, 31, "user1@example.test", "Winter2026"), VERDICT_DENY);
	assert_int_equal(world->weight, 26);
	/* And whoever has it as his own is let in. */
	spray(world, 40, 1, "wrong");
	assert_int_equal(verdict_from(world, 41, "user9@example.test", "right"), VERDICT_OK);
	world_free(&world);
}

static void one_name_or_a_slow_hand_is_no_spray(void **state)
{
	struct world *world = world_new("account_guesses = 1000\n", true);
	int64_t second = 0;

	(void)state;
	/* The same name again and again. */
	for (unsigned n = 0; n < 40; n++)
		assert_int_equal(
			verdict_from(world, n, "user0@example.test", "Summer2026"), VERDICT_DENY);
	assert_int_equal(world->weight, 40);
	/* Names an hour and more apart from the first. */
	for (unsigned n = 100; n < 140; n++) {
		second += 4 * 60;
		clock_fake(WORLD_WALL + second, WORLD_STEADY + second * 1000);
		spray(world, n, 1, "Autumn2026");
	}
	assert_int_equal(world->weight, 80);
	world_free(&world);
}

/* Names beyond the memory's bounds push the spray they belong to out last. */
static void a_spray_is_remembered_within_fixed_memory(void **state)
{
	struct world *world = world_new("", true);
	struct slice name = SLICE_LIT("victim@example.test");

	(void)state;
	for (unsigned n = 0; n < BAN_SPRAY_NAMES; n++) {
		char login[32];

		(void)snprintf(login, sizeof login, "user%u@example.test", n);
		assert_int_equal(
			spray_note(world->core, slice_str(login), SLICE_LIT("Summer2026")), n);
	}
	for (unsigned n = 0; n < 3 * SPRAY_PAIRS_MAX; n++) {
		char secret[32];

		(void)snprintf(secret, sizeof secret, "junk%u", n);
		assert_int_equal(spray_note(world->core, name, slice_str(secret)), 0);
	}
	assert_int_equal(repeats_count(world->core->spray.pairs), SPRAY_PAIRS_MAX);
	assert_int_equal(spray_note(world->core, name, SLICE_LIT("Summer2026")), BAN_SPRAY_NAMES);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_200_sources_twenty_are_checked),
		cmocka_unit_test(who_is_not_checked_cannot_tell),
		cmocka_unit_test(nobody_locks_the_owner_out),
		cmocka_unit_test(one_secret_is_one_guess),
		cmocka_unit_test(the_window_slides),
		cmocka_unit_test(a_restart_forgets_no_guess),
		cmocka_unit_test(a_new_password_begins_anew),
		cmocka_unit_test(names_that_are_nobodys_look_the_same),
		cmocka_unit_test(all_names_of_an_account_share_its_window),
		cmocka_unit_test(who_waits_for_the_account_is_told_busy),
		cmocka_unit_test(a_right_password_lets_the_next_in),
		cmocka_unit_test(a_lookup_that_fails_counts_nothing),
		cmocka_unit_test(a_known_source_may_forget_the_second_factor),
		cmocka_unit_test(of_a_56_twenty_are_checked),
		cmocka_unit_test(of_a_48_fifty_are_checked),
		cmocka_unit_test(right_passwords_of_one_network_all_get_in),
		cmocka_unit_test(places_are_taken_together_or_not_at_all),
		cmocka_unit_test(an_exempt_network_saves_the_wider_one),
		cmocka_unit_test(a_network_banned_by_hand_is_turned_out),
		cmocka_unit_test(a_restart_counts_for_the_networks_too),
		cmocka_unit_test(a_sprayed_secret_weighs_five),
		cmocka_unit_test(one_name_or_a_slow_hand_is_no_spray),
		cmocka_unit_test(a_spray_is_remembered_within_fixed_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
