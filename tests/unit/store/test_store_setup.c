/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store_setup.h"
#include "store_fixture.h"

#define TAG(n) ((const uint8_t[STORE_TAG_SIZE]){ n })

static enum gp_err add(
	struct store *store, uint64_t account, const uint8_t *tag, int64_t now, int64_t expires_at)
{
	const struct store_setup_link link = {
		.account = account, .name = "My phone", .expires_at = expires_at
	};

	return store_setup_add(store, &link, tag, now);
}

static void test_once(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	struct store_setup_link found;

	assert_int_equal(store_setup_find(store, TAG(1), &found), GP_ERR_NOT_FOUND);
	assert_int_equal(store_setup_use(store, TAG(1), 50), GP_ERR_NOT_FOUND);
	assert_int_equal(add(store, alice, TAG(1), 100, 200), GP_OK);
	assert_int_equal(store_setup_find(store, TAG(1), &found), GP_OK);
	assert_int_equal(found.account, alice);
	assert_string_equal(found.name, "My phone");
	assert_int_equal(found.expires_at, 200);
	assert_int_equal(found.used_at, 0);
	assert_int_equal(store_setup_use(store, TAG(1), 200), GP_ERR_NOT_FOUND);
	assert_int_equal(store_setup_use(store, TAG(1), 199), GP_OK);
	assert_int_equal(store_setup_use(store, TAG(1), 150), GP_ERR_NOT_FOUND);
	assert_int_equal(store_setup_find(store, TAG(1), &found), GP_OK);
	assert_int_equal(found.used_at, 199);
}

static void test_one_of_an_account(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");

	assert_int_equal(add(store, alice, TAG(2), 1000, 2000), GP_OK);
	assert_int_equal(add(store, bob, TAG(3), 1000, 2000), GP_OK);
	assert_int_equal(add(store, alice, TAG(4), 1001, 2000), GP_OK);
	assert_int_equal(store_setup_use(store, TAG(2), 1002), GP_ERR_NOT_FOUND);
	assert_int_equal(store_setup_end_all(store, alice, 1003), GP_OK);
	assert_int_equal(store_setup_use(store, TAG(4), 1004), GP_ERR_NOT_FOUND);
	assert_int_equal(store_setup_use(store, TAG(3), 1004), GP_OK);
}

static void test_forgotten(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	struct store_setup_link found;

	assert_int_equal(add(store, alice, TAG(1), 100, 200), GP_OK);
	assert_int_equal(
		add(store, alice, TAG(5), 200 + STORE_SETUP_KEEP, 300 + STORE_SETUP_KEEP), GP_OK);
	assert_int_equal(store_setup_find(store, TAG(1), &found), GP_OK);
	assert_int_equal(
		add(store, alice, TAG(6), 201 + STORE_SETUP_KEEP, 300 + STORE_SETUP_KEEP), GP_OK);
	assert_int_equal(store_setup_find(store, TAG(1), &found), GP_ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_once, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_one_of_an_account, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_forgotten, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
