/* SPDX-License-Identifier: ISC */
/* API tokens: shown once, good until they expire or are ended, nowhere in the clear. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "store/store_token.h"
#include "vault_fixture.h"

enum {
	WALL = 1800000000,
	DAY_S = 24 * 3600,
};

static int setup(void **state)
{
	int result;

	clock_fake(WALL, 5000000);
	result = fixture_setup(state);
	assert_int_equal(fixture_op(*state, "domain.add", "{\"domain\":\"example.test\"}"), GP_OK);
	assert_int_equal(fixture_op(*state, "domain.add", "{\"domain\":\"other.test\"}"), GP_OK);
	return result;
}

static enum gp_err check(struct fixture *fixture, const char *token)
{
	char arguments[600];
	enum gp_err err;

	(void)snprintf(arguments, sizeof arguments, "{\"token\":\"%s\"}", token);
	fixture->role = ROLE_CORE;
	err = fixture_op(fixture, "token.check", arguments);
	fixture->role = ROLE_ADMIN;
	return err;
}

static void make(struct fixture *fixture, char token[static 512])
{
	assert_int_equal(
		fixture_op(fixture, "token.add",
			"{\"name\":\"panel\",\"role\":\"domain-admin\",\"scopes\":[\"account\","
			"\"ban.list\"],\"domains\":[\"Example.Test\",\"other.test\"],\"days\":30}"),
		GP_OK);
	assert_int_equal(strlen(fixture_value(fixture, "token", token)), 43);
}

static void it_says_who_and_what(void **state)
{
	struct fixture *fixture = *state;
	char token[512];
	char value[512];

	make(fixture, token);
	assert_int_equal(check(fixture, token), GP_OK);
	assert_string_equal(fixture_value(fixture, "name", value), "panel");
	assert_string_equal(fixture_value(fixture, "role", value), "domain-admin");
	assert_string_equal(fixture_value(fixture, "scopes", value), "account ban.list");
	assert_string_equal(fixture_value(fixture, "domains", value), "example.test other.test");
	assert_int_equal(fixture_op(fixture, "token.list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_null(strstr(fixture->rows, token));
	assert_non_null(strstr(fixture->rows, "\"used_at\":\"2027-01-15T08:00:00Z\""));
	assert_int_equal(fixture_op(fixture, "audit.list", ""), GP_OK);
	assert_null(strstr(fixture->rows, token));
	assert_non_null(strstr(fixture->rows, "token.add"));
}

static void others_are_nobodys(void **state)
{
	struct fixture *fixture = *state;
	char token[512];

	make(fixture, token);
	token[7] = token[7] == 'A' ? 'B' : 'A';
	assert_int_equal(check(fixture, token), GP_ERR_DENIED);
	assert_int_equal(check(fixture, ""), GP_ERR_DENIED);
	assert_int_equal(check(fixture, "panel"), GP_ERR_DENIED);
	assert_int_equal(fixture->row_count, 0);
	assert_int_equal(
		fixture_op(fixture, "token.check", "{\"token\":\"x\"}"), GP_ERR_UNSUPPORTED);
}

static void it_ends(void **state)
{
	struct fixture *fixture = *state;
	char token[512];

	make(fixture, token);
	clock_fake(WALL + 30 * DAY_S - 1, 5000000);
	assert_int_equal(check(fixture, token), GP_OK);
	clock_fake(WALL + 30 * DAY_S, 5000000);
	assert_int_equal(check(fixture, token), GP_ERR_DENIED);
	clock_fake(WALL, 5000000);
	assert_int_equal(fixture_op(fixture, "token.remove", "{\"id\":1}"), GP_OK);
	assert_int_equal(check(fixture, token), GP_ERR_DENIED);
	assert_int_equal(fixture_op(fixture, "token.remove", "{\"id\":1}"), GP_ERR_NOT_FOUND);
}

static const struct {
	const char *arguments;
	enum gp_err err;
	const char *why;
} bad[] = {
	{ "{\"name\":\"x\",\"role\":\"user\"}", GP_ERR_SYNTAX,
		"the role of a token is domain-admin, staff or admin" },
	{ "{\"name\":\"x\",\"role\":\"core\"}", GP_ERR_SYNTAX,
		"the role of a token is domain-admin, staff or admin" },
	{ "{\"name\":\"x\",\"role\":\"domain-admin\"}", GP_ERR_SYNTAX,
		"a domain-admin needs the domains it is for" },
	{ "{\"name\":\"x\",\"role\":\"staff\",\"scopes\":[\"accounts\"]}", GP_ERR_SYNTAX,
		"\"accounts\" is no operation and no group of operations" },
	{ "{\"name\":\"x\",\"role\":\"staff\",\"domains\":[\"foreign.test\"]}", GP_ERR_NOT_FOUND,
		"no domain foreign.test" },
	{ "{\"name\":\"x\",\"role\":\"staff\",\"days\":0}", GP_ERR_SYNTAX,
		"\"days\" must be 1 to 3650" },
	{ "{\"name\":\"x\",\"role\":\"staff\",\"days\":3651}", GP_ERR_SYNTAX,
		"\"days\" must be 1 to 3650" },
	{ "{\"name\":\" \",\"role\":\"staff\"}", GP_ERR_SYNTAX,
		"the name must be one line of 1 to 64 bytes" },
};

static void what_makes_no_sense_is_refused(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < GP_ARRAY_LEN(bad); i++) {
		assert_int_equal(fixture_op(fixture, "token.add", bad[i].arguments), bad[i].err);
		assert_string_equal(fixture->why, bad[i].why);
	}
	assert_int_equal(fixture_op(fixture, "token.list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 0);
}

static void there_are_only_so_many(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->vault.store;

	assert_int_equal(store_begin(store, STORE_RELAXED), GP_OK);
	for (unsigned i = 0; i < STORE_TOKENS_MAX; i++) {
		uint8_t tag[STORE_TAG_SIZE] = { (uint8_t)i, (uint8_t)(i >> 8) };
		struct store_token token = { .name = "x", .role = "staff", .expires_at = WALL };
		uint64_t id = 0;

		assert_int_equal(store_token_add(store, &token, tag, &id), GP_OK);
	}
	assert_int_equal(store_commit(store), GP_OK);
	assert_int_equal(fixture_op(fixture, "token.add", "{\"name\":\"x\",\"role\":\"staff\"}"),
		GP_ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_says_who_and_what, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(others_are_nobodys, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(it_ends, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			what_makes_no_sense_is_refused, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(there_are_only_so_many, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
