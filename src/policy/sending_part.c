/* SPDX-License-Identifier: ISC */
#include "policy/sending_part.h"

#include <string.h>

#include "base/mem.h"

enum {
	DAY = 24 * 60 * 60 /* s */
};

void sending_parts_fini(struct sending_parts *parts)
{
	mem_free(parts->items);
	*parts = (struct sending_parts){ 0 };
}

static uint32_t day_of(int64_t now)
{
	return now < 0 ? 0 : (uint32_t)(now / DAY);
}

static void set_day(struct sending_part *part, int64_t now)
{
	uint32_t day = day_of(now);

	/* A clock that goes back stands still. */
	if (day <= part->day)
		return;
	if (day == part->day + 1)
		memcpy(part->before, part->today, sizeof part->before);
	else
		memset(part->before, 0, sizeof part->before);
	memset(part->today, 0, sizeof part->today);
	part->day = day;
}

/* One more, or the one that has not been used for longest. */
static struct sending_part *new_part(struct sending_parts *parts)
{
	struct sending_part *stalest = NULL;

	if (parts->count < SENDING_PARTS_MAX) {
		if (parts->count == parts->room) {
			parts->room = parts->room == 0 ? 1 : parts->room * 2;
			parts->items = mem_resize(parts->items, parts->room, sizeof *parts->items);
		}
		return &parts->items[parts->count++];
	}
	stalest = &parts->items[0];
	for (size_t i = 1; i < parts->count; i++) {
		if (parts->items[i].last_at < stalest->last_at)
			stalest = &parts->items[i];
	}
	return stalest;
}

struct sending_part *sending_parts_get(
	struct sending_parts *parts, const struct ip *source, int64_t now)
{
	struct sending_part *part = NULL;

	if (source->family == IP_NONE)
		return NULL;
	for (size_t i = 0; i < parts->count && part == NULL; i++) {
		if (ip_equal(&parts->items[i].source, source))
			part = &parts->items[i];
	}
	if (part == NULL) {
		part = new_part(parts);
		*part = (struct sending_part){ .source = *source, .day = day_of(now) };
	}
	set_day(part, now);
	part->last_at = now;
	return part;
}

void sending_part_add(struct sending_part *part, enum sending_part_count what)
{
	if (part->today[what] < UINT16_MAX)
		part->today[what]++;
}

bool sending_part_is_of(const struct sending_part *part, const struct sending_policy *policy,
	const struct sending_facts *habit, int64_t now)
{
	struct sending_part then = *part;
	unsigned sums[SENDING_PART_MAX];
	struct sending_facts facts;
	struct sending_verdict verdict;

	set_day(&then, now);
	for (unsigned i = 0; i < SENDING_PART_MAX; i++)
		sums[i] = (unsigned)then.today[i] + then.before[i];
	if (sums[SENDING_PART_ELSEWHERE] > 0)
		return true;
	facts = (struct sending_facts){
		.recipients_day = sums[SENDING_PART_RECIPIENTS],
		.strangers_day = sums[SENDING_PART_STRANGERS],
		.refused_unknown = sums[SENDING_PART_UNKNOWN],
		.refused_spam = sums[SENDING_PART_SPAM],
		.filter_bad = sums[SENDING_PART_FILTER_BAD],
		.filter_doubtful = sums[SENDING_PART_FILTER_DOUBTFUL],
		.forged = sums[SENDING_PART_FORGED],
		.habit_day = habit->habit_day,
		.habit_strangers = habit->habit_strangers,
		/* A share is no amount: a few letters to new people are nothing. */
		.habit_share = 100,
	};
	sending_judge(policy, &facts, &verdict);
	return verdict.sum > 0;
}
