/* SPDX-License-Identifier: ISC */
/*
 * The timers of a loop that are set, the one due first in front: a binary heap of pointers. A timer
 * costs eight bytes here while it is set, and nothing otherwise.
 */
#ifndef GP_EVENT_TIMERS_H
#define GP_EVENT_TIMERS_H

#include <stddef.h>

#include "event/loop.h"

struct timers {
	struct loop_timer **heap; /* heap[0] is due first */
	size_t count;
	size_t room;
};

void timers_fini(struct timers *timers); /* none may be set */
/* Adds it, or moves it to another time. due: clock_real(). */
void timers_set(struct timers *timers, struct loop_timer *timer, int64_t due);
void timers_clear(struct timers *timers, struct loop_timer *timer); /* fine if it is not set */
struct loop_timer *timers_first(const struct timers *timers);       /* NULL: none is set */

#endif
