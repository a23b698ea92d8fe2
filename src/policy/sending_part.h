/* SPDX-License-Identifier: ISC */
/*
 * Which sources took part in what an account is stopped for, so that its owner is not taken for the
 * thief because his mail program was open at the time. A source took part if it tried anything from
 * a network that was not known then, or if what came from it alone gives points. That is counted by
 * days, today and the day before, so what lies within 24 hours is never missed.
 *
 * Of one account the SENDING_PARTS_MAX sources that sent last are kept. In memory only: after a
 * restart of core a source takes part by what it tries from then on. Process: core.
 */
#ifndef GP_POLICY_SENDING_PART_H
#define GP_POLICY_SENDING_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "policy/sending.h"

enum {
	SENDING_PARTS_MAX = 32
};

#define SENDING_PART_LIST(X)                                            \
	X(RECIPIENTS) /* that were let through */                       \
	X(STRANGERS)  /* tried, each once */                            \
	X(ELSEWHERE)  /* recipients tried while its network was new */  \
	X(UNKNOWN)    /* strangers that the next hop does not know */   \
	X(SPAM)       /* messages that the next hop refused as such */  \
	X(FILTER_BAD) /* messages that the filter condemned, doubted */ \
	X(FILTER_DOUBTFUL)                                              \
	X(FORGED) /* tries with a sender that is not the account's */

enum sending_part_count {
#define SENDING_PART_ENUM(id) SENDING_PART_##id,
	SENDING_PART_LIST(SENDING_PART_ENUM)
#undef SENDING_PART_ENUM
	SENDING_PART_MAX
};

struct sending_part {
	struct ip source;
	uint32_t day; /* since 1970 */
	int64_t last_at;
	uint16_t today[SENDING_PART_MAX], before[SENDING_PART_MAX];
};

/* Embedded; zeroed before first use. */
struct sending_parts {
	struct sending_part *items;
	size_t count;
	size_t room;
};
void sending_parts_fini(struct sending_parts *parts);

/* Of a source that tries something at now, seconds of the clock of profiles; made if it is not
 * there. Borrowed until the next call. NULL: the source is not known. */
struct sending_part *sending_parts_get(
	struct sending_parts *parts, const struct ip *source, int64_t now);
/* At now, as above. Stops at UINT16_MAX. */
void sending_part_add(struct sending_part *part, enum sending_part_count what);
/* habit: facts of the account, of which only the habits are used. */
bool sending_part_is_of(const struct sending_part *part, const struct sending_policy *policy,
	const struct sending_facts *habit, int64_t now);

#endif
