/* SPDX-License-Identifier: ISC */
/* Every number of a profile survives being packed; what no profile packs to is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/check.h"
#include "policy/profile.h"

enum {
	T0 = 1800000000,
	RECIPIENTS = 3000,
};

static const int64_t time_max = INT64_C(1) << 40;

/* Numbers of every length in bits, and runs of zeros. */
static uint64_t number(uint64_t *seed, unsigned bits)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	if (*seed >> 62 == 0)
		return 0;
	return (*seed >> 8 & 0xffffffffffff) >> (48 - 1 - (*seed >> 56) % bits);
}

static void fill_32(uint64_t *seed, uint32_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		values[i] = (uint32_t)number(seed, 32);
}

static void fill_lists(uint64_t *seed, struct profile *profile)
{
	for (size_t i = 0; i < PROFILE_DAYS; i++)
		profile->days[i] = (struct profile_day){ (uint32_t)number(seed, 32),
			(uint32_t)number(seed, 32), (uint32_t)number(seed, 32),
			(uint32_t)number(seed, 32) };
	for (size_t i = 0; i < PROFILE_PLACES; i++)
		profile->places[i] = (struct profile_place){ (uint32_t)number(seed, 32),
			(uint32_t)number(seed, 32), (uint32_t)number(seed, 32),
			(uint16_t)number(seed, 16) };
	for (size_t i = 0; i < PROFILE_CLIENTS; i++)
		profile->clients[i] = (struct profile_client){ (uint32_t)number(seed, 32),
			(uint32_t)number(seed, 32), (uint32_t)number(seed, 32) };
	for (size_t i = 0; i < PROFILE_BODIES; i++)
		profile->bodies[i] = (struct profile_body){ (uint32_t)number(seed, 32),
			(uint32_t)number(seed, 32), (int64_t)number(seed, 40) };
}

static void fill(uint64_t *seed, struct profile *profile)
{
	memset(profile, 0, sizeof *profile);
	profile->first_at = (int64_t)number(seed, 40);
	profile->passed_at = (int64_t)number(seed, 40);
	profile->asked_at = (int64_t)number(seed, 40);
	for (size_t i = 0; i < PROFILE_TALLY_MAX; i++) {
		struct tally *tally = &profile->tallies[i];

		tally->slot = (uint32_t)number(seed, 32);
		fill_32(seed, tally->counts, TALLY_SLOTS);
		for (size_t k = 0; k < TALLY_SLOTS; k++) {
			tally->counts[k] /= TALLY_SLOTS;
			tally->sum += tally->counts[k];
		}
	}
	fill_lists(seed, profile);
	for (size_t i = 0; i < 24; i++)
		profile->hours[i] = (uint16_t)number(seed, 16);
	fill_32(seed, profile->tried, PROFILE_TRIED);
	fill_32(seed, profile->senders, PROFILE_SENDERS);
	profile->tried_next = (uint32_t)number(seed, 7);
	profile->senders_next = (uint32_t)number(seed, 3);
}

/* All but the recipients, byte by byte. */
static void assert_alike(const struct profile *a, const struct profile *b)
{
	struct profile copies[2];

	memcpy(&copies[0], a, sizeof *a);
	memcpy(&copies[1], b, sizeof *b);
	memset(&copies[0].known, 0, sizeof copies[0].known);
	memset(&copies[1].known, 0, sizeof copies[1].known);
	for (size_t i = 0; i < PROFILE_PLACES; i++) { /* there is room between two of them */
		struct profile_place *x = &copies[0].places[i];
		struct profile_place *y = &copies[1].places[i];

		assert_true(x->tag == y->tag && x->first_hour == y->first_hour &&
			    x->last_hour == y->last_hour && x->country == y->country);
	}
	memset(copies[0].places, 0, sizeof copies[0].places);
	memset(copies[1].places, 0, sizeof copies[1].places);
	assert_memory_equal(&copies[0], &copies[1], sizeof copies[0]);
}

static void every_number_survives(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		struct profile profile;
		struct profile back;
		struct buf packed;

		fill(&seed, &profile);
		buf_init(&packed, PROFILE_PACKED_MAX);
		assert_int_equal(profile_pack(&profile, &packed), GP_OK);
		assert_int_equal(profile_unpack(buf_slice(&packed), &back), GP_OK);
		assert_alike(&profile, &back);
		assert_null(back.known.slots);
		buf_fini(&packed);
	}
}

static void every_recipient_survives(void **state)
{
	struct profile profile = { 0 };
	struct profile back;
	struct buf packed;

	(void)state;
	buf_init(&packed, PROFILE_PACKED_MAX);
	for (uint32_t i = 1; i <= RECIPIENTS; i++)
		(void)known_add(&profile.known, i * 2654435761U, T0 + i * 1000);
	assert_int_equal(profile_pack(&profile, &packed), GP_OK);
	assert_int_equal(profile_unpack(buf_slice(&packed), &back), GP_OK);
	assert_int_equal(back.known.log, profile.known.log);
	assert_int_equal(back.known.count, profile.known.count);
	for (uint32_t i = 1; i <= 2 * RECIPIENTS; i++)
		for (int year = 0; year < 2; year++)
			assert_int_equal(known_has(&back.known, i * 2654435761U,
						 T0 + year * INT64_C(31700000)),
				known_has(&profile.known, i * 2654435761U,
					T0 + year * INT64_C(31700000)));
	profile_fini(&back);
	assert_null(back.known.slots);
	buf_fini(&packed);
	profile_fini(&profile);
}

/* Times before 1970 and of the far future are pulled into what sums can hold. */
static void times_are_bounded(void **state)
{
	const struct profile profile = {
		.first_at = -5, .passed_at = INT64_MAX, .asked_at = time_max
	};
	struct profile back;
	struct buf packed;

	(void)state;
	buf_init(&packed, PROFILE_PACKED_MAX);
	assert_int_equal(profile_pack(&profile, &packed), GP_OK);
	assert_int_equal(profile_unpack(buf_slice(&packed), &back), GP_OK);
	assert_int_equal(back.first_at, 0);
	assert_int_equal(back.passed_at, time_max);
	assert_int_equal(back.asked_at, time_max);
	buf_fini(&packed);
}

static enum gp_err unpack_packed(const struct profile *profile)
{
	struct profile back;
	struct buf packed;
	enum gp_err err;

	buf_init(&packed, PROFILE_PACKED_MAX);
	assert_int_equal(profile_pack(profile, &packed), GP_OK);
	err = profile_unpack(buf_slice(&packed), &back);
	buf_fini(&packed);
	return err;
}

/* Where the next one goes has to be a place that there is. */
static void positions_are_sound(void **state)
{
	(void)state;
	assert_int_equal(
		unpack_packed(&(struct profile){ .tried_next = PROFILE_TRIED - 1 }), GP_OK);
	assert_int_equal(
		unpack_packed(&(struct profile){ .tried_next = PROFILE_TRIED }), GP_ERR_SYNTAX);
	assert_int_equal(
		unpack_packed(&(struct profile){ .senders_next = PROFILE_SENDERS - 1 }), GP_OK);
	assert_int_equal(
		unpack_packed(&(struct profile){ .senders_next = PROFILE_SENDERS }), GP_ERR_SYNTAX);
}

static void sums_are_sound(void **state)
{
	struct profile profile = { .tallies[0] = { 1, UINT32_MAX, { UINT32_MAX - 1, 1 } } };
	struct buf packed;

	(void)state;
	assert_int_equal(unpack_packed(&profile), GP_OK);
	profile.tallies[0].counts[2] = 1;
	buf_init(&packed, PROFILE_PACKED_MAX);
	assert_int_equal(profile_pack(&profile, &packed), GP_ERR_SYNTAX);
	buf_fini(&packed);
}

/* An empty profile is its version and one run of zeros. */
static unsigned count_numbers(void)
{
	const struct profile profile = { 0 };
	struct buf packed;
	const unsigned char *b;
	unsigned count;

	buf_init(&packed, PROFILE_PACKED_MAX);
	assert_int_equal(profile_pack(&profile, &packed), GP_OK);
	b = (const unsigned char *)packed.data + packed.head;
	assert_int_equal(packed.len, 4);
	assert_memory_equal(b, "\x01\x00", 2);
	count = (b[2] & 0x7fU) | (unsigned)b[3] << 7;
	buf_fini(&packed);
	return count;
}

/* A run of zeros, then these bytes, then so many more. */
static enum gp_err unpack(unsigned zeros, struct slice rest, size_t more)
{
	static char bytes[PROFILE_PACKED_MAX + 16];
	size_t len = 4 + rest.len + more;
	struct profile back = { .first_at = 7 };
	enum gp_err err;

	assert_true(len <= sizeof bytes && zeros >= 0x80);
	memset(bytes, 0, sizeof bytes);
	memcpy(bytes, "\x01\x00", 2);
	bytes[2] = (char)((zeros & 0x7f) | 0x80);
	bytes[3] = (char)(zeros >> 7);
	memcpy(bytes + 4, rest.data, rest.len);
	err = profile_unpack(slice_of(bytes, len), &back);
	if (err == GP_OK) {
		assert_int_equal(back.known.count, 0);
		profile_fini(&back);
	} else {
		assert_int_equal(back.first_at, 7);
	}
	return err;
}

static void malformed(void **state)
{
	unsigned all = count_numbers();

	(void)state;
	assert_int_equal(unpack(all, SLICE_LIT(""), 0), GP_OK);
	assert_int_equal(unpack(all + 1, SLICE_LIT(""), 0), GP_ERR_SYNTAX);
	assert_int_equal(unpack(all - 1, SLICE_LIT(""), 0), GP_ERR_SYNTAX);
	assert_int_equal(unpack(all - 1, SLICE_LIT("\x00\x01"), 0), GP_OK);
	assert_int_equal(unpack(all - 1, SLICE_LIT("\x00\x00"), 0), GP_ERR_SYNTAX);
	/* Recipients want room of a size that there is, and are four bytes each. */
	assert_int_equal(unpack(all, SLICE_LIT("abcd"), 0), GP_ERR_SYNTAX);
	assert_int_equal(unpack(all - 1, SLICE_LIT("\x0b"), 0), GP_OK);
	assert_int_equal(unpack(all - 1, SLICE_LIT("\x0c"), 0), GP_ERR_SYNTAX);
	assert_int_equal(unpack(all - 1, SLICE_LIT("\x0b"), 8), GP_OK);
	assert_int_equal(unpack(all - 1, SLICE_LIT("\x0b\x3f"), 3), GP_OK);
	assert_int_equal(unpack(all - 1, SLICE_LIT("\x0b"), 7), GP_ERR_SYNTAX);
	assert_int_equal(unpack(all - 1, SLICE_LIT("\x0b"), PROFILE_PACKED_MAX - 8), GP_OK);
	assert_int_equal(unpack(all - 1, SLICE_LIT("\x0b"), PROFILE_PACKED_MAX - 4), GP_ERR_SYNTAX);
	/* Numbers: too large for their field (32 bits), too long, without an end. */
	assert_int_equal(unpack(all - 2, SLICE_LIT("\x07\x0b"), 0), GP_OK);
	assert_int_equal(unpack(all - 2, SLICE_LIT("\x08\x0b"), 0), GP_ERR_SYNTAX);
	assert_int_equal(unpack(all - 3, SLICE_LIT("\xff\xff\xff\xff\x0f\x00\x02"), 0), GP_OK);
	assert_int_equal(
		unpack(all - 3, SLICE_LIT("\x80\x80\x80\x80\x10\x00\x02"), 0), GP_ERR_SYNTAX);
	assert_int_equal(
		unpack(all - 1, SLICE_LIT("\x8b\x80\x80\x80\x80\x80\x80\x80\x80\x00"), 0), GP_OK);
	assert_int_equal(unpack(all - 1, SLICE_LIT("\x8b\x80\x80\x80\x80\x80\x80\x80\x80\x02"), 0),
		GP_ERR_SYNTAX);
	assert_int_equal(
		unpack(all - 1, SLICE_LIT("\x8b\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), 0),
		GP_ERR_SYNTAX);
	assert_int_equal(unpack(all - 1, SLICE_LIT("\x8b"), 0), GP_ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_survives),
		cmocka_unit_test(every_recipient_survives),
		cmocka_unit_test(times_are_bounded),
		cmocka_unit_test(positions_are_sound),
		cmocka_unit_test(sums_are_sound),
		cmocka_unit_test(malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
