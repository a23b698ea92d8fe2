/* SPDX-License-Identifier: ISC */
/* The points of each reason, the thresholds, and whose a sender address is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/check.h"
#include "configured.h"
#include "policy/sending.h"
#include "policy/sending_identity.h"

static const char config_text[] = "hostname = mail.example.test\n"
				  "listener smtp { }\n"
				  "backend smtp { hosts = 127.0.0.1:1025 }\n"
				  "route \"*\" { smtp = smtp }\n";

static int set_up(void **state)
{
	(void)state;
	configured_set_up(config_text);
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
	{ "twice the habit is too much for 32 bits",
		{ .strangers_day = 0x80000010, .habit_strangers = 0x80000010 }, SENDING_STRANGERS,
		0 },
	{ "an hour", { .recipients_hour = 60 }, SENDING_HOUR, 10 },
	{ "an hour as ever", { .recipients_hour = 5000, .habit_hour = 5000 }, SENDING_HOUR, 0 },
	{ "a day", { .recipients_day = 4000 }, SENDING_DAY, 15 },
	{ "a day as ever", { .recipients_day = 4000, .habit_day = 2000 }, SENDING_DAY, 0 },
	{ "share of few", { .recipients_day = 9, .strangers_day = 9 }, SENDING_SHARE, 0 },
	{ "share", { .recipients_day = 10, .strangers_day = 5, .habit_share = 20 }, SENDING_SHARE,
		10 },
	{ "less than half", { .recipients_day = 1000, .strangers_day = 499 }, SENDING_SHARE, 0 },
	{ "twice the share of ever",
		{ .recipients_day = 100, .strangers_day = 50, .habit_share = 25 }, SENDING_SHARE,
		0 },
	{ "a shop's share", { .recipients_day = 100, .strangers_day = 95, .habit_share = 90 },
		SENDING_SHARE, 0 },
	{ "two elsewhere", { .strangers_elsewhere = 2 }, SENDING_ELSEWHERE, 0 },
	{ "three elsewhere", { .strangers_elsewhere = 3 }, SENDING_ELSEWHERE, 6 },
	{ "a newsletter that moves", { .strangers_elsewhere = 60, .known_elsewhere = 5000 },
		SENDING_ELSEWHERE, 0 },
	{ "beyond a tenth of them", { .strangers_elsewhere = 13, .known_elsewhere = 100 },
		SENDING_ELSEWHERE, 6 },
	{ "points are too many for 32 bits", { .strangers_elsewhere = 715827885 },
		SENDING_ELSEWHERE, 90 },
	{ "many elsewhere", { .strangers_elsewhere = 99 }, SENDING_ELSEWHERE, 90 },
	{ "contacts", { .known_elsewhere = 25 }, SENDING_CONTACTS, 15 },
	{ "networks", { .new_networks = 5 }, SENDING_NETWORKS, 16 },
	{ "countries", { .countries = 4 }, SENDING_COUNTRIES, 20 },
	{ "a network", { .is_new_network = true }, SENDING_NETWORK, 10 },
	{ "a client", { .is_new_client = true }, SENDING_CLIENT, 10 },
	{ "a night", { .is_unusual_hour = true }, SENDING_NIGHT, 5 },
	{ "typing errors", { .refused_unknown = 7, .strangers_day = 100 }, SENDING_UNKNOWN, 0 },
	{ "of few strangers", { .refused_unknown = 4, .strangers_day = 19 }, SENDING_UNKNOWN, 8 },
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
	{ "just proof enough",
		{ .strangers_day = 9999, .recipients_day = 9999, .forged = 4, FACTS },
		SENDING_BLOCK },
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
		"points: a new network 10", "x points: a new network 10" };
	struct sending_verdict verdict = { .sum = 0 };
	struct sending_verdict read;
	char text[SENDING_TEXT_SIZE];

	(void)state;
	for (unsigned i = 0; i < SENDING_REASON_MAX; i++) {
		verdict.points[i] = (uint16_t)(i % 3 == 2 ? 0 : UINT16_MAX - i);
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
	struct config *other =
		configured_parse("hostname = mail.example.test\npoints_forged = 50\n"
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
	static const struct slice domain = { "@example.test", 13 };
	const struct sending_names wrong = { SLICE_LIT("alice@example.test"), &domain, 1, NULL, 0,
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
		{ "bobby+shop@example.test", false },
		{ "alice+shop@example.best", false },
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
	assert_false(sending_identity_is_own(&plain, SLICE_LIT("alice\0shop@example.test")));
	assert_false(sending_identity_is_own(&plain, SLICE_LIT("sales@example.test")));
	assert_false(sending_identity_is_own(&wrong, SLICE_LIT("+shop@example.test")));
	assert_true(sending_identity_is_own(&plain, SLICE_LIT("alice@example.test")));
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
	};

	return cmocka_run_group_tests(tests, set_up, configured_tear_down);
}
