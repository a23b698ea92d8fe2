/* SPDX-License-Identifier: ISC */
/* What ends a proof, what takes a step back as a whole, and what a step must not do besides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "alice.h"
#include "base/clock.h"

static const char address[] = "{\"address\":\"alice@example.test\"}";

static enum gp_err by_link(
	struct fixture *fixture, const char *name, const char *token, const char *more)
{
	char arguments[128];

	(void)snprintf(arguments, sizeof arguments, "{\"token\":\"%s\"%s}", token, more);
	return alice_as_guest(fixture, name, arguments);
}

/* ---- links ---- */

/* A thief who gets hold of the address after the letter has nothing of it. */
static void test_link_of_a_changed_address(void **state)
{
	struct fixture *fixture = *state;
	char token[ONCE_TOKEN_SIZE];

	alice_stop(fixture, "ask");
	alice_take_token(fixture, token);
	/* He puts it in the owner's place: then it is hers that counts. */
	alice_change_address(fixture, "thief@bad.test", NOW);
	assert_int_equal(by_link(fixture, "sending.show_link", token, ""), GP_OK);
	alice_set_address(fixture, NOW);
	assert_int_equal(by_link(fixture, "sending.show_link", token, ""), GP_ERR_NOT_FOUND);
	assert_int_equal(by_link(fixture, "sending.answer_link", token, ",\"is_me\":true"),
		GP_ERR_NOT_FOUND);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "link", token), GP_ERR_NOT_FOUND);
	alice_check_next(fixture, OWNER, HOME, "answer");
}

/* A link that says Yes to what is with staff already is not used up by that. */
static void test_link_and_staff(void **state)
{
	struct fixture *fixture = *state;
	char token[ONCE_TOKEN_SIZE];

	fixture->config.sending_yes = CONFIG_YES_STAFF;
	alice_stop(fixture, "ask");
	alice_take_token(fixture, token);
	assert_int_equal(alice_answer(fixture, OWNER, HOME, true), GP_OK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(by_link(fixture, "sending.answer_link", token, ",\"is_me\":true"),
			GP_ERR_ROLE);
	assert_int_equal(by_link(fixture, "sending.show_link", token, ""), GP_OK);
	alice_check_row(fixture, "\"needs_staff\":true");
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "link", token), GP_ERR_NOT_FOUND);
}

/* As a proof it is used up for good. */
static void test_link_that_proved(void **state)
{
	struct fixture *fixture = *state;
	char token[ONCE_TOKEN_SIZE];

	alice_stop(fixture, "block");
	alice_take_token(fixture, token);
	assert_int_equal(by_link(fixture, "sending.show_link", token, ""), GP_OK);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "link", token), GP_OK);
	assert_int_equal(by_link(fixture, "sending.show_link", token, ""), GP_ERR_NOT_FOUND);
	assert_int_equal(by_link(fixture, "sending.answer_link", token, ",\"is_me\":false"),
		GP_ERR_NOT_FOUND);
}

/* A Yes to a block is none, and no No either. */
static void test_link_says_yes_to_a_block(void **state)
{
	struct fixture *fixture = *state;
	char token[ONCE_TOKEN_SIZE];

	alice_stop(fixture, "block");
	alice_take_token(fixture, token);
	assert_int_equal(by_link(fixture, "sending.answer_link", token, ",\"is_me\":true"), GP_OK);
	alice_check_next(fixture, OWNER, HOME, "answer");
	assert_int_equal(by_link(fixture, "sending.answer_link", token, ",\"is_me\":false"), GP_OK);
	alice_check_next(fixture, OWNER, HOME, "password");
}

/* ---- proofs ---- */

static void test_kinds_of_proof(void **state)
{
	struct fixture *fixture = *state;

	alice_stop(fixture, "block");
	assert_int_equal(
		alice_prove(fixture, OWNER, CAFE, "staff", "aaaa-bbbb-cccc"), GP_ERR_SYNTAX);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "", "aaaa-bbbb-cccc"), GP_ERR_SYNTAX);
	/* What is for staff is proved by nothing. */
	assert_int_equal(fixture_op(fixture, "sending.keep", address), GP_OK);
	assert_int_equal(
		alice_prove(fixture, OWNER, CAFE, "recovery", alice.recovery[0]), GP_ERR_NOT_FOUND);
	assert_int_equal(alice_as(fixture, OWNER, CAFE, "self.sending_code", ""), GP_ERR_NOT_FOUND);
	assert_int_equal(alice_answer(fixture, OWNER, HOME, false), GP_OK);
	alice_check_row(fixture, "\"next\":\"staff\"");
	assert_int_equal(fixture_op(fixture, "sending.release", address), GP_OK);
	assert_int_equal(fixture_op(fixture, "sending.list", "{\"all\":true}"), GP_OK);
	alice_check_row(fixture, "\"outcome\":\"staff\"");
}

/* Another code ends the one before, of the same session alone. */
static void test_only_the_last_code(void **state)
{
	struct fixture *fixture = *state;
	char first[ONCE_CODE_SIZE];
	char second[ONCE_CODE_SIZE];
	char other[ONCE_CODE_SIZE];

	alice_stop(fixture, "block");
	assert_int_equal(alice_as(fixture, STRANGER, CAFE, "self.sending_code", ""), GP_OK);
	alice_take_code(fixture, other);
	assert_int_equal(alice_as(fixture, OWNER, CAFE, "self.sending_code", ""), GP_OK);
	alice_take_code(fixture, first);
	assert_int_equal(alice_as(fixture, OWNER, CAFE, "self.sending_code", ""), GP_OK);
	alice_take_code(fixture, second);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "address", first), GP_ERR_DENIED);
	assert_int_equal(alice_prove(fixture, STRANGER, CAFE, "address", second), GP_ERR_DENIED);
	assert_int_equal(alice_prove(fixture, STRANGER, CAFE, "address", other), GP_OK);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "address", second), GP_OK);
}

/* Nothing but another mailed code gives further tries at one. */
static void test_tries_are_of_mailed_codes(void **state)
{
	struct fixture *fixture = *state;
	char panel[2][512];

	alice_stop(fixture, "block");
	for (int i = 0; i < CASE_TRIES_MAX; i++)
		assert_int_equal(alice_prove(fixture, OWNER, CAFE, "address", "aaaa-bbbb-cccc"),
			GP_ERR_DENIED);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fixture_op(fixture, "sending.vouch", address), GP_OK);
		(void)fixture_value(fixture, "code", panel[i]);
	}
	assert_int_equal(
		alice_prove(fixture, OWNER, CAFE, "address", "aaaa-bbbb-cccc"), GP_ERR_LIMIT);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "panel", panel[0]), GP_ERR_DENIED);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "panel", panel[1]), GP_OK);
}

/* Codes of a panel, and what they proved, hold for an hour. */
static void test_panel_ends(void **state)
{
	struct fixture *fixture = *state;
	char code[512];
	int i;

	alice_stop(fixture, "block");
	assert_int_equal(fixture_op(fixture, "sending.vouch", address), GP_OK);
	(void)fixture_value(fixture, "code", code);
	clock_fake(NOW + CASE_VOUCHED, 1000);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "panel", code), GP_ERR_NOT_FOUND);
	for (i = 1; i < CASE_VOUCHED_MAX; i++)
		assert_int_equal(fixture_op(fixture, "sending.vouch", address), GP_OK);
	assert_int_equal(fixture_op(fixture, "sending.vouch", address), GP_ERR_LIMIT);
	clock_fake(NOW + CASE_DAY + 1, 1000);
	assert_int_equal(fixture_op(fixture, "sending.vouch", address), GP_OK);
	(void)fixture_value(fixture, "code", code);
	clock_fake(NOW + CASE_DAY + CASE_VOUCHED, 1000);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "panel", code), GP_OK);
	assert_int_equal(alice_answer(fixture, OWNER, CAFE, false), GP_OK);
	alice_check_next(fixture, OWNER, CAFE, "password");
	clock_fake(NOW, 1000); /* a proof of the future proves nothing */
	alice_check_next(fixture, OWNER, CAFE, "prove");
}

/* The code of another case is a wrong one, and counted as such. */
static void test_code_of_another(void **state)
{
	struct fixture *fixture = *state;
	char code[ONCE_CODE_SIZE];

	alice_stop(fixture, "ask");
	assert_int_equal(alice_as(fixture, OWNER, CAFE, "self.sending_code", ""), GP_OK);
	alice_take_code(fixture, code);
	assert_int_equal(fixture_op(fixture, "sending.release", address), GP_OK);
	alice_stop(fixture, "ask");
	for (int i = 0; i < CASE_TRIES_MAX; i++)
		assert_int_equal(alice_prove(fixture, OWNER, CAFE, "address", code), GP_ERR_DENIED);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "address", code), GP_ERR_LIMIT);
}

/* ---- steps ---- */

/* A password that was set since by others will do: 2FA is what is missing then. */
static void test_password_by_others(void **state)
{
	struct fixture *fixture = *state;

	alice_stop(fixture, "block");
	assert_int_equal(alice_answer(fixture, OWNER, HOME, false), GP_OK);
	alice_check_next(fixture, OWNER, HOME, "password");
	clock_fake(NOW + 1, 1000);
	assert_int_equal(
		fixture_op(fixture, "account.passwd",
			"{\"address\":\"alice@example.test\",\"password\":\"walrus and tea\"}"),
		GP_OK);
	alice_check_next(fixture, OWNER, HOME, "twofactor");
}

/* A No to a question makes it a block with all that belongs to one. */
static void test_no_to_an_ask(void **state)
{
	struct fixture *fixture = *state;

	alice_stop(fixture, "ask");
	assert_int_equal(fixture_op(fixture, "device.list", address), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_int_equal(alice_answer(fixture, OWNER, HOME, false), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_BLOCKED);
	assert_int_equal(fixture->device, 1);
	assert_int_equal(fixture_op(fixture, "device.list", address), GP_OK);
	assert_int_equal(fixture->row_count, 0);
	assert_true(alice_is_blocked(fixture));
	/* The network took part in it still. */
	alice_check_next(fixture, STRANGER, THIEF, "prove");
}

/* What cannot be opened as a whole is not opened at all. */
static void test_opened_as_a_whole(void **state)
{
	static const char *const wrong[] = {
		"{\"account\":1,\"kind\":\"block\",\"reason\":\"\",\"began\":1,\"device\":1,"
		"\"sources\":[\"" THIEF "\",\"nowhere\"]}",
		"{\"account\":1,\"kind\":\"blocked\",\"reason\":\"\",\"began\":1}",
		"{\"account\":1,\"kind\":\"block\",\"reason\":\"\",\"began\":\"x\"}",
		"{\"account\":1,\"kind\":\"block\",\"reason\":\"\",\"began\":1,\"device\":\"x\"}",
		"{\"account\":9,\"kind\":\"block\",\"reason\":\"\",\"began\":1}",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		fixture->role = ROLE_CORE;
		assert_int_not_equal(fixture_op(fixture, "sending.open", wrong[i]), GP_OK);
		fixture->role = ROLE_ADMIN;
		assert_int_equal(fixture_op(fixture, "sending.list", "{\"all\":true}"), GP_OK);
		assert_int_equal(fixture->row_count, 0);
		assert_false(alice_is_blocked(fixture));
		assert_int_equal(alice_posted(fixture, "sending_blocked"), 0);
	}
	assert_int_equal(fixture_op(fixture, "device.list", address), GP_OK);
	assert_int_equal(fixture->row_count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, alice_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_link_of_a_changed_address),
		TEST(test_link_and_staff),
		TEST(test_link_that_proved),
		TEST(test_link_says_yes_to_a_block),
		TEST(test_only_the_last_code),
		TEST(test_tries_are_of_mailed_codes),
		TEST(test_kinds_of_proof),
		TEST(test_panel_ends),
		TEST(test_code_of_another),
		TEST(test_password_by_others),
		TEST(test_no_to_an_ask),
		TEST(test_opened_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
