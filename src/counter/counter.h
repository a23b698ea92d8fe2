/* SPDX-License-Identifier: ISC */
/*
 * Sliding windows with reservations: how many failures a key (a source, later also an account) has
 * had within the last window_ms, and how many checks are under way for it right now. Process: core.
 *
 * Why reservations. To count after the check is to let everything through that arrives before the
 * first answer: 200 connections at once would get 200 guesses. So a place is reserved *before* a
 * secret is checked, and committed (it was wrong) or released (it was right, or we failed). At any
 * moment
 *
 *	weight of failures in the window + reservations in flight <= places
 *
 * and the answer to the next attempt follows from the two: GRANTED while the sum leaves room; FULL
 * while only unfinished checks stand in the way, so that waiting helps; SPENT once the failures
 * alone have used every place.
 *
 * Why every question has an answer that may come later. One machine counts in its memory
 * (counter_memory.h), where the answer is there at once. Several machines that guard one mail
 * server must share the count, and then it stands in a database: a question is a round trip, made
 * atomic there by a script that does what counter_memory.c does. A process with an event loop
 * cannot wait for it. So the asker embeds a struct counter_ask and is called back, before
 * counter_reserve() returns or after; code that works with one order works with the other. What
 * that demands was thought through:
 *  - The key travels with every call; a token alone would bind it to one process' memory.
 *  - A lost process must not keep its places for ever. An implementation outside of the process
 *    lets a reservation lapse COUNTER_LAPSE_MS after it was made, as if committed (the guess may
 *    have been made). In memory it ends with the process.
 *  - "Full" may end by what another machine does: on_room() says so for the implementation,
 *    whatever its source (a call here, a published message there). It may come in vain: the asker
 *    reserves again and takes what it gets.
 *  - The counter may be unreachable: COUNTER_FAILED, our own fault, a temporary error.
 *  - Exactly one commit is told that it used the last place (is_last), on whatever machine, and
 *    that one sets the ban.
 *  - Times are given as ages by those who load old failures, so that no two clocks are compared.
 */
#ifndef GP_COUNTER_COUNTER_H
#define GP_COUNTER_COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	COUNTER_KEY_MAX = 40,      /* bytes of a key */
	COUNTER_PLACES_MAX = 1000, /* places a window may have */
	COUNTER_LAPSE_MS = 60 * 1000,
};

enum counter_answer {
	COUNTER_FAILED, /* not reachable, or no memory left for one more key */
	COUNTER_SPENT,  /* failures have used every place; free_in says for how long */
	COUNTER_FULL,   /* the places left are in flight; on_room() will be called for the key */
	COUNTER_GRANTED,
	COUNTER_DONE, /* of a commit */
};

struct counter_result {
	enum counter_answer answer;
	uint64_t token;     /* GRANTED: names the reservation */
	unsigned committed; /* weight of the failures in the window, this one included */
	unsigned in_flight;
	bool is_last;    /* DONE: this commit took the weight to the limit */
	int64_t free_in; /* ms until failures leave a place again; 0 while they do */
};

/* A question under way. Embedded in the asker; untouched by it until answered or cancelled. */
struct counter_ask {
	void (*on_answer)(struct counter_ask *ask, const struct counter_result *result);
	void *owner;
	void *pending; /* the implementation's */
};

struct counter_limits {
	unsigned places;   /* 1..COUNTER_PLACES_MAX */
	int64_t window_ms; /* > 0 */
	size_t max_keys;   /* memory is bounded by this many keys */
};

struct counter;

struct counter_ops {
	void (*reserve)(struct counter *counter, struct slice key, struct counter_ask *ask);
	void (*commit)(struct counter *counter, struct slice key, uint64_t token, unsigned weight,
		struct counter_ask *ask);
	void (*release)(struct counter *counter, struct slice key, uint64_t token);
	void (*add)(struct counter *counter, struct slice key, unsigned weight, int64_t age_ms,
		struct counter_ask *ask);
	void (*forget)(struct counter *counter, struct slice key);
	void (*forget_prefix)(struct counter *counter, struct slice prefix);
	void (*cancel)(struct counter *counter, struct counter_ask *ask);
	unsigned (*committed)(struct counter *counter, struct slice key);
	void (*sweep)(struct counter *counter);
	void (*configure)(struct counter *counter, const struct counter_limits *limits);
	void (*free)(struct counter *counter);
};

/* The common head of every implementation. */
struct counter {
	const struct counter_ops *ops;
	struct counter_limits limits;
	/* Ask again for this key: a place may be free. Set by the owner; may be NULL. */
	void (*on_room)(struct counter *counter, struct slice key, void *owner);
	void *owner;
};

/* May a check be made? Answers FAILED, SPENT, FULL or GRANTED. key: at most COUNTER_KEY_MAX bytes,
 * copied where needed. */
void counter_reserve(struct counter *counter, struct slice key, struct counter_ask *ask);
/* The secret was wrong. weight: 1, or more for a guess that tells more. Answers DONE or FAILED. */
void counter_commit(struct counter *counter, struct slice key, uint64_t token, unsigned weight,
	struct counter_ask *ask);
/* It was right, or our own fault: the place is given back. Nothing to answer. */
void counter_release(struct counter *counter, struct slice key, uint64_t token);
/* A failure without a reservation, age_ms (>= 0) ago: loaded from the store, or a penalty. One that
 * is older than the window changes nothing. Answers DONE or FAILED. */
void counter_add(struct counter *counter, struct slice key, unsigned weight, int64_t age_ms,
	struct counter_ask *ask);
/* Drops the failures of a key; checks in flight keep their places. */
void counter_forget(struct counter *counter, struct slice key);
/* The same for every key that begins so. */
void counter_forget_prefix(struct counter *counter, struct slice prefix);
/* No answer will come any more; a place that is granted all the same is given back. Fine on an ask
 * that was answered. */
void counter_cancel(struct counter *counter, struct counter_ask *ask);
/* Weight of the failures in the window, and places they leave, as far as this process knows: for
 * people, not for decisions. */
unsigned counter_committed(struct counter *counter, struct slice key);
unsigned counter_remaining(struct counter *counter, struct slice key);
/* Gives the memory of what has left the window back; once in a while. */
void counter_sweep(struct counter *counter);
/* New limits; they hold from the next call on, for the failures recorded so far too. */
void counter_configure(struct counter *counter, const struct counter_limits *limits);
void counter_free(struct counter **pcounter);

#endif
