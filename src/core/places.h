/* SPDX-License-Identifier: ISC */
/*
 * The places of one sign-in: one in each window in which its failure would count. They are its
 * source's; for IPv6 also those of its /56 and its /48; and, for a main password from a source that
 * is not known for the account, the account's. At the portal a banned source has one in a window of
 * its own instead of those of its levels. All are reserved or none, in this order, so that two
 * sign-ins cannot each hold what the other waits for. Process: core; embedded in the asker, which
 * must not go away before places_fini().
 */
#ifndef GP_CORE_PLACES_H
#define GP_CORE_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "counter/counter.h"

enum {
	PLACES_ACCOUNT = IP_LEVELS, /* its kind; the others are an enum ip_level, or ... */
	PLACES_PORTAL,              /* what a banned network has left at the portal */
	PLACES_MAX,
};

struct place {
	unsigned kind;
	struct counter *counter;
	unsigned char key[COUNTER_KEY_MAX];
	size_t key_len;
	uint64_t token;
	bool is_held;
	unsigned weight;              /* of the commit; 0: given back */
	struct counter_result result; /* of the commit */
};

struct places {
	struct place place[PLACES_MAX];
	unsigned count;
	unsigned at; /* the one that was asked for last */
	bool is_committing;
	bool is_account_spent;
	struct counter_ask ask;
	/*
	 * GRANTED: all of them. An account without a place left does not refuse: it is left out and
	 * is_account_spent says so. Anything else is the answer of place[at], and none is held.
	 */
	void (*on_reserved)(struct places *places, const struct counter_result *result);
	/* All that were held are committed or given back; place[].result. */
	void (*on_committed)(struct places *places);
	void *owner;
};

void places_init(struct places *places,
	void (*on_reserved)(struct places *places, const struct counter_result *result),
	void (*on_committed)(struct places *places), void *owner);
/* Gives back what is held; no answer comes any more. */
void places_fini(struct places *places);

/* counter must outlive the places; key is copied. */
void places_add(struct places *places, unsigned kind, struct counter *counter, struct slice key);
/* May answer before it returns, as may places_commit(). */
void places_reserve(struct places *places);
/* weight: of the source's levels; account_weight: 0 or 1. */
void places_commit(struct places *places, unsigned weight, unsigned account_weight);

/* Once committed: was it the last that its source, or a network around that, had left? */
bool places_are_full(const struct places *places);

struct slice places_key(const struct place *place);

#endif
