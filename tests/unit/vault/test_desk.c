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

#define ALICE "{\"address\":\"alice@example.test\""

static void add_alice(struct fixture *fixture)
{
	assert_int_equal(fixture_op(fixture, "account.add",
				 ALICE ",\"password\":\"correct horse\",\"create_domain\":true,"
				       "\"aliases\":[\"post@example.test\"]}"),
		GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_DOMAINS);
}

static void check_row(struct fixture *fixture, const char *part)
{
	if (strstr(fixture->rows, part) == NULL)
		fail_msg("%s is not in %s", part, fixture->rows);
}

static void test_account(void **state)
{
	struct fixture *fixture = *state;

	add_alice(fixture);
	check_row(fixture, "\"id\":1,\"address\":\"alice@example.test\",\"role\":\"user\"");
	check_row(fixture, "\"has_password\":true");
	assert_null(strstr(fixture->rows, "argon2"));
	assert_int_equal(
		fixture_op(fixture, "account.show", "{\"address\":\"POST@Example.Test\"}"), GP_OK);
	check_row(fixture, "\"address\":\"alice@example.test\"");
	check_row(fixture, "\"aliases\":[\"post@example.test\"],\"alias_count\":1,\"devices\":[]");
	assert_int_equal(fixture_op(fixture, "account.show", "{\"address\":\"alice\"}"), GP_OK);
	assert_int_equal(fixture_op(fixture, "account.list", "{\"match\":\"ALI\"}"), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_int_equal(
		fixture_op(fixture, "account.passwd", ALICE ",\"password\":\"other words\"}"),
		GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_PASSWORD);
	assert_int_equal(fixture->account, 1);
	assert_int_equal(
		fixture_op(fixture, "account.block", ALICE ",\"reason\":\"spam\"}"), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_BLOCKED);
	assert_int_equal(fixture_op(fixture, "account.show", ALICE "}"), GP_OK);
	check_row(fixture, "\"block_reason\":\"spam\"");
	assert_int_equal(fixture_op(fixture, "account.unblock", ALICE "}"), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_UNBLOCKED);
	assert_int_equal(fixture_op(fixture, "twofactor.status", ALICE "}"), GP_OK);
	check_row(fixture, "\"on\":false,\"since\":null");
	assert_int_equal(fixture_op(fixture, "account.remove", ALICE "}"), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_REMOVED);
	assert_int_equal(fixture->account, 1);
	assert_int_equal(fixture_op(fixture, "account.show", ALICE "}"), GP_ERR_NOT_FOUND);
	assert_int_equal(fixture->effect, IPC_EFFECT_NONE);
}

static const struct {
	const char *name;
	const char *arguments;
	enum gp_err err;
	const char *why;
} refused[] = {
	{ "account.add", ALICE "}", GP_ERR_EXISTS, "exists already" },
	{ "account.add", "{\"address\":\"post@example.test\"}", GP_ERR_EXISTS, "exists" },
	{ "account.add", "{\"address\":\"x@other.test\"}", GP_ERR_NOT_FOUND, "domain add" },
	{ "account.add", "{\"address\":\"x y@example.test\"}", GP_ERR_SYNTAX, "character" },
	{ "account.add", "{\"address\":\"\\\"x@example.test\"}", GP_ERR_SYNTAX, "character" },
	{ "account.add", "{\"address\":\"a@b@example.test\"}", GP_ERR_SYNTAX, "character" },
	{ "account.add", "{\"address\":\"@example.test\"}", GP_ERR_SYNTAX, "no mail address" },
	{ "account.add", "{\"address\":\"x@a..b\"}", GP_ERR_SYNTAX, "no mail address" },
	{ "account.add", "{\"address\":\"n@example.test\",\"role\":\"king\"}", GP_ERR_SYNTAX,
		"role" },
	{ "account.add", "{\"address\":\"n@example.test\",\"route\":\"none\"}", GP_ERR_NOT_FOUND,
		"route" },
	{ "account.add", "{\"address\":\"n@example.test\",\"aliases\":[\"alice@example.test\"]}",
		GP_ERR_EXISTS, "taken" },
	{ "account.add", "{\"address\":\"n@example.test\",\"aliases\":[\"a@none.test\"]}",
		GP_ERR_NOT_FOUND, "domain" },
	{ "account.add", "{}", GP_ERR_SYNTAX, "address" },
	{ "account.add", "{\"address\":\"n@example.test\",\"colour\":1}", GP_ERR_SYNTAX, "colour" },
	{ "account.passwd", ALICE ",\"password\":\"short\"}", GP_ERR_SYNTAX, "at least 8" },
	/* 7 characters in 14 bytes */
	{ "account.passwd",
		ALICE ",\"password\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		      "\xc3\xa9\xc3\xa9\"}",
		GP_ERR_SYNTAX, "at least 8" },
	{ "account.passwd", ALICE ",\"password\":\"abcdefghijklmnopqrstuvwx\"}", GP_ERR_SYNTAX,
		"device password" },
	{ "account.passwd", ALICE ",\"password\":\"ABCD efgh ijkl mnop qrst 2345\"}", GP_ERR_SYNTAX,
		"device password" },
	{ "account.passwd", ALICE ",\"password\":\"with\\ncontrols\"}", GP_ERR_SYNTAX, "control" },
	{ "account.passwd", "{\"address\":\"no@example.test\",\"password\":\"long enough\"}",
		GP_ERR_NOT_FOUND, "no account" },
	{ "account.block", ALICE ",\"reason\":\"two\\nlines\"}", GP_ERR_SYNTAX, "one line" },
	{ "account.list", "{\"limit\":10001}", GP_ERR_LIMIT, "at most 10000" },
	{ "account.list", "{\"limit\":-1}", GP_ERR_SYNTAX, "negative" },
	{ "domain.add", "{\"domain\":\"example.test\"}", GP_ERR_EXISTS, "exists" },
	{ "domain.add", "{\"domain\":\"no domain\"}", GP_ERR_SYNTAX, "no domain name" },
	{ "domain.add", "{\"domain\":\"a.test\",\"alias_of\":\"b.test\"}", GP_ERR_NOT_FOUND,
		"no domain of its own" },
	{ "domain.remove", "{\"domain\":\"example.test\"}", GP_ERR_BUSY, "still has" },
	{ "domain.remove", "{\"domain\":\"none.test\"}", GP_ERR_NOT_FOUND, "no domain" },
	{ "device.add", ALICE ",\"name\":\" \"}", GP_ERR_SYNTAX, "name" },
	{ "device.add", ALICE ",\"name\":\"x\",\"scopes\":[\"web\"]}", GP_ERR_SYNTAX, "scope" },
	{ "device.revoke", ALICE "}", GP_ERR_SYNTAX, "which device" },
	{ "device.revoke", ALICE ",\"device\":1,\"all\":true}", GP_ERR_SYNTAX, "which device" },
	{ "device.revoke", ALICE ",\"device\":99}", GP_ERR_NOT_FOUND, "no such device" },
	{ "signin.list", "{\"outcome\":\"fine\"}", GP_ERR_SYNTAX, "outcome" },
	{ "signin.list", "{\"since\":\"yesterday\"}", GP_ERR_SYNTAX, "since" },
	{ "signin.list", "{\"session\":\"xyz\"}", GP_ERR_SYNTAX, "session" },
	{ "signin.list", "{\"source\":\"x\"}", GP_ERR_SYNTAX, "source" },
	{ "ban.list", "{}", GP_ERR_UNSUPPORTED, "no such" },
	{ "drop.tables", "{}", GP_ERR_UNSUPPORTED, "no such" },
};

static void test_refused(void **state)
{
	struct fixture *fixture = *state;

	add_alice(fixture);
	for (size_t i = 0; i < GP_ARRAY_LEN(refused); i++) {
		enum gp_err err = fixture_op(fixture, refused[i].name, refused[i].arguments);

		if (err != refused[i].err || strstr(fixture->why, refused[i].why) == NULL)
			fail_msg("%s %s: %s (%s)", refused[i].name, refused[i].arguments,
				gp_err_text(err), fixture->why);
		assert_int_equal(fixture->row_count, 0);
		assert_int_equal(fixture->effect, IPC_EFFECT_NONE);
	}
	/* Nothing half was left behind, and nothing of it is in the audit. */
	assert_int_equal(fixture_op(fixture, "account.list", "{}"), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_int_equal(fixture_op(fixture, "audit.list", "{}"), GP_OK);
	assert_int_equal(fixture->row_count, 1);
}

static void test_device(void **state)
{
	struct fixture *fixture = *state;

	add_alice(fixture);
	assert_int_equal(fixture_op(fixture, "device.add",
				 ALICE ",\"name\":\"phone\",\"scopes\":[\"imap\",\"smtp\"]}"),
		GP_OK);
	check_row(fixture, "\"name\":\"phone\",\"scopes\":[\"imap\",\"smtp\"],\"password\":\"");
	assert_int_equal(fixture->device, 1);
	assert_int_equal(fixture_op(fixture, "device.add", ALICE ",\"name\":\"tab\"}"), GP_OK);
	assert_int_equal(fixture_op(fixture, "device.list", ALICE "}"), GP_OK);
	assert_int_equal(fixture->row_count, 2);
	check_row(fixture, "\"scopes\":[\"imap\",\"pop3\",\"smtp\"]");
	check_row(fixture, "\"used_at\":null,\"used_from\":\"\"");
	assert_null(strstr(fixture->rows, "password"));
	assert_int_equal(fixture_op(fixture, "device.revoke", ALICE ",\"device\":1}"), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_DEVICE);
	assert_int_equal(fixture->device, 1);
	assert_int_equal(fixture_op(fixture, "device.revoke", ALICE ",\"all\":true}"), GP_OK);
	assert_int_equal(fixture->device, 0);
	assert_int_equal(fixture_op(fixture, "device.list", ALICE "}"), GP_OK);
	assert_int_equal(fixture->row_count, 0);
}

/* The largest account there may be still fits into one row. */
static void test_largest(void **state)
{
	struct fixture *fixture = *state;
	char address[STORE_ADDRESS_SIZE];
	char arguments[512];
	char name[STORE_NAME_SIZE * 2];
	char domain[200];

	add_alice(fixture);
	memset(domain, 'd', sizeof domain);
	for (size_t i = 60; i < sizeof domain - 6; i += 61)
		domain[i] = '.';
	memcpy(domain + sizeof domain - 6, ".test", 6);
	(void)snprintf(arguments, sizeof arguments, "{\"domain\":\"%s\"}", domain);
	assert_int_equal(fixture_op(fixture, "domain.add", arguments), GP_OK);
	for (int i = 0; i < STORE_ALIASES_MAX - 1; i++) {
		(void)snprintf(address, sizeof address, "%064d@%s", i, domain);
		assert_int_equal(
			store_alias_add(fixture->vault.store, 1, slice_str(address)), GP_OK);
	}
	for (size_t i = 0; i < STORE_NAME_SIZE - 1; i++)
		memcpy(name + 2 * i, "\\\"", 2);
	name[2 * (STORE_NAME_SIZE - 1)] = '\0';
	(void)snprintf(arguments, sizeof arguments, ALICE ",\"name\":\"%s\"}", name);
	for (int i = 0; i < STORE_DEVICES_MAX; i++)
		assert_int_equal(fixture_op(fixture, "device.add", arguments), GP_OK);
	assert_int_equal(fixture_op(fixture, "device.add", arguments), GP_ERR_LIMIT);
	assert_int_equal(fixture_op(fixture, "account.show", ALICE "}"), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	check_row(fixture, "\"alias_count\":100");
	check_row(fixture, "\"id\":50,");
}

static void test_domain(void **state)
{
	struct fixture *fixture = *state;

	add_alice(fixture);
	assert_int_equal(
		fixture_op(fixture, "domain.add",
			"{\"domain\":\"Mail.Example.Test.\",\"alias_of\":\"example.test\"}"),
		GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_DOMAINS);
	assert_int_equal(fixture_op(fixture, "domain.list", "{}"), GP_OK);
	check_row(fixture, "{\"domain\":\"example.test\",\"alias_of\":null,\"accounts\":1,");
	check_row(fixture, "{\"domain\":\"mail.example.test\",\"alias_of\":\"example.test\"");
	assert_int_equal(
		fixture_op(fixture, "account.show", "{\"address\":\"alice@mail.example.test\"}"),
		GP_OK);
	check_row(fixture, "\"alice@example.test\"");
	assert_int_equal(
		fixture_op(fixture, "account.add", "{\"address\":\"bob@mail.example.test\"}"),
		GP_OK);
	check_row(fixture, "\"bob@example.test\"");
	assert_int_equal(
		fixture_op(fixture, "domain.remove", "{\"domain\":\"mail.example.test\"}"), GP_OK);
}

static void test_audit(void **state)
{
	struct fixture *fixture = *state;

	add_alice(fixture);
	assert_int_equal(
		fixture_op(fixture, "account.passwd",
			"{\"address\":\"post@example.test\",\"password\":\"my secret words\"}"),
		GP_OK);
	assert_int_equal(fixture_op(fixture, "audit.list", ALICE "}"), GP_ERR_SYNTAX);
	assert_int_equal(
		fixture_op(fixture, "audit.list", "{\"account\":\"alice@example.test\"}"), GP_OK);
	assert_int_equal(fixture->row_count, 2);
	check_row(fixture, "\"actor\":\"tester\",\"operation\":\"account.passwd\","
			   "\"account\":\"alice@example.test\"");
	check_row(fixture, "\"detail\":{\"address\":\"post@example.test\"}");
	assert_null(strstr(fixture->rows, "secret"));
	assert_null(strstr(fixture->rows, "horse"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_account),
		TEST(test_refused),
		TEST(test_device),
		TEST(test_largest),
		TEST(test_domain),
		TEST(test_audit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
