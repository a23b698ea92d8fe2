/* SPDX-License-Identifier: ISC */
#include "policy/release.h"

#include "base/check.h"

enum {
	JUST_BEFORE = 1 /* s */
};

static const char *const proof_names[RELEASE_PROOFS] = {
#define RELEASE_PROOF_NAME(id, name) name,
	RELEASE_PROOF_LIST(RELEASE_PROOF_NAME)
#undef RELEASE_PROOF_NAME
};

const char *release_proof_name(enum release_proof proof)
{
	GP_ASSERT(proof < RELEASE_PROOFS);
	return proof_names[proof];
}

enum release_proof release_proof_by_name(struct slice name)
{
	enum release_proof proof = RELEASE_PROOF_ADDRESS;

	while (proof < RELEASE_PROOFS && !slice_is(name, proof_names[proof]))
		proof++;
	return proof;
}

static bool is_before(int64_t at, int64_t began_at, int64_t span)
{
	return at > 0 && at <= began_at - span;
}

bool release_is_trusted(const struct release_facts *facts)
{
	return !facts->source_took_part &&
	       is_before(facts->source_first_at, facts->began_at,
		       facts->rule == CONFIG_RELEASE_SEEN ? JUST_BEFORE : RELEASE_KNOWN);
}

bool release_accepts(const struct release_facts *facts, enum release_proof proof)
{
	switch (proof) {
	case RELEASE_PROOF_ADDRESS:
		return is_before(facts->address_at, facts->began_at, RELEASE_SETTLED);
	case RELEASE_PROOF_RECOVERY:
		return is_before(facts->codes_at, facts->began_at,
			facts->rule == CONFIG_RELEASE_SEEN ? JUST_BEFORE : RELEASE_SETTLED);
	case RELEASE_PROOF_PANEL:
		return facts->is_vouched;
	case RELEASE_PROOFS:
		break;
	}
	return false;
}

enum release_way release_judge(const struct release_facts *facts, enum release_answer answer)
{
	if (facts->is_for_staff)
		return RELEASE_STAFF;
	/* A Yes changes no password: the plain rule would let a thief say it. */
	if (answer == RELEASE_NO && facts->rule == CONFIG_RELEASE_PASSWORD)
		return RELEASE_GO;
	return facts->is_proved || release_is_trusted(facts) ? RELEASE_GO : RELEASE_PROVE;
}
