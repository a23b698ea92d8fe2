/* SPDX-License-Identifier: ISC */
#include "front/rush.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"

/* Where the kernel does not want to, nothing is lost but speed. */
static void turn(struct rush *rush, bool is_on)
{
	const struct sched_param plain = { .sched_priority = 0 };

	rush->is_on = is_on;
	if (sched_setscheduler(0, is_on ? SCHED_BATCH : SCHED_OTHER, &plain) != 0)
		log_debug("not_scheduled_anew", LOG_ERRNO);
}

void rush_enter(struct rush *rush)
{
	rush->count++;
	if (!rush->is_on && rush->count >= RUSH_BEGINS)
		turn(rush, true);
}

void rush_leave(struct rush *rush)
{
	GP_ASSERT(rush->count > 0);
	rush->count--;
	if (rush->is_on && rush->count <= RUSH_ENDS)
		turn(rush, false);
}
