/* SPDX-License-Identifier: ISC */
#include "counter/tally.h"

#include <stdbool.h>
#include <string.h>

#include "base/check.h"

static uint32_t slot_of(uint32_t window, int64_t now)
{
	int64_t slot;

	GP_ASSERT(window >= TALLY_PARTS && window % TALLY_PARTS == 0);
	slot = now / (window / TALLY_PARTS);
	return slot < 0 ? 0 : slot > UINT32_MAX ? UINT32_MAX : (uint32_t)slot;
}

/* Is some of slot n still in the window that ends within slot now? */
static bool is_within(uint32_t n, uint32_t now)
{
	return now <= n || now - n < TALLY_SLOTS;
}

static void advance(struct tally *tally, uint32_t now)
{
	if (now <= tally->slot)
		return;
	if (now - tally->slot >= TALLY_SLOTS) {
		memset(tally->counts, 0, sizeof tally->counts);
		tally->sum = 0;
	}
	for (uint32_t n = tally->slot + 1; now - tally->slot < TALLY_SLOTS && n <= now; n++) {
		tally->sum -= tally->counts[n % TALLY_SLOTS];
		tally->counts[n % TALLY_SLOTS] = 0;
	}
	tally->slot = now;
}

void tally_add(struct tally *tally, uint32_t window, int64_t now, uint32_t amount)
{
	advance(tally, slot_of(window, now));
	if (amount > UINT32_MAX - tally->sum)
		amount = UINT32_MAX - tally->sum;
	tally->counts[tally->slot % TALLY_SLOTS] += amount;
	tally->sum += amount;
}

uint32_t tally_sum(const struct tally *tally, uint32_t window, int64_t now)
{
	uint32_t slot = slot_of(window, now);
	uint32_t sum = 0;

	if (slot <= tally->slot)
		return tally->sum;
	for (uint32_t age = 0; age < TALLY_SLOTS && age <= tally->slot; age++) {
		if (is_within(tally->slot - age, slot))
			sum += tally->counts[(tally->slot - age) % TALLY_SLOTS];
	}
	return sum;
}

int64_t tally_falls_in(const struct tally *tally, uint32_t window, int64_t now, uint32_t most)
{
	int64_t width = window / TALLY_PARTS;
	uint32_t sum = tally_sum(tally, window, now);
	int64_t until = now;

	for (uint32_t age = TALLY_SLOTS; age-- > 0 && sum > most;) {
		uint32_t slot;

		if (age > tally->slot)
			continue;
		slot = tally->slot - age;
		if (!is_within(slot, slot_of(window, now)))
			continue;
		sum -= tally->counts[slot % TALLY_SLOTS];
		until = ((int64_t)slot + TALLY_SLOTS) * width;
	}
	return until > now ? until - now : 0;
}
