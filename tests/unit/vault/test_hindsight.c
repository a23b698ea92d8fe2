/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "vault/hindsight.h"
#include "vault_fixture.h"

enum {
	NOW = 1800000000,
	DAY = 24 * 60 * 60,
};

#define ALICE "alice@example.test"

static void change_password(struct fixture *fixture, const char *password)
{
	char arguments[256];

	(void)snprintf(arguments, sizeof arguments,
		"{\"address\":\"" ALICE "\",\"password\":\"%s\"}", password);
	assert_int_equal(fixture_op(fixture, "account.passwd", arguments), GP_OK);
}

/* Alice had "password one" until NOW - 1000 and "password two" until NOW - 500. */
static int setup(void **state)
{
	struct fixture *fixture;
	int failed = fixture_setup(state);

	if (failed != 0)
		return failed;
	fixture = *state;
	clock_fake(NOW - 2000, 1000);
	assert_int_equal(fixture_op(fixture, "account.add",
				 "{\"address\":\"" ALICE "\",\"password\":\"password one\","
				 "\"create_domain\":true}"),
		GP_OK);
	clock_fake(NOW - 1000, 1000);
	change_password(fixture, "password two");
	clock_fake(NOW - 500, 1000);
	change_password(fixture, "password three");
	clock_fake(NOW, 1000);
	fixture->source = "192.0.2.7";
	return 0;
}

static unsigned run(struct fixture *fixture)
{
	unsigned steps = 0;

	while (hindsight_step(&fixture->vault))
		steps++;
	return steps;
}

static enum gp_err take(const struct store_finding *finding, void *arg)
{
	struct store_finding *out = arg;

	assert_int_equal(out->at, 0); /* one only */
	*out = *finding;
	return GP_OK;
}

static struct store_finding finding(struct fixture *fixture)
{
	struct store_finding found = { 0 };

	assert_int_equal(store_finding_each(fixture->vault.store, 1, take, &found), GP_OK);
	return found;
}

static void old_passwords_are_known(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password one"),
		REASON_WRONG_PASSWORD);
	/* The answer is there, the work is not yet done. */
	assert_int_equal(finding(fixture).at, 0);
	assert_int_equal(run(fixture), STORE_OLD_PASSWORDS);
	assert_int_equal(finding(fixture).at, NOW);
	assert_int_equal(finding(fixture).changed_at, NOW - 1000);
	assert_int_equal(finding(fixture).session, 0x1234);
}

static void a_wrong_password_is_none_of_them(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password four"),
		REASON_WRONG_PASSWORD);
	assert_int_equal(run(fixture), STORE_OLD_PASSWORDS);
	assert_int_equal(finding(fixture).at, NOW);
	assert_int_equal(finding(fixture).changed_at, 0);
}

static void once_a_day(void **state)
{
	struct fixture *fixture = *state;

	(void)fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password four");
	assert_int_equal(run(fixture), STORE_OLD_PASSWORDS);
	clock_fake(NOW + DAY - 1, 2000);
	(void)fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password two");
	assert_int_equal(run(fixture), 0);
	clock_fake(NOW + DAY, 2000);
	(void)fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password two");
	assert_int_equal(run(fixture), STORE_OLD_PASSWORDS);
	assert_int_equal(finding(fixture).changed_at, NOW - 500);
}

/* After a restart, or in another vault: the work is the same, but nothing is compared. */
static void once_a_day_in_all_vaults(void **state)
{
	struct fixture *fixture = *state;

	(void)fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password four");
	(void)run(fixture);
	memset(fixture->vault.hindsight.places, 0, sizeof fixture->vault.hindsight.places);
	clock_fake(NOW + 10, 2000);
	(void)fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password two");
	assert_int_equal(run(fixture), STORE_OLD_PASSWORDS);
	assert_int_equal(finding(fixture).at, NOW);
	assert_int_equal(finding(fixture).changed_at, 0);
}

static void each_place_for_itself(void **state)
{
	struct fixture *fixture = *state;

	(void)fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password four");
	(void)fixture_verify(fixture, PROTOCOL_SMTP, ALICE, "password four");
	fixture->source = "192.0.2.8";
	(void)fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password four");
	(void)fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password five");
	assert_int_equal(run(fixture), 3 * STORE_OLD_PASSWORDS);
}

/* The one who has just changed his password is who wants to know. */
static void anew_after_a_change(void **state)
{
	struct fixture *fixture = *state;

	(void)fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password four");
	(void)run(fixture);
	clock_fake(NOW + 60, 2000);
	change_password(fixture, "password five");
	clock_fake(NOW + 120, 2000);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password three"),
		REASON_WRONG_PASSWORD);
	assert_int_equal(run(fixture), STORE_OLD_PASSWORDS);
	assert_int_equal(finding(fixture).changed_at, NOW + 60);
}

/* Nobody finds out by the work that follows who has an account. */
static void strangers_cost_the_same(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "nobody@example.test", "password one"),
		REASON_UNKNOWN_ACCOUNT);
	assert_int_equal(run(fixture), STORE_OLD_PASSWORDS);
	(void)fixture_verify(fixture, PROTOCOL_IMAP, "nobody@example.test", "password two");
	assert_int_equal(run(fixture), 0);
}

/* Nor that the password was right, where a second step or the account's state keeps it out. */
static void right_ones_that_are_refused_cost_the_same(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(store_account_set_twofactor(fixture->vault.store, 1, NOW), GP_OK);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password three"), REASON_TWOFACTOR);
	assert_int_equal(run(fixture), STORE_OLD_PASSWORDS);
	/* Nothing is found, and nothing said. */
	assert_int_equal(finding(fixture).at, 0);
	(void)fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password three");
	assert_int_equal(run(fixture), 0);
}

static void what_is_not_looked_at(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password three"), REASON_OK);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "abcd-efgh-ijkl-mnop-qrst-uvwx"),
		REASON_WRONG_DEVICE);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "nobody@example.test",
				 "abcd-efgh-ijkl-mnop-qrst-uvwx"),
		REASON_UNKNOWN_ACCOUNT);
	fixture->is_unchecked = true;
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password one"), REASON_UNCHECKED);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "nobody@example.test", "x"),
		REASON_UNKNOWN_ACCOUNT);
	assert_int_equal(run(fixture), 0);
}

static void no_more_wait_than_that(void **state)
{
	struct fixture *fixture = *state;
	char source[32];

	fixture->source = source;
	for (unsigned i = 0; i < HINDSIGHT_JOBS + 3; i++) {
		(void)snprintf(source, sizeof source, "192.0.2.%u", i + 1);
		(void)fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password one");
	}
	assert_int_equal(run(fixture), HINDSIGHT_JOBS * STORE_OLD_PASSWORDS);
}

static void a_secret_does_not_wait_for_ever(void **state)
{
	struct fixture *fixture = *state;
	const struct hindsight *hindsight = &fixture->vault.hindsight;

	(void)fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password one");
	assert_non_null(hindsight->jobs[0].secret);
	assert_true(hindsight_step(&fixture->vault));
	clock_fake(NOW, 1000 + HINDSIGHT_KEEP_MS + 1);
	assert_false(hindsight_step(&fixture->vault));
	assert_null(hindsight->jobs[0].secret);
	assert_int_equal(hindsight->jobs[0].hashes[0][0], '\0');
	assert_int_equal(finding(fixture).at, 0);
}

/* The loop does it by itself, when sign-ins have rested. */
static void the_loop_does_it(void **state)
{
	struct fixture *fixture = *state;
	const struct hindsight *hindsight = &fixture->vault.hindsight;

	(void)fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "password one");
	while (hindsight->count > 0)
		loop_turn(fixture->vault.loop);
	assert_int_equal(finding(fixture).changed_at, NOW - 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(old_passwords_are_known),
		TEST(a_wrong_password_is_none_of_them),
		TEST(once_a_day),
		TEST(once_a_day_in_all_vaults),
		TEST(each_place_for_itself),
		TEST(anew_after_a_change),
		TEST(strangers_cost_the_same),
		TEST(right_ones_that_are_refused_cost_the_same),
		TEST(what_is_not_looked_at),
		TEST(no_more_wait_than_that),
		TEST(a_secret_does_not_wait_for_ever),
		TEST(the_loop_does_it),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
