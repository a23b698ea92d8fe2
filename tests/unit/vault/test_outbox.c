/* SPDX-License-Identifier: ISC */
/* A notice is there with what it tells of, sealed, and tried until somebody has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypt/seal.h"
#include "vault_fixture.h"

enum {
	WALL = 1800000000,
	STEADY = 5000000,
	DAY = 24 * 3600,
	FILE_MAX = 4 * 1024 * 1024,
};

static void post(struct fixture *fixture)
{
	json_t *values =
		json_pack("{s:s, s:s}", "account", "alice@example.test", "name", "TelltaleSecret");
	const struct outbox_post notice = { .account = 7,
		.recipient = "alice@example.test",
		.kind = "device_added",
		.language = "de",
		.values = values };

	assert_int_equal(outbox_post(&fixture->vault, &notice), GP_OK);
	json_decref(values);
}

static void wake(struct fixture *fixture)
{
	outbox_wake(&fixture->vault);
	fixture_run(fixture);
}

static void answer_with(struct fixture *fixture, enum notice_outcome outcome, const char *text)
{
	struct ipc_message message = { .type = IPC_NOTICE_DONE };

	message.notice_done = (struct ipc_notice_done){
		.notice = fixture->notice, .outcome = (uint8_t)outcome, .text = slice_str(text)
	};
	fixture_post(fixture, &message);
	fixture_run(fixture);
}

static void answer(struct fixture *fixture, enum notice_outcome outcome)
{
	answer_with(fixture, outcome, "said");
}

/* What became of the last one. */
static struct store_outbox_fate fate(struct fixture *fixture)
{
	struct store_outbox_fate found = { .id = 0 };

	assert_int_equal(
		store_outbox_latest(fixture->vault.store, 7, SLICE_LIT("device_added"), &found),
		GP_OK);
	return found;
}

static uint64_t count(struct fixture *fixture)
{
	uint64_t posted = 0;

	assert_int_equal(
		store_outbox_count(fixture->vault.store, 7, SLICE_LIT(""), 0, &posted), GP_OK);
	return posted;
}

/* So many seconds later. */
static void pass(int64_t seconds)
{
	clock_fake(WALL + seconds, STEADY + seconds * 1000);
}

static int setup(void **state)
{
	clock_fake(WALL, STEADY);
	return fixture_setup(state);
}

static void it_is_sent_once(void **state)
{
	struct fixture *fixture = *state;

	post(fixture);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 1);
	assert_string_equal(fixture->notice_recipient, "alice@example.test");
	assert_non_null(strstr(fixture->letter, "Content-Language: de\r\n"));
	assert_non_null(strstr(fixture->letter, "TelltaleSecret"));
	assert_non_null(strstr(fixture->letter, "https://mail.example.test/"));
	wake(fixture);
	assert_int_equal(fixture->notice_count, 1);
	answer(fixture, NOTICE_SENT);
	assert_int_equal(fate(fixture).state, STORE_OUTBOX_TAKEN);
	pass(DAY);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 1);
}

/* So long as its answer may come, whatever the pause. */
static void what_is_under_way_is_not_sent_again(void **state)
{
	struct fixture *fixture = *state;

	post(fixture);
	wake(fixture);
	pass(OUTBOX_ANSWER_MS / 1000 - 1);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 1);
	pass(OUTBOX_ANSWER_MS / 1000);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 2);
}

static void what_is_done_is_forgotten_in_time(void **state)
{
	struct fixture *fixture = *state;

	post(fixture);
	wake(fixture);
	answer(fixture, NOTICE_SENT);
	pass(OUTBOX_DONE_S);
	wake(fixture);
	assert_int_equal(count(fixture), 1);
	pass(OUTBOX_DONE_S + 1);
	wake(fixture);
	assert_int_equal(count(fixture), 0);
}

static void it_is_given_up_after_three_days(void **state)
{
	struct fixture *fixture = *state;

	post(fixture);
	pass(OUTBOX_KEEP_S);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 1);
	answer(fixture, NOTICE_TEMPORARY);
	assert_int_equal(fate(fixture).state, STORE_OUTBOX_WAITING);
	post(fixture);
	pass(2L * OUTBOX_KEEP_S + 1);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 1);
	assert_int_equal(fate(fixture).state, STORE_OUTBOX_REFUSED);
	assert_string_equal(fate(fixture).said, "");
}

/* Sealed with another pepper, say: nobody waits for it, and it keeps no other one back. */
static void what_cannot_be_written_is_given_up(void **state)
{
	struct fixture *fixture = *state;
	struct vault *vault = &fixture->vault;

	post(fixture);
	secret_free(&vault->seal_key);
	vault->seal_key = seal_key_new(SLICE_LIT("another pepper of 32 bytes, that!"));
	wake(fixture);
	assert_int_equal(fixture->notice_count, 0);
	assert_int_equal(fate(fixture).state, STORE_OUTBOX_REFUSED);
	for (unsigned i = 0; i < OUTBOX_AT_ONCE; i++)
		post(fixture);
	wake(fixture);
	assert_int_equal(fixture->notice_count, OUTBOX_AT_ONCE);
}

static void too_much_to_say_fails_nothing(void **state)
{
	static char text[STORE_OUTBOX_CONTENT_MAX + 1];
	struct fixture *fixture = *state;
	struct outbox_post notice = { .account = 7,
		.recipient = "alice@example.test",
		.kind = "device_added",
		.language = "de" };

	memset(text, 'x', sizeof text - 1);
	notice.values = json_pack("{s:s}", "name", text);
	assert_int_equal(outbox_post(&fixture->vault, &notice), GP_OK);
	json_decref(notice.values);
	notice.values = NULL;
	notice.recipient = text;
	assert_int_equal(outbox_post(&fixture->vault, &notice), GP_OK);
	notice.recipient = "alice@example.test";
	notice.language = text;
	assert_int_equal(outbox_post(&fixture->vault, &notice), GP_OK);
	assert_int_equal(count(fixture), 0);
	assert_false(fixture->vault.outbox.has_new);
	notice.language = "de";
	assert_int_equal(outbox_post(&fixture->vault, &notice), GP_OK);
	assert_int_equal(count(fixture), 1);
}

/* Where the store fails, what the notice tells of fails too; and nothing leaves that is not put off
 * before, or else it might leave without end. */
static void a_store_that_fails_is_told(void **state)
{
	struct fixture *fixture = *state;
	const struct outbox_post notice = { .account = 7,
		.recipient = "alice@example.test",
		.kind = "device_added",
		.language = "de" };
	struct gp_why why = { "" };
	struct store *other = NULL;

	post(fixture);
	assert_int_equal(store_open(fixture->path, &other, &why), GP_OK);
	store_set_wait(fixture->vault.store, 1);
	assert_int_equal(store_begin(other, STORE_DURABLE), GP_OK);
	assert_int_not_equal(outbox_post(&fixture->vault, &notice), GP_OK);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 0);
	store_rollback(other);
	store_close(&other);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 1);
	assert_int_equal(count(fixture), 1);
}

static bool is_due_in(const struct vault *vault, int64_t ms)
{
	int64_t left = vault->outbox.tick.due - clock_real();

	return loop_timer_is_set(&vault->outbox.tick) && left <= ms * 1000000 &&
	       left > (ms - 1000) * 1000000;
}

/* Posted with what is committed later, together with other records. */
static void it_is_looked_for_once_it_is_there(void **state)
{
	struct fixture *fixture = *state;
	struct vault *vault = &fixture->vault;

	wake(fixture);
	assert_true(is_due_in(vault, OUTBOX_TICK_MS));
	assert_false(vault->outbox.has_new);
	assert_int_equal(store_begin(vault->store, STORE_RELAXED), GP_OK);
	vault->record.is_open = true;
	post(fixture);
	assert_true(is_due_in(vault, OUTBOX_TICK_MS));
	record_flush(vault);
	assert_true(is_due_in(vault, 0));
	fixture_run(fixture);
	assert_int_equal(fixture->notice_count, 1);
	assert_false(vault->outbox.has_new);
	assert_true(is_due_in(vault, OUTBOX_TICK_MS));
	/* What is sent is no part of what others have begun. */
	assert_int_equal(store_begin(vault->store, STORE_RELAXED), GP_OK);
	vault->record.is_open = true;
	wake(fixture);
	assert_false(store_is_in_transaction(vault->store));
}

/* It takes nothing for now: that is no fault of the letter's. */
static void a_core_that_hangs_loses_none(void **state)
{
	static char text[IPC_NOTICE_MAX];
	struct fixture *fixture = *state;
	struct ipc_message filler = { .type = IPC_NOTICE };

	post(fixture);
	chan_pause(fixture->core);
	memset(text, 'x', sizeof text);
	for (size_t len = sizeof text; len > 0; len /= 4) {
		filler.notice.message = slice_of(text, len);
		while (chan_send(fixture->vault.core, &filler, -1) == GP_OK)
			continue;
	}
	wake(fixture);
	assert_int_equal(fate(fixture).state, STORE_OUTBOX_WAITING);
	assert_int_equal(fixture->vault.outbox.under_way[0], 0);
}

static void the_desk_alone_sends(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned lane = 0; lane < IPC_LANE_MAX; lane++) {
		struct vault vault = { .loop = fixture->vault.loop, .lane = (enum ipc_lane)lane };

		outbox_init(&vault);
		assert_int_equal(is_due_in(&vault, OUTBOX_TICK_MS), vault.lane == IPC_LANE_DESK);
		outbox_on_core(&vault);
		outbox_wake(&vault);
		assert_int_equal(
			loop_timer_is_set(&vault.outbox.tick), vault.lane == IPC_LANE_DESK);
		outbox_fini(&vault);
	}
}

static void what_is_undone_tells_nobody(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(store_begin(fixture->vault.store, STORE_DURABLE), GP_OK);
	post(fixture);
	store_rollback(fixture->vault.store);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 0);
}

static void a_temporary_failure_is_tried_again_for_days(void **state)
{
	struct fixture *fixture = *state;
	int64_t now = WALL;
	unsigned tries = 0;

	post(fixture);
	while (now < WALL + 10L * DAY) {
		unsigned before = fixture->notice_count;

		clock_fake(now, STEADY + (now - WALL) * 1000);
		wake(fixture);
		if (fixture->notice_count > before) {
			tries++;
			answer(fixture, NOTICE_TEMPORARY);
			/* Not at once. */
			before = fixture->notice_count;
			wake(fixture);
			assert_int_equal(fixture->notice_count, before);
		}
		now += 60;
	}
	/* Hourly after a while, and not for ever. */
	assert_in_range(tries, 70, 90);
}

static void a_refusal_ends_it(void **state)
{
	struct fixture *fixture = *state;

	post(fixture);
	wake(fixture);
	answer_with(fixture, NOTICE_REFUSED, "550-5.1.1 no\n550 such \x1b[2J");
	assert_int_equal(fate(fixture).state, STORE_OUTBOX_REFUSED);
	assert_string_equal(fate(fixture).said, "550-5.1.1 no 550 such \\x1b[2J");
	pass(DAY);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 1);
}

/* An answer that is lost with a front, or with core, is not waited for without end. */
static void a_lost_answer_is_a_temporary_failure(void **state)
{
	struct fixture *fixture = *state;

	post(fixture);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 1);
	clock_fake(WALL + 120, STEADY + 120 * 1000);
	outbox_on_core_gone(&fixture->vault);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 2);
	clock_fake(WALL + 3600, STEADY + 120 * 1000 + OUTBOX_ANSWER_MS);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 3);
	/* And an answer that nobody waits for any more, or asked for, changes nothing. */
	outbox_on_core_gone(&fixture->vault);
	answer(fixture, NOTICE_SENT);
	assert_int_equal(fate(fixture).state, STORE_OUTBOX_WAITING);
	fixture->notice = 12345;
	answer(fixture, NOTICE_SENT);
	fixture->notice = 0;
	answer(fixture, NOTICE_SENT);
}

/* Not in the next minute: a new core gets, once it has its fronts, what waited for it, and what
 * the old one took with it. */
static void a_new_core_gets_what_waits_soon(void **state)
{
	struct fixture *fixture = *state;
	struct vault *vault = &fixture->vault;
	struct chan *core = vault->core;
	int64_t began;

	post(fixture);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 1);
	/* It ends; meanwhile something else is posted. */
	vault->core = NULL;
	outbox_on_core_gone(vault);
	post(fixture);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 1);
	vault->core = core;
	began = clock_real();
	outbox_on_core(vault);
	assert_in_range(vault->outbox.tick.due, began + OUTBOX_CORE_MS * INT64_C(1000000) - 1,
		clock_real() + OUTBOX_CORE_MS * INT64_C(1000000));
	clock_fake(WALL + OUTBOX_CORE_MS / 1000, STEADY + OUTBOX_CORE_MS);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 3);
	/* Whatever ends one core after the other is not tried so often. */
	outbox_on_core_gone(vault);
	clock_fake(WALL + 2 * OUTBOX_CORE_MS / 1000, STEADY + 2 * OUTBOX_CORE_MS);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 4);
}

static void a_few_are_under_way_at_a_time(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 0; i < OUTBOX_AT_ONCE + 3; i++)
		post(fixture);
	wake(fixture);
	assert_int_equal(fixture->notice_count, OUTBOX_AT_ONCE);
	answer(fixture, NOTICE_SENT);
	assert_int_equal(fixture->notice_count, OUTBOX_AT_ONCE + 1);
}

static bool file_has(const char *path, const char *text)
{
	static char bytes[FILE_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, bytes, sizeof bytes) : 0;

	if (fd >= 0)
		(void)close(fd);
	return len > 0 && memmem(bytes, (size_t)len, text, strlen(text)) != NULL;
}

static void it_lies_sealed(void **state)
{
	struct fixture *fixture = *state;
	char wal[128];

	post(fixture);
	(void)snprintf(wal, sizeof wal, "%s-wal", fixture->path);
	assert_true(file_has(fixture->path, "device_added") || file_has(wal, "device_added"));
	assert_false(file_has(fixture->path, "TelltaleSecret"));
	assert_false(file_has(wal, "TelltaleSecret"));
}

static void nothing_is_posted_where_nobody_wants_it(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.notices = false;
	post(fixture);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_sent_once, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			what_is_undone_tells_nobody, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_temporary_failure_is_tried_again_for_days, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			what_is_under_way_is_not_sent_again, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			what_is_done_is_forgotten_in_time, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			it_is_given_up_after_three_days, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_written_is_given_up, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			too_much_to_say_fails_nothing, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_store_that_fails_is_told, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			it_is_looked_for_once_it_is_there, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_core_that_hangs_loses_none, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(the_desk_alone_sends, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_refusal_ends_it, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_lost_answer_is_a_temporary_failure, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_new_core_gets_what_waits_soon, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_few_are_under_way_at_a_time, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(it_lies_sealed, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			nothing_is_posted_where_nobody_wants_it, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
