/* SPDX-License-Identifier: ISC */
/* How often people may lift bans for themselves: core and vault count the same. */
#ifndef GP_OPS_LIFT_H
#define GP_OPS_LIFT_H

enum {
	OPS_LIFTS_MAX = 3,            /* by one account, and of one source, ... */
	OPS_LIFT_SPAN = 24 * 60 * 60, /* ... in so many seconds */
};

#endif
