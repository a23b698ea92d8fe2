/* SPDX-License-Identifier: ISC */
/* Points in time as people write and read them. The CLI's time zone is that of its user. */
#ifndef GP_CLI_WHEN_H
#define GP_CLI_WHEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

enum {
	WHEN_TEXT_SIZE = 32
};

/* "30m", "2h", "3d", "90s" ago; "2026-01-31", "2026-01-31 14:05", "2026-01-31 14:05:09" local; or
 * RFC 3339 in UTC: to RFC 3339 in UTC. False leaves out alone. */
bool when_parse(const char *text, char out[static CLOCK_TEXT_SIZE]);

/* RFC 3339 to "2026-01-31 14:05:09" local; anything else stays. Returns out. */
const char *when_format(const char *text, char out[static WHEN_TEXT_SIZE]);

/* "1 min", "3 h 20 min", "2 d 4 h"; returns out. */
const char *when_format_minutes(long long minutes, char out[static WHEN_TEXT_SIZE]);

#endif
