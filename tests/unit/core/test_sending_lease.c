/* SPDX-License-Identifier: ISC */
/* What a session is told of its next MAILs, and that it ends with everything it came from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "sender.h"

static void a_leased_mail_is_judged_and_counted_as_any(void **state)
{
	struct world *world = sender_world(SENDER_TIGHT "sending_mode = off\n");
	unsigned mails = 0;

	(void)state;
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_true(world->has_lease[1]);
	mails = world->mail_count;
	for (unsigned i = 0; i < 5; i++) {
		sender_tell_mail(world, 1, "alice@example.test");
		assert_int_equal(sender_rcpt(world, 1, "a@elsewhere.test"), PERMIT_YES);
		assert_int_equal(sender_rcpt(world, 1, "b@elsewhere.test"), PERMIT_YES);
		sender_done(world, 1, true, 2);
	}
	assert_int_equal(world->mail_count, mails);
	assert_int_equal(sender_spent(world), 10);
	assert_int_equal(world->sent_count, 5);
	assert_string_equal(world->sent[4].sender, "alice@example.test");
	sender_tell_mail(world, 1, "alice@example.test");
	assert_int_equal(sender_rcpt(world, 1, "a@elsewhere.test"), PERMIT_LIMIT);
	/* Limits are RCPT's. */
	assert_true(world->has_lease[1]);
	/* What a front makes up of a lease is judged, too. */
	sender_tell_mail(world, 1, "bob@example.test");
	assert_int_equal(sender_rcpt(world, 1, "a@elsewhere.test"), PERMIT_TEMPORARY);
	assert_int_equal(world->mail_count, mails);
	assert_int_equal(world->core->stats.sending_not_own, 1);
	world_free(&world);
}

static void only_a_yes_is_a_lease(void **state)
{
	struct world *world = sender_world("");

	(void)state;
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 1, "bob@example.test", 0), PERMIT_NOT_OWN);
	assert_false(world->has_lease[1]);
	assert_int_equal(sender_mail(world, 1, "", 0), PERMIT_YES);
	assert_true(world->has_lease[1]);
	/* A question is the end of the lease before it. */
	assert_int_equal(sender_mail(world, 1, "bob@example.test", 0), PERMIT_NOT_OWN);
	assert_false(world->has_lease[1]);
	assert_int_equal(world_op(world, "account.block", "{}"), GP_OK);
	assert_int_equal(world->leases_ended, 0);
	world_free(&world);

	/* Nobody's who is not signed in, and none where each MAIL is noted. */
	world = sender_world("sending_mode = observe\n");
	world_open(world, 0, 1, SERVICE_SMTP, SENDER_HOME);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_false(world->has_lease[1]);
	sender_sign_in(world, 2, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 2, "bob@example.test", 0), PERMIT_YES);
	assert_false(world->has_lease[2]);
	world_free(&world);
}

/* ---- what takes it back ---- */

static void tell_effect(struct world *world, enum ipc_effect effect, uint64_t account)
{
	struct ipc_message message = { .type = IPC_OP_DONE,
		.op_done = { .request = 12345, .effect = (uint8_t)effect, .account = account } };

	assert_int_equal(chan_send(world->vaults[DESK].chan, &message, -1), GP_OK);
	world_settle(world);
}

static void block(struct world *world)
{
	tell_effect(world, IPC_EFFECT_BLOCKED, WORLD_RIGHT_ACCOUNT);
}

static void change_names(struct world *world)
{
	tell_effect(world, IPC_EFFECT_SENDERS, WORLD_RIGHT_ACCOUNT);
}

static void change_many_names(struct world *world)
{
	tell_effect(world, IPC_EFFECT_SENDERS, 0);
}

static void change_domains(struct world *world)
{
	tell_effect(world, IPC_EFFECT_DOMAINS, 0);
}

static void configure(struct world *world)
{
	core_configure(world->core, world->config);
	world_settle(world);
}

static void lose_desk(struct world *world)
{
	world_cut_vault(world, DESK);
	world_settle(world);
}

/* Seen when its names are loaded: the vault could not say so before. */
static void find_block(struct world *world)
{
	lose_desk(world);
	world_connect_vault(world, DESK);
	world_settle(world);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	sender_sign_in(world, 9, "alice@example.test", SENDER_HOME);
	sender_account_of(world)->is_stale = true;
	world->is_account_blocked = true;
	assert_int_equal(sender_mail(world, 9, "alice@example.test", 0), PERMIT_BLOCKED);
}

static void each_change_takes_it_back_at_once(void **state)
{
	static const struct {
		const char *name;
		void (*change)(struct world *world);
		enum permit permit; /* then */
	} cases[] = {
		{ "block", block, PERMIT_BLOCKED },
		{ "names", change_names, PERMIT_YES },
		{ "many names", change_many_names, PERMIT_YES },
		{ "domains", change_domains, PERMIT_YES },
		{ "configuration", configure, PERMIT_YES },
		{ "desk", lose_desk, PERMIT_TEMPORARY },
		{ "block that is found", find_block, PERMIT_BLOCKED },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct world *world = sender_world("");

		print_message("%s\n", cases[i].name);
		for (uint64_t session = 1; session <= 2; session++) {
			sender_sign_in(world, session, "alice@example.test", SENDER_HOME);
			assert_int_equal(
				sender_mail(world, session, "alice@example.test", 0), PERMIT_YES);
			assert_true(world->has_lease[session]);
		}
		assert_int_equal(world->leases_ended, 0);
		cases[i].change(world);
		assert_false(world->has_lease[1]);
		assert_false(world->has_lease[2]);
		assert_int_equal(sender_mail(world, 2, "alice@example.test", 0), cases[i].permit);
		world_free(&world);
	}
}

static void what_is_changed_of_others_leaves_it(void **state)
{
	struct world *world = sender_world("");

	(void)state;
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	tell_effect(world, IPC_EFFECT_BLOCKED, WORLD_RIGHT_ACCOUNT + 1);
	assert_true(world->has_lease[1]);
	assert_int_equal(world->leases_ended, 0);
	world_free(&world);
}

/* The account's other sessions hear it when core blocks it by what one of them sends. */
static void a_block_by_judgement_takes_it_back(void **state)
{
	struct world *world = sender_world("");

	(void)state;
	for (uint64_t session = 1; session <= 8; session++) {
		sender_sign_in(world, session, "alice@example.test", SENDER_HOME);
		assert_int_equal(sender_send_new(world, session, 2), 2);
		sender_advance(24LL * SENDER_HOUR_MS);
	}
	sender_sign_in(world, 51, "alice@example.test", "203.0.113.77");
	assert_true(world->has_lease[8]);
	for (unsigned i = 0; i < 60 && world->rcpt_permit != PERMIT_BLOCKED; i++) {
		(void)sender_send_new(world, 51, 1);
		sender_advance(61 * 1000);
	}
	assert_int_equal(world->rcpt_permit, PERMIT_BLOCKED);
	assert_false(world->has_lease[8]);
	assert_false(world->has_lease[51]);
	/* On its way when the lease ended: the RCPT is told why. */
	sender_tell_mail(world, 8, "alice@example.test");
	assert_int_equal(sender_rcpt(world, 8, "a@elsewhere.test"), PERMIT_BLOCKED);
	assert_string_equal(world->rcpt_text, "alice@example.test");
	world_free(&world);
}

/* ---- a RCPT that waits for its MAIL ---- */

static void begin_waiting(struct world *world)
{
	sender_sign_in(world, 1, "alice@example.test", SENDER_HOME);
	assert_int_equal(sender_mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	change_names(world);
	world->is_sending_mute = true;
	sender_tell_mail(world, 1, "alice@example.test");
	assert_int_equal(sender_rcpt(world, 1, "a@elsewhere.test"), PERMIT_MAX);
}

/* What was asked of the old desk is lost with it; the next one is asked anew. */
static void what_mail_waits_for_rcpt_waits_for(void **state)
{
	struct world *world = sender_world("");

	(void)state;
	begin_waiting(world);
	world_cut_vault(world, DESK);
	world_settle(world);
	assert_int_equal(world->rcpt_permit, PERMIT_TEMPORARY);
	world->is_sending_mute = false;
	world_connect_vault(world, DESK);
	world_settle(world);
	sender_tell_mail(world, 1, "alice@example.test");
	assert_int_equal(sender_rcpt(world, 1, "a@elsewhere.test"), PERMIT_YES);
	sender_done(world, 1, true, 1);
	assert_int_equal(sender_spent(world), 1);
	world_free(&world);
}

static void nobody_waits_for_a_session_that_ended(void **state)
{
	struct world *world = sender_world("");

	(void)state;
	begin_waiting(world);
	world_end(world, 0, 1);
	world_settle(world);
	assert_int_equal(world->rcpt_permit, PERMIT_MAX);
	assert_false(world->fronts[0].has_ended);
	world_free(&world);
}

static void one_question_at_a_time_may_wait(void **state)
{
	struct world *world = sender_world("");

	(void)state;
	begin_waiting(world);
	(void)sender_rcpt(world, 1, "b@elsewhere.test");
	assert_true(world->fronts[0].has_ended);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leased_mail_is_judged_and_counted_as_any),
		cmocka_unit_test(only_a_yes_is_a_lease),
		cmocka_unit_test(each_change_takes_it_back_at_once),
		cmocka_unit_test(what_is_changed_of_others_leaves_it),
		cmocka_unit_test(a_block_by_judgement_takes_it_back),
		cmocka_unit_test(what_mail_waits_for_rcpt_waits_for),
		cmocka_unit_test(nobody_waits_for_a_session_that_ended),
		cmocka_unit_test(one_question_at_a_time_may_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
