/* SPDX-License-Identifier: ISC */
/*
 * How many are signing in at once, and what a front does about it. In a rush it asks the kernel to
 * be treated as a batch job (SCHED_BATCH): a byte that arrives for it then no longer interrupts
 * core, the vaults and gatepostd in what they do for the sign-ins before, so each process does more
 * in a turn and the whole of it costs a fifth less. At other times it is as quick to wake up as any
 * program, for on a machine that is busy with other things a batch job waits.
 *
 * Process: front, one for each. All processes begin as ordinary ones.
 */
#ifndef GP_FRONT_RUSH_H
#define GP_FRONT_RUSH_H

#include <stdbool.h>
#include <stddef.h>

enum {
	RUSH_BEGINS = 8, /* so many who have not signed in yet */
	RUSH_ENDS = 2,
};

struct rush {
	size_t count;
	bool is_on;
};

void rush_enter(struct rush *rush); /* one more has come */
void rush_leave(struct rush *rush); /* and one is signed in, or gone */

#endif
