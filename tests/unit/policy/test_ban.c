/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "policy/ban.h"

static struct ip_net net(const char *text)
{
	struct ip_net net = { .prefix = 0 };

	assert_int_equal(ip_net_parse(slice_str(text), &net), GP_OK);
	return net;
}

static struct ip source(const char *text)
{
	struct ip ip = { 0 };

	if (text[0] != '\0')
		assert_int_equal(ip_parse(slice_str(text), &ip), GP_OK);
	return ip_source(&ip);
}

static struct ban_policy *policy_of(bool bans_loopback)
{
	struct ip_net exempt[] = { net("198.51.100.0/24"), net("2001:db8:1::/48"),
		net("2001:db8:2:3::7") };
	struct ip_net proxies[] = { net("203.0.113.7"), net("127.0.0.9") };
	char imap[] = "10.0.0.1:143";
	char spare[] = "[2001:db8:9::1]:143";
	char named[] = "mail.lan:25";
	char local[] = "unix:/run/lmtp";
	char demo[] = "127.0.0.1:20143";
	char *hosts[] = { imap, spare, named, local, demo };
	struct config_listener listener = { .proxy_from = { proxies, GP_ARRAY_LEN(proxies) } };
	struct config_backend backend = { .hosts = { hosts, GP_ARRAY_LEN(hosts) } };
	struct config config = {
		.autoban_exempt = { exempt, GP_ARRAY_LEN(exempt) },
		.autoban_loopback = bans_loopback,
		.autoban_failures = 5,
		.autoban_window = 1200,
		.autoban_time = 1800,
		.listeners = &listener,
		.listener_count = 1,
		.backends = &backend,
		.backend_count = 1,
	};

	return ban_policy_new(&config);
}

static void who_is_exempt(void **state)
{
	static const struct {
		const char *ip;
		bool is_exempt;
		bool is_exempt_in_demo; /* autoban_loopback */
	} cases[] = {
		{ "192.0.2.1", false, false },
		{ "198.51.100.77", true, true },
		{ "198.51.101.1", false, false },
		{ "::ffff:198.51.100.1", true, true },
		{ "203.0.113.7", true, true },
		{ "203.0.113.8", false, false },
		{ "10.0.0.1", true, true },
		{ "10.0.0.2", false, false },
		{ "127.0.0.1", true, false },
		{ "127.0.0.9", true, false },
		{ "127.1.2.3", true, false },
		{ "::1", true, false },
		{ "2001:db8:1:ffff::1", true, true },
		{ "2001:db8:2:3::1", true, true },
		{ "2001:db8:2:4::1", false, false },
		{ "2001:db8:9::ffff", true, true },
		{ "2001:db8:9:1::1", false, false },
		{ "", true, true },
	};
	struct ban_policy *policy = policy_of(false);
	struct ban_policy *demo = policy_of(true);

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct ip ip = source(cases[i].ip);

		print_message("%s\n", cases[i].ip);
		assert_int_equal(ban_is_exempt(policy, &ip), cases[i].is_exempt);
		assert_int_equal(ban_is_exempt(demo, &ip), cases[i].is_exempt_in_demo);
	}
	ban_policy_free(&policy);
	ban_policy_free(&demo);
	assert_null(policy);
}

static void an_exempt_loopback_network_wins_over_the_demo(void **state)
{
	struct ip_net exempt = net("127.0.0.0/8");
	struct config config = {
		.autoban_exempt = { &exempt, 1 },
		.autoban_loopback = true,
		.autoban_failures = 5,
		.autoban_window = 1200,
	};
	struct ban_policy *policy = ban_policy_new(&config);
	struct ip ip = source("127.0.0.1");

	(void)state;
	assert_true(ban_is_exempt(policy, &ip));
	ban_policy_free(&policy);
}

static void a_place_is_free_taken_or_lost(void **state)
{
	static const struct {
		enum counter_answer answer;
		enum ban_place place;
	} cases[] = {
		{ COUNTER_GRANTED, BAN_PLACE_FREE },
		{ COUNTER_FULL, BAN_PLACE_WAIT },
		{ COUNTER_SPENT, BAN_PLACE_REFUSED },
		{ COUNTER_FAILED, BAN_PLACE_TEMPORARY },
		{ COUNTER_DONE, BAN_PLACE_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct counter_result result = { .answer = cases[i].answer };

		assert_int_equal(ban_place(&result), cases[i].place);
	}
}

static void the_last_failure_bans(void **state)
{
	struct ban_policy *policy = policy_of(false);
	struct counter_limits limits = ban_limits(policy, IP_LEVEL_SOURCE, 10);
	struct counter_result fourth = { .answer = COUNTER_DONE, .committed = 4 };
	struct counter_result fifth = { .answer = COUNTER_DONE, .committed = 5, .is_last = true };
	struct counter_result lost = { .answer = COUNTER_FAILED };
	struct ban_step step;

	(void)state;
	assert_int_equal(limits.places, 5);
	assert_int_equal(limits.window_ms, 1200 * 1000);
	assert_int_equal(limits.max_keys, 10);

	step = ban_after_failure(policy, &fourth, false);
	assert_int_equal(step.verdict, VERDICT_DENY);
	assert_int_equal(step.ban_ms, 0);
	step = ban_after_failure(policy, &fifth, false);
	assert_int_equal(step.verdict, VERDICT_DENY_BANNED);
	assert_int_equal(step.ban_ms, 1800 * 1000);
	/* Banned by hand meanwhile, perhaps for longer: that ban stays as it is. */
	step = ban_after_failure(policy, &fifth, true);
	assert_int_equal(step.verdict, VERDICT_DENY_BANNED);
	assert_int_equal(step.ban_ms, 0);
	step = ban_after_failure(policy, &fourth, true);
	assert_int_equal(step.verdict, VERDICT_DENY_BANNED);
	assert_int_equal(step.ban_ms, 0);
	step = ban_after_failure(policy, &lost, false);
	assert_int_equal(step.verdict, VERDICT_DENY);
	ban_policy_free(&policy);
}

static void a_moved_wall_clock_neither_lifts_nor_stretches(void **state)
{
	static const struct {
		int64_t set_at, until, now, map_left, left;
	} cases[] = {
		{ 1000, 2800, 1000, 0, 1800 * 1000 },
		{ 1000, 2800, 2000, 0, 800 * 1000 },
		{ 1000, 2800, 2800, 0, 0 },
		{ 1000, 2800, 9000, 0, 0 },
		/* Set back by hours: the whole length and no more. */
		{ 100000, 101800, 1000, 0, 1800 * 1000 },
		/* Set forward while core was down: the shared map knows better. */
		{ 1000, 2800, 90000, 700 * 1000, 700 * 1000 },
		{ 1000, 2800, 1000, 700 * 1000, 700 * 1000 },
		{ 2800, 1000, 900, 0, 0 },
		{ 0, INT64_MAX, 5, 0, (int64_t)BAN_MINUTES_MAX * 60 * 1000 },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++)
		assert_int_equal(
			ban_left(cases[i].set_at, cases[i].until, cases[i].now, cases[i].map_left),
			cases[i].left);
	assert_int_equal(ban_failure_age(1000, 1060), 60 * 1000);
	assert_int_equal(ban_failure_age(1000, 1000), 0);
	assert_int_equal(ban_failure_age(5000, 1000), 0);
}

static void a_reason_has_a_code_and_other_words_have_none(void **state)
{
	(void)state;
	assert_string_equal(ban_reason_words(BAN_REASON_HAND), "banned by hand");
	assert_string_equal(ban_reason_code(SLICE_LIT("too many failed sign-ins")), "failures");
	assert_string_equal(ban_reason_code(SLICE_LIT("banned by hand")), "hand");
	assert_string_equal(
		ban_reason_code(slice_str(ban_reason_words(BAN_REASON_AGAIN))), "again");
	assert_string_equal(ban_reason_code(SLICE_LIT("banned by hand, and rightly so")), "");
	assert_string_equal(ban_reason_code(SLICE_LIT("")), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_exempt),
		cmocka_unit_test(an_exempt_loopback_network_wins_over_the_demo),
		cmocka_unit_test(a_place_is_free_taken_or_lost),
		cmocka_unit_test(the_last_failure_bans),
		cmocka_unit_test(a_reason_has_a_code_and_other_words_have_none),
		cmocka_unit_test(a_moved_wall_clock_neither_lifts_nor_stretches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
