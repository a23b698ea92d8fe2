/* SPDX-License-Identifier: ISC */
/*
 * How much there was within the last hour or day: a sliding sum in slots of a twelfth of it,
 * embedded, without memory of its own. Pure: the time comes with each call, in seconds of one
 * clock, and may only grow; an earlier one counts as the latest.
 *
 * A slot leaves the sum as a whole, when its youngest part is older than the window. So the sum is
 * never less than what the window holds, and at most a twelfth of the window too much is in it.
 */
#ifndef GP_COUNTER_TALLY_H
#define GP_COUNTER_TALLY_H

#include <stdint.h>

enum {
	TALLY_PARTS = 12,
	TALLY_SLOTS = TALLY_PARTS + 1, /* the oldest one is partly in the window */
	TALLY_HOUR = 3600,             /* windows: seconds */
	TALLY_DAY = 86400,
};

struct tally {
	uint32_t slot; /* the newest one: time / (window / TALLY_PARTS) */
	uint32_t sum;
	uint32_t counts[TALLY_SLOTS]; /* of slot n in n % TALLY_SLOTS */
};

/* window: the same for all calls on one tally, a multiple of TALLY_PARTS. Sums stop at UINT32_MAX.
 */
void tally_add(struct tally *tally, uint32_t window, int64_t now, uint32_t amount);
uint32_t tally_sum(const struct tally *tally, uint32_t window, int64_t now);
/* Seconds until the sum is at most so much; 0 if it is already. */
int64_t tally_falls_in(const struct tally *tally, uint32_t window, int64_t now, uint32_t most);

#endif
