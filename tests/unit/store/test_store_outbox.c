/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store/store_outbox.h"
#include "store_fixture.h"

enum {
	NOW = 1000,
	ACCOUNT = 7
};

static struct store_outbox row_at(int64_t due_at, const char *kind)
{
	struct store_outbox row = { .account = ACCOUNT,
		.recipient = "alice@example.test",
		.language = "de",
		.content = SLICE_LIT("sea\0led"),
		.created_at = NOW,
		.due_at = due_at };

	assert_true(slice_copy(slice_str(kind), row.kind, sizeof row.kind));
	return row;
}

static uint64_t add(struct store *store, int64_t due_at, const char *kind)
{
	struct store_outbox row = row_at(due_at, kind);
	uint64_t id = 0;

	assert_int_equal(store_outbox_add(store, &row, &id), GP_OK);
	return id;
}

struct seen {
	unsigned count;
	uint64_t ids[8];
};

static enum gp_err see(const struct store_outbox *row, void *arg)
{
	struct seen *seen = arg;

	assert_int_equal(row->account, ACCOUNT);
	assert_string_equal(row->recipient, "alice@example.test");
	assert_string_equal(row->language, "de");
	assert_true(slice_equal(row->content, SLICE_LIT("sea\0led")));
	seen->ids[seen->count++] = row->id;
	return GP_OK;
}

static struct seen due(struct store *store, int64_t now, uint64_t limit)
{
	struct seen seen = { 0 };

	assert_int_equal(store_outbox_each_due(store, now, limit, see, &seen), GP_OK);
	return seen;
}

static void what_is_due_comes_oldest_first(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	int64_t next = 0;
	uint64_t late = 0;
	uint64_t early = 0;
	struct seen seen;

	assert_int_equal(store_outbox_next(store, &next), GP_ERR_NOT_FOUND);
	late = add(store, NOW + 20, "password_changed");
	early = add(store, NOW + 10, "device_added");
	(void)add(store, NOW + 30, "device_added");
	assert_int_equal(store_outbox_next(store, &next), GP_OK);
	assert_int_equal(next, NOW + 10);
	assert_int_equal(due(store, NOW + 9, 8).count, 0);
	seen = due(store, NOW + 20, 8);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.ids[0], early);
	assert_int_equal(seen.ids[1], late);
	assert_int_equal(due(store, NOW + 20, 1).count, 1);
}

static void what_was_tried_comes_again_and_what_is_done_does_not(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	struct store_outbox row;
	uint64_t id = add(store, NOW, "device_added");
	uint64_t count = 0;

	assert_int_equal(store_outbox_put_off(store, id, NOW + 60), GP_OK);
	assert_int_equal(due(store, NOW + 59, 8).count, 0);
	assert_int_equal(due(store, NOW + 60, 8).count, 1);
	assert_int_equal(store_outbox_find(store, id, &row), GP_OK);
	assert_int_equal(row.tries, 1);
	assert_string_equal(row.kind, "device_added");
	assert_int_equal(row.content.len, 0);
	assert_int_equal(store_outbox_finish(store, id, NOW + 61, STORE_OUTBOX_TAKEN, ""), GP_OK);
	assert_int_equal(
		store_outbox_finish(store, id, NOW + 61, STORE_OUTBOX_TAKEN, ""), GP_ERR_NOT_FOUND);
	assert_int_equal(store_outbox_find(store, id, &row), GP_ERR_NOT_FOUND);
	assert_int_equal(store_outbox_put_off(store, id, NOW), GP_ERR_NOT_FOUND);
	assert_int_equal(due(store, NOW + 100, 8).count, 0);
	/* It is still known that it was sent. */
	assert_int_equal(
		store_outbox_count(store, ACCOUNT, SLICE_LIT("device_added"), NOW, &count), GP_OK);
	assert_int_equal(count, 1);
	assert_int_equal(
		store_outbox_count(store, ACCOUNT, SLICE_LIT("new_network"), NOW, &count), GP_OK);
	assert_int_equal(count, 0);
	assert_int_equal(store_outbox_count(store, ACCOUNT, SLICE_LIT(""), NOW + 1, &count), GP_OK);
	assert_int_equal(count, 0);
	assert_int_equal(store_outbox_sweep(store, NOW + 61), GP_OK);
	assert_int_equal(store_outbox_count(store, ACCOUNT, SLICE_LIT(""), NOW, &count), GP_OK);
	assert_int_equal(count, 1);
	assert_int_equal(store_outbox_sweep(store, NOW + 62), GP_OK);
	assert_int_equal(store_outbox_count(store, ACCOUNT, SLICE_LIT(""), NOW, &count), GP_OK);
	assert_int_equal(count, 0);
}

static void it_is_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	char content[STORE_OUTBOX_CONTENT_MAX + 1] = { 0 };
	struct store_outbox row = row_at(NOW, "device_added");
	uint64_t id = 0;

	row.content = slice_of(content, sizeof content);
	assert_int_equal(store_outbox_add(store, &row, &id), GP_ERR_LIMIT);
	row.content.len--;
	assert_int_equal(store_begin(store, STORE_RELAXED), GP_OK);
	row.content.len = 0;
	for (unsigned i = 0; i < STORE_OUTBOX_MAX; i++)
		assert_int_equal(store_outbox_add(store, &row, &id), GP_OK);
	assert_int_equal(store_outbox_add(store, &row, &id), GP_ERR_LIMIT);
	assert_int_equal(store_outbox_finish(store, id, NOW, STORE_OUTBOX_TAKEN, ""), GP_OK);
	assert_int_equal(store_outbox_add(store, &row, &id), GP_OK);
	assert_int_equal(store_commit(store), GP_OK);
}

static void the_fate_of_the_latest_is_known(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	const struct slice kind = SLICE_LIT("test_message");
	struct store_outbox_fate fate;
	char long_words[STORE_OUTBOX_SAID_SIZE] = "";
	uint64_t first;
	uint64_t second;

	assert_int_equal(store_outbox_latest(store, ACCOUNT, kind, &fate), GP_ERR_NOT_FOUND);
	first = add(store, NOW, "test_message");
	second = add(store, NOW, "test_message");
	(void)add(store, NOW, "device_added");
	assert_int_equal(store_outbox_latest(store, ACCOUNT + 1, kind, &fate), GP_ERR_NOT_FOUND);
	assert_int_equal(store_outbox_finish(store, first, NOW + 1, STORE_OUTBOX_TAKEN, ""), GP_OK);
	assert_int_equal(store_outbox_latest(store, ACCOUNT, kind, &fate), GP_OK);
	assert_int_equal(fate.id, second);
	assert_int_equal(fate.state, STORE_OUTBOX_WAITING);
	assert_int_equal(fate.done_at, 0);
	memset(long_words, 'x', sizeof long_words - 1);
	assert_int_equal(
		store_outbox_finish(store, second, NOW + 2, STORE_OUTBOX_REFUSED, long_words),
		GP_OK);
	assert_int_equal(store_outbox_latest(store, ACCOUNT, kind, &fate), GP_OK);
	assert_int_equal(fate.state, STORE_OUTBOX_REFUSED);
	assert_int_equal(fate.created_at, NOW);
	assert_int_equal(fate.done_at, NOW + 2);
	assert_string_equal(fate.said, long_words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_due_comes_oldest_first, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			what_was_tried_comes_again_and_what_is_done_does_not, fixture_setup,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(
			the_fate_of_the_latest_is_known, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(it_is_bounded, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
