/* SPDX-License-Identifier: ISC */
/*
 * The only source of time. Two clocks, so that a jump of the wall clock neither lifts a ban nor
 * makes it last for ever:
 *   clock_steady() measures spans (windows, bans, timeouts); same for all processes of the machine,
 *                  goes on during suspend, never jumps;
 *   clock_wall()   is for people, the store and certificates.
 * Tests and rehearsals move both: clock_shift() in a running process (config option
 * settable_clock), clock_fake() in unit tests.
 */
#ifndef GP_BASE_CLOCK_H
#define GP_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

enum {
	CLOCK_TEXT_SIZE = 24
}; /* "2026-01-31T23:59:59Z" and its NUL */

int64_t clock_steady(void); /* milliseconds, CLOCK_BOOTTIME + shift */
int64_t clock_wall(void);   /* seconds since 1970-01-01 UTC + shift */
/* Nanoseconds that really pass, neither shifted nor faked: for the event loop's timers alone. */
int64_t clock_real(void);

/* Total shift in milliseconds, added to both clocks of this process from now on. */
void clock_shift(int64_t ms);
int64_t clock_shifted(void);

/* Stands still at these values until changed; for unit tests. */
void clock_fake(int64_t wall_s, int64_t steady_ms);

/* RFC 3339 in UTC; returns out. And back: -1 if malformed. */
const char *clock_format(int64_t wall_s, char out[static CLOCK_TEXT_SIZE]);
int64_t clock_parse(const char *text);

/* RFC 5322 section 3.3 date-time in UTC ("+0000"); size >= 32; returns out. */
const char *clock_format_mail(int64_t wall_s, char *out, size_t size);

#endif
