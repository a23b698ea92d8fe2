/* SPDX-License-Identifier: ISC */
#include "policy/sending.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

enum {
	HABIT_FACTOR = 2,   /* as much again as usual is still usual */
	SHARE_MIN = 10,     /* recipients of a day that a share can be taken of */
	SHARE_PERCENT = 50, /* least share that can be unusual */
	ELSEWHERE_FREE = 2, /* and a tenth of the known recipients: a newsletter that moves */
	CONTACTS_FREE = 10,
	NETWORKS_FREE = 3,
	COUNTRIES_FREE = 2,
	UNKNOWN_FREE = 2, /* and a twentieth of the strangers: people mistype */
	SPAM_FREE = 1,
	FORGED_FREE = 2, /* a mail program set up wrongly tries the same one again and again */
	LIMIT_FREE = 20,
	INSIST_FREE = 50, /* or as many strangers as are usual */
};

typedef unsigned reason_fn(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each);

static unsigned larger(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

static unsigned usual(unsigned habit, unsigned least)
{
	return habit > UINT32_MAX / HABIT_FACTOR ? UINT32_MAX : larger(habit * HABIT_FACTOR, least);
}

/* Saturates; each is at most 1,000 and the caps of the table are below. */
static unsigned scaled(uint64_t amount, unsigned each, uint64_t divisor)
{
	uint64_t points = amount * each / divisor;

	return points > UINT16_MAX ? UINT16_MAX : (unsigned)points;
}

static unsigned beyond(unsigned count, unsigned is_free, unsigned each)
{
	return count > is_free ? scaled(count - is_free, each, 1) : 0;
}

/* each for every time that it exceeds what is usual. */
static unsigned excess(unsigned count, unsigned usual_count, unsigned each)
{
	return count > usual_count ? scaled(count - usual_count, each, larger(usual_count, 1)) : 0;
}

static unsigned strangers(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	return excess(
		facts->strangers_day, usual(facts->habit_strangers, policy->free_strangers), each);
}

static unsigned hour(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	return excess(facts->recipients_hour, usual(facts->habit_hour, policy->free_hour), each);
}

static unsigned day(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	return excess(facts->recipients_day, usual(facts->habit_day, policy->free_day), each);
}

static unsigned share(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	unsigned now = facts->recipients_day > 0
			       ? scaled(facts->strangers_day, 100, facts->recipients_day)
			       : 0;

	(void)policy;
	return facts->recipients_day >= SHARE_MIN && now >= SHARE_PERCENT &&
			       now > usual(facts->habit_share, 0)
		       ? each
		       : 0;
}

static unsigned elsewhere(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	(void)policy;
	return beyond(
		facts->strangers_elsewhere, ELSEWHERE_FREE + facts->known_elsewhere / 10, each);
}

static unsigned contacts(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	(void)policy;
	return beyond(facts->known_elsewhere, CONTACTS_FREE, each);
}

static unsigned networks(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	(void)policy;
	return beyond(facts->new_networks, NETWORKS_FREE, each);
}

static unsigned countries(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	(void)policy;
	return beyond(facts->countries, COUNTRIES_FREE, each);
}

static unsigned network(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	(void)policy;
	return facts->is_new_network ? each : 0;
}

static unsigned client(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	(void)policy;
	return facts->is_new_client ? each : 0;
}

static unsigned night(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	(void)policy;
	return facts->is_unusual_hour ? each : 0;
}

static unsigned unknown(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	(void)policy;
	return beyond(facts->refused_unknown, UNKNOWN_FREE + facts->strangers_day / 20, each);
}

static unsigned spam(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	(void)policy;
	return beyond(facts->refused_spam, SPAM_FREE, each);
}

static unsigned filter(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	(void)policy;
	return scaled((uint64_t)facts->filter_bad * 2 + facts->filter_doubtful, each, 2);
}

static unsigned forged(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	(void)policy;
	return beyond(facts->forged, FORGED_FREE, each);
}

static unsigned body(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	return beyond(
		facts->body_strangers, usual(facts->habit_strangers, policy->free_strangers), each);
}

static unsigned limit(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	(void)policy;
	return beyond(facts->limit_tries, LIMIT_FREE, each);
}

static unsigned insist(
	const struct sending_policy *policy, const struct sending_facts *facts, unsigned each)
{
	(void)policy;
	return beyond(facts->insisted, usual(facts->habit_strangers, INSIST_FREE), each);
}

static const struct {
	const char *name;
	const char *words;
	reason_fn *points;
	size_t option; /* points_NAME in struct config */
	unsigned cap;
	bool is_weighty;
} reasons[SENDING_REASON_MAX] = {
#define SENDING_ROW(id, name, is_weighty, cap, words)                                       \
	[SENDING_##id] = { #name, words, name, offsetof(struct config, points_##name), cap, \
		is_weighty },
	SENDING_REASON_LIST(SENDING_ROW)
#undef SENDING_ROW
};

const char *sending_reason_name(enum sending_reason reason)
{
	GP_ASSERT((unsigned)reason < SENDING_REASON_MAX);
	return reasons[reason].name;
}

const char *sending_reason_words(enum sending_reason reason)
{
	GP_ASSERT((unsigned)reason < SENDING_REASON_MAX);
	return reasons[reason].words;
}

bool sending_reason_is_weighty(enum sending_reason reason)
{
	GP_ASSERT((unsigned)reason < SENDING_REASON_MAX);
	return reasons[reason].is_weighty;
}

const char *sending_outcome_name(enum sending_outcome outcome)
{
	static const char *const names[SENDING_OUTCOME_MAX] = { "block", "ask", "slow", "pass" };

	GP_ASSERT((unsigned)outcome < SENDING_OUTCOME_MAX);
	return names[outcome];
}

void sending_policy_init(struct sending_policy *policy, const struct config *config)
{
	*policy = (struct sending_policy){
		.mode = config->sending_mode,
		.slow = config->sending_slow,
		.ask = config->sending_ask,
		.block = config->sending_block,
		.proof = config->sending_proof,
		.pace = config->sending_pace,
		.free_strangers = config->sending_free_strangers,
		.free_hour = config->sending_free_hour,
		.free_day = config->sending_free_day,
		.known_days = config->sending_known_days,
		.learn_days = config->sending_learn_days,
		.trusted = &config->sending_trusted,
	};
	for (unsigned i = 0; i < SENDING_REASON_MAX; i++)
		memcpy(&policy->each[i], (const char *)config + reasons[i].option,
			sizeof policy->each[i]);
}

static enum sending_outcome outcome_of(const struct sending_policy *policy,
	const struct sending_facts *facts, const struct sending_verdict *verdict)
{
	if (verdict->sum >= policy->block && verdict->weighty >= policy->proof)
		return SENDING_BLOCK;
	if (verdict->sum >= policy->ask || facts->is_asked)
		return SENDING_ASK;
	if (verdict->sum >= policy->slow && facts->since_last < (int64_t)policy->pace)
		return SENDING_SLOW;
	return SENDING_PASS;
}

void sending_judge(const struct sending_policy *policy, const struct sending_facts *facts,
	struct sending_verdict *ret_verdict)
{
	struct sending_verdict verdict = { .sum = 0 };

	for (unsigned i = 0; i < SENDING_REASON_MAX; i++) {
		unsigned points = reasons[i].points(policy, facts, policy->each[i]);

		if (points > reasons[i].cap)
			points = reasons[i].cap;
		verdict.points[i] = (uint16_t)points;
		verdict.sum += points;
		verdict.weighty += reasons[i].is_weighty ? points : 0;
	}
	verdict.outcome = outcome_of(policy, facts, &verdict);
	*ret_verdict = verdict;
}

enum sending_outcome sending_effective(
	const struct sending_policy *policy, enum sending_outcome outcome)
{
	return policy->mode == CONFIG_SENDING_ENFORCE ? outcome : SENDING_PASS;
}

const char *sending_explain(
	const struct sending_verdict *verdict, char out[static SENDING_TEXT_SIZE])
{
	struct sending_verdict rest = *verdict;
	size_t used = (size_t)snprintf(out, SENDING_TEXT_SIZE, "%u points", verdict->sum);

	for (unsigned n = 0; n < SENDING_REASON_MAX; n++) {
		unsigned most = 0;

		for (unsigned i = 1; i < SENDING_REASON_MAX; i++) {
			if (rest.points[i] > rest.points[most])
				most = i;
		}
		if (rest.points[most] == 0)
			break;
		used += (size_t)snprintf(out + used, SENDING_TEXT_SIZE - used, "%s %s %u",
			n == 0 ? ":" : ",", reasons[most].words, (unsigned)rest.points[most]);
		rest.points[most] = 0;
		GP_ASSERT(used < SENDING_TEXT_SIZE); /* all words together fit */
	}
	return out;
}

/* "words 12", of a reason that is not there yet. */
static bool read_reason(struct slice part, struct sending_verdict *verdict)
{
	ptrdiff_t space = slice_find_last(part, ' ');
	struct slice words = slice_head(part, space > 0 ? (size_t)space : 0);
	unsigned long long points = 0;

	if (space <= 0 || !slice_to_u64(slice_from(part, (size_t)space + 1), UINT16_MAX, &points))
		return false;
	for (unsigned i = 0; i < SENDING_REASON_MAX; i++) {
		if (!slice_is(words, reasons[i].words) || verdict->points[i] != 0)
			continue;
		verdict->points[i] = (uint16_t)points;
		return points > 0;
	}
	return false;
}

bool sending_read(struct slice text, struct sending_verdict *ret_verdict)
{
	struct sending_verdict verdict = { .sum = 0 };
	ptrdiff_t colon = slice_find(text, ':');
	struct slice sum = slice_head(text, colon > 0 ? (size_t)colon : 0);
	struct slice rest = slice_from(text, sum.len);
	unsigned long long total = 0;

	if (!slice_to_u64(slice_word(&sum), UINT32_MAX, &total) || !slice_is(sum, " points"))
		return false;
	/* Each part has a mark and a space before it, ": " or ", ". */
	while (rest.len > 0) {
		struct slice part = slice_from(rest, 2);
		ptrdiff_t comma = slice_find(part, ',');

		rest = slice_from(part, comma >= 0 ? (size_t)comma : part.len);
		if (!read_reason(slice_head(part, part.len - rest.len), &verdict))
			return false;
	}
	verdict.sum = (unsigned)total;
	*ret_verdict = verdict;
	return true;
}
