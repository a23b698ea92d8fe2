/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/slice.h"
#include "counter/counter_memory.h"

enum {
	PLACES = 5,
	WINDOW_MS = 20 * 60 * 1000,
	START_MS = 1000000,
	MINUTE_MS = 60 * 1000,
};

static const struct counter_limits limits = { PLACES, WINDOW_MS, 8 };

struct asked {
	struct counter_ask ask;
	struct counter_result result;
	unsigned answers;
};

static void on_answer(struct counter_ask *ask, const struct counter_result *result)
{
	struct asked *asked = ask->owner;

	asked->result = *result;
	asked->answers++;
}

static struct asked asked_new(void)
{
	return (struct asked){ .ask = { .on_answer = on_answer } };
}

static struct counter_result reserve(struct counter *counter, const char *key)
{
	struct asked asked = asked_new();

	asked.ask.owner = &asked;
	counter_reserve(counter, slice_str(key), &asked.ask);
	assert_int_equal(asked.answers, 1);
	return asked.result;
}

static struct counter_result commit(
	struct counter *counter, const char *key, uint64_t token, unsigned weight)
{
	struct asked asked = asked_new();

	asked.ask.owner = &asked;
	counter_commit(counter, slice_str(key), token, weight, &asked.ask);
	assert_int_equal(asked.answers, 1);
	return asked.result;
}

static struct counter_result add(
	struct counter *counter, const char *key, unsigned weight, int64_t age_ms)
{
	struct asked asked = asked_new();

	asked.ask.owner = &asked;
	counter_add(counter, slice_str(key), weight, age_ms, &asked.ask);
	assert_int_equal(asked.answers, 1);
	return asked.result;
}

static struct counter_result fail_once(struct counter *counter, const char *key)
{
	struct counter_result granted = reserve(counter, key);

	assert_int_equal(granted.answer, COUNTER_GRANTED);
	return commit(counter, key, granted.token, 1);
}

static int set_up(void **state)
{
	clock_fake(1700000000, START_MS);
	*state = counter_memory_new(&limits);
	return 0;
}

static int tear_down(void **state)
{
	struct counter *counter = *state;

	counter_free(&counter);
	assert_null(counter);
	return 0;
}

static void of_200_at_once_exactly_five_pass(void **state)
{
	struct counter *counter = *state;
	uint64_t tokens[PLACES];
	unsigned granted = 0;

	for (unsigned i = 0; i < 200; i++) {
		struct counter_result result = reserve(counter, "a");

		if (result.answer == COUNTER_GRANTED)
			tokens[granted++] = result.token;
		else
			assert_int_equal(result.answer, COUNTER_FULL);
	}
	assert_int_equal(granted, PLACES);
	for (unsigned i = 0; i < PLACES; i++) {
		struct counter_result result = commit(counter, "a", tokens[i], 1);

		assert_int_equal(result.answer, COUNTER_DONE);
		assert_int_equal(result.committed, i + 1);
		assert_int_equal(result.in_flight, PLACES - 1 - i);
		assert_int_equal(result.is_last, i == PLACES - 1);
	}
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(reserve(counter, "a").answer, COUNTER_SPENT);
	assert_int_equal(counter_remaining(counter, slice_str("a")), 0);
	assert_int_equal(reserve(counter, "b").answer, COUNTER_GRANTED);
}

static void the_window_slides(void **state)
{
	struct counter *counter = *state;

	for (unsigned i = 0; i < PLACES; i++) {
		clock_fake(0, START_MS + (int64_t)i * MINUTE_MS);
		fail_once(counter, "a");
	}
	/* The first failure is 4 minutes old now. */
	assert_int_equal(reserve(counter, "a").free_in, WINDOW_MS - 4 * MINUTE_MS);
	clock_fake(0, START_MS + WINDOW_MS - 1);
	assert_int_equal(reserve(counter, "a").answer, COUNTER_SPENT);
	assert_int_equal(reserve(counter, "a").free_in, 1);
	clock_fake(0, START_MS + WINDOW_MS);
	assert_int_equal(counter_remaining(counter, slice_str("a")), 1);
	assert_true(fail_once(counter, "a").is_last);
	assert_int_equal(reserve(counter, "a").answer, COUNTER_SPENT);
	/* At any time at most five within any window: the next place comes a minute later. */
	assert_int_equal(reserve(counter, "a").free_in, MINUTE_MS);
}

static void a_place_given_back_is_free(void **state)
{
	struct counter *counter = *state;

	for (unsigned i = 0; i < 50; i++) {
		struct counter_result result = reserve(counter, "a");

		assert_int_equal(result.answer, COUNTER_GRANTED);
		counter_release(counter, slice_str("a"), result.token);
	}
	assert_int_equal(counter_remaining(counter, slice_str("a")), PLACES);
	assert_int_equal(counter_memory_keys(counter), 0);
}

struct room {
	unsigned calls;
	char key[COUNTER_KEY_MAX + 1];
};

static void on_room(struct counter *counter, struct slice key, void *owner)
{
	struct room *room = owner;

	(void)counter;
	room->calls++;
	assert_true(slice_copy(key, room->key, sizeof room->key));
}

static void room_is_announced_to_who_was_told_full(void **state)
{
	struct counter *counter = *state;
	struct room room = { 0 };
	uint64_t tokens[PLACES];

	counter->on_room = on_room;
	counter->owner = &room;
	for (unsigned i = 0; i < PLACES; i++)
		tokens[i] = reserve(counter, "a").token;
	counter_release(counter, slice_str("a"), tokens[0]);
	assert_int_equal(room.calls, 0);
	assert_int_equal(reserve(counter, "a").answer, COUNTER_GRANTED);
	assert_int_equal(reserve(counter, "a").answer, COUNTER_FULL);
	counter_release(counter, slice_str("a"), tokens[1]);
	assert_int_equal(room.calls, 1);
	assert_string_equal(room.key, "a");
	counter_release(counter, slice_str("a"), tokens[2]);
	assert_int_equal(room.calls, 1);
}

static void forgetting_opens_the_window_and_keeps_reservations(void **state)
{
	struct counter *counter = *state;
	struct room room = { 0 };
	uint64_t token;

	counter->on_room = on_room;
	counter->owner = &room;
	for (unsigned i = 0; i < PLACES - 1; i++)
		fail_once(counter, "a");
	token = reserve(counter, "a").token;
	assert_int_equal(reserve(counter, "a").answer, COUNTER_FULL);
	counter_forget(counter, slice_str("a"));
	assert_int_equal(room.calls, 1);
	assert_int_equal(counter_remaining(counter, slice_str("a")), PLACES);
	assert_int_equal(commit(counter, "a", token, 1).committed, 1);
	counter_forget(counter, slice_str("a"));
	counter_forget(counter, slice_str("never seen"));
	assert_int_equal(counter_memory_keys(counter), 0);
}

static void old_failures_come_back_with_their_age(void **state)
{
	struct counter *counter = *state;

	assert_int_equal(add(counter, "a", 1, WINDOW_MS).committed, 0);
	assert_int_equal(counter_memory_keys(counter), 0);
	/* Not in order of time. */
	add(counter, "a", 1, 5 * MINUTE_MS);
	add(counter, "a", 1, 19 * MINUTE_MS);
	add(counter, "a", 1, 10 * MINUTE_MS);
	add(counter, "a", 1, 0);
	assert_int_equal(counter_remaining(counter, slice_str("a")), 1);
	assert_true(add(counter, "a", 1, 1).is_last);
	assert_int_equal(reserve(counter, "a").free_in, MINUTE_MS);
	clock_fake(0, START_MS + MINUTE_MS);
	assert_int_equal(counter_remaining(counter, slice_str("a")), 1);
	clock_fake(0, START_MS + 10 * MINUTE_MS);
	assert_int_equal(counter_remaining(counter, slice_str("a")), 2);
}

static void a_weight_counts_as_many(void **state)
{
	struct counter *counter = *state;
	struct counter_result result = reserve(counter, "a");

	result = commit(counter, "a", result.token, PLACES);
	assert_true(result.is_last);
	assert_int_equal(result.committed, PLACES);
	assert_false(add(counter, "a", 1, 0).is_last);
	for (unsigned i = 0; i < 20; i++)
		add(counter, "a", 1, 0);
	assert_int_equal(reserve(counter, "a").answer, COUNTER_SPENT);
	clock_fake(0, START_MS + WINDOW_MS);
	assert_int_equal(reserve(counter, "a").answer, COUNTER_GRANTED);
}

static void the_weakest_and_oldest_go_first(void **state)
{
	struct counter *counter = *state;
	char key[2] = "a";

	/* "a" is the oldest but the strongest; then b..h with one failure each. */
	fail_once(counter, "a");
	fail_once(counter, "a");
	for (char c = 'b'; c <= 'h'; c++) {
		key[0] = c;
		clock_fake(0, START_MS + c);
		fail_once(counter, key);
	}
	assert_int_equal(counter_memory_keys(counter), limits.max_keys);
	fail_once(counter, "x");
	assert_int_equal(counter_memory_keys(counter), limits.max_keys);
	assert_int_equal(counter_committed(counter, slice_str("b")), 0);
	assert_int_equal(counter_committed(counter, slice_str("c")), 1);
	assert_int_equal(counter_committed(counter, slice_str("a")), 2);
	/* A failure makes "c" younger and stronger: "d" goes next. */
	fail_once(counter, "c");
	fail_once(counter, "y");
	assert_int_equal(counter_committed(counter, slice_str("d")), 0);
	assert_int_equal(counter_committed(counter, slice_str("c")), 2);
	assert_int_equal(counter_committed(counter, slice_str("a")), 2);
}

static void a_million_fresh_keys_push_no_strong_one_out(void **state)
{
	struct counter *counter = *state;

	for (unsigned i = 0; i < PLACES; i++)
		fail_once(counter, "banned");
	for (uint32_t i = 0; i < 1000 * 1000; i++) {
		char key[sizeof i + 2] = "k";
		struct asked asked = asked_new();

		memcpy(key + 1, &i, sizeof i);
		asked.ask.owner = &asked;
		counter_add(counter, slice_of(key, sizeof i + 1), 1, 0, &asked.ask);
		assert_int_equal(asked.result.answer, COUNTER_DONE);
	}
	assert_int_equal(counter_memory_keys(counter), limits.max_keys);
	assert_int_equal(reserve(counter, "banned").answer, COUNTER_SPENT);
}

static void a_key_with_a_check_in_flight_never_goes(void **state)
{
	struct counter *counter = *state;
	uint64_t tokens[8];
	char key[2] = "a";

	for (unsigned i = 0; i < 8; i++) {
		key[0] = (char)('a' + i);
		tokens[i] = reserve(counter, key).token;
	}
	assert_int_equal(reserve(counter, "x").answer, COUNTER_FAILED);
	assert_int_equal(add(counter, "x", 1, 0).answer, COUNTER_FAILED);
	assert_int_equal(commit(counter, "a", tokens[0], 1).committed, 1);
	assert_int_equal(reserve(counter, "x").answer, COUNTER_GRANTED);
	assert_int_equal(commit(counter, "b", tokens[1], 1).committed, 1);
}

static void the_sweep_frees_what_has_left(void **state)
{
	struct counter *counter = *state;

	fail_once(counter, "a");
	clock_fake(0, START_MS + MINUTE_MS);
	fail_once(counter, "b");
	(void)reserve(counter, "c");
	clock_fake(0, START_MS + WINDOW_MS);
	counter_sweep(counter);
	assert_int_equal(counter_memory_keys(counter), 2);
	clock_fake(0, START_MS + 2 * WINDOW_MS);
	/* A look that finds nothing left frees too. */
	assert_int_equal(counter_committed(counter, slice_str("b")), 0);
	counter_sweep(counter);
	assert_int_equal(counter_memory_keys(counter), 1);
}

static void new_limits_hold_at_once(void **state)
{
	struct counter *counter = *state;
	struct counter_limits fewer = { 2, MINUTE_MS, 2 };

	for (unsigned i = 0; i < 3; i++)
		fail_once(counter, "a");
	fail_once(counter, "b");
	fail_once(counter, "c");
	counter_configure(counter, &fewer);
	assert_int_equal(counter_memory_keys(counter), 2);
	assert_int_equal(reserve(counter, "a").answer, COUNTER_SPENT);
	assert_int_equal(reserve(counter, "a").free_in, MINUTE_MS);
	clock_fake(0, START_MS + MINUTE_MS);
	assert_int_equal(reserve(counter, "a").answer, COUNTER_GRANTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			of_200_at_once_exactly_five_pass, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_window_slides, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_place_given_back_is_free, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			room_is_announced_to_who_was_told_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			forgetting_opens_the_window_and_keeps_reservations, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			old_failures_come_back_with_their_age, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_weight_counts_as_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_weakest_and_oldest_go_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_million_fresh_keys_push_no_strong_one_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_key_with_a_check_in_flight_never_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_sweep_frees_what_has_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(new_limits_hold_at_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
