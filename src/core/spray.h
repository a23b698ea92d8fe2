/* SPDX-License-Identifier: ISC */
/*
 * Password spraying: one secret tried on name after name. Known by keyed tags in memory, never
 * stored: a window for each secret, in which each name counts once. What follows from it is
 * policy/ban.h. Process: core.
 *
 * Memory is bounded; beyond, the secrets that failed on the fewest names go.
 */
#ifndef GP_CORE_SPRAY_H
#define GP_CORE_SPRAY_H

#include "base/slice.h"
#include "counter/counter.h"
#include "counter/repeats.h"

enum {
	SPRAY_SECRETS_MAX = 16384, /* that failed within the span */
	SPRAY_PAIRS_MAX = 65536,   /* of secret and name */
};

struct core;

struct spray {
	struct counter *secrets;
	struct repeats *pairs;
};

void spray_init(struct core *core);
void spray_fini(struct core *core);
void spray_sweep(struct core *core);

/* This secret failed on this name. On how many names it had failed within the span before. */
unsigned spray_note(struct core *core, struct slice login, struct slice secret);

#endif
