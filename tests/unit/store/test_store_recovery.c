/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store/store_case.h"
#include "store/store_recovery.h"
#include "store/store_twofactor.h"
#include "store_fixture.h"

static const uint8_t one[STORE_TAG_SIZE] = { 1 };
static const uint8_t two[STORE_TAG_SIZE] = { 2 };

static struct store_recovery_address get(struct store *store, uint64_t account)
{
	struct store_recovery_address found;

	assert_int_equal(store_recovery_address_get(store, account, &found), GP_OK);
	return found;
}

static void test_address(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");

	assert_string_equal(get(store, alice).address, "");
	assert_int_equal(
		store_recovery_address_begin(store, alice, SLICE_LIT("a@one.test"), one, 10),
		GP_OK);
	assert_string_equal(get(store, alice).address, "");
	assert_string_equal(get(store, alice).pending, "a@one.test");
	assert_int_equal(
		store_recovery_address_confirm(store, alice, two, 0, 20), GP_ERR_NOT_FOUND);
	assert_int_equal(store_recovery_address_confirm(store, bob, one, 0, 20), GP_ERR_NOT_FOUND);
	assert_int_equal(
		store_recovery_address_confirm(store, alice, one, 11, 20), GP_ERR_NOT_FOUND);
	assert_int_equal(store_recovery_address_confirm(store, alice, one, 10, 20), GP_OK);
	assert_int_equal(
		store_recovery_address_confirm(store, alice, one, 10, 20), GP_ERR_NOT_FOUND);
	assert_string_equal(get(store, alice).address, "a@one.test");
	assert_string_equal(get(store, alice).pending, "");
	assert_int_equal(get(store, alice).confirmed_at, 20);
	/* The old one stays until the new one is confirmed. */
	assert_int_equal(
		store_recovery_address_begin(store, alice, SLICE_LIT("a@two.test"), two, 30),
		GP_OK);
	assert_string_equal(get(store, alice).address, "a@one.test");
	assert_int_equal(store_recovery_address_confirm(store, alice, two, 0, 40), GP_OK);
	assert_string_equal(get(store, alice).address, "a@two.test");
	assert_int_equal(store_recovery_address_remove(store, alice), GP_OK);
	assert_string_equal(get(store, alice).address, "");
	assert_int_equal(store_recovery_address_remove(store, alice), GP_OK);
}

static void test_token(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");
	struct store_link found;

	assert_int_equal(store_link_find(store, one, &found), GP_ERR_NOT_FOUND);
	assert_int_equal(store_link_use(store, one, 50), GP_ERR_NOT_FOUND);
	assert_int_equal(store_link_add(store, alice, one, 100, 200), GP_OK);
	assert_int_equal(store_link_find(store, one, &found), GP_OK);
	assert_int_equal(found.account, alice);
	assert_int_equal(found.expires_at, 200);
	assert_int_equal(found.used_at, 0);
	assert_int_equal(store_link_use(store, one, 200), GP_ERR_NOT_FOUND);
	assert_int_equal(store_link_use(store, one, 199), GP_OK);
	assert_int_equal(store_link_use(store, one, 150), GP_ERR_NOT_FOUND);
	assert_int_equal(store_link_find(store, one, &found), GP_OK);
	assert_int_equal(found.used_at, 199);
	/* A second link ends the first one, of this account only. */
	assert_int_equal(store_link_add(store, alice, two, 1000, 2000), GP_OK);
	assert_int_equal(
		store_link_add(store, bob, (const uint8_t[STORE_TAG_SIZE]){ 3 }, 1000, 2000),
		GP_OK);
	assert_int_equal(
		store_link_add(store, alice, (const uint8_t[STORE_TAG_SIZE]){ 4 }, 1001, 2000),
		GP_OK);
	assert_int_equal(store_link_use(store, two, 1002), GP_ERR_NOT_FOUND);
	assert_int_equal(store_link_use(store, (const uint8_t[STORE_TAG_SIZE]){ 3 }, 1002), GP_OK);
	assert_int_equal(store_link_end_all(store, alice, 1003), GP_OK);
	assert_int_equal(store_link_use(store, (const uint8_t[STORE_TAG_SIZE]){ 4 }, 1004),
		GP_ERR_NOT_FOUND);
	/* What is long over is forgotten. */
	assert_int_equal(store_link_add(store, bob, (const uint8_t[STORE_TAG_SIZE]){ 5 },
				 200 + STORE_LINK_KEEP, 300 + STORE_LINK_KEEP),
		GP_OK);
	assert_int_equal(store_link_find(store, one, &found), GP_OK);
	assert_int_equal(store_link_add(store, bob, (const uint8_t[STORE_TAG_SIZE]){ 6 },
				 201 + STORE_LINK_KEEP, 300 + STORE_LINK_KEEP),
		GP_OK);
	assert_int_equal(store_link_find(store, one, &found), GP_ERR_NOT_FOUND);
}

/* What one account has, no other loses or uses. */
static void test_of_two_accounts(void **state)
{
	static const uint8_t hers[][STORE_TAG_SIZE] = { { 11 }, { 12 } };
	static const uint8_t his[][STORE_TAG_SIZE] = { { 21 } };
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");
	unsigned count = 99;
	int64_t made_at = 99;

	assert_int_equal(store_recovery_made(store, alice, &made_at), GP_OK);
	assert_int_equal(made_at, 0);
	assert_int_equal(store_recovery_set(store, alice, hers, 2, 100), GP_OK);
	assert_int_equal(store_recovery_set(store, bob, his, 1, 200), GP_OK);
	assert_int_equal(store_recovery_made(store, alice, &made_at), GP_OK);
	assert_int_equal(made_at, 100);
	assert_int_equal(store_recovery_count(store, alice, &count), GP_OK);
	assert_int_equal(count, 2);
	assert_int_equal(store_recovery_take(store, alice, his[0]), GP_ERR_NOT_FOUND);
	assert_int_equal(store_recovery_use(store, alice, his[0]), GP_ERR_NOT_FOUND);
	assert_int_equal(store_recovery_take(store, alice, hers[0]), GP_OK);
	assert_int_equal(store_recovery_take(store, alice, hers[0]), GP_ERR_NOT_FOUND);
	assert_int_equal(store_recovery_count(store, alice, &count), GP_OK);
	assert_int_equal(count, 1);
	assert_int_equal(store_recovery_set(store, alice, hers, 0, 300), GP_OK);
	assert_int_equal(store_recovery_take(store, bob, his[0]), GP_OK);
	/* Addresses. */
	assert_int_equal(
		store_recovery_address_begin(store, alice, SLICE_LIT("a@one.test"), one, 10),
		GP_OK);
	assert_int_equal(
		store_recovery_address_begin(store, bob, SLICE_LIT("b@one.test"), two, 11), GP_OK);
	assert_int_equal(store_recovery_address_confirm(store, alice, one, 10, 20), GP_OK);
	assert_int_equal(get(store, alice).pending_at, 0);
	assert_int_equal(get(store, bob).pending_at, 11);
	assert_int_equal(store_recovery_address_remove(store, alice), GP_OK);
	assert_int_equal(store_recovery_address_confirm(store, bob, two, 11, 21), GP_OK);
	assert_string_equal(get(store, bob).address, "b@one.test");
	assert_int_equal(store_recovery_address_remove(store, alice), GP_OK);
	assert_string_equal(get(store, bob).address, "b@one.test");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_address, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_token, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_of_two_accounts, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
