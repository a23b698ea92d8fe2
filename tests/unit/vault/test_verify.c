/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/encode.h"
#include "vault_fixture.h"

#define ALICE "alice@example.test"

static void add_alice(struct fixture *fixture)
{
	assert_int_equal(fixture_op(fixture, "account.add",
				 "{\"address\":\"" ALICE "\",\"password\":\"correct horse\","
				 "\"create_domain\":true,\"route\":\"example.test\"}"),
		GP_OK);
}

static void add_device(struct fixture *fixture, const char *scopes, char password[static 512])
{
	char arguments[256] = "{\"address\":\"" ALICE "\",\"name\":\"phone\",\"scopes\":";

	(void)strncat(arguments, scopes, 100);
	(void)strncat(arguments, "}", 2);
	assert_int_equal(fixture_op(fixture, "device.add", arguments), GP_OK);
	(void)fixture_value(fixture, "password", password);
}

/* Nothing but the reason is told about who was not let in. */
static void check_refused(struct fixture *fixture)
{
	assert_string_equal(fixture->token, "");
	assert_string_equal(fixture->address, "");
	assert_false(fixture->reply.is_blocked);
	assert_true(fixture->reply.compared);
}

static void test_main(void **state)
{
	struct fixture *fixture = *state;

	add_alice(fixture);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "correct horse"), REASON_OK);
	assert_true(fixture->reply.compared);
	assert_int_equal(fixture->reply.device, 0);
	assert_string_equal(fixture->address, ALICE);
	assert_string_equal(fixture->route_name, "example.test");
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "Correct horse"),
		REASON_WRONG_PASSWORD);
	check_refused(fixture);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, ""), REASON_WRONG_PASSWORD);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "bob@example.test", "x"),
		REASON_UNKNOWN_ACCOUNT);
	check_refused(fixture);
	assert_int_equal(fixture->reply.account, 0);
	assert_int_equal(
		fixture_op(fixture, "account.add", "{\"address\":\"empty@example.test\"}"), GP_OK);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "empty@example.test", ""),
		REASON_NO_PASSWORD);
	check_refused(fixture);
}

static void test_token(void **state)
{
	struct fixture *fixture = *state;
	struct buf claims;
	struct slice token;
	ptrdiff_t dot;

	add_alice(fixture);
	clock_fake(1700000000, 0);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_POP3, ALICE, "correct horse"), REASON_OK);
	token = slice_str(fixture->token);
	dot = slice_find(token, '.');
	assert_true(dot > 0);
	token = slice_from(token, (size_t)dot + 1);
	buf_init(&claims, 1024);
	assert_int_equal(
		decode_base64url(slice_head(token, (size_t)slice_find(token, '.')), &claims),
		GP_OK);
	assert_true(slice_is(buf_slice(&claims),
		"{\"iss\":\"mail.example.test\",\"sub\":\"alice@example.test\","
		"\"sid\":\"0000000000001234\",\"iat\":1699999995,\"nbf\":1699999995,"
		"\"exp\":1700000030}"));
	buf_fini(&claims);
	secret_free(&fixture->vault.token_key);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_POP3, ALICE, "correct horse"), REASON_OK);
	assert_string_equal(fixture->token, "");
}

static void test_device(void **state)
{
	struct fixture *fixture = *state;
	char password[512];
	char upper[512];

	add_alice(fixture);
	add_device(fixture, "[\"imap\",\"smtp\"]", password);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, password), REASON_OK);
	assert_true(fixture->reply.device != 0);
	assert_true(fixture->token[0] != '\0');
	for (size_t i = 0; i <= strlen(password); i++)
		upper[i] = password[i] == '-' ? ' ' : (char)(password[i] & ~0x20);
	for (size_t i = 0; i < strlen(password); i++) {
		if (password[i] >= '2' && password[i] <= '7')
			upper[i] = password[i];
		if (password[i] == '-')
			upper[i] = ' ';
	}
	assert_int_equal(fixture_verify(fixture, PROTOCOL_SMTP, ALICE, upper), REASON_OK);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_POP3, ALICE, password), REASON_DEVICE_SCOPE);
	check_refused(fixture);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_HTTP, ALICE, password), REASON_DEVICE_SCOPE);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "bob@example.test", password),
		REASON_UNKNOWN_ACCOUNT);
	check_refused(fixture);
	password[0] = password[0] == 'a' ? 'b' : 'a';
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, ALICE, password), REASON_WRONG_DEVICE);
	check_refused(fixture);
	assert_int_equal(
		fixture_op(fixture, "device.revoke", "{\"address\":\"" ALICE "\",\"all\":true}"),
		GP_OK);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_SMTP, ALICE, upper), REASON_WRONG_DEVICE);
}

/* With 2FA on, the main password opens the portal and nothing else. */
static void test_twofactor(void **state)
{
	struct fixture *fixture = *state;
	char password[512];

	add_alice(fixture);
	add_device(fixture, "[]", password);
	assert_int_equal(store_account_set_twofactor(fixture->vault.store, 1, 5), GP_OK);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "correct horse"), REASON_TWOFACTOR);
	check_refused(fixture);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "wrong horse"),
		REASON_WRONG_PASSWORD);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_HTTP, ALICE, "correct horse"), REASON_OK);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, password), REASON_OK);
	assert_int_equal(
		fixture_op(fixture, "twofactor.reset", "{\"address\":\"" ALICE "\"}"), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_TWOFACTOR);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "correct horse"), REASON_OK);
}

static void add_imported(struct fixture *fixture, const char *hash, bool is_off)
{
	struct store_account account = {
		.address = "old@example.test", .role = "user", .is_off = is_off
	};
	uint64_t id = 0;

	assert_true(slice_copy(slice_str(hash), account.password, sizeof account.password));
	assert_int_equal(store_account_add(fixture->vault.store, &account, 7, &id), GP_OK);
}

static void test_rehash(void **state)
{
	static const char old[] = "{SSHA}uraO+FZEfhly83OkkI1bROMCEYI7sUNo";
	static const char secret[] = "correct horse \xc3\xa9";
	struct fixture *fixture = *state;
	struct store_account account;

	add_alice(fixture);
	add_imported(fixture, old, false);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "old@example.test", "wrong"),
		REASON_WRONG_PASSWORD);
	assert_int_equal(
		store_account_find(fixture->vault.store, SLICE_LIT("old@example.test"), &account),
		GP_OK);
	assert_string_equal(account.password, old);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "old@example.test", secret), REASON_OK);
	assert_int_equal(
		store_account_find(fixture->vault.store, SLICE_LIT("old@example.test"), &account),
		GP_OK);
	assert_int_equal(strncmp(account.password, "$argon2id$", 10), 0);
	assert_int_equal(account.password_at, 7); /* the password is as old as it was */
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "old@example.test", secret), REASON_OK);
}

static void test_off(void **state)
{
	struct fixture *fixture = *state;

	add_alice(fixture);
	add_imported(fixture, "{SSHA}uraO+FZEfhly83OkkI1bROMCEYI7sUNo", true);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "old@example.test", "wrong"),
		REASON_WRONG_PASSWORD);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "old@example.test",
				 "correct horse \xc3\xa9"),
		REASON_ACCOUNT_OFF);
	check_refused(fixture);
	assert_int_equal(
		fixture_op(fixture, "account.passwd",
			"{\"address\":\"old@example.test\",\"password\":\"fresh password\"}"),
		GP_OK);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "old@example.test", "fresh password"),
		REASON_OK);
}

static void test_blocked(void **state)
{
	struct fixture *fixture = *state;

	add_alice(fixture);
	assert_int_equal(fixture_op(fixture, "account.block",
				 "{\"address\":\"" ALICE "\",\"reason\":\"spam\"}"),
		GP_OK);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "correct horse"), REASON_OK);
	assert_true(fixture->reply.is_blocked);
	assert_int_equal(
		fixture_op(fixture, "account.unblock", "{\"address\":\"" ALICE "\"}"), GP_OK);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "correct horse"), REASON_OK);
	assert_false(fixture->reply.is_blocked);
}

/* Core wants no guess: not even the right secret is told from a wrong one. */
static void test_unchecked(void **state)
{
	struct fixture *fixture = *state;
	static const char *const secrets[] = { "correct horse", "wrong horse", "" };

	add_alice(fixture);
	fixture->is_unchecked = true;
	for (size_t i = 0; i < GP_ARRAY_LEN(secrets); i++) {
		assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, secrets[i]),
			REASON_UNCHECKED);
		assert_false(fixture->reply.compared);
		assert_string_equal(fixture->token, "");
	}
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "bob@example.test", "x"),
		REASON_UNKNOWN_ACCOUNT);
	assert_false(fixture->reply.compared);
	/* An old hash is neither read nor made new. */
	add_imported(fixture, "{NONSENSE}x", false);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "old@example.test", "x"), REASON_UNCHECKED);
	fixture->is_unchecked = false;
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, "correct horse"), REASON_OK);
}

static void look_up(struct fixture *fixture, const char *login, int64_t since)
{
	struct ipc_message message = { .type = IPC_LOOKUP,
		.lookup = { .request = 77,
			.login = slice_str(login),
			.source = { IP_V4, { 192, 0, 2, 1 } },
			.since = since } };

	fixture_send(fixture, &message, -1);
	assert_int_equal(fixture->lookup.request, 77);
	assert_int_equal(fixture->lookup.reason, REASON_OK);
}

/* Whose name it is, by whatever name; and whether the source is known, which only a good sign-in
 * makes it. */
static void test_lookup(void **state)
{
	struct fixture *fixture = *state;
	struct ipc_message event = { .type = IPC_EVENT,
		.event = { .at = 1000000,
			.client = { IP_V4, { 192, 0, 2, 1 } },
			.verdict = VERDICT_DENY,
			.reason = REASON_WRONG_PASSWORD,
			.account = 1,
			.login = SLICE_LIT("alice") } };

	add_alice(fixture);
	fixture_post(fixture, &event);
	look_up(fixture, ALICE, 0);
	assert_int_equal(fixture->lookup.account, 1);
	assert_false(fixture->lookup.is_known);
	event.event.verdict = VERDICT_OK;
	event.event.reason = REASON_OK;
	fixture_post(fixture, &event);
	look_up(fixture, ALICE, 1000000);
	assert_true(fixture->lookup.is_known);
	look_up(fixture, "alice+news@example.test", 1000000);
	assert_int_equal(fixture->lookup.account, 1);
	assert_true(fixture->lookup.is_known);
	look_up(fixture, ALICE, 1000001 + STORE_KNOWN_STEP);
	assert_false(fixture->lookup.is_known);
	look_up(fixture, "bob@example.test", 0);
	assert_int_equal(fixture->lookup.account, 0);
	assert_false(fixture->lookup.is_known);
	look_up(fixture, "", 0);
	assert_int_equal(fixture->lookup.account, 0);
}

/* Our fault is never a wrong password. */
static void test_fault(void **state)
{
	struct fixture *fixture = *state;

	add_alice(fixture);
	add_imported(fixture, "{NONSENSE}x", false);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "old@example.test", "x"), REASON_STORE);
	assert_false(fixture->reply.compared);
	assert_int_equal(store_account_set_password(fixture->vault.store, 1, "", 1), GP_OK);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, ALICE, ""), REASON_NO_PASSWORD);
}

static void post_verify(struct fixture *fixture, const char *secret)
{
	struct ipc_message message = { .type = IPC_VERIFY,
		.verify = { .request = 1,
			.protocol = PROTOCOL_IMAP,
			.login = SLICE_LIT(ALICE),
			.secret = slice_str(secret) } };

	fixture_post(fixture, &message);
}

/* The fast lane looks once for what came together, and anew for what came later: a device password
 * that was revoked in between by another process is good no more. */
static void test_one_look(void **state)
{
	struct fixture *fixture = *state;
	struct store *desk = NULL;
	struct gp_why why;
	char password[512];

	add_alice(fixture);
	add_device(fixture, "[\"imap\"]", password);
	assert_int_equal(store_open(fixture->path, &desk, &why), GP_OK);
	fixture->vault.lane = IPC_LANE_FAST;
	chan_gather(fixture->core, NULL);
	fixture->kept_open = 0;
	for (int n = 0; n < 3; n++)
		post_verify(fixture, password);
	fixture_run(fixture);
	assert_int_equal(fixture->reply.reason, REASON_OK);
	assert_int_equal(fixture->kept_open, 2);
	assert_false(store_is_in_transaction(fixture->vault.store));
	assert_int_equal(store_device_remove(desk, 1, 0), GP_OK);
	post_verify(fixture, password);
	fixture_run(fixture);
	assert_int_equal(fixture->reply.reason, REASON_WRONG_DEVICE);
	assert_int_equal(fixture->kept_open, 2);
	store_close(&desk);
}

/* A core that goes in the middle of a packet takes the look with it. */
static void test_look_without_core(void **state)
{
	struct fixture *fixture = *state;

	fixture->vault.lane = IPC_LANE_FAST;
	assert_int_equal(store_begin_reading(fixture->vault.store), GP_OK);
	vault_on_core_gone(&fixture->vault);
	assert_false(store_is_in_transaction(fixture->vault.store));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_main), TEST(test_device), TEST(test_twofactor), TEST(test_rehash),
		TEST(test_off), TEST(test_blocked), TEST(test_unchecked), TEST(test_lookup),
		TEST(test_fault), TEST(test_one_look), TEST(test_look_without_core),
		TEST(test_token), /* last: it stops the clock */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
