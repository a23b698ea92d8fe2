/* SPDX-License-Identifier: ISC */
#include "front/rush.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* Where the kernel does not want to, nothing is lost but speed. */
static void turn(struct rush *rush, bool is_on)
{
	const struct sched_param plain = { .sched_priority = 0 };

	rush->is_on = is_on;
	if (sched_setscheduler(0, is_on ? SCHED_BATCH : SCHED_OTHER, &plain) != 0)
		log_debug("not_scheduled_anew", LOG_ERRNO);
}

static void leak(struct rush *rush)
{
	int64_t now = clock_steady();
	int64_t drops = (now - rush->looked) / RUSH_LEAK_MS;

	/* An empty bucket does not save up for later. */
	if (drops < 0 || drops >= (int64_t)rush->level) {
		rush->level = 0;
		rush->looked = now;
		return;
	}
	rush->level -= (unsigned)drops;
	rush->looked += drops * RUSH_LEAK_MS;
}

/* If nobody else comes, it ends by itself. */
static void await_end(struct rush *rush)
{
	loop_timer_set(&rush->over, (int64_t)(rush->level - RUSH_ENDS) * RUSH_LEAK_MS);
}

static void on_over(struct loop_timer *timer)
{
	struct rush *rush = timer->owner;

	leak(rush);
	if (rush->level <= RUSH_ENDS)
		turn(rush, false);
	else
		await_end(rush);
}

void rush_init(struct loop *loop, struct rush *rush)
{
	*rush = (struct rush){ .looked = clock_steady() };
	loop_timer_init(loop, &rush->over, on_over, rush);
}

void rush_fini(struct rush *rush)
{
	loop_timer_fini(&rush->over);
}

void rush_arrive(struct rush *rush)
{
	leak(rush);
	if (rush->level < RUSH_MOST)
		rush->level++;
	if (rush->is_on || rush->level < RUSH_BEGINS)
		return;
	turn(rush, true);
	await_end(rush);
}
