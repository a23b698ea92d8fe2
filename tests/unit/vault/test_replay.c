/* SPDX-License-Identifier: ISC */
/* What is asked for twice under one key is done once, and answered twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "vault/replay.h"
#include "vault_fixture.h"

enum {
	WALL = 1800000000,
};

static int setup(void **state)
{
	int result;

	clock_fake(WALL, 5000000);
	result = fixture_setup(state);
	assert_int_equal(
		fixture_op(*state, "account.add",
			"{\"address\":\"alice@example.test\",\"password\":\"correct horse\","
			"\"create_domain\":true}"),
		GP_OK);
	return result;
}

static enum gp_err add_device(struct fixture *fixture, const char *key, const char *actor,
	const char *name, char password[static 512])
{
	char arguments[200];
	struct ipc_message message = { .type = IPC_OP };
	enum gp_err err;

	(void)snprintf(arguments, sizeof arguments,
		"{\"address\":\"alice@example.test\",\"name\":\"%s\"}", name);
	message.op = (struct ipc_op){ .request = 9,
		.name = SLICE_LIT("device.add"),
		.arguments = slice_str(arguments),
		.actor = slice_str(actor),
		.role = ROLE_ADMIN,
		.idempotency = slice_str(key) };
	fixture_send(fixture, &message, -1);
	err = fixture->err;
	if (err == GP_OK)
		(void)fixture_value(fixture, "password", password);
	return err;
}

static unsigned devices(struct fixture *fixture)
{
	assert_int_equal(
		fixture_op(fixture, "device.list", "{\"address\":\"alice@example.test\"}"), GP_OK);
	return fixture->row_count;
}

static void the_same_is_done_once(void **state)
{
	struct fixture *fixture = *state;
	char first[512];
	char again[512];

	assert_int_equal(add_device(fixture, "k1", "token:1", "phone", first), GP_OK);
	assert_int_equal(add_device(fixture, "k1", "token:1", "phone", again), GP_OK);
	assert_string_equal(first, again);
	assert_int_equal(devices(fixture), 1);
	/* Somebody else's key of the same name is another, and so is no key. */
	assert_int_equal(add_device(fixture, "k1", "token:2", "phone", again), GP_OK);
	assert_string_not_equal(first, again);
	assert_int_equal(add_device(fixture, "", "token:1", "phone", again), GP_OK);
	assert_int_equal(add_device(fixture, "", "token:1", "phone", again), GP_OK);
	assert_int_equal(devices(fixture), 4);
}

static void a_key_is_for_one_request(void **state)
{
	struct fixture *fixture = *state;
	char password[512];

	assert_int_equal(add_device(fixture, "k1", "token:1", "phone", password), GP_OK);
	assert_int_equal(add_device(fixture, "k1", "token:1", "laptop", password), GP_ERR_EXISTS);
	assert_string_equal(fixture->why, "this idempotency key was used for another request");
	assert_int_equal(devices(fixture), 1);
}

static void what_failed_may_be_tried_again(void **state)
{
	struct fixture *fixture = *state;
	char password[512];

	assert_int_equal(add_device(fixture, "k1", "token:1", "", password), GP_ERR_SYNTAX);
	assert_int_equal(add_device(fixture, "k1", "token:1", "phone", password), GP_OK);
	assert_int_equal(devices(fixture), 1);
}

static void a_day_later_it_is_a_new_one(void **state)
{
	struct fixture *fixture = *state;
	char first[512];
	char later[512];

	assert_int_equal(add_device(fixture, "k1", "token:1", "phone", first), GP_OK);
	clock_fake(WALL + REPLAY_KEEP_S, 5000000);
	assert_int_equal(add_device(fixture, "k1", "token:1", "phone", later), GP_OK);
	assert_string_equal(first, later);
	clock_fake(WALL + REPLAY_KEEP_S + 1, 5000000);
	assert_int_equal(add_device(fixture, "k1", "token:1", "phone", later), GP_OK);
	assert_string_not_equal(first, later);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_is_done_once, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_key_is_for_one_request, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			what_failed_may_be_tried_again, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_day_later_it_is_a_new_one, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
