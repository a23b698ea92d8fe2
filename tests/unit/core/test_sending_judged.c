/* SPDX-License-Identifier: ISC */
/* What follows from the judgement: in every session, through a restart, and after the answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sender.h"

/* A week at SENDER_HOME, then a network never seen. */
static void make_history(struct world *world)
{
	uint64_t session = 1;

	for (unsigned day = 0; day < 8; day++) {
		sender_sign_in(world, session, "alice@example.test", SENDER_HOME);
		assert_int_equal(sender_send_new(world, session, 2), 2);
		world_end(world, 0, session++);
		sender_advance(24LL * SENDER_HOUR_MS);
	}
}

static void a_thief_is_stopped_in_every_session(void **state)
{
	struct world *world = sender_world("");
	unsigned passed = 0;

	(void)state;
	make_history(world);
	sender_sign_in(world, 50, "alice@example.test", SENDER_HOME);
	sender_sign_in(world, 51, "alice@example.test", "203.0.113.77");
	assert_int_equal(sender_mail(world, 50, "alice@example.test", 0), PERMIT_YES);
	for (unsigned i = 0; i < 60 && world->rcpt_permit != PERMIT_BLOCKED; i++) {
		passed += sender_send_new(world, 51, 1);
		sender_advance(61 * 1000);
	}
	assert_int_equal(world->rcpt_permit, PERMIT_BLOCKED);
	assert_true(passed < 20);
	assert_true(world->core->stats.sending_asked > 0);
	assert_int_equal(world->core->stats.sending_blocked, 1);
	assert_true(sender_account_of(world)->is_blocked);
	/* At SENDER_HOME, in the transaction that was open, and in a fresh session too. */
	assert_int_equal(sender_rcpt(world, 50, "a@elsewhere.test"), PERMIT_BLOCKED);
	assert_int_equal(sender_mail(world, 50, "alice@example.test", 0), PERMIT_BLOCKED);
	assert_string_equal(world->mail_text, "alice@example.test");
	sender_sign_in(world, 52, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 52, "alice@example.test", 0), PERMIT_BLOCKED);
	/* Let go: his network is as new as it was. */
	assert_int_equal(world_op(world, "account.unblock", "{}"), GP_OK);
	assert_int_equal(sender_send_new(world, 52, 1), 1);
	assert_int_equal(sender_account_of(world)->profile.asked_at, 0);
	sender_advance(4 * 24LL * SENDER_HOUR_MS);
	sender_sign_in(world, 53, "alice@example.test", "203.0.113.77");
	assert_int_equal(sender_mail(world, 53, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 53, "z@elsewhere.test"), PERMIT_YES);
	struct profile_try try = { .recipient = 5, .source = world_ip("203.0.113.77") };
	struct sending_facts facts;

	profile_look(&sender_account_of(world)->profile, &world->core->sending.policy, &try,
		sending_now(world->core), &facts);
	assert_true(facts.is_new_network);
	world_free(&world);
}

/* The case names the thief's source; the owner, who wrote to somebody he knows meanwhile and whose
 * next recipient is the one at which it is noticed, did not take part. */
static void the_owner_takes_no_part(void **state)
{
	struct world *world = sender_world("points_unknown = 20\n");
	const char *sources = NULL;

	(void)state;
	make_history(world);
	sender_sign_in(world, 50, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 50, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 50, "friend@elsewhere.test"), PERMIT_YES);
	sender_done(world, 50, true, 1);
	sender_sign_in(world, 51, "alice@example.test", "203.0.113.77");
	sender_sign_in(world, 52, "alice@example.test", "192.0.2.9");
	assert_int_equal(sender_mail(world, 52, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_mail(world, 51, "alice@example.test", 0), PERMIT_YES);
	for (unsigned i = 0; i < 6; i++) {
		char recipient[32];

		(void)snprintf(recipient, sizeof recipient, "nobody%u@elsewhere.test", i);
		assert_int_equal(sender_rcpt(world, 51, recipient), PERMIT_YES);
	}
	for (unsigned i = 0; i < 6; i++)
		sender_done_one(world, 51, i, RCPT_UNKNOWN);
	assert_string_equal(world->case_args, "");
	assert_int_equal(sender_mail(world, 50, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 50, "friend@elsewhere.test"), PERMIT_ASKED);
	sources = strstr(world->case_args, "\"sources\":");
	assert_non_null(sources);
	assert_non_null(strstr(sources, "[\"203.0.113.77\"]"));
	world_free(&world);
}

static void a_thief_at_home_takes_part(void **state)
{
	struct world *world = sender_world("");

	(void)state;
	make_history(world);
	sender_sign_in(world, 50, "alice@example.test", SENDER_HOME);
	for (unsigned i = 0; i < 60 && world->rcpt_permit != PERMIT_ASKED; i++)
		(void)sender_send_new(world, 50, 1);
	assert_int_equal(world->rcpt_permit, PERMIT_ASKED);
	assert_non_null(strstr(world->case_args, "\"sources\":[\"" SENDER_HOME "\"]"));
	world_free(&world);
}

static void send_until(struct world *world, uint64_t session, enum permit permit)
{
	for (unsigned i = 0; i < 60 && world->rcpt_permit != permit; i++) {
		(void)sender_send_new(world, session, 1);
		sender_advance(61 * 1000);
	}
	assert_int_equal(world->rcpt_permit, permit);
}

static void tick(struct world *world)
{
	sending_tick(world->core);
	world_settle(world);
}

/* The desk is told of a case until it has it, and then no more. */
static void a_case_is_told_until_it_is_kept(void **state)
{
	struct world *world = sender_world("sending_block = 10000\n");
	unsigned told = 0;

	(void)state;
	make_history(world);
	sender_sign_in(world, 50, "alice@example.test", "203.0.113.77");
	world->case_err = GP_ERR_STORE;
	send_until(world, 50, PERMIT_ASKED);
	assert_non_null(strstr(world->case_args, "\"kind\":\"ask\""));
	assert_non_null(strstr(world->case_args, "\"session\":\"0000000000000032\""));
	told = world->cases;
	assert_true(told > 0);
	assert_non_null(sender_account_of(world)->open);
	tick(world);
	assert_int_equal(world->cases, told + 1);
	/* Who keeps nothing is asked again once he is back. */
	world_cut_vault(world, DESK);
	tick(world);
	assert_int_equal(world->cases, told + 1);
	world_connect_vault(world, DESK);
	world->case_err = GP_OK;
	world_settle(world);
	tick(world);
	assert_int_equal(world->cases, told + 2);
	assert_null(sender_account_of(world)->open);
	assert_false(sender_account_of(world)->is_urgent);
	tick(world);
	assert_int_equal(world->cases, told + 2);
	world_free(&world);
}

/* An account that is no more has no case; that is no fault to be tried again. */
static void a_case_of_nobody_ends(void **state)
{
	struct world *world = sender_world("sending_block = 10000\n");

	(void)state;
	make_history(world);
	sender_sign_in(world, 50, "alice@example.test", "203.0.113.77");
	world->case_err = GP_ERR_NOT_FOUND;
	send_until(world, 50, PERMIT_ASKED);
	assert_int_equal(world->cases, 1);
	assert_null(sender_account_of(world)->open);
	world_free(&world);
}

/* What core has decided holds, whatever the store says that has not heard of it. */
static void a_block_holds_before_it_is_kept(void **state)
{
	struct world *world = sender_world("");
	unsigned loads = 0;

	(void)state;
	make_history(world);
	sender_sign_in(world, 50, "alice@example.test", "203.0.113.77");
	world->case_err = GP_ERR_STORE;
	send_until(world, 50, PERMIT_BLOCKED);
	/* The question that was not kept has become a block. */
	assert_non_null(strstr(world->case_args, "\"kind\":\"block\""));
	loads = world->name_loads;
	assert_int_equal(
		world_op(world, "alias.add",
			"{\"address\":\"alice@example.test\",\"alias\":\"sales@example.test\"}"),
		GP_OK);
	sender_sign_in(world, 51, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 51, "alice@example.test", 0), PERMIT_BLOCKED);
	assert_int_equal(world->name_loads, loads + 1);
	/* Kept, it is the store that knows. */
	world->case_err = GP_OK;
	tick(world);
	assert_null(sender_account_of(world)->open);
	assert_int_equal(sender_mail(world, 51, "alice@example.test", 0), PERMIT_BLOCKED);
	world_free(&world);
}

static void an_owner_is_asked_and_says_yes(void **state)
{
	struct world *world = sender_world("sending_block = 10000\n");
	struct ipc_message confirmed = { .type = IPC_OP_DONE };

	(void)state;
	make_history(world);
	sender_sign_in(world, 50, "alice@example.test", "203.0.113.77");
	for (unsigned i = 0; i < 30 && world->rcpt_permit != PERMIT_ASKED; i++)
		(void)sender_send_new(world, 50, 1);
	assert_int_equal(world->rcpt_permit, PERMIT_ASKED);
	assert_string_equal(world->rcpt_text, "alice@example.test");
	/* A new core knows that it asked, though nothing was due to be kept. */
	assert_true(world->profiles_kept > 0);
	world_restart_core(world);
	world_settle(world);
	sender_sign_in(world, 51, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 51, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 51, "a@elsewhere.test"), PERMIT_ASKED);
	/* The answer may come while the account is not in memory. */
	world_restart_core(world);
	world_settle(world);
	confirmed.op_done = (struct ipc_op_done){
		.request = 12345, .effect = IPC_EFFECT_CONFIRMED, .account = WORLD_RIGHT_ACCOUNT
	};
	assert_int_equal(chan_send(world->vaults[DESK].chan, &confirmed, -1), GP_OK);
	world_settle(world);
	sender_sign_in(world, 52, "alice@example.test", "203.0.113.77");
	assert_int_equal(sender_send_new(world, 52, 1), 1);
	world_free(&world);
}

static void the_shadow_refuses_nothing(void **state)
{
	struct world *world = sender_world("sending_mode = observe\n");

	(void)state;
	make_history(world);
	sender_sign_in(world, 50, "alice@example.test", "203.0.113.77");
	for (unsigned i = 0; i < 60; i++) {
		assert_int_equal(sender_send_new(world, 50, 1), 1);
		sender_advance(61 * 1000);
	}
	assert_true(world->core->stats.sending_would_ask > 0);
	assert_true(world->core->stats.sending_would_block > 0);
	assert_int_equal(world->core->stats.sending_asked, 0);
	assert_int_equal(world->core->stats.sending_blocked, 0);
	assert_int_equal(sender_account_of(world)->profile.asked_at, 0);
	assert_int_equal(sender_mail(world, 50, "bob@example.test", 0), PERMIT_YES);
	assert_int_equal(world->core->stats.sending_not_own, 1);
	world_free(&world);
}

static void staff_see_what_an_account_sends(void **state)
{
	struct world *world = sender_world(SENDER_TIGHT);
	const json_t *limits = NULL;

	(void)state;
	world->account_row = "{\"id\":7,\"address\":\"alice@example.test\"}";
	world->spent = 4;
	assert_int_equal(
		world_op(world, "account.sending", "{\"address\":\"alice@example.test\"}"), GP_OK);
	assert_int_equal(json_array_size(world->rows), 1);
	limits = json_object_get(world_row(world, 0), "limits");
	assert_int_equal(json_array_size(limits), 1);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(limits, 0), "spent")), 4);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(limits, 0), "free")), 6);
	assert_string_equal(
		json_string_value(json_object_get(world_row(world, 0), "outcome")), "pass");
	world->is_sending_failing = true;
	world->account_row = "{\"id\":8,\"address\":\"bob@example.test\"}";
	assert_int_equal(world_op(world, "account.sending", "{\"address\":\"bob@example.test\"}"),
		GP_ERR_STORE);
	world_free(&world);
}

static enum permit end(struct world *world, uint64_t session, enum filter filter)
{
	struct ipc_message message = { .type = IPC_END, .end = { session, (uint8_t)filter } };

	world->end_permit = PERMIT_MAX;
	world_send(world, 0, &message);
	world_settle(world);
	return world->end_permit;
}

/* Twenty points for each that is condemned, sixty at most. */
static void what_the_filter_says_counts(void **state)
{
	struct world *world = sender_world("points_filter = 30\n");

	(void)state;
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	assert_int_equal(end(world, 1, FILTER_BAD), PERMIT_TEMPORARY);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 1, "a@elsewhere.test"), PERMIT_YES);
	assert_int_equal(end(world, 1, FILTER_BAD), PERMIT_YES);
	sender_done(world, 1, true, 1);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(sender_rcpt(world, 1, "a@elsewhere.test"), PERMIT_YES);
	assert_int_equal(world->core->stats.filter_refused, 0);
	assert_int_equal(end(world, 1, FILTER_BAD), PERMIT_ASKED);
	assert_int_equal(world->core->stats.filter_refused, 1);
	sender_done(world, 1, false, 0);
	assert_int_equal(sender_spent(world), 1);
	assert_int_not_equal(sender_account_of(world)->profile.asked_at, 0);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thief_is_stopped_in_every_session),
		cmocka_unit_test(the_owner_takes_no_part),
		cmocka_unit_test(a_thief_at_home_takes_part),
		cmocka_unit_test(a_case_is_told_until_it_is_kept),
		cmocka_unit_test(a_case_of_nobody_ends),
		cmocka_unit_test(a_block_holds_before_it_is_kept),
		cmocka_unit_test(an_owner_is_asked_and_says_yes),
		cmocka_unit_test(the_shadow_refuses_nothing),
		cmocka_unit_test(what_the_filter_says_counts),
		cmocka_unit_test(staff_see_what_an_account_sends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
