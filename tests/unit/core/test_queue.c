/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "core/core.h"

enum {
	ATTEMPTS = 16,
	SOURCES = 3,
	MANY = 1000,
};

struct fixture {
	struct queue queue;
	struct source sources[SOURCES];
	struct attempt attempts[ATTEMPTS];
};

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof fixture);
	queue_init(&fixture.queue);
	for (unsigned i = 0; i < SOURCES; i++)
		fixture.sources[i].ip = (struct ip){ IP_V4, { 192, 0, 2, (uint8_t)i } };
	*state = &fixture;
	return 0;
}

/* Attempt n is of this source: "a", "b" or "c". */
static struct attempt *push(struct fixture *fixture, unsigned n, char source, size_t max)
{
	fixture->attempts[n].source = &fixture->sources[source - 'a'];
	return queue_push(&fixture->queue, &fixture->attempts[n], max);
}

static void expect(struct fixture *fixture, const unsigned *order, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(queue_pop(&fixture->queue), &fixture->attempts[order[i]]);
	assert_null(queue_pop(&fixture->queue));
	assert_int_equal(fixture->queue.count, 0);
	queue_fini(&fixture->queue);
}

static void sources_take_turns(void **state)
{
	static const unsigned order[] = { 0, 4, 5, 1, 6, 2, 3 };
	struct fixture *fixture = *state;

	for (unsigned n = 0; n < 4; n++)
		assert_null(push(fixture, n, 'a', MANY));
	assert_null(push(fixture, 4, 'b', MANY));
	assert_null(push(fixture, 5, 'c', MANY));
	assert_null(push(fixture, 6, 'c', MANY));
	expect(fixture, order, GP_ARRAY_LEN(order));
}

static void the_newest_of_the_largest_gives_way(void **state)
{
	static const unsigned order[] = { 0, 4, 5 };
	struct fixture *fixture = *state;

	for (unsigned n = 0; n < 3; n++)
		assert_null(push(fixture, n, 'a', 3));
	assert_ptr_equal(push(fixture, 3, 'a', 3), &fixture->attempts[3]);
	assert_ptr_equal(push(fixture, 4, 'b', 3), &fixture->attempts[2]);
	assert_ptr_equal(push(fixture, 5, 'c', 3), &fixture->attempts[1]);
	/* One each now: who comes gives way, who waits stays. */
	assert_ptr_equal(push(fixture, 6, 'b', 3), &fixture->attempts[6]);
	expect(fixture, order, GP_ARRAY_LEN(order));
}

static void one_can_be_taken_out(void **state)
{
	static const unsigned order[] = { 0, 3, 2 };
	struct fixture *fixture = *state;

	for (unsigned n = 0; n < 3; n++)
		assert_null(push(fixture, n, 'a', MANY));
	assert_null(push(fixture, 3, 'b', MANY));
	assert_null(push(fixture, 4, 'c', MANY));
	queue_remove(&fixture->queue, &fixture->attempts[1]);
	queue_remove(&fixture->queue, &fixture->attempts[4]);
	expect(fixture, order, GP_ARRAY_LEN(order));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sources_take_turns, set_up),
		cmocka_unit_test_setup(the_newest_of_the_largest_gives_way, set_up),
		cmocka_unit_test_setup(one_can_be_taken_out, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
