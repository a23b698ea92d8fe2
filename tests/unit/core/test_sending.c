/* SPDX-License-Identifier: ISC */
/* What signed-in accounts may send: identity, limits, judgement, and what is kept of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "core/sending_account.h"
#include "world.h"

#define TIGHT                                                                                \
	"sending_plan = tight\nplan tight { recipients_hour = 10 messages_hour = 0 "         \
	"new_recipients_day = 0 recipients_day = 0 messages_day = 0 message_size = 5000 }\n" \
	"plan wide { recipients_hour = 15 messages_hour = 0 new_recipients_day = 0 "         \
	"recipients_day = 0 messages_day = 0 }\n"

enum {
	HOUR_MS = 3600 * 1000,
	SESSIONS = 100,
};

static const char home[] = "198.51.100.7";

static struct world *world_with(const char *extra)
{
	return world_new(extra, true);
}

static void advance(int64_t ms)
{
	clock_fake(clock_wall() + ms / 1000, clock_steady() + ms);
}

static void sign_in(struct world *world, uint64_t session, const char *login, const char *client)
{
	world_open(world, 0, session, SERVICE_SUBMISSION, client);
	world_signin(world, 0, session, login, "right");
	world_settle(world);
	assert_int_equal(world_answer_of(world, session)->verdict, VERDICT_OK);
}

static enum permit mail(struct world *world, uint64_t session, const char *sender, uint64_t size)
{
	struct ipc_message message = { .type = IPC_MAIL,
		.mail = { session, slice_str(sender), size } };

	world->mail_permit = PERMIT_MAX;
	world_send(world, 0, &message);
	world_settle(world);
	return world->mail_permit;
}

static enum permit rcpt(struct world *world, uint64_t session, const char *recipient)
{
	world->rcpt_permit = PERMIT_MAX;
	world_rcpt(world, 0, session, recipient);
	return world->rcpt_permit;
}

static enum permit from(struct world *world, uint64_t session, const char *addresses)
{
	struct ipc_message message = { .type = IPC_FROM,
		.from = { session, slice_str(addresses) } };

	world->from_permit = PERMIT_MAX;
	world_send(world, 0, &message);
	world_settle(world);
	return world->from_permit;
}

static void done_one(
	struct world *world, uint64_t session, uint32_t index, enum rcpt_outcome outcome)
{
	struct ipc_message message = { .type = IPC_RCPT_DONE,
		.rcpt_done = { session, index, (uint8_t)outcome } };

	world_send(world, 0, &message);
	world_settle(world);
}

static void done(struct world *world, uint64_t session, bool is_accepted, uint32_t recipients)
{
	struct ipc_message message = { .type = IPC_MESSAGE_DONE,
		.message_done = { .session = session,
			.accepted = is_accepted,
			.recipients = recipients,
			.size = 1000,
			.body = SLICE_LIT("0123456789abcdef"),
			.subject = SLICE_LIT("Gr\xc3\xbc\xc3\x9f"
					     "e") } };

	world_send(world, 0, &message);
	world_settle(world);
}

/* One message to so many new recipients; how many were let through. */
static unsigned send_new(struct world *world, uint64_t session, unsigned count)
{
	static unsigned next;
	unsigned passed = 0;
	char recipient[64];

	if (mail(world, session, "alice@example.test", 0) != PERMIT_YES)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(recipient, sizeof recipient, "r%u@elsewhere.test", next++);
		passed += rcpt(world, session, recipient) == PERMIT_YES;
	}
	done(world, session, passed > 0, passed);
	return passed;
}

static struct sending_account *account_of(struct world *world)
{
	struct sending_unit *unit = sending_unit_find_account(world->core, WORLD_RIGHT_ACCOUNT);

	assert_non_null(unit);
	return unit->of;
}

static unsigned spent(struct world *world)
{
	const struct quota *quota =
		&account_of(world)->unit.meter.quotas[SENDING_LIMIT_RECIPIENTS_HOUR];

	assert_int_equal(quota->reserved, 0);
	return tally_sum(&quota->spent, TALLY_HOUR, sending_now(world->core));
}

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
	struct world *world = world_with("");

	(void)state;
	world->alias = "sales@example.test";
	world->listed = "@listed.test";
	sign_in(world, 1, "alice@example.test", home);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		print_message("%s\n", cases[i].sender);
		assert_int_equal(mail(world, 1, cases[i].sender, 0), cases[i].permit);
	}
	assert_string_equal(world->mail_text, "alice@example.test");
	assert_int_equal(world->core->stats.sending_not_own, 5);
	/* Each counts as a forgery once. */
	assert_int_equal(mail(world, 1, "BOB@example.test", 0), PERMIT_NOT_OWN);
	assert_int_equal(tally_sum(&account_of(world)->profile.tallies[PROFILE_FORGED], TALLY_DAY,
				 sending_now(world->core)),
		5);

	assert_int_equal(mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(from(world, 1, "alice@example.test"), PERMIT_YES);
	assert_int_equal(from(world, 1, "sales@example.test, x@listed.test"), PERMIT_YES);
	assert_int_equal(from(world, 1, "sales@example.test,bob@example.test"), PERMIT_NOT_OWN);
	assert_int_equal(from(world, 1, ""), PERMIT_NOT_OWN);
	world_free(&world);
}

static void names_that_change_change_at_once(void **state)
{
	struct world *world = world_with("");

	(void)state;
	sign_in(world, 1, "alice@example.test", home);
	assert_int_equal(mail(world, 1, "sales@example.test", 0), PERMIT_NOT_OWN);
	world->alias = "sales@example.test";
	assert_int_equal(mail(world, 1, "sales@example.test", 0), PERMIT_NOT_OWN);
	assert_int_equal(
		world_op(world, "alias.add",
			"{\"address\":\"alice@example.test\",\"alias\":\"sales@example.test\"}"),
		GP_OK);
	assert_int_equal(mail(world, 1, "sales@example.test", 0), PERMIT_YES);
	assert_int_equal(world->sending_loads, 1);
	assert_int_equal(world->name_loads, 1);
	/* The vault may have changed something and died before it could say so. */
	world->alias = NULL;
	world_cut_vault(world, DESK);
	assert_int_equal(mail(world, 1, "sales@example.test", 0), PERMIT_TEMPORARY);
	world_connect_vault(world, DESK);
	world_settle(world);
	assert_int_equal(mail(world, 1, "sales@example.test", 0), PERMIT_NOT_OWN);
	world_free(&world);
}

static void a_vault_that_is_away_counts_nothing(void **state)
{
	struct world *world = world_with("");

	(void)state;
	sign_in(world, 1, "alice@example.test", home);
	world->is_sending_failing = true;
	assert_int_equal(mail(world, 1, "alice@example.test", 0), PERMIT_TEMPORARY);
	/* One that comes while another waits, waits with it. */
	world->is_sending_failing = false;
	world->is_sending_mute = true;
	sign_in(world, 2, "alice@example.test", home);
	assert_int_equal(mail(world, 1, "alice@example.test", 0), PERMIT_MAX);
	assert_int_equal(mail(world, 2, "alice@example.test", 0), PERMIT_MAX);
	assert_int_equal(world->sending_loads, 2);
	world_end(world, 0, 2);
	world_cut_vault(world, DESK);
	world_settle(world);
	assert_int_equal(world->mail_permit, PERMIT_TEMPORARY);
	world->is_sending_mute = false;
	world_connect_vault(world, DESK);
	world_settle(world);
	assert_int_equal(mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(rcpt(world, 1, "bob@elsewhere.test"), PERMIT_YES);
	assert_int_equal(world->core->stats.recipients_metered, 0);
	world_free(&world);
}

static void a_limit_is_met_exactly(void **state)
{
	struct world *world = world_with(TIGHT "sending_mode = off\n");
	unsigned reserved = 0;

	(void)state;
	for (uint64_t i = 1; i <= SESSIONS; i++) {
		sign_in(world, i, "alice@example.test", home);
		assert_int_equal(mail(world, i, "alice@example.test", 0), PERMIT_YES);
	}
	for (uint64_t i = 1; i <= SESSIONS; i++)
		reserved += rcpt(world, i, "bob@elsewhere.test") == PERMIT_YES;
	assert_int_equal(reserved, 10);
	assert_int_equal(world->rcpt_permit, PERMIT_LIMIT);
	assert_string_equal(world->rcpt_text,
		"Sending limit of 10 recipients an hour reached; free again in 1 minutes");
	assert_int_equal(world->core->stats.sending_limited, 90);
	/* Every way a transaction can end. */
	done(world, 1, true, 1);
	done(world, 2, false, 0);
	done_one(world, 3, 0, RCPT_REFUSED);
	done(world, 3, false, 0);
	done_one(world, 4, 0, RCPT_DELIVERED);
	done(world, 4, false, 1);
	assert_int_equal(mail(world, 5, "alice@example.test", 0), PERMIT_YES);
	for (uint64_t i = 6; i <= SESSIONS; i++)
		world_end(world, 0, i);
	world_settle(world);
	assert_int_equal(spent(world), 2);
	assert_int_equal(world->core->stats.recipients_metered, 2);
	assert_int_equal(send_new(world, 1, 100), 8);
	assert_int_equal(send_new(world, 1, 1), 0);
	assert_int_equal(world->rcpt_permit, PERMIT_LIMIT);
	assert_string_equal(world->rcpt_text,
		"Sending limit of 10 recipients an hour reached; free again in 65 minutes");
	advance(HOUR_MS + 400 * 1000);
	assert_int_equal(send_new(world, 1, 20), 10);
	assert_int_equal(world->core->stats.recipients_metered, 20);
	world_free(&world);
}

static void domains_and_sources_have_limits_of_their_own(void **state)
{
	struct world *by_domain = world_with(TIGHT "sending_mode = off\n"
						   "route example.test { domain_plan = wide }\n");
	struct world *by_source =
		world_with(TIGHT "sending_mode = off\nsending_source_plan = wide\n");

	(void)state;
	sign_in(by_domain, 1, "user1@example.test", home);
	sign_in(by_domain, 2, "user2@example.test", home);
	assert_int_equal(mail(by_domain, 1, "user1@example.test", 0), PERMIT_YES);
	assert_int_equal(mail(by_domain, 2, "user2@example.test", 0), PERMIT_YES);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(rcpt(by_domain, 1, "bob@elsewhere.test"), PERMIT_YES);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(rcpt(by_domain, 2, "bob@elsewhere.test"),
			i < 5 ? PERMIT_YES : PERMIT_LIMIT);
	assert_string_equal(by_domain->rcpt_text,
		"Sending limit of 15 recipients an hour reached; free again in 1 minutes");
	world_free(&by_domain);

	sign_in(by_source, 1, "user1@example.test", home);
	sign_in(by_source, 2, "user2@example.test", home);
	sign_in(by_source, 3, "user2@example.test", "198.51.100.8");
	assert_int_equal(mail(by_source, 1, "user1@example.test", 0), PERMIT_YES);
	assert_int_equal(mail(by_source, 2, "user2@example.test", 0), PERMIT_YES);
	assert_int_equal(mail(by_source, 3, "user2@example.test", 0), PERMIT_YES);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(rcpt(by_source, 1, "bob@elsewhere.test"), PERMIT_YES);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(rcpt(by_source, 2, "bob@elsewhere.test"),
			i < 5 ? PERMIT_YES : PERMIT_LIMIT);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(rcpt(by_source, 3, "bob@elsewhere.test"),
			i < 5 ? PERMIT_YES : PERMIT_LIMIT);
	world_free(&by_source);
}

static void the_first_recipient_may_fail_and_the_message_counts(void **state)
{
	struct world *world = world_with(
		"sending_mode = off\nsending_plan = few\nplan few { messages_hour = 2 }\n");

	(void)state;
	sign_in(world, 1, "alice@example.test", home);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(mail(world, 1, "alice@example.test", 0), PERMIT_YES);
		assert_int_equal(rcpt(world, 1, "a@elsewhere.test"), PERMIT_YES);
		assert_int_equal(rcpt(world, 1, "b@elsewhere.test"), PERMIT_YES);
		done_one(world, 1, 0, RCPT_UNKNOWN);
		done(world, 1, true, 1);
	}
	assert_int_equal(mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(rcpt(world, 1, "a@elsewhere.test"), PERMIT_LIMIT);
	assert_non_null(strstr(world->rcpt_text, "2 messages an hour"));
	world_free(&world);
}

static void large_messages_are_refused_beforehand(void **state)
{
	struct world *world = world_with(TIGHT);

	(void)state;
	sign_in(world, 1, "alice@example.test", home);
	assert_int_equal(mail(world, 1, "alice@example.test", 5000), PERMIT_YES);
	assert_int_equal(mail(world, 1, "alice@example.test", 5001), PERMIT_SIZE);
	world_free(&world);
}

static void what_a_front_makes_up_ends_it(void **state)
{
	struct world *world = world_with("");

	(void)state;
	sign_in(world, 1, "alice@example.test", home);
	assert_int_equal(mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(rcpt(world, 1, "a@elsewhere.test"), PERMIT_YES);
	done_one(world, 1, 0, RCPT_DELIVERED);
	assert_false(world->fronts[0].has_ended);
	done_one(world, 1, 0, RCPT_DELIVERED);
	assert_true(world->fronts[0].has_ended);
	assert_int_equal(spent(world), 1);
	world_free(&world);
}

static void what_was_sent_is_told(void **state)
{
	struct world *world = world_with(TIGHT "sending_mode = off\n");

	(void)state;
	sign_in(world, 1, "alice@example.test", home);
	assert_int_equal(send_new(world, 1, 12), 10);
	assert_int_equal(world->sent_count, 1);
	assert_int_equal(world->sent[0].outcome, SENT_ACCEPTED);
	assert_int_equal(world->sent[0].account, WORLD_RIGHT_ACCOUNT);
	assert_int_equal(world->sent[0].session, 1);
	assert_int_equal(world->sent[0].recipients, 10);
	assert_int_equal(world->sent[0].strangers, 10);
	assert_string_equal(world->sent[0].sender, "alice@example.test");
	assert_string_equal(world->sent[0].subject, "Gr\xc3\xbc\xc3\x9f"
						    "e");
	assert_int_equal(send_new(world, 1, 3), 0);
	assert_int_equal(world->sent_count, 1);
	/* Refused by the next hop; and given up before its end, of which nothing is told. */
	advance(HOUR_MS + 400 * 1000);
	assert_int_equal(mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(rcpt(world, 1, "a@elsewhere.test"), PERMIT_YES);
	done(world, 1, false, 0);
	assert_int_equal(mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(rcpt(world, 1, "a@elsewhere.test"), PERMIT_YES);
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
	struct world *world = world_with(TIGHT "sending_mode = off\n");
	struct ipc_message resume = { .type = IPC_SESSION_RESUME };

	(void)state;
	world->spent = 7;
	sign_in(world, 1, "alice@example.test", home);
	assert_int_equal(send_new(world, 1, 2), 2);
	world->spent = 9;
	world_restart_core(world);
	world_settle(world);
	resume.session_resume = (struct ipc_session_resume){ .session = 1,
		.account = WORLD_RIGHT_ACCOUNT,
		.address = SLICE_LIT("alice@example.test") };
	world_open(world, 0, 1, SERVICE_SUBMISSION, home);
	world->is_sending_mute = true;
	world_send(world, 0, &resume);
	world_settle(world);
	/* A transaction that the last core knew ends while the account is loaded: it is counted. */
	assert_int_equal(rcpt(world, 1, "c@elsewhere.test"), PERMIT_TEMPORARY);
	done_one(world, 1, 5, RCPT_REFUSED);
	done(world, 1, true, 1);
	assert_int_equal(world->sent[world->sent_count - 1].outcome, SENT_ACCEPTED);
	world->is_sending_mute = false;
	world_on_sending_load(&world->vaults[DESK], &(struct ipc_sending_load){ .request = 1,
							    .what = IPC_SENDING_ACCOUNT,
							    .account = WORLD_RIGHT_ACCOUNT });
	world_settle(world);
	assert_int_equal(spent(world), 10);
	assert_int_equal(mail(world, 1, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(rcpt(world, 1, "c@elsewhere.test"), PERMIT_LIMIT);
	/* And one while it is there. */
	done(world, 1, false, 0);
	done(world, 1, true, 3);
	assert_int_equal(spent(world), 13);
	world_free(&world);
}

static void profiles_are_kept_and_come_back(void **state)
{
	struct world *world = world_with("");

	(void)state;
	sign_in(world, 1, "alice@example.test", home);
	assert_int_equal(send_new(world, 1, 3), 3);
	assert_int_equal(world->profiles_kept, 0);
	advance(30 * 1000);
	sending_tick(world->core);
	world_settle(world);
	assert_int_equal(world->profiles_kept, 0);
	advance(31 * 1000);
	world->is_profile_failing = true;
	sending_tick(world->core);
	world_settle(world);
	assert_int_equal(world->core->stats.profiles_not_kept, 1);
	assert_true(account_of(world)->is_dirty);
	world->is_profile_failing = false;
	advance(61 * 1000);
	sending_tick(world->core);
	world_settle(world);
	assert_int_equal(world->profiles_kept, 1);
	assert_false(account_of(world)->is_dirty);
	world_restart_core(world);
	world_settle(world);
	sign_in(world, 2, "alice@example.test", home);
	assert_int_equal(mail(world, 2, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(account_of(world)->profile.known.count, 3);
	/* At the end all of it goes, whenever it changed. */
	done(world, 2, false, 0);
	assert_int_equal(send_new(world, 2, 1), 1);
	sending_stop(world->core, 100);
	world_settle(world);
	assert_int_equal(world->profiles_kept, 2);
	world_free(&world);
}

static void memory_is_bounded(void **state)
{
	struct world *world = world_with("sending_memory = 1M\n");
	char login[64];

	(void)state;
	for (uint64_t i = 1; i <= 60; i++) {
		(void)snprintf(login, sizeof login, "user%u@example.test", (unsigned)i);
		sign_in(world, i, login, home);
		assert_int_equal(mail(world, i, login, 0), PERMIT_YES);
		assert_int_equal(rcpt(world, i, "a@elsewhere.test"), PERMIT_YES);
		done(world, i, true, 1);
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
	assert_int_equal(mail(world, 1, "user1@example.test", 0), PERMIT_YES);
	sending_unit_set_bytes(world->core->sending.units.by_key[IPC_SENDING_ACCOUNT].count > 0
				       ? sending_unit_find_account(
						 world->core, session_find(world->core, 1)->account)
				       : NULL,
		3 * 1024 * 1024);
	sending_tick(world->core);
	world_settle(world);
	assert_int_equal(world->core->sending.units.by_key[IPC_SENDING_ACCOUNT].count, 1);
	assert_int_equal(mail(world, 2, "user2@example.test", 0), PERMIT_TEMPORARY);
	assert_int_equal(rcpt(world, 1, "b@elsewhere.test"), PERMIT_YES);
	done(world, 1, true, 1);
	/* It is measured anew, and there is room again. */
	assert_int_equal(mail(world, 2, "user2@example.test", 0), PERMIT_YES);
	world_free(&world);
}

/* A week at home, then a network never seen. */
static void make_history(struct world *world)
{
	uint64_t session = 1;

	for (unsigned day = 0; day < 8; day++) {
		sign_in(world, session, "alice@example.test", home);
		assert_int_equal(send_new(world, session, 2), 2);
		world_end(world, 0, session++);
		advance(24LL * HOUR_MS);
	}
}

static void a_thief_is_stopped_in_every_session(void **state)
{
	struct world *world = world_with("");
	unsigned passed = 0;

	(void)state;
	make_history(world);
	sign_in(world, 50, "alice@example.test", home);
	sign_in(world, 51, "alice@example.test", "203.0.113.77");
	assert_int_equal(mail(world, 50, "alice@example.test", 0), PERMIT_YES);
	for (unsigned i = 0; i < 60 && world->rcpt_permit != PERMIT_BLOCKED; i++) {
		passed += send_new(world, 51, 1);
		advance(61 * 1000);
	}
	assert_int_equal(world->rcpt_permit, PERMIT_BLOCKED);
	assert_true(passed < 20);
	assert_true(world->core->stats.sending_asked > 0);
	assert_int_equal(world->core->stats.sending_blocked, 1);
	assert_true(account_of(world)->is_blocked);
	/* At home, in the transaction that was open, and in a fresh session too. */
	assert_int_equal(rcpt(world, 50, "a@elsewhere.test"), PERMIT_BLOCKED);
	assert_int_equal(mail(world, 50, "alice@example.test", 0), PERMIT_BLOCKED);
	assert_string_equal(world->mail_text, "alice@example.test");
	sign_in(world, 52, "alice@example.test", home);
	assert_int_equal(mail(world, 52, "alice@example.test", 0), PERMIT_BLOCKED);
	/* Let go: his network is as new as it was. */
	assert_int_equal(world_op(world, "account.unblock", "{}"), GP_OK);
	assert_int_equal(send_new(world, 52, 1), 1);
	assert_int_equal(account_of(world)->profile.asked_at, 0);
	advance(4 * 24LL * HOUR_MS);
	sign_in(world, 53, "alice@example.test", "203.0.113.77");
	assert_int_equal(mail(world, 53, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(rcpt(world, 53, "z@elsewhere.test"), PERMIT_YES);
	struct profile_try try = { .recipient = 5, .source = world_ip("203.0.113.77") };
	struct sending_facts facts;

	profile_look(&account_of(world)->profile, &world->core->sending.policy, &try,
		sending_now(world->core), &facts);
	assert_true(facts.is_new_network);
	world_free(&world);
}

static void an_owner_is_asked_and_says_yes(void **state)
{
	struct world *world = world_with("sending_block = 10000\n");
	struct ipc_message confirmed = { .type = IPC_OP_DONE };

	(void)state;
	make_history(world);
	sign_in(world, 50, "alice@example.test", "203.0.113.77");
	for (unsigned i = 0; i < 30 && world->rcpt_permit != PERMIT_ASKED; i++)
		(void)send_new(world, 50, 1);
	assert_int_equal(world->rcpt_permit, PERMIT_ASKED);
	assert_string_equal(world->rcpt_text, "alice@example.test");
	/* A new core knows that it asked, though nothing was due to be kept. */
	assert_true(world->profiles_kept > 0);
	world_restart_core(world);
	world_settle(world);
	sign_in(world, 51, "alice@example.test", home);
	assert_int_equal(mail(world, 51, "alice@example.test", 0), PERMIT_YES);
	assert_int_equal(rcpt(world, 51, "a@elsewhere.test"), PERMIT_ASKED);
	/* The answer may come while the account is not in memory. */
	world_restart_core(world);
	world_settle(world);
	confirmed.op_done = (struct ipc_op_done){
		.request = 12345, .effect = IPC_EFFECT_CONFIRMED, .account = WORLD_RIGHT_ACCOUNT
	};
	assert_int_equal(chan_send(world->vaults[DESK].chan, &confirmed, -1), GP_OK);
	world_settle(world);
	sign_in(world, 52, "alice@example.test", "203.0.113.77");
	assert_int_equal(send_new(world, 52, 1), 1);
	world_free(&world);
}

static void the_shadow_refuses_nothing(void **state)
{
	struct world *world = world_with("sending_mode = observe\n");

	(void)state;
	make_history(world);
	sign_in(world, 50, "alice@example.test", "203.0.113.77");
	for (unsigned i = 0; i < 60; i++) {
		assert_int_equal(send_new(world, 50, 1), 1);
		advance(61 * 1000);
	}
	assert_true(world->core->stats.sending_would_ask > 0);
	assert_true(world->core->stats.sending_would_block > 0);
	assert_int_equal(world->core->stats.sending_asked, 0);
	assert_int_equal(world->core->stats.sending_blocked, 0);
	assert_int_equal(account_of(world)->profile.asked_at, 0);
	assert_int_equal(mail(world, 50, "bob@example.test", 0), PERMIT_YES);
	assert_int_equal(world->core->stats.sending_not_own, 1);
	world_free(&world);
}

static void staff_see_what_an_account_sends(void **state)
{
	struct world *world = world_with(TIGHT);
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
		cmocka_unit_test(what_a_front_makes_up_ends_it),
		cmocka_unit_test(what_was_sent_is_told),
		cmocka_unit_test(a_restart_forgets_no_limit),
		cmocka_unit_test(profiles_are_kept_and_come_back),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(a_thief_is_stopped_in_every_session),
		cmocka_unit_test(an_owner_is_asked_and_says_yes),
		cmocka_unit_test(the_shadow_refuses_nothing),
		cmocka_unit_test(staff_see_what_an_account_sends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
