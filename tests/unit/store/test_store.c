/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "store/db.h"
#include "store/store_audit.h"
#include "store_fixture.h"

static struct slice s(const char *text)
{
	return slice_str(text);
}

/* ---- opening ---- */

static void test_open(void **state)
{
	struct fixture *fixture = *state;
	struct store *again = NULL;
	struct gp_why why = { "" };
	struct stat info;
	unsigned version = 0;

	assert_int_equal(store_version(fixture->store, &version), GP_OK);
	assert_int_equal(version, store_newest_version());
	assert_int_equal(stat(fixture->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(store_open(fixture->path, &again, &why), GP_OK);
	store_close(&again);
	assert_null(again);
	assert_int_equal(store_open("/nonexistent/x.db", &again, &why), GP_ERR_STORE);
	assert_non_null(strstr(why.text, "/nonexistent/x.db"));
}

/* One that is gone is not begun anew: nobody could sign in there. */
static void test_gone(void **state)
{
	struct fixture *fixture = *state;
	struct gp_why why = { "" };

	store_close(&fixture->store);
	assert_int_equal(unlink(fixture->path), 0);
	assert_int_equal(store_open(fixture->path, &fixture->store, &why), GP_ERR_STORE);
	assert_int_equal(access(fixture->path, F_OK), -1);
	/* An empty file is a store to be made. */
	assert_int_equal(store_create(fixture->path, &why), GP_OK);
	assert_int_equal(store_open(fixture->path, &fixture->store, &why), GP_OK);
}

static void run_sql(const char *path, const char *sql)
{
	struct db *db = NULL;

	assert_int_equal(db_open(path, &db, NULL), GP_OK);
	assert_int_equal(db_script(db, sql, NULL), GP_OK);
	db_close(&db);
}

static void test_newer_schema(void **state)
{
	struct fixture *fixture = *state;
	struct gp_why why = { "" };

	store_close(&fixture->store);
	run_sql(fixture->path, "INSERT INTO schema_version VALUES (9999, 'future', 1)");
	assert_int_equal(store_open(fixture->path, &fixture->store, &why), GP_ERR_UNSUPPORTED);
	assert_non_null(strstr(why.text, "9999"));
	assert_null(fixture->store);
}

static void test_broken_file(void **state)
{
	struct fixture *fixture = *state;
	struct gp_why why = { "" };
	FILE *file;

	store_close(&fixture->store);
	file = fopen(fixture->path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		assert_true(fputs("this is no database ", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(store_open(fixture->path, &fixture->store, &why), GP_ERR_STORE);
}

/* Processes that start together must not trip over each other's migration. */
static void test_open_together(void **state)
{
	struct fixture *fixture = *state;
	pid_t children[4];

	store_close(&fixture->store);
	assert_int_equal(unlink(fixture->path), 0);
	assert_int_equal(store_create(fixture->path, NULL), GP_OK);
	for (size_t i = 0; i < GP_ARRAY_LEN(children); i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			_exit(store_open(fixture->path, &fixture->store, NULL) == GP_OK ? 0 : 1);
	}
	for (size_t i = 0; i < GP_ARRAY_LEN(children); i++) {
		int status = -1;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
}

/* ---- transactions ---- */

static void test_rollback(void **state)
{
	struct fixture *fixture = *state;
	struct store_account account;

	assert_int_equal(store_begin(fixture->store, STORE_DURABLE), GP_OK);
	assert_true(store_is_in_transaction(fixture->store));
	(void)fixture_account(fixture->store, "alice@example.test");
	store_rollback(fixture->store);
	assert_false(store_is_in_transaction(fixture->store));
	assert_int_equal(store_account_find(fixture->store, s("alice@example.test"), &account),
		GP_ERR_NOT_FOUND);
}

static void test_two_handles(void **state)
{
	struct fixture *fixture = *state;
	struct store *other = NULL;
	struct store_account account;

	assert_int_equal(store_open(fixture->path, &other, NULL), GP_OK);
	store_set_wait(other, 10);
	(void)fixture_account(fixture->store, "alice@example.test");
	assert_int_equal(store_begin(fixture->store, STORE_RELAXED), GP_OK);
	(void)fixture_account(fixture->store, "bob@example.test");
	/* Reading goes on, and does not see what is not committed; writing says busy. */
	assert_int_equal(store_account_find(other, s("alice@example.test"), &account), GP_OK);
	assert_int_equal(
		store_account_find(other, s("bob@example.test"), &account), GP_ERR_NOT_FOUND);
	assert_int_equal(store_begin(other, STORE_DURABLE), GP_ERR_BUSY);
	assert_int_equal(store_account_set_twofactor(other, account.id, 5), GP_ERR_BUSY);
	assert_int_equal(store_commit(fixture->store), GP_OK);
	assert_int_equal(store_account_find(other, s("bob@example.test"), &account), GP_OK);
	assert_int_equal(store_account_set_twofactor(other, account.id, 5), GP_OK);
	store_close(&other);
}

/* From its first look to its end, it is as if nothing were changed. */
static void test_reading(void **state)
{
	struct fixture *fixture = *state;
	struct store *other = NULL;
	struct store_account account;
	struct slice bob = s("bob@example.test");

	(void)fixture_account(fixture->store, "alice@example.test");
	assert_int_equal(store_open(fixture->path, &other, NULL), GP_OK);
	assert_int_equal(store_begin_reading(other), GP_OK);
	assert_true(store_is_in_transaction(other));
	assert_int_equal(store_account_find(other, s("alice@example.test"), &account), GP_OK);
	(void)fixture_account(fixture->store, "bob@example.test");
	assert_int_equal(store_account_find(other, bob, &account), GP_ERR_NOT_FOUND);
	assert_int_equal(store_commit(other), GP_OK);
	assert_false(store_is_in_transaction(other));
	assert_int_equal(store_account_find(other, bob, &account), GP_OK);
	store_close(&other);
}

/* ---- domains ---- */

static enum gp_err collect_domain(const struct store_domain *domain, void *arg)
{
	char *text = arg;

	(void)snprintf(text + strlen(text), 256 - strlen(text), "%s=%s:%u ", domain->name,
		domain->alias_of, (unsigned)domain->accounts);
	return GP_OK;
}

static void test_domains(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	char text[256] = "";
	uint64_t id = 0;

	(void)fixture_account(store, "alice@example.test");
	assert_int_equal(store_domain_add(store, s("example.test"), s(""), 1, &id), GP_ERR_EXISTS);
	assert_int_equal(
		store_domain_add(store, s("mail.example.test"), s("example.test"), 1, &id), GP_OK);
	assert_int_equal(store_domain_add(store, s("x.test"), s("mail.example.test"), 1, &id),
		GP_ERR_NOT_FOUND);
	assert_int_equal(
		store_domain_add(store, s("x.test"), s("none.test"), 1, &id), GP_ERR_NOT_FOUND);
	assert_int_equal(store_domain_add(store, s("x.test"), s(""), 1, &id), GP_OK);
	assert_int_equal(
		store_domain_each(store, s(""), s(""), UINT64_MAX, collect_domain, text), GP_OK);
	assert_string_equal(text, "example.test=:1 mail.example.test=example.test:0 x.test=:0 ");
	text[0] = '\0';
	assert_int_equal(
		store_domain_each(store, s(""), s("example.test"), 1, collect_domain, text), GP_OK);
	assert_string_equal(text, "mail.example.test=example.test:0 ");
	text[0] = '\0';
	assert_int_equal(store_domain_each(store, s("example.test ample.test"), s(""), 9,
				 collect_domain, text),
		GP_OK);
	assert_string_equal(text, "example.test=:1 mail.example.test=example.test:0 ");

	assert_int_equal(store_domain_remove(store, s("example.test")), GP_ERR_BUSY);
	assert_int_equal(store_domain_remove(store, s("none.test")), GP_ERR_NOT_FOUND);
	assert_int_equal(store_alias_add(store, 1, s("a@x.test")), GP_OK);
	assert_int_equal(store_domain_remove(store, s("x.test")), GP_ERR_BUSY);
	assert_int_equal(store_account_remove(store, 1), GP_OK);
	assert_int_equal(store_domain_remove(store, s("x.test")), GP_OK);
	assert_int_equal(store_domain_remove(store, s("example.test")), GP_ERR_BUSY);
	assert_int_equal(store_domain_remove(store, s("mail.example.test")), GP_OK);
	assert_int_equal(store_domain_remove(store, s("example.test")), GP_OK);
}

/* ---- accounts ---- */

static void test_find(void **state)
{
	static const struct {
		const char *login;
		bool is_found;
	} cases[] = {
		{ "alice@example.test", true },
		{ "alice+news@example.test", true },
		{ "alice+a+b@example.test", true },
		{ "post@example.test", true },
		{ "post+x@example.test", true },
		{ "bob+own@example.test", false }, /* an account of its own: see below */
		{ "+@example.test", false },
		{ "alic@example.test", false },
		{ "alice@example.tes", false },
		{ "alice@other.test", false },
		{ "alice+x", false },
		{ "", false },
	};
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob+own@example.test");

	assert_int_equal(store_alias_add(store, alice, s("post@example.test")), GP_OK);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct store_account account = { .id = 0 };
		enum gp_err err = store_account_find(store, s(cases[i].login), &account);

		if (strcmp(cases[i].login, "bob+own@example.test") == 0) {
			assert_int_equal(err, GP_OK);
			assert_true(account.id == bob);
		} else if (cases[i].is_found) {
			assert_int_equal(err, GP_OK);
			assert_true(account.id == alice);
			assert_string_equal(account.address, "alice@example.test");
			assert_string_equal(account.password, "hash");
		} else {
			assert_int_equal(err, GP_ERR_NOT_FOUND);
		}
	}
}

static void test_taken(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");
	struct store_account account = { .role = "user", .address = "post@example.test" };
	uint64_t id = 0;
	char address[32];

	assert_int_equal(store_alias_add(store, alice, s("post@example.test")), GP_OK);
	assert_int_equal(store_alias_add(store, bob, s("post@example.test")), GP_ERR_EXISTS);
	assert_int_equal(store_alias_add(store, bob, s("alice@example.test")), GP_ERR_EXISTS);
	assert_int_equal(store_alias_add(store, bob, s("x@none.test")), GP_ERR_NOT_FOUND);
	assert_int_equal(store_account_add(store, &account, 1, &id), GP_ERR_EXISTS);
	assert_int_equal(store_account_remove(store, alice), GP_OK);
	assert_int_equal(store_account_remove(store, alice), GP_ERR_NOT_FOUND);
	assert_int_equal(store_account_add(store, &account, 1, &id), GP_OK);
	assert_true(id > bob); /* never a number twice */
	for (unsigned i = 0; i < STORE_ALIASES_MAX; i++) {
		(void)snprintf(address, sizeof address, "a%u@example.test", i);
		assert_int_equal(store_alias_add(store, bob, s(address)), GP_OK);
	}
	assert_int_equal(store_alias_add(store, bob, s("more@example.test")), GP_ERR_LIMIT);
}

static void test_changes(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t id = fixture_account(store, "alice@example.test");
	struct store_account account;
	struct store_account other = { .address = "locked@example.test",
		.role = "staff",
		.route = "special.test",
		.is_off = true };

	assert_int_equal(store_account_rehash(store, id, "old", "new"), GP_OK);
	assert_int_equal(store_account_find(store, s("alice@example.test"), &account), GP_OK);
	assert_string_equal(account.password, "hash");
	assert_int_equal(store_account_rehash(store, id, "hash", "new"), GP_OK);
	assert_int_equal(store_account_block(store, id, 77, s("spam")), GP_OK);
	assert_int_equal(store_account_set_twofactor(store, id, 88), GP_OK);
	assert_int_equal(store_account_find(store, s("alice@example.test"), &account), GP_OK);
	assert_string_equal(account.password, "new");
	assert_int_equal(account.password_at, 1000);
	assert_int_equal(account.created_at, 1000);
	assert_int_equal(account.blocked_at, 77);
	assert_string_equal(account.block_reason, "spam");
	assert_int_equal(account.twofactor_at, 88);

	assert_int_equal(store_account_add(store, &other, 5, &id), GP_OK);
	assert_int_equal(store_account_find(store, s("locked@example.test"), &account), GP_OK);
	assert_true(account.is_off);
	assert_int_equal(account.password_at, 0);
	assert_string_equal(account.role, "staff");
	assert_string_equal(account.route, "special.test");
	assert_int_equal(store_account_set_password(store, id, "fresh", 99), GP_OK);
	assert_int_equal(store_account_find(store, s("locked@example.test"), &account), GP_OK);
	assert_false(account.is_off);
	assert_int_equal(account.password_at, 99);

	assert_int_equal(store_account_set_password(store, 999, "x", 1), GP_ERR_NOT_FOUND);
	assert_int_equal(store_account_block(store, 999, 1, s("")), GP_ERR_NOT_FOUND);
	assert_int_equal(store_account_set_twofactor(store, 999, 1), GP_ERR_NOT_FOUND);
}

static enum gp_err collect_account(const struct store_account *account, void *arg)
{
	char *text = arg;

	(void)snprintf(text + strlen(text), 256 - strlen(text), "%.*s ",
		(int)strcspn(account->address, "@"), account->address);
	return GP_OK;
}

static enum gp_err count_account(const struct store_account *account, void *arg)
{
	(void)account;
	++*(unsigned *)arg;
	return GP_OK;
}

static unsigned count_in(struct store *store, const char *domains)
{
	unsigned count = 0;

	assert_int_equal(
		store_account_each(store, s(""), s(domains), s(""), 100, count_account, &count),
		GP_OK);
	return count;
}

static void test_list(void **state)
{
	static const struct {
		const char *match;
		const char *after;
		unsigned limit;
		const char *want;
	} cases[] = {
		{ "", "", 10, "a_b anna bert carl " },
		{ "", "", 2, "a_b anna " },
		{ "", "anna@example.test", 10, "bert carl " },
		{ "an", "", 10, "anna " },
		{ "_", "", 10, "a_b " },
		{ "%", "", 10, "" },
		{ "!", "", 10, "" },
		{ "example", "bert@example.test", 10, "carl " },
	};
	struct store *store = ((struct fixture *)*state)->store;

	(void)fixture_account(store, "carl@example.test");
	(void)fixture_account(store, "anna@example.test");
	(void)fixture_account(store, "bert@example.test");
	(void)fixture_account(store, "a_b@example.test");
	assert_int_equal(count_in(store, "example.test"), 4);
	assert_int_equal(count_in(store, "first.test example.test last.test"), 4);
	assert_int_equal(count_in(store, "test example.tes xample.test"), 0);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		char text[256] = "";

		assert_int_equal(store_account_each(store, s(cases[i].match), s(""),
					 s(cases[i].after), cases[i].limit, collect_account, text),
			GP_OK);
		assert_string_equal(text, cases[i].want);
	}
}

/* An underscore of a domain's name is one, and no letter of any kind. */
static void test_list_domains(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_account account = { .role = "user", .address = "dan@a_b.test" };
	uint64_t id = 0;

	assert_int_equal(store_domain_add(store, s("a_b.test"), s(""), 1, &id), GP_OK);
	assert_int_equal(store_account_add(store, &account, 1, &id), GP_OK);
	assert_int_equal(count_in(store, "a_b.test"), 1);
	assert_int_equal(count_in(store, "axb.test"), 0);
	assert_int_equal(count_in(store, ""), 1);
}

static void test_roles(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t id = fixture_account(store, "carl@example.test");
	char domains[STORE_DOMAINS_SIZE] = "x";
	struct store_account account;
	uint64_t other = 0;

	assert_int_equal(store_account_domains(store, id, domains), GP_OK);
	assert_string_equal(domains, "");
	assert_int_equal(store_domain_add(store, s("b.test"), s(""), 1, &other), GP_OK);
	assert_int_equal(store_domain_add(store, s("alias.test"), s("b.test"), 1, &other), GP_OK);
	assert_int_equal(store_account_set_role(store, id, s("domain-admin")), GP_OK);
	assert_int_equal(store_account_add_domain(store, id, s("example.test")), GP_OK);
	assert_int_equal(store_account_add_domain(store, id, s("b.test")), GP_OK);
	assert_int_equal(store_account_add_domain(store, id, s("b.test")), GP_OK);
	assert_int_equal(store_account_add_domain(store, id, s("none.test")), GP_ERR_NOT_FOUND);
	assert_int_equal(store_account_add_domain(store, id, s("alias.test")), GP_ERR_NOT_FOUND);
	assert_int_equal(store_account_domains(store, id, domains), GP_OK);
	assert_string_equal(domains, "b.test example.test");
	assert_int_equal(store_account_get(store, id, &account), GP_OK);
	assert_string_equal(account.role, "domain-admin");
	/* Four of the longest fit beside these, five do not. */
	for (int i = 0; i < 5; i++) {
		char name[STORE_DOMAIN_SIZE] = "";

		memset(name, 'a' + i, 250);
		assert_int_equal(store_domain_add(store, s(name), s(""), 1, &other), GP_OK);
		assert_int_equal(
			store_account_add_domain(store, id, s(name)), i < 4 ? GP_OK : GP_ERR_LIMIT);
	}
	assert_int_equal(store_account_domains(store, id, domains), GP_OK);
	assert_int_equal(store_account_set_role(store, id, s("user")), GP_OK);
	assert_int_equal(store_account_domains(store, id, domains), GP_OK);
	assert_string_equal(domains, "");
	assert_int_equal(store_account_set_role(store, 99, s("user")), GP_ERR_NOT_FOUND);
}

/* ---- device passwords ---- */

static enum gp_err count_device(const struct store_device *device, void *arg)
{
	(void)device;
	++*(unsigned *)arg;
	return GP_OK;
}

static void test_devices(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t alice = fixture_account(store, "alice@example.test");
	uint64_t bob = fixture_account(store, "bob@example.test");
	struct store_device device = { .account = alice, .name = "phone", .scopes = SCOPE_IMAP };
	struct store_device found;
	uint8_t tag[STORE_TAG_SIZE] = { 7 };
	uint64_t first = 0;
	uint64_t id = 0;
	unsigned count = 0;

	assert_int_equal(store_device_add(store, &device, tag, 50, &first), GP_OK);
	assert_int_equal(store_device_find(store, alice, tag, &found), GP_OK);
	assert_true(found.id == first && found.account == alice);
	assert_string_equal(found.name, "phone");
	assert_int_equal(found.scopes, SCOPE_IMAP);
	assert_int_equal(found.created_at, 50);
	assert_int_equal(store_device_find(store, bob, tag, &found), GP_ERR_NOT_FOUND);
	assert_int_equal(store_device_find(store, 0, tag, &found), GP_ERR_NOT_FOUND);
	for (unsigned i = 1; i < STORE_DEVICES_MAX; i++) {
		tag[1] = (uint8_t)i;
		assert_int_equal(store_device_add(store, &device, tag, 50, &id), GP_OK);
	}
	tag[2] = 1;
	assert_int_equal(store_device_add(store, &device, tag, 50, &id), GP_ERR_LIMIT);
	assert_int_equal(store_device_remove(store, bob, first), GP_ERR_NOT_FOUND);
	assert_int_equal(store_device_remove(store, alice, first), GP_OK);
	assert_int_equal(store_device_each(store, alice, count_device, &count), GP_OK);
	assert_int_equal(count, STORE_DEVICES_MAX - 1);
	assert_int_equal(store_device_remove(store, alice, 0), GP_OK);
	assert_int_equal(store_device_remove(store, alice, 0), GP_ERR_NOT_FOUND);
	/* gone with the account */
	assert_int_equal(store_device_add(store, &device, tag, 50, &id), GP_OK);
	assert_int_equal(store_account_remove(store, alice), GP_OK);
	assert_int_equal(store_device_find(store, alice, tag, &found), GP_ERR_NOT_FOUND);
}

/* ---- audit ---- */

static enum gp_err collect_audit(const struct store_audit *audit, void *arg)
{
	char *text = arg;

	(void)snprintf(text + strlen(text), 256 - strlen(text), "%.*s/%.*s ",
		SLICE_ARG(audit->actor), SLICE_ARG(audit->operation));
	return GP_OK;
}

static void test_audit(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_audit audit = { .id = 1,
		.at = 1,
		.actor = s("root"),
		.operation = s("account.add"),
		.account = s("alice@example.test"),
		.detail = s("{}") };
	char text[256] = "";

	assert_int_equal(store_audit_add(store, &audit), GP_OK);
	audit.id = 2;
	audit.operation = s("reload");
	audit.account = s("");
	assert_int_equal(store_audit_add(store, &audit), GP_OK);
	assert_int_equal(store_audit_each(store, s(""), 0, 10, collect_audit, text), GP_OK);
	assert_string_equal(text, "root/reload root/account.add ");
	text[0] = '\0';
	assert_int_equal(store_audit_each(store, s(""), 2, 10, collect_audit, text), GP_OK);
	assert_string_equal(text, "root/account.add ");
	text[0] = '\0';
	assert_int_equal(
		store_audit_each(store, s("alice@example.test"), 0, 10, collect_audit, text),
		GP_OK);
	assert_string_equal(text, "root/account.add ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open),
		TEST(test_gone),
		TEST(test_newer_schema),
		TEST(test_broken_file),
		TEST(test_open_together),
		TEST(test_rollback),
		TEST(test_two_handles),
		TEST(test_reading),
		TEST(test_domains),
		TEST(test_find),
		TEST(test_taken),
		TEST(test_changes),
		TEST(test_list),
		TEST(test_list_domains),
		TEST(test_roles),
		TEST(test_devices),
		TEST(test_audit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
