/* SPDX-License-Identifier: ISC */
/* The points of each reason, the thresholds, whose a sender address is, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/check.h"
#include "policy/sending_gate.h"
#include "policy/sending_identity.h"

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

static struct config *config;
static struct sending_policy policy;

static struct config *parsed(const char *text)
{
	struct config_error error = { "" };
	struct config *one = NULL;

	if (config_parse(slice_str(text), "test", &one, &error) != GP_OK)
		fail_msg("%s", error.text);
	return one;
}

static int set_up(void **state)
{
	(void)state;
	config = parsed(config_text);
	sending_policy_init(&policy, config);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	config_free(&config);
	return 0;
}

/* ---- points ---- */

struct points_case {
	const char *name;
	struct sending_facts facts;
	enum sending_reason reason;
	unsigned points;
};

#define FACTS .since_last = INT64_MAX

static const struct points_case points_cases[] = {
	{ "free strangers", { .strangers_day = 20 }, SENDING_STRANGERS, 0 },
	{ "as many again", { .strangers_day = 40 }, SENDING_STRANGERS, 50 },
	{ "capped", { .strangers_day = 4000 }, SENDING_STRANGERS, 70 },
	{ "within the habit", { .strangers_day = 600, .habit_strangers = 300 }, SENDING_STRANGERS,
		0 },
	{ "beyond the habit", { .strangers_day = 900, .habit_strangers = 300 }, SENDING_STRANGERS,
		25 },
	{ "habit beyond all", { .strangers_day = UINT32_MAX, .habit_strangers = UINT32_MAX },
		SENDING_STRANGERS, 0 },
	{ "an hour", { .recipients_hour = 60 }, SENDING_HOUR, 10 },
	{ "an hour as ever", { .recipients_hour = 5000, .habit_hour = 5000 }, SENDING_HOUR, 0 },
	{ "a day", { .recipients_day = 4000 }, SENDING_DAY, 15 },
	{ "a day as ever", { .recipients_day = 4000, .habit_day = 2000 }, SENDING_DAY, 0 },
	{ "share of few", { .recipients_day = 9, .strangers_day = 9 }, SENDING_SHARE, 0 },
	{ "share", { .recipients_day = 10, .strangers_day = 5, .habit_share = 20 }, SENDING_SHARE,
		10 },
	{ "a shop's share", { .recipients_day = 100, .strangers_day = 95, .habit_share = 90 },
		SENDING_SHARE, 0 },
	{ "two elsewhere", { .strangers_elsewhere = 2 }, SENDING_ELSEWHERE, 0 },
	{ "three elsewhere", { .strangers_elsewhere = 3 }, SENDING_ELSEWHERE, 6 },
	{ "a newsletter that moves", { .strangers_elsewhere = 60, .known_elsewhere = 5000 },
		SENDING_ELSEWHERE, 0 },
	{ "many elsewhere", { .strangers_elsewhere = 99 }, SENDING_ELSEWHERE, 90 },
	{ "contacts", { .known_elsewhere = 25 }, SENDING_CONTACTS, 15 },
	{ "networks", { .new_networks = 5 }, SENDING_NETWORKS, 16 },
	{ "countries", { .countries = 4 }, SENDING_COUNTRIES, 20 },
	{ "a network", { .is_new_network = true }, SENDING_NETWORK, 10 },
	{ "a client", { .is_new_client = true }, SENDING_CLIENT, 10 },
	{ "a night", { .is_unusual_hour = true }, SENDING_NIGHT, 5 },
	{ "typing errors", { .refused_unknown = 7, .strangers_day = 100 }, SENDING_UNKNOWN, 0 },
	{ "a bad list", { .refused_unknown = 12, .strangers_day = 100 }, SENDING_UNKNOWN, 20 },
	{ "one spam", { .refused_spam = 1 }, SENDING_SPAM, 0 },
	{ "three spams", { .refused_spam = 3 }, SENDING_SPAM, 30 },
	{ "filter", { .filter_bad = 2, .filter_doubtful = 1 }, SENDING_FILTER, 50 },
	{ "two forged", { .forged = 2 }, SENDING_FORGED, 0 },
	{ "four forged", { .forged = 4 }, SENDING_FORGED, 30 },
	{ "body", { .body_strangers = 30 }, SENDING_BODY, 10 },
	{ "limit", { .limit_tries = 25 }, SENDING_LIMIT, 5 },
	{ "insists", { .insisted = 80 }, SENDING_INSIST, 30 },
	{ "overflow", { .insisted = UINT32_MAX }, SENDING_INSIST, 60 },
};

static void every_reason_has_its_points(void **state)
{
	unsigned seen = 0;

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(points_cases); i++) {
		const struct points_case *one = &points_cases[i];
		struct sending_verdict verdict;
		unsigned sum = 0;
		unsigned weighty = 0;

		sending_judge(&policy, &one->facts, &verdict);
		if (verdict.points[one->reason] != one->points)
			fail_msg("%s: %u points, not %u", one->name,
				(unsigned)verdict.points[one->reason], one->points);
		for (unsigned r = 0; r < SENDING_REASON_MAX; r++) {
			sum += verdict.points[r];
			weighty += sending_reason_is_weighty((enum sending_reason)r)
					   ? verdict.points[r]
					   : 0;
		}
		assert_int_equal(verdict.sum, sum);
		assert_int_equal(verdict.weighty, weighty);
		seen |= one->points > 0 ? 1U << one->reason : 0;
	}
	assert_int_equal(seen, (1U << SENDING_REASON_MAX) - 1);
}

struct outcome_case {
	const char *name;
	struct sending_facts facts;
	enum sending_outcome outcome;
};

static const struct outcome_case outcome_cases[] = {
	{ "nothing", { FACTS }, SENDING_PASS },
	{ "slow, paced", { .filter_bad = 2, .since_last = 60 }, SENDING_PASS },
	{ "slow", { .filter_bad = 2, .since_last = 59 }, SENDING_SLOW },
	{ "ask", { .filter_bad = 3, FACTS }, SENDING_ASK },
	{ "asked before", { .is_asked = true, FACTS }, SENDING_ASK },
	{ "block", { .filter_bad = 3, .forged = 5, FACTS }, SENDING_BLOCK },
	{ "unusual alone never blocks",
		{ .strangers_day = 9999,
			.recipients_hour = 9999,
			.recipients_day = 9999,
			.known_elsewhere = 9999,
			.countries = 9,
			.is_new_network = true,
			.is_new_client = true,
			.is_unusual_hour = true,
			.body_strangers = 9999,
			.limit_tries = 9999,
			FACTS },
		SENDING_ASK },
	{ "with little proof neither",
		{ .strangers_day = 9999,
			.recipients_hour = 9999,
			.recipients_day = 9999,
			.strangers_elsewhere = 6,
			FACTS },
		SENDING_ASK },
	{ "blocked though asked", { .is_asked = true, .filter_bad = 3, .forged = 5, FACTS },
		SENDING_BLOCK },
};

static void thresholds(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(outcome_cases); i++) {
		struct sending_verdict verdict;

		sending_judge(&policy, &outcome_cases[i].facts, &verdict);
		if (verdict.outcome != outcome_cases[i].outcome)
			fail_msg("%s: %s", outcome_cases[i].name,
				sending_outcome_name(verdict.outcome));
	}
}

static void modes(void **state)
{
	struct sending_policy observe = policy;

	(void)state;
	observe.mode = CONFIG_SENDING_OBSERVE;
	assert_int_equal(sending_effective(&policy, SENDING_BLOCK), SENDING_BLOCK);
	assert_int_equal(sending_effective(&observe, SENDING_BLOCK), SENDING_PASS);
	assert_int_equal(sending_effective(&policy, SENDING_SLOW), SENDING_SLOW);
}

static void explained(void **state)
{
	struct sending_facts facts = {
		.filter_bad = 1, .is_new_network = true, .forged = 4, FACTS
	};
	struct sending_verdict verdict;
	char text[SENDING_TEXT_SIZE];

	(void)state;
	sending_judge(&policy, &facts, &verdict);
	assert_string_equal(sending_explain(&verdict, text),
		"60 points: forged sender addresses 30, condemned by the spam filter 20, a new "
		"network 10");
	memset(verdict.points, 0xff, sizeof verdict.points);
	verdict.sum = UINT32_MAX;
	assert_true(strlen(sending_explain(&verdict, text)) < SENDING_TEXT_SIZE - 1);
	sending_judge(&policy, &(struct sending_facts){ FACTS }, &verdict);
	assert_string_equal(sending_explain(&verdict, text), "0 points");
}

static void read_back(void **state)
{
	static const char *const foreign[] = { "", ":", "spam", "12 points", "x points: spam 3",
		"30 points: a new network", "30 points: a new network x",
		"30 points: a new network -3", "30 points: a new network 0",
		"30 points: a new network 70000", "30 points:", "30 points: a new network 10, ",
		"30 points: a new network 10, a new network 20", "30 points: no such reason 30",
		"30 dots: a new network 30", "30 points: a new network 10,",
		"points: a new network 10" };
	struct sending_verdict verdict = { .sum = 0 };
	struct sending_verdict read;
	char text[SENDING_TEXT_SIZE];

	(void)state;
	for (unsigned i = 0; i < SENDING_REASON_MAX; i++) {
		verdict.points[i] = (uint16_t)(i % 3 == 1 ? 0 : UINT16_MAX - i);
		verdict.sum += verdict.points[i];
	}
	assert_true(sending_read(slice_str(sending_explain(&verdict, text)), &read));
	assert_int_equal(read.sum, verdict.sum);
	assert_memory_equal(read.points, verdict.points, sizeof read.points);
	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
		read.sum = 7;
		assert_false(sending_read(slice_str(foreign[i]), &read));
		assert_int_equal(read.sum, 7);
	}
}

/* Weights and thresholds are the configuration's. */
static void configured(void **state)
{
	struct config *other = parsed("hostname = mail.example.test\npoints_forged = 50\n"
				      "points_night = 0\nsending_block = 90\n"
				      "listener smtp { }\nbackend smtp { hosts = 127.0.0.1:1025 }\n"
				      "route \"*\" { smtp = smtp }\n");
	struct sending_facts facts = { .is_unusual_hour = true, .forged = 3, FACTS };
	struct sending_policy own;
	struct sending_verdict verdict;

	(void)state;
	sending_policy_init(&own, other);
	sending_judge(&own, &facts, &verdict);
	assert_int_equal(verdict.points[SENDING_FORGED], 50);
	assert_int_equal(verdict.points[SENDING_NIGHT], 0);
	assert_int_equal(own.block, 90);
	config_free(&other);
}

/* ---- identity ---- */

static void identity(void **state)
{
	static const struct slice aliases[] = { { "sales@example.test", 18 } };
	static const struct slice listed[] = { { "boss@other.test", 15 }, { "@brand.test", 11 } };
	const struct sending_names names = { SLICE_LIT("alice@example.test"), aliases, 1, listed, 2,
		'+' };
	const struct sending_names plain = { SLICE_LIT("alice@example.test"), NULL, 0, NULL, 0,
		'\0' };
	static const struct {
		const char *sender;
		bool is_own;
	} cases[] = {
		{ "alice@example.test", true },
		{ "Alice@Example.TEST", true },
		{ "alice+shop@example.test", true },
		{ "alice+@example.test", true },
		{ "ALICE+a+b@example.test", true },
		{ "sales@example.test", true },
		{ "sales+x@example.test", true },
		{ "boss@other.test", true },
		{ "any@brand.test", true },
		{ "any@Brand.test", true },
		{ "", true },
		{ "alic@example.test", false },
		{ "alice2@example.test", false },
		{ "alice-shop@example.test", false },
		{ "alice+a@b@example.test", false },
		{ "alice+shop@example.test.evil.test", false },
		{ "alice+shop@xexample.test", false },
		{ "boss+x@other.test", false },
		{ "other@other.test", false },
		{ "@brand.test", false },
		{ "any@sub.brand.test", false },
		{ "brand.test", false },
		{ "alice", false },
		{ "@example.test", false },
		{ "+@example.test", false },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		if (sending_identity_is_own(&names, slice_str(cases[i].sender)) != cases[i].is_own)
			fail_msg("%s", cases[i].sender);
	}
	assert_false(sending_identity_is_own(&plain, SLICE_LIT("alice+shop@example.test")));
	assert_false(sending_identity_is_own(&plain, SLICE_LIT("sales@example.test")));
	assert_true(sending_identity_is_own(&plain, SLICE_LIT("alice@example.test")));
}

/* ---- limits ---- */

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
		cmocka_unit_test(every_reason_has_its_points),
		cmocka_unit_test(thresholds),
		cmocka_unit_test(modes),
		cmocka_unit_test(explained),
		cmocka_unit_test(read_back),
		cmocka_unit_test(configured),
		cmocka_unit_test(identity),
		cmocka_unit_test(plans),
		cmocka_unit_test(all_scopes_or_none),
		cmocka_unit_test(gate_gives_exactly_the_limit),
		cmocka_unit_test(what_was_sent_before_counts),
		cmocka_unit_test(gate_modes),
		cmocka_unit_test(gate_filtered),
		cmocka_unit_test(gate_looks_again),
		cmocka_unit_test(trusted_networks),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
