/* SPDX-License-Identifier: ISC */
/*
 * Bans that people lifted for themselves within the last day. A source that was let in again is
 * trusted on the account of who did it alone: its next failure on another one bans it at once, so
 * that nobody clears the way for his guesses at others. The vault keeps them, and decides whether
 * one more may be (ban.note_lift).
 *
 * Memory is bounded; beyond, the oldest go.
 */
#ifndef GP_CORE_LIFTS_H
#define GP_CORE_LIFTS_H

#include <bsd/sys/queue.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

enum {
	LIFTS_MAX = 8192
};

struct core;
struct lift;

struct lifts {
	TAILQ_HEAD(lift_list, lift) all; /* oldest first */
	size_t count;
};

void lifts_init(struct core *core);
void lifts_fini(struct core *core);
void lifts_sweep(struct core *core);

/* age_ms: how long ago, >= 0. */
void lifts_add(struct core *core, const struct ip_net *net, uint64_t account, int64_t age_ms);
/* How many more there may be for the account (0: nobody's) and the network. */
unsigned lifts_left(struct core *core, const struct ip_net *net, uint64_t account);
/* A failure that counts; account: 0 for a name that is nobody's. asking: as in bans_set(). */
void lifts_after_failure(
	struct core *core, const struct ip *source, uint64_t account, uint64_t asking);

#endif
