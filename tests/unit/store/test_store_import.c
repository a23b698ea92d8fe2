/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "store_fixture.h"

static struct slice s(const char *text)
{
	return slice_str(text);
}

static enum gp_err stage(struct store *store, const char *address, const char *domain)
{
	const struct store_staged staged = { .address = s(address),
		.domain = s(domain),
		.role = s("user"),
		.route = s(""),
		.password = "hash" };

	return store_stage_account(store, &staged);
}

static void test_finish(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_account account;
	struct store_domain domain;
	uint64_t accounts = 0;
	uint64_t domains = 0;

	(void)fixture_account(store, "alice@example.test");
	assert_int_equal(stage(store, "bob@example.test", "example.test"), GP_OK);
	assert_int_equal(stage(store, "carl@new.test", "new.test"), GP_OK);
	assert_int_equal(
		store_stage_alias(store, s("post@third.test"), s("bob@example.test")), GP_OK);
	assert_int_equal(
		store_account_find(store, s("bob@example.test"), &account), GP_ERR_NOT_FOUND);
	assert_int_equal(store_stage_finish(store, 5, &accounts, &domains), GP_OK);
	assert_int_equal(accounts, 2);
	assert_int_equal(domains, 2);
	assert_int_equal(store_account_find(store, s("post@third.test"), &account), GP_OK);
	assert_string_equal(account.address, "bob@example.test");
	assert_string_equal(account.password, "hash");
	assert_int_equal(account.password_at, 5);
	assert_int_equal(store_domain_find(store, s("new.test"), &domain), GP_OK);
	/* nothing is left for the next one */
	assert_int_equal(store_stage_finish(store, 6, &accounts, &domains), GP_OK);
	assert_int_equal(accounts, 0);
}

static void test_taken(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t id = 0;

	assert_int_equal(store_alias_add(store, alice, s("post@example.test")), GP_OK);
	assert_int_equal(
		store_domain_add(store, s("mail.example.test"), s("example.test"), 1, &id), GP_OK);
	assert_int_equal(stage(store, "alice@example.test", "example.test"), GP_ERR_EXISTS);
	assert_int_equal(stage(store, "post@example.test", "example.test"), GP_ERR_EXISTS);
	assert_int_equal(
		stage(store, "x@mail.example.test", "mail.example.test"), GP_ERR_NOT_FOUND);
	assert_int_equal(stage(store, "bob@example.test", "example.test"), GP_OK);
	assert_int_equal(stage(store, "bob@example.test", "example.test"), GP_ERR_EXISTS);
	assert_int_equal(
		store_stage_alias(store, s("b@example.test"), s("bob@example.test")), GP_OK);
	assert_int_equal(stage(store, "b@example.test", "example.test"), GP_ERR_EXISTS);
	assert_int_equal(store_stage_alias(store, s("bob@example.test"), s("bob@example.test")),
		GP_ERR_EXISTS);
	assert_int_equal(store_stage_clear(store), GP_OK);
	assert_int_equal(stage(store, "b@example.test", "example.test"), GP_OK);
}

/* Taken by another operation between staging and the end: all or nothing. */
static void test_raced(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_account account;
	uint64_t accounts = 0;
	uint64_t domains = 0;
	uint64_t alice;

	assert_int_equal(stage(store, "alice@example.test", "example.test"), GP_OK);
	assert_int_equal(stage(store, "bob@new.test", "new.test"), GP_OK);
	alice = fixture_account(store, "alice@example.test");
	assert_int_equal(store_stage_finish(store, 5, &accounts, &domains), GP_ERR_EXISTS);
	assert_int_equal(store_account_find(store, s("bob@new.test"), &account), GP_ERR_NOT_FOUND);
	assert_int_equal(store_stage_clear(store), GP_OK);
	assert_int_equal(stage(store, "post@example.test", "example.test"), GP_OK);
	assert_int_equal(store_alias_add(store, alice, s("post@example.test")), GP_OK);
	assert_int_equal(store_stage_finish(store, 5, &accounts, &domains), GP_ERR_EXISTS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_finish),
		TEST(test_taken),
		TEST(test_raced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
