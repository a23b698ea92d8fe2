/* SPDX-License-Identifier: ISC */
#include "counter/repeats.h"

#include <bsd/sys/queue.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

struct guess {
	struct map_node node;
	TAILQ_ENTRY(guess) link;
	unsigned char tag[REPEATS_TAG_SIZE];
	int64_t first; /* clock_steady() */
	unsigned repeats;
};

TAILQ_HEAD(guess_list, guess);

struct repeats {
	struct map guesses;
	struct guess_list by_age; /* oldest first */
	size_t max_tags;
};

struct repeats *repeats_new(size_t max_tags)
{
	struct repeats *repeats = mem_new(1, sizeof *repeats);

	GP_ASSERT(max_tags > 0);
	map_init(&repeats->guesses);
	TAILQ_INIT(&repeats->by_age);
	repeats->max_tags = max_tags;
	return repeats;
}

static void drop(struct repeats *repeats, struct guess *guess)
{
	TAILQ_REMOVE(&repeats->by_age, guess, link);
	map_remove(&repeats->guesses, &guess->node);
	mem_free(guess);
}

void repeats_free(struct repeats **prepeats)
{
	struct repeats *repeats = *prepeats;

	if (repeats == NULL)
		return;
	while (!TAILQ_EMPTY(&repeats->by_age))
		drop(repeats, TAILQ_FIRST(&repeats->by_age));
	map_fini(&repeats->guesses);
	mem_free(repeats);
	*prepeats = NULL;
}

void repeats_sweep(struct repeats *repeats, int64_t window_ms)
{
	int64_t oldest = clock_steady() - window_ms;
	struct guess *guess = TAILQ_FIRST(&repeats->by_age);

	while (guess != NULL && guess->first <= oldest) {
		drop(repeats, guess);
		guess = TAILQ_FIRST(&repeats->by_age);
	}
}

enum repeats_answer repeats_note(struct repeats *repeats,
	const unsigned char tag[static REPEATS_TAG_SIZE], int64_t window_ms, unsigned most)
{
	struct map_node *node = NULL;
	struct guess *guess = NULL;

	repeats_sweep(repeats, window_ms);
	node = map_find(&repeats->guesses, slice_of(tag, REPEATS_TAG_SIZE));
	if (node != NULL) {
		guess = MAP_ENTRY(node, struct guess, node);
		if (guess->repeats >= most)
			return REPEATS_WORN;
		guess->repeats++;
		return REPEATS_AGAIN;
	}
	if (repeats->guesses.count >= repeats->max_tags)
		drop(repeats, TAILQ_FIRST(&repeats->by_age));
	guess = mem_new(1, sizeof *guess);
	memcpy(guess->tag, tag, REPEATS_TAG_SIZE);
	guess->first = clock_steady();
	map_add(&repeats->guesses, &guess->node, slice_of(guess->tag, REPEATS_TAG_SIZE));
	TAILQ_INSERT_TAIL(&repeats->by_age, guess, link);
	return REPEATS_NEW;
}

size_t repeats_count(const struct repeats *repeats)
{
	return repeats->guesses.count;
}
