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

static void answer(struct fixture *fixture, enum notice_outcome outcome)
{
	struct ipc_message message = { .type = IPC_NOTICE_DONE };

	message.notice_done = (struct ipc_notice_done){
		.notice = fixture->notice, .outcome = (uint8_t)outcome, .text = SLICE_LIT("said")
	};
	fixture_post(fixture, &message);
	fixture_run(fixture);
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
	clock_fake(WALL + DAY, STEADY + DAY * 1000L);
	wake(fixture);
	assert_int_equal(fixture->notice_count, 1);
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
	answer(fixture, NOTICE_REFUSED);
	clock_fake(WALL + DAY, STEADY + DAY * 1000L);
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
	/* And an answer nobody asked for changes nothing. */
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
