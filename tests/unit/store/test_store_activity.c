/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/reference.h"
#include "store/store_activity.h"
#include "store_fixture.h"

enum {
	DAY = 24 * 60 * 60,
};

static struct slice s(const char *text)
{
	return slice_str(text);
}

static void add_event(struct store *store, uint64_t account, int64_t at, enum verdict verdict)
{
	struct store_event event = { .at = at,
		.session = 0xabc,
		.service = SERVICE_IMAPS,
		.verdict = verdict,
		.reason = REASON_WRONG_PASSWORD,
		.account = account,
		.client_name = s("mutt") };

	assert_int_equal(ip_parse(s("192.0.2.7"), &event.client), GP_OK);
	assert_int_equal(store_event_add(store, &event, NULL), GP_OK);
}

struct tally {
	unsigned count;
	int64_t first;
	int64_t last;
};

static enum gp_err count_event(const struct store_activity *event, void *arg)
{
	struct tally *tally = arg;

	if (tally->count++ == 0)
		tally->first = event->at;
	tally->last = event->at;
	assert_int_equal(event->session, 0xabc);
	assert_true(slice_is(event->service, "imaps"));
	assert_true(slice_is(event->reason, "wrong_password"));
	assert_true(slice_is(event->client_name, "mutt"));
	assert_true(slice_is(event->client, "192.0.2.7"));
	return GP_OK;
}

static void the_newest_events_of_one_account(void **state)
{
	struct fixture *fixture = *state;
	struct tally tally = { 0 };

	add_event(fixture->store, 1, 100, VERDICT_DENY);
	add_event(fixture->store, 2, 200, VERDICT_DENY);
	add_event(fixture->store, 1, 300, VERDICT_OK);
	add_event(fixture->store, 1, 50, VERDICT_DENY);
	assert_int_equal(store_activity_each(fixture->store, 1, 60, count_event, &tally), GP_OK);
	assert_int_equal(tally.count, 2);
	assert_int_equal(tally.first, 300);
	assert_int_equal(tally.last, 100);
}

static enum gp_err sum_day(int64_t day, uint64_t ok, uint64_t failed, void *arg)
{
	struct tally *tally = arg;

	(void)day;
	tally->count++;
	tally->first += (int64_t)ok;
	tally->last += (int64_t)failed;
	return GP_OK;
}

/* A flood of events costs no more than this. */
static void no_more_events_than_that(void **state)
{
	struct fixture *fixture = *state;
	struct tally tally = { 0 };

	assert_int_equal(store_begin(fixture->store, STORE_RELAXED), GP_OK);
	for (int i = 0; i < STORE_ACTIVITY_EVENTS + 10; i++)
		add_event(fixture->store, 1, 1000 + i, VERDICT_DENY);
	assert_int_equal(store_commit(fixture->store), GP_OK);
	assert_int_equal(store_activity_each(fixture->store, 1, 0, count_event, &tally), GP_OK);
	assert_int_equal(tally.count, STORE_ACTIVITY_EVENTS);
	assert_int_equal(tally.last, 1000 + 10);
	tally = (struct tally){ 0 };
	assert_int_equal(store_activity_each_day(fixture->store, 1, 0, sum_day, &tally), GP_OK);
	assert_int_equal(tally.last, STORE_ACTIVITY_EVENTS);
}

static enum gp_err write_day(int64_t day, uint64_t ok, uint64_t failed, void *arg)
{
	char *out = arg;
	size_t len = strlen(out);

	(void)snprintf(out + len, 200 - len, "%lld:%llu/%llu ", (long long)day,
		(unsigned long long)ok, (unsigned long long)failed);
	return GP_OK;
}

static void events_by_day(void **state)
{
	struct fixture *fixture = *state;
	char days[200] = "";

	add_event(fixture->store, 1, 9 * DAY, VERDICT_DENY);
	add_event(fixture->store, 1, 10 * DAY - 1, VERDICT_OK);
	add_event(fixture->store, 1, 10 * DAY, VERDICT_BUSY);
	add_event(fixture->store, 1, 12 * DAY, VERDICT_OK);
	add_event(fixture->store, 2, 12 * DAY, VERDICT_OK);
	assert_int_equal(
		store_activity_each_day(fixture->store, 1, 9 * DAY + 1, write_day, days), GP_OK);
	assert_string_equal(days, "9:1/0 10:0/1 12:1/0 ");
}

/* ---- old passwords ---- */

static enum gp_err write_hash(const char *hash, int64_t changed_at, void *arg)
{
	char *out = arg;
	size_t len = strlen(out);

	(void)snprintf(out + len, 200 - len, "%s@%lld ", hash, (long long)changed_at);
	return GP_OK;
}

static void check_old(struct store *store, uint64_t account, const char *expected)
{
	char hashes[200] = "";

	assert_int_equal(store_old_password_each(store, account, write_hash, hashes), GP_OK);
	assert_string_equal(hashes, expected);
}

static void set(struct store *store, uint64_t account, const char *hash, int64_t now)
{
	assert_int_equal(store_account_set_password(store, account, hash, now), GP_OK);
}

static void the_last_passwords_are_kept(void **state)
{
	struct fixture *fixture = *state;
	uint64_t alice = fixture_account(fixture->store, "alice@example.test");
	uint64_t bob = fixture_account(fixture->store, "bob@example.test");
	char hash[] = "$argon2id$a";

	/* The first one is no hash whose cost is known. */
	set(fixture->store, alice, "$argon2id$A", 10);
	check_old(fixture->store, alice, "");
	set(fixture->store, alice, "$argon2id$B", 20);
	set(fixture->store, bob, "$argon2id$C", 30);
	check_old(fixture->store, alice, "$argon2id$A@20 ");
	check_old(fixture->store, bob, "");
	for (int i = 0; i < STORE_OLD_PASSWORDS; i++) {
		hash[sizeof hash - 2] = (char)('a' + i);
		set(fixture->store, alice, hash, 100 + i);
	}
	check_old(fixture->store, alice,
		"$argon2id$d@104 $argon2id$c@103 $argon2id$b@102 $argon2id$a@101 $argon2id$B@100 ");
	assert_int_equal(store_account_remove(fixture->store, alice), GP_OK);
	check_old(fixture->store, alice, "");
}

/* ---- findings ---- */

static enum gp_err write_finding(const struct store_finding *finding, void *arg)
{
	char *out = arg;
	size_t len = strlen(out);

	(void)snprintf(out + len, 200 - len, "%llx@%lld=%lld ",
		(unsigned long long)finding->session, (long long)finding->at,
		(long long)finding->changed_at);
	return GP_OK;
}

static void check_findings(struct store *store, uint64_t account, const char *expected)
{
	char findings[200] = "";

	assert_int_equal(store_finding_each(store, account, write_finding, findings), GP_OK);
	assert_string_equal(findings, expected);
}

static void the_last_finding_of_a_place_counts(void **state)
{
	struct fixture *fixture = *state;
	uint64_t alice = fixture_account(fixture->store, "alice@example.test");
	struct store_finding finding = { .account = alice,
		.protocol = PROTOCOL_IMAP,
		.session = 0xfedcba9876543210,
		.at = 100,
		.changed_at = 50 };
	int64_t last = -1;

	assert_int_equal(ip_parse(s("192.0.2.7"), &finding.source), GP_OK);
	assert_int_equal(store_finding_set(fixture->store, &finding), GP_OK);
	finding.protocol = PROTOCOL_SMTP;
	finding.at = 90;
	assert_int_equal(store_finding_set(fixture->store, &finding), GP_OK);
	check_findings(fixture->store, alice, "fedcba9876543210@100=50 fedcba9876543210@90=50 ");
	finding.session = 2;
	finding.at = 200;
	finding.changed_at = 0;
	assert_int_equal(store_finding_set(fixture->store, &finding), GP_OK);
	check_findings(fixture->store, alice, "2@200=0 fedcba9876543210@100=50 ");
	assert_int_equal(
		store_finding_last(fixture->store, alice, &finding.source, PROTOCOL_SMTP, &last),
		GP_OK);
	assert_int_equal(last, 200);
	assert_int_equal(
		store_finding_last(fixture->store, alice, &finding.source, PROTOCOL_POP3, &last),
		GP_OK);
	assert_int_equal(last, 0);
	assert_int_equal(store_finding_sweep(fixture->store, 150), GP_OK);
	check_findings(fixture->store, alice, "2@200=0 ");
	/* Somebody who is gone. */
	finding.account = alice + 1;
	assert_int_equal(store_finding_set(fixture->store, &finding), GP_OK);
	check_findings(fixture->store, alice + 1, "");
	assert_int_equal(store_account_remove(fixture->store, alice), GP_OK);
	check_findings(fixture->store, alice, "");
}

/* ---- references ---- */

static enum gp_err count_rows(const struct store_event_row *row, void *arg)
{
	assert_int_equal(row->reference, reference_of(0xabc));
	++*(unsigned *)arg;
	return GP_OK;
}

static void a_refusal_is_found_by_its_reference(void **state)
{
	struct fixture *fixture = *state;
	struct store_event_filter filter = { .reference = reference_of(0xabc), .limit = 10 };
	struct store_event event = { .at = 500, .session = 0xabc };
	unsigned count = 0;

	assert_int_equal(store_event_add(fixture->store, &event, NULL), GP_OK);
	event.verdict = VERDICT_OK;
	event.reason = REASON_OK;
	assert_int_equal(store_event_add(fixture->store, &event, NULL), GP_OK); /* it has none */
	event = (struct store_event){ .at = 600, .session = 0xabd };
	assert_int_equal(store_event_add(fixture->store, &event, NULL), GP_OK);
	assert_int_equal(store_event_each(fixture->store, &filter, count_rows, &count), GP_OK);
	assert_int_equal(count, 1);
}

static enum gp_err check_ban(const struct store_ban *ban, void *arg)
{
	assert_int_equal(ban->origin, 0xfedcba9876543210);
	++*(unsigned *)arg;
	return GP_OK;
}

static void a_ban_keeps_its_origin(void **state)
{
	struct fixture *fixture = *state;
	struct store_clock clock = { .boot = 1 };
	struct store_ban ban = { .set_at = 100, .until = 200, .origin = 1 };
	unsigned count = 0;

	assert_int_equal(ip_net_parse(s("192.0.2.1/32"), &ban.net), GP_OK);
	assert_int_equal(store_ban_keep(fixture->store, &clock, &ban), GP_OK);
	ban.origin = 0xfedcba9876543210;
	assert_int_equal(store_ban_keep(fixture->store, &clock, &ban), GP_OK);
	assert_int_equal(store_ban_each(fixture->store, &clock, 150, check_ban, &count), GP_OK);
	assert_int_equal(count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_newest_events_of_one_account),
		TEST(no_more_events_than_that),
		TEST(events_by_day),
		TEST(the_last_passwords_are_kept),
		TEST(the_last_finding_of_a_place_counts),
		TEST(a_refusal_is_found_by_its_reference),
		TEST(a_ban_keeps_its_origin),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
