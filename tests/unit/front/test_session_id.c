/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/session_id.h"

static const uint64_t count_mask = (1ULL << SESSION_ID_COUNT_BITS) - 1;

static void counts_under_random_bits(void **state)
{
	struct session_ids ids = { 0 };
	uint64_t first = session_id_take(&ids);

	(void)state;
	assert_int_equal(first & count_mask, 1);
	assert_int_not_equal(first & ~count_mask, 0);
	assert_int_equal(session_id_take(&ids), first + 1);
	assert_int_equal(session_id_take(&ids), first + 2);
}

static void starts_differ(void **state)
{
	struct session_ids a = { 0 };
	struct session_ids b = { 0 };

	(void)state;
	assert_int_not_equal(session_id_take(&a), session_id_take(&b));
}

static void takes_fresh_bits_when_the_count_is_used_up(void **state)
{
	struct session_ids ids = { 0 };
	uint64_t first = session_id_take(&ids);
	uint64_t last = first | count_mask;
	uint64_t fresh;

	(void)state;
	ids.next = last;
	assert_int_equal(session_id_take(&ids), last);
	fresh = session_id_take(&ids);
	assert_int_equal(fresh & count_mask, 1);
	assert_int_not_equal(fresh & ~count_mask, first & ~count_mask);
	/* Nor the bits that plain counting would have gone on with. */
	assert_int_not_equal(fresh & ~count_mask, (last + 1) & ~count_mask);
}

/* The very last id there is: the next must not be 0. */
static void survives_the_end_of_all_numbers(void **state)
{
	struct session_ids ids = { .next = UINT64_MAX };

	(void)state;
	assert_true(session_id_take(&ids) == UINT64_MAX);
	assert_int_not_equal(session_id_take(&ids), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_under_random_bits),
		cmocka_unit_test(starts_differ),
		cmocka_unit_test(takes_fresh_bits_when_the_count_is_used_up),
		cmocka_unit_test(survives_the_end_of_all_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
