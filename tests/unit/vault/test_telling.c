/* SPDX-License-Identifier: ISC */
/* New networks and bans: who is told, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "vault/telling.h"
#include "vault_fixture.h"

enum {
	WALL = 1800000000,
	DAY_S = 24 * 3600,
	ACCOUNT = 1,
};

static int setup(void **state)
{
	int result;

	clock_fake(WALL, 5000000);
	result = fixture_setup(state);
	assert_int_equal(
		fixture_op(*state, "account.add",
			"{\"address\":\"alice@example.test\",\"password\":\"correct horse 9\","
			"\"create_domain\":true}"),
		GP_OK);
	return result;
}

static struct ip ip(const char *text)
{
	struct ip address;

	assert_int_equal(ip_parse(slice_str(text), &address), GP_OK);
	return address;
}

static void event(struct fixture *fixture, const char *client, uint64_t account, bool is_good)
{
	struct ipc_message message = { .type = IPC_EVENT };

	message.event = (struct ipc_event){ .at = clock_wall(),
		.session = 1,
		.client = ip(client),
		.service = SERVICE_IMAPS,
		.verdict = is_good ? VERDICT_OK : VERDICT_DENY,
		.reason = is_good ? REASON_OK : REASON_WRONG_PASSWORD,
		.counted = !is_good,
		.account = account,
		.login = SLICE_LIT("alice@example.test"),
		.client_name = SLICE_LIT("mutt") };
	fixture_post(fixture, &message);
	fixture_run(fixture);
}

static void ban(struct fixture *fixture, const char *source)
{
	struct ipc_message message = { .type = IPC_BAN_KEEP };
	struct ip_net net;

	assert_int_equal(ip_parse_level(slice_str(source), &net), GP_OK);
	message.ban_keep = (struct ipc_ban_keep){ .source = net.base,
		.prefix = net.prefix,
		.set_at = clock_wall(),
		.until = clock_wall() + 1800,
		.reason = SLICE_LIT("5 failures") };
	fixture_post(fixture, &message);
	fixture_run(fixture);
}

static uint64_t told(struct fixture *fixture, const char *kind)
{
	uint64_t count = 0;

	record_flush(&fixture->vault);
	assert_int_equal(
		store_outbox_count(fixture->vault.store, ACCOUNT, slice_str(kind), 0, &count),
		GP_OK);
	return count;
}

static void a_new_network_is_told_of_and_a_new_address_is_not(void **state)
{
	struct fixture *fixture = *state;

	event(fixture, "192.0.2.1", ACCOUNT, true);
	assert_int_equal(told(fixture, "new_network"), 0); /* the very first */
	event(fixture, "192.0.2.200", ACCOUNT, true);
	assert_int_equal(told(fixture, "new_network"), 0); /* the same network */
	event(fixture, "198.51.100.7", ACCOUNT, true);
	assert_int_equal(told(fixture, "new_network"), 1);
	event(fixture, "198.51.100.7", ACCOUNT, true);
	event(fixture, "198.51.100.9", ACCOUNT, true);
	assert_int_equal(told(fixture, "new_network"), 1);
	event(fixture, "2001:db8:1:2::1", ACCOUNT, true);
	assert_int_equal(told(fixture, "new_network"), 2);
	event(fixture, "2001:db8:1:77::1", ACCOUNT, true); /* the same /48 */
	assert_int_equal(told(fixture, "new_network"), 2);
	event(fixture, "203.0.113.1", ACCOUNT, false); /* somebody who did not get in */
	assert_int_equal(told(fixture, "new_network"), 2);
	outbox_wake(&fixture->vault);
	fixture_run(fixture);
	assert_non_null(strstr(fixture->letter, "Program: mutt"));
}

static void a_traveller_is_not_flooded(void **state)
{
	static const char *const places[] = { "192.0.2.1", "198.51.100.1", "203.0.113.1",
		"10.1.1.1", "10.2.2.2", "10.3.3.3" };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 6; i++)
		event(fixture, places[i], ACCOUNT, true);
	assert_int_equal(told(fixture, "new_network"), TELLING_NETWORKS_A_DAY);
	clock_fake(WALL + DAY_S + 1, 5000000 + (DAY_S + 1) * 1000L);
	event(fixture, "10.4.4.4", ACCOUNT, true);
	assert_int_equal(told(fixture, "new_network"), TELLING_NETWORKS_A_DAY + 1);
}

static void a_ban_is_told_to_whom_it_is_about(void **state)
{
	struct fixture *fixture = *state;

	event(fixture, "192.0.2.1", ACCOUNT, true);
	for (unsigned i = 0; i < 5; i++)
		event(fixture, "192.0.2.1", ACCOUNT, false);
	ban(fixture, "192.0.2.1");
	assert_int_equal(told(fixture, "address_banned"), 1);
	outbox_wake(&fixture->vault);
	fixture_run(fixture);
	assert_non_null(strstr(fixture->letter, "the address 192.0.2.1 is blocked"));
	/* Nobody's name, a wider network, or somebody who had nothing to do with it. */
	event(fixture, "198.51.100.1", 0, false);
	ban(fixture, "198.51.100.1");
	event(fixture, "2001:db8::1", ACCOUNT, false);
	ban(fixture, "2001:db8::/48");
	ban(fixture, "203.0.113.1");
	assert_int_equal(told(fixture, "address_banned"), 1);
}

static void strangers_bans_are_told_once_a_day(void **state)
{
	static const char *const strangers[] = { "198.51.100.1", "198.51.100.2", "198.51.100.3" };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 3; i++) {
		event(fixture, strangers[i], ACCOUNT, false);
		ban(fixture, strangers[i]);
	}
	assert_int_equal(told(fixture, "address_banned"), TELLING_STRANGERS_A_DAY);
	clock_fake(WALL + DAY_S + 1, 5000000 + (DAY_S + 1) * 1000L);
	event(fixture, strangers[0], ACCOUNT, false);
	ban(fixture, strangers[0]);
	assert_int_equal(told(fixture, "address_banned"), TELLING_STRANGERS_A_DAY + 1);
}

/* The account may be gone by the time the record comes. */
static void nobody_is_told_of_an_account_that_is_gone(void **state)
{
	struct fixture *fixture = *state;

	event(fixture, "192.0.2.1", ACCOUNT, false);
	assert_int_equal(
		fixture_op(fixture, "account.remove", "{\"address\":\"alice@example.test\"}"),
		GP_OK);
	ban(fixture, "192.0.2.1");
	assert_int_equal(told(fixture, "address_banned"), 0);
	assert_int_equal(told(fixture, "new_network"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_new_network_is_told_of_and_a_new_address_is_not, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_traveller_is_not_flooded, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_ban_is_told_to_whom_it_is_about, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			strangers_bans_are_told_once_a_day, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			nobody_is_told_of_an_account_that_is_gone, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
