/* SPDX-License-Identifier: ISC */
/*
 * Wrong guesses that were counted already: a mail program that tries one wrong password every
 * minute is one mistake, not five. A guess is known by its tag, a keyed hash of source, login and
 * secret (policy/signin.h); only tags are kept, in memory, for one window. Process: core.
 *
 * Memory is bounded; at the bound the oldest tag goes, and its guess would count once more.
 */
#ifndef GP_COUNTER_REPEATS_H
#define GP_COUNTER_REPEATS_H

#include <stddef.h>
#include <stdint.h>

enum {
	REPEATS_TAG_SIZE = 16
};

enum repeats_answer {
	REPEATS_NEW,   /* first time in the window: count it */
	REPEATS_AGAIN, /* counted already */
	REPEATS_WORN,  /* repeated more often than is taken for a mistake: count each */
};

struct repeats;

struct repeats *repeats_new(size_t max_tags);
void repeats_free(struct repeats **prepeats);

/* Notes a wrong guess. window_ms: span since it was counted first; most: repeats that are free. */
enum repeats_answer repeats_note(struct repeats *repeats,
	const unsigned char tag[static REPEATS_TAG_SIZE], int64_t window_ms, unsigned most);
size_t repeats_count(const struct repeats *repeats);
/* Drops what is older than the window. */
void repeats_sweep(struct repeats *repeats, int64_t window_ms);

#endif
