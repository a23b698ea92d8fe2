/* SPDX-License-Identifier: ISC */
/* What is remembered of an account, and that it survives being packed. */
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
	T0 = 1800000000 / DAY * DAY,
};

static const struct sending_policy policy = { .known_days = 3, .learn_days = 7 };
static const uint64_t tag_key[2] = { 1, 2 };

static struct profile_try from(const char *source, uint32_t recipient)
{
	struct profile_try try = { .recipient = recipient };

	assert_int_equal(ip_parse(slice_str(source), &try.source), GP_OK);
	return try;
}

static void send_one(struct profile *profile, const struct profile_try *try, int64_t now)
{
	struct sending_facts facts;

	profile_look(profile, &policy, try, now, &facts);
	profile_note(profile, try, &facts, SENDING_PASS, now);
	profile_delivered(profile, try, now);
}

static struct sending_facts look(
	const struct profile *profile, const struct profile_try *try, int64_t now)
{
	struct sending_facts facts;

	profile_look(profile, &policy, try, now, &facts);
	return facts;
}

/* Thirty days: five recipients a day from home at noon, a new one on each; once a party. */
static void make_history(struct profile *profile)
{
	for (int day = 0; day < 30; day++) {
		int64_t noon = T0 + day * DAY + 12 * HOUR;

		for (uint32_t i = 0; i < 4; i++) {
			struct profile_try try = from("203.0.113.9", 1000 + i);

			send_one(profile, &try, noon + i * 60);
		}
		for (uint32_t i = 0; i < (day == 20 ? 30U : 1U); i++) {
			struct profile_try try =
				from("203.0.113.9", 5000 + (uint32_t)day * 100 + i);

			send_one(profile, &try, noon + 600);
		}
	}
}

static void tags(void **state)
{
	static const uint64_t other[2] = { 1, 3 };
	uint32_t tag = profile_tag(tag_key, SLICE_LIT("alice@example.test"));

	(void)state;
	assert_int_equal(tag, profile_tag(tag_key, SLICE_LIT("Alice@Example.TEST")));
	assert_int_not_equal(tag, profile_tag(tag_key, SLICE_LIT("alice@example.tes")));
	assert_int_not_equal(tag, profile_tag(other, SLICE_LIT("alice@example.test")));
}

static void recipients_are_known_for_a_year(void **state)
{
	struct known known = { 0 };
	unsigned false_hits = 0;

	(void)state;
	assert_false(known_has(&known, 7, T0));
	assert_true(known_add(&known, 7, T0));
	assert_false(known_add(&known, 7, T0 + DAY));
	assert_true(known_has(&known, 7, T0 + 364LL * DAY));
	assert_false(known_has(&known, 7, T0 + 380LL * DAY));
	assert_true(known_add(&known, 7, T0 + 380LL * DAY));
	for (uint32_t i = 1; i <= 5000; i++)
		(void)known_add(&known, i * 2654435761U, T0 + 380LL * DAY);
	for (uint32_t i = 1; i <= 5000; i++)
		assert_true(known_has(&known, i * 2654435761U, T0 + 380LL * DAY));
	for (uint32_t i = 5001; i <= 105000; i++)
		false_hits += known_has(&known, i * 2654435761U, T0 + 380LL * DAY);
	assert_true(false_hits < 40);
	assert_true(known_bytes(&known) <= 32 * 1024);
	known_fini(&known);
}

static void recipients_are_bounded(void **state)
{
	struct known known = { 0 };
	unsigned kept = 0;
	unsigned old = 0;

	(void)state;
	for (uint32_t i = 1; i <= 40000; i++)
		(void)known_add(&known, i * 2654435761U, T0 + (int64_t)(i / 2000) * 7 * DAY);
	assert_int_equal(known_bytes(&known), 64 * 1024);
	assert_true(known.count <= 16 * 1024);
	for (uint32_t i = 35001; i <= 40000; i++)
		kept += known_has(&known, i * 2654435761U, T0 + 20LL * 7 * DAY);
	for (uint32_t i = 1; i <= 5000; i++)
		old += known_has(&known, i * 2654435761U, T0 + 20LL * 7 * DAY);
	assert_true(kept > 4900); /* what is oldest goes first */
	assert_true(old < 50);
	known_fini(&known);
}

static void habit_is_of_thirty_days(void **state)
{
	struct profile profile = { 0 };
	struct profile_try try = from("203.0.113.9", 1000);
	struct sending_facts facts;

	(void)state;
	make_history(&profile);
	facts = look(&profile, &try, T0 + 30 * DAY + 12 * HOUR);
	assert_false(facts.is_stranger || facts.is_new_network || facts.is_unusual_hour);
	assert_int_equal(facts.habit_strangers, 15); /* half of the party, not 1 */
	assert_int_equal(facts.habit_day, 17);
	assert_true(facts.habit_hour >= 15 && facts.habit_hour <= 17);
	assert_int_equal(facts.recipients_day, 6); /* the slot of yesterday noon is within yet */
	assert_int_equal(look(&profile, &try, T0 + 30 * DAY + 16 * HOUR).recipients_day, 1);
	assert_true(look(&profile, &try, T0 + 30 * DAY + 2 * HOUR).is_unusual_hour);
	facts = look(&profile, &try, T0 + 70 * DAY);
	assert_int_equal(facts.habit_day, 0);
	profile_fini(&profile);
}

static void networks_become_known(void **state)
{
	struct profile profile = { 0 };
	struct profile_try home = from("203.0.200.1", 1000);
	struct profile_try hotel = from("198.51.100.4", 1000);
	int64_t now = T0 + 30 * DAY;

	(void)state;
	make_history(&profile);
	assert_false(look(&profile, &home, now).is_new_network); /* the same /16 */
	assert_true(look(&profile, &hotel, now).is_new_network);
	assert_int_equal(look(&profile, &hotel, now).new_networks, 1);
	assert_int_equal(look(&profile, &hotel, now).known_elsewhere, 1);
	hotel.is_known_place = true;
	assert_false(look(&profile, &hotel, now).is_new_network);
	hotel.is_known_place = false;
	send_one(&profile, &hotel, now);
	assert_int_equal(look(&profile, &hotel, now).known_elsewhere, 2);
	assert_true(look(&profile, &hotel, now + 2 * DAY).is_new_network);
	assert_false(look(&profile, &hotel, now + 4 * DAY).is_new_network);
	profile_fini(&profile);
}

static void nothing_is_new_to_a_new_account(void **state)
{
	struct profile profile = { 0 };
	struct profile_try try = from("203.0.113.9", 1);
	struct profile_try phone = from("198.51.100.4", 2);

	(void)state;
	try.client = 5;
	phone.client = 6;
	assert_false(look(&profile, &try, T0).is_new_network);
	send_one(&profile, &try, T0);
	assert_false(look(&profile, &phone, T0 + 5 * DAY).is_new_network);
	assert_false(look(&profile, &phone, T0 + 5 * DAY).is_new_client);
	send_one(&profile, &phone, T0 + 5 * DAY);
	/* Learned in its first week: known without waiting. */
	assert_false(look(&profile, &phone, T0 + 8 * DAY).is_new_network);
	assert_false(look(&profile, &phone, T0 + 8 * DAY).is_new_client);
	phone.client = 7;
	assert_true(look(&profile, &phone, T0 + 8 * DAY).is_new_client);
	profile_fini(&profile);
}

/* A flood of networks neither pushes the known ones out nor hides itself. */
static void a_flood_of_networks(void **state)
{
	struct profile profile = { 0 };
	struct profile_try home = from("203.0.113.9", 1000);
	int64_t now = T0 + 30 * DAY;

	(void)state;
	make_history(&profile);
	for (unsigned i = 0; i < 200; i++) {
		struct profile_try try = { .recipient = 1, .source = { .family = IP_V4 } };

		try.source.bytes[0] = (uint8_t)(20 + i);
		send_one(&profile, &try, now + i);
	}
	assert_false(look(&profile, &home, now + 200).is_new_network);
	assert_true(look(&profile, &home, now + 200).new_networks >= 12);
	profile_fini(&profile);
}

static void strangers_count_once(void **state)
{
	struct profile profile = { 0 };
	struct sending_facts facts;
	struct profile_try try = from("203.0.113.9", 0);

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		for (uint32_t i = 1; i <= 50; i++) {
			try.recipient = i;
			profile_look(&profile, &policy, &try, T0 + round * 600, &facts);
			profile_note(&profile, &try, &facts, SENDING_SLOW, T0 + round * 600);
		}
	}
	assert_int_equal(look(&profile, &try, T0 + 3000).strangers_day, 50);
	assert_int_equal(look(&profile, &try, T0 + 3000).recipients_day, 1); /* none passed */
	assert_int_equal(look(&profile, &try, T0 + 2 * DAY).strangers_day, 0);
	profile_fini(&profile);
}

static void asking_and_confirming(void **state)
{
	struct profile profile = { 0 };
	struct sending_facts facts;
	struct profile_try try = from("198.51.100.4", 1);
	int64_t now = T0 + 31 * DAY;

	(void)state;
	make_history(&profile);
	for (uint32_t i = 1; i <= 20; i++) {
		try.recipient = i;
		profile_look(&profile, &policy, &try, now, &facts);
		profile_note(&profile, &try, &facts, SENDING_ASK, now + 30);
	}
	facts = look(&profile, &try, now + 30);
	assert_true(facts.is_asked && facts.is_new_network);
	assert_int_equal(facts.insisted, 1);  /* the rest of the same message counts no more */
	for (uint32_t i = 11; i <= 40; i++) { /* ten of it again, and new ones */
		try.recipient = i;
		profile_look(&profile, &policy, &try, now + 600, &facts);
		profile_note(&profile, &try, &facts, SENDING_ASK, now + 600);
	}
	facts = look(&profile, &try, now + 600);
	assert_int_equal(facts.insisted, 21);
	assert_int_equal(facts.strangers_elsewhere, 21);
	now += 600;
	profile_confirm(&profile, now);
	facts = look(&profile, &try, now);
	assert_false(facts.is_asked || facts.is_new_network);
	assert_int_equal(facts.insisted + facts.strangers_elsewhere + facts.new_networks, 0);
	profile_fini(&profile);
}

/* The thief's network is no better known for having been used, however long ago that is. */
static void forgiving_teaches_nothing(void **state)
{
	struct profile profile = { 0 };
	struct profile_try try = from("198.51.100.4", 1);
	int64_t now = T0 + 31 * DAY;
	struct sending_facts before = look(&profile, &try, now);

	(void)state;
	make_history(&profile);
	before = look(&profile, &try, now);
	try.client = 77;
	for (uint32_t i = 1; i <= 100; i++) {
		try.recipient = 9000 + i;
		send_one(&profile, &try, now + i);
	}
	profile_forged(&profile, 5, now);
	profile_ask(&profile, now + 200);
	assert_int_equal(profile_began(&profile, &policy, now + 200), now);
	profile_forgive(&profile, &policy, now, now + 300);
	try.recipient = 1;
	for (int days = 0; days < 10; days += 5) {
		struct sending_facts after = look(&profile, &try, now + 300 + days * DAY);

		assert_false(after.is_asked);
		assert_true(after.is_new_network && after.is_new_client);
		assert_int_equal(after.forged + after.refused_unknown + after.new_networks, 1);
		assert_int_equal(after.strangers_day, 1);
		assert_int_equal(after.habit_day, before.habit_day);
		assert_int_equal(after.habit_strangers, before.habit_strangers);
	}
	/* Home is where it was. */
	try = from("203.0.113.9", 1000);
	assert_false(look(&profile, &try, now + 300).is_new_network);
	assert_int_equal(profile_began(&profile, &policy, now + 300), now + 300);
	profile_fini(&profile);
}

static void refusals_and_forgeries(void **state)
{
	struct profile profile = { 0 };
	struct profile_try try = from("203.0.113.9", 1);
	struct sending_facts facts;

	(void)state;
	send_one(&profile, &try, T0);
	profile_refused_unknown(&profile, 1, T0); /* known: addresses die */
	profile_refused_unknown(&profile, 2, T0);
	profile_refused_spam(&profile, T0);
	profile_filtered(&profile, true, T0);
	profile_filtered(&profile, false, T0);
	for (unsigned i = 0; i < 9; i++)
		profile_forged(&profile, 77, T0);
	profile_forged(&profile, 78, T0);
	profile_sent_body(&profile, 5, 10, T0);
	profile_sent_body(&profile, 6, 3, T0);
	profile_sent_body(&profile, 5, 10, T0);
	facts = look(&profile, &try, T0);
	assert_int_equal(facts.refused_unknown, 1);
	assert_int_equal(facts.refused_spam, 1);
	assert_int_equal(facts.filter_bad, 1);
	assert_int_equal(facts.filter_doubtful, 1);
	assert_int_equal(facts.forged, 2);
	assert_int_equal(facts.body_strangers, 20);
	for (uint32_t i = 100; i < 120; i++)
		profile_sent_body(&profile, i, 1, T0 + 60); /* chaff */
	assert_int_equal(look(&profile, &try, T0 + 60).body_strangers, 20);
	assert_int_equal(look(&profile, &try, T0 + 2 * DAY).body_strangers, 0);
	profile_fini(&profile);
}

static void countries_of_a_day(void **state)
{
	struct profile profile = { 0 };
	struct profile_try one = from("203.0.113.9", 1);
	struct profile_try two = from("198.51.100.9", 1);

	(void)state;
	one.country = 'd' << 8 | 'e';
	two.country = 'b' << 8 | 'r';
	send_one(&profile, &one, T0);
	assert_int_equal(look(&profile, &one, T0).countries, 1);
	assert_int_equal(look(&profile, &two, T0 + HOUR).countries, 2);
	assert_int_equal(look(&profile, &two, T0 + 3 * DAY).countries, 1);
	profile_fini(&profile);
}

static void packing(void **state)
{
	struct profile profile = { 0 };
	struct profile back;
	struct profile_try try = from("198.51.100.9", 42);
	struct sending_facts before;
	struct sending_facts after;
	struct buf packed;
	struct buf again;

	(void)state;
	buf_init(&packed, PROFILE_PACKED_MAX);
	buf_init(&again, PROFILE_PACKED_MAX);
	make_history(&profile);
	profile_forged(&profile, 9, T0 + 30 * DAY);
	profile_sent_body(&profile, 9, 3, T0 + 30 * DAY);
	assert_int_equal(profile_pack(&profile, &packed), GP_OK);
	assert_true(packed.len < 2000);
	assert_int_equal(profile_unpack(buf_slice(&packed), &back), GP_OK);
	before = look(&profile, &try, T0 + 30 * DAY + 60);
	after = look(&back, &try, T0 + 30 * DAY + 60);
	assert_int_equal(before.recipients_hour, after.recipients_hour);
	assert_int_equal(before.recipients_day, after.recipients_day);
	assert_int_equal(before.strangers_day, after.strangers_day);
	assert_int_equal(before.habit_hour, after.habit_hour);
	assert_int_equal(before.habit_strangers, after.habit_strangers);
	assert_int_equal(before.habit_share, after.habit_share);
	assert_int_equal(before.new_networks, after.new_networks);
	assert_int_equal(before.forged, after.forged);
	assert_int_equal(before.body_strangers, after.body_strangers);
	assert_int_equal(before.is_new_network, after.is_new_network);
	assert_int_equal(before.is_unusual_hour, after.is_unusual_hour);
	assert_int_equal(before.since_last, after.since_last);
	assert_int_equal(back.known.count, profile.known.count);
	assert_int_equal(profile_pack(&back, &again), GP_OK);
	assert_int_equal(packed.len, again.len); /* recipients may change places */
	profile_fini(&back);
	for (size_t cut = 0; cut < packed.len; cut++) {
		if (profile_unpack(slice_head(buf_slice(&packed), cut), &back) == GP_OK)
			profile_fini(&back);
	}
	assert_int_equal(profile_unpack(SLICE_LIT(""), &back), GP_ERR_SYNTAX);
	assert_int_equal(profile_unpack(SLICE_LIT("\x02"), &back), GP_ERR_SYNTAX);
	assert_int_equal(profile_unpack(SLICE_LIT("\x01\x00\x01"), &back), GP_ERR_SYNTAX);
	buf_fini(&packed);
	buf_fini(&again);
	profile_fini(&profile);
}

static void the_fullest_profile_packs(void **state)
{
	static struct profile profile;
	struct buf packed;

	(void)state;
	memset(&profile, 0x0f, sizeof profile);
	profile.known = (struct known){ 0 };
	for (uint32_t i = 1; i <= 60000; i++)
		(void)known_add(&profile.known, i * 2654435761U, T0);
	buf_init(&packed, PROFILE_PACKED_MAX);
	assert_int_equal(profile_pack(&profile, &packed), GP_OK);
	assert_true(profile_bytes(&profile) <= sizeof profile + 64 * 1024);
	assert_true(sizeof profile <= 2800); /* as the header says */
	buf_fini(&packed);
	profile_fini(&profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags),
		cmocka_unit_test(recipients_are_known_for_a_year),
		cmocka_unit_test(recipients_are_bounded),
		cmocka_unit_test(habit_is_of_thirty_days),
		cmocka_unit_test(networks_become_known),
		cmocka_unit_test(nothing_is_new_to_a_new_account),
		cmocka_unit_test(a_flood_of_networks),
		cmocka_unit_test(strangers_count_once),
		cmocka_unit_test(asking_and_confirming),
		cmocka_unit_test(forgiving_teaches_nothing),
		cmocka_unit_test(refusals_and_forgeries),
		cmocka_unit_test(countries_of_a_day),
		cmocka_unit_test(packing),
		cmocka_unit_test(the_fullest_profile_packs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
