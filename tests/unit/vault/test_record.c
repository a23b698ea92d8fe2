/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "vault_fixture.h"

static struct ip ip(const char *text)
{
	struct ip address;

	assert_int_equal(ip_parse(slice_str(text), &address), GP_OK);
	return address;
}

static struct ipc_message event(const char *client, int64_t at, bool counted)
{
	return (struct ipc_message){ .type = IPC_EVENT,
		.event = { .at = at,
			.session = 0x77,
			.client = ip(client),
			.service = SERVICE_IMAP,
			.mechanism = MECHANISM_USER,
			.verdict = VERDICT_DENY,
			.reason = REASON_WRONG_PASSWORD,
			.counted = counted,
			.login = SLICE_LIT("alice") } };
}

static void load(struct fixture *fixture, int64_t since)
{
	struct ipc_message message = { .type = IPC_LOAD, .load = { .request = 9, .since = since } };

	fixture_send(fixture, &message, -1);
	assert_int_equal(fixture->err, GP_OK);
}

/* What was sent before LOAD is in its answer, even if it was all read in one turn. */
static void test_load(void **state)
{
	struct fixture *fixture = *state;
	struct ipc_message message = event("192.0.2.1", 1000, true);
	struct ipc_message ban = { .type = IPC_BAN_KEEP,
		.ban_keep = { .source = ip("192.0.2.9"),
			.prefix = 32,
			.set_at = 1000,
			.until = clock_wall() + 100,
			.reason = SLICE_LIT("guesses") } };
	struct ipc_message drop = { .type = IPC_BAN_DROP,
		.ban_drop = { .source = ip("192.0.2.2"), .prefix = 32 } };

	assert_int_equal(fixture_op(fixture, "domain.add", "{\"domain\":\"example.test\"}"), GP_OK);
	assert_int_equal(fixture_op(fixture, "domain.add",
				 "{\"domain\":\"m.test\",\"alias_of\":\"example.test\"}"),
		GP_OK);
	fixture_post(fixture, &message);
	message = event("2001:db8::9", 1001, true);
	fixture_post(fixture, &message);
	message = event("192.0.2.3", 1002, false);
	fixture_post(fixture, &message);
	message = event("192.0.2.2", 1003, true);
	fixture_post(fixture, &message);
	fixture_post(fixture, &ban);
	fixture_post(fixture, &drop);
	message = event("192.0.2.4", 1004, true);
	fixture_post(fixture, &message);
	load(fixture, 1000);
	assert_non_null(strstr(fixture->load, "ban 192.0.2.9 1000 "));
	assert_non_null(strstr(fixture->load, " guesses\n"));
	assert_non_null(strstr(fixture->load, "failure 192.0.2.1 1000\nfailure 2001:db8::/64 1001\n"
					      "failure 192.0.2.4 1004\n"));
	assert_non_null(
		strstr(fixture->load, "domain example.test \ndomain m.test example.test\n"));
	load(fixture, 1004);
	assert_null(strstr(fixture->load, "192.0.2.1 "));
}

/* Committed when the turn is over: another process sees it without any further message. */
static void test_commit(void **state)
{
	struct fixture *fixture = *state;
	struct ipc_message message = event("192.0.2.1", 1000, true);
	struct store *other = NULL;
	const struct store_clock clock = { 1, 0 };
	struct store_ban ban = { .net = { ip("192.0.2.5"), 32 }, .until = 10 };

	assert_int_equal(store_open(fixture->path, &other, NULL), GP_OK);
	store_set_wait(other, 10);
	for (int i = 0; i < 100; i++)
		fixture_post(fixture, &message);
	fixture_run(fixture);
	assert_int_equal(store_ban_keep(other, &clock, &ban), GP_OK); /* the lock is free */
	store_close(&other);
	assert_int_equal(fixture_op(fixture, "signin.list", "{\"limit\":1000}"), GP_OK);
	assert_int_equal(fixture->row_count, 100);
}

static unsigned count_events(struct fixture *fixture)
{
	assert_int_equal(fixture_op(fixture, "signin.list", "{\"limit\":1000}"), GP_OK);
	return fixture->row_count;
}

static void begin_journal(struct fixture *fixture, uint64_t number)
{
	struct ipc_message message = { .type = IPC_JOURNAL, .journal = { number } };

	fixture_post(fixture, &message);
}

/* Another writer holds the lock: core is asked to send again, and until it does nothing is taken,
 * so that the order stays. */
static void test_locked(void **state)
{
	struct fixture *fixture = *state;
	struct ipc_message message = event("192.0.2.1", 1000, true);
	struct store *other = NULL;

	assert_int_equal(store_open(fixture->path, &other, NULL), GP_OK);
	store_set_wait(fixture->vault.store, 10);
	begin_journal(fixture, 100);
	fixture_post(fixture, &message);
	fixture_run(fixture);
	assert_int_equal(store_begin(other, STORE_RELAXED), GP_OK);
	fixture_post(fixture, &message);
	fixture_run(fixture);
	assert_true(fixture->kept.again);
	assert_int_equal(fixture->kept.number, 101);
	assert_int_equal(fixture_op(fixture, "domain.add", "{\"domain\":\"a.test\"}"), GP_ERR_BUSY);
	assert_int_equal(count_events(fixture), 1);
	store_rollback(other);
	fixture_post(fixture, &message);
	fixture_run(fixture);
	assert_int_equal(count_events(fixture), 1);
	begin_journal(fixture, 101);
	fixture_post(fixture, &message);
	fixture_post(fixture, &message);
	fixture_run(fixture);
	assert_int_equal(count_events(fixture), 3);
	assert_int_equal(fixture->vault.record.kept, 103);
	store_close(&other);
}

/* A vault that died may have kept more than core has heard of. */
static void test_sent_again(void **state)
{
	struct fixture *fixture = *state;
	struct ipc_message message = event("192.0.2.1", 1000, true);
	const uint64_t first = (uint64_t)INT64_MAX - 1000;

	begin_journal(fixture, first);
	for (int i = 0; i < 5; i++)
		fixture_post(fixture, &message);
	fixture_run(fixture);
	assert_int_equal(count_events(fixture), 5);
	begin_journal(fixture, first + 2);
	for (int i = 0; i < 5; i++)
		fixture_post(fixture, &message);
	fixture_run(fixture);
	assert_int_equal(count_events(fixture), 7);
	assert_int_equal(fixture->vault.record.kept, first + 7);
	/* Another core: its numbers are others, and nothing of it is taken for a repetition. */
	begin_journal(fixture, first / 2);
	fixture_post(fixture, &message);
	fixture_run(fixture);
	assert_int_equal(count_events(fixture), 8);
}

/* Core hears of what is kept once in a while, not for each. */
static void test_told(void **state)
{
	struct fixture *fixture = *state;
	struct ipc_message message = event("192.0.2.1", 1000, false);

	begin_journal(fixture, 1);
	fixture_post(fixture, &message);
	fixture_run(fixture);
	assert_int_equal(fixture->kept_count, 0);
	assert_true(fixture->vault.record.is_tell_due);
	for (int i = 1; i < RECORD_TELL_COUNT + 31; i++) {
		fixture_post(fixture, &message);
		if (i % 32 == 0)
			fixture_run(fixture);
	}
	fixture_run(fixture);
	assert_int_equal(fixture->kept_count, 1);
	assert_true(fixture->kept.number >= RECORD_TELL_COUNT && !fixture->kept.again);
}

/* After a batch nothing is read for a moment: what comes then is one batch again. */
static void test_rest(void **state)
{
	struct fixture *fixture = *state;
	struct ipc_message message = event("192.0.2.1", 1000, false);
	struct vault *vault = &fixture->vault;

	begin_journal(fixture, 1);
	fixture_post(fixture, &message);
	loop_turn(vault->loop);
	assert_int_equal(vault->record.kept, 2);
	assert_true(loop_timer_is_set(&vault->record.rest));
	fixture_post(fixture, &message);
	fixture_post(fixture, &message);
	loop_turn(vault->loop);
	assert_int_equal(vault->record.kept, 2);
	chan_resume(vault->core);
	loop_turn(vault->loop);
	assert_int_equal(vault->record.kept, 4);
}

static void test_row(void **state)
{
	struct fixture *fixture = *state;
	struct ipc_message message = event("192.0.2.1", 1700000000, true);

	message.event.login = SLICE_LIT("a\xff\"b");
	fixture_post(fixture, &message);
	assert_int_equal(fixture_op(fixture, "signin.list", "{\"session\":\"77\"}"), GP_OK);
	assert_non_null(strstr(fixture->rows, "\"at\":\"2023-11-14T22:13:20Z\""));
	assert_non_null(strstr(fixture->rows, "\"login\":\"a\\\\xff\\\"b\""));
	assert_non_null(strstr(fixture->rows, "\"account\":null,\"device\":null,\"counted\":true"));
	assert_non_null(strstr(fixture->rows, "\"why\":\"wrong password\""));
	assert_non_null(strstr(fixture->rows, "\"session\":\"0000000000000077\""));
	assert_non_null(
		strstr(fixture->rows, "\"outcome\":\"denied\",\"reason\":\"wrong_password\""));
	assert_int_equal(
		fixture_op(fixture, "signin.list", "{\"account\":\"gone@x.test\"}"), GP_OK);
	assert_int_equal(fixture->row_count, 0);
}

static void test_sweep(void **state)
{
	struct fixture *fixture = *state;
	int64_t now = clock_wall();
	struct ipc_message old = event("192.0.2.1", now - 91 * 24 * 60 * 60, false);
	struct ipc_message young = event("192.0.2.1", now, false);

	for (int i = 0; i < 10; i++)
		fixture_post(fixture, i % 2 == 0 ? &old : &young);
	fixture_run(fixture);
	assert_false(record_sweep(&fixture->vault));
	assert_int_equal(fixture_op(fixture, "signin.list", "{}"), GP_OK);
	assert_int_equal(fixture->row_count, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_load),
		TEST(test_commit),
		TEST(test_locked),
		TEST(test_sent_again),
		TEST(test_told),
		TEST(test_rest),
		TEST(test_row),
		TEST(test_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
