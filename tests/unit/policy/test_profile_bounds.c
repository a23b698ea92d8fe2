/* SPDX-License-Identifier: ISC */
/* Where what is remembered of an account begins and ends: hours, days, networks, rings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "policy/profile.h"

enum {
	HOUR = 3600,
	DAY = 86400,
	WEEK = 7 * DAY,
	T0 = 1800000000 / DAY * DAY,
	TODAY = T0 / DAY,
};

static const struct sending_policy policy = { .known_days = 3, .learn_days = 7 };

static struct profile_try from(const char *source, uint32_t recipient)
{
	struct profile_try try = { .recipient = recipient };

	assert_int_equal(ip_parse(slice_str(source), &try.source), GP_OK);
	return try;
}

static struct sending_facts look(
	const struct profile *profile, const struct profile_try *try, int64_t now)
{
	struct sending_facts facts;

	profile_look(profile, &policy, try, now, &facts);
	return facts;
}

static void note(struct profile *profile, const struct profile_try *try,
	enum sending_outcome outcome, int64_t now)
{
	struct sending_facts facts = look(profile, try, now);

	profile_note(profile, try, &facts, outcome, now);
}

/* ---- the habit ---- */

struct habit_case {
	const char *name;
	struct profile_day days[3];
	unsigned habit; /* of recipients */
	unsigned share;
};

static const struct habit_case habit_cases[] = {
	{ "none", { { 0 } }, 0, 0 },
	{ "today is none yet", { { TODAY, 40, 0, 0 } }, 0, 0 },
	{ "half of one day", { { TODAY - 1, 40, 10, 0 } }, 20, 25 },
	{ "the oldest that counts", { { TODAY - 30, 40, 0, 0 } }, 20, 0 },
	{ "too old", { { TODAY - 31, 40, 0, 0 } }, 0, 0 },
	{ "the second highest", { { TODAY - 1, 40, 0, 0 }, { TODAY - 2, 30, 7, 0 } }, 30, 10 },
	{ "the other way round", { { TODAY - 1, 30, 7, 0 }, { TODAY - 2, 40, 0, 0 } }, 30, 10 },
	{ "less than half of the highest", { { TODAY - 1, 41, 0, 0 }, { TODAY - 2, 19, 0, 0 } }, 20,
		0 },
	{ "more than half of it", { { TODAY - 1, 41, 0, 0 }, { TODAY - 2, 21, 0, 0 } }, 21, 0 },
	{ "two in the middle",
		{ { TODAY - 1, 40, 40, 0 }, { TODAY - 2, 10, 10, 0 }, { TODAY - 3, 30, 30, 0 } },
		30, 100 },
	{ "a day of the future", { { TODAY + 1, 40, 0, 0 } }, 0, 0 },
};

static void the_habit(void **state)
{
	const struct profile_try try = { .recipient = 1 };

	(void)state;
	for (size_t i = 0; i < sizeof habit_cases / sizeof *habit_cases; i++) {
		struct profile profile = { 0 };
		struct sending_facts facts;

		for (size_t k = 0; k < 3; k++)
			profile.days[k] = habit_cases[i].days[k];
		facts = look(&profile, &try, T0 + HOUR);
		if (facts.habit_day != habit_cases[i].habit ||
			facts.habit_share != habit_cases[i].share)
			fail_msg("%s: %u, %u %%", habit_cases[i].name, facts.habit_day,
				facts.habit_share);
	}
}

/* The busiest hour of a day, not its last. */
static void the_busiest_hour(void **state)
{
	struct profile profile = { 0 };
	const struct profile_try try = { .recipient = 1 };

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		note(&profile, &try, SENDING_PASS, T0 + HOUR);
		profile_delivered(&profile, &try, T0 + HOUR);
	}
	note(&profile, &try, SENDING_PASS, T0 + 5 * HOUR);
	profile_delivered(&profile, &try, T0 + 5 * HOUR);
	assert_int_equal(look(&profile, &try, T0 + DAY).habit_hour, 5);
	assert_int_equal(look(&profile, &try, T0 + DAY).habit_day, 5);
	profile_fini(&profile);
}

/* ---- hours of the day ---- */

static void hours_are_of_the_clock(void **state)
{
	static const struct {
		unsigned at; /* where a single one was sent */
		unsigned now;
		unsigned rest; /* sent at noon */
		bool is_unusual;
	} cases[] = {
		{ 0, 3, 50, true },
		{ 12, 3, 48, false }, /* 49 say nothing yet */
		{ 12, 3, 49, true },
		{ 2, 3, 99, false }, /* one in a hundred is usual */
		{ 3, 3, 99, false },
		{ 4, 3, 99, false },
		{ 2, 3, 100, true },
		{ 1, 3, 99, true },
		{ 5, 3, 99, true },
		{ 23, 0, 99, false }, /* round midnight */
		{ 22, 0, 99, true },
		{ 0, 23, 99, false },
		{ 1, 23, 99, true },
	};
	const struct profile_try try = { .recipient = 1 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct profile profile = { 0 };

		profile.hours[12] = (uint16_t)cases[i].rest;
		profile.hours[cases[i].at]++;
		if (look(&profile, &try, T0 + cases[i].now * HOUR).is_unusual_hour !=
			cases[i].is_unusual)
			fail_msg("case %zu", i);
	}
}

/* All are halved when one is full: what was more stays more. */
static void hours_never_overflow(void **state)
{
	struct profile profile = { .hours = { [0] = 50, [12] = 59999, [23] = 7 } };
	const struct profile_try try = { .recipient = 1 };

	(void)state;
	profile_delivered(&profile, &try, T0 + 12 * HOUR);
	assert_int_equal(profile.hours[12], 60000);
	profile_delivered(&profile, &try, T0 + 12 * HOUR);
	assert_int_equal(profile.hours[12], 30001);
	assert_int_equal(profile.hours[0], 25);
	assert_int_equal(profile.hours[23], 3);
	profile_fini(&profile);
}

/* ---- networks and programs ---- */

/* An IPv4 /16, an IPv6 /32, and no more of them. */
static void neighbourhoods(void **state)
{
	static const struct {
		const char *home;
		const char *other;
		bool is_new;
	} cases[] = {
		{ "203.0.113.9", "203.0.0.1", false },
		{ "203.0.113.9", "203.1.113.9", true },
		{ "203.0.113.9", "202.0.113.9", true },
		{ "2001:db8::1", "2001:db8:ffff::2", false },
		{ "2001:db8::1", "2001:db9::1", true },
		{ "2001:db8::1", "2001:cb8::1", true },
		{ "2001:db8::1", "2002:db8::1", true },
		{ "2001:db8::1", "2101:db8::1", true },
		{ "0.1.0.0", "::1:0:0", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct profile profile = { 0 };
		struct profile_try home = from(cases[i].home, 1);
		struct profile_try other = from(cases[i].other, 1);

		note(&profile, &home, SENDING_PASS, T0);
		assert_false(look(&profile, &home, T0 + 30 * DAY).is_new_network);
		if (look(&profile, &other, T0 + 30 * DAY).is_new_network != cases[i].is_new)
			fail_msg("%s", cases[i].other);
		profile_fini(&profile);
	}
}

/* Nobody knows where it comes from: that is no new network, and none of the day. */
static void no_source_is_no_network(void **state)
{
	struct profile profile = { 0 };
	const struct profile_try nowhere = { .recipient = 1 };

	(void)state;
	note(&profile, &nowhere, SENDING_PASS, T0);
	assert_int_equal(profile.places[0].tag, 0);
	assert_false(look(&profile, &nowhere, T0 + 30 * DAY).is_new_network);
	assert_int_equal(look(&profile, &nowhere, T0 + 30 * DAY).new_networks, 0);
	profile_fini(&profile);
}

static void known_after_three_days(void **state)
{
	struct profile profile = { 0 };
	struct profile_try home = from("203.0.113.9", 1);
	struct profile_try hotel = from("198.51.100.4", 1);
	struct profile_try late = from("192.0.2.4", 1);
	struct profile_try early = from("192.168.2.4", 1);
	int64_t now = T0 + WEEK; /* its first week is over: nothing is learned at once any more */

	(void)state;
	home.client = 5;
	hotel.client = late.client = 6;
	note(&profile, &home, SENDING_PASS, T0);
	assert_false(look(&profile, &hotel, now - 1).is_new_network);
	assert_false(look(&profile, &hotel, now - 1).is_new_client);
	assert_true(look(&profile, &hotel, now).is_new_network);
	assert_true(look(&profile, &hotel, now).is_new_client);
	/* What it came from in that week needs no three days. */
	early.client = 4;
	note(&profile, &early, SENDING_PASS, now - HOUR);
	assert_false(look(&profile, &early, now).is_new_network);
	assert_false(look(&profile, &early, now).is_new_client);
	note(&profile, &hotel, SENDING_PASS, now);
	assert_true(look(&profile, &hotel, now + 3 * DAY - 1).is_new_network);
	assert_true(look(&profile, &hotel, now + 3 * DAY - 1).is_new_client);
	assert_false(look(&profile, &hotel, now + 3 * DAY).is_new_network);
	assert_false(look(&profile, &hotel, now + 3 * DAY).is_new_client);
	assert_true(look(&profile, &late, now + 3 * DAY).is_new_network);
	late.client = 0; /* it said no name */
	assert_false(look(&profile, &late, now + 3 * DAY).is_new_client);
	profile_fini(&profile);
}

static void new_networks_are_of_a_day(void **state)
{
	struct profile profile = { 0 };
	struct profile_try home = from("203.0.113.9", 1);
	struct profile_try hotel = from("198.51.100.4", 1);
	int64_t now = T0 + 30 * DAY;

	(void)state;
	hotel.country = 'f' << 8 | 'r';
	note(&profile, &home, SENDING_PASS, T0);
	assert_int_equal(look(&profile, &home, T0).new_networks, 0); /* its first one */
	note(&profile, &hotel, SENDING_PASS, now);
	assert_int_equal(look(&profile, &home, now + 23 * HOUR).new_networks, 1);
	assert_int_equal(look(&profile, &home, now + 23 * HOUR).countries, 1);
	assert_int_equal(look(&profile, &home, now + 24 * HOUR).new_networks, 0);
	assert_int_equal(look(&profile, &home, now + 24 * HOUR).countries, 0);
	/* Of one country, each counts once; who knows none is in none. */
	home.country = hotel.country;
	note(&profile, &home, SENDING_PASS, now);
	assert_int_equal(look(&profile, &home, now).countries, 1);
	home.country = 0;
	note(&profile, &home, SENDING_PASS, now + 1);
	assert_int_equal(look(&profile, &home, now + 1).countries, 1);
	profile_fini(&profile);
}

static unsigned count_places(const struct profile *profile, uint32_t since)
{
	unsigned count = 0;

	for (size_t i = 0; i < PROFILE_PLACES; i++)
		count += profile->places[i].first_hour >= since;
	return count;
}

/* A new network takes the place of the one unused for longest: of a known one until there are
 * twelve new ones, of a new one from then on. */
static void networks_give_way(void **state)
{
	struct profile profile = { .first_at = T0 };
	struct profile_try try = from("10.0.0.1", 1);
	int64_t now = T0 + 30 * DAY;
	uint32_t today = (uint32_t)(now / HOUR);

	(void)state;
	for (unsigned i = 0; i < PROFILE_PLACES; i++) {
		try.source.bytes[1] = (uint8_t)i;
		note(&profile, &try, SENDING_PASS, T0 + i * HOUR);
	}
	try.source.bytes[1] = 0; /* the oldest one is used still */
	note(&profile, &try, SENDING_PASS, now - 2 * DAY);
	for (unsigned i = 0; i < 40; i++) {
		try.source.bytes[1] = (uint8_t)(100 + i);
		note(&profile, &try, SENDING_PASS, now + i * 60);
		assert_int_equal(count_places(&profile, today), i < 12 ? i + 1 : 12);
	}
	for (unsigned i = 0; i < PROFILE_PLACES; i++) {
		try.source.bytes[1] = (uint8_t)i;
		assert_int_equal(look(&profile, &try, now + DAY).is_new_network, i != 0 && i <= 12);
	}
	try.source.bytes[1] = 139; /* the last one */
	assert_false(look(&profile, &try, now + 10 * DAY).is_new_network);
	profile_fini(&profile);
}

/* The program used longest ago gives way to a new one. */
static void programs_are_bounded(void **state)
{
	struct profile profile = { 0 };
	struct profile_try try = { 0 };

	(void)state;
	for (uint32_t i = 1; i <= PROFILE_CLIENTS; i++) {
		try.client = i;
		note(&profile, &try, SENDING_PASS, T0 + i * HOUR);
	}
	try.client = 1; /* is used still */
	note(&profile, &try, SENDING_PASS, T0 + 20 * HOUR);
	try.client = 99;
	note(&profile, &try, SENDING_PASS, T0 + 21 * HOUR);
	for (uint32_t i = 1; i <= PROFILE_CLIENTS; i++) {
		try.client = i;
		assert_int_equal(look(&profile, &try, T0 + 30 * DAY).is_new_client, i == 2);
	}
	profile_fini(&profile);
}

/* ---- strangers, senders, bodies ---- */

static void strangers_are_remembered_one_by_one(void **state)
{
	struct profile profile = { 0 };
	struct profile_try try = from("203.0.113.9", 0);

	(void)state;
	for (try.recipient = 1; try.recipient <= PROFILE_TRIED; try.recipient++)
		note(&profile, &try, SENDING_SLOW, T0);
	try.recipient = 1;
	assert_true(look(&profile, &try, T0).is_counted);
	try.recipient = PROFILE_TRIED + 1;
	assert_false(look(&profile, &try, T0).is_counted);
	note(&profile, &try, SENDING_SLOW, T0);
	try.recipient = 1;
	assert_false(look(&profile, &try, T0).is_counted);
	try.recipient = 2;
	assert_true(look(&profile, &try, T0).is_counted);
	profile_fini(&profile);
}

/* After a minute, whoever goes on is no longer in the midst of one message. */
static void grace_is_a_minute(void **state)
{
	struct profile profile = { 0 };
	struct profile_try try = from("203.0.113.9", 1);

	(void)state;
	note(&profile, &try, SENDING_ASK, T0);
	try.recipient = 2;
	note(&profile, &try, SENDING_ASK, T0 + 59);
	assert_int_equal(look(&profile, &try, T0 + 59).insisted, 1);
	assert_int_equal(look(&profile, &try, T0 + 59).strangers_day, 1);
	try.recipient = 3;
	note(&profile, &try, SENDING_ASK, T0 + 60);
	assert_int_equal(look(&profile, &try, T0 + 60).insisted, 2);
	try.recipient = 4; /* a block is no question that was just asked */
	profile.asked_at = T0 + 60;
	note(&profile, &try, SENDING_BLOCK, T0 + 60);
	assert_int_equal(look(&profile, &try, T0 + 60).insisted, 3);
	try.recipient = 5; /* slowed down is not asked */
	note(&profile, &try, SENDING_SLOW, T0 + 61);
	assert_int_equal(look(&profile, &try, T0 + 61).insisted, 3);
	assert_int_equal(profile.asked_at, T0 + 60);
	profile_fini(&profile);
}

static void forged_senders_are_bounded(void **state)
{
	struct profile profile = { 0 };
	const struct profile_try try = { .recipient = 1 };

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (uint32_t i = 1; i <= PROFILE_SENDERS; i++)
			profile_forged(&profile, i, T0);
	}
	assert_int_equal(look(&profile, &try, T0).forged, PROFILE_SENDERS);
	profile_forged(&profile, PROFILE_SENDERS + 1, T0);
	profile_forged(&profile, 2, T0);
	assert_int_equal(look(&profile, &try, T0).forged, PROFILE_SENDERS + 1);
	profile_forged(&profile, 1, T0); /* forgotten */
	assert_int_equal(look(&profile, &try, T0).forged, PROFILE_SENDERS + 2);
	profile_fini(&profile);
}

static void bodies_are_of_a_day(void **state)
{
	struct profile profile = { 0 };
	const struct profile_try try = { .recipient = 1 };

	(void)state;
	profile_sent_body(&profile, 5, 0, T0); /* to nobody new */
	assert_int_equal(profile.bodies[0].tag, 0);
	profile_sent_body(&profile, 5, 10, T0);
	profile_sent_body(&profile, 6, 4, T0);
	assert_int_equal(look(&profile, &try, T0 + DAY - 1).body_strangers, 10);
	assert_int_equal(look(&profile, &try, T0 + DAY).body_strangers, 0);
	profile_sent_body(&profile, 5, 1, T0 + DAY - 1);
	assert_int_equal(look(&profile, &try, T0 + DAY - 1).body_strangers, 11);
	/* A new day begins with nothing. */
	profile_sent_body(&profile, 5, 2, T0 + DAY);
	assert_int_equal(look(&profile, &try, T0 + DAY).body_strangers, 2);
	/* What is over gives way, not what is small. */
	profile_sent_body(&profile, 7, 1, T0 + DAY);
	profile_sent_body(&profile, 8, 1, T0 + DAY);
	profile_sent_body(&profile, 7, 9, T0 + DAY);
	profile_sent_body(&profile, 8, 8, T0 + DAY);
	profile_sent_body(&profile, 5, 5, T0 + DAY);
	profile_sent_body(&profile, 7, 1, T0 + DAY);
	assert_int_equal(look(&profile, &try, T0 + DAY).body_strangers, 11);
	profile_fini(&profile);
}

static void the_last_that_passed(void **state)
{
	struct profile profile = { 0 };
	const struct profile_try try = { .recipient = 1 };

	(void)state;
	assert_true(look(&profile, &try, T0).since_last == INT64_MAX);
	note(&profile, &try, SENDING_PASS, T0);
	note(&profile, &try, SENDING_SLOW, T0 + 5);
	assert_int_equal(look(&profile, &try, T0 + 10).since_last, 10);
	assert_int_equal(look(&profile, &try, T0 + 10).recipients_hour, 2);
	profile_fini(&profile);
	assert_int_equal(profile.first_at, 0);
}

/* ---- what the owner says ---- */

/* A Yes is for what was used within the day. */
static void confirmed_is_what_was_used(void **state)
{
	struct profile profile = { 0 };
	struct profile_try home = from("203.0.113.9", 1);
	struct profile_try hotel = from("198.51.100.4", 1);
	struct profile_try cafe = from("192.0.2.4", 1);
	int64_t now = T0 + 30 * DAY;

	(void)state;
	hotel.client = 6;
	cafe.client = 7;
	note(&profile, &home, SENDING_PASS, T0);
	note(&profile, &cafe, SENDING_PASS, now - DAY - HOUR);
	note(&profile, &hotel, SENDING_PASS, now - DAY);
	profile_sent_body(&profile, 5, 10, now);
	profile_confirm(&profile, now);
	assert_false(look(&profile, &hotel, now).is_new_network);
	assert_false(look(&profile, &hotel, now).is_new_client);
	assert_true(look(&profile, &cafe, now).is_new_network);
	assert_true(look(&profile, &cafe, now).is_new_client);
	assert_int_equal(look(&profile, &home, now).body_strangers, 0);
	profile_fini(&profile);
}

/* The thief's first use within a day; before that it is no part of this. */
static void began_with_the_first_use(void **state)
{
	struct profile profile = { 0 };
	struct profile_try home = from("203.0.113.9", 1);
	struct profile_try one = from("198.51.100.4", 1);
	struct profile_try two = from("192.0.2.4", 1);
	int64_t now = T0 + 30 * DAY;

	(void)state;
	note(&profile, &home, SENDING_PASS, T0);
	note(&profile, &home, SENDING_PASS, now);
	assert_int_equal(profile_began(&profile, &policy, now), now);
	note(&profile, &one, SENDING_PASS, now - 2 * HOUR);
	note(&profile, &two, SENDING_PASS, now - HOUR);
	assert_int_equal(profile_began(&profile, &policy, now), now - 2 * HOUR);
	assert_int_equal(profile_began(&profile, &policy, now + 22 * HOUR), now - 2 * HOUR);
	assert_int_equal(profile_began(&profile, &policy, now + 23 * HOUR), now - HOUR);
	assert_int_equal(profile_began(&profile, &policy, now + 24 * HOUR), now + 24 * HOUR);
	profile_fini(&profile);
}

/* Days since then are forgotten, earlier ones are not; what was tried counts anew. */
static void forgiven_is_what_came_since(void **state)
{
	struct profile profile = { .first_at = T0 - 60 * DAY };
	struct profile_try try = from("198.51.100.4", 7);

	(void)state;
	profile.days[0] = (struct profile_day){ TODAY - 1, 10, 1, 1 };
	profile.days[1] = (struct profile_day){ TODAY, 99, 99, 99 };
	note(&profile, &try, SENDING_ASK, T0);
	profile_forged(&profile, 5, T0);
	profile_sent_body(&profile, 9, 10, T0);
	profile_forgive(&profile, &policy, T0, T0 + HOUR);
	assert_int_equal(profile.days[0].recipients, 10);
	assert_int_equal(profile.days[1].recipients, 0);
	assert_int_equal(look(&profile, &try, T0 + HOUR).body_strangers, 0);
	/* A thief who comes again with the same is as new as the first time. */
	assert_false(look(&profile, &try, T0 + HOUR).is_counted);
	profile_forged(&profile, 5, T0 + HOUR);
	assert_int_equal(look(&profile, &try, T0 + HOUR).forged, 1);
	profile_fini(&profile);
}

/* ---- recipients ---- */

static void tags_are_of_the_first_bytes(void **state)
{
	const uint64_t key[2] = { 1, 2 };
	char text[600];

	(void)state;
	memset(text, 'A', sizeof text);
	assert_int_equal(profile_tag(key, slice_of(text, 512)),
		profile_tag(key, slice_of(text, sizeof text)));
	assert_int_not_equal(
		profile_tag(key, slice_of(text, 512)), profile_tag(key, slice_of(text, 511)));
	assert_int_not_equal(profile_tag(key, SLICE_LIT("alice@example.test")),
		profile_tag(key, SLICE_LIT("blice@example.test")));
}

static void known_by_weeks(void **state)
{
	enum {
		MONDAY = T0 / WEEK * WEEK /* weeks are counted since 1970 */
	};
	struct known known = { 0 };

	(void)state;
	assert_true(known_add(&known, 7, MONDAY));
	assert_int_equal(known.count, 1);
	assert_false(known_add(&known, 7, MONDAY + WEEK - 1));
	assert_int_equal(known.count, 1);
	assert_true(known_has(&known, 7, MONDAY + 53 * (int64_t)WEEK - 1));
	assert_false(known_has(&known, 7, MONDAY + 53 * (int64_t)WEEK));
	/* A hash of zeros is a recipient like any other, and an empty slot is none. */
	assert_false(known_has(&known, 1U << 26, MONDAY));
	assert_true(known_add(&known, 1U << 26, MONDAY));
	assert_true(known_has(&known, 1U << 26, MONDAY));
	assert_int_equal(known.count, 2);
	known_fini(&known);
	assert_null(known.slots);
	assert_int_equal(known_bytes(&known), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_habit),
		cmocka_unit_test(the_busiest_hour),
		cmocka_unit_test(hours_are_of_the_clock),
		cmocka_unit_test(hours_never_overflow),
		cmocka_unit_test(neighbourhoods),
		cmocka_unit_test(no_source_is_no_network),
		cmocka_unit_test(known_after_three_days),
		cmocka_unit_test(new_networks_are_of_a_day),
		cmocka_unit_test(networks_give_way),
		cmocka_unit_test(programs_are_bounded),
		cmocka_unit_test(strangers_are_remembered_one_by_one),
		cmocka_unit_test(grace_is_a_minute),
		cmocka_unit_test(forged_senders_are_bounded),
		cmocka_unit_test(bodies_are_of_a_day),
		cmocka_unit_test(the_last_that_passed),
		cmocka_unit_test(confirmed_is_what_was_used),
		cmocka_unit_test(began_with_the_first_use),
		cmocka_unit_test(forgiven_is_what_came_since),
		cmocka_unit_test(tags_are_of_the_first_bytes),
		cmocka_unit_test(known_by_weeks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
