/* SPDX-License-Identifier: ISC */
#include "front/session_id.h"

#include "base/rand.h"

static const uint64_t count_mask = (1ULL << SESSION_ID_COUNT_BITS) - 1;

uint64_t session_id_take(struct session_ids *ids)
{
	/* Count 0 is never given out, so it means "begin anew", at the start and after a wrap. */
	while ((ids->next & count_mask) == 0 || (ids->next & ~count_mask) == 0)
		ids->next = (rand_u64() & ~count_mask) | 1;
	return ids->next++;
}
