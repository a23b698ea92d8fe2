/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/store_activity.h"
#include "vault_fixture.h"

enum {
	NOW = 1800000000, /* 2027-01-15 08:00 UTC */
	DAY = 24 * 60 * 60,
};

#define ALICE "{\"address\":\"alice@example.test\""

static int setup(void **state)
{
	struct fixture *fixture;
	int failed = fixture_setup(state);

	if (failed != 0)
		return failed;
	fixture = *state;
	clock_fake(NOW, 1000);
	assert_int_equal(fixture_op(fixture, "account.add",
				 ALICE ",\"password\":\"correct horse\",\"create_domain\":true}"),
		GP_OK);
	assert_int_equal(fixture_op(fixture, "account.add",
				 "{\"address\":\"bob@example.test\",\"password\":\"other horse\"}"),
		GP_OK);
	fixture->asker = 1;
	fixture->role = ROLE_USER;
	return 0;
}

static void check_row(struct fixture *fixture, const char *part)
{
	if (strstr(fixture->rows, part) == NULL)
		fail_msg("%s is not in %s", part, fixture->rows);
}

static void seen(struct fixture *fixture, int64_t ago, uint64_t account, enum service service,
	enum reason reason, const char *client_name)
{
	static uint64_t sessions = 0;
	struct store_event event = { .at = NOW - ago,
		.session = ++sessions,
		.service = service,
		.mechanism = MECHANISM_PLAIN,
		.verdict = reason == REASON_OK ? VERDICT_OK : VERDICT_DENY,
		.reason = reason,
		.account = account,
		.login = SLICE_LIT("alice@example.test"),
		.client_name = slice_str(client_name) };

	assert_int_equal(ip_parse(SLICE_LIT("203.0.113.9"), &event.client), GP_OK);
	assert_int_equal(store_event_add(fixture->vault.store, &event, NULL), GP_OK);
}

static void devices_are_told(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 10; i > 0; i--)
		seen(fixture, i * 300, 1, SERVICE_IMAPS, REASON_WRONG_PASSWORD, "Thunderbird 115");
	seen(fixture, 40, 1, SERVICE_SUBMISSION, REASON_OK, "DESKTOP-1A2B3C");
	seen(fixture, 30, 2, SERVICE_IMAPS, REASON_OK, "K-9 Mail");
	assert_int_equal(fixture_op(fixture, "self.activity", ""), GP_OK);
	assert_int_equal(fixture->row_count, 2);
	check_row(fixture,
		"{\"key\":\"smtp/windows/203.0.113.0/24\",\"client\":\"windows\","
		"\"client_name\":\"a program on a Windows computer\","
		"\"client_says\":\"DESKTOP-1A2B3C\",\"device\":null,"
		"\"device_name\":null,\"secret\":\"main\",\"services\":[\"submission\"],"
		"\"first_at\":\"2027-01-15T07:59:20Z\",\"last_at\":"
		"\"2027-01-15T07:59:20Z\",\"every_minutes\":null,\"successes\":1,"
		"\"failures\":0,\"last_outcome\":\"ok\",\"reason\":\"ok\",\"why\":\"ok\","
		"\"old_password_at\":null,\"is_stranger\":false,\"is_others\":false,"
		"\"source\":\"203.0.113.9\",\"network\":\"203.0.113.0/24\"}");
	check_row(fixture, "\"client_name\":\"Thunderbird\"");
	check_row(fixture, "\"every_minutes\":5,\"successes\":0,\"failures\":10");
	check_row(fixture, "\"why\":\"wrong_password\"");
	fixture->asker = 2;
	assert_int_equal(fixture_op(fixture, "self.activity", ""), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	check_row(fixture, "\"client_name\":\"K-9 Mail\"");
}

static void only_the_days_asked_for(void **state)
{
	struct fixture *fixture = *state;

	seen(fixture, 2 * DAY, 1, SERVICE_IMAPS, REASON_OK, "Thunderbird 115");
	seen(fixture, 10, 1, SERVICE_IMAPS, REASON_OK, "K-9 Mail");
	assert_int_equal(fixture_op(fixture, "self.activity", "{\"days\":1}"), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_int_equal(fixture_op(fixture, "self.activity", "{\"days\":365}"), GP_OK);
	assert_int_equal(fixture->row_count, 2);
	assert_int_equal(fixture_op(fixture, "self.activity", "{\"days\":366}"), GP_ERR_SYNTAX);
	assert_int_equal(fixture_op(fixture, "self.activity", "{\"days\":0}"), GP_ERR_SYNTAX);
	assert_int_equal(fixture_op(fixture, "self.chart", "{\"days\":0}"), GP_ERR_SYNTAX);
}

static void staff_sees_the_same(void **state)
{
	struct fixture *fixture = *state;
	char own[FIXTURE_TEXT];

	seen(fixture, 10, 1, SERVICE_IMAPS, REASON_OK, "K-9 Mail");
	assert_int_equal(fixture_op(fixture, "self.activity", ""), GP_OK);
	memcpy(own, fixture->rows, sizeof own);
	fixture->asker = 0;
	fixture->role = ROLE_STAFF;
	assert_int_equal(fixture_op(fixture, "account.activity", ALICE "}"), GP_OK);
	assert_string_equal(fixture->rows, own);
	assert_int_equal(
		fixture_op(fixture, "account.activity", "{\"address\":\"carol@example.test\"}"),
		GP_ERR_NOT_FOUND);
	assert_int_equal(fixture_op(fixture, "account.events", ALICE "}"), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_int_equal(fixture_op(fixture, "account.chart", ALICE "}"), GP_OK);
	assert_int_equal(fixture->row_count, 7);
}

static void nobody_has_no_activity(void **state)
{
	static const char *const names[] = { "self.activity", "self.events", "self.chart",
		"self.unready" };
	struct fixture *fixture = *state;

	fixture->asker = 0;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(fixture_op(fixture, names[i], ""), GP_ERR_SIGNIN);
}

static void events_are_the_own_ones(void **state)
{
	struct fixture *fixture = *state;

	seen(fixture, 30, 1, SERVICE_IMAPS, REASON_OK, "first");
	seen(fixture, 20, 2, SERVICE_IMAPS, REASON_OK, "second");
	seen(fixture, 10, 1, SERVICE_IMAPS, REASON_OK, "third");
	assert_int_equal(fixture_op(fixture, "self.events", ""), GP_OK);
	assert_int_equal(fixture->row_count, 2);
	assert_null(strstr(fixture->rows, "second"));
	assert_true(strstr(fixture->rows, "third") < strstr(fixture->rows, "first"));
	assert_int_equal(fixture_op(fixture, "self.events", "{\"limit\":1}"), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	check_row(fixture, "third");
	assert_int_equal(fixture_op(fixture, "self.events", "{\"before\":2}"), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	check_row(fixture, "first");
}

static void every_day_has_a_bar(void **state)
{
	struct fixture *fixture = *state;

	seen(fixture, 7 * DAY, 1, SERVICE_IMAPS, REASON_OK, "too old");
	seen(fixture, 2 * DAY, 1, SERVICE_IMAPS, REASON_OK, "x");
	seen(fixture, 2 * DAY, 1, SERVICE_IMAPS, REASON_WRONG_PASSWORD, "x");
	seen(fixture, 2 * DAY, 1, SERVICE_IMAPS, REASON_OK, "x");
	seen(fixture, 10, 1, SERVICE_IMAPS, REASON_WRONG_PASSWORD, "x");
	seen(fixture, 10, 2, SERVICE_IMAPS, REASON_WRONG_PASSWORD, "x");
	assert_int_equal(fixture_op(fixture, "self.chart", ""), GP_OK);
	assert_string_equal(fixture->rows, "{\"day\":\"2027-01-09\",\"ok\":0,\"failed\":0}\n"
					   "{\"day\":\"2027-01-10\",\"ok\":0,\"failed\":0}\n"
					   "{\"day\":\"2027-01-11\",\"ok\":0,\"failed\":0}\n"
					   "{\"day\":\"2027-01-12\",\"ok\":0,\"failed\":0}\n"
					   "{\"day\":\"2027-01-13\",\"ok\":2,\"failed\":1}\n"
					   "{\"day\":\"2027-01-14\",\"ok\":0,\"failed\":0}\n"
					   "{\"day\":\"2027-01-15\",\"ok\":0,\"failed\":1}\n");
	assert_int_equal(fixture_op(fixture, "self.chart", "{\"days\":1}"), GP_OK);
	assert_string_equal(fixture->rows, "{\"day\":\"2027-01-15\",\"ok\":0,\"failed\":1}\n");
}

static void what_needs_the_main_password_is_unready(void **state)
{
	struct fixture *fixture = *state;

	seen(fixture, 31 * DAY, 1, SERVICE_IMAPS, REASON_OK, "Geary");
	seen(fixture, 50, 1, SERVICE_IMAPS, REASON_OK, "Thunderbird 115");
	seen(fixture, 40, 1, SERVICE_IMAPS, REASON_TWOFACTOR, "K-9 Mail");
	seen(fixture, 30, 1, SERVICE_IMAPS, REASON_WRONG_PASSWORD, "Evolution");
	seen(fixture, 20, 1, SERVICE_HTTPS, REASON_OK, "Firefox/121.0");
	assert_int_equal(fixture_op(fixture, "self.unready", ""), GP_OK);
	assert_int_equal(fixture->row_count, 2);
	check_row(fixture, "Thunderbird");
	check_row(fixture, "K-9 Mail");
}

static void an_old_password_is_shown(void **state)
{
	struct fixture *fixture = *state;
	struct store_finding finding = { .account = 1,
		.protocol = PROTOCOL_IMAP,
		.session = 0xabc,
		.at = NOW - 5,
		.changed_at = NOW - 9 * DAY };
	struct store_event event = { .at = NOW - 10,
		.session = 0xabc,
		.service = SERVICE_IMAP,
		.reason = REASON_WRONG_PASSWORD,
		.account = 1 };

	assert_int_equal(store_event_add(fixture->vault.store, &event, NULL), GP_OK);
	assert_int_equal(store_finding_set(fixture->vault.store, &finding), GP_OK);
	assert_int_equal(fixture_op(fixture, "self.activity", ""), GP_OK);
	check_row(fixture, "\"why\":\"old_password\",\"old_password_at\":\"2027-01-06T08:00:00Z\"");
	check_row(fixture, "\"source\":null,\"network\":null");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(devices_are_told),
		TEST(only_the_days_asked_for),
		TEST(staff_sees_the_same),
		TEST(nobody_has_no_activity),
		TEST(events_are_the_own_ones),
		TEST(every_day_has_a_bar),
		TEST(what_needs_the_main_password_is_unready),
		TEST(an_old_password_is_shown),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
