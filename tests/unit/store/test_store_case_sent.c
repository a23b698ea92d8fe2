/* SPDX-License-Identifier: ISC */
/* What was sent, as it is shown to whoever was stopped: sums, sources, and each message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "store/store_case_sent.h"
#include "store/store_sending.h"
#include "store_fixture.h"

enum {
	AT = 1000000,
};

static void send_one(struct store *store, uint64_t account, int64_t at, const char *client,
	uint32_t recipients, enum sent_outcome outcome)
{
	static uint64_t number;
	struct store_sent sent = { .at = at,
		.session = 77,
		.account = account,
		.device = 5,
		.country = 'D' << 8 | 'E',
		.client_name = SLICE_LIT("thunder\nbird"),
		.sender = SLICE_LIT("a\x1f@b.test"),
		.subject = SLICE_LIT("sealed"),
		.recipients = recipients,
		.strangers = recipients / 2,
		.size = 4321,
		.outcome = outcome,
		.number = ++number };

	assert_int_equal(ip_parse(slice_str(client), &sent.client), GP_OK);
	assert_int_equal(store_sent_add(store, &sent), GP_OK);
}

/* One account over three sources, and another that must not be seen in it. */
static uint64_t fill(struct store *store)
{
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");

	send_one(store, alice, AT - 1, "192.0.2.1", 100, SENT_ACCEPTED);
	send_one(store, alice, AT, "192.0.2.1", 4, SENT_ACCEPTED);
	send_one(store, alice, AT + 1, "192.0.2.2", 10, SENT_ACCEPTED);
	send_one(store, bob, AT + 2, "192.0.2.9", 200, SENT_ACCEPTED);
	send_one(store, alice, AT + 3, "192.0.2.1", 2, SENT_ACCEPTED);
	send_one(store, alice, AT + 4, "192.0.2.1", 50, SENT_BLOCKED);
	send_one(store, alice, AT + 5, "192.0.2.3", 8, SENT_LIMITED);
	return alice;
}

static void test_sum(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fill(store);
	struct store_sent_sum sum;

	assert_int_equal(store_sent_sum(store, alice, AT, &sum), GP_OK);
	assert_int_equal(sum.messages, 3);
	assert_int_equal(sum.recipients, 16);
	assert_int_equal(sum.strangers, 8);
	assert_int_equal(sum.stopped, 2);
	assert_int_equal(store_sent_sum(store, 99, 0, &sum), GP_OK);
	assert_int_equal(sum.messages + sum.recipients + sum.strangers + sum.stopped, 0);
}

struct gathered {
	char text[2048];
	unsigned count;
	unsigned most; /* then it is enough */
};

static enum gp_err on_source(const struct store_sent_source *source, void *arg)
{
	struct gathered *gathered = arg;
	size_t used = strlen(gathered->text);

	(void)snprintf(gathered->text + used, sizeof gathered->text - used,
		"%.*s %.*s %.*s %d-%d: %u %u %u %u\n", SLICE_ARG(source->source),
		SLICE_ARG(source->country), SLICE_ARG(source->client_name),
		(int)source->first_at - AT, (int)source->last_at - AT,
		(unsigned)source->sum.messages, (unsigned)source->sum.recipients,
		(unsigned)source->sum.strangers, (unsigned)source->sum.stopped);
	return ++gathered->count == gathered->most ? GP_ERR_AGAIN : GP_OK;
}

static void test_sources(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fill(store);
	struct gathered gathered = { .count = 0 };

	assert_int_equal(store_sent_each_source(store, alice, AT, 9, on_source, &gathered), GP_OK);
	assert_string_equal(gathered.text, "192.0.2.2 DE thunder\\x0abird 1-1: 1 10 5 0\n"
					   "192.0.2.1 DE thunder\\x0abird 0-4: 2 6 3 1\n"
					   "192.0.2.3 DE thunder\\x0abird 5-5: 0 0 0 1\n");
	gathered = (struct gathered){ .count = 0 };
	assert_int_equal(store_sent_each_source(store, alice, AT, 2, on_source, &gathered), GP_OK);
	assert_int_equal(gathered.count, 2);
	gathered = (struct gathered){ .most = 1 };
	assert_int_equal(
		store_sent_each_source(store, alice, AT, 9, on_source, &gathered), GP_ERR_AGAIN);
	assert_int_equal(gathered.count, 1);
}

static enum gp_err on_sent(const struct store_sent_row *row, void *arg)
{
	struct gathered *gathered = arg;
	size_t used = strlen(gathered->text);

	(void)snprintf(gathered->text + used, sizeof gathered->text - used,
		"%u %d %u %.*s %.*s %.*s %.*s %.*s %u %u %u %.*s\n", (unsigned)row->id,
		(int)row->at - AT, (unsigned)row->device, SLICE_ARG(row->source),
		SLICE_ARG(row->country), SLICE_ARG(row->client_name), SLICE_ARG(row->sender),
		SLICE_ARG(row->subject), (unsigned)row->recipients, (unsigned)row->strangers,
		(unsigned)row->size, SLICE_ARG(row->outcome));
	return ++gathered->count == gathered->most ? GP_ERR_AGAIN : GP_OK;
}

static void test_each(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fill(store);
	struct gathered gathered = { .count = 0 };

	assert_int_equal(store_sent_each(store, alice, AT, 0, 2, on_sent, &gathered), GP_OK);
	assert_string_equal(gathered.text,
		"7 5 5 192.0.2.3 DE thunder\\x0abird a\\x1f@b.test sealed 8 4 4321 limited\n"
		"6 4 5 192.0.2.1 DE thunder\\x0abird a\\x1f@b.test sealed 50 25 4321 blocked\n");
	/* The next page, to the beginning. */
	gathered = (struct gathered){ .count = 0 };
	assert_int_equal(store_sent_each(store, alice, AT, 6, 9, on_sent, &gathered), GP_OK);
	assert_int_equal(gathered.count, 3);
	assert_non_null(strstr(gathered.text, "5 3 5 192.0.2.1"));
	assert_non_null(strstr(gathered.text, "2 0 5 192.0.2.1"));
	gathered = (struct gathered){ .most = 1 };
	assert_int_equal(store_sent_each(store, alice, AT, 0, 9, on_sent, &gathered), GP_ERR_AGAIN);
	assert_int_equal(gathered.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sum),
		TEST(test_sources),
		TEST(test_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
