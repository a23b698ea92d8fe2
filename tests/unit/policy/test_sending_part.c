/* SPDX-License-Identifier: ISC */
/* Which sources took part: what each of them did, and for how long that is held against it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/check.h"
#include "configured.h"
#include "policy/sending_part.h"

enum {
	DAY = 24 * 60 * 60,
	T0 = 20000 * DAY,
};

static int set_up(void **state)
{
	(void)state;
	configured_set_up("hostname = mail.example.test\n"
			  "listener smtp { }\n"
			  "backend smtp { hosts = 127.0.0.1:1025 }\n"
			  "route \"*\" { smtp = smtp }\n");
	return 0;
}

static struct ip source_of(unsigned number)
{
	char text[IP_TEXT_SIZE];
	struct ip ip;

	(void)snprintf(text, sizeof text, "192.0.2.%u", number);
	assert_int_equal(ip_parse(slice_str(text), &ip), GP_OK);
	return ip;
}

static struct sending_part *part_of(struct sending_parts *parts, unsigned number, int64_t now)
{
	struct ip source = source_of(number);

	return sending_parts_get(parts, &source, now);
}

struct deed {
	enum sending_part_count what;
	unsigned most; /* that is nobody's harm */
	struct sending_facts habit;
};

static void what_alone_gives_points(void **state)
{
	static const struct deed deeds[] = {
		{ SENDING_PART_ELSEWHERE, 0, { 0 } },
		{ SENDING_PART_STRANGERS, 20, { 0 } },
		{ SENDING_PART_STRANGERS, 81, { .habit_strangers = 40 } },
		{ SENDING_PART_RECIPIENTS, 213, { 0 } },
		{ SENDING_PART_RECIPIENTS, 853, { .habit_day = 400 } },
		{ SENDING_PART_UNKNOWN, 2, { 0 } },
		{ SENDING_PART_SPAM, 1, { 0 } },
		{ SENDING_PART_FILTER_BAD, 0, { 0 } },
		{ SENDING_PART_FILTER_DOUBTFUL, 0, { 0 } },
		{ SENDING_PART_FORGED, 2, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(deeds); i++) {
		struct sending_parts parts = { 0 };
		struct sending_part *part = part_of(&parts, 1, T0);
		unsigned count = 0;

		assert_false(sending_part_is_of(part, &policy, &deeds[i].habit, T0));
		do {
			sending_part_add(part, deeds[i].what);
			count++;
		} while (count < 1000 && !sending_part_is_of(part, &policy, &deeds[i].habit, T0));
		if (count != deeds[i].most + 1)
			fail_msg("deed %zu: %u", i, count);
		sending_parts_fini(&parts);
	}
}

/* Half of it before midnight is as bad, and a day after the other half it is all forgotten. */
static void days_pass(void **state)
{
	static const struct sending_facts habit = { 0 };
	struct sending_parts parts = { 0 };
	struct sending_part *part = part_of(&parts, 1, T0 + DAY - 1);

	(void)state;
	sending_part_add(part, SENDING_PART_SPAM);
	part = part_of(&parts, 1, T0 + DAY);
	assert_false(sending_part_is_of(part, &policy, &habit, T0 + DAY));
	sending_part_add(part, SENDING_PART_SPAM);
	assert_true(sending_part_is_of(part, &policy, &habit, T0 + DAY));
	/* A clock that goes back forgets nothing. */
	assert_ptr_equal(part_of(&parts, 1, T0), part);
	assert_true(sending_part_is_of(part, &policy, &habit, T0));
	assert_false(sending_part_is_of(part, &policy, &habit, T0 + 2 * DAY));
	part = part_of(&parts, 1, T0 + 2 * DAY);
	sending_part_add(part, SENDING_PART_SPAM);
	assert_true(sending_part_is_of(part, &policy, &habit, T0 + 2 * DAY));
	assert_false(sending_part_is_of(part, &policy, &habit, T0 + 4 * DAY));
	sending_parts_fini(&parts);
}

static void counts_stop(void **state)
{
	struct sending_parts parts = { 0 };
	struct sending_part *part = part_of(&parts, 1, T0);

	(void)state;
	for (unsigned i = 0; i < UINT16_MAX + 9U; i++)
		sending_part_add(part, SENDING_PART_SPAM);
	assert_int_equal(part->today[SENDING_PART_SPAM], UINT16_MAX);
	sending_parts_fini(&parts);
}

static void the_stalest_goes(void **state)
{
	static const struct ip nowhere = { IP_NONE, { 0 } };
	struct sending_parts parts = { 0 };

	(void)state;
	assert_null(sending_parts_get(&parts, &nowhere, T0));
	for (unsigned i = 0; i < SENDING_PARTS_MAX; i++)
		sending_part_add(part_of(&parts, i, T0 + i), SENDING_PART_SPAM);
	/* The first one comes again: now the second is the stalest. */
	assert_int_equal(part_of(&parts, 0, T0 + 100)->today[SENDING_PART_SPAM], 1);
	assert_int_equal(part_of(&parts, 200, T0 + 101)->today[SENDING_PART_SPAM], 0);
	assert_int_equal(parts.count, SENDING_PARTS_MAX);
	assert_int_equal(part_of(&parts, 0, T0 + 102)->today[SENDING_PART_SPAM], 1);
	assert_int_equal(part_of(&parts, 2, T0 + 103)->today[SENDING_PART_SPAM], 1);
	assert_int_equal(part_of(&parts, 1, T0 + 104)->today[SENDING_PART_SPAM], 0);
	sending_parts_fini(&parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_alone_gives_points),
		cmocka_unit_test(days_pass),
		cmocka_unit_test(counts_stop),
		cmocka_unit_test(the_stalest_goes),
	};

	return cmocka_run_group_tests(tests, set_up, configured_tear_down);
}
