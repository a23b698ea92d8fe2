/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store/store_twofactor.h"
#include "store_fixture.h"

static const struct slice sealed = { "sealed key", 10 };
static const struct slice other = { "other key", 9 };

static struct store_twofactor get(struct store *store, uint64_t account)
{
	struct store_twofactor found;

	assert_int_equal(store_twofactor_get(store, account, &found), GP_OK);
	return found;
}

static int64_t on_since(struct store *store, uint64_t account)
{
	struct store_account found;

	assert_int_equal(store_account_get(store, account, &found), GP_OK);
	return found.twofactor_at;
}

static void test_enrol(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	uint64_t id = fixture_account(store, "alice@example.test");
	struct store_twofactor found = get(store, id);
	char longest[STORE_SEALED_SIZE + 1] = "";

	assert_int_equal(found.secret.len + found.pending.len, 0);
	assert_int_equal(store_twofactor_confirm(store, id, sealed, 5, 2000), GP_ERR_NOT_FOUND);
	assert_int_equal(store_twofactor_begin(store, id, sealed, 1000), GP_OK);
	assert_int_equal(store_twofactor_note_wrong(store, id, true), GP_OK);
	found = get(store, id);
	assert_int_equal(found.pending.len, sealed.len);
	assert_memory_equal(found.pending.data, sealed.data, sealed.len);
	assert_int_equal(found.pending_at, 1000);
	assert_int_equal(found.pending_wrong, 1);
	assert_int_equal(found.secret.len, 0);
	assert_int_equal(on_since(store, id), 0);
	/* Begun again meanwhile: the first key is none any more. */
	assert_int_equal(store_twofactor_begin(store, id, other, 1001), GP_OK);
	assert_int_equal(get(store, id).pending_wrong, 0);
	assert_int_equal(store_twofactor_confirm(store, id, sealed, 5, 2000), GP_ERR_NOT_FOUND);
	assert_int_equal(on_since(store, id), 0);
	assert_int_equal(store_twofactor_confirm(store, id, other, 5, 2000), GP_OK);
	assert_int_equal(store_twofactor_confirm(store, id, other, 6, 2001), GP_ERR_NOT_FOUND);
	found = get(store, id);
	assert_int_equal(found.secret.len, other.len);
	assert_int_equal(found.pending.len, 0);
	assert_int_equal(found.used_step, 5);
	assert_int_equal(on_since(store, id), 2000);
	assert_int_equal(store_twofactor_begin(store, id, slice_of(longest, sizeof longest), 1),
		GP_ERR_LIMIT);
	assert_int_equal(store_twofactor_off(store, id), GP_OK);
	assert_int_equal(get(store, id).secret.len, 0);
	assert_int_equal(on_since(store, id), 0);
	assert_int_equal(store_twofactor_off(store, 99), GP_ERR_NOT_FOUND);
}

static void test_use(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	uint64_t id = fixture_account(store, "alice@example.test");
	struct store *second = NULL;
	struct gp_why why = { "" };

	assert_int_equal(store_open(fixture->path, &second, &why), GP_OK);
	assert_int_equal(store_twofactor_begin(store, id, sealed, 1000), GP_OK);
	assert_int_equal(store_twofactor_confirm(store, id, sealed, 5, 2000), GP_OK);
	assert_int_equal(store_twofactor_use(second, id, 5), GP_ERR_NOT_FOUND);
	assert_int_equal(store_twofactor_use(second, id, 7), GP_OK);
	assert_int_equal(store_twofactor_use(store, id, 7), GP_ERR_NOT_FOUND);
	assert_int_equal(store_twofactor_use(store, id, 6), GP_ERR_NOT_FOUND);
	for (int i = 0; i < STORE_WRONG_MAX - 1; i++)
		assert_int_equal(store_twofactor_note_wrong(store, id, false), GP_OK);
	assert_int_equal(store_twofactor_use(second, id, 8), GP_OK);
	assert_int_equal(get(store, id).wrong, 0);
	for (int i = 0; i < STORE_WRONG_MAX; i++)
		assert_int_equal(store_twofactor_note_wrong(second, id, false), GP_OK);
	assert_int_equal(get(store, id).wrong, STORE_WRONG_MAX);
	assert_int_equal(store_twofactor_use(store, id, 9), GP_ERR_NOT_FOUND);
	store_close(&second);
}

static void test_recovery(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	uint64_t id = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");
	uint8_t tags[3][STORE_TAG_SIZE] = { { 1 }, { 2 }, { 3 } };
	unsigned count = 9;

	assert_int_equal(store_twofactor_begin(store, id, sealed, 1000), GP_OK);
	assert_int_equal(store_twofactor_confirm(store, id, sealed, 5, 2000), GP_OK);
	assert_int_equal(
		store_recovery_set(store, id, (const uint8_t(*)[STORE_TAG_SIZE])tags, 3, 1), GP_OK);
	assert_int_equal(store_twofactor_note_wrong(store, id, false), GP_OK);
	assert_int_equal(store_recovery_use(store, bob, tags[0]), GP_ERR_NOT_FOUND);
	assert_int_equal(store_recovery_use(store, id, tags[1]), GP_OK);
	assert_int_equal(store_recovery_use(store, id, tags[1]), GP_ERR_NOT_FOUND);
	assert_int_equal(store_recovery_count(store, id, &count), GP_OK);
	assert_int_equal(count, 2);
	assert_int_equal(get(store, id).wrong, 0);
	assert_true(get(store, id).must_twofactor && get(store, id).must_password);
	assert_int_equal(store_twofactor_password_done(store, id), GP_OK);
	assert_true(get(store, id).must_twofactor && !get(store, id).must_password);
	assert_int_equal(store_twofactor_begin(store, id, other, 1000), GP_OK);
	assert_int_equal(store_twofactor_confirm(store, id, other, 6, 2000), GP_OK);
	assert_false(get(store, id).must_twofactor);
	/* New ones take the place of all. */
	assert_int_equal(
		store_recovery_set(store, id, (const uint8_t(*)[STORE_TAG_SIZE])tags, 1, 1), GP_OK);
	assert_int_equal(store_recovery_use(store, id, tags[2]), GP_ERR_NOT_FOUND);
	assert_int_equal(store_account_remove(store, id), GP_OK);
	assert_int_equal(store_recovery_count(store, id, &count), GP_OK);
	assert_int_equal(count, 0);
	assert_int_equal(get(store, id).secret.len, 0);
}

static void test_removal(void **state)
{
	struct fixture *fixture = *state;
	struct store *store = fixture->store;
	uint64_t id = fixture_account(store, "alice@example.test");
	uint64_t due = 0;

	assert_int_equal(store_twofactor_set_removal(store, id, 5000), GP_ERR_NOT_FOUND);
	assert_int_equal(store_twofactor_begin(store, id, sealed, 1000), GP_OK);
	assert_int_equal(store_twofactor_set_removal(store, id, 5000), GP_ERR_NOT_FOUND);
	assert_int_equal(store_twofactor_confirm(store, id, sealed, 5, 2000), GP_OK);
	assert_int_equal(store_twofactor_set_removal(store, id, 5000), GP_OK);
	assert_int_equal(get(store, id).secret.len, sealed.len);
	assert_int_equal(store_twofactor_find_due(store, 4999, &due), GP_ERR_NOT_FOUND);
	assert_int_equal(store_twofactor_find_due(store, 5000, &due), GP_OK);
	assert_int_equal(due, id);
	assert_int_equal(store_twofactor_set_removal(store, id, 0), GP_OK);
	assert_int_equal(store_twofactor_find_due(store, 9000, &due), GP_ERR_NOT_FOUND);
	/* Set up anew: the wish is answered. */
	assert_int_equal(store_twofactor_set_removal(store, id, 5000), GP_OK);
	assert_int_equal(store_twofactor_begin(store, id, other, 1000), GP_OK);
	assert_int_equal(store_twofactor_confirm(store, id, other, 6, 2000), GP_OK);
	assert_int_equal(store_twofactor_find_due(store, 9000, &due), GP_ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_enrol, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_use, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_recovery, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_removal, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
