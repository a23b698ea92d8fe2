/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "counter/quota.h"

enum {
	T0 = 1800000000,
	EVENTS = 20000
};

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

/* Against a list of all that was added: never less than the window holds, never more than it and a
 * twelfth. */
static void sum_covers_the_window(void **state)
{
	static int64_t at[EVENTS];
	struct tally tally = { 0 };
	uint32_t seed = 1;
	int64_t now = T0;
	unsigned count = 0;

	(void)state;
	for (; count < EVENTS; count++) {
		uint32_t sum;
		unsigned within = 0;
		unsigned nearly = 0;

		now += next(&seed) % 100 == 0 ? next(&seed) % 20000 : next(&seed) % 60;
		tally_add(&tally, TALLY_HOUR, now, 1);
		at[count] = now;
		sum = tally_sum(&tally, TALLY_HOUR, now);
		for (unsigned i = count + 1; i-- > 0 && now - at[i] <= TALLY_HOUR * 14 / 12;) {
			within += now - at[i] < TALLY_HOUR;
			nearly += now - at[i] <= TALLY_HOUR + TALLY_HOUR / 12;
		}
		assert_true(sum >= within && sum <= nearly);
	}
}

static void time_that_goes_back_stands_still(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	tally_add(&tally, TALLY_DAY, T0, 3);
	tally_add(&tally, TALLY_DAY, T0 - 10 * TALLY_DAY, 2);
	tally_add(&tally, TALLY_DAY, -1, 1);
	assert_int_equal(tally_sum(&tally, TALLY_DAY, T0 - 10 * TALLY_DAY), 6);
	assert_int_equal(tally_sum(&tally, TALLY_DAY, T0), 6);
	assert_int_equal(tally_sum(&tally, TALLY_DAY, T0 + 2 * TALLY_DAY), 0);
}

static void sums_saturate(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	tally_add(&tally, TALLY_HOUR, T0, UINT32_MAX);
	tally_add(&tally, TALLY_HOUR, T0 + 600, 5);
	assert_int_equal(tally_sum(&tally, TALLY_HOUR, T0 + 600), UINT32_MAX);
	tally_add(&tally, TALLY_HOUR, T0 + 4500, 7);
	assert_int_equal(tally_sum(&tally, TALLY_HOUR, T0 + 4500), 7);
}

static void falls_when_it_says(void **state)
{
	struct tally tally = { 0 };
	int64_t in;

	(void)state;
	tally_add(&tally, TALLY_HOUR, T0, 4);
	tally_add(&tally, TALLY_HOUR, T0 + 1000, 3);
	assert_int_equal(tally_falls_in(&tally, TALLY_HOUR, T0 + 1000, 7), 0);
	in = tally_falls_in(&tally, TALLY_HOUR, T0 + 1000, 6);
	assert_true(in > 0);
	assert_int_equal(tally_sum(&tally, TALLY_HOUR, T0 + 1000 + in - 1), 7);
	assert_int_equal(tally_sum(&tally, TALLY_HOUR, T0 + 1000 + in), 3);
	in = tally_falls_in(&tally, TALLY_HOUR, T0 + 1000, 2);
	assert_int_equal(tally_sum(&tally, TALLY_HOUR, T0 + 1000 + in - 1), 3);
	assert_int_equal(tally_sum(&tally, TALLY_HOUR, T0 + 1000 + in), 0);
}

static void reservations_count(void **state)
{
	struct quota quota = { 0 };

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		assert_true(quota_has_room(&quota, TALLY_HOUR, T0, 10, 1));
		quota_reserve(&quota, 1);
	}
	assert_false(quota_has_room(&quota, TALLY_HOUR, T0, 10, 1));
	assert_int_equal(quota_free_in(&quota, TALLY_HOUR, T0, 10, 1), 0);
	quota_release(&quota, 1);
	assert_true(quota_has_room(&quota, TALLY_HOUR, T0, 10, 1));
	quota_reserve(&quota, 1);
	for (unsigned i = 0; i < 10; i++)
		quota_commit(&quota, TALLY_HOUR, T0, 1);
	assert_false(quota_has_room(&quota, TALLY_HOUR, T0, 10, 1));
	assert_true(quota_has_room(&quota, TALLY_HOUR, T0 + TALLY_HOUR * 14 / 12, 10, 10));
	assert_true(quota_free_in(&quota, TALLY_HOUR, T0, 10, 1) >= TALLY_HOUR);
	assert_int_equal(quota_free_in(&quota, TALLY_HOUR, T0, 10, 11), -1);
	assert_true(quota_free_in(&quota, TALLY_HOUR, T0, 10, 10) >= TALLY_HOUR);
	assert_true(quota_has_room(&quota, TALLY_HOUR, T0, 0, UINT32_MAX));
	assert_int_equal(quota_free_in(&quota, TALLY_HOUR, T0, 0, UINT32_MAX), 0);
}

/* In no window of an hour more than the limit, whatever the order of events. */
static void limit_holds_in_every_window(void **state)
{
	static int64_t sent[EVENTS];
	struct quota quota = { 0 };
	uint32_t seed = 2;
	unsigned count = 0;
	unsigned first = 0;
	unsigned full = 0;
	int64_t now = T0;

	(void)state;
	for (unsigned i = 0; i < EVENTS; i++) {
		now += next(&seed) % 40;
		if (quota.reserved > 0 && next(&seed) % 2 == 0) {
			if (next(&seed) % 5 == 0) {
				quota_release(&quota, 1);
			} else {
				quota_commit(&quota, TALLY_HOUR, now, 1);
				sent[count++] = now;
			}
		}
		if (quota_has_room(&quota, TALLY_HOUR, now, 30, 1))
			quota_reserve(&quota, 1);
		else
			full++;
		while (first < count && now - sent[first] >= TALLY_HOUR)
			first++;
		assert_true(count - first <= 30);
	}
	assert_true(full > 100 && count > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sum_covers_the_window),
		cmocka_unit_test(time_that_goes_back_stands_still),
		cmocka_unit_test(sums_saturate),
		cmocka_unit_test(falls_when_it_says),
		cmocka_unit_test(reservations_count),
		cmocka_unit_test(limit_holds_in_every_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
