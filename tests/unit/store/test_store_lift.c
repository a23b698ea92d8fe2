/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store_lift.h"
#include "store_fixture.h"

enum {
	NOW = 1800000000,
	DAY = 24 * 60 * 60,
};

static struct ip_net net_of(const char *text)
{
	struct ip_net net = { 0 };

	assert_int_equal(ip_parse_level(slice_str(text), &net), GP_OK);
	return net;
}

static enum gp_err add(struct store *store, uint64_t account, const char *net, int64_t at)
{
	struct store_lift lift = { at, account, net_of(net) };

	return store_lift_add(store, &lift, at - DAY, 3);
}

struct seen {
	unsigned count;
	struct store_lift last;
};

static enum gp_err see(const struct store_lift *lift, void *arg)
{
	struct seen *seen = arg;

	seen->count++;
	seen->last = *lift;
	return GP_OK;
}

static void three_in_a_day(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	struct seen seen = { 0 };

	/* By one account ... */
	assert_int_equal(add(store, 1, "198.51.100.1", NOW), GP_OK);
	assert_int_equal(add(store, 1, "198.51.100.2", NOW + 1), GP_OK);
	assert_int_equal(add(store, 1, "2001:db8::/48", NOW + 2), GP_OK);
	assert_int_equal(add(store, 1, "198.51.100.4", NOW + 3), GP_ERR_LIMIT);
	/* ... and of one source. */
	assert_int_equal(add(store, 2, "198.51.100.1", NOW), GP_OK);
	assert_int_equal(add(store, 3, "198.51.100.1", NOW), GP_OK);
	assert_int_equal(add(store, 4, "198.51.100.1", NOW), GP_ERR_LIMIT);
	assert_int_equal(add(store, 4, "198.51.100.9", NOW), GP_OK);
	assert_int_equal(store_lift_each(store, NOW, see, &seen), GP_OK);
	assert_int_equal(seen.count, 6);
	assert_int_equal(seen.last.account, 4);
	/* Until a day is over. */
	assert_int_equal(add(store, 1, "198.51.100.4", NOW + DAY), GP_ERR_LIMIT);
	assert_int_equal(add(store, 1, "198.51.100.4", NOW + DAY + 1), GP_OK);
	seen.count = 0;
	assert_int_equal(store_lift_each(store, 0, see, &seen), GP_OK);
	assert_int_equal(seen.count, 3);
}

static enum gp_err note_blame(const struct store_blame *blame, void *arg)
{
	unsigned *count = arg;
	char text[IP_TEXT_SIZE];

	if ((*count)++ == 0) {
		assert_string_equal(ip_format_source(&blame->source, text), "198.51.100.2");
		assert_true(slice_is(blame->client_name, "phone"));
		assert_true(slice_is(blame->service, "imap"));
		assert_true(slice_is(blame->reason, "wrong_password"));
	}
	return GP_OK;
}

static void note_failure(struct store *store, uint64_t account, const char *client,
	const char *program, unsigned counted, int64_t at)
{
	struct store_event event = { .at = at,
		.service = SERVICE_IMAP,
		.verdict = VERDICT_DENY,
		.reason = REASON_WRONG_PASSWORD,
		.counted = counted,
		.account = account,
		.login = SLICE_LIT("alice@example.test"),
		.client_name = slice_str(program) };

	assert_int_equal(ip_parse(slice_str(client), &event.client), GP_OK);
	assert_int_equal(store_event_add(store, &event, NULL), GP_OK);
}

static void who_is_to_blame(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	unsigned count = 0;

	note_failure(store, 7, "198.51.100.1", "laptop", 1, NOW);
	note_failure(store, 7, "198.51.100.2", "phone", 1, NOW);
	note_failure(store, 7, "198.51.100.2", "phone", 5, NOW + 1);
	note_failure(store, 7, "198.51.100.3", "old", 1, NOW - 1);
	note_failure(store, 7, "198.51.100.4", "not counted", 0, NOW);
	note_failure(store, 8, "198.51.100.5", "somebody else's", 1, NOW);
	assert_int_equal(store_lift_each_blame(store, 7, NOW, 100, note_blame, &count), GP_OK);
	assert_int_equal(count, 2);
	count = 0;
	assert_int_equal(store_lift_each_blame(store, 7, NOW, 1, note_blame, &count), GP_OK);
	assert_int_equal(count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(three_in_a_day, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(who_is_to_blame, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
