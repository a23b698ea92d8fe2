/* SPDX-License-Identifier: ISC */
/* How an account that was stopped from sending comes to send again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "alice.h"
#include "base/clock.h"

/* ---- cases ---- */

static void test_block(void **state)
{
	struct fixture *fixture = *state;

	alice_stop(fixture, "block");
	assert_int_equal(fixture->effect, IPC_EFFECT_BLOCKED);
	assert_int_equal(fixture->account, 1);
	assert_int_equal(fixture->device, 1);
	assert_true(alice_is_blocked(fixture));
	/* What did it signs in no more. */
	assert_int_equal(
		fixture_op(fixture, "device.list", "{\"address\":\"alice@example.test\"}"), GP_OK);
	assert_int_equal(fixture->row_count, 0);
	assert_int_equal(alice_posted(fixture, "sending_blocked"), 1);
	assert_int_equal(alice_posted(fixture, "sending_blocked_link"), 1);
	/* Asked again, for the answer was lost. */
	alice_stop(fixture, "block");
	alice_stop(fixture, "ask");
	assert_int_equal(alice_posted(fixture, "sending_blocked"), 1);
	assert_int_equal(alice_posted(fixture, "sending_asked"), 0);
	assert_int_equal(fixture_op(fixture, "sending.list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	alice_check_row(fixture, "\"kind\":\"block\"");
	alice_check_row(fixture, "\"reason\":\"104 points\"");
	alice_check_row(fixture, "\"needs_staff\":false");
	/* Only core opens one so. */
	assert_int_equal(fixture_op(fixture, "sending.open",
				 "{\"account\":1,\"kind\":\"ask\",\"reason\":\"\",\"began\":1}"),
		GP_ERR_UNSUPPORTED);
}

static void test_ask(void **state)
{
	struct fixture *fixture = *state;

	alice_stop(fixture, "ask");
	assert_int_equal(fixture->effect, IPC_EFFECT_NONE);
	assert_false(alice_is_blocked(fixture));
	assert_int_equal(alice_posted(fixture, "sending_asked"), 1);
	assert_int_equal(alice_posted(fixture, "sending_asked_link"), 1);
	alice_check_next(fixture, OWNER, HOME, "answer");
	alice_check_row(fixture, "\"may_say_yes\":true");
	alice_check_row(fixture, "\"is_trusted\":true");
	assert_int_equal(alice_answer(fixture, OWNER, HOME, true), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_CONFIRMED);
	alice_check_row(fixture, "\"next\":\"none\"");
	alice_check_next(fixture, OWNER, HOME, "none");
	assert_int_equal(alice_answer(fixture, OWNER, HOME, true), GP_ERR_NOT_FOUND);
	/* It was the owner: the next block is no second one. */
	alice_stop(fixture, "block");
	alice_check_next(fixture, OWNER, HOME, "answer");
}

/* The other way: 60 days of a Yes that staff looks at first. */
static void test_yes_for_staff(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.sending_yes = CONFIG_YES_STAFF;
	alice_stop(fixture, "ask");
	assert_int_equal(alice_answer(fixture, OWNER, HOME, true), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_NONE);
	alice_check_row(fixture, "\"next\":\"staff\"");
	assert_int_equal(fixture_op(fixture, "sending.list", ""), GP_OK);
	alice_check_row(fixture, "\"needs_staff\":true,\"answer\":\"yes\"");
	assert_int_equal(fixture_op(fixture, "sending.release",
				 "{\"address\":\"alice@example.test\",\"learn\":true}"),
		GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_CONFIRMED);
}

static void test_release_at_home(void **state)
{
	struct fixture *fixture = *state;

	alice_stop(fixture, "block");
	alice_go_through(fixture, HOME);
	/* The codes from before are gone with the key they belonged to. */
	alice_stop(fixture, "ask");
	assert_int_equal(
		alice_prove(fixture, OWNER, CAFE, "recovery", alice.recovery[0]), GP_ERR_NOT_FOUND);
}

static void test_release_by_recovery_code(void **state)
{
	struct fixture *fixture = *state;

	alice_stop(fixture, "block");
	alice_check_next(fixture, OWNER, THIEF, "answer");
	alice_check_row(fixture, "\"proofs\":[\"address\",\"recovery\"]");
	alice_check_row(fixture, "\"address_hint\":\"h***@else.test\"");
	assert_int_equal(
		alice_prove(fixture, OWNER, THIEF, "recovery", "aaaa-bbbb-cccc"), GP_ERR_DENIED);
	assert_int_equal(alice_prove(fixture, OWNER, THIEF, "recovery", alice.recovery[0]), GP_OK);
	/* It is used, and proves nothing for another session. */
	assert_int_equal(
		alice_prove(fixture, STRANGER, CAFE, "recovery", alice.recovery[0]), GP_ERR_DENIED);
	assert_int_equal(alice_answer(fixture, STRANGER, CAFE, false), GP_OK);
	alice_check_row(fixture, "\"next\":\"prove\"");
	alice_go_through(fixture, THIEF);
}

static void test_release_by_mailed_code(void **state)
{
	struct fixture *fixture = *state;
	char code[ONCE_CODE_SIZE];

	alice_stop(fixture, "block");
	(void)alice_read_letter(fixture);
	assert_int_equal(alice_as(fixture, OWNER, CAFE, "self.sending_code", ""), GP_OK);
	alice_take_code(fixture, code);
	/* It is for the session that asked. */
	assert_int_equal(alice_prove(fixture, STRANGER, CAFE, "address", code), GP_ERR_DENIED);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "address", code), GP_OK);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "address", code), GP_ERR_DENIED);
	alice_go_through(fixture, CAFE);
}

static void test_mailed_code_ends(void **state)
{
	struct fixture *fixture = *state;
	char code[ONCE_CODE_SIZE];

	alice_stop(fixture, "block");
	(void)alice_read_letter(fixture);
	assert_int_equal(alice_as(fixture, OWNER, CAFE, "self.sending_code", ""), GP_OK);
	alice_take_code(fixture, code);
	clock_fake(NOW + CASE_CODE, 1000);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "address", code), GP_ERR_DENIED);
	assert_int_equal(alice_as(fixture, OWNER, CAFE, "self.sending_code", ""), GP_OK);
	for (int i = 0; i < CASE_TRIES_MAX; i++)
		assert_int_equal(alice_prove(fixture, OWNER, CAFE, "address", "aaaa-bbbb-cccc"),
			GP_ERR_DENIED);
	alice_take_code(fixture, code);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "address", code), GP_ERR_LIMIT);
	for (int i = 2; i < CASE_CODES_MAX; i++)
		assert_int_equal(alice_as(fixture, OWNER, CAFE, "self.sending_code", ""), GP_OK);
	assert_int_equal(alice_as(fixture, OWNER, CAFE, "self.sending_code", ""), GP_ERR_LIMIT);
	alice_take_code(fixture, code);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "address", code), GP_OK);
}

static void test_proof_ends(void **state)
{
	struct fixture *fixture = *state;

	alice_stop(fixture, "block");
	assert_int_equal(alice_answer(fixture, OWNER, CAFE, false), GP_OK);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "recovery", alice.recovery[0]), GP_OK);
	alice_check_next(fixture, OWNER, CAFE, "password");
	clock_fake(NOW + CASE_PROOF, 1000);
	alice_check_next(fixture, OWNER, CAFE, "prove");
	assert_int_equal(alice_set_password(fixture, OWNER, CAFE, "walrus and tea"), GP_ERR_ROLE);
	/* Once it has led to a new password, who knows that goes on, wherever he signs in. */
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "recovery", alice.recovery[1]), GP_OK);
	assert_int_equal(alice_set_password(fixture, OWNER, CAFE, "walrus and tea"), GP_OK);
	clock_fake(NOW + 3 * DAY, 1000);
	alice_check_next(fixture, OWNER + 1, CAFE, "twofactor");
	assert_int_equal(alice_set_twofactor(fixture, OWNER + 1, CAFE), GP_OK);
	assert_false(alice_is_blocked(fixture));
}

/* ---- staff and panels ---- */

static void test_second_block(void **state)
{
	struct fixture *fixture = *state;

	alice_stop(fixture, "block");
	alice_go_through(fixture, HOME);
	clock_fake(NOW + RELEASE_REPEAT, 1000);
	alice_stop(fixture, "block");
	alice_check_next(fixture, OWNER, HOME, "staff");
	assert_int_equal(alice_answer(fixture, OWNER, HOME, true), GP_ERR_ROLE);
	assert_int_equal(alice_answer(fixture, OWNER, HOME, false), GP_OK);
	alice_check_row(fixture, "\"next\":\"staff\"");
	assert_int_equal(alice_set_password(fixture, OWNER, HOME, "another walrus"), GP_ERR_ROLE);
	assert_int_equal(
		fixture_op(fixture, "sending.vouch", "{\"address\":\"alice@example.test\"}"),
		GP_ERR_ROLE);
	assert_int_equal(fixture_op(fixture, "sending.list", ""), GP_OK);
	alice_check_row(fixture, "\"is_repeat\":true,\"needs_staff\":true");
	assert_int_equal(
		fixture_op(fixture, "account.unblock", "{\"address\":\"alice@example.test\"}"),
		GP_OK);
	alice_check_next(fixture, OWNER, HOME, "none");
	/* 30 days and a second later it is a first one again. */
	clock_fake(NOW + 2 * (int64_t)RELEASE_REPEAT + 1, 1000);
	alice_stop(fixture, "block");
	alice_check_next(fixture, OWNER, HOME, "answer");
}

static void test_vouch(void **state)
{
	struct fixture *fixture = *state;
	char code[512];

	assert_int_equal(
		fixture_op(fixture, "sending.vouch", "{\"address\":\"alice@example.test\"}"),
		GP_ERR_NOT_FOUND);
	alice_stop(fixture, "block");
	assert_int_equal(
		alice_prove(fixture, OWNER, CAFE, "panel", "aaaa-bbbb-cccc"), GP_ERR_NOT_FOUND);
	/* People who help others see no secret of theirs; a panel's token does. */
	fixture->role = ROLE_STAFF;
	fixture->asker = 7;
	assert_int_equal(
		fixture_op(fixture, "sending.vouch", "{\"address\":\"alice@example.test\"}"),
		GP_ERR_ROLE);
	fixture->role = ROLE_DOMAIN_ADMIN;
	fixture->asker = 0;
	fixture->domains = "other.test";
	assert_int_equal(
		fixture_op(fixture, "sending.vouch", "{\"address\":\"alice@example.test\"}"),
		GP_ERR_NOT_FOUND);
	assert_int_equal(fixture_op(fixture, "sending.list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 0);
	fixture->domains = "example.test";
	assert_int_equal(fixture_op(fixture, "sending.list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_int_equal(
		fixture_op(fixture, "sending.vouch", "{\"address\":\"alice@example.test\"}"),
		GP_OK);
	fixture->domains = NULL;
	(void)fixture_value(fixture, "code", code);
	alice_check_next(fixture, OWNER, CAFE, "answer");
	alice_check_row(fixture, "\"panel\"");
	assert_int_equal(
		alice_prove(fixture, OWNER, CAFE, "panel", "aaaa-bbbb-cccc"), GP_ERR_DENIED);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "panel", code), GP_OK);
	alice_go_through(fixture, CAFE);
	assert_int_equal(fixture_op(fixture, "audit.list", ""), GP_OK);
	assert_non_null(strstr(fixture->rows, "sending.vouch"));
	assert_null(strstr(fixture->rows, code));
}

static void test_staff(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_op(fixture, "account.block",
				 "{\"address\":\"alice@example.test\",\"reason\":\"spam\"}"),
		GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_BLOCKED);
	assert_int_equal(
		fixture_op(fixture, "sending.show", "{\"address\":\"alice@example.test\"}"), GP_OK);
	alice_check_row(fixture, "\"opened_by\":\"tester\"");
	alice_check_row(fixture, "\"networks\":[]");
	assert_int_equal(
		fixture_op(fixture, "sending.keep", "{\"address\":\"alice@example.test\"}"), GP_OK);
	alice_check_next(fixture, OWNER, HOME, "staff");
	assert_int_equal(fixture_op(fixture, "sending.list", ""), GP_OK);
	alice_check_row(fixture, "\"needs_staff\":false");
	alice_check_row(fixture, "\"outcome\":\"kept\"");
	assert_int_equal(
		fixture_op(fixture, "sending.release", "{\"address\":\"alice@example.test\"}"),
		GP_OK);
	assert_false(alice_is_blocked(fixture));
	assert_int_equal(
		fixture_op(fixture, "sending.release", "{\"address\":\"alice@example.test\"}"),
		GP_ERR_NOT_FOUND);
	assert_int_equal(fixture_op(fixture, "sending.list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 0);
	assert_int_equal(fixture_op(fixture, "sending.list", "{\"all\":true}"), GP_OK);
	alice_check_row(fixture, "\"outcome\":\"staff\"");
	/* An ask that staff does not believe. */
	alice_stop(fixture, "ask");
	assert_int_equal(
		fixture_op(fixture, "sending.keep", "{\"address\":\"alice@example.test\"}"), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_BLOCKED);
	assert_true(alice_is_blocked(fixture));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, alice_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_block),
		TEST(test_ask),
		TEST(test_yes_for_staff),
		TEST(test_release_at_home),
		TEST(test_release_by_recovery_code),
		TEST(test_release_by_mailed_code),
		TEST(test_mailed_code_ends),
		TEST(test_proof_ends),
		TEST(test_second_block),
		TEST(test_vouch),
		TEST(test_staff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
