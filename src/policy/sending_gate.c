/* SPDX-License-Identifier: ISC */
#include "policy/sending_gate.h"

static struct sending_amount amount_of(bool is_first, bool is_stranger)
{
	return (struct sending_amount){ is_first, 1, is_stranger };
}

/* What is refused by the judgement reserves nothing; a limit refuses what the judgement let pass.
 */
static void reserve(const struct sending_sender *sender, int64_t now, struct sending_answer *answer)
{
	if (answer->outcome != SENDING_PASS)
		return;
	if (sending_limit_reserve(sender->scopes, &answer->amount, now, &answer->shortage))
		return;
	answer->is_limited = true;
	answer->outcome = SENDING_SLOW;
}

static void note_part(struct sending_part *part, const struct sending_facts *facts, bool passes)
{
	if (part == NULL)
		return;
	if (passes)
		sending_part_add(part, SENDING_PART_RECIPIENTS);
	if (facts->is_stranger && !facts->is_counted)
		sending_part_add(part, SENDING_PART_STRANGERS);
	if (facts->is_new_network)
		sending_part_add(part, SENDING_PART_ELSEWHERE);
}

void sending_gate_recipient(const struct sending_policy *policy,
	const struct sending_sender *sender, const struct profile_try *try, bool is_first,
	int64_t now, struct sending_answer *ret_answer)
{
	struct sending_answer answer = { .outcome = SENDING_PASS,
		.verdict = { .outcome = SENDING_PASS } };
	struct sending_facts facts;

	if (policy->mode == CONFIG_SENDING_OFF) {
		answer.amount = amount_of(
			is_first, profile_is_stranger(sender->profile, try->recipient, now));
		reserve(sender, now, &answer);
		*ret_answer = answer;
		return;
	}
	profile_look(sender->profile, policy, try, now, &facts);
	sending_judge(policy, &facts, &answer.verdict);
	answer.outcome = sending_effective(policy, answer.verdict.outcome);
	answer.amount = amount_of(is_first, facts.is_stranger);
	reserve(sender, now, &answer);
	if (answer.is_limited)
		profile_limited(sender->profile, now);
	profile_note(sender->profile, try, &facts,
		answer.is_limited ? SENDING_SLOW : answer.verdict.outcome, now);
	note_part(sender->part, &facts, answer.outcome == SENDING_PASS);
	*ret_answer = answer;
}

/* Its recipients were judged and counted when they were asked for: none is looked at again, and
 * nobody is slowed down once he has waited. */
void sending_gate_message(const struct sending_policy *policy, const struct sending_sender *sender,
	const struct profile_try *try, bool is_bad, int64_t now, struct sending_answer *ret_answer)
{
	struct sending_answer answer = { .outcome = SENDING_PASS,
		.verdict = { .outcome = SENDING_PASS } };
	struct sending_facts facts;

	if (policy->mode != CONFIG_SENDING_OFF) {
		profile_filtered(sender->profile, is_bad, now);
		if (sender->part != NULL)
			sending_part_add(sender->part,
				is_bad ? SENDING_PART_FILTER_BAD : SENDING_PART_FILTER_DOUBTFUL);
		profile_look_again(sender->profile, policy, try, now, &facts);
		sending_judge(policy, &facts, &answer.verdict);
		answer.outcome = sending_effective(policy, answer.verdict.outcome);
	}
	if (answer.outcome == SENDING_SLOW)
		answer.outcome = SENDING_PASS;
	if (answer.outcome == SENDING_ASK)
		profile_ask(sender->profile, now);
	*ret_answer = answer;
}

void sending_gate_delivered(const struct sending_policy *policy,
	const struct sending_sender *sender, const struct profile_try *try,
	const struct sending_amount *amount, int64_t now)
{
	sending_limit_commit(sender->scopes, amount, now);
	if (policy->mode != CONFIG_SENDING_OFF)
		profile_delivered(sender->profile, try, now);
}

void sending_gate_returned(const struct sending_sender *sender, const struct sending_amount *amount)
{
	sending_limit_release(sender->scopes, amount);
}

uint64_t sending_gate_size(const struct sending_scope scopes[static SENDING_SCOPES], uint64_t most)
{
	for (unsigned i = 0; i < SENDING_SCOPES; i++) {
		const struct config_plan *plan = scopes[i].plan;

		if (plan != NULL && plan->message_size != 0 && plan->message_size < most)
			most = plan->message_size;
	}
	return most;
}

bool sending_gate_is_trusted(const struct sending_policy *policy, const struct ip *source)
{
	return ip_nets_contain(policy->trusted->nets, policy->trusted->count, source);
}
