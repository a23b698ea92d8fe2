/* SPDX-License-Identifier: ISC */
/* The way back into an account: who may change its recovery address, who hears of it, and what
 * counts meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "alice.h"
#include "base/check.h"
#include "base/clock.h"
#include "crypt/seal.h"
#include "store/store_recovery.h"
#include "vault/recovery.h"

#define HELPER "helper@else.test"
#define OTHER  "thief@bad.test"

/* ---- letters ---- */

struct letters {
	const struct fixture *fixture;
	const char *kind;
	char to[512]; /* recipients, a space behind each, in the order they are due */
	uint64_t newest;
	json_t *values; /* of that one */
};

static enum gp_err read_letter(const struct store_outbox *row, void *arg)
{
	struct letters *letters = arg;
	size_t len = strlen(letters->to);
	struct buf plain;

	if (strcmp(row->kind, letters->kind) != 0)
		return GP_OK;
	(void)snprintf(letters->to + len, sizeof letters->to - len, "%s ", row->recipient);
	if (row->id < letters->newest)
		return GP_OK;
	letters->newest = row->id;
	buf_init_secret(&plain, STORE_OUTBOX_CONTENT_MAX);
	assert_int_equal(seal_open(secret_slice(letters->fixture->vault.seal_key), "notice",
				 row->account, row->content, &plain),
		GP_OK);
	json_decref(letters->values);
	letters->values = json_loadb(buf_slice(&plain).data, plain.len, 0, NULL);
	buf_fini(&plain);
	return GP_OK;
}

static struct letters find_letters(const struct fixture *fixture, const char *kind)
{
	struct letters letters = { .fixture = fixture, .kind = kind };

	assert_int_equal(store_outbox_each_due(
				 fixture->vault.store, NOW + 60 * DAY, 1000, read_letter, &letters),
		GP_OK);
	return letters;
}

/* In whatever order. */
static void check_letters(const struct fixture *fixture, const char *kind, const char *to)
{
	struct letters letters = find_letters(fixture, kind);
	struct slice rest = slice_str(to);
	struct slice word;

	json_decref(letters.values);
	if (strlen(letters.to) != strlen(to))
		fail_msg("%s: to %s, not %s", kind, letters.to, to);
	while ((word = slice_word(&rest)).len > 0) {
		if (memmem(letters.to, strlen(letters.to), word.data, word.len) == NULL)
			fail_msg("%s: to %s, not %s", kind, letters.to, to);
	}
}

static void check_value(
	const struct fixture *fixture, const char *kind, const char *name, const char *value)
{
	struct letters letters = find_letters(fixture, kind);

	assert_string_equal(json_string_value(json_object_get(letters.values, name)), value);
	json_decref(letters.values);
}

static void take_value(
	const struct fixture *fixture, const char *kind, const char *name, char out[static 128])
{
	struct letters letters = find_letters(fixture, kind);
	const char *value = json_string_value(json_object_get(letters.values, name));

	assert_non_null(value);
	assert_true(slice_copy(slice_str(value), out, 128));
	json_decref(letters.values);
}

/* ---- doing things ---- */

static enum gp_err ask(struct fixture *fixture, const char *address, const char *code)
{
	char arguments[256];

	(void)snprintf(arguments, sizeof arguments,
		"{\"password\":\"%s\",\"address\":\"%s\"%s%s%s}", alice.password, address,
		code[0] != '\0' ? ",\"code\":\"" : "", code, code[0] != '\0' ? "\"" : "");
	return alice_as(fixture, OWNER, CAFE, "self.recovery_address", arguments);
}

static enum gp_err confirm(struct fixture *fixture)
{
	char arguments[256];
	char code[128];

	take_value(fixture, "recovery_address", "code", code);
	(void)snprintf(arguments, sizeof arguments, "{\"code\":\"%s\"}", code);
	return alice_as(fixture, OWNER, CAFE, "self.recovery_address_confirm", arguments);
}

/* With 2FA off: whoever has the password can. */
static int setup(void **state)
{
	struct fixture *fixture;

	assert_int_equal(alice_setup(state), 0);
	fixture = *state;
	fixture->reader = NULL;
	assert_int_equal(store_twofactor_off(fixture->vault.store, 1), GP_OK);
	return 0;
}

static void send_link(struct fixture *fixture)
{
	assert_int_equal(
		fixture_op(fixture, "account.reset_link", "{\"address\":\"alice@example.test\"}"),
		GP_OK);
}

static enum gp_err use_link(struct fixture *fixture)
{
	char arguments[256];
	char token[128];

	take_value(fixture, "reset_link", "token", token);
	(void)snprintf(arguments, sizeof arguments,
		"{\"token\":\"%s\",\"password\":\"walrus and tea\"}", token);
	return alice_as_guest(fixture, "reset.use", arguments);
}

/* ---- tests ---- */

/* Nothing is in force before the code came; then the old address hears of it at once. */
static void test_change_is_told(void **state)
{
	struct fixture *fixture = *state;
	char until[CLOCK_TEXT_SIZE];

	assert_int_equal(ask(fixture, OTHER, ""), GP_OK);
	check_letters(fixture, "recovery_address", OTHER " ");
	check_letters(fixture, "recovery_changed", "");
	assert_int_equal(confirm(fixture), GP_OK);
	check_letters(fixture, "recovery_changed", "alice@example.test " HELPER " ");
	check_value(fixture, "recovery_changed", "account", "alice@example.test");
	check_value(fixture, "recovery_changed", "address", "t***@bad.test");
	check_value(fixture, "recovery_changed", "former", "h***@else.test");
	check_value(fixture, "recovery_changed", "source", CAFE);
	clock_format(NOW + STORE_RECOVERY_HOLD, until);
	check_value(fixture, "recovery_changed", "until", until);
	assert_int_equal(alice_as(fixture, OWNER, HOME, "self.show", ""), GP_OK);
	alice_check_row(fixture, "\"recovery_address\":\"" OTHER "\"");
	alice_check_row(fixture, "\"recovery_address_former\":\"" HELPER "\"");
	alice_check_row(fixture, until);
	/* What else is done to the account is told there, too. */
	assert_int_equal(
		alice_as(fixture, OWNER, CAFE, "self.device_add", "{\"name\":\"tab\"}"), GP_OK);
	check_letters(fixture, "device_added", "alice@example.test " OTHER " " HELPER " ");
	/* A change that changes nothing is none. */
	assert_int_equal(ask(fixture, OTHER, ""), GP_OK);
	assert_int_equal(confirm(fixture), GP_OK);
	check_letters(fixture, "recovery_changed", "alice@example.test " HELPER " ");
}

static void test_removal_is_told(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(ask(fixture, "", ""), GP_OK);
	check_letters(fixture, "recovery_removed", "alice@example.test " HELPER " ");
	check_value(fixture, "recovery_removed", "former", "h***@else.test");
	check_value(fixture, "recovery_removed", "source", CAFE);
	/* There is none to remove any more. */
	assert_int_equal(ask(fixture, " ", ""), GP_OK);
	check_letters(fixture, "recovery_removed", "alice@example.test " HELPER " ");
	/* The first one that ever was is told where there is somebody to tell. */
	clock_fake(NOW + STORE_RECOVERY_HOLD, 1000);
	assert_int_equal(ask(fixture, OTHER, ""), GP_OK);
	assert_int_equal(confirm(fixture), GP_OK);
	check_letters(fixture, "recovery_added", "alice@example.test ");
}

/* The thief has the password, puts his address in, changes the password: the owner comes back. */
static void test_the_way_back(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(ask(fixture, OTHER, ""), GP_OK);
	assert_int_equal(confirm(fixture), GP_OK);
	assert_int_equal(alice_set_password(fixture, OWNER, CAFE, "all mine now"), GP_OK);
	clock_fake(NOW + STORE_RECOVERY_HOLD - 1, 1000);
	send_link(fixture);
	check_letters(fixture, "reset_link", HELPER " ");
	assert_int_equal(use_link(fixture), GP_OK);
	check_letters(fixture, "recovery_restored", "alice@example.test " OTHER " " HELPER " ");
	check_value(fixture, "recovery_restored", "address", "h***@else.test");
	alice.password = "walrus and tea";
	assert_int_equal(alice_as(fixture, OWNER, HOME, "self.show", ""), GP_OK);
	alice_check_row(fixture, "\"recovery_address\":\"" HELPER "\"");
	alice_check_row(fixture, "\"recovery_address_former\":\"\"");
	clock_fake(NOW + 2 * STORE_RECOVERY_HOLD, 1000);
	send_link(fixture);
	check_letters(fixture, "reset_link", HELPER " ");
}

/* Once a week has passed without a word it is the new one. */
static void test_after_the_hold(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(ask(fixture, OTHER, ""), GP_OK);
	assert_int_equal(confirm(fixture), GP_OK);
	clock_fake(NOW + STORE_RECOVERY_HOLD, 1000);
	send_link(fixture);
	check_letters(fixture, "reset_link", OTHER " ");
	assert_int_equal(use_link(fixture), GP_OK);
	check_letters(fixture, "recovery_restored", "");
}

/* A link that was sent before the change is good after it, and undoes it. */
static void test_link_from_before(void **state)
{
	struct fixture *fixture = *state;

	send_link(fixture);
	assert_int_equal(ask(fixture, OTHER, ""), GP_OK);
	assert_int_equal(confirm(fixture), GP_OK);
	assert_int_equal(use_link(fixture), GP_OK);
	assert_int_equal(alice_as(fixture, OWNER, HOME, "self.show", ""), GP_OK);
	alice_check_row(fixture, "\"recovery_address\":\"" HELPER "\"");
}

static void test_codes_a_day(void **state)
{
	struct fixture *fixture = *state;
	char address[64];

	for (int i = 0; i < RECOVERY_CODES_A_DAY; i++) {
		(void)snprintf(address, sizeof address, "victim%d@bad.test", i);
		assert_int_equal(ask(fixture, address, ""), GP_OK);
	}
	assert_int_equal(ask(fixture, OTHER, ""), GP_ERR_LIMIT);
	clock_fake(NOW + DAY + 1, 1000);
	assert_int_equal(ask(fixture, OTHER, ""), GP_OK);
}

/* Where 2FA is on, the password and an open session are not enough. */
static void test_twofactor(void **state)
{
	struct fixture *fixture = *state;
	char code[TOTP_CODE_SIZE];

	assert_int_equal(ask(fixture, OTHER, ""), GP_ERR_SYNTAX);
	assert_int_equal(ask(fixture, "", ""), GP_ERR_SYNTAX);
	alice_make_code(code);
	code[0] = code[0] == '0' ? '1' : '0';
	assert_int_equal(ask(fixture, OTHER, code), GP_ERR_DENIED);
	assert_int_equal(ask(fixture, "", code), GP_ERR_DENIED);
	assert_int_equal(ask(fixture, OTHER, alice.recovery[0]), GP_ERR_DENIED);
	check_letters(fixture, "recovery_address", "");
	alice_make_code(code);
	assert_int_equal(ask(fixture, "alice@example.test", code), GP_ERR_SYNTAX);
	assert_int_equal(ask(fixture, OTHER, code), GP_OK);
	check_letters(fixture, "recovery_address", OTHER " ");
	assert_int_equal(ask(fixture, OTHER, code), GP_ERR_DENIED);
	assert_int_equal(confirm(fixture), GP_OK);
	check_letters(fixture, "recovery_changed", "alice@example.test " HELPER " ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_change_is_told, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_removal_is_told, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_the_way_back, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_after_the_hold, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_link_from_before, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_codes_a_day, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_twofactor, alice_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
