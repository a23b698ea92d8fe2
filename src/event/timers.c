/* SPDX-License-Identifier: ISC */
#include "event/timers.h"

#include "base/check.h"
#include "base/mem.h"

enum {
	ROOM_MIN = 16
};

void timers_fini(struct timers *timers)
{
	GP_ASSERT(timers->count == 0);
	mem_free(timers->heap);
	*timers = (struct timers){ 0 };
}

/* place is one more than the index, so that a zeroed timer is not set. */
static void put(struct timers *timers, size_t at, struct loop_timer *timer)
{
	timers->heap[at] = timer;
	timer->place = at + 1;
}

static void move_up(struct timers *timers, size_t at, struct loop_timer *timer)
{
	while (at > 0 && timers->heap[(at - 1) / 2]->due > timer->due) {
		put(timers, at, timers->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(timers, at, timer);
}

static void move_down(struct timers *timers, size_t at, struct loop_timer *timer)
{
	for (size_t child = 2 * at + 1; child < timers->count; child = 2 * at + 1) {
		if (child + 1 < timers->count &&
			timers->heap[child + 1]->due < timers->heap[child]->due)
			child++;
		if (timers->heap[child]->due >= timer->due)
			break;
		put(timers, at, timers->heap[child]);
		at = child;
	}
	put(timers, at, timer);
}

/* From a place where it may be due too early or too late. */
static void settle(struct timers *timers, size_t at, struct loop_timer *timer)
{
	if (at > 0 && timers->heap[(at - 1) / 2]->due > timer->due)
		move_up(timers, at, timer);
	else
		move_down(timers, at, timer);
}

void timers_set(struct timers *timers, struct loop_timer *timer, int64_t due)
{
	timer->due = due;
	if (timer->place > 0) {
		settle(timers, timer->place - 1, timer);
		return;
	}
	if (timers->count == timers->room) {
		timers->room = timers->room > 0 ? 2 * timers->room : ROOM_MIN;
		timers->heap = mem_resize(timers->heap, timers->room, sizeof *timers->heap);
	}
	timers->count++;
	move_up(timers, timers->count - 1, timer);
}

void timers_clear(struct timers *timers, struct loop_timer *timer)
{
	size_t at = timer->place;
	struct loop_timer *last = NULL;

	if (at == 0)
		return;
	timer->place = 0;
	last = timers->heap[--timers->count];
	if (last != timer)
		settle(timers, at - 1, last);
}

struct loop_timer *timers_first(const struct timers *timers)
{
	return timers->count > 0 ? timers->heap[0] : NULL;
}
