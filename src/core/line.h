/* SPDX-License-Identifier: ISC */
/*
 * Who waits for a place in a window that many sources share: a /56, a /48, an account. What waits
 * for its own source's window stands in source.h; here stand those first in their source's list
 * whose own source has a place and one of the shared windows has none.
 */
#ifndef GP_CORE_LINE_H
#define GP_CORE_LINE_H

#include "base/map.h"
#include "core/places.h"

struct core;
struct attempt;

struct lines {
	struct map by_window;
};

void line_init(struct core *core);
void line_fini(struct core *core); /* all have left */

/* Behind those who wait for the same window. */
void line_join(struct attempt *attempt, const struct place *place);
/* Fine on one that stands in none. */
void line_leave(struct attempt *attempt);
/* A place may be free in this window, or no one is to be expected: those who wait try again, in
 * order, until one has to stay. */
void line_wake(struct core *core, struct counter *counter, struct slice key);

#endif
