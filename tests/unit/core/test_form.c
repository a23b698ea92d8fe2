/* SPDX-License-Identifier: ISC */
/* Signing in at the portal, the second step, and other secrets that are given there. */
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
	MINUTE_MS = 60 * 1000
};

#define SIXTEEN  "0123456789abcdef"
#define TOO_LONG SIXTEEN SIXTEEN SIXTEEN SIXTEEN "0"

static const char home[] = "198.51.100.7";

static uint64_t send_signin(struct world *world, const char *login, const char *password,
	const char *cookie, const char *client)
{
	char arguments[512];

	(void)snprintf(arguments, sizeof arguments, "{\"login\":\"%s\",\"password\":\"%s\"}", login,
		password);
	return world_send_call(world, "portal.signin", arguments, cookie, client);
}

static enum gp_err sign_in_as(
	struct world *world, const char *login, const char *password, const char *client)
{
	uint64_t request = send_signin(world, login, password, "", client);

	for (unsigned i = 0; i < 100 && !world->is_done; i++)
		world_settle(world);
	assert_true(world->is_done);
	assert_int_equal(world->done_request, request);
	return world->done_err;
}

static enum gp_err sign_in(struct world *world, const char *password, const char *client)
{
	return sign_in_as(world, "alice@example.test", password, client);
}

static const char *state_told(const struct world *world)
{
	return json_string_value(json_object_get(world_row(world, 0), "state"));
}

static const char *state_of(struct world *world, const char *cookie)
{
	assert_int_equal(world_call(world, "portal.show", "", cookie, home), GP_OK);
	return state_told(world);
}

static enum gp_err code(struct world *world, const char *value, const char *cookie)
{
	char arguments[128];

	(void)snprintf(arguments, sizeof arguments, "{\"code\":\"%s\"}", value);
	return world_call(world, "portal.code", arguments, cookie, home);
}

/* At the state where the code is awaited. */
static void give_password(struct world *world, char cookie[static PORTAL_COOKIE_SIZE])
{
	assert_int_equal(sign_in(world, "second", home), GP_OK);
	memcpy(cookie, world->cookie, PORTAL_COOKIE_SIZE);
}

static void the_right_password_opens(void **state)
{
	struct world *world = world_new("", true);
	char cookie[PORTAL_COOKIE_SIZE];

	(void)state;
	assert_int_equal(sign_in_as(world, "alice", "right", home), GP_OK);
	assert_string_equal(state_told(world), "signed_in");
	assert_string_equal(world->last_login, "alice@example.test");
	assert_int_equal(world->last_service, SERVICE_HTTPS);
	assert_int_equal(world->last_verdict, VERDICT_OK);
	memcpy(cookie, world->cookie, sizeof cookie);
	assert_string_equal(state_of(world, cookie), "signed_in");
	assert_string_equal(
		json_string_value(json_object_get(world_row(world, 0), "role")), "user");
	assert_int_equal(world->core->stats.signins_ok, 1);
	/* Who signs in again leaves the first session behind. */
	(void)send_signin(world, "alice@example.test", "right", cookie, home);
	world_settle(world);
	assert_string_not_equal(world->cookie, cookie);
	assert_string_equal(state_of(world, cookie), "guest");
	assert_int_equal(world->core->portal.by_key.count, 1);
	/* Nothing stays behind. */
	assert_int_equal(world->core->control.ops.count, 0);
	assert_int_equal(world->core->signins.by_id.count, 0);
	assert_int_equal(world->core->sources.by_ip.count, 0);
	world_free(&world);
}

/* One answer, whatever the true reason. */
static void refusals_look_alike(void **state)
{
	static const struct {
		const char *login;
		const char *password;
		enum reason reason;
	} cases[] = {
		{ "alice@example.test", "wrong", REASON_WRONG_PASSWORD },
		{ "nobody@example.test", "wrong", REASON_WRONG_PASSWORD },
		{ "alice@foreign.test", "wrong", REASON_WRONG_PASSWORD },
		{ "not a name", "wrong", REASON_WRONG_PASSWORD },
		{ "alice@example.test", WORLD_DEVICE_SECRET, REASON_DEVICE_SCOPE },
	};
	struct world *world = world_new("autoban_failures = 100\n", true);
	char why[1024];

	(void)state;
	assert_int_equal(sign_in(world, "wrong", home), GP_ERR_DENIED);
	(void)snprintf(why, sizeof why, "%s", world->done_why);
	assert_true(why[0] != '\0');
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		assert_int_equal(
			sign_in_as(world, cases[i].login, cases[i].password, home), GP_ERR_DENIED);
		assert_string_equal(world->done_why, why);
		assert_int_equal(json_array_size(world->rows), 0);
		assert_int_equal(world->last_reason, cases[i].reason);
	}
	assert_int_equal(world->cookies, 0);
	assert_int_equal(sign_in(world, "store", home), GP_ERR_STORE);
	assert_int_equal(world->counted, 5);
	world_free(&world);
}

static void what_is_too_long_is_refused(void **state)
{
	struct world *world = world_new("", true);
	char secret[SECRET_MAX + 2];
	char arguments[SECRET_MAX + 100];

	(void)state;
	memset(secret, 'x', sizeof secret);
	secret[SECRET_MAX + 1] = '\0';
	(void)snprintf(
		arguments, sizeof arguments, "{\"login\":\"alice\",\"password\":\"%s\"}", secret);
	assert_int_equal(world_call(world, "portal.signin", arguments, "", home), GP_ERR_SYNTAX);
	assert_int_equal(world->verified, 0);
	assert_int_equal(world_call(world, "portal.signin", "{}", "", home), GP_ERR_SYNTAX);
	world_free(&world);
}

/* One window for all doors. */
static void mail_ports_and_portal_count_together(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		assert_int_equal(world_try(world, i, SERVICE_IMAP, home, "wrong"), VERDICT_DENY);
	assert_int_equal(sign_in(world, "wrong", home), GP_ERR_DENIED);
	assert_int_equal(world->core->stats.bans_set, 0);
	assert_int_equal(sign_in(world, "wrong", home), GP_ERR_DENIED);
	assert_int_equal(world->core->stats.bans_set, 1);
	assert_int_equal(world->weight, 5);
	assert_int_equal(world_try(world, 9, SERVICE_IMAP, home, "right"), VERDICT_BANNED);
	assert_int_equal(sign_in(world, "right", home), GP_OK);
	world_free(&world);
}

static void two_hundred_at_once_get_five(void **state)
{
	struct world *world = world_new("signin_wait = 10s\n", true);

	(void)state;
	world->is_holding = true;
	for (uint64_t i = 1; i <= 100; i++) {
		char wrong[16];

		(void)snprintf(wrong, sizeof wrong, "wrong%u", (unsigned)i);
		world_open(world, i % 2, i, SERVICE_IMAP, home);
		world_signin(world, i % 2, i, "alice@example.test", wrong);
		(void)send_signin(world, "alice@example.test", wrong, "", home);
	}
	world_settle(world);
	for (unsigned i = 0; i < 20; i++) {
		world_answer_held(world);
		world->is_holding = true;
		world_settle(world);
	}
	assert_int_equal(world->verified, 5);
	assert_int_equal(world->wrong, 5);
	assert_int_equal(world->weight, 5);
	assert_int_equal(world->core->stats.bans_set, 1);
	assert_int_equal(world->answer_count, 100);
	assert_int_equal(world->done_count, 100);
	assert_int_equal(world_count(world, VERDICT_DENY) +
				 world_count(world, VERDICT_DENY_BANNED) +
				 world_count_done(world, GP_ERR_DENIED),
		5);
	assert_int_equal(world->core->signins.by_id.count, 0);
	world_free(&world);
}

static void a_banned_source_has_three_tries_here(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	for (uint64_t i = 1; i <= 5; i++)
		(void)world_try(world, i, SERVICE_IMAP, home, "wrong");
	assert_int_equal(sign_in(world, "right", home), GP_OK);
	assert_int_equal(sign_in(world, "wrong", home), GP_ERR_DENIED);
	assert_int_equal(sign_in(world, "wrong", home), GP_ERR_DENIED);
	assert_int_equal(sign_in(world, "right", home), GP_OK);
	assert_int_equal(sign_in(world, "wrong", home), GP_ERR_DENIED);
	assert_int_equal(sign_in(world, "right", home), GP_ERR_LIMIT);
	assert_non_null(strstr(world->done_why, "2027-01-15T08:30:00Z"));
	/* They are no failures of the mail ports' window, and make its ban no longer. */
	assert_int_equal(world->weight, 5);
	assert_int_equal(world->core->stats.bans_set, 1);
	/* Others are not concerned. */
	assert_int_equal(sign_in(world, "right", "198.51.100.8"), GP_OK);
	clock_fake(WORLD_WALL, WORLD_STEADY + 30 * MINUTE_MS - 1);
	assert_int_equal(sign_in(world, "right", home), GP_ERR_LIMIT);
	clock_fake(WORLD_WALL, WORLD_STEADY + 30 * MINUTE_MS);
	assert_int_equal(sign_in(world, "right", home), GP_OK);
	world_free(&world);
}

static void fifty_at_once_from_a_banned_source_get_three(void **state)
{
	struct world *world = world_new("signin_wait = 10s\n", true);
	struct ip_net net = { world_ip(home), 32 };

	(void)state;
	bans_set(world->core, &net, 30 * MINUTE_MS, SLICE_LIT("test"), 0);
	world->is_holding = true;
	for (unsigned i = 0; i < 50; i++)
		(void)send_signin(world, "alice@example.test", "wrong", "", home);
	world_settle(world);
	/* A slow vault has one each. */
	assert_int_equal(world->held_count, 2);
	for (unsigned i = 0; i < 20; i++) {
		world_answer_held(world);
		world->is_holding = true;
		world_settle(world);
	}
	assert_int_equal(world->verified, 3);
	assert_int_equal(world_count_done(world, GP_ERR_DENIED), 3);
	assert_int_equal(world_count_done(world, GP_ERR_LIMIT), 47);
	world_free(&world);
}

/* What is banned as a whole has three tries as a whole. */
static void a_banned_network_has_three_in_all(void **state)
{
	struct world *world = world_new("", true);
	struct ip_net net = { world_ip("2001:db8:1::"), 48 };
	char client[64];
	unsigned denied = 0;

	(void)state;
	bans_set(world->core, &net, 30 * MINUTE_MS, SLICE_LIT("test"), 0);
	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(client, sizeof client, "2001:db8:1:%x::1", i);
		denied += sign_in(world, "wrong", client) == GP_ERR_DENIED;
	}
	assert_int_equal(denied, 3);
	assert_int_equal(world->verified, 3);
	assert_int_equal(sign_in(world, "right", "2001:db8:2::1"), GP_OK);
	world_free(&world);
}

/* A ban that is shorter than its window leaves a source without a place and without a ban. */
static void a_spent_source_has_three_tries_too(void **state)
{
	struct world *world = world_new("autoban_time = 1m\n", true);

	(void)state;
	for (uint64_t i = 1; i <= 5; i++)
		(void)world_try(world, i, SERVICE_IMAP, home, "wrong");
	clock_fake(WORLD_WALL + 61, WORLD_STEADY + 61000);
	core_sweep(world->core);
	assert_int_equal(world_try(world, 6, SERVICE_IMAP, home, "right"), VERDICT_BANNED);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(sign_in(world, "wrong", home), GP_ERR_DENIED);
	assert_int_equal(sign_in(world, "right", home), GP_ERR_LIMIT);
	assert_int_equal(world->verified, 5 + 3);
	world_free(&world);
}

static void the_second_step(void **state)
{
	struct world *world = world_new("", true);
	char pending[PORTAL_COOKIE_SIZE];
	char cookie[PORTAL_COOKIE_SIZE];

	(void)state;
	give_password(world, pending);
	assert_string_equal(state_told(world), "code");
	/* Half a sign-in makes no source known. */
	assert_int_equal(world->events, 0);
	assert_string_equal(state_of(world, pending), "pending");
	assert_int_equal(world_call(world, "self.show", "", pending, home), GP_ERR_SIGNIN);
	assert_int_equal(code(world, TOO_LONG, pending), GP_ERR_SYNTAX);
	assert_int_equal(code(world, "000000", pending), GP_ERR_DENIED);
	assert_int_equal(world->last_reason, REASON_CODE);
	assert_int_equal(world->weight, 1);
	assert_string_equal(state_of(world, pending), "pending");
	assert_int_equal(code(world, "123456", pending), GP_OK);
	assert_string_equal(state_told(world), "signed_in");
	memcpy(cookie, world->cookie, sizeof cookie);
	assert_string_equal(state_of(world, pending), "guest");
	assert_string_equal(state_of(world, cookie), "signed_in");
	assert_int_equal(world->last_verdict, VERDICT_OK);
	assert_int_equal(world->last_account, WORLD_RIGHT_ACCOUNT);
	assert_int_equal(world->core->stats.signins_ok, 1);
	assert_int_equal(world->op_role, ROLE_CORE);
	/* Not twice, and not without a password. */
	assert_int_equal(code(world, "123456", pending), GP_ERR_SIGNIN);
	assert_int_equal(code(world, "123456", ""), GP_ERR_SIGNIN);
	assert_int_equal(code(world, "123456", cookie), GP_ERR_EXISTS);
	assert_int_equal(world->codes_checked, 2);
	/* Only core asks for that. */
	assert_int_equal(world_op(world, "twofactor.check", "{\"account\":7,\"code\":\"123456\"}"),
		GP_ERR_UNSUPPORTED);
	assert_int_equal(world_call(world, "twofactor.check", "{\"account\":7,\"code\":\"123456\"}",
				 cookie, home),
		GP_ERR_UNSUPPORTED);
	world_free(&world);
}

static void fifty_posts_of_one_code(void **state)
{
	struct world *world = world_new("signin_wait = 10s\n", true);
	char pending[PORTAL_COOKIE_SIZE];

	(void)state;
	give_password(world, pending);
	world->done_count = 0;
	for (unsigned i = 0; i < 50; i++)
		(void)world_send_call(world, "portal.code", "{\"code\":\"123456\"}", pending, home);
	world_settle(world);
	assert_int_equal(world->done_count, 50);
	assert_int_equal(world_count_done(world, GP_OK), 1);
	assert_int_equal(world_count_done(world, GP_ERR_SIGNIN), 49);
	assert_true(world->codes_checked <= 5);
	/* Who is in has guessed nothing. */
	assert_int_equal(world->weight, 0);
	assert_int_equal(world->core->portal.by_key.count, 1);
	assert_int_equal(world->core->control.ops.count, 0);
	world_free(&world);
}

static void fifty_wrong_codes_at_once_get_five(void **state)
{
	struct world *world = world_new("signin_wait = 10s\n", true);
	char pending[PORTAL_COOKIE_SIZE];

	(void)state;
	give_password(world, pending);
	world->done_count = 0;
	for (unsigned i = 0; i < 50; i++)
		(void)world_send_call(world, "portal.code", "{\"code\":\"000000\"}", pending, home);
	world_settle(world);
	assert_int_equal(world->codes_checked, 5);
	assert_int_equal(world->weight, 5);
	assert_int_equal(world->core->stats.bans_set, 1);
	assert_int_equal(world_count_done(world, GP_ERR_DENIED), 5);
	assert_int_equal(world->done_count, 50);
	/* And in what a banned source has here. */
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(code(world, "000000", pending), GP_ERR_DENIED);
	assert_int_equal(code(world, "123456", pending), GP_ERR_LIMIT);
	assert_int_equal(world->codes_checked, 8);
	world_free(&world);
}

static void code_entry_stops_after_ten(void **state)
{
	struct world *world = world_new("autoban_failures = 100\n", true);
	char pending[PORTAL_COOKIE_SIZE];

	(void)state;
	give_password(world, pending);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(code(world, "000000", pending), GP_ERR_DENIED);
	assert_int_equal(code(world, "123456", pending), GP_ERR_LIMIT);
	assert_int_equal(world->weight, 10);
	assert_int_equal(code(world, "recovery", pending), GP_OK);
	world_free(&world);
}

static void a_recovery_code_lets_one_mend_the_account(void **state)
{
	struct world *world = world_new("", true);
	char pending[PORTAL_COOKIE_SIZE];
	char cookie[PORTAL_COOKIE_SIZE];

	(void)state;
	give_password(world, pending);
	assert_int_equal(code(world, "recovery", pending), GP_OK);
	assert_string_equal(state_told(world), "recovery");
	assert_string_equal(world->last_detail, "recovery code");
	memcpy(cookie, world->cookie, sizeof cookie);
	assert_int_equal(world_call(world, "self.show", "", cookie, home), GP_OK);
	assert_int_equal(world->op_role, ROLE_RECOVERY);
	assert_int_equal(world->op_asker, WORLD_RIGHT_ACCOUNT);
	assert_int_equal(world_call(world, "portal.list", "", cookie, home), GP_ERR_ROLE);
	/* A part of it. */
	assert_int_equal(
		world_call(world, "self.twofactor_confirm", "{\"code\":\"1\"}", cookie, home),
		GP_OK);
	assert_string_equal(state_of(world, cookie), "guest");
	memcpy(cookie, world->cookie, sizeof cookie);
	assert_string_equal(state_of(world, cookie), "recovery");
	/* All of it. */
	world->is_mended = true;
	assert_int_equal(
		world_call(world, "self.twofactor_confirm", "{\"code\":\"1\"}", cookie, home),
		GP_OK);
	assert_string_equal(state_of(world, world->cookie), "signed_in");
	world_free(&world);
}

static void other_secrets_are_guesses_too(void **state)
{
	static const char right[] = "{\"password\":\"right\"}";
	static const char wrong[] = "{\"password\":\"wrong\"}";
	struct world *world = world_new("", true);
	char cookie[PORTAL_COOKIE_SIZE];

	(void)state;
	assert_int_equal(sign_in(world, "right", home), GP_OK);
	memcpy(cookie, world->cookie, sizeof cookie);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(
			world_call(world, "self.twofactor_begin", right, cookie, home), GP_OK);
	world->account_err = GP_ERR_STORE;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(world_call(world, "self.twofactor_begin", right, cookie, home),
			GP_ERR_STORE);
	world->account_err = GP_OK;
	assert_int_equal(world->weight, 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(world_call(world, "self.twofactor_begin", wrong, cookie, home),
			GP_ERR_DENIED);
	assert_int_equal(world->last_reason, REASON_WRONG_PASSWORD);
	assert_string_equal(world->last_detail, "self.twofactor_begin");
	assert_string_equal(world->last_event_login, "alice@example.test");
	assert_int_equal(world->last_account, WORLD_RIGHT_ACCOUNT);
	assert_int_equal(world->weight, 5);
	assert_int_equal(world->core->stats.bans_set, 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(world_call(world, "self.twofactor_begin", wrong, cookie, home),
			GP_ERR_DENIED);
	world->ops = 0;
	assert_int_equal(
		world_call(world, "self.twofactor_begin", right, cookie, home), GP_ERR_LIMIT);
	assert_int_equal(world->ops, 0);
	/* What compares nothing is not held up. */
	assert_int_equal(world_call(world, "self.show", "", cookie, home), GP_OK);
	world_free(&world);
}

/* Nobody pays for our own faults, and every question gets its answer. */
static void the_desk_may_go(void **state)
{
	struct world *world = world_new("signin_wait = 10s\n", true);
	char pending[PORTAL_COOKIE_SIZE];

	(void)state;
	give_password(world, pending);
	world->done_count = 0;
	chan_pause(world->vaults[DESK].chan);
	for (unsigned i = 0; i < 20; i++)
		(void)world_send_call(world, "portal.code", "{\"code\":\"000000\"}", pending, home);
	world_settle(world);
	world_cut_vault(world, DESK);
	world_settle(world);
	assert_int_equal(world->done_count, 20);
	assert_int_equal(world_count_done(world, GP_ERR_STORE), 20);
	assert_int_equal(world->core->control.ops.count, 0);
	assert_int_equal(world->core->signins.by_id.count, 0);
	world_connect_vault(world, DESK);
	world_settle(world);
	assert_int_equal(world->weight, 0);
	assert_int_equal(code(world, "123456", pending), GP_OK);
	world_free(&world);
}

/* The account changed while its password was checked. */
static void a_change_in_between_is_seen(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	world->is_holding = true;
	(void)send_signin(world, "alice@example.test", "right", "", home);
	world_settle(world);
	assert_int_equal(world->held_count, 1);
	assert_int_equal(world_op(world, "account.passwd", ""), GP_OK);
	world->done_count = 0;
	world_answer_held(world);
	assert_int_equal(world->verified, 2);
	assert_int_equal(world_count_done(world, GP_OK), 1);
	world_free(&world);
}

/* Who leaves has guessed all the same. */
static void the_portal_process_may_go(void **state)
{
	struct world *world = world_new("", true);
	struct ipc_message message = { .type = IPC_PEER_GONE };
	int none = -1;

	(void)state;
	world->is_holding = true;
	(void)send_signin(world, "alice@example.test", "wrong", "", home);
	(void)send_signin(world, "alice@example.test", "right", "", home);
	world_settle(world);
	message.peer_gone = (struct ipc_peer_gone){ IPC_ROLE_WEB, 0, true };
	core_on_parent(world->core, &message, &none);
	world_answer_held(world);
	assert_int_equal(world->weight, 1);
	assert_int_equal(world->core->control.ops.count, 0);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_password_opens),
		cmocka_unit_test(refusals_look_alike),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(mail_ports_and_portal_count_together),
		cmocka_unit_test(two_hundred_at_once_get_five),
		cmocka_unit_test(a_banned_source_has_three_tries_here),
		cmocka_unit_test(fifty_at_once_from_a_banned_source_get_three),
		cmocka_unit_test(a_banned_network_has_three_in_all),
		cmocka_unit_test(a_spent_source_has_three_tries_too),
		cmocka_unit_test(the_second_step),
		cmocka_unit_test(fifty_posts_of_one_code),
		cmocka_unit_test(fifty_wrong_codes_at_once_get_five),
		cmocka_unit_test(code_entry_stops_after_ten),
		cmocka_unit_test(a_recovery_code_lets_one_mend_the_account),
		cmocka_unit_test(other_secrets_are_guesses_too),
		cmocka_unit_test(the_desk_may_go),
		cmocka_unit_test(a_change_in_between_is_seen),
		cmocka_unit_test(the_portal_process_may_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
