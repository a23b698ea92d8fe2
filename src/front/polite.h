/* SPDX-License-Identifier: ISC */
/*
 * How often a banned source is still told why: POLITE_PER_MINUTE times a minute, then its
 * connections are closed without a word. A fixed table; sources that meet in one place share it,
 * so a flood from many sources costs answers, never memory. Pure.
 */
#ifndef GP_FRONT_POLITE_H
#define GP_FRONT_POLITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

enum {
	POLITE_PER_MINUTE = 10,
	POLITE_PLACES = 1024,
};

struct polite_place {
	int64_t since; /* clock_steady() */
	uint16_t said;
};

struct polite {
	struct polite_place places[POLITE_PLACES];
};

/* Takes one answer from the budget of this source; false: it is used up. */
bool polite_take(struct polite *polite, const struct ip *source, int64_t now);

#endif
