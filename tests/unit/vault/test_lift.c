/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "vault_fixture.h"

static enum gp_err as_core(
	struct fixture *fixture, uint64_t asker, const char *name, const char *arguments)
{
	enum gp_err err;

	fixture->role = ROLE_CORE;
	fixture->asker = asker;
	err = fixture_op(fixture, name, arguments);
	fixture->role = ROLE_ADMIN;
	fixture->asker = 0;
	return err;
}

static enum gp_err note(struct fixture *fixture, uint64_t asker, const char *source, bool is_here)
{
	char arguments[128];

	(void)snprintf(arguments, sizeof arguments, "{\"source\":\"%s\",\"is_here\":%s}", source,
		is_here ? "true" : "false");
	return as_core(fixture, asker, "ban.note_lift", arguments);
}

static void note_failure(struct fixture *fixture, uint64_t account, const char *client)
{
	struct store_event event = { .at = clock_wall(),
		.service = SERVICE_IMAP,
		.verdict = VERDICT_DENY,
		.reason = REASON_WRONG_PASSWORD,
		.counted = 1,
		.account = account,
		.client_name = SLICE_LIT("phone") };

	assert_int_equal(ip_parse(slice_str(client), &event.client), GP_OK);
	assert_int_equal(store_event_add(fixture->vault.store, &event, NULL), GP_OK);
}

static int setup(void **state)
{
	int rc = fixture_setup(state);
	struct fixture *fixture = *state;

	if (rc != 0 || fixture_op(fixture, "domain.add", "{\"domain\":\"example.test\"}") != GP_OK)
		return -1;
	return fixture_op(fixture, "account.add", "{\"address\":\"alice@example.test\"}") == GP_OK
		       ? 0
		       : -1;
}

static void only_bans_of_ones_own(void **state)
{
	struct fixture *fixture = *state;

	note_failure(fixture, 1, "198.51.100.1");
	note_failure(fixture, 2, "198.51.100.2");
	assert_int_equal(as_core(fixture, 1, "ban.causes", ""), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_non_null(strstr(fixture->rows, "\"source\":\"198.51.100.1\""));
	assert_non_null(strstr(fixture->rows, "\"client_name\":\"phone\""));
	assert_non_null(strstr(fixture->rows, "\"reason\":\"wrong_password\""));
	assert_non_null(strstr(fixture->rows, "\"why\":\"wrong password\""));
	assert_int_equal(note(fixture, 1, "198.51.100.2", false), GP_ERR_NOT_FOUND);
	assert_int_equal(note(fixture, 1, "198.51.100.1", false), GP_OK);
	/* Where one is, that is enough. */
	assert_int_equal(note(fixture, 1, "198.51.100.2", true), GP_OK);
	assert_int_equal(note(fixture, 99, "198.51.100.2", true), GP_ERR_NOT_FOUND);
}

static void three_and_no_more(void **state)
{
	struct fixture *fixture = *state;
	struct ipc_message load = { .type = IPC_LOAD };

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(note(fixture, 1, "2001:db8:1:2::/64", true), GP_OK);
	assert_int_equal(note(fixture, 1, "198.51.100.1", true), GP_ERR_LIMIT);
	assert_non_null(strstr(fixture->why, "3 times"));
	/* Who lifted it stands in the audit, and core hears of it when it begins. */
	assert_int_equal(fixture_op(fixture, "audit.list", ""), GP_OK);
	assert_non_null(strstr(fixture->rows, "ban.note_lift"));
	load.load.request = 1;
	fixture_send(fixture, &load, -1);
	assert_non_null(strstr(fixture->load, "lift 2001:db8:1:2::/64 1\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_bans_of_ones_own, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(three_and_no_more, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
