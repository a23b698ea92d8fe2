/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "vault_fixture.h"

#define HASH "{SSHA}uraO+FZEfhly83OkkI1bROMCEYI7sUNo" /* of "correct horse \xc3\xa9" */

static enum gp_err import_text(struct fixture *fixture, const char *text, const char *arguments)
{
	int fd = memfd_create("accounts", MFD_CLOEXEC);
	enum gp_err err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	err = fixture_op_fd(fixture, "account.import", arguments, fd);
	(void)close(fd);
	return err;
}

static unsigned count_accounts(struct fixture *fixture)
{
	assert_int_equal(fixture_op(fixture, "account.list", "{\"limit\":10000}"), GP_OK);
	return fixture->row_count;
}

static void test_csv(void **state)
{
	static const char text[] = "address,password,hash,role,aliases,route\n"
				   "Alice@Example.Test,pass,,staff,post@example.test; x@two.test,\n"
				   "bob@example.test,," HASH ",,,example.test\n"
				   "off@example.test,,!" HASH ",,,\n"
				   "none@three.test,,,,,\n";
	struct fixture *fixture = *state;

	assert_int_equal(import_text(fixture, text, "{}"), GP_OK);
	assert_string_equal(fixture->rows, "{\"imported\":4,\"skipped\":0}\n");
	assert_int_equal(fixture->effect, IPC_EFFECT_DOMAINS);
	assert_int_equal(fixture->progress_done, strlen(text));
	assert_int_equal(fixture->progress_total, strlen(text));
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "alice@example.test", "pass"), REASON_OK);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "bob@example.test",
				 "correct horse \xc3\xa9"),
		REASON_OK);
	assert_string_equal(fixture->route_name, "example.test");
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "off@example.test",
				 "correct horse \xc3\xa9"),
		REASON_ACCOUNT_OFF);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "none@three.test", ""), REASON_NO_PASSWORD);
	assert_int_equal(
		fixture_op(fixture, "account.show", "{\"address\":\"x@two.test\"}"), GP_OK);
	assert_non_null(strstr(fixture->rows, "\"role\":\"staff\""));
	assert_int_equal(fixture_op(fixture, "audit.list", "{}"), GP_OK);
	assert_non_null(strstr(fixture->rows, "\"operation\":\"account.import\""));
}

static void test_passwd(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(import_text(fixture,
				 "# users\nalice:" HASH ":1000:1000::/home/alice::\n"
				 "bob@two.test:{PLAIN}pass:::\n",
				 "{}"),
		GP_OK);
	assert_string_equal(fixture->rows, "{\"imported\":2,\"skipped\":0}\n");
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "alice@example.test",
				 "correct horse \xc3\xa9"),
		REASON_OK);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "bob@two.test", "pass"), REASON_OK);
}

static const char bad_lines[] = "address,password,hash,role,aliases,route\n"
				"good@new.test,pass,,,,\n"
				"good@new.test,pass,,,,\n"                  /* 3 twice */
				"no address,pass,,,,\n"                     /* 4 */
				"a@new.test,,{NOPE}x,,,\n"                  /* 5 */
				"b@new.test,p," HASH ",,,\n"                /* 6 both */
				"c@new.test,p,,emperor,,\n"                 /* 7 */
				"d@new.test,p,,,good@new.test,\n"           /* 8 alias taken */
				"e@new.test,p,,,,nowhere\n"                 /* 9 */
				"f@new.test,abcdefghijklmnopqrstuvwx,,,,\n" /* 10 device form */
				"g@new.test,p\n"                            /* 11 */
				"h@new.test,,$argon2id$v=19$m=4194304,t=9,p=1$x$y,,,\n"; /* 12 */

static void test_bad_lines(void **state)
{
	struct fixture *fixture = *state;
	char want[32];

	assert_int_equal(import_text(fixture, bad_lines, "{}"), GP_ERR_SYNTAX);
	assert_non_null(strstr(fixture->why, "10 bad lines: nothing was changed"));
	assert_int_equal(fixture->row_count, 10);
	for (int line = 3; line <= 12; line++) {
		(void)snprintf(want, sizeof want, "{\"line\":%d,\"error\":", line);
		if (strstr(fixture->rows, want) == NULL)
			fail_msg("line %d is not in %s", line, fixture->rows);
	}
	assert_int_equal(fixture->effect, IPC_EFFECT_NONE);
	assert_int_equal(count_accounts(fixture), 0);
	assert_int_equal(fixture_op(fixture, "domain.list", "{}"), GP_OK);
	assert_int_equal(fixture->row_count, 0);
}

static void test_keep_going(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(import_text(fixture, bad_lines, "{\"keep_going\":true}"), GP_OK);
	assert_int_equal(fixture->row_count, 11);
	assert_non_null(strstr(fixture->rows, "{\"imported\":1,\"skipped\":10}\n"));
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "good@new.test", "pass"), REASON_OK);
	assert_int_equal(count_accounts(fixture), 1);
	/* all of it exists now */
	assert_int_equal(import_text(fixture, bad_lines, "{\"keep_going\":true}"), GP_OK);
	assert_non_null(strstr(fixture->rows, "{\"imported\":0,\"skipped\":11}\n"));
}

static void test_refused(void **state)
{
	struct fixture *fixture = *state;
	int fds[2];

	assert_int_equal(fixture_op(fixture, "account.import", "{}"), GP_ERR_SYNTAX);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(
		fixture_op_fd(fixture, "account.import", "{}", fds[0]), GP_ERR_UNSUPPORTED);
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(import_text(fixture, "x\n", "{\"format\":\"xml\"}"), GP_ERR_SYNTAX);
	assert_int_equal(
		import_text(fixture, "address,shoe\n", "{\"format\":\"csv\"}"), GP_ERR_SYNTAX);
	assert_non_null(strstr(fixture->why, "column 2"));
	assert_int_equal(import_text(fixture, "", "{}"), GP_OK);
	assert_string_equal(fixture->rows, "{\"imported\":0,\"skipped\":0}\n");
}

/* A file of many lines, by a generator that needs no memory for them. */
static int many(unsigned count, bool has_bad_end)
{
	FILE *file = tmpfile();
	int fd;

	assert_non_null(file);
	assert_true(fputs("address,hash\n", file) >= 0);
	for (unsigned i = 0; i < count; i++)
		assert_true(
			fprintf(file, "user%u@d%u.test,%s\n", i * 7919 % count, i % 100, HASH) > 0);
	if (has_bad_end)
		assert_true(fputs("what is this\n", file) >= 0);
	assert_int_equal(fflush(file), 0);
	fd = dup(fileno(file));
	assert_int_equal(fclose(file), 0);
	return fd;
}

static void test_many(void **state)
{
	struct fixture *fixture = *state;
	int fd = many(100000, false);

	assert_int_equal(fixture_op_fd(fixture, "account.import", "{}", fd), GP_OK);
	(void)close(fd);
	assert_string_equal(fixture->rows, "{\"imported\":100000,\"skipped\":0}\n");
	assert_true(fixture->progress_count > 5);
	assert_int_equal(
		fixture_verify(fixture, PROTOCOL_IMAP, "user0@d0.test", "correct horse \xc3\xa9"),
		REASON_OK);
	assert_int_equal(fixture_op(fixture, "domain.list", "{}"), GP_OK);
	assert_int_equal(fixture->row_count, 100);
}

static void test_many_bad(void **state)
{
	struct fixture *fixture = *state;
	int fd = many(20000, true);

	assert_int_equal(fixture_op_fd(fixture, "account.import", "{}", fd), GP_ERR_SYNTAX);
	assert_string_equal(
		fixture->rows, "{\"line\":20002,\"error\":\"1 fields instead of 2\"}\n");
	assert_int_equal(count_accounts(fixture), 0);
	(void)close(fd);
}

/* While it runs, other operations are answered and events kept; a second import is not begun. */
static void test_meanwhile(void **state)
{
	struct fixture *fixture = *state;
	int fd = many(30000, false);
	struct ipc_message message = { .type = IPC_OP,
		.op = { .request = 5,
			.name = SLICE_LIT("account.import"),
			.role = ROLE_ADMIN,
			.arguments = SLICE_LIT("{}") } };

	assert_int_equal(chan_send(fixture->core, &message, fd), GP_OK);
	loop_turn(fixture->vault.loop);
	loop_turn(fixture->vault.loop);
	assert_non_null(fixture->vault.import);
	assert_int_equal(fixture_op_fd(fixture, "account.import", "{}", fd), GP_ERR_BUSY);
	assert_int_equal(fixture_op(fixture, "domain.add", "{\"domain\":\"d1.test\"}"), GP_OK);
	assert_int_equal(fixture_verify(fixture, PROTOCOL_IMAP, "user1@d1.test", "x"),
		REASON_UNKNOWN_ACCOUNT);
	assert_non_null(fixture->vault.import);
	/* core goes away: so does the import */
	vault_on_core_gone(&fixture->vault);
	assert_null(fixture->vault.import);
	assert_int_equal(count_accounts(fixture), 0);
	assert_int_equal(fixture_op_fd(fixture, "account.import", "{}", fd), GP_OK);
	assert_string_equal(fixture->rows, "{\"imported\":30000,\"skipped\":0}\n");
	(void)close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_csv),
		TEST(test_passwd),
		TEST(test_bad_lines),
		TEST(test_keep_going),
		TEST(test_refused),
		TEST(test_many),
		TEST(test_many_bad),
		TEST(test_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
