/* SPDX-License-Identifier: ISC */
#include "policy/known.h"

#include "base/check.h"
#include "base/mem.h"

enum {
	TAG_BITS = 26,
	WEEK_BITS = 6,
	WEEK_MASK = (1 << WEEK_BITS) - 1,
	WEEK_SECONDS = 7 * 86400,
};

/* The low bits of a tag; 0 would be an empty slot. */
static uint32_t entry_of(uint32_t tag, int64_t now)
{
	uint32_t hash = tag & ((1U << TAG_BITS) - 1);
	uint32_t week = (uint32_t)(now / WEEK_SECONDS) & WEEK_MASK;

	return (hash != 0 ? hash : 1) << WEEK_BITS | week;
}

static bool is_same(uint32_t a, uint32_t b)
{
	return a >> WEEK_BITS == b >> WEEK_BITS;
}

/* Weeks since the entry, by the week of now's entry; both are counted modulo 64. */
static uint32_t age(uint32_t entry, uint32_t now)
{
	return (now - entry) & WEEK_MASK;
}

/* By the high bits of the hash, so that a set that grows splits its buckets in two. */
static uint32_t *bucket_of(const struct known *known, uint32_t entry)
{
	return known->slots +
	       (size_t)(entry >> (32 - KNOWN_BUCKETS_LOG) >> (KNOWN_BUCKETS_LOG - known->log)) *
		       KNOWN_BUCKET;
}

static size_t slot_count_of(uint8_t log)
{
	return (size_t)KNOWN_BUCKET << log;
}

static size_t slot_count(const struct known *known)
{
	return known->slots != NULL ? slot_count_of(known->log) : 0;
}

void known_fini(struct known *known)
{
	mem_free(known->slots);
	*known = (struct known){ NULL };
}

bool known_has(const struct known *known, uint32_t tag, int64_t now)
{
	uint32_t entry = entry_of(tag, now);
	const uint32_t *bucket;

	if (known->slots == NULL)
		return false;
	bucket = bucket_of(known, entry);
	for (unsigned i = 0; i < KNOWN_BUCKET; i++) {
		if (is_same(bucket[i], entry))
			return age(bucket[i], entry) <= KNOWN_WEEKS;
	}
	return false;
}

/* The slot of the entry, or else a free one, or else the one to be given up. */
static uint32_t *find_slot(const struct known *known, uint32_t entry)
{
	uint32_t *bucket = bucket_of(known, entry);
	uint32_t *best = bucket;

	for (unsigned i = 0; i < KNOWN_BUCKET; i++) {
		bool is_better =
			*best != 0 && (bucket[i] == 0 || age(bucket[i], entry) > age(*best, entry));

		if (is_same(bucket[i], entry))
			return &bucket[i];
		if (is_better)
			best = &bucket[i];
	}
	return best;
}

static void grow(struct known *known)
{
	struct known larger = { .log = (uint8_t)(known->log + 1) };

	larger.slots = mem_new(slot_count(known) * 2, sizeof *larger.slots);
	for (size_t i = 0; i < slot_count(known); i++) {
		if (known->slots[i] != 0)
			*find_slot(&larger, known->slots[i]) = known->slots[i];
	}
	larger.count = known->count;
	mem_free(known->slots);
	*known = larger;
}

static void add_entry(struct known *known, uint32_t entry)
{
	uint32_t *slot;

	if (known->slots == NULL)
		known->slots = mem_new(KNOWN_BUCKET, sizeof *known->slots);
	slot = find_slot(known, entry);
	/* A full bucket of a set that is half empty is bad luck; what is oldest in it goes. */
	while (*slot != 0 && !is_same(*slot, entry) && known->log < KNOWN_BUCKETS_LOG &&
		known->count >= slot_count(known) / 2) {
		grow(known);
		slot = find_slot(known, entry);
	}
	if (*slot == 0)
		known->count++;
	*slot = entry;
}

bool known_add(struct known *known, uint32_t tag, int64_t now)
{
	bool was_known = known_has(known, tag, now);

	add_entry(known, entry_of(tag, now));
	return !was_known;
}

void known_each(const struct known *known, void (*visit)(uint32_t entry, void *owner), void *owner)
{
	for (size_t i = 0; i < slot_count(known); i++) {
		if (known->slots[i] != 0)
			visit(known->slots[i], owner);
	}
}

void known_make_room(struct known *known, uint8_t log)
{
	GP_ASSERT(known->slots == NULL && log <= KNOWN_BUCKETS_LOG);
	known->log = log;
	known->slots = mem_new(slot_count_of(log), sizeof *known->slots);
}

void known_restore(struct known *known, uint32_t entry)
{
	if (entry >> WEEK_BITS != 0)
		add_entry(known, entry);
}

size_t known_bytes(const struct known *known)
{
	return slot_count(known) * sizeof *known->slots;
}
