/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/health.h"

enum {
	NOW = 1000000
};

static void tries_hosts_in_order(void **state)
{
	struct health health;

	(void)state;
	health_init(&health, 3);
	assert_int_equal(health_next(&health, 0, NOW), 0);
	assert_int_equal(health_next(&health, 1U << 0, NOW), 1);
	assert_int_equal(health_next(&health, 1U << 0 | 1U << 1, NOW), 2);
	assert_int_equal(health_next(&health, 7, NOW), -1);
}

static void tries_a_failed_host_last(void **state)
{
	struct health health;

	(void)state;
	health_init(&health, 3);
	health_failed(&health, 0, NOW);
	assert_int_equal(health_next(&health, 0, NOW + 1), 1);
	assert_int_equal(health_next(&health, 1U << 1, NOW + 1), 2);
	assert_int_equal(health_next(&health, 1U << 1 | 1U << 2, NOW + 1), 0);
}

static void tries_the_longest_failed_of_failed_hosts_first(void **state)
{
	struct health health;

	(void)state;
	health_init(&health, 2);
	health_failed(&health, 1, NOW);
	health_failed(&health, 0, NOW + 5);
	assert_int_equal(health_next(&health, 0, NOW + 6), 1);
	assert_int_equal(health_next(&health, 1U << 1, NOW + 6), 0);
}

static void forgets_a_failure(void **state)
{
	struct health health;

	(void)state;
	health_init(&health, 2);
	health_failed(&health, 0, NOW);
	assert_int_equal(health_next(&health, 0, NOW + HEALTH_MEMORY_MS - 1), 1);
	assert_int_equal(health_next(&health, 0, NOW + HEALTH_MEMORY_MS), 0);
	health_failed(&health, 0, NOW);
	health_worked(&health, 0);
	assert_int_equal(health_next(&health, 0, NOW), 0);
}

/* The clock went back: a failure from the future would otherwise last for hours. */
static void forgets_a_failure_from_the_future(void **state)
{
	struct health health;

	(void)state;
	health_init(&health, 2);
	health_failed(&health, 0, NOW);
	assert_int_equal(health_next(&health, 0, NOW - 1), 0);
}

static void takes_the_most_hosts(void **state)
{
	struct health health;
	uint32_t tried = 0;

	(void)state;
	health_init(&health, HEALTH_HOSTS_MAX);
	for (int i = 0; i < HEALTH_HOSTS_MAX; i++) {
		assert_int_equal(health_next(&health, tried, NOW), i);
		tried |= 1U << i;
	}
	assert_int_equal(health_next(&health, tried, NOW), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tries_hosts_in_order),
		cmocka_unit_test(tries_a_failed_host_last),
		cmocka_unit_test(tries_the_longest_failed_of_failed_hosts_first),
		cmocka_unit_test(forgets_a_failure),
		cmocka_unit_test(forgets_a_failure_from_the_future),
		cmocka_unit_test(takes_the_most_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
