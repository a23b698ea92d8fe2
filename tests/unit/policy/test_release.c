/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "policy/release.h"

enum {
	DAY = 24 * 60 * 60,
	BEGAN = 1800000000,
};

#define SEEN  .rule = CONFIG_RELEASE_SEEN, .began_at = BEGAN
#define KNOWN .rule = CONFIG_RELEASE_KNOWN, .began_at = BEGAN
#define PLAIN .rule = CONFIG_RELEASE_PASSWORD, .began_at = BEGAN

/* Each way that the two answers have. */
static const struct way_case {
	const char *name;
	struct release_facts facts;
	enum release_way no;
	enum release_way yes;
} way_cases[] = {
	{ "seen: nothing but the password", { SEEN }, RELEASE_PROVE, RELEASE_PROVE },
	{ "seen before", { SEEN, .source_first_at = BEGAN - 1 }, RELEASE_GO, RELEASE_GO },
	{ "seen as it began", { SEEN, .source_first_at = BEGAN }, RELEASE_PROVE, RELEASE_PROVE },
	{ "seen afterwards", { SEEN, .source_first_at = BEGAN + 1 }, RELEASE_PROVE, RELEASE_PROVE },
	{ "seen before, but it took part",
		{ SEEN, .source_first_at = BEGAN - 400 * DAY, .source_took_part = true },
		RELEASE_PROVE, RELEASE_PROVE },
	{ "seen: took part, and proved", { SEEN, .source_took_part = true, .is_proved = true },
		RELEASE_GO, RELEASE_GO },
	{ "seen before, for staff", { SEEN, .is_for_staff = true, .source_first_at = 1 },
		RELEASE_STAFF, RELEASE_STAFF },
	{ "nothing but the password", { KNOWN }, RELEASE_PROVE, RELEASE_PROVE },
	{ "known for 14 days", { KNOWN, .source_first_at = BEGAN - 14 * DAY }, RELEASE_GO,
		RELEASE_GO },
	{ "a second less", { KNOWN, .source_first_at = BEGAN - 14 * DAY + 1 }, RELEASE_PROVE,
		RELEASE_PROVE },
	{ "tried a little before", { KNOWN, .source_first_at = BEGAN - 3600 }, RELEASE_PROVE,
		RELEASE_PROVE },
	{ "first seen afterwards", { KNOWN, .source_first_at = BEGAN + 1 }, RELEASE_PROVE,
		RELEASE_PROVE },
	{ "known, but it took part",
		{ KNOWN, .source_first_at = BEGAN - 400 * DAY, .source_took_part = true },
		RELEASE_PROVE, RELEASE_PROVE },
	{ "took part, and proved", { KNOWN, .source_took_part = true, .is_proved = true },
		RELEASE_GO, RELEASE_GO },
	{ "a proof there would be is none given",
		{ KNOWN, .address_at = 1, .codes_at = 1, .is_vouched = true }, RELEASE_PROVE,
		RELEASE_PROVE },
	{ "for staff, known", { KNOWN, .is_for_staff = true, .source_first_at = 1 }, RELEASE_STAFF,
		RELEASE_STAFF },
	{ "for staff, proved", { KNOWN, .is_for_staff = true, .is_proved = true }, RELEASE_STAFF,
		RELEASE_STAFF },
	{ "the plain rule", { PLAIN, .source_took_part = true }, RELEASE_GO, RELEASE_PROVE },
	{ "the plain rule, known", { PLAIN, .source_first_at = 1 }, RELEASE_GO, RELEASE_GO },
	{ "the plain rule, for staff", { PLAIN, .is_for_staff = true }, RELEASE_STAFF,
		RELEASE_STAFF },
};

static void test_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(way_cases); i++) {
		const struct way_case *one = &way_cases[i];

		if (release_judge(&one->facts, RELEASE_NO) != one->no)
			fail_msg("%s: No", one->name);
		if (release_judge(&one->facts, RELEASE_YES) != one->yes)
			fail_msg("%s: Yes", one->name);
	}
}

static const struct proof_case {
	const char *name;
	struct release_facts facts;
	bool accepts[RELEASE_PROOFS]; /* address, recovery, panel */
} proof_cases[] = {
	{ "seen: 72 hours old, and just made",
		{ SEEN, .address_at = BEGAN - 3 * DAY, .codes_at = BEGAN - 1 },
		{ true, true, false } },
	{ "seen: a second younger", { SEEN, .address_at = BEGAN - 3 * DAY + 1, .codes_at = BEGAN },
		{ false, false, false } },
	{ "nothing is there", { KNOWN }, { false, false, false } },
	{ "72 hours old", { KNOWN, .address_at = BEGAN - 3 * DAY, .codes_at = BEGAN - 3 * DAY },
		{ true, true, false } },
	{ "a second younger",
		{ KNOWN, .address_at = BEGAN - 3 * DAY + 1, .codes_at = BEGAN - 3 * DAY + 1 },
		{ false, false, false } },
	{ "made since", { KNOWN, .address_at = BEGAN + 60, .codes_at = BEGAN + 60 },
		{ false, false, false } },
	{ "one of them", { KNOWN, .address_at = BEGAN - 60, .codes_at = 1 },
		{ false, true, false } },
	{ "the panel's", { KNOWN, .is_vouched = true }, { false, false, true } },
	/* Each of its own: that one counts makes no other good. */
	{ "the plain rule accepts no more", { PLAIN, .address_at = BEGAN },
		{ false, false, false } },
};

static void test_proofs(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(proof_cases); i++) {
		const struct proof_case *one = &proof_cases[i];

		for (enum release_proof proof = 0; proof < RELEASE_PROOFS; proof++) {
			if (release_accepts(&one->facts, proof) != one->accepts[proof])
				fail_msg("%s: %s", one->name, release_proof_name(proof));
		}
		assert_false(release_accepts(&one->facts, RELEASE_PROOFS));
	}
}

static void test_names(void **state)
{
	(void)state;
	for (enum release_proof proof = 0; proof < RELEASE_PROOFS; proof++)
		assert_int_equal(
			release_proof_by_name(slice_str(release_proof_name(proof))), proof);
	assert_int_equal(release_proof_by_name(SLICE_LIT("staff")), RELEASE_PROOFS);
	assert_int_equal(release_proof_by_name(SLICE_LIT("")), RELEASE_PROOFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_proofs),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
