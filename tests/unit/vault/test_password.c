/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "crypt/seal.h"
#include "store/store_recovery.h"
#include "vault_fixture.h"

#define ALICE "{\"address\":\"alice@example.test\""

enum {
	NOW = 1800000000,
	DAY = 24 * 60 * 60,
};

static int setup(void **state)
{
	struct fixture *fixture;

	clock_fake(NOW, 1000);
	assert_int_equal(fixture_setup(state), 0);
	fixture = *state;
	assert_int_equal(fixture_op(fixture, "account.add",
				 ALICE ",\"password\":\"correct horse\",\"create_domain\":true}"),
		GP_OK);
	return 0;
}

static enum gp_err as(struct fixture *fixture, enum role role, uint64_t asker, const char *name,
	const char *arguments)
{
	enum gp_err err;

	fixture->role = role;
	fixture->asker = asker;
	err = fixture_op(fixture, name, arguments);
	fixture->role = ROLE_ADMIN;
	fixture->asker = 0;
	return err;
}

static enum gp_err as_alice(struct fixture *fixture, const char *name, const char *arguments)
{
	return as(fixture, ROLE_USER, 1, name, arguments);
}

static enum reason sign_in(struct fixture *fixture, const char *password)
{
	return fixture_verify(fixture, PROTOCOL_IMAP, "alice@example.test", password);
}

/* What the newest letter of a kind says for a name, and to whom it goes. */
struct letter {
	const struct fixture *fixture;
	const char *kind;
	const char *name;
	char value[128];
	char recipient[STORE_ADDRESS_SIZE];
	unsigned count;
};

static enum gp_err read_letter(const struct store_outbox *row, void *arg)
{
	struct letter *letter = arg;
	struct buf plain;
	json_t *values;
	const char *value;

	if (strcmp(row->kind, letter->kind) != 0)
		return GP_OK;
	/* Nothing can be read of it without the key. */
	assert_null(memmem(row->content.data, row->content.len, "example.test", 12));
	buf_init_secret(&plain, STORE_OUTBOX_CONTENT_MAX);
	assert_int_equal(seal_open(secret_slice(letter->fixture->vault.seal_key), "notice",
				 row->account, row->content, &plain),
		GP_OK);
	values = json_loadb(buf_slice(&plain).data, plain.len, 0, NULL);
	value = json_string_value(json_object_get(values, letter->name));
	assert_non_null(value);
	assert_true(slice_copy(slice_str(value), letter->value, sizeof letter->value));
	memcpy(letter->recipient, row->recipient, sizeof letter->recipient);
	letter->count++;
	json_decref(values);
	buf_fini(&plain);
	return GP_OK;
}

static struct letter find_letter(const struct fixture *fixture, const char *kind, const char *name)
{
	struct letter letter = { .fixture = fixture, .kind = kind, .name = name };

	assert_int_equal(store_outbox_each_due(
				 fixture->vault.store, NOW + 30 * DAY, 1000, read_letter, &letter),
		GP_OK);
	return letter;
}

static void test_change(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_op(fixture, "device.add", ALICE ",\"name\":\"phone\"}"), GP_OK);
	assert_int_equal(as_alice(fixture, "self.password",
				 "{\"old\":\"wrong horse\",\"new\":\"walrus and tea\"}"),
		GP_ERR_DENIED);
	assert_int_equal(as_alice(fixture, "self.password",
				 "{\"old\":\"correct horse\",\"new\":\"walrus and tea\"}"),
		GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_PASSWORD);
	assert_int_equal(fixture->account, 1);
	assert_int_equal(sign_in(fixture, "walrus and tea"), REASON_OK);
	assert_int_equal(sign_in(fixture, "correct horse"), REASON_WRONG_PASSWORD);
	assert_int_equal(as_alice(fixture, "self.device_list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_int_equal(as_alice(fixture, "self.password",
				 "{\"old\":\"walrus and tea\",\"new\":\"wombat or coffee\","
				 "\"end_devices\":true}"),
		GP_OK);
	assert_int_equal(as_alice(fixture, "self.device_list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 0);
	/* Without any to end it works as well. */
	assert_int_equal(as_alice(fixture, "self.password",
				 "{\"old\":\"wombat or coffee\",\"new\":\"walrus and tea\","
				 "\"end_devices\":true}"),
		GP_OK);
	assert_int_equal(find_letter(fixture, "password_changed", "account").count, 3);
	assert_int_equal(fixture_op(fixture, "audit.list", "{\"limit\":3}"), GP_OK);
	assert_null(strstr(fixture->rows, "walrus"));
	assert_non_null(strstr(fixture->rows, "self.password"));
}

static void test_unfit(void **state)
{
	static const struct {
		const char *password;
		const char *why;
		const char *fault;
	} cases[] = {
		{ "correct horse", "already", "password_same" },
		{ "short", "at least 8", "password_short" },
		{ "Password123", "many people", "password_common" },
		{ "alice@example.test", "the address", "password_address" },
		{ "121212121212", "too easy", "password_simple" },
		{ "with\\u0001control", "control", "password_controls" },
		{ "abcd-efgh-ijkl-mnop-qrst-uvwx", "device password", "password_device" },
		{ "with\\u0000nul byte", NULL, "" },
	};
	struct fixture *fixture = *state;
	char longest[1025 + 1];
	char arguments[1200];

	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		(void)snprintf(arguments, sizeof arguments,
			"{\"old\":\"correct horse\",\"new\":\"%s\"}", cases[i].password);
		assert_int_equal(as_alice(fixture, "self.password", arguments), GP_ERR_SYNTAX);
		if (cases[i].why != NULL && strstr(fixture->why, cases[i].why) == NULL)
			fail_msg("%s: %s", cases[i].password, fixture->why);
		assert_string_equal(fixture->fault, cases[i].fault);
		/* Whoever does not know the old one learns nothing of it by the new one. */
		(void)snprintf(arguments, sizeof arguments,
			"{\"old\":\"wrong horse\",\"new\":\"%s\"}", cases[i].password);
		assert_int_equal(as_alice(fixture, "self.password", arguments),
			cases[i].why == NULL ? GP_ERR_SYNTAX : GP_ERR_DENIED);
		assert_string_equal(fixture->fault, "");
	}
	/* Never cut: 1024 bytes are one password, and one byte less another. */
	for (size_t i = 0; i < sizeof longest - 1; i++)
		longest[i] = (char)('a' + i * i % 26);
	longest[1025] = '\0';
	(void)snprintf(
		arguments, sizeof arguments, "{\"old\":\"correct horse\",\"new\":\"%s\"}", longest);
	assert_int_equal(as_alice(fixture, "self.password", arguments), GP_ERR_LIMIT);
	assert_string_equal(fixture->fault, "password_long");
	longest[1024] = '\0';
	(void)snprintf(
		arguments, sizeof arguments, "{\"old\":\"correct horse\",\"new\":\"%s\"}", longest);
	assert_int_equal(as_alice(fixture, "self.password", arguments), GP_OK);
	assert_int_equal(sign_in(fixture, longest), REASON_OK);
	longest[1023] = '\0';
	assert_int_equal(sign_in(fixture, longest), REASON_WRONG_PASSWORD);
}

static void test_devices(void **state)
{
	struct fixture *fixture = *state;
	char password[512];

	assert_int_equal(
		as_alice(fixture, "self.device_add", "{\"name\":\"phone\",\"scopes\":[\"imap\"]}"),
		GP_OK);
	(void)fixture_value(fixture, "password", password);
	assert_int_equal(sign_in(fixture, password), REASON_OK);
	assert_int_equal(fixture_op(fixture, "account.add", "{\"address\":\"bob\"}"), GP_OK);
	assert_int_equal(as(fixture, ROLE_USER, 2, "self.device_add", "{\"name\":\"tab\"}"), GP_OK);
	/* Somebody else's is not there. */
	assert_int_equal(
		as_alice(fixture, "self.device_revoke", "{\"device\":2}"), GP_ERR_NOT_FOUND);
	assert_int_equal(as_alice(fixture, "self.device_list", ""), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_non_null(strstr(fixture->rows, "\"used_service\":\"\",\"used_client\":\"\""));
	assert_int_equal(as_alice(fixture, "self.device_revoke", "{\"device\":1}"), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_DEVICE);
	assert_int_equal(fixture->device, 1);
	assert_int_equal(sign_in(fixture, password), REASON_WRONG_DEVICE);
	assert_string_equal(find_letter(fixture, "device_added", "name").value, "tab");
	assert_int_equal(fixture_op(fixture, "self.device_list", ""), GP_ERR_SIGNIN);
	assert_int_equal(
		as(fixture, ROLE_RECOVERY, 1, "self.device_add", "{\"name\":\"x\"}"), GP_ERR_ROLE);
}

/* ---- the recovery address ---- */

static enum gp_err set_address(struct fixture *fixture, const char *address)
{
	char arguments[256];

	(void)snprintf(arguments, sizeof arguments,
		"{\"password\":\"correct horse\",\"address\":\"%s\"}", address);
	return as_alice(fixture, "self.recovery_address", arguments);
}

static enum gp_err confirm(struct fixture *fixture, const char *code)
{
	char arguments[256];

	(void)snprintf(arguments, sizeof arguments, "{\"code\":\"%s\"}", code);
	return as_alice(fixture, "self.recovery_address_confirm", arguments);
}

static void test_address(void **state)
{
	static const char *const bad[] = { "no address", "alice@example.test", "Alice@Example.Test",
		"alice+x@example.test", "a b@other.test", "@other.test", "x@a..b" };
	struct fixture *fixture = *state;
	struct letter letter;

	for (size_t i = 0; i < GP_ARRAY_LEN(bad); i++)
		assert_int_equal(set_address(fixture, bad[i]), GP_ERR_SYNTAX);
	assert_int_equal(as_alice(fixture, "self.recovery_address",
				 "{\"password\":\"wrong horse\",\"address\":\"a@other.test\"}"),
		GP_ERR_DENIED);
	assert_int_equal(set_address(fixture, " A.Miller@Other.test "), GP_OK);
	letter = find_letter(fixture, "recovery_address", "code");
	assert_string_equal(letter.recipient, "a.miller@other.test");
	assert_int_equal(as_alice(fixture, "self.show", ""), GP_OK);
	assert_non_null(strstr(fixture->rows, "\"recovery_address\":\"\""));
	assert_int_equal(confirm(fixture, "aaaa-bbbb-cccc"), GP_ERR_DENIED);
	clock_fake(NOW + DAY + 1, 1000);
	assert_int_equal(confirm(fixture, letter.value), GP_ERR_DENIED);
	clock_fake(NOW + DAY, 1000);
	assert_int_equal(confirm(fixture, letter.value), GP_OK);
	assert_int_equal(confirm(fixture, letter.value), GP_ERR_DENIED);
	assert_int_equal(as_alice(fixture, "self.show", ""), GP_OK);
	assert_non_null(strstr(fixture->rows, "\"recovery_address\":\"a.miller@other.test\""));
	/* Letters go to both from now on. */
	assert_int_equal(as_alice(fixture, "self.device_add", "{\"name\":\"tab\"}"), GP_OK);
	letter = find_letter(fixture, "device_added", "name");
	assert_int_equal(letter.count, 2);
	assert_string_equal(letter.recipient, "a.miller@other.test");
	assert_int_equal(set_address(fixture, ""), GP_OK);
	assert_int_equal(as_alice(fixture, "self.show", ""), GP_OK);
	assert_non_null(strstr(fixture->rows, "\"recovery_address\":\"\""));
}

static void test_link(void **state)
{
	struct fixture *fixture = *state;
	char show[256];
	char use[256];
	struct letter letter;

	assert_int_equal(fixture_op(fixture, "account.reset_link", ALICE "}"), GP_ERR_NOT_FOUND);
	assert_int_equal(set_address(fixture, "a@other.test"), GP_OK);
	assert_int_equal(fixture_op(fixture, "account.reset_link", ALICE "}"), GP_ERR_NOT_FOUND);
	letter = find_letter(fixture, "recovery_address", "code");
	assert_int_equal(confirm(fixture, letter.value), GP_OK);
	assert_int_equal(as(fixture, ROLE_STAFF, 9, "account.reset_link", ALICE "}"), GP_OK);
	assert_int_equal(fixture->row_count, 0);
	letter = find_letter(fixture, "reset_link", "token");
	assert_int_equal(letter.count, 1);
	assert_string_equal(letter.recipient, "a@other.test");
	(void)snprintf(show, sizeof show, "{\"token\":\"%s\"}", letter.value);
	(void)snprintf(use, sizeof use, "{\"token\":\"%s\",\"password\":\"walrus and tea\"}",
		letter.value);
	assert_int_equal(as(fixture, ROLE_GUEST, 0, "reset.show", show), GP_OK);
	assert_non_null(strstr(fixture->rows, "\"alice@example.test\""));
	assert_int_equal(
		as(fixture, ROLE_GUEST, 0, "reset.show", "{\"token\":\"x\"}"), GP_ERR_DENIED);
	show[strlen(show) - 5] ^= 1;
	assert_int_equal(as(fixture, ROLE_GUEST, 0, "reset.show", show), GP_ERR_DENIED);
	/* A password that will not do does not use it up. */
	(void)snprintf(
		show, sizeof show, "{\"token\":\"%s\",\"password\":\"short\"}", letter.value);
	assert_int_equal(as(fixture, ROLE_GUEST, 0, "reset.use", show), GP_ERR_SYNTAX);
	assert_int_equal(as(fixture, ROLE_GUEST, 0, "reset.use", use), GP_OK);
	assert_int_equal(fixture->effect, IPC_EFFECT_PASSWORD);
	assert_int_equal(fixture->account, 1);
	assert_int_equal(sign_in(fixture, "walrus and tea"), REASON_OK);
	assert_int_equal(as(fixture, ROLE_GUEST, 0, "reset.use", use), GP_ERR_NOT_FOUND);
	assert_int_equal(find_letter(fixture, "password_changed", "account").count, 2);
	assert_int_equal(fixture_op(fixture, "audit.list", "{\"limit\":10}"), GP_OK);
	assert_null(strstr(fixture->rows, letter.value));
}

static void test_link_ends(void **state)
{
	struct fixture *fixture = *state;
	char use[256];
	struct letter letter;

	assert_int_equal(set_address(fixture, "a@other.test"), GP_OK);
	letter = find_letter(fixture, "recovery_address", "code");
	assert_int_equal(confirm(fixture, letter.value), GP_OK);
	assert_int_equal(fixture_op(fixture, "account.reset_link", ALICE "}"), GP_OK);
	letter = find_letter(fixture, "reset_link", "token");
	(void)snprintf(use, sizeof use, "{\"token\":\"%s\",\"password\":\"walrus and tea\"}",
		letter.value);
	clock_fake(NOW + DAY, 1000);
	assert_int_equal(as(fixture, ROLE_GUEST, 0, "reset.use", use), GP_ERR_NOT_FOUND);
	clock_fake(NOW + DAY - 1, 1000);
	/* Changed meanwhile by the owner: the link is of no use any more. */
	assert_int_equal(as_alice(fixture, "self.password",
				 "{\"old\":\"correct horse\",\"new\":\"wombat or coffee\"}"),
		GP_OK);
	assert_int_equal(as(fixture, ROLE_GUEST, 0, "reset.use", use), GP_ERR_NOT_FOUND);
	assert_int_equal(sign_in(fixture, "wombat or coffee"), REASON_OK);
}

static void test_language(void **state)
{
	static const char *const bad[] = { "", "e", "1e", "de-", "d-e", "de_DE", "de DE",
		"a-language-of-many-words" };
	struct fixture *fixture = *state;
	char arguments[64];

	for (size_t i = 0; i < GP_ARRAY_LEN(bad); i++) {
		(void)snprintf(arguments, sizeof arguments, "{\"language\":\"%s\"}", bad[i]);
		assert_int_equal(as_alice(fixture, "self.language", arguments), GP_ERR_SYNTAX);
	}
	assert_int_equal(as_alice(fixture, "self.language", "{\"language\":\"de-AT\"}"), GP_OK);
	assert_int_equal(as_alice(fixture, "self.show", ""), GP_OK);
	assert_non_null(strstr(fixture->rows, "\"language\":\"de-AT\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_change, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_unfit, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_devices, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_address, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_link, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_link_ends, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_language, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
