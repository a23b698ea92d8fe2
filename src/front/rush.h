/* SPDX-License-Identifier: ISC */
/*
 * How fast clients arrive, and what a front does about it. In a rush it asks the kernel to be
 * treated as a batch job (SCHED_BATCH): a byte that arrives for it then no longer interrupts core,
 * the vaults and gatepostd in what they do for the sign-ins before, so each process does more in a
 * turn and the whole of it costs a fifth less. At other times it is as quick to wake up as any
 * program, for on a machine that is busy with other things a batch job waits. It is the pace that
 * counts, not how many are there: hundreds who say nothing, or wait for a hash that is being
 * worked out, give a front nothing to do, and must not make it slow for whoever comes.
 *
 * A bucket that leaks: each arrival fills it by one, RUSH_LEAK_MS empty it by one.
 *
 * Process: front, one for each. All processes begin as ordinary ones.
 */
#ifndef GP_FRONT_RUSH_H
#define GP_FRONT_RUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "event/loop.h"

enum {
	RUSH_BEGINS = 8, /* arrivals in the bucket */
	RUSH_ENDS = 2,
	RUSH_MOST = 16,    /* it holds no more, so that a rush is over soon after the last */
	RUSH_LEAK_MS = 10, /* so a hundred a second are no rush yet */
};

struct rush {
	struct loop_timer over;
	int64_t looked; /* clock_steady() of the last change of: */
	unsigned level;
	bool is_on;
};

void rush_init(struct loop *loop, struct rush *rush);
void rush_fini(struct rush *rush);
void rush_arrive(struct rush *rush); /* a client has come */

#endif
