/* SPDX-License-Identifier: ISC */
/* People at the portal: their sessions, and what each role may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "world.h"

static const char home[] = "198.51.100.7";
static const char elsewhere[] = "203.0.113.9";

static struct portal_session *sign_in_as(struct world *world, uint64_t account, enum role role,
	enum portal_state state, char cookie[static PORTAL_COOKIE_SIZE])
{
	struct portal_account who = { account, role, SLICE_LIT("alice@example.test"),
		SLICE_LIT("example.test"), SLICE_LIT("brow\x01ser"), world_ip(home) };

	return portal_open(world->core, &who, state, cookie);
}

static const char *text_of(const struct world *world, size_t n, const char *key)
{
	const char *text = json_string_value(json_object_get(world_row(world, n), key));

	return text != NULL ? text : "?";
}

static const char *state_of(struct world *world, const char *cookie)
{
	assert_int_equal(world_call(world, "portal.show", "", cookie, home), GP_OK);
	return text_of(world, 0, "state");
}

static void who_is_there(void **state)
{
	struct world *world = world_new("", true);
	char cookie[PORTAL_COOKIE_SIZE];
	char other[PORTAL_COOKIE_SIZE];

	(void)state;
	assert_string_equal(state_of(world, ""), "guest");
	assert_string_equal(text_of(world, 0, "role"), "guest");
	assert_string_equal(text_of(world, 0, "address"), "");
	assert_string_equal(text_of(world, 0, "source"), home);
	assert_string_equal(text_of(world, 0, "language"), "de");
	assert_string_equal(text_of(world, 0, "hostname"), "mail.example.test");
	(void)sign_in_as(world, 7, ROLE_STAFF, PORTAL_SIGNED_IN, cookie);
	assert_int_equal(strlen(cookie), 43);
	assert_string_equal(state_of(world, cookie), "signed_in");
	assert_string_equal(text_of(world, 0, "role"), "staff");
	assert_string_equal(text_of(world, 0, "address"), "alice@example.test");
	/* Nothing but the cookie to the letter. */
	memcpy(other, cookie, sizeof other);
	other[42] = other[42] == 'A' ? 'B' : 'A';
	assert_string_equal(state_of(world, other), "guest");
	other[42] = '\0';
	assert_string_equal(state_of(world, other), "guest");
	/* A restart signs everybody out. */
	world_restart_core(world);
	world_settle(world);
	assert_string_equal(state_of(world, cookie), "guest");
	world_free(&world);
}

static void each_step_gives_a_new_id(void **state)
{
	struct world *world = world_new("", true);
	char first[PORTAL_COOKIE_SIZE];
	char second[PORTAL_COOKIE_SIZE];
	struct portal_session *session = NULL;

	(void)state;
	session = sign_in_as(world, 7, ROLE_USER, PORTAL_PENDING, first);
	assert_string_equal(state_of(world, first), "pending");
	portal_enter(world->core, session, PORTAL_SIGNED_IN, second);
	assert_string_not_equal(first, second);
	assert_string_equal(state_of(world, first), "guest");
	assert_string_equal(state_of(world, second), "signed_in");
	world_free(&world);
}

/* What each may: its own operations and those of lesser roles. */
static void roles_are_kept(void **state)
{
	static const struct {
		enum role role;
		enum portal_state state;
		const char *name;
		const char *arguments;
		enum gp_err err;
	} cases[] = {
		{ ROLE_USER, PORTAL_PENDING, "portal.list", "", GP_ERR_SIGNIN },
		{ ROLE_ADMIN, PORTAL_PENDING, "stats", "", GP_ERR_SIGNIN },
		{ ROLE_ADMIN, PORTAL_PENDING, "account.list", "", GP_ERR_SIGNIN },
		{ ROLE_USER, PORTAL_RECOVERY, "portal.list", "", GP_ERR_ROLE },
		{ ROLE_ADMIN, PORTAL_RECOVERY, "account.list", "", GP_ERR_ROLE },
		{ ROLE_USER, PORTAL_SIGNED_IN, "portal.list", "", GP_OK },
		{ ROLE_USER, PORTAL_SIGNED_IN, "account.list", "", GP_ERR_ROLE },
		{ ROLE_USER, PORTAL_SIGNED_IN, "ban.list", "", GP_ERR_ROLE },
		{ ROLE_DOMAIN_ADMIN, PORTAL_SIGNED_IN, "ban.list", "", GP_ERR_ROLE },
		{ ROLE_STAFF, PORTAL_SIGNED_IN, "ban.list", "", GP_OK },
		{ ROLE_DOMAIN_ADMIN, PORTAL_SIGNED_IN, "account.list", "", GP_OK },
		{ ROLE_STAFF, PORTAL_SIGNED_IN, "account.list", "", GP_OK },
		{ ROLE_STAFF, PORTAL_SIGNED_IN, "account.role", "{}", GP_ERR_ROLE },
		{ ROLE_STAFF, PORTAL_SIGNED_IN, "clock.advance", "{\"seconds\":1}", GP_ERR_ROLE },
		{ ROLE_ADMIN, PORTAL_SIGNED_IN, "account.list", "", GP_OK },
		{ ROLE_ADMIN, PORTAL_SIGNED_IN, "no.such", "", GP_ERR_UNSUPPORTED },
	};
	struct world *world = world_new("", true);

	(void)state;
	assert_int_equal(world_call(world, "stats", "", "", home), GP_ERR_SIGNIN);
	assert_int_equal(world_call(world, "account.list", "", "", home), GP_ERR_SIGNIN);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		char cookie[PORTAL_COOKIE_SIZE];

		print_message("%s %s\n", role_name(cases[i].role), cases[i].name);
		(void)sign_in_as(world, 7, cases[i].role, cases[i].state, cookie);
		assert_int_equal(world_call(world, cases[i].name, cases[i].arguments, cookie, home),
			cases[i].err);
	}
	/* For the CLI there is no account of its own. */
	assert_int_equal(world_op(world, "portal.list", ""), GP_ERR_UNSUPPORTED);
	world_free(&world);
}

/* The vault hears who asks from core alone. */
static void the_vault_hears_who_asks(void **state)
{
	struct world *world = world_new("", true);
	struct ipc_message message = { .type = IPC_OP };
	char cookie[PORTAL_COOKIE_SIZE];

	(void)state;
	(void)sign_in_as(world, 7, ROLE_STAFF, PORTAL_SIGNED_IN, cookie);
	assert_int_equal(world_call(world, "account.list", "", cookie, home), GP_OK);
	assert_int_equal(world->op_role, ROLE_STAFF);
	assert_int_equal(world->op_asker, 7);
	assert_string_equal(world->op_actor, "alice@example.test");
	assert_string_equal(world->op_domains, "example.test");
	message.op = (struct ipc_op){ .request = 1,
		.name = SLICE_LIT("account.list"),
		.actor = SLICE_LIT("root"),
		.role = ROLE_CORE,
		.asker = 9 };
	assert_int_equal(chan_send(world->cli.chan, &message, -1), GP_OK);
	world_settle(world);
	assert_int_equal(world->op_role, ROLE_ADMIN);
	assert_int_equal(world->op_asker, 0);
	assert_string_equal(world->op_actor, "cli:0");
	world_free(&world);
}

static void sessions_end_idle_and_old(void **state)
{
	struct world *world = world_new("portal_idle = 10m\nportal_lifetime = 1h\n", true);
	char cookie[PORTAL_COOKIE_SIZE];
	char idle[PORTAL_COOKIE_SIZE];
	int64_t now = WORLD_STEADY;

	(void)state;
	(void)sign_in_as(world, 7, ROLE_USER, PORTAL_SIGNED_IN, idle);
	(void)sign_in_as(world, 7, ROLE_USER, PORTAL_SIGNED_IN, cookie);
	for (unsigned minute = 9; minute < 60; minute += 9) {
		clock_fake(WORLD_WALL, now + minute * 60000);
		assert_string_equal(state_of(world, cookie), "signed_in");
	}
	core_sweep(world->core);
	assert_int_equal(world->core->portal.by_key.count, 1);
	assert_string_equal(state_of(world, idle), "guest");
	clock_fake(WORLD_WALL, now + 60 * 60000);
	assert_string_equal(state_of(world, cookie), "guest");
	assert_int_equal(world->core->portal.by_key.count, 0);
	/* To the millisecond. */
	(void)sign_in_as(world, 7, ROLE_USER, PORTAL_SIGNED_IN, cookie);
	clock_fake(WORLD_WALL, now + 70 * 60000 - 1);
	core_sweep(world->core);
	assert_int_equal(world->core->portal.by_key.count, 1);
	clock_fake(WORLD_WALL, now + 70 * 60000);
	core_sweep(world->core);
	assert_int_equal(world->core->portal.by_key.count, 0);
	world_free(&world);
}

static void an_account_has_so_many_sessions(void **state)
{
	struct world *world = world_new("", true);
	char other[PORTAL_COOKIE_SIZE];
	char first[PORTAL_COOKIE_SIZE];
	char second[PORTAL_COOKIE_SIZE];
	char cookie[PORTAL_COOKIE_SIZE];
	char pending[PORTAL_COOKIE_SIZE];

	(void)state;
	(void)sign_in_as(world, 8, ROLE_USER, PORTAL_SIGNED_IN, other);
	(void)sign_in_as(world, 7, ROLE_USER, PORTAL_SIGNED_IN, first);
	clock_fake(WORLD_WALL, WORLD_STEADY + 1);
	(void)sign_in_as(world, 7, ROLE_USER, PORTAL_SIGNED_IN, second);
	clock_fake(WORLD_WALL, WORLD_STEADY + 2);
	for (unsigned i = 2; i < PORTAL_ACCOUNT_MAX; i++)
		(void)sign_in_as(world, 7, ROLE_USER, PORTAL_SIGNED_IN, cookie);
	/* Who knows the password alone pushes nobody out. */
	for (unsigned i = 0; i < 2 * PORTAL_ACCOUNT_MAX; i++)
		(void)sign_in_as(world, 7, ROLE_USER, PORTAL_PENDING, pending);
	assert_int_equal(world->core->portal.by_key.count,
		1 + PORTAL_ACCOUNT_MAX + PORTAL_ACCOUNT_PENDING_MAX);
	assert_string_equal(state_of(world, first), "signed_in");
	(void)sign_in_as(world, 7, ROLE_USER, PORTAL_SIGNED_IN, cookie);
	assert_string_equal(state_of(world, first), "guest");
	assert_string_equal(state_of(world, second), "signed_in");
	portal_enter(world->core, portal_find(world->core, slice_str(pending)), PORTAL_SIGNED_IN,
		cookie);
	assert_string_equal(state_of(world, second), "guest");
	assert_string_equal(state_of(world, cookie), "signed_in");
	assert_string_equal(state_of(world, other), "signed_in");
	world_free(&world);
}

static void all_sessions_are_so_many(void **state)
{
	struct world *world = world_new("", true);
	char first[PORTAL_COOKIE_SIZE];
	char second[PORTAL_COOKIE_SIZE];
	char cookie[PORTAL_COOKIE_SIZE];

	(void)state;
	/* make_room() walks through all: few accounts would hide nothing, many cost the square. */
	(void)sign_in_as(world, 1, ROLE_USER, PORTAL_SIGNED_IN, first);
	(void)sign_in_as(world, 2, ROLE_USER, PORTAL_SIGNED_IN, second);
	for (unsigned i = 2; i < PORTAL_SESSIONS_MAX; i++)
		(void)sign_in_as(world, 1 + i, ROLE_USER, PORTAL_SIGNED_IN, cookie);
	assert_string_equal(state_of(world, first), "signed_in");
	assert_int_equal(world->core->portal.by_key.count, PORTAL_SESSIONS_MAX);
	(void)sign_in_as(world, 99999, ROLE_USER, PORTAL_SIGNED_IN, cookie);
	assert_int_equal(world->core->portal.by_key.count, PORTAL_SESSIONS_MAX);
	assert_string_equal(state_of(world, second), "guest");
	assert_string_equal(state_of(world, first), "signed_in");
	world_free(&world);
}

static void what_happens_to_the_account_ends_its_sessions(void **state)
{
	static const char *const ops[] = { "account.passwd", "account.block" };
	struct world *world = world_new("", true);
	char cookie[PORTAL_COOKIE_SIZE];
	char other[PORTAL_COOKIE_SIZE];
	char own[PORTAL_COOKIE_SIZE];

	(void)state;
	(void)sign_in_as(world, 8, ROLE_USER, PORTAL_SIGNED_IN, other);
	for (size_t i = 0; i < GP_ARRAY_LEN(ops); i++) {
		(void)sign_in_as(world, WORLD_RIGHT_ACCOUNT, ROLE_USER, PORTAL_SIGNED_IN, cookie);
		assert_int_equal(world_op(world, ops[i], ""), GP_OK);
		assert_string_equal(state_of(world, cookie), "guest");
	}
	assert_string_equal(state_of(world, other), "signed_in");
	/* What does not concern them. */
	(void)sign_in_as(world, WORLD_RIGHT_ACCOUNT, ROLE_USER, PORTAL_SIGNED_IN, cookie);
	assert_int_equal(world_op(world, "device.revoke", ""), GP_OK);
	assert_int_equal(world_op(world, "account.unblock", ""), GP_OK);
	assert_string_equal(state_of(world, cookie), "signed_in");
	/* The one that did it goes on, under a new id. */
	(void)sign_in_as(world, WORLD_RIGHT_ACCOUNT, ROLE_ADMIN, PORTAL_SIGNED_IN, own);
	assert_int_equal(world_call(world, "account.passwd", "", own, home), GP_OK);
	assert_int_equal(world->cookies, 1);
	assert_int_equal(json_array_size(world->rows), 1);
	assert_string_equal(state_of(world, cookie), "guest");
	assert_string_equal(state_of(world, own), "guest");
	memcpy(own, world->cookie, sizeof own);
	assert_string_equal(state_of(world, own), "signed_in");
	world_free(&world);
}

static void people_see_and_end_their_sessions(void **state)
{
	struct world *world = world_new("", true);
	enum close_reason reason = CLOSE_MAX;
	char one[PORTAL_COOKIE_SIZE];
	char two[PORTAL_COOKIE_SIZE];
	char other[PORTAL_COOKIE_SIZE];
	char arguments[64];
	uint64_t number;

	(void)state;
	(void)world_try(world, 1, SERVICE_IMAP, elsewhere, "right");
	number = sign_in_as(world, WORLD_RIGHT_ACCOUNT, ROLE_USER, PORTAL_SIGNED_IN, one)->number;
	(void)sign_in_as(world, WORLD_RIGHT_ACCOUNT, ROLE_USER, PORTAL_SIGNED_IN, two);
	(void)sign_in_as(world, 8, ROLE_USER, PORTAL_SIGNED_IN, other);
	clock_fake(WORLD_WALL + 60, WORLD_STEADY + 60000);
	assert_int_equal(world_call(world, "portal.list", "", two, elsewhere), GP_OK);
	assert_int_equal(json_array_size(world->rows), 2);
	assert_string_equal(text_of(world, 0, "source"), home);
	assert_string_equal(text_of(world, 0, "client_name"), "brow\\x01ser");
	assert_string_equal(text_of(world, 0, "used_at"), "2027-01-15T08:00:00Z");
	assert_true(json_is_false(json_object_get(world_row(world, 0), "is_this")));
	assert_string_equal(text_of(world, 1, "source"), elsewhere);
	assert_string_equal(text_of(world, 1, "since"), "2027-01-15T08:00:00Z");
	assert_string_equal(text_of(world, 1, "used_at"), "2027-01-15T08:01:00Z");
	assert_true(json_is_true(json_object_get(world_row(world, 1), "is_this")));

	/* Not somebody else's. */
	(void)snprintf(arguments, sizeof arguments, "{\"id\":%" PRIu64 "}", number);
	assert_int_equal(world_call(world, "portal.end", arguments, other, home), GP_ERR_NOT_FOUND);
	assert_int_equal(
		world_call(world, "portal.end", "{\"id\":-1}", two, home), GP_ERR_NOT_FOUND);
	assert_int_equal(world_call(world, "portal.end", arguments, two, home), GP_OK);
	assert_string_equal(state_of(world, one), "guest");
	assert_string_equal(state_of(world, two), "signed_in");

	assert_int_equal(world_call(world, "portal.signout_all", "", two, home), GP_OK);
	assert_string_equal(world->cookie, "");
	assert_string_equal(state_of(world, two), "guest");
	assert_false(world_was_closed(world, 1, &reason));
	(void)sign_in_as(world, WORLD_RIGHT_ACCOUNT, ROLE_USER, PORTAL_SIGNED_IN, one);
	assert_int_equal(
		world_call(world, "portal.signout_all", "{\"mail\":true}", one, home), GP_OK);
	assert_true(world_was_closed(world, 1, &reason));

	assert_string_equal(state_of(world, other), "signed_in");
	assert_int_equal(world_call(world, "portal.signout", "", other, home), GP_OK);
	assert_string_equal(state_of(world, other), "guest");
	assert_int_equal(world_call(world, "portal.signout", "", "", home), GP_OK);
	assert_int_equal(world->core->portal.by_key.count, 0);
	world_free(&world);
}

/* A portal process that went, or was replaced, leaves nothing behind. */
static void the_portal_process_may_go(void **state)
{
	struct world *world = world_new("", true);
	struct ipc_message message = { .type = IPC_PEER_GONE };
	char cookie[PORTAL_COOKIE_SIZE];
	int none = -1;

	(void)state;
	(void)sign_in_as(world, 7, ROLE_STAFF, PORTAL_SIGNED_IN, cookie);
	chan_pause(world->vaults[DESK].chan);
	(void)world_send_call(world, "account.list", "", cookie, home);
	world_settle(world);
	message.peer_gone = (struct ipc_peer_gone){ IPC_ROLE_WEB, 0, true };
	core_on_parent(world->core, &message, &none);
	assert_int_equal(asker_count(world->core, IPC_ROLE_WEB), 0);
	chan_resume(world->vaults[DESK].chan);
	world_settle(world);
	assert_int_equal(world->core->control.ops.count, 0);
	world_connect_web(world);
	assert_string_equal(state_of(world, cookie), "signed_in");
	assert_int_equal(asker_count(world->core, IPC_ROLE_WEB), 1);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_there),
		cmocka_unit_test(each_step_gives_a_new_id),
		cmocka_unit_test(roles_are_kept),
		cmocka_unit_test(the_vault_hears_who_asks),
		cmocka_unit_test(sessions_end_idle_and_old),
		cmocka_unit_test(an_account_has_so_many_sessions),
		cmocka_unit_test(all_sessions_are_so_many),
		cmocka_unit_test(what_happens_to_the_account_ends_its_sessions),
		cmocka_unit_test(people_see_and_end_their_sessions),
		cmocka_unit_test(the_portal_process_may_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
