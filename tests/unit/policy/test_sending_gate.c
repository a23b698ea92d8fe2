/* SPDX-License-Identifier: ISC */
/* The limits, and the gate that judges and reserves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "configured.h"
#include "policy/sending_gate.h"

enum {
	T0 = 1800000000
};

static const char config_text[] =
	"hostname = mail.example.test\n"
	"sending_trusted = 192.0.2.16/28\n"
	"listener smtp { }\n"
	"backend smtp { hosts = 127.0.0.1:1025 }\n"
	"route \"*\" { smtp = smtp plan = small domain_plan = big }\n"
	"route own.test { smtp = smtp plan = big }\n"
	"plan small { messages_hour = 3 recipients_hour = 5 new_recipients_day = 4 }\n"
	"plan big { messages_hour = 100 recipients_hour = 1000 message_size = 1M }\n";

static int set_up(void **state)
{
	(void)state;
	configured_set_up(config_text);
	return 0;
}

static void plans(void **state)
{
	(void)state;
	assert_string_equal(config_account_plan(config, SLICE_LIT("own.test"))->name, "big");
	assert_string_equal(config_account_plan(config, SLICE_LIT("else.test"))->name, "small");
	assert_string_equal(config_domain_plan(config, SLICE_LIT("own.test"))->name, "big");
	assert_null(config_source_plan(config));
	assert_int_equal(config->default_plan.recipients_day, 2000);
}

static void all_scopes_or_none(void **state)
{
	struct sending_meter meters[SENDING_SCOPES] = { 0 };
	struct sending_scope scopes[SENDING_SCOPES] = {
		{ config_account_plan(config, SLICE_LIT("else.test")), &meters[0] },
		{ config_domain_plan(config, SLICE_LIT("else.test")), &meters[1] },
		{ NULL, NULL },
	};
	struct sending_amount first = { 1, 1, 1 };
	struct sending_amount more = { 0, 1, 0 };
	struct sending_shortage shortage = { 0 };

	(void)state;
	assert_true(sending_limit_reserve(scopes, &first, T0, &shortage));
	for (unsigned i = 0; i < 4; i++)
		assert_true(sending_limit_reserve(scopes, &more, T0, &shortage));
	assert_false(sending_limit_reserve(scopes, &more, T0, &shortage));
	assert_int_equal(shortage.scope, SENDING_SCOPE_ACCOUNT);
	assert_int_equal(shortage.limit, SENDING_LIMIT_RECIPIENTS_HOUR);
	assert_int_equal(shortage.most, 5);
	assert_int_equal(shortage.free_in, 0);
	assert_string_equal(sending_limit_words(shortage.limit), "recipients an hour");
	assert_int_equal(meters[1].quotas[SENDING_LIMIT_RECIPIENTS_HOUR].reserved, 5);
	sending_limit_commit(scopes, &first, T0);
	for (unsigned i = 0; i < 3; i++)
		sending_limit_commit(scopes, &more, T0);
	sending_limit_release(scopes, &more);
	assert_true(sending_limit_reserve(scopes, &more, T0, &shortage));
	sending_limit_commit(scopes, &more, T0);
	assert_false(sending_limit_reserve(scopes, &more, T0 + 60, &shortage));
	assert_true(shortage.free_in > 3000 && shortage.free_in <= 3900);
	assert_true(sending_limit_reserve(scopes, &more, T0 + 60 + shortage.free_in, &shortage));
	assert_int_equal(sending_gate_size(scopes, 50 << 20), 1 << 20);
	assert_int_equal(sending_gate_size(scopes, 1000), 1000);
}

/* Two sessions side by side: the limit exactly, and every try beyond it is noted. */
static void gate_gives_exactly_the_limit(void **state)
{
	struct profile profile = { 0 };
	struct sending_meter meter = { 0 };
	struct sending_sender sender = { .profile = &profile,
		.scopes = { { config_account_plan(config, SLICE_LIT("else.test")), &meter } } };
	struct profile_try tries[10];
	struct sending_answer answers[10];
	struct sending_facts facts;
	unsigned passed = 0;

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		tries[i] = (struct profile_try){ .recipient = i + 1 };
		sending_gate_recipient(&policy, &sender, &tries[i], i == 0, T0, &answers[i]);
		passed += answers[i].outcome == SENDING_PASS;
		assert_int_equal(answers[i].is_limited, i >= 4);
	}
	assert_int_equal(passed, 4); /* new_recipients_day */
	profile_look(&profile, &policy, &tries[9], T0, &facts);
	assert_int_equal(facts.limit_tries, 6);
	for (unsigned i = 0; i < 4; i++)
		sending_gate_delivered(&policy, &sender, &tries[i], &answers[i].amount, T0);
	profile_look(&profile, &policy, &tries[0], T0, &facts);
	assert_false(facts.is_stranger);
	/* Known by now: no stranger any more, one recipient of the hour is left. */
	sending_gate_recipient(&policy, &sender, &tries[0], true, T0, &answers[0]);
	assert_int_equal(answers[0].outcome, SENDING_PASS);
	sending_gate_recipient(&policy, &sender, &tries[1], true, T0, &answers[1]);
	assert_true(answers[1].is_limited);
	sending_gate_returned(&sender, &answers[0].amount);
	sending_gate_recipient(&policy, &sender, &tries[1], true, T0, &answers[1]);
	assert_int_equal(answers[1].outcome, SENDING_PASS);
	profile_fini(&profile);
}

static void what_was_sent_before_counts(void **state)
{
	const struct config_plan plan = { .recipients_hour = 10 };
	struct sending_meter meter = { 0 };
	const struct sending_scope scopes[SENDING_SCOPES] = { { &plan, &meter } };
	struct sending_amount amount = { 1, 7, 2 };
	struct sending_shortage shortage;
	struct sending_left left;

	(void)state;
	sending_limit_restore(&meter, &amount, T0 - 2 * 3600);
	sending_limit_restore(&meter, &amount, T0 - 60);
	left = sending_limit_left(&scopes[0], SENDING_LIMIT_RECIPIENTS_HOUR, T0);
	assert_int_equal(left.most, 10);
	assert_int_equal(left.spent, 7);
	assert_int_equal(left.free, 3);
	amount.recipients = 4;
	assert_false(sending_limit_reserve(scopes, &amount, T0, &shortage));
	amount.recipients = 3;
	assert_true(sending_limit_reserve(scopes, &amount, T0, &shortage));
	left = sending_limit_left(&scopes[0], SENDING_LIMIT_RECIPIENTS_HOUR, T0);
	assert_int_equal(left.reserved, 3);
	assert_int_equal(left.free, 0);
	assert_int_equal(sending_limit_left(&scopes[0], SENDING_LIMIT_STRANGERS_DAY, T0).spent, 4);
}

/* Of all that is short, what lasts longest is named; never is longest. */
static void longest_shortage(void **state)
{
	static const struct {
		uint32_t hour; /* recipients of the account, of the domain */
		uint32_t domain_hour;
		uint32_t domain_day;
		enum sending_scope_kind scope;
		enum sending_limit limit;
		bool is_never;
	} cases[] = {
		{ 3, 3, 100, SENDING_SCOPE_ACCOUNT, SENDING_LIMIT_RECIPIENTS_HOUR, false },
		{ 3, 100, 3, SENDING_SCOPE_DOMAIN, SENDING_LIMIT_RECIPIENTS_DAY, false },
		{ 3, 1, 3, SENDING_SCOPE_DOMAIN, SENDING_LIMIT_RECIPIENTS_HOUR, true },
		{ 1, 1, 3, SENDING_SCOPE_ACCOUNT, SENDING_LIMIT_RECIPIENTS_HOUR, true },
		{ 1, 3, 3, SENDING_SCOPE_ACCOUNT, SENDING_LIMIT_RECIPIENTS_HOUR, true },
	};
	const struct sending_amount spent = { 1, 2, 0 };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		const struct config_plan account = { .recipients_hour = cases[i].hour };
		const struct config_plan domain = { .recipients_hour = cases[i].domain_hour,
			.recipients_day = cases[i].domain_day };
		struct sending_meter meters[2] = { 0 };
		const struct sending_scope scopes[SENDING_SCOPES] = { { &account, &meters[0] },
			{ &domain, &meters[1] } };
		struct sending_shortage shortage = { 0 };

		sending_limit_restore(&meters[0], &spent, T0 - 60);
		sending_limit_restore(&meters[1], &spent, T0 - 60);
		assert_false(sending_limit_reserve(scopes, &spent, T0, &shortage));
		assert_int_equal(shortage.scope, cases[i].scope);
		assert_int_equal(shortage.limit, cases[i].limit);
		assert_int_equal(shortage.free_in == -1, cases[i].is_never);
	}
}

/* Beyond its limit by a reload that made it smaller: nothing is left, and no less. */
static void nothing_is_left_beyond_the_limit(void **state)
{
	const struct config_plan plan = { .recipients_hour = 5 };
	struct sending_meter meter = { 0 };
	const struct sending_scope scope = { &plan, &meter };
	const struct sending_scope scopes[SENDING_SCOPES] = { scope };
	const struct sending_amount amount = { 1, 7, 0 };
	struct sending_shortage shortage;

	(void)state;
	sending_limit_restore(&meter, &amount, T0);
	assert_int_equal(sending_limit_left(&scope, SENDING_LIMIT_RECIPIENTS_HOUR, T0).free, 0);
	/* It is no limit of what is not asked for. */
	assert_true(
		sending_limit_reserve(scopes, &(struct sending_amount){ 1, 0, 0 }, T0, &shortage));
}

static unsigned reserved(const struct sending_meter *meter, enum sending_limit limit)
{
	return meter->quotas[limit].reserved;
}

static unsigned spent(const struct sending_meter *meter, enum sending_limit limit)
{
	return tally_sum(&meter->quotas[limit].spent, TALLY_DAY, T0);
}

/* What is judged and refused takes no place; what passes takes its own, whatever the mode. */
static void gate_reserves_what_passes(void **state)
{
	static const struct {
		enum config_sending mode;
		bool is_asked;
		unsigned passed;
	} cases[] = {
		{ CONFIG_SENDING_ENFORCE, false, 1 },
		{ CONFIG_SENDING_ENFORCE, true, 0 },
		{ CONFIG_SENDING_OBSERVE, true, 1 },
		{ CONFIG_SENDING_OFF, true, 1 },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct profile profile = { .asked_at = cases[i].is_asked ? T0 - 60 : 0 };
		struct sending_meter meter = { 0 };
		struct sending_sender sender = { .profile = &profile,
			.scopes = {
				{ config_account_plan(config, SLICE_LIT("else.test")), &meter } } };
		struct profile_try try = { .recipient = 7 };
		struct sending_policy other = policy;
		struct sending_answer answer;
		unsigned n = cases[i].passed;

		other.mode = cases[i].mode;
		sending_gate_recipient(&other, &sender, &try, true, T0, &answer);
		assert_int_equal(answer.outcome, n > 0 ? SENDING_PASS : SENDING_ASK);
		assert_int_equal(reserved(&meter, SENDING_LIMIT_MESSAGES_HOUR), n);
		assert_int_equal(reserved(&meter, SENDING_LIMIT_STRANGERS_DAY), n);
		if (n == 0)
			continue;
		sending_gate_recipient(&other, &sender, &try, false, T0, &answer);
		assert_int_equal(reserved(&meter, SENDING_LIMIT_MESSAGES_HOUR), 1);
		assert_int_equal(reserved(&meter, SENDING_LIMIT_RECIPIENTS_HOUR), 2);
		sending_gate_delivered(&other, &sender, &try, &answer.amount, T0);
		assert_int_equal(reserved(&meter, SENDING_LIMIT_RECIPIENTS_HOUR), 1);
		assert_int_equal(spent(&meter, SENDING_LIMIT_RECIPIENTS_HOUR), 1);
		assert_int_equal(spent(&meter, SENDING_LIMIT_MESSAGES_HOUR), 0);
		(void)known_add(&profile.known, 8, T0);
		try.recipient = 8;
		sending_gate_recipient(&other, &sender, &try, false, T0, &answer);
		assert_int_equal(answer.amount.strangers, 0);
		profile_fini(&profile);
	}
}

/* Refused by a limit, it has not passed: who is slowed down need not wait for its sake. */
static void gate_limited_has_not_passed(void **state)
{
	const struct config_plan plan = { .recipients_hour = 1 };
	struct profile profile = { 0 };
	struct sending_meter meter = { 0 };
	struct sending_sender sender = { .profile = &profile, .scopes = { { &plan, &meter } } };
	struct profile_try try = { .recipient = 7 };
	struct sending_answer answer;
	struct sending_facts facts;

	(void)state;
	sending_gate_recipient(&policy, &sender, &try, true, T0, &answer);
	assert_int_equal(answer.outcome, SENDING_PASS);
	sending_gate_recipient(&policy, &sender, &try, false, T0 + 100, &answer);
	assert_int_equal(answer.outcome, SENDING_SLOW);
	profile_look(&profile, &policy, &try, T0 + 130, &facts);
	assert_int_equal(facts.since_last, 130);
	profile_fini(&profile);
}

static void gate_modes(void **state)
{
	struct profile profile = { .asked_at = T0 - 60 };
	struct sending_sender sender = { .profile = &profile, .scopes = { { NULL, NULL } } };
	struct profile_try try = { .recipient = 7 };
	struct sending_policy other = policy;
	struct sending_answer answer;

	(void)state;
	sending_gate_recipient(&policy, &sender, &try, true, T0, &answer);
	assert_int_equal(answer.outcome, SENDING_ASK);
	other.mode = CONFIG_SENDING_OBSERVE;
	sending_gate_recipient(&other, &sender, &try, true, T0, &answer);
	assert_int_equal(answer.outcome, SENDING_PASS);
	assert_int_equal(answer.verdict.outcome, SENDING_ASK);
	other.mode = CONFIG_SENDING_OFF;
	sending_gate_recipient(&other, &sender, &try, true, T0, &answer);
	assert_int_equal(answer.verdict.outcome, SENDING_PASS);
	sending_gate_delivered(&other, &sender, &try, &answer.amount, T0);
	assert_true(profile_is_stranger(&profile, 7, T0));
}

/* Points of the filter alone: 20 each, at most 60. */
static void gate_filtered(void **state)
{
	static const struct {
		bool is_bad;
		enum sending_outcome outcome;
		unsigned sum;
	} steps[] = {
		{ false, SENDING_PASS, 10 },
		{ true, SENDING_PASS, 30 },
		{ true, SENDING_PASS, 50 }, /* slowed down, if it were a recipient */
		{ false, SENDING_ASK, 60 },
		{ true, SENDING_ASK, 60 },
	};
	struct profile profile = { .first_at = T0 - 60 };
	struct sending_sender sender = { .profile = &profile, .scopes = { { NULL, NULL } } };
	struct profile_try try = { .recipient = 7 };
	struct sending_policy other = policy;
	struct sending_answer answer;

	(void)state;
	sending_gate_recipient(&policy, &sender, &try, true, T0, &answer);
	assert_int_equal(answer.outcome, SENDING_PASS);
	other.mode = CONFIG_SENDING_OFF;
	for (unsigned i = 0; i < 9; i++)
		sending_gate_message(&other, &sender, &try, true, T0, &answer);
	assert_int_equal(answer.outcome, SENDING_PASS);
	assert_int_equal(answer.verdict.outcome, SENDING_PASS);
	for (size_t i = 0; i < GP_ARRAY_LEN(steps); i++) {
		assert_int_equal(profile.asked_at, i < 4 ? 0 : T0);
		sending_gate_message(&policy, &sender, &try, steps[i].is_bad, T0, &answer);
		assert_int_equal(answer.outcome, steps[i].outcome);
		assert_int_equal(answer.verdict.points[SENDING_FILTER], steps[i].sum);
		assert_int_equal(answer.verdict.sum, steps[i].sum);
	}
	profile.asked_at = 0;
	other.mode = CONFIG_SENDING_OBSERVE;
	sending_gate_message(&other, &sender, &try, true, T0, &answer);
	assert_int_equal(answer.outcome, SENDING_PASS);
	assert_int_equal(answer.verdict.outcome, SENDING_ASK);
	assert_int_equal(profile.asked_at, 0);
	other = policy;
	other.block = 60;
	sending_gate_message(&other, &sender, &try, true, T0, &answer);
	assert_int_equal(answer.outcome, SENDING_BLOCK);
	profile_fini(&profile);
}

/* A recipient that was let through is not counted a second time. */
static void gate_looks_again(void **state)
{
	struct profile profile = { .first_at = T0 - 30 * 86400 };
	struct sending_sender sender = { .profile = &profile, .scopes = { { NULL, NULL } } };
	struct profile_try try = { .recipient = 7 };
	struct sending_answer answer;
	struct sending_facts first;
	struct sending_facts again;

	(void)state;
	assert_int_equal(ip_parse(SLICE_LIT("198.51.100.1"), &try.source), GP_OK);
	for (unsigned known = 0; known < 2; known++) {
		profile_look(&profile, &policy, &try, T0, &first);
		sending_gate_recipient(&policy, &sender, &try, true, T0, &answer);
		profile_look_again(&profile, &policy, &try, T0, &again);
		assert_int_equal(first.is_stranger, known == 0);
		assert_true(first.is_new_network);
		assert_int_equal(again.recipients_hour, first.recipients_hour);
		assert_int_equal(again.recipients_day, first.recipients_day);
		assert_int_equal(again.strangers_day, first.strangers_day);
		assert_int_equal(again.strangers_elsewhere, first.strangers_elsewhere);
		assert_int_equal(again.known_elsewhere, first.known_elsewhere);
		sending_gate_delivered(&policy, &sender, &try, &answer.amount, T0);
	}
	profile_fini(&profile);
}

static void trusted_networks(void **state)
{
	struct ip ip;

	(void)state;
	assert_int_equal(ip_parse(SLICE_LIT("192.0.2.17"), &ip), GP_OK);
	assert_true(sending_gate_is_trusted(&policy, &ip));
	assert_int_equal(ip_parse(SLICE_LIT("192.0.2.1"), &ip), GP_OK);
	assert_false(sending_gate_is_trusted(&policy, &ip));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans),
		cmocka_unit_test(all_scopes_or_none),
		cmocka_unit_test(gate_gives_exactly_the_limit),
		cmocka_unit_test(what_was_sent_before_counts),
		cmocka_unit_test(longest_shortage),
		cmocka_unit_test(nothing_is_left_beyond_the_limit),
		cmocka_unit_test(gate_reserves_what_passes),
		cmocka_unit_test(gate_limited_has_not_passed),
		cmocka_unit_test(gate_modes),
		cmocka_unit_test(gate_filtered),
		cmocka_unit_test(gate_looks_again),
		cmocka_unit_test(trusted_networks),
	};

	return cmocka_run_group_tests(tests, set_up, configured_tear_down);
}
