/* SPDX-License-Identifier: ISC */
/* When staff are mailed of cases that wait for them, how often, and what stands in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "alice.h"
#include "base/clock.h"
#include "vault/staff_notice.h"

#define FIRST  "support@else.test"
#define SECOND "alice@example.test"

static char first[] = FIRST;
static char second[] = SECOND;
static char *both[] = { first, second };

static int setup(void **state)
{
	struct fixture *fixture = NULL;
	int failed = alice_setup(state);

	fixture = *state;
	fixture->config.sending_yes = CONFIG_YES_STAFF;
	fixture->config.staff_notice = (struct config_strings){ both, 1 };
	return failed;
}

/* So many letters of the kind went, until now. */
static unsigned told(struct fixture *fixture)
{
	uint64_t count = 99;

	outbox_wake(&fixture->vault);
	fixture_run(fixture);
	assert_int_equal(
		store_outbox_count(fixture->vault.store, 0, SLICE_LIT("staff_cases"), 0, &count),
		GP_OK);
	return (unsigned)count;
}

/* The letter to a reader: each one that is under way is answered until it comes. */
static const char *letter_to(struct fixture *fixture, const char *reader)
{
	fixture->reader = reader;
	fixture->read[0] = '\0';
	for (unsigned i = 0; i < 50 && fixture->read[0] == '\0'; i++) {
		struct ipc_message message = { .type = IPC_NOTICE_DONE };

		outbox_wake(&fixture->vault);
		fixture_run(fixture);
		message.notice_done = (struct ipc_notice_done){
			.notice = fixture->notice, .outcome = NOTICE_SENT, .text = SLICE_LIT("")
		};
		fixture_post(fixture, &message);
		fixture_run(fixture);
	}
	return fixture->read;
}

static void add_account(struct fixture *fixture, unsigned number)
{
	char arguments[128];

	(void)snprintf(arguments, sizeof arguments,
		"{\"address\":\"user%u@example.test\",\"password\":\"walrus and tea\"}", number);
	assert_int_equal(fixture_op(fixture, "account.add", arguments), GP_OK);
}

/* Blocked for the second time: only staff may open it. */
static void stop_again(struct fixture *fixture, const char *address)
{
	char arguments[128];

	(void)snprintf(arguments, sizeof arguments, "{\"address\":\"%s\"}", address);
	assert_int_equal(fixture_op(fixture, "account.block", arguments), GP_OK);
	assert_int_equal(fixture_op(fixture, "account.unblock", arguments), GP_OK);
	assert_int_equal(fixture_op(fixture, "account.block", arguments), GP_OK);
}

static void each_case_once(void **state)
{
	struct fixture *fixture = *state;

	alice_stop(fixture, "ask");
	assert_int_equal(told(fixture), 0);
	/* The owner's Yes is staff's to judge now. */
	assert_int_equal(alice_answer(fixture, OWNER, HOME, true), GP_OK);
	assert_int_equal(told(fixture), 1);
	clock_fake(NOW + 2 * DAY, 1000);
	assert_int_equal(told(fixture), 1);
	/* What was told of it was about the question. */
	alice_stop(fixture, "block");
	assert_int_equal(told(fixture), 1);
}

static void one_letter_an_hour(void **state)
{
	struct fixture *fixture = *state;
	const char *letter = NULL;

	stop_again(fixture, "alice@example.test");
	assert_int_equal(told(fixture), 1);
	letter = letter_to(fixture, FIRST);
	assert_non_null(strstr(letter, "Subject: Stopped accounts wait for you: 1\r\n"));
	assert_non_null(strstr(letter, "Content-Language: en\r\n"));
	assert_non_null(strstr(letter, "\r\n    alice@example.test, 2027-01-15 08:00\r\n"));
	assert_non_null(strstr(letter, "https://mail.example.test/#/staff/sending"));
	for (unsigned i = 0; i < STAFF_NOTICE_LISTED + 2; i++) {
		char address[64];

		add_account(fixture, i);
		(void)snprintf(address, sizeof address, "user%u@example.test", i);
		stop_again(fixture, address);
	}
	clock_fake(NOW + STAFF_NOTICE_PAUSE - 1, 1000);
	assert_int_equal(told(fixture), 1);
	clock_fake(NOW + STAFF_NOTICE_PAUSE, 1000);
	assert_int_equal(told(fixture), 2);
	letter = letter_to(fixture, FIRST);
	assert_non_null(strstr(letter, "Subject: Stopped accounts wait for you: 12\r\n"));
	assert_non_null(strstr(letter, "user0@example.test,"));
	assert_non_null(strstr(letter, "user9@example.test,"));
	assert_null(strstr(letter, "user10@example.test,"));
	assert_null(strstr(letter, "alice@example.test,"));
	assert_non_null(strstr(letter, "in all: 13."));
	clock_fake(NOW + DAY, 1000);
	assert_int_equal(told(fixture), 2);
}

static void what_is_decided_is_not_told(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.notices = false;
	stop_again(fixture, "alice@example.test");
	assert_int_equal(told(fixture), 0);
	assert_int_equal(
		fixture_op(fixture, "sending.keep", "{\"address\":\"alice@example.test\"}"), GP_OK);
	fixture->config.notices = true;
	assert_int_equal(told(fixture), 0);
	fixture->config.staff_notice.count = 0;
	assert_int_equal(
		fixture_op(fixture, "sending.release", "{\"address\":\"alice@example.test\"}"),
		GP_OK);
	stop_again(fixture, "alice@example.test");
	assert_int_equal(told(fixture), 0);
}

/* A clock that was set back keeps nobody waiting for longer than an hour. */
static void the_clock_goes_back(void **state)
{
	struct fixture *fixture = *state;

	stop_again(fixture, "alice@example.test");
	assert_int_equal(told(fixture), 1);
	clock_fake(NOW - DAY, 1000);
	add_account(fixture, 1);
	stop_again(fixture, "user1@example.test");
	assert_int_equal(told(fixture), 2);
}

static void in_the_language_of_the_account(void **state)
{
	struct fixture *fixture = *state;
	const char *letter = NULL;

	fixture->config.staff_notice.count = 2;
	assert_int_equal(
		alice_as(fixture, OWNER, HOME, "self.language", "{\"language\":\"de\"}"), GP_OK);
	add_account(fixture, 1);
	stop_again(fixture, "user1@example.test");
	assert_int_equal(told(fixture), 1);
	letter = letter_to(fixture, SECOND);
	assert_non_null(strstr(letter, "Content-Language: de\r\n"));
	assert_non_null(strstr(letter, "user1@example.test, 2027-01-15 08:00\r\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_case_once),
		TEST(one_letter_an_hour),
		TEST(what_is_decided_is_not_told),
		TEST(the_clock_goes_back),
		TEST(in_the_language_of_the_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
