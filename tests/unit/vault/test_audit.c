/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "vault/audit.h"
#include "vault_fixture.h"

enum {
	RECORDS = 6, /* that the setup leaves */
};

static int setup(void **state)
{
	struct fixture *fixture;
	int failed = fixture_setup(state);
	char arguments[128];

	if (failed != 0)
		return failed;
	fixture = *state;
	clock_fake(1800000000, 1000);
	assert_int_equal(fixture_op(fixture, "domain.add", "{\"domain\":\"example.test\"}"), GP_OK);
	for (unsigned i = 1; i < RECORDS; i++) {
		(void)snprintf(
			arguments, sizeof arguments, "{\"address\":\"a%u@example.test\"}", i);
		assert_int_equal(fixture_op(fixture, "account.add", arguments), GP_OK);
	}
	return 0;
}

/* What somebody does to the database who may write to it. */
static void tamper(struct fixture *fixture, const char *sql, int expected)
{
	sqlite3 *db = NULL;
	int result;

	assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
	result = sqlite3_exec(db, sql, NULL, NULL, NULL);
	if (result != expected)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void check(struct fixture *fixture, const char *part)
{
	if (fixture->row_count != 1 || strstr(fixture->rows, part) == NULL)
		fail_msg("%s is not in %s", part, fixture->rows);
}

static void verify(struct fixture *fixture, const char *part)
{
	assert_int_equal(fixture_op(fixture, "audit.verify", ""), GP_OK);
	check(fixture, part);
}

static void a_whole_audit_is_whole(void **state)
{
	struct fixture *fixture = *state;

	verify(fixture,
		"{\"ok\":true,\"fault\":\"none\",\"why\":\"all records are as they were "
		"written\",\"record\":null,\"records\":6,\"earlier\":0,\"last\":6,\"hash\":\"");
	/* What fails leaves none, what is only shown neither. */
	assert_int_equal(
		fixture_op(fixture, "domain.add", "{\"domain\":\"example.test\"}"), GP_ERR_EXISTS);
	assert_int_equal(fixture_op(fixture, "domain.list", ""), GP_OK);
	verify(fixture, "\"ok\":true,\"fault\":\"none\"");
	check(fixture, "\"records\":6");
}

static void an_empty_audit_is_whole(void **state)
{
	verify(*state, "\"records\":0,\"earlier\":0,\"last\":0,\"hash\":\"0000000000000000000000"
		       "000000000000000000000000000000000000000000\"");
}

/* The engine itself refuses. */
static void records_can_only_be_added(void **state)
{
	struct fixture *fixture = *state;

	tamper(fixture, "UPDATE audit SET actor = 'nobody' WHERE id = 2", SQLITE_CONSTRAINT);
	tamper(fixture, "DELETE FROM audit WHERE id = 2", SQLITE_CONSTRAINT);
	tamper(fixture, "DELETE FROM audit", SQLITE_CONSTRAINT);
	verify(fixture, "\"ok\":true");
}

#define DROP "DROP TRIGGER audit_unchanged; DROP TRIGGER audit_unremoved; "

/* And whoever gets round that is found out. */
static const struct {
	const char *sql;
	const char *found;
} deeds[] = {
	{ "UPDATE audit SET actor = 'nobody' WHERE id = 3", "\"changed\"^\"record\":3" },
	{ "UPDATE audit SET at = at + 1 WHERE id = 1", "\"changed\"^\"record\":1" },
	{ "UPDATE audit SET operation = 'domain.list' WHERE id = 6", "\"changed\"^\"record\":6" },
	{ "UPDATE audit SET account_id = 77 WHERE id = 4", "\"changed\"^\"record\":4" },
	{ "UPDATE audit SET account = 'a9@example.test' WHERE id = 4", "\"changed\"^\"record\":4" },
	{ "UPDATE audit SET detail = '{}' WHERE id = 2", "\"changed\"^\"record\":2" },
	{ "UPDATE audit SET hash = NULL WHERE id = 2", "\"changed\"^\"record\":2" },
	{ "UPDATE audit SET hash = x'00' WHERE id = 2", "\"changed\"^\"record\":2" },
	{ "UPDATE audit SET hash = (SELECT hash FROM audit WHERE id = 1) WHERE id = 2",
		"\"changed\"^\"record\":2" },
	/* The end of one text moved into the next. */
	{ "UPDATE audit SET actor = 'test', operation = 'er' || operation WHERE id = 2",
		"\"changed\"^\"record\":2" },
	{ "DELETE FROM audit WHERE id = 3", "\"missing\"^\"record\":3" },
	{ "DELETE FROM audit WHERE id = 1", "\"missing\"^\"record\":1" },
	{ "DELETE FROM audit WHERE id = 3; UPDATE audit SET id = id - 1 WHERE id > 3",
		"\"changed\"^\"record\":3" },
	{ "UPDATE audit SET id = 100 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 4; "
	  "UPDATE audit SET id = 4 WHERE id = 100",
		"\"changed\"^\"record\":3" },
	{ "DELETE FROM audit WHERE id = 6", "\"truncated\"^\"record\":6" },
	{ "DELETE FROM audit WHERE id > 2", "\"truncated\"^\"record\":3" },
	{ "DELETE FROM audit", "\"truncated\"^\"record\":1" },
	/* The head cut along with them: its seal is of another end. */
	{ "DELETE FROM audit WHERE id = 6; UPDATE audit_head SET last_id = 5, "
	  "hash = (SELECT hash FROM audit WHERE id = 5)",
		"\"head\"^\"record\":null" },
	{ "UPDATE audit_head SET first_id = 3", "\"head\"^\"record\":null" },
	{ "UPDATE audit_head SET first_id = 6, hash = NULL, seal = NULL", "\"head\"^\"record\":1" },
	{ "UPDATE audit_head SET seal = NULL", "\"head\"^\"record\":null" },
	{ "DELETE FROM audit_head", "\"head\"^\"record\":null" },
	{ "INSERT INTO audit (at, actor, operation, account_id, account, detail, hash) "
	  "SELECT at, actor, operation, account_id, account, detail, hash FROM audit WHERE id = 6",
		"\"added\"^\"record\":7" },
};

static void every_deed_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(deeds); i++) {
		struct fixture *fixture = NULL;
		const char *mark = strchr(deeds[i].found, '^');
		char part[64];
		char sql[512];

		assert_int_equal(setup((void **)&fixture), 0);
		(void)snprintf(sql, sizeof sql, DROP "%s", deeds[i].sql);
		tamper(fixture, sql, SQLITE_OK);
		assert_non_null(mark);
		(void)snprintf(part, sizeof part, "\"ok\":false,\"fault\":%.*s,",
			(int)(mark - deeds[i].found), deeds[i].found);
		assert_int_equal(fixture_op(fixture, "audit.verify", ""), GP_OK);
		if (strstr(fixture->rows, part) == NULL || strstr(fixture->rows, mark + 1) == NULL)
			fail_msg("%s: %s", deeds[i].sql, fixture->rows);
		assert_int_equal(fixture_teardown((void **)&fixture), 0);
	}
}

/* An older state of the whole database is whole in itself; who has noted a later link sees it. */
static void a_noted_link_finds_an_older_database(void **state)
{
	struct fixture *fixture = *state;
	char hash[512];
	char arguments[256];

	verify(fixture, "\"last\":6");
	(void)fixture_value(fixture, "hash", hash);
	(void)snprintf(arguments, sizeof arguments, "{\"record\":6,\"hash\":\"%.64s\"}", hash);
	assert_int_equal(fixture_op(fixture, "domain.add", "{\"domain\":\"later.test\"}"), GP_OK);
	assert_int_equal(fixture_op(fixture, "audit.verify", arguments), GP_OK);
	check(fixture, "\"ok\":true");
	(void)snprintf(arguments, sizeof arguments, "{\"record\":5,\"hash\":\"%.64s\"}", hash);
	assert_int_equal(fixture_op(fixture, "audit.verify", arguments), GP_OK);
	check(fixture, "\"ok\":false,\"fault\":\"other\"");
	(void)snprintf(arguments, sizeof arguments, "{\"record\":8,\"hash\":\"%.64s\"}", hash);
	assert_int_equal(fixture_op(fixture, "audit.verify", arguments), GP_OK);
	check(fixture, "\"ok\":false,\"fault\":\"truncated\"");
	assert_int_equal(fixture_op(fixture, "audit.verify", "{\"record\":5}"), GP_ERR_SYNTAX);
	assert_int_equal(fixture_op(fixture, "audit.verify", "{\"record\":5,\"hash\":\"ab\"}"),
		GP_ERR_SYNTAX);
}

/* Nothing is changed any more that could not be recorded. */
static void no_change_without_a_record(void **state)
{
	struct fixture *fixture = *state;

	tamper(fixture, "DELETE FROM audit_head", SQLITE_OK);
	assert_int_equal(
		fixture_op(fixture, "domain.add", "{\"domain\":\"later.test\"}"), GP_ERR_STORE);
	assert_int_equal(fixture_op(fixture, "domain.list", ""), GP_OK);
	assert_null(strstr(fixture->rows, "later.test"));
}

/* Retention takes events, never the audit. */
static void the_sweep_leaves_it_whole(void **state)
{
	struct fixture *fixture = *state;

	clock_fake(1800000000 + 10LL * 365 * 24 * 3600, 2000);
	while (record_sweep(&fixture->vault))
		continue;
	verify(fixture, "\"ok\":true");
	check(fixture, "\"records\":6");
}

/* Another pepper is another key. */
static void only_the_key_makes_links(void **state)
{
	struct fixture *fixture = *state;

	secret_free(&fixture->vault.pepper);
	fixture->vault.pepper = secret_new(SLICE_LIT("ffffffffffffffffffffffffffffffff"));
	verify(fixture, "\"ok\":false,\"fault\":\"head\"");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_whole_audit_is_whole),
		cmocka_unit_test_setup_teardown(
			an_empty_audit_is_whole, fixture_setup, fixture_teardown),
		TEST(records_can_only_be_added),
		cmocka_unit_test(every_deed_is_found),
		TEST(a_noted_link_finds_an_older_database),
		TEST(no_change_without_a_record),
		TEST(the_sweep_leaves_it_whole),
		TEST(only_the_key_makes_links),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
