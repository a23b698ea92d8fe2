/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "vault_fixture.h"

/*
 *	1 user@one.test		2 user@two.test		3 other@one.test (domain-admin of two.test)
 *	4 staff@one.test	5 admin@one.test
 */
static int setup(void **state)
{
	static const char *const added[] = {
		"{\"address\":\"user@one.test\",\"password\":\"correct "
		"horse\",\"create_domain\":true,"
		"\"aliases\":[\"alias@one.test\"]}",
		"{\"address\":\"user@two.test\",\"password\":\"correct "
		"horse\",\"create_domain\":true}",
		"{\"address\":\"other@one.test\",\"role\":\"domain-admin\",\"domains\":[\"Two."
		"test\"]}",
		"{\"address\":\"staff@one.test\",\"role\":\"staff\"}",
		"{\"address\":\"admin@one.test\",\"role\":\"admin\"}",
	};
	struct fixture *fixture;

	assert_int_equal(fixture_setup(state), 0);
	fixture = *state;
	for (size_t i = 0; i < GP_ARRAY_LEN(added); i++)
		assert_int_equal(fixture_op(fixture, "account.add", added[i]), GP_OK);
	assert_int_equal(fixture_op(fixture, "domain.add",
				 "{\"domain\":\"mail.two.test\",\"alias_of\":\"two.test\"}"),
		GP_OK);
	return 0;
}

/* An operation with an address. */
struct ask {
	const char *name;
	const char *before; /* arguments in front of the address */
	const char *key;    /* of the address */
	bool is_change;
	bool is_secret;
};

static const struct ask asks[] = {
	{ "account.show", "", "address", false, false },
	{ "account.events", "", "address", false, false },
	{ "account.activity", "", "address", false, false },
	{ "account.chart", "", "address", false, false },
	{ "device.list", "", "address", false, false },
	{ "twofactor.status", "", "address", false, false },
	{ "account.block", "\"reason\":\"spam\",", "address", true, false },
	{ "account.unblock", "", "address", true, false },
	{ "account.passwd", "\"password\":\"walrus and tea\",", "address", true, true },
	{ "device.add", "\"name\":\"phone\",", "address", true, true },
	{ "device.revoke", "\"all\":true,", "address", true, false },
	{ "twofactor.remove", "", "address", true, false },
	{ "twofactor.remove_cancel", "", "address", true, false },
	{ "account.reset_link", "", "address", true, false },
	{ "alias.list", "", "address", false, false },
	{ "alias.add", "\"alias\":\"more@two.test\",", "address", true, false },
	{ "alias.remove", "\"alias\":\"more@two.test\",", "address", true, false },
	{ "account.set", "\"is_off\":true,", "address", true, false },
	{ "account.remove", "", "address", true, false },
};

static enum gp_err ask_for(struct fixture *fixture, const struct ask *ask, const char *address)
{
	char arguments[256];

	(void)snprintf(
		arguments, sizeof arguments, "{%s\"%s\":\"%s\"}", ask->before, ask->key, address);
	return fixture_op(fixture, ask->name, arguments);
}

/* Whatever it is that keeps it from being done now: it is not the role, and the account is there.
 */
static bool is_let_in(const struct fixture *fixture, enum gp_err err)
{
	return err == GP_OK ||
	       (err == GP_ERR_NOT_FOUND && strstr(fixture->why, "no account") == NULL);
}

static void be(struct fixture *fixture, enum role role, uint64_t asker, const char *domains)
{
	fixture->role = role;
	fixture->asker = asker;
	fixture->domains = domains;
}

/* An account of a foreign domain is one that does not exist. */
static void check_foreign(struct fixture *fixture, const struct ask *ask)
{
	static const char *const foreign[] = { "none@one.test", "user@one.test", "alias@one.test",
		"user+x@one.test", "staff@one.test" };

	for (size_t i = 0; i < GP_ARRAY_LEN(foreign); i++) {
		char why[128];

		(void)snprintf(why, sizeof why, "no account %s", foreign[i]);
		if (ask_for(fixture, ask, foreign[i]) != GP_ERR_NOT_FOUND ||
			strcmp(fixture->why, why) != 0)
			fail_msg("%s %s: %s", ask->name, foreign[i], fixture->why);
		assert_int_equal(fixture->effect, IPC_EFFECT_NONE);
	}
}

static void test_foreign(void **state)
{
	static const struct {
		enum role role;
		const char *domains;
	} bound[] = { { ROLE_DOMAIN_ADMIN, "two.test" }, { ROLE_STAFF, "two.test" },
		{ ROLE_ADMIN, "a.test two.test" }, { ROLE_DOMAIN_ADMIN, "" } };
	struct fixture *fixture = *state;

	for (size_t b = 0; b < GP_ARRAY_LEN(bound); b++) {
		be(fixture, bound[b].role, 0, bound[b].domains);
		for (size_t i = 0; i < GP_ARRAY_LEN(asks); i++)
			check_foreign(fixture, &asks[i]);
	}
}

static void test_own(void **state)
{
	struct fixture *fixture = *state;

	be(fixture, ROLE_DOMAIN_ADMIN, 3, "two.test");
	for (size_t i = 0; i < GP_ARRAY_LEN(asks); i++) {
		enum gp_err err = ask_for(fixture, &asks[i], "user@mail.two.test");

		/* People neither see nor choose secrets of others. */
		if (asks[i].is_secret ? err != GP_ERR_ROLE : !is_let_in(fixture, err))
			fail_msg("%s: %s", asks[i].name, fixture->why);
	}
	/* A hosting panel does, for its customer. */
	be(fixture, ROLE_DOMAIN_ADMIN, 0, "two.test");
	assert_int_equal(fixture_op(fixture, "account.add",
				 "{\"address\":\"new@two.test\",\"password\":\"walrus and tea\"}"),
		GP_OK);
	for (size_t i = 0; i < GP_ARRAY_LEN(asks); i++) {
		enum gp_err err = ask_for(fixture, &asks[i], "new@two.test");

		if (!is_let_in(fixture, err))
			fail_msg("%s: %s", asks[i].name, fixture->why);
	}
}

/* Whoever is changed stands below who changes him. */
static void test_rank(void **state)
{
	static const struct {
		enum role role;
		const char *address;
		bool may;
	} cases[] = {
		/* Those that may remove it in the end. */
		{ ROLE_DOMAIN_ADMIN, "staff@one.test", false },
		{ ROLE_DOMAIN_ADMIN, "other@one.test", false },
		{ ROLE_STAFF, "staff@one.test", false },
		{ ROLE_STAFF, "admin@one.test", false },
		{ ROLE_STAFF, "user@one.test", true },
		{ ROLE_STAFF, "other@one.test", true },
		{ ROLE_ADMIN, "staff@one.test", true },
		{ ROLE_ADMIN, "admin@one.test", true },
	};
	struct fixture *fixture = *state;

	for (size_t c = 0; c < GP_ARRAY_LEN(cases); c++) {
		be(fixture, cases[c].role, 0,
			cases[c].role == ROLE_DOMAIN_ADMIN ? "one.test" : NULL);
		for (size_t i = 0; i < GP_ARRAY_LEN(asks); i++) {
			enum gp_err err = ask_for(fixture, &asks[i], cases[c].address);
			bool may = cases[c].may || !asks[i].is_change;

			if (may ? !is_let_in(fixture, err) : err != GP_ERR_ROLE)
				fail_msg("%s %s: %s", asks[i].name, cases[c].address, fixture->why);
		}
	}
}

static void test_add(void **state)
{
	static const struct {
		const char *arguments;
		enum gp_err err;
	} cases[] = {
		{ "{\"address\":\"a@two.test\"}", GP_OK },
		{ "{\"address\":\"b@mail.two.test\",\"aliases\":[\"c@two.test\"]}", GP_OK },
		{ "{\"address\":\"a@one.test\"}", GP_ERR_ROLE },
		{ "{\"address\":\"a@new.test\",\"create_domain\":true}", GP_ERR_ROLE },
		{ "{\"address\":\"d@two.test\",\"aliases\":[\"d@one.test\"]}", GP_ERR_ROLE },
		{ "{\"address\":\"d@two.test\",\"role\":\"staff\"}", GP_ERR_ROLE },
		{ "{\"address\":\"d@two.test\",\"role\":\"domain-admin\",\"domains\":[\"two.test\"]"
		  "}",
			GP_ERR_ROLE },
		{ "{\"address\":\"d@two.test\",\"domains\":[\"two.test\"]}", GP_ERR_SYNTAX },
		{ "{\"address\":\"d@two.test\",\"route\":\"example.test\"}", GP_ERR_ROLE },
		{ "{\"address\":\"d@two.test\",\"password\":\"walrus and tea\"}", GP_ERR_ROLE },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		be(fixture, ROLE_DOMAIN_ADMIN, 3, "two.test");
		if (fixture_op(fixture, "account.add", cases[i].arguments) != cases[i].err)
			fail_msg("%s: %s", cases[i].arguments, fixture->why);
	}
	be(fixture, ROLE_STAFF, 4, NULL);
	assert_int_equal(fixture_op(fixture, "account.add",
				 "{\"address\":\"a@new.test\",\"create_domain\":true}"),
		GP_ERR_NOT_FOUND);
	assert_int_equal(fixture_op(fixture, "account.add",
				 "{\"address\":\"e@two.test\",\"role\":\"domain-admin\","
				 "\"domains\":[\"two.test\"]}"),
		GP_OK);
	assert_int_equal(fixture_op(fixture, "account.add",
				 "{\"address\":\"f@two.test\",\"role\":\"staff\"}"),
		GP_ERR_ROLE);
}

/* An address of a domain that is not one's own is neither given nor taken. */
static void test_alias(void **state)
{
	static const struct {
		const char *name;
		const char *alias;
		enum gp_err err;
	} cases[] = {
		{ "alias.add", "a@two.test", GP_OK },
		{ "alias.add", "a@mail.two.test", GP_ERR_EXISTS },
		{ "alias.add", "other@one.test", GP_ERR_ROLE },
		{ "alias.add", "user@two.test", GP_ERR_EXISTS },
		{ "alias.add", "a b@two.test", GP_ERR_SYNTAX },
		{ "alias.remove", "user@two.test", GP_ERR_NOT_FOUND },
		{ "alias.remove", "foreign@one.test", GP_ERR_ROLE },
		{ "alias.remove", "A@mail.two.test", GP_OK },
		{ "alias.remove", "a@two.test", GP_ERR_NOT_FOUND },
	};
	struct fixture *fixture = *state;
	char arguments[128];

	assert_int_equal(fixture_op(fixture, "alias.add",
				 "{\"address\":\"user@two.test\",\"alias\":\"foreign@one.test\"}"),
		GP_OK);
	assert_non_null(strstr(
		fixture->rows, "\"address\":\"user@two.test\",\"alias\":\"foreign@one.test\""));
	be(fixture, ROLE_DOMAIN_ADMIN, 3, "two.test");
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		(void)snprintf(arguments, sizeof arguments,
			"{\"address\":\"user@two.test\",\"alias\":\"%s\"}", cases[i].alias);
		if (fixture_op(fixture, cases[i].name, arguments) != cases[i].err)
			fail_msg("%s %s: %s", cases[i].name, cases[i].alias, fixture->why);
	}
	assert_int_equal(
		fixture_op(fixture, "alias.list", "{\"address\":\"user@two.test\"}"), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	/* It is the other account's alias, not this one's. */
	be(fixture, ROLE_ADMIN, 0, NULL);
	assert_int_equal(fixture_op(fixture, "alias.remove",
				 "{\"address\":\"user@two.test\",\"alias\":\"alias@one.test\"}"),
		GP_ERR_NOT_FOUND);
}

static void test_set(void **state)
{
	struct fixture *fixture = *state;

	be(fixture, ROLE_DOMAIN_ADMIN, 3, "two.test");
	assert_int_equal(fixture_op(fixture, "account.set", "{\"address\":\"user@two.test\"}"),
		GP_ERR_SYNTAX);
	assert_int_equal(fixture_op(fixture, "account.set",
				 "{\"address\":\"user@two.test\",\"is_off\":true,\"route\":\"\"}"),
		GP_ERR_ROLE);
	assert_int_equal(fixture_op(fixture, "account.set",
				 "{\"address\":\"user@two.test\",\"is_off\":true}"),
		GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_SHUT);
	assert_int_equal(fixture->account, 2);
	assert_non_null(strstr(fixture->rows, "\"is_off\":true"));
	assert_null(strstr(fixture->rows, "argon2"));
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "user@two.test", "correct horse"),
		REASON_ACCOUNT_OFF);
	assert_int_equal(fixture_op(fixture, "account.set",
				 "{\"address\":\"user@two.test\",\"is_off\":false}"),
		GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_NONE);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "user@two.test", "correct horse"),
		REASON_OK);
	be(fixture, ROLE_STAFF, 4, NULL);
	assert_int_equal(fixture_op(fixture, "account.set",
				 "{\"address\":\"user@two.test\",\"route\":\"none.test\"}"),
		GP_ERR_NOT_FOUND);
	assert_int_equal(fixture_op(fixture, "account.set",
				 "{\"address\":\"user@two.test\",\"route\":\"\"}"),
		GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_SHUT);
}

static void test_lists(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_op(fixture, "account.list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 5);
	assert_int_equal(fixture_op(fixture, "domain.list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 3);
	be(fixture, ROLE_DOMAIN_ADMIN, 3, "two.test");
	assert_int_equal(fixture_op(fixture, "account.list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_null(strstr(fixture->rows, "one.test"));
	assert_int_equal(fixture_op(fixture, "domain.list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 2);
	assert_null(strstr(fixture->rows, "one.test"));
	be(fixture, ROLE_DOMAIN_ADMIN, 3, "");
	assert_int_equal(fixture_op(fixture, "account.list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 0);
	assert_int_equal(fixture_op(fixture, "domain.list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 0);
}

/* What knows no domains is not for who is bound to some, whatever his role. */
static void test_unbound(void **state)
{
	static const char *const names[] = { "signin.list", "audit.list", "domain.add",
		"domain.remove", "twofactor.reset", "account.import", "account.role",
		"token.list" };
	static const char *const arguments[] = { "", "", "{\"domain\":\"x.test\"}",
		"{\"domain\":\"two.test\"}", "{\"address\":\"user@two.test\"}", "",
		"{\"address\":\"user@two.test\",\"role\":\"admin\"}", "" };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < GP_ARRAY_LEN(names); i++) {
		for (int role = ROLE_DOMAIN_ADMIN; role <= ROLE_ADMIN; role++) {
			be(fixture, (enum role)role, 0, "two.test");
			assert_int_equal(fixture_op(fixture, names[i], arguments[i]), GP_ERR_ROLE);
		}
	}
}

static void test_role(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_op(fixture, "account.role",
				 "{\"address\":\"user@one.test\",\"role\":\"domain-admin\"}"),
		GP_ERR_SYNTAX);
	assert_int_equal(fixture_op(fixture, "account.role",
				 "{\"address\":\"user@one.test\",\"role\":\"staff\","
				 "\"domains\":[\"one.test\"]}"),
		GP_ERR_SYNTAX);
	assert_int_equal(fixture_op(fixture, "account.role",
				 "{\"address\":\"user@one.test\",\"role\":\"domain-admin\","
				 "\"domains\":[\"none.test\"]}"),
		GP_ERR_NOT_FOUND);
	assert_int_equal(fixture_op(fixture, "account.role",
				 "{\"address\":\"user@one.test\",\"role\":\"core\"}"),
		GP_ERR_SYNTAX);
	assert_int_equal(fixture_op(fixture, "account.role",
				 "{\"address\":\"user@one.test\",\"role\":\"domain-admin\","
				 "\"domains\":[\"two.test\",\"ONE.test\"]}"),
		GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_ROLE);
	assert_int_equal(fixture->account, 1);
	assert_int_equal(
		fixture_op(fixture, "account.show", "{\"address\":\"user@one.test\"}"), GP_OK);
	assert_non_null(strstr(fixture->rows, "\"domains\":[\"one.test\",\"two.test\"]"));
	assert_int_equal(fixture_verify(fixture, PROTOCOL_HTTP, "user@one.test", "correct horse"),
		REASON_OK);
	assert_int_equal(fixture->reply.role, ROLE_DOMAIN_ADMIN);
	assert_int_equal(fixture_op(fixture, "account.role",
				 "{\"address\":\"user@one.test\",\"role\":\"user\"}"),
		GP_OK);
	assert_int_equal(
		fixture_op(fixture, "account.show", "{\"address\":\"user@one.test\"}"), GP_OK);
	assert_non_null(strstr(fixture->rows, "\"domains\":[]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_foreign, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_own, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_rank, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_add, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_alias, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_set, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_unbound, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_role, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
