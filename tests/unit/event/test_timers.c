/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event/timers.h"

enum {
	TIMERS = 300,
	STEPS = 20000,
};

/* Small and the same everywhere: what matters is that every path is taken. */
static unsigned next_number(unsigned *state)
{
	*state = *state * 1103515245U + 12345U;
	return *state >> 16;
}

static const struct loop_timer *find_first(const struct loop_timer *all)
{
	const struct loop_timer *first = NULL;

	for (size_t i = 0; i < TIMERS; i++) {
		if (all[i].place > 0 && (first == NULL || all[i].due < first->due))
			first = &all[i];
	}
	return first;
}

static size_t count_set(const struct loop_timer *all)
{
	size_t count = 0;

	for (size_t i = 0; i < TIMERS; i++)
		count += all[i].place > 0;
	return count;
}

/* Set, moved to both sides and cleared in any order, the first is always the one due first. */
static void the_first_is_due_first(void **state)
{
	static struct loop_timer all[TIMERS];
	struct timers timers = { 0 };
	unsigned random = 1;

	(void)state;
	for (unsigned step = 0; step < STEPS; step++) {
		struct loop_timer *timer = &all[next_number(&random) % TIMERS];
		const struct loop_timer *first;

		if (next_number(&random) % 3 == 0)
			timers_clear(&timers, timer);
		else
			timers_set(&timers, timer, next_number(&random) % 1000);
		first = find_first(all);
		if (first == NULL)
			assert_null(timers_first(&timers));
		else
			assert_int_equal(timers_first(&timers)->due, first->due);
		assert_int_equal(timers.count, count_set(all));
	}
	while (timers_first(&timers) != NULL) {
		struct loop_timer *first = timers_first(&timers);

		assert_int_equal(first->due, find_first(all)->due);
		timers_clear(&timers, first);
		assert_int_equal(first->place, 0);
	}
	assert_int_equal(count_set(all), 0);
	timers_fini(&timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_due_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
