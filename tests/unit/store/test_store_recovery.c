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

static struct store_recovery_address get_at(struct store *store, uint64_t account, int64_t now)
{
	struct store_recovery_address found;

	assert_int_equal(store_recovery_address_get(store, account, now, &found), GP_OK);
	return found;
}

static struct store_recovery_address get(struct store *store, uint64_t account)
{
	return get_at(store, account, 50);
}

static void set_address(struct store *store, uint64_t account, const char *address, int64_t now)
{
	assert_int_equal(
		store_recovery_address_begin(store, account, slice_str(address), one, now), GP_OK);
	assert_int_equal(store_recovery_address_confirm(store, account, one, now, now), GP_OK);
}

static void check_way_back(
	struct store *store, uint64_t account, int64_t now, const char *address, int64_t since)
{
	struct store_recovery_address found = get_at(store, account, now);
	int64_t found_since = -1;

	assert_string_equal(store_recovery_address_way_back(&found, &found_since), address);
	assert_int_equal(found_since, since);
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
	assert_int_equal(store_recovery_address_remove(store, alice, 50), GP_OK);
	assert_string_equal(get(store, alice).address, "");
	assert_int_equal(store_recovery_address_remove(store, alice, 50), GP_OK);
}

/* Who has the password changes it as often as he likes: the way back stays the owner's for the
 * hold. */
static void test_former(void **state)
{
	enum {
		HOLD = STORE_RECOVERY_HOLD,
		T = 1000,
	};
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");

	check_way_back(store, alice, 10, "", 0);
	/* The first one takes nobody's place. */
	set_address(store, alice, "a@one.test", 10);
	check_way_back(store, alice, 10, "a@one.test", 10);
	set_address(store, bob, "b@one.test", 11);
	set_address(store, alice, "thief@two.test", T);
	assert_string_equal(get_at(store, alice, T).address, "thief@two.test");
	assert_string_equal(get_at(store, alice, T).former, "a@one.test");
	assert_int_equal(get_at(store, alice, T).former_until, T + HOLD);
	check_way_back(store, alice, T, "a@one.test", 10);
	check_way_back(store, alice, T + HOLD - 1, "a@one.test", 10);
	check_way_back(store, alice, T + HOLD, "thief@two.test", T);
	assert_int_equal(get_at(store, alice, T + HOLD).former_until, 0);
	/* A further change, or none at all, holds the same one longer and makes no other the
	 * former. */
	set_address(store, alice, "thief@three.test", T + 100);
	check_way_back(store, alice, T + 100 + HOLD - 1, "a@one.test", 10);
	set_address(store, alice, "thief@three.test", T + 200);
	assert_int_equal(get_at(store, alice, T + 200).former_until, T + 100 + HOLD);
	assert_int_equal(store_recovery_address_remove(store, alice, T + 300), GP_OK);
	assert_string_equal(get_at(store, alice, T + 300).address, "");
	check_way_back(store, alice, T + 300, "a@one.test", 10);
	assert_int_equal(store_recovery_address_remove(store, alice, T + 400), GP_OK);
	check_way_back(store, alice, T + 300 + HOLD, "", 0);
	set_address(store, alice, "thief@two.test", T + 500);
	assert_int_equal(get_at(store, alice, T + 500).former_until, T + 500 + HOLD);
	/* By it, what took its place is undone, and what is awaited is not any more. */
	assert_int_equal(store_recovery_address_begin(
				 store, alice, SLICE_LIT("thief@four.test"), two, T + 600),
		GP_OK);
	assert_int_equal(store_recovery_address_restore(store, alice, T + 600), GP_OK);
	check_way_back(store, alice, T + 600, "a@one.test", 10);
	assert_string_equal(get_at(store, alice, T + 600).address, "a@one.test");
	assert_string_equal(get_at(store, alice, T + 600).former, "");
	assert_string_equal(get_at(store, alice, T + 600).pending, "");
	assert_int_equal(store_recovery_address_confirm(store, alice, two, T + 600, T + 600),
		GP_ERR_NOT_FOUND);
	/* So it is when its owner enters it again. */
	set_address(store, alice, "thief@two.test", T + 700);
	set_address(store, alice, "a@one.test", T + 800);
	check_way_back(store, alice, T + 800, "a@one.test", 10);
	assert_string_equal(get_at(store, alice, T + 800).former, "");
	/* Where nothing was changed there is nothing to undo. */
	assert_int_equal(store_recovery_address_restore(store, alice, T + 900), GP_OK);
	check_way_back(store, alice, T + 900, "a@one.test", 10);
	/* Bob had no part in any of this. */
	check_way_back(store, bob, T + 900, "b@one.test", 11);
	assert_string_equal(get_at(store, bob, T + 900).former, "");
}

/* What counts no more is not kept beyond the next change, of whomever. */
static void test_former_goes(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");

	set_address(store, alice, "a@one.test", 10);
	assert_int_equal(store_recovery_address_remove(store, alice, 20), GP_OK);
	set_address(store, bob, "b@one.test", 19 + STORE_RECOVERY_HOLD);
	assert_string_equal(get_at(store, alice, 20).former, "a@one.test");
	set_address(store, bob, "b@two.test", 20 + STORE_RECOVERY_HOLD);
	assert_string_equal(get_at(store, alice, 20).former, "");
	assert_string_equal(get_at(store, bob, 20 + STORE_RECOVERY_HOLD).former, "b@one.test");
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
	assert_int_equal(store_recovery_address_remove(store, alice, 50), GP_OK);
	assert_int_equal(store_recovery_address_confirm(store, bob, two, 11, 21), GP_OK);
	assert_string_equal(get(store, bob).address, "b@one.test");
	assert_int_equal(store_recovery_address_remove(store, alice, 50), GP_OK);
	assert_string_equal(get(store, bob).address, "b@one.test");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_address, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_former, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_former_goes, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_token, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_of_two_accounts, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
