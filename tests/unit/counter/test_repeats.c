/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "counter/repeats.h"

enum {
	WINDOW_MS = 1000,
	MOST = 3,
};

static enum repeats_answer note(struct repeats *repeats, unsigned char guess)
{
	unsigned char tag[REPEATS_TAG_SIZE] = { [15] = guess };

	return repeats_note(repeats, tag, WINDOW_MS, MOST);
}

static void a_repeat_counts_once_until_it_is_worn(void **state)
{
	struct repeats *repeats = repeats_new(10);

	(void)state;
	clock_fake(0, 5000);
	assert_int_equal(note(repeats, 1), REPEATS_NEW);
	for (unsigned i = 0; i < MOST; i++)
		assert_int_equal(note(repeats, 1), REPEATS_AGAIN);
	assert_int_equal(note(repeats, 1), REPEATS_WORN);
	assert_int_equal(note(repeats, 1), REPEATS_WORN);
	assert_int_equal(note(repeats, 2), REPEATS_NEW);
	repeats_free(&repeats);
}

static void it_counts_again_after_the_window(void **state)
{
	struct repeats *repeats = repeats_new(10);

	(void)state;
	clock_fake(0, 5000);
	assert_int_equal(note(repeats, 1), REPEATS_NEW);
	clock_fake(0, 5000 + WINDOW_MS - 1);
	assert_int_equal(note(repeats, 1), REPEATS_AGAIN);
	clock_fake(0, 5000 + WINDOW_MS);
	assert_int_equal(note(repeats, 1), REPEATS_NEW);
	assert_int_equal(repeats_count(repeats), 1);
	repeats_free(&repeats);
	assert_null(repeats);
}

static void memory_is_bounded_and_the_oldest_goes(void **state)
{
	struct repeats *repeats = repeats_new(2);

	(void)state;
	clock_fake(0, 5000);
	assert_int_equal(note(repeats, 1), REPEATS_NEW);
	assert_int_equal(note(repeats, 2), REPEATS_NEW);
	assert_int_equal(note(repeats, 3), REPEATS_NEW);
	assert_int_equal(repeats_count(repeats), 2);
	assert_int_equal(note(repeats, 2), REPEATS_AGAIN);
	assert_int_equal(note(repeats, 1), REPEATS_NEW);
	repeats_free(&repeats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repeat_counts_once_until_it_is_worn),
		cmocka_unit_test(it_counts_again_after_the_window),
		cmocka_unit_test(memory_is_bounded_and_the_oldest_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
