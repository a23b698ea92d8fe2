/* SPDX-License-Identifier: ISC */
#include "parent/notify.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/check.h"

static struct {
	struct loop_timer timer;
	int64_t period_ms; /* 0: no watchdog */
} watchdog;

static void on_watchdog(struct loop_timer *timer)
{
	(void)sd_notify(0, "WATCHDOG=1");
	loop_timer_set(timer, watchdog.period_ms);
}

void notify_init(struct loop *loop)
{
	uint64_t usec = 0;

	loop_timer_init(loop, &watchdog.timer, on_watchdog, NULL);
	if (sd_watchdog_enabled(0, &usec) > 0) {
		watchdog.period_ms = (int64_t)(usec / 2000) + 1;
		loop_timer_set(&watchdog.timer, watchdog.period_ms);
	}
}

void notify_fini(void)
{
	loop_timer_fini(&watchdog.timer);
}

void notify_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

/* The manager tells an old READY=1 from the one after the reload by this clock. */
void notify_reloading(void)
{
	struct timespec now = { 0 };

	GP_ASSERT(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		(int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

void notify_status(size_t up, size_t all)
{
	(void)sd_notifyf(0, "STATUS=%zu of %zu processes up", up, all);
}
