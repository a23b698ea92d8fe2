/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>

#include "base/clock.h"
#include "front/rush.h"

static struct loop *loop;
static struct rush rush;
static int64_t now;

static void pass(int64_t ms)
{
	now += ms;
	clock_fake(0, now);
}

static int begin(void **state)
{
	(void)state;
	loop = loop_new();
	pass(1000000);
	rush_init(loop, &rush);
	return 0;
}

static int end(void **state)
{
	(void)state;
	rush_fini(&rush);
	loop_free(&loop);
	return 0;
}

static void arrive(unsigned count)
{
	while (count-- > 0)
		rush_arrive(&rush);
}

/* Whether the process is a batch job for ms more, and none after that. The loop's timer runs on
 * real time, so what it does is called here. */
static void assert_over_after(int64_t ms)
{
	assert_true(loop_timer_is_set(&rush.over));
	pass(ms - 1);
	rush.over.on_fire(&rush.over);
	assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
	assert_true(loop_timer_is_set(&rush.over));
	pass(1);
	rush.over.on_fire(&rush.over);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

static void many_at_once_are_a_rush(void **state)
{
	(void)state;
	arrive(RUSH_BEGINS - 1);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
	arrive(1);
	assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
	assert_over_after((int64_t)(RUSH_BEGINS - RUSH_ENDS) * RUSH_LEAK_MS);
}

/* Any number of them, so that it is the pace that counts. */
static void it_is_soon_over_after_any_number(void **state)
{
	(void)state;
	arrive(10 * RUSH_MOST);
	assert_over_after((int64_t)(RUSH_MOST - RUSH_ENDS) * RUSH_LEAK_MS);
}

static void slow_arrivals_are_none(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10 * RUSH_MOST; i++) {
		pass(RUSH_LEAK_MS);
		arrive(1);
		assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
	}
}

/* Nor do long quiet times count in favour of those who come after. */
static void it_begins_after_any_silence(void **state)
{
	(void)state;
	pass(24 * 60 * 60 * 1000);
	arrive(RUSH_BEGINS);
	assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
	assert_over_after((int64_t)(RUSH_BEGINS - RUSH_ENDS) * RUSH_LEAK_MS);
}

/* Faster than the bucket leaks, if only by a little. */
static void a_quick_pace_is_one_as_long_as_it_lasts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		pass(RUSH_LEAK_MS - 2);
		arrive(1);
	}
	assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
	pass((int64_t)RUSH_MOST * RUSH_LEAK_MS);
	rush.over.on_fire(&rush.over);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

/* The settable clock jumps in both directions. */
static void a_clock_that_went_back_ends_it(void **state)
{
	(void)state;
	arrive(RUSH_BEGINS);
	pass(-60 * 60 * 1000);
	rush.over.on_fire(&rush.over);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(many_at_once_are_a_rush, begin, end),
		cmocka_unit_test_setup_teardown(it_is_soon_over_after_any_number, begin, end),
		cmocka_unit_test_setup_teardown(slow_arrivals_are_none, begin, end),
		cmocka_unit_test_setup_teardown(it_begins_after_any_silence, begin, end),
		cmocka_unit_test_setup_teardown(
			a_quick_pace_is_one_as_long_as_it_lasts, begin, end),
		cmocka_unit_test_setup_teardown(a_clock_that_went_back_ends_it, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
