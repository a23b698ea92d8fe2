/* SPDX-License-Identifier: ISC */
/*
 * A window lives as long as it holds a failure or a check in flight. Windows with checks in flight
 * stand in the map alone; the others also in the list of their class, which is sorted by the time
 * of their last failure, so that both the sweep (all failures too old) and the eviction (oldest of
 * the weakest) take from the heads.
 *
 *	reserve --> busy --commit, release--> settle() --+--> freed (nothing left)
 *	                                                 +--> listed in its class --> evicted, swept
 */
#include "counter/counter_memory.h"

#include <bsd/sys/queue.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

struct failure {
	int64_t at; /* clock_steady() */
	unsigned weight;
};

struct window {
	struct map_node node;
	TAILQ_ENTRY(window) link;
	char key[COUNTER_KEY_MAX];
	struct failure *failures; /* oldest first */
	unsigned count;
	unsigned size;
	unsigned committed; /* sum of their weights */
	unsigned in_flight;
	unsigned class;  /* list it stands in, 0 for none */
	bool is_awaited; /* somebody was told FULL */
};

TAILQ_HEAD(window_list, window);

struct counter_memory {
	struct counter counter;
	struct map windows;
	struct window_list classes[COUNTER_CLASSES + 1]; /* by weight, from 1 */
	uint64_t last_token;
};

static struct counter_memory *memory_of(struct counter *counter)
{
	return MAP_ENTRY(counter, struct counter_memory, counter);
}

static int64_t oldest_counted(const struct counter_memory *memory)
{
	return clock_steady() - memory->counter.limits.window_ms;
}

/* Forgets the failures that have left the window. The caller settles it before anything else looks
 * at the lists: they hold no window without a failure. */
static void prune(struct counter_memory *memory, struct window *window)
{
	int64_t oldest = oldest_counted(memory);
	unsigned gone = 0;

	while (gone < window->count && window->failures[gone].at <= oldest) {
		window->committed -= window->failures[gone].weight;
		gone++;
	}
	if (gone == 0)
		return;
	window->count -= gone;
	memmove(window->failures, window->failures + gone,
		window->count * sizeof *window->failures);
}

static struct window *window_find(struct counter_memory *memory, struct slice key)
{
	struct map_node *node = map_find(&memory->windows, key);
	struct window *window = node != NULL ? MAP_ENTRY(node, struct window, node) : NULL;

	if (window != NULL)
		prune(memory, window);
	return window;
}

static void unlist(struct counter_memory *memory, struct window *window)
{
	if (window->class > 0)
		TAILQ_REMOVE(&memory->classes[window->class], window, link);
	window->class = 0;
}

static void window_free(struct counter_memory *memory, struct window *window)
{
	unlist(memory, window);
	map_remove(&memory->windows, &window->node);
	mem_free(window->failures);
	mem_free(window);
}

static int64_t last_failure(const struct window *window)
{
	return window->failures[window->count - 1].at;
}

/* Puts a window whose numbers changed where it belongs, or frees it. */
static void settle(struct counter_memory *memory, struct window *window)
{
	struct window *before = NULL;
	struct window_list *list = NULL;

	unlist(memory, window);
	if (window->in_flight > 0)
		return;
	if (window->count == 0) {
		window_free(memory, window);
		return;
	}
	window->class = window->committed < COUNTER_CLASSES ? window->committed : COUNTER_CLASSES;
	list = &memory->classes[window->class];
	before = TAILQ_LAST(list, window_list);
	while (before != NULL && last_failure(before) > last_failure(window))
		before = TAILQ_PREV(before, window_list, link);
	if (before != NULL)
		TAILQ_INSERT_AFTER(list, before, window, link);
	else
		TAILQ_INSERT_HEAD(list, window, link);
}

static bool evict_one(struct counter_memory *memory)
{
	for (unsigned class = 1; class <= COUNTER_CLASSES; class ++) {
		struct window *window = TAILQ_FIRST(&memory->classes[class]);

		if (window != NULL) {
			window_free(memory, window);
			return true;
		}
	}
	return false;
}

/* The window of the key, made if need be; NULL if there is no room for it. */
static struct window *window_get(struct counter_memory *memory, struct slice key)
{
	struct window *window = window_find(memory, key);

	if (window != NULL)
		return window;
	while (memory->windows.count >= memory->counter.limits.max_keys) {
		if (!evict_one(memory))
			return NULL;
	}
	window = mem_new(1, sizeof *window);
	memcpy(window->key, key.data, key.len);
	map_add(&memory->windows, &window->node, slice_of(window->key, key.len));
	return window;
}

/* Milliseconds until enough failures have left the window that a place is free. */
static int64_t free_in(const struct counter_memory *memory, const struct window *window)
{
	unsigned left = window->committed;
	int64_t oldest = oldest_counted(memory);
	int64_t in = 0;

	for (unsigned i = 0; i < window->count && left >= memory->counter.limits.places; i++) {
		left -= window->failures[i].weight;
		in = window->failures[i].at - oldest;
	}
	return in;
}

static void answer(struct counter_memory *memory, const struct window *window,
	enum counter_answer answer, bool is_last, struct counter_ask *ask)
{
	struct counter_result result = { .answer = answer, .is_last = is_last };

	if (window != NULL) {
		result.committed = window->committed;
		result.in_flight = window->in_flight;
		result.free_in = free_in(memory, window);
	}
	if (answer == COUNTER_GRANTED)
		result.token = memory->last_token;
	ask->on_answer(ask, &result);
}

static void memory_reserve(struct counter *counter, struct slice key, struct counter_ask *ask)
{
	struct counter_memory *memory = memory_of(counter);
	struct window *window = window_get(memory, key);

	if (window == NULL) {
		answer(memory, NULL, COUNTER_FAILED, false, ask);
	} else if (window->committed >= counter->limits.places) {
		settle(memory, window);
		answer(memory, window, COUNTER_SPENT, false, ask);
	} else if (window->committed + window->in_flight >= counter->limits.places) {
		window->is_awaited = true;
		answer(memory, window, COUNTER_FULL, false, ask);
	} else {
		window->in_flight++;
		memory->last_token++;
		unlist(memory, window);
		answer(memory, window, COUNTER_GRANTED, false, ask);
	}
}

/* Inserts by time. Never holds more entries than places: each weighs at least 1, so the window
 * stays spent when its oldest entry makes room. */
static void record(
	struct counter_memory *memory, struct window *window, unsigned weight, int64_t at)
{
	unsigned place = window->count;

	if (window->count >= memory->counter.limits.places) {
		window->committed -= window->failures[0].weight;
		window->count--;
		memmove(window->failures, window->failures + 1,
			window->count * sizeof *window->failures);
		place = window->count;
	}
	if (window->count == window->size) {
		window->size = window->size > 0 ? window->size * 2 : 4;
		window->failures =
			mem_resize(window->failures, window->size, sizeof *window->failures);
	}
	while (place > 0 && window->failures[place - 1].at > at) {
		window->failures[place] = window->failures[place - 1];
		place--;
	}
	window->failures[place] = (struct failure){ at, weight };
	window->count++;
	window->committed += weight;
}

/* Records a failure in a window that holds no expired one, and says whether it was the last. */
static void record_and_answer(struct counter_memory *memory, struct window *window, unsigned weight,
	int64_t at, struct counter_ask *ask)
{
	unsigned places = memory->counter.limits.places;
	bool was_spent = window->committed >= places;

	record(memory, window, weight, at);
	settle(memory, window);
	answer(memory, window, COUNTER_DONE, !was_spent && window->committed >= places, ask);
}

static struct window *window_end_one(struct counter_memory *memory, struct slice key)
{
	struct window *window = window_find(memory, key);

	GP_ASSERT(window != NULL && window->in_flight > 0);
	window->in_flight--;
	return window;
}

static void memory_commit(struct counter *counter, struct slice key, uint64_t token,
	unsigned weight, struct counter_ask *ask)
{
	struct counter_memory *memory = memory_of(counter);
	struct window *window = window_end_one(memory, key);

	GP_ASSERT(token > 0 && token <= memory->last_token);
	record_and_answer(memory, window, weight, clock_steady(), ask);
}

/* Last thing of a call: the owner may do anything to the counter in on_room(). */
static void announce_room(struct counter_memory *memory, struct slice key)
{
	struct counter *counter = &memory->counter;
	char copy[COUNTER_KEY_MAX];

	memcpy(copy, key.data, key.len);
	if (counter->on_room != NULL)
		counter->on_room(counter, slice_of(copy, key.len), counter->owner);
}

static void memory_release(struct counter *counter, struct slice key, uint64_t token)
{
	struct counter_memory *memory = memory_of(counter);
	struct window *window = window_end_one(memory, key);
	bool is_awaited = window->is_awaited;

	GP_ASSERT(token > 0 && token <= memory->last_token);
	window->is_awaited = false;
	settle(memory, window);
	if (is_awaited)
		announce_room(memory, key);
}

static void memory_add(struct counter *counter, struct slice key, unsigned weight, int64_t age_ms,
	struct counter_ask *ask)
{
	struct counter_memory *memory = memory_of(counter);
	struct window *window = NULL;

	if (age_ms >= counter->limits.window_ms) {
		answer(memory, NULL, COUNTER_DONE, false, ask);
		return;
	}
	window = window_get(memory, key);
	if (window == NULL) {
		answer(memory, NULL, COUNTER_FAILED, false, ask);
		return;
	}
	record_and_answer(memory, window, weight, clock_steady() - age_ms, ask);
}

static void memory_forget(struct counter *counter, struct slice key)
{
	struct counter_memory *memory = memory_of(counter);
	struct window *window = window_find(memory, key);
	bool is_awaited;

	if (window == NULL)
		return;
	is_awaited = window->is_awaited;
	window->is_awaited = false;
	window->count = 0;
	window->committed = 0;
	settle(memory, window);
	if (is_awaited)
		announce_room(memory, key);
}

/* Keys are copied: to forget one may announce room, and who hears it may add and end others. */
struct matches {
	struct slice prefix;
	struct match {
		char key[COUNTER_KEY_MAX];
		size_t len;
	} * found;
	size_t count;
	size_t size;
};

static void add_match(struct map_node *node, void *arg)
{
	struct matches *matches = arg;
	struct match *match = NULL;

	if (!slice_equal(slice_head(node->key, matches->prefix.len), matches->prefix))
		return;
	if (matches->count == matches->size) {
		matches->size = matches->size > 0 ? matches->size * 2 : 16;
		matches->found = mem_resize(matches->found, matches->size, sizeof *matches->found);
	}
	match = &matches->found[matches->count++];
	memcpy(match->key, node->key.data, node->key.len);
	match->len = node->key.len;
}

static void memory_forget_prefix(struct counter *counter, struct slice prefix)
{
	struct matches matches = { .prefix = prefix };

	map_each(&memory_of(counter)->windows, add_match, &matches);
	for (size_t i = 0; i < matches.count; i++)
		memory_forget(counter, slice_of(matches.found[i].key, matches.found[i].len));
	mem_free(matches.found);
}

/* Every question was answered before its call returned. */
static void memory_cancel(struct counter *counter, struct counter_ask *ask)
{
	(void)counter;
	(void)ask;
}

static unsigned memory_committed(struct counter *counter, struct slice key)
{
	struct counter_memory *memory = memory_of(counter);
	struct window *window = window_find(memory, key);
	unsigned committed = window != NULL ? window->committed : 0;

	if (window != NULL)
		settle(memory, window);
	return committed;
}

static void memory_sweep(struct counter *counter)
{
	struct counter_memory *memory = memory_of(counter);
	int64_t oldest = oldest_counted(memory);

	for (unsigned class = 1; class <= COUNTER_CLASSES; class ++) {
		struct window *window = TAILQ_FIRST(&memory->classes[class]);

		while (window != NULL && last_failure(window) <= oldest) {
			window_free(memory, window);
			window = TAILQ_FIRST(&memory->classes[class]);
		}
	}
}

static void memory_configure(struct counter *counter, const struct counter_limits *limits)
{
	struct counter_memory *memory = memory_of(counter);

	counter->limits = *limits;
	while (memory->windows.count > limits->max_keys && evict_one(memory))
		;
}

static void free_one(struct map_node *node, void *arg)
{
	window_free(arg, MAP_ENTRY(node, struct window, node));
}

static void memory_free(struct counter *counter)
{
	struct counter_memory *memory = memory_of(counter);

	map_each(&memory->windows, free_one, memory);
	map_fini(&memory->windows);
	mem_free(memory);
}

static const struct counter_ops memory_ops = {
	.reserve = memory_reserve,
	.commit = memory_commit,
	.release = memory_release,
	.add = memory_add,
	.forget = memory_forget,
	.forget_prefix = memory_forget_prefix,
	.cancel = memory_cancel,
	.committed = memory_committed,
	.sweep = memory_sweep,
	.configure = memory_configure,
	.free = memory_free,
};

struct counter *counter_memory_new(const struct counter_limits *limits)
{
	struct counter_memory *memory = mem_new(1, sizeof *memory);

	memory->counter.ops = &memory_ops;
	map_init(&memory->windows);
	for (unsigned class = 0; class <= COUNTER_CLASSES; class ++)
		TAILQ_INIT(&memory->classes[class]);
	counter_configure(&memory->counter, limits);
	return &memory->counter;
}

size_t counter_memory_keys(const struct counter *counter)
{
	const struct counter_memory *memory =
		(const struct counter_memory *)(const void *)((const char *)counter -
							      offsetof(struct counter_memory,
								      counter));

	return memory->windows.count;
}
