/* SPDX-License-Identifier: ISC */
/* What signed-in accounts may send: identity, limits, and what is kept of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "sender.h"

enum {
	SESSIONS = 100
};

static void whose_name_may_be_used(void **state)
{
	static const struct {
		const char *sender;
		enum permit permit;
	} cases[] = {
		{ "alice@example.test", PERMIT_YES },
		{ "Alice@EXAMPLE.test", PERMIT_YES },
		{ "alice+shop@example.test", PERMIT_YES },
		{ "alice@mail.example.test", PERMIT_YES }, /* a host alias */
		{ "sales@example.test", PERMIT_YES },      /* an alias */
		{ "anyone@listed.test", PERMIT_YES },
		{ "", PERMIT_YES },
		{ "bob@example.test", PERMIT_NOT_OWN },
		{ "alice", PERMIT_NOT_OWN },
		{ "alice@elsewhere.test", PERMIT_NOT_OWN },
		{ "alice@sub.listed.test", PERMIT_NOT_OWN },
		{ "\"alice@example.test\"@elsewhere.test", PERMIT_NOT_OWN },
	};
	struct world *world = sender_world("");

	(void)state;
	world->alias = "sales@example.test";
	world->listed = "@listed.test";
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		print_message("%s\n", cases[i].sender);
		assert_int_equal(sender_mail(world, 1, cases[i].sender, 0), cases[i].permit);
	}
	assert_string_equal(world->mail_text, "alice@example.test");
	assert_int_equal(world->core->stats.sending_not_own, 5);
	/* Each counts as a forgery once. */
	assert_int_equal(sender_mail(world, 1, "BOB@example.test", 0), PERMIT_NOT_OWN);
	assert_int_equal(tally_sum(&sender_account_of(world)->profile.tallies[PROFILE_FORGED],
				 TALLY_DAY, sending_now(world->core)),
		5);

	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_from(world, 1, "alice@example.test"), PERMIT_YES);
	assert_int_equal(sender_from(world, 1, "sales@example.test, x@listed.test"), PERMIT_YES);
	assert_int_equal(
		sender_from(world, 1, "sales@example.test,bob@example.test"), PERMIT_NOT_OWN);
	assert_int_equal(sender_from(world, 1, ""), PERMIT_NOT_OWN);
	world_free(&world);
}

static void names_that_change_change_at_once(void **state)
{
	struct world *world = sender_world("");

	(void)state;
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 1, "sales@example.test", 0), PERMIT_NOT_OWN);
	world->alias = "sales@example.test";
	assert_int_equal(sender_mail(world, 1, "sales@example.test", 0), PERMIT_NOT_OWN);
	assert_int_equal(
		world_op(world, "alias.add",
			"{\"address\":\"alice@example.test\",\"alias\":\"sales@example.test\"}"),
		GP_OK);
	assert_int_equal(sender_mail(world, 1, "sales@example.test", 0), PERMIT_YES);
	assert_int_equal(world->sending_loads, 1);
	assert_int_equal(world->name_loads, 1);
	/* The vault may have changed something and died before it could say so. */
	world->alias = NULL;
	world_cut_vault(world, DESK);
	assert_int_equal(sender_mail(world, 1, "sales@example.test", 0), PERMIT_TEMPORARY);
	world_connect_vault(world, DESK);
	world_settle(world);
	assert_int_equal(sender_mail(world, 1, "sales@example.test", 0), PERMIT_NOT_OWN);
	world_free(&world);
}

static void a_vault_that_is_away_counts_nothing(void **state)
{
	struct world *world = sender_world("");

	(void)state;
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	world->is_sending_failing = true;
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_TEMPORARY);
	/* One that comes while another waits, waits with it. */
	world->is_sending_failing = false;
	world->is_sending_mute = true;
	sender_sign_in(world, 2, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_MAX);
	assert_int_equal(sender_mail(world, 2, "alice@example.test", 0), PERMIT_MAX);
	assert_int_equal(world->sending_loads, 2);
	world_end(world, 0, 2);
	world_cut_vault(world, DESK);
	world_settle(world);
	assert_int_equal(world->mail_permit, PERMIT_TEMPORARY);
	world->is_sending_mute = false;
	world_connect_vault(world, DESK);
	world_settle(world);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 1, "bob@elsewhere.test"), PERMIT_YES);
	assert_int_equal(world->core->stats.recipients_metered, 0);
	world_free(&world);
}

static void a_limit_is_met_exactly(void **state)
{
	struct world *world = sender_world(SENDER_TIGHT "sending_mode = off\n");
	unsigned reserved = 0;

	(void)state;
	for (uint64_t i = 1; i <= SESSIONS; i++) {
		sender_sign_in(world, i, "alice@example.test", SENDER_HOME);
		assert_int_equal(sender_mail(world, i, "alice@example.test", 0), PERMIT_YES);
	}
	for (uint64_t i = 1; i <= SESSIONS; i++)
		reserved += sender_rcpt(world, i, "bob@elsewhere.test") == PERMIT_YES;
	assert_int_equal(reserved, 10);
	assert_int_equal(world->rcpt_permit, PERMIT_LIMIT);
	assert_string_equal(world->rcpt_text,
		"Sending limit of 10 recipients an hour reached; free again in 1 minutes");
	assert_int_equal(world->core->stats.sending_limited, 90);
	/* Every way a transaction can end. */
	sender_done(world, 1, true, 1);
	sender_done(world, 2, false, 0);
	sender_done_one(world, 3, 0, RCPT_REFUSED);
	sender_done(world, 3, false, 0);
	sender_done_one(world, 4, 0, RCPT_DELIVERED);
	sender_done(world, 4, false, 1);
	assert_int_equal(sender_mail(world, 5, "alice@example.test", 0), PERMIT_YES);
	for (uint64_t i = 6; i <= SESSIONS; i++)
		world_end(world, 0, i);
	world_settle(world);
	assert_int_equal(sender_spent(world), 2);
	assert_int_equal(world->core->stats.recipients_metered, 2);
	assert_int_equal(sender_send_new(world, 1, 100), 8);
	assert_int_equal(sender_send_new(world, 1, 1), 0);
	assert_int_equal(world->rcpt_permit, PERMIT_LIMIT);
	assert_string_equal(world->rcpt_text,
		"Sending limit of 10 recipients an hour reached; free again in 65 minutes");
	sender_advance(SENDER_HOUR_MS + 400 * 1000);
	assert_int_equal(sender_send_new(world, 1, 20), 10);
	assert_int_equal(world->core->stats.recipients_metered, 20);
	world_free(&world);
}

static void domains_and_sources_have_limits_of_their_own(void **state)
{
	struct world *by_domain =
		sender_world(SENDER_TIGHT "sending_mode = off\n"
					  "route example.test { domain_plan = wide }\n");
	struct world *by_source =
		sender_world(SENDER_TIGHT "sending_mode = off\nsending_source_plan = wide\n");

	(void)state;
	sender_sign_in(by_domain, 1, "user1@example.test", SENDER_HOME);
	sender_sign_in(by_domain, 2, "user2@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(by_domain, 1, "user1@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_mail(by_domain, 2, "user2@example.test", 0), PERMIT_YES);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(sender_rcpt(by_domain, 1, "bob@elsewhere.test"), PERMIT_YES);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(sender_rcpt(by_domain, 2, "bob@elsewhere.test"),
			i < 5 ? PERMIT_YES : PERMIT_LIMIT);
	assert_string_equal(by_domain->rcpt_text,
		"Sending limit of 15 recipients an hour reached; free again in 1 minutes");
	world_free(&by_domain);

	sender_sign_in(by_source, 1, "user1@example.test", SENDER_HOME);
	sender_sign_in(by_source, 2, "user2@example.test", SENDER_HOME);
	sender_sign_in(by_source, 3, "user2@example.test", "198.51.100.8");
	assert_int_equal(sender_mail(by_source, 1, "user1@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_mail(by_source, 2, "user2@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_mail(by_source, 3, "user2@example.test", 0), PERMIT_YES);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(sender_rcpt(by_source, 1, "bob@elsewhere.test"), PERMIT_YES);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(sender_rcpt(by_source, 2, "bob@elsewhere.test"),
			i < 5 ? PERMIT_YES : PERMIT_LIMIT);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(sender_rcpt(by_source, 3, "bob@elsewhere.test"),
			i < 5 ? PERMIT_YES : PERMIT_LIMIT);
	world_free(&by_source);
}

static void the_first_recipient_may_fail_and_the_message_counts(void **state)
{
	struct world *world = sender_world(
		"sending_mode = off\nsending_plan = few\nplan few { messages_hour = 2 }\n");

	(void)state;
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
		assert_int_equal(sender_rcpt(world, 1, "a@elsewhere.test"), PERMIT_YES);
		assert_int_equal(sender_rcpt(world, 1, "b@elsewhere.test"), PERMIT_YES);
		sender_done_one(world, 1, 0, RCPT_UNKNOWN);
		sender_done(world, 1, true, 1);
	}
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 1, "a@elsewhere.test"), PERMIT_LIMIT);
	assert_non_null(strstr(world->rcpt_text, "2 messages an hour"));
	world_free(&world);
}

static void large_messages_are_refused_beforehand(void **state)
{
	struct world *world = sender_world(SENDER_TIGHT);

	(void)state;
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 5000), PERMIT_YES);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 5001), PERMIT_SIZE);
	world_free(&world);
}

/* Those that the next hop did not take are none of the message's, but even they end somewhere. */
static void recipients_of_a_message_are_bounded(void **state)
{
	struct world *world = sender_world("message_recipients = 2\nsending_mode = off\n");
	struct ipc_message message = { .type = IPC_RCPT,
		.rcpt = { 1, SLICE_LIT("a@elsewhere.test") } };
	struct ipc_message refused = { .type = IPC_RCPT_DONE, .rcpt_done = { .session = 1 } };

	(void)state;
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	for (uint32_t i = 0; i < SENDING_MAIL_TRIES_MAX - 1; i++) {
		world_send(world, 0, &message);
		refused.rcpt_done.index = i;
		world_send(world, 0, &refused);
		if (i % 1000 == 0)
			world_settle(world);
	}
	world_settle(world);
	assert_int_equal(world->rcpt_permit, PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 1, "b@elsewhere.test"), PERMIT_YES);
	sender_done_one(world, 1, SENDING_MAIL_TRIES_MAX - 1, RCPT_REFUSED);
	assert_int_equal(sender_rcpt(world, 1, "c@elsewhere.test"), PERMIT_TEMPORARY);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 1, "a@elsewhere.test"), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 1, "b@elsewhere.test"), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 1, "c@elsewhere.test"), PERMIT_TEMPORARY);
	world_free(&world);
}

static void what_a_front_makes_up_ends_it(void **state)
{
	struct world *world = sender_world("");

	(void)state;
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 1, "a@elsewhere.test"), PERMIT_YES);
	sender_done_one(world, 1, 0, RCPT_DELIVERED);
	assert_false(world->fronts[0].has_ended);
	sender_done_one(world, 1, 0, RCPT_DELIVERED);
	assert_true(world->fronts[0].has_ended);
	assert_int_equal(sender_spent(world), 1);
	world_free(&world);
}

/* Which is of use for who is new only. */
static void the_fingerprint_of_what_a_stranger_gets_is_wanted(void **state)
{
	static const char *const modes[] = { "", "sending_mode = off\n" };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(modes); i++) {
		struct world *world = sender_world(modes[i]);

		sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
		for (int n = 0; n < 2; n++) {
			assert_int_equal(
				sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
			assert_int_equal(sender_rcpt(world, 1, "new@elsewhere.test"), PERMIT_YES);
			assert_int_equal(world->rcpt_wants_body, i == 0 && n == 0);
			sender_done(world, 1, true, 1);
		}
		world_free(&world);
	}
}

static void what_was_sent_is_told(void **state)
{
	struct world *world = sender_world(SENDER_TIGHT "sending_mode = off\n");

	(void)state;
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_send_new(world, 1, 12), 10);
	assert_int_equal(world->sent_count, 1);
	assert_int_equal(world->sent[0].outcome, SENT_ACCEPTED);
	assert_int_equal(world->sent[0].account, WORLD_RIGHT_ACCOUNT);
	assert_int_equal(world->sent[0].session, 1);
	assert_int_equal(world->sent[0].recipients, 10);
	assert_int_equal(world->sent[0].strangers, 10);
	assert_string_equal(world->sent[0].sender, "alice@example.test");
	assert_string_equal(world->sent[0].subject, "Gr\xc3\xbc\xc3\x9f"
						    "e");
	assert_int_equal(sender_send_new(world, 1, 3), 0);
	assert_int_equal(world->sent_count, 1);
	/* Refused by the next hop; and given up before its end, of which nothing is told. */
	sender_advance(SENDER_HOUR_MS + 400 * 1000);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 1, "a@elsewhere.test"), PERMIT_YES);
	sender_done(world, 1, false, 0);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 1, "a@elsewhere.test"), PERMIT_YES);
	world_end(world, 0, 1);
	world_settle(world);
	assert_int_equal(world->sent_count, 3);
	assert_int_equal(world->sent[1].outcome, SENT_REFUSED);
	assert_int_equal(world->sent[1].recipients, 1);
	assert_int_equal(world->sent[2].outcome, SENT_LIMITED);
	assert_int_equal(world->sent[2].recipients, 5);
	world_free(&world);
}

static void a_restart_forgets_no_limit(void **state)
{
	struct world *world = sender_world(SENDER_TIGHT "sending_mode = off\n");
	struct ipc_message resume = { .type = IPC_SESSION_RESUME };

	(void)state;
	world->spent = 7;
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_send_new(world, 1, 2), 2);
	world->spent = 9;
	world_restart_core(world);
	world_settle(world);
	resume.session_resume = (struct ipc_session_resume){ .session = 1,
		.account = WORLD_RIGHT_ACCOUNT,
		.address = SLICE_LIT("alice@example.test") };
	world_open(world, 0, 1, SERVICE_SUBMISSION, SENDER_HOME);
	world->is_sending_mute = true;
	world_send(world, 0, &resume);
	world_settle(world);
	/* A transaction that the last core knew ends while the account is loaded: it is counted. */
	assert_int_equal(sender_rcpt(world, 1, "c@elsewhere.test"), PERMIT_TEMPORARY);
	sender_done_one(world, 1, 5, RCPT_REFUSED);
	sender_done(world, 1, true, 1);
	assert_int_equal(world->sent[world->sent_count - 1].outcome, SENT_ACCEPTED);
	world->is_sending_mute = false;
	world_on_sending_load(&world->vaults[DESK], &(struct ipc_sending_load){ .request = 1,
							    .what = IPC_SENDING_ACCOUNT,
							    .account = WORLD_RIGHT_ACCOUNT });
	world_settle(world);
	assert_int_equal(sender_spent(world), 10);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 1, "c@elsewhere.test"), PERMIT_LIMIT);
	/* And one while it is there. */
	sender_done(world, 1, false, 0);
	sender_done(world, 1, true, 3);
	assert_int_equal(sender_spent(world), 13);
	world_free(&world);
}

static void profiles_are_kept_and_come_back(void **state)
{
	struct world *world = sender_world("");

	(void)state;
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_send_new(world, 1, 3), 3);
	assert_int_equal(world->profiles_kept, 0);
	sender_advance(30 * 1000);
	sending_tick(world->core);
	world_settle(world);
	assert_int_equal(world->profiles_kept, 0);
	sender_advance(31 * 1000);
	world->is_profile_failing = true;
	sending_tick(world->core);
	world_settle(world);
	assert_int_equal(world->core->stats.profiles_not_kept, 1);
	assert_true(sender_account_of(world)->is_dirty);
	world->is_profile_failing = false;
	sender_advance(61 * 1000);
	sending_tick(world->core);
	world_settle(world);
	assert_int_equal(world->profiles_kept, 1);
	assert_false(sender_account_of(world)->is_dirty);
	world_restart_core(world);
	world_settle(world);
	sender_sign_in(world, 2, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 2, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_account_of(world)->profile.known.count, 3);
	/* At the end all of it goes, whenever it changed. */
	sender_done(world, 2, false, 0);
	assert_int_equal(sender_send_new(world, 2, 1), 1);
	sending_stop(world->core, 100);
	world_settle(world);
	assert_int_equal(world->profiles_kept, 2);
	world_free(&world);
}

static void memory_is_bounded(void **state)
{
	struct world *world = sender_world("sending_memory = 1M\n");
	char login[64];

	(void)state;
	for (uint64_t i = 1; i <= 60; i++) {
		(void)snprintf(login, sizeof login, "user%u@example.test", (unsigned)i);
		sender_sign_in(world, i, login, SENDER_HOME);
		assert_int_equal(sender_mail(world, i, login, 0), PERMIT_YES);
		assert_int_equal(sender_rcpt(world, i, "a@elsewhere.test"), PERMIT_YES);
		sender_done(world, i, true, 1);
	}
	assert_true(world->core->sending.units.bytes > 60 * sizeof(struct profile));
	assert_true(world->core->sending.units.bytes < 1024 * 1024);
	/* As if all had grown: those not in use go, each kept before. */
	for (uint64_t n = 0; n < 60; n++) {
		struct sending_unit *unit = TAILQ_FIRST(&world->core->sending.units.resting);

		assert_non_null(unit);
		sending_unit_set_bytes(unit, unit->bytes + 64 * 1024);
		sending_tick(world->core);
		world_settle(world);
		sending_tick(world->core);
		world_settle(world);
		assert_true(world->core->sending.units.bytes <= 1024 * 1024);
		if (TAILQ_FIRST(&world->core->sending.units.resting) == unit) {
			TAILQ_REMOVE(&world->core->sending.units.resting, unit, rest);
			TAILQ_INSERT_TAIL(&world->core->sending.units.resting, unit, rest);
		}
	}
	assert_true(world->core->sending.units.by_key[IPC_SENDING_ACCOUNT].count < 60);
	assert_true(world->profiles_kept > 0);
	/* Those that are in use stay, and beyond twice the bound there is no room for more. */
	assert_int_equal(sender_mail(world, 1, "user1@example.test", 0), PERMIT_YES);
	sending_unit_set_bytes(world->core->sending.units.by_key[IPC_SENDING_ACCOUNT].count > 0
				       ? sending_unit_find_account(
						 world->core, session_find(world->core, 1)->account)
				       : NULL,
		3 * 1024 * 1024);
	sending_tick(world->core);
	world_settle(world);
	assert_int_equal(world->core->sending.units.by_key[IPC_SENDING_ACCOUNT].count, 1);
	assert_int_equal(sender_mail(world, 2, "user2@example.test", 0), PERMIT_TEMPORARY);
	assert_int_equal(sender_rcpt(world, 1, "b@elsewhere.test"), PERMIT_YES);
	sender_done(world, 1, true, 1);
	/* It is measured anew, and there is room again. */
	assert_int_equal(sender_mail(world, 2, "user2@example.test", 0), PERMIT_YES);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose_name_may_be_used),
		cmocka_unit_test(names_that_change_change_at_once),
		cmocka_unit_test(a_vault_that_is_away_counts_nothing),
		cmocka_unit_test(a_limit_is_met_exactly),
		cmocka_unit_test(domains_and_sources_have_limits_of_their_own),
		cmocka_unit_test(the_first_recipient_may_fail_and_the_message_counts),
		cmocka_unit_test(large_messages_are_refused_beforehand),
		cmocka_unit_test(recipients_of_a_message_are_bounded),
		cmocka_unit_test(what_a_front_makes_up_ends_it),
		cmocka_unit_test(the_fingerprint_of_what_a_stranger_gets_is_wanted),
		cmocka_unit_test(what_was_sent_is_told),
		cmocka_unit_test(a_restart_forgets_no_limit),
		cmocka_unit_test(profiles_are_kept_and_come_back),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
