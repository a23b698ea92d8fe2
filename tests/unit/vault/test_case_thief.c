/* SPDX-License-Identifier: ISC */
/* How a thief who holds the password does not open the account, and what the link of a notice does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "alice.h"
#include "base/clock.h"

/* ---- the thief ---- */

/* He has the password, and all that he can do with it. */
static void check_kept_out(struct fixture *fixture, const char *source)
{
	char arguments[128];

	assert_int_equal(alice_answer(fixture, STRANGER, source, true), GP_ERR_ROLE);
	assert_int_equal(alice_answer(fixture, STRANGER, source, false), GP_OK);
	assert_int_equal(
		alice_set_password(fixture, STRANGER, source, "all mine now"), GP_ERR_ROLE);
	assert_int_equal(alice_begin_twofactor(fixture, STRANGER, source), GP_ERR_ROLE);
	assert_int_equal(alice_as(fixture, STRANGER, source, "self.twofactor_confirm",
				 "{\"code\":\"123456\"}"),
		GP_ERR_ROLE);
	/* None of what could prove something later. */
	assert_int_equal(
		alice_as(fixture, STRANGER, source, "self.setup_begin", "{\"name\":\"mine\"}"),
		GP_ERR_ROLE);
	assert_int_equal(
		alice_as(fixture, STRANGER, source, "self.device_add", "{\"name\":\"mine\"}"),
		GP_ERR_ROLE);
	(void)snprintf(arguments, sizeof arguments,
		"{\"password\":\"%s\",\"address\":\"thief@bad.test\"}", alice.password);
	assert_int_equal(alice_as(fixture, STRANGER, source, "self.recovery_address", arguments),
		GP_ERR_ROLE);
	assert_int_equal(alice_as(fixture, STRANGER, source, "self.recovery_address_confirm",
				 "{\"code\":\"aaaa-bbbb-cccc\"}"),
		GP_ERR_ROLE);
	(void)snprintf(arguments, sizeof arguments, "{\"password\":\"%s\",\"code\":\"123456\"}",
		alice.password);
	assert_int_equal(
		alice_as(fixture, STRANGER, source, "self.twofactor_off", arguments), GP_ERR_ROLE);
	assert_int_equal(
		alice_as(fixture, STRANGER, source, "self.recovery_codes", arguments), GP_ERR_ROLE);
	assert_true(alice_is_blocked(fixture));
}

static void test_thief(void **state)
{
	struct fixture *fixture = *state;

	alice_stop(fixture, "ask");
	assert_int_equal(alice_answer(fixture, STRANGER, CAFE, true), GP_ERR_ROLE);
	alice_stop(fixture, "block");
	check_kept_out(fixture, CAFE);
	check_kept_out(fixture, THIEF);
	check_kept_out(fixture, NULL);
}

/* He sends through the owner's own computer. */
static void test_thief_at_home(void **state)
{
	struct fixture *fixture = *state;

	alice_stop(fixture, "block");
	fixture->role = ROLE_CORE;
	assert_int_equal(fixture_op(fixture, "sending.open",
				 "{\"account\":1,\"kind\":\"block\",\"reason\":\"\",\"began\":1,"
				 "\"sources\":[\"" HOME "\"]}"),
		GP_OK);
	fixture->role = ROLE_ADMIN;
	check_kept_out(fixture, HOME);
}

/* He was patient, and has put his own address and codes in their places. */
static void test_thief_prepared(void **state)
{
	struct fixture *fixture = *state;
	struct ip cafe = { 0 };

	fixture->config.release_proof = CONFIG_RELEASE_KNOWN;
	assert_int_equal(ip_parse(SLICE_LIT(CAFE), &cafe), GP_OK);
	assert_int_equal(
		store_known_note(fixture->vault.store, 1, &cafe, NOW - 10 * DAY, NULL), GP_OK);
	alice_set_address(fixture, BEGAN - RELEASE_SETTLED + 1);
	assert_int_equal(store_twofactor_off(fixture->vault.store, 1), GP_OK);
	clock_fake(BEGAN - RELEASE_SETTLED + 1, 1000);
	assert_int_equal(alice_set_twofactor(fixture, STRANGER, CAFE), GP_OK);
	alice_take_codes(fixture);
	clock_fake(NOW, 1000);
	alice_stop(fixture, "block");
	assert_int_equal(alice_posted(fixture, "sending_blocked_link"), 0);
	alice_check_next(fixture, STRANGER, CAFE, "answer");
	alice_check_row(fixture, "\"proofs\":[]");
	alice_check_row(fixture, "\"address_hint\":\"\"");
	assert_int_equal(
		alice_as(fixture, STRANGER, CAFE, "self.sending_code", ""), GP_ERR_NOT_FOUND);
	assert_int_equal(alice_prove(fixture, STRANGER, CAFE, "recovery", alice.recovery[0]),
		GP_ERR_NOT_FOUND);
	check_kept_out(fixture, CAFE);
	/* A code of his at the sign-in proves nothing either. */
	fixture->portal = STRANGER;
	fixture->role = ROLE_CORE;
	{
		char arguments[64];

		(void)snprintf(arguments, sizeof arguments, "{\"account\":1,\"code\":\"%s\"}",
			alice.recovery[0]);
		assert_int_equal(fixture_op(fixture, "twofactor.check", arguments), GP_OK);
	}
	fixture->role = ROLE_ADMIN;
	fixture->portal = 0;
	alice_check_next(fixture, STRANGER, CAFE, "prove");
	/* Nobody can: staff does. */
	assert_int_equal(
		fixture_op(fixture, "sending.release", "{\"address\":\"alice@example.test\"}"),
		GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_UNBLOCKED);
	assert_false(alice_is_blocked(fixture));
}

/* He has put his address in place of hers: hers is a proof all the same, his is none. */
static void test_thief_replaced_the_address(void **state)
{
	struct fixture *fixture = *state;
	char token[ONCE_TOKEN_SIZE];

	alice_change_address(fixture, "thief@bad.test", BEGAN - DAY);
	alice_stop(fixture, "block");
	alice_check_next(fixture, STRANGER, CAFE, "answer");
	alice_check_row(fixture, "\"address_hint\":\"h***@else.test\"");
	check_kept_out(fixture, CAFE);
	alice_take_token(fixture, token);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "link", token), GP_OK);
	alice_check_next(fixture, OWNER, CAFE, "password");
}

static void test_recovery_code_at_signin(void **state)
{
	struct fixture *fixture = *state;
	char arguments[64];

	alice_stop(fixture, "block");
	assert_int_equal(alice_answer(fixture, OWNER, CAFE, false), GP_OK);
	fixture->portal = OWNER;
	fixture->role = ROLE_CORE;
	(void)snprintf(
		arguments, sizeof arguments, "{\"account\":1,\"code\":\"%s\"}", alice.recovery[0]);
	assert_int_equal(fixture_op(fixture, "twofactor.check", arguments), GP_OK);
	fixture->role = ROLE_ADMIN;
	fixture->portal = 0;
	alice_check_next(fixture, STRANGER, CAFE, "prove");
	alice_check_next(fixture, OWNER, CAFE, "password");
	alice_go_through(fixture, CAFE);
}

/* Where the owner was just before, nothing more is asked of him. */
static void test_seen_before(void **state)
{
	struct fixture *fixture = *state;
	struct ip cafe = { 0 };

	assert_int_equal(ip_parse(SLICE_LIT(CAFE), &cafe), GP_OK);
	assert_int_equal(store_known_note(fixture->vault.store, 1, &cafe, BEGAN - 1, NULL), GP_OK);
	alice_stop(fixture, "block");
	check_kept_out(fixture, THIEF);
	alice_go_through(fixture, CAFE);
}

/* Blocked by hand, nobody said since when. */
static void test_block_by_staff(void **state)
{
	static const char block[] = "{\"address\":\"alice@example.test\"}";
	struct fixture *fixture = *state;
	struct ip cafe = { 0 };

	assert_int_equal(ip_parse(SLICE_LIT(CAFE), &cafe), GP_OK);
	assert_int_equal(store_known_note(fixture->vault.store, 1, &cafe, BEGAN, NULL), GP_OK);
	assert_int_equal(fixture_op(fixture, "account.block", block), GP_OK);
	/* He who came within the last day may be the thief. */
	check_kept_out(fixture, CAFE);
	alice_go_through(fixture, HOME);
}

/* Of an account that is younger than that, all that signed in before the block is its owner's. */
static void test_block_of_a_newcomer(void **state)
{
	struct fixture *fixture = *state;
	struct ip cafe = { 0 };

	assert_int_equal(ip_parse(SLICE_LIT(CAFE), &cafe), GP_OK);
	assert_int_equal(
		fixture_op(fixture, "account.add",
			"{\"address\":\"bob@example.test\",\"password\":\"walrus and tea\"}"),
		GP_OK);
	assert_int_equal(store_known_note(fixture->vault.store, 2, &cafe, NOW - 60, NULL), GP_OK);
	assert_int_equal(
		fixture_op(fixture, "account.block", "{\"address\":\"bob@example.test\"}"), GP_OK);
	assert_int_equal(
		fixture_op(fixture, "sending.show", "{\"address\":\"bob@example.test\"}"), GP_OK);
	alice_check_row(fixture, "\"began_at\":\"2027-01-15T08:00:00Z\"");
}

static void test_plain_rule(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.release_proof = CONFIG_RELEASE_PASSWORD;
	alice_stop(fixture, "block");
	assert_int_equal(alice_answer(fixture, OWNER, CAFE, true), GP_ERR_ROLE);
	alice_go_through(fixture, CAFE);
}

/* ---- links ---- */

static enum gp_err by_link(
	struct fixture *fixture, const char *name, const char *token, const char *more)
{
	char arguments[128];

	(void)snprintf(arguments, sizeof arguments, "{\"token\":\"%s\"%s}", token, more);
	return alice_as_guest(fixture, name, arguments);
}

static void test_link_answers_an_ask(void **state)
{
	struct fixture *fixture = *state;
	char token[ONCE_TOKEN_SIZE];

	alice_stop(fixture, "ask");
	alice_take_token(fixture, token);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(by_link(fixture, "sending.show_link", token, ""), GP_OK);
		alice_check_row(fixture, "\"address\":\"alice@example.test\",\"kind\":\"ask\"");
	}
	alice_check_next(fixture, OWNER, HOME, "answer");
	assert_int_equal(by_link(fixture, "sending.answer_link", token, ",\"is_me\":true"), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_CONFIRMED);
	assert_int_equal(fixture->account, 1);
	alice_check_row(fixture, "\"next\":\"done\"");
	assert_int_equal(by_link(fixture, "sending.answer_link", token, ",\"is_me\":true"),
		GP_ERR_NOT_FOUND);
	/* One that never was is a guess. */
	token[0] = token[0] == 'A' ? 'B' : 'A';
	assert_int_equal(by_link(fixture, "sending.show_link", token, ""), GP_ERR_DENIED);
	assert_int_equal(by_link(fixture, "sending.show_link", "short", ""), GP_ERR_DENIED);
}

static void test_link_says_no(void **state)
{
	struct fixture *fixture = *state;
	char token[ONCE_TOKEN_SIZE];

	alice_stop(fixture, "ask");
	alice_take_token(fixture, token);
	assert_int_equal(by_link(fixture, "sending.answer_link", token, ",\"is_me\":false"), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_BLOCKED);
	alice_check_row(fixture, "\"next\":\"signin\"");
	assert_true(alice_is_blocked(fixture));
	alice_check_next(fixture, OWNER, CAFE, "prove");
	/* It goes on being good, as the proof, once. */
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "link", token), GP_OK);
	assert_int_equal(alice_prove(fixture, STRANGER, CAFE, "link", token), GP_ERR_DENIED);
	alice_go_through(fixture, CAFE);
}

static void test_link_opens_no_block(void **state)
{
	struct fixture *fixture = *state;
	char token[ONCE_TOKEN_SIZE];

	alice_stop(fixture, "block");
	alice_take_token(fixture, token);
	assert_int_equal(by_link(fixture, "sending.answer_link", token, ",\"is_me\":true"), GP_OK);
	alice_check_row(fixture, "\"next\":\"signin\"");
	assert_true(alice_is_blocked(fixture));
	clock_fake(NOW + CASE_LINK, 1000);
	assert_int_equal(by_link(fixture, "sending.show_link", token, ""), GP_ERR_NOT_FOUND);
	assert_int_equal(alice_prove(fixture, OWNER, CAFE, "link", token), GP_ERR_DENIED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, alice_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_thief),
		TEST(test_thief_at_home),
		TEST(test_thief_prepared),
		TEST(test_thief_replaced_the_address),
		TEST(test_recovery_code_at_signin),
		TEST(test_seen_before),
		TEST(test_block_by_staff),
		TEST(test_block_of_a_newcomer),
		TEST(test_plain_rule),
		TEST(test_link_answers_an_ask),
		TEST(test_link_says_no),
		TEST(test_link_opens_no_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
