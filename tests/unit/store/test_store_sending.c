/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "store/store_sending.h"
#include "store_fixture.h"

enum {
	NOW = 1800000000,
	DAY = 24 * 60 * 60,
};

static struct ip ip_of(const char *text)
{
	struct ip ip = { 0 };

	assert_int_equal(ip_parse(slice_str(text), &ip), GP_OK);
	return ip;
}

static void profiles_are_kept_and_die_with_the_account(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t account = fixture_account(store, "alice@example.test");
	static const char packed[] = "\0\1\2 with a NUL";
	struct slice bytes = slice_of(packed, sizeof packed);
	struct buf out;

	buf_init(&out, 100);
	assert_int_equal(store_profile_find(store, account, &out), GP_ERR_NOT_FOUND);
	assert_int_equal(store_profile_keep(store, account, SLICE_LIT("old"), NOW), GP_OK);
	assert_int_equal(store_profile_keep(store, account, bytes, NOW + 1), GP_OK);
	assert_int_equal(store_profile_find(store, account, &out), GP_OK);
	assert_true(slice_equal(buf_slice(&out), bytes));
	assert_int_equal(store_profile_keep(store, account + 1, bytes, NOW), GP_ERR_NOT_FOUND);
	assert_int_equal(store_account_remove(store, account), GP_OK);
	buf_clear(&out);
	assert_int_equal(store_profile_find(store, account, &out), GP_ERR_NOT_FOUND);
	buf_fini(&out);
}

static void add(struct store *store, uint64_t account, const char *client, int64_t at,
	uint32_t recipients, enum sent_outcome outcome)
{
	static uint64_t number = 1;
	const struct store_sent sent = { .at = at,
		.session = 7,
		.account = account,
		.client = ip_of(client),
		.country = 'D' << 8 | 'E',
		.client_name = SLICE_LIT("a \x01 name"),
		.sender = SLICE_LIT("alice@example.test"),
		.subject = SLICE_LIT("\0sealed"),
		.recipients = recipients,
		.strangers = recipients / 2,
		.size = UINT64_MAX,
		.outcome = outcome,
		.number = ++number };

	assert_int_equal(store_sent_add(store, &sent), GP_OK);
}

struct seen {
	unsigned count;
	struct store_spent sum;
	int64_t last;
};

static enum gp_err see(const struct store_spent *spent, void *arg)
{
	struct seen *seen = arg;

	assert_true(spent->at > seen->last);
	seen->last = spent->at;
	seen->count++;
	seen->sum.messages += spent->messages;
	seen->sum.recipients += spent->recipients;
	seen->sum.strangers += spent->strangers;
	return GP_OK;
}

static void assert_spent(const struct seen *seen, unsigned steps, unsigned messages,
	unsigned recipients, unsigned strangers)
{
	assert_int_equal(seen->count, steps);
	assert_int_equal(seen->sum.messages, messages);
	assert_int_equal(seen->sum.recipients, recipients);
	assert_int_equal(seen->sum.strangers, strangers);
}

static void what_was_spent_comes_back(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");
	struct ip source = ip_of("192.0.2.1");
	struct ip v6 = ip_of("2001:db8:1:2::");
	struct seen of_alice = { 0 }, of_domain = { 0 }, of_source = { 0 }, of_v6 = { 0 };
	struct seen of_nobody = { 0 };

	add(store, alice, "192.0.2.1", NOW - DAY - 1, 100, SENT_ACCEPTED); /* too long ago */
	add(store, alice, "192.0.2.1", NOW - 700, 10, SENT_ACCEPTED);
	add(store, alice, "192.0.2.1", NOW, 4, SENT_ACCEPTED); /* these two within a step */
	add(store, alice, "192.0.2.2", NOW + 1, 6, SENT_ACCEPTED);
	add(store, alice, "192.0.2.1", NOW, 50, SENT_REFUSED);
	add(store, alice, "192.0.2.1", NOW, 50, SENT_LIMITED);
	add(store, bob, "192.0.2.1", NOW, 8, SENT_ACCEPTED);
	add(store, bob, "2001:db8:1:2::77", NOW, 2, SENT_ACCEPTED);

	assert_int_equal(
		store_spent_each_of_account(store, alice, NOW - DAY, see, &of_alice), GP_OK);
	assert_spent(&of_alice, 2, 3, 20, 10);
	assert_int_equal(store_spent_each_of_domain(
				 store, SLICE_LIT("example.test"), NOW - DAY, see, &of_domain),
		GP_OK);
	assert_spent(&of_domain, 2, 5, 30, 15);
	assert_int_equal(store_spent_each_of_domain(
				 store, SLICE_LIT("other.test"), NOW - DAY, see, &of_nobody),
		GP_OK);
	assert_spent(&of_nobody, 0, 0, 0, 0);
	assert_int_equal(
		store_spent_each_of_source(store, &source, NOW - DAY, see, &of_source), GP_OK);
	assert_spent(&of_source, 2, 3, 22, 11);
	assert_int_equal(store_spent_each_of_source(store, &v6, NOW - DAY, see, &of_v6), GP_OK);
	assert_spent(&of_v6, 1, 1, 2, 1);
}

static void old_rows_go_and_the_newest_number_stays(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t number = 0, last = 0;
	struct seen seen = { 0 };
	bool is_more = false;

	assert_int_equal(store_sent_last_number(store, &number), GP_ERR_NOT_FOUND);
	for (int i = 0; i < 5; i++)
		add(store, alice, "192.0.2.1", NOW + 1000 * i, 1, SENT_ACCEPTED);
	assert_int_equal(store_sent_last_number(store, &number), GP_OK);
	assert_int_equal(store_sent_sweep(store, NOW + 3000, 2, &is_more), GP_OK);
	assert_true(is_more);
	is_more = false;
	assert_int_equal(store_sent_sweep(store, NOW + 3000, 2, &is_more), GP_OK);
	assert_false(is_more);
	assert_int_equal(store_spent_each_of_account(store, alice, 0, see, &seen), GP_OK);
	assert_spent(&seen, 2, 2, 2, 0);
	assert_int_equal(store_sent_last_number(store, &last), GP_OK);
	assert_int_equal(last, number);
}

static enum gp_err join(struct slice sender, void *arg)
{
	char *text = arg;

	(void)snprintf(
		text + strlen(text), 200 - strlen(text), "%.*s ", (int)sender.len, sender.data);
	return GP_OK;
}

static void senders_are_listed_for_accounts_and_domains(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	const struct store_sender_owner own = { .account = alice };
	const struct store_sender_owner all = { .domain = SLICE_LIT("example.test") };
	const struct store_sender_owner none = { .domain = SLICE_LIT("other.test") };
	char text[200] = "";

	assert_int_equal(store_sender_add(store, &own, SLICE_LIT("b@other.test"), NOW), GP_OK);
	assert_int_equal(store_sender_add(store, &own, SLICE_LIT("@a.test"), NOW), GP_OK);
	assert_int_equal(store_sender_add(store, &own, SLICE_LIT("@a.test"), NOW), GP_ERR_EXISTS);
	assert_int_equal(store_sender_add(store, &all, SLICE_LIT("@a.test"), NOW), GP_OK);
	assert_int_equal(
		store_sender_add(store, &none, SLICE_LIT("@a.test"), NOW), GP_ERR_NOT_FOUND);
	assert_int_equal(store_sender_each(store, &own, join, text), GP_OK);
	assert_string_equal(text, "@a.test b@other.test ");
	assert_int_equal(store_sender_remove(store, &own, SLICE_LIT("@a.test")), GP_OK);
	assert_int_equal(store_sender_remove(store, &own, SLICE_LIT("@a.test")), GP_ERR_NOT_FOUND);
	text[0] = '\0';
	assert_int_equal(store_sender_each(store, &all, join, text), GP_OK);
	assert_string_equal(text, "@a.test ");
	/* With the account they go; its number may not come again, but all the same. */
	assert_int_equal(store_account_remove(store, alice), GP_OK);
	text[0] = '\0';
	assert_int_equal(store_sender_each(store, &own, join, text), GP_OK);
	assert_string_equal(text, "");
}

static void so_many_senders_and_no_more(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	const struct store_sender_owner own = { .account = alice };
	const struct store_sender_owner all = { .domain = SLICE_LIT("example.test") };
	char sender[32];

	for (unsigned i = 0; i <= STORE_SENDERS_MAX; i++) {
		(void)snprintf(sender, sizeof sender, "%u@a.test", i);
		assert_int_equal(store_sender_add(store, &own, slice_str(sender), NOW),
			i < STORE_SENDERS_MAX ? GP_OK : GP_ERR_LIMIT);
	}
	assert_int_equal(store_sender_add(store, &all, SLICE_LIT("x@a.test"), NOW), GP_OK);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(profiles_are_kept_and_die_with_the_account),
		CASE(what_was_spent_comes_back),
		CASE(old_rows_go_and_the_newest_number_stays),
		CASE(senders_are_listed_for_accounts_and_domains),
		CASE(so_many_senders_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
