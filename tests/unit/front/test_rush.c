/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>

#include "front/rush.h"

/* Neither edge is where the other is, so that a few who come and go cost no system calls. */
static void a_rush_has_a_beginning_and_an_end(void **state)
{
	struct rush rush = { 0 };

	(void)state;
	for (size_t i = 1; i < RUSH_BEGINS; i++) {
		rush_enter(&rush);
		assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
	}
	rush_enter(&rush);
	assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
	for (size_t i = RUSH_BEGINS - 1; i > RUSH_ENDS; i--) {
		rush_leave(&rush);
		assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
	}
	rush_leave(&rush);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
	rush_enter(&rush);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
	while (rush.count > 0)
		rush_leave(&rush);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rush_has_a_beginning_and_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
