/* SPDX-License-Identifier: ISC */
/*
 * Session ids: unique over all fronts and restarts, never reused. The upper 40 bits are random for
 * each start of a process, the lower 24 count; when the count is used up, fresh random bits follow.
 */
#ifndef GP_FRONT_SESSION_ID_H
#define GP_FRONT_SESSION_ID_H

#include <stdint.h>

enum {
	SESSION_ID_COUNT_BITS = 24
};

struct session_ids {
	uint64_t next; /* 0: not begun */
};

/* Never 0. */
uint64_t session_id_take(struct session_ids *ids);

#endif
