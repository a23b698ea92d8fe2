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
#include "base/reference.h"
#include "vault_fixture.h"

enum {
	NOW = 1800000000,
};

static void add_event(struct fixture *fixture, uint64_t session, uint64_t account,
	const char *login, const char *client, enum verdict verdict)
{
	struct store_event event = { .at = NOW - 60,
		.session = session,
		.service = SERVICE_IMAPS,
		.mechanism = MECHANISM_PLAIN,
		.verdict = verdict,
		.reason = verdict == VERDICT_OK ? REASON_OK : REASON_WRONG_PASSWORD,
		.account = account,
		.login = slice_str(login) };

	assert_int_equal(ip_parse(slice_str(client), &event.client), GP_OK);
	assert_int_equal(store_event_add(fixture->vault.store, &event, NULL), GP_OK);
}

static void add_ban(struct fixture *fixture, const char *net, uint64_t origin)
{
	struct store_ban ban = {
		.set_at = NOW - 50, .until = NOW + 600, .reason = "guesses", .origin = origin
	};
	const struct store_clock clock = record_clock(&fixture->vault);

	assert_int_equal(ip_net_parse(slice_str(net), &ban.net), GP_OK);
	assert_int_equal(store_ban_keep(fixture->vault.store, &clock, &ban), GP_OK);
}

/* Events 1: alice; 2: alice's good one; 3: bob; 4: nobody of ours. 203.0.113.9 is banned for the
 * first, 198.51.100.0 by hand. */
static int setup(void **state)
{
	struct fixture *fixture;
	int failed = fixture_setup(state);

	if (failed != 0)
		return failed;
	fixture = *state;
	clock_fake(NOW, 1000000);
	assert_int_equal(fixture_op(fixture, "account.add",
				 "{\"address\":\"alice@example.test\",\"create_domain\":true,"
				 "\"aliases\":[\"post@example.test\"]}"),
		GP_OK);
	assert_int_equal(fixture_op(fixture, "account.add",
				 "{\"address\":\"bob@other.test\",\"create_domain\":true}"),
		GP_OK);
	add_event(fixture, 0xa000000000000001, 1, "alice", "203.0.113.9", VERDICT_DENY);
	add_event(fixture, 0xa000000000000002, 1, "alice", "203.0.113.9", VERDICT_OK);
	add_event(fixture, 0xa000000000000003, 2, "bob@other.test", "203.0.113.9", VERDICT_DENY);
	add_event(fixture, 0xa000000000000004, 0, "x@nowhere.test", "2001:db8::7", VERDICT_DENY);
	add_ban(fixture, "203.0.113.9/32", 0xa000000000000001);
	add_ban(fixture, "198.51.100.7/32", 0x1234);
	return 0;
}

static char *reference(uint64_t origin)
{
	static char text[64];
	char letters[REFERENCE_SIZE];

	(void)snprintf(text, sizeof text, "{\"reference\":\"%s\"}",
		reference_format(reference_of(origin), letters));
	return text;
}

static void check(struct fixture *fixture, unsigned rows, const char *part)
{
	if (fixture->row_count != rows || strstr(fixture->rows, part) == NULL)
		fail_msg("%u rows with %s wanted: %s", rows, part, fixture->rows);
}

static void a_reference_leads_to_the_refusal(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(
		fixture_op(fixture, "reference.show", reference(0xa000000000000003)), GP_OK);
	check(fixture, 1, "\"login\":\"bob@other.test\"");
	check(fixture, 1, "\"kind\":\"reference\"");
	/* Of a ban: the failure that set it, and the ban. */
	assert_int_equal(
		fixture_op(fixture, "reference.show", reference(0xa000000000000001)), GP_OK);
	check(fixture, 2, "\"login\":\"alice\"");
	check(fixture, 2,
		"{\"source\":\"203.0.113.9\",\"since\":\"2027-01-15T07:59:10Z\","
		"\"until\":\"2027-01-15T08:10:00Z\",\"reason\":\"guesses\"");
	assert_int_equal(fixture_op(fixture, "reference.show", reference(0x1234)), GP_OK);
	check(fixture, 1, "\"kind\":\"ban\"");
	/* Who got in was refused nothing. */
	assert_int_equal(
		fixture_op(fixture, "reference.show", reference(0xa000000000000002)), GP_OK);
	assert_int_equal(fixture->row_count, 0);
	assert_int_equal(fixture_op(fixture, "reference.show", "{\"reference\":\"7K3QX9T\"}"),
		GP_ERR_SYNTAX);
}

static void domain_admins_see_their_people(void **state)
{
	struct fixture *fixture = *state;

	fixture->role = ROLE_DOMAIN_ADMIN;
	fixture->domains = "third.test other.test";
	assert_int_equal(
		fixture_op(fixture, "reference.show", reference(0xa000000000000003)), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_int_equal(
		fixture_op(fixture, "reference.show", reference(0xa000000000000001)), GP_OK);
	assert_int_equal(fixture->row_count, 0); /* not even the ban */
	assert_int_equal(fixture_op(fixture, "search", "{\"query\":\"203.0.113.9\"}"), GP_OK);
	check(fixture, 2, "\"login\":\"bob@other.test\"");
	check(fixture, 2, "\"kind\":\"ban\""); /* bob failed there too */
	assert_int_equal(fixture_op(fixture, "search", "{\"query\":\"test\"}"), GP_OK);
	check(fixture, 1, "\"address\":\"bob@other.test\"");
	assert_int_equal(fixture_op(fixture, "search", "{\"query\":\"post@example.test\"}"), GP_OK);
	assert_int_equal(fixture->row_count, 0);
	fixture->domains = "";
	assert_int_equal(fixture_op(fixture, "search", "{\"query\":\"test\"}"), GP_OK);
	assert_int_equal(fixture->row_count, 0);
	/* A token bound to domains, whatever its role. */
	fixture->role = ROLE_ADMIN;
	fixture->domains = "example.test";
	assert_int_equal(fixture_op(fixture, "search", "{\"query\":\"test\"}"), GP_OK);
	check(fixture, 1, "\"address\":\"alice@example.test\"");
}

static const struct {
	const char *query;
	unsigned rows;
	const char *part;
} queries[] = {
	{ "ali", 1, "\"kind\":\"account\"" },
	{ " ALICE ", 1, "\"address\":\"alice@example.test\"" },
	{ "post@example.test", 1, "\"address\":\"alice@example.test\"" },
	{ "post+news@example.test", 1, "\"address\":\"alice@example.test\"" },
	{ "test", 2, "\"address\":\"bob@other.test\"" },
	{ "203.0.113.9", 4, "\"kind\":\"source\"" },
	{ "203.0.113.9", 4, "\"kind\":\"ban\"" },
	{ "2001:db8::1", 1, "\"login\":\"x@nowhere.test\"" },
	{ "2001:db8::/64", 1, "\"login\":\"x@nowhere.test\"" },
	{ "198.51.100.7", 1, "\"kind\":\"ban\"" },
	{ "a000000000000003", 1, "\"kind\":\"event\"" },
	{ "3", 1, "\"login\":\"bob@other.test\"" },
	{ "99", 0, "" },
	{ "nothing like this", 0, "" },
	{ "%", 0, "" },
};

static void whatever_one_has_is_found(void **state)
{
	struct fixture *fixture = *state;
	char arguments[128];

	for (size_t i = 0; i < GP_ARRAY_LEN(queries); i++) {
		(void)snprintf(arguments, sizeof arguments, "{\"query\":\"%s\"}", queries[i].query);
		assert_int_equal(fixture_op(fixture, "search", arguments), GP_OK);
		if (fixture->row_count != queries[i].rows ||
			strstr(fixture->rows, queries[i].part) == NULL)
			fail_msg("\"%s\" finds %s", queries[i].query, fixture->rows);
	}
}

static void a_search_is_bounded(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture_op(fixture, "search", "{\"query\":\"test\",\"limit\":1}"), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_int_equal(
		fixture_op(fixture, "search", "{\"query\":\"203.0.113.9\",\"limit\":1}"), GP_OK);
	assert_int_equal(fixture->row_count, 2); /* an event and the ban */
	assert_int_equal(
		fixture_op(fixture, "search", "{\"query\":\"x\",\"limit\":201}"), GP_ERR_LIMIT);
	assert_int_equal(
		fixture_op(fixture, "search", "{\"query\":\"x\",\"limit\":0}"), GP_ERR_LIMIT);
	assert_int_equal(fixture_op(fixture, "search", "{\"query\":\" \"}"), GP_ERR_SYNTAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_reference_leads_to_the_refusal),
		TEST(domain_admins_see_their_people),
		TEST(whatever_one_has_is_found),
		TEST(a_search_is_bounded),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
