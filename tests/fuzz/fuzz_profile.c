/* SPDX-License-Identifier: ISC */
/* A profile that unpacks can be used, packs again, and comes back with the same facts. */
#include "fuzz.h"

#include <string.h>

#include "base/check.h"
#include "policy/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sending_policy policy = { .known_days = 3, .learn_days = 7 };
	struct profile_try try = { .recipient = 7, .client = 3, .source = { .family = IP_V4 } };
	int64_t now = 1800000000;
	struct profile profile;
	struct profile back;
	struct sending_facts facts;
	struct sending_facts again;
	struct buf packed;

	if (profile_unpack(slice_of(data, size), &profile) != GP_OK)
		return 0;
	buf_init(&packed, PROFILE_PACKED_MAX);
	memset(&facts, 0, sizeof facts);
	memset(&again, 0, sizeof again);
	GP_ASSERT(profile_pack(&profile, &packed) == GP_OK);
	GP_ASSERT(profile_unpack(buf_slice(&packed), &back) == GP_OK);
	profile_look(&profile, &policy, &try, now, &facts);
	profile_look(&back, &policy, &try, now, &again);
	GP_ASSERT(facts.recipients_day == again.recipients_day &&
		  facts.strangers_day == again.strangers_day &&
		  facts.new_networks == again.new_networks && facts.habit_day == again.habit_day);
	profile_note(&profile, &try, &facts, SENDING_PASS, now);
	profile_delivered(&profile, &try, now);
	profile_confirm(&profile, now);
	profile_fini(&profile);
	profile_fini(&back);
	buf_fini(&packed);
	return 0;
}
