/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "policy/activity.h"

enum {
	MINUTE = 60,
	DAY = 24 * 60 * 60,
	NOW = 1800000000,
};

struct seen {
	int64_t ago; /* s */
	enum service service;
	enum verdict verdict;
	enum reason reason;
	uint64_t device;
	const char *client_name;
	const char *client;
	uint64_t session;
};

static int setup(void **state)
{
	*state = activity_new();
	return 0;
}

static int teardown(void **state)
{
	struct activity *activity = *state;

	activity_free(&activity);
	return 0;
}

static void add(struct activity *activity, const struct seen *seen)
{
	struct activity_event event = { .at = NOW - seen->ago,
		.session = seen->session,
		.service = seen->service,
		.verdict = seen->verdict,
		.reason = seen->reason,
		.device = seen->device,
		.device_name = slice_str(seen->device != 0 ? "My phone" : ""),
		.client_name = slice_str(seen->client_name) };

	assert_int_equal(ip_parse(slice_str(seen->client), &event.client), GP_OK);
	activity_add_event(activity, &event);
}

static const struct activity_device *finish(struct activity *activity, size_t expected)
{
	size_t count = 0;
	const struct activity_device *devices = activity_finish(activity, &count);

	assert_int_equal(count, expected);
	return devices;
}

#define OK      VERDICT_OK, REASON_OK
#define WRONG   VERDICT_DENY, REASON_WRONG_PASSWORD
#define OUTLOOK "DESKTOP-1A2B3C"
#define TBIRD   "Thunderbird 115"

/* Which events are one device. */
static const struct {
	struct seen first;
	struct seen second;
	bool is_same;
} pairs[] = {
	{ { 0, SERVICE_IMAPS, OK, 0, TBIRD, "203.0.113.9", 1 },
		{ 9, SERVICE_IMAP, OK, 0, "Thunderbird 102", "203.0.113.77", 2 }, true },
	{ { 0, SERVICE_IMAPS, OK, 0, TBIRD, "203.0.113.9", 1 },
		{ 9, SERVICE_IMAPS, OK, 0, TBIRD, "203.0.114.9", 2 }, false },
	{ { 0, SERVICE_IMAPS, OK, 0, TBIRD, "203.0.113.9", 1 },
		{ 9, SERVICE_SUBMISSION, OK, 0, TBIRD, "203.0.113.9", 2 }, false },
	{ { 0, SERVICE_IMAPS, OK, 0, TBIRD, "203.0.113.9", 1 },
		{ 9, SERVICE_IMAPS, OK, 0, "K-9 Mail", "203.0.113.9", 2 }, false },
	{ { 0, SERVICE_IMAPS, OK, 0, TBIRD, "2001:db8::1", 1 },
		{ 9, SERVICE_IMAPS, OK, 0, TBIRD, "2001:db8::9:2", 2 }, true },
	{ { 0, SERVICE_IMAPS, OK, 0, TBIRD, "2001:db8::1", 1 },
		{ 9, SERVICE_IMAPS, OK, 0, TBIRD, "2001:db8:0:1::1", 2 }, false },
	{ { 0, SERVICE_IMAPS, OK, 7, TBIRD, "203.0.113.9", 1 },
		{ 9, SERVICE_SUBMISSION, OK, 7, "[10.0.0.1]", "192.0.2.1", 2 }, true },
	{ { 0, SERVICE_IMAPS, OK, 7, TBIRD, "203.0.113.9", 1 },
		{ 9, SERVICE_IMAPS, OK, 8, TBIRD, "203.0.113.9", 2 }, false },
	{ { 0, SERVICE_IMAPS, OK, 7, TBIRD, "203.0.113.9", 1 },
		{ 9, SERVICE_IMAPS, OK, 0, TBIRD, "203.0.113.9", 2 }, false },
	{ { 0, SERVICE_SUBMISSION, OK, 0, "[192.168.1.2]", "203.0.113.9", 1 },
		{ 9, SERVICE_SUBMISSION, OK, 0, "[192.168.1.3]", "203.0.113.9", 2 }, true },
	{ { 0, SERVICE_SUBMISSION, OK, 0, "nas.example", "203.0.113.9", 1 },
		{ 9, SERVICE_SUBMISSION, OK, 0, "NAS.example", "203.0.113.9", 2 }, true },
	{ { 0, SERVICE_SUBMISSION, OK, 0, "nas.example", "203.0.113.9", 1 },
		{ 9, SERVICE_SUBMISSION, OK, 0, "shop.example", "203.0.113.9", 2 }, false },
};

static void events_are_gathered(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(pairs); i++) {
		struct activity *activity = activity_new();
		size_t count = 0;

		add(activity, &pairs[i].first);
		add(activity, &pairs[i].second);
		(void)activity_finish(activity, &count);
		if (count != (pairs[i].is_same ? 1 : 2))
			fail_msg("pair %zu gives %zu devices", i, count);
		activity_free(&activity);
	}
}

static void a_device_is_described(void **state)
{
	static const struct seen events[] = {
		{ 10, SERVICE_IMAPS, WRONG, 0, "Thunderbird 115", "203.0.113.9", 3 },
		{ 5000, SERVICE_IMAP, OK, 0, "Thunderbird 102", "203.0.113.8", 2 },
		{ 9000, SERVICE_IMAPS, VERDICT_BUSY, REASON_WAITED, 0, "Thunderbird 102",
			"203.0.113.8", 1 },
	};
	const struct activity_device *device;

	for (size_t i = 0; i < GP_ARRAY_LEN(events); i++)
		add(*state, &events[i]);
	device = finish(*state, 1);
	assert_string_equal(device->key, "imap/thunderbird/203.0.113.0/24");
	assert_string_equal(device->family->words, "Thunderbird");
	assert_string_equal(device->client_name, "Thunderbird 115");
	assert_int_equal(device->services, 1U << SERVICE_IMAP | 1U << SERVICE_IMAPS);
	assert_int_equal(device->first_at, NOW - 9000);
	assert_int_equal(device->last_at, NOW - 10);
	assert_int_equal(device->main_ok_at, NOW - 5000);
	assert_int_equal(device->successes, 1);
	assert_int_equal(device->failures, 2);
	assert_int_equal(device->last_verdict, VERDICT_DENY);
	assert_int_equal(device->last_reason, REASON_WRONG_PASSWORD);
	assert_int_equal(device->why, ACTIVITY_WRONG);
	assert_int_equal(device->every_minutes, 0);
	assert_true(device->is_proven);
	assert_false(device->has_device_secret);
}

static void a_device_password_names_its_device(void **state)
{
	static const struct seen event = { 10, SERVICE_POP3S, VERDICT_DENY, REASON_DEVICE_SCOPE, 7,
		"", "203.0.113.9", 3 };
	const struct activity_device *device;

	add(*state, &event);
	device = finish(*state, 1);
	assert_string_equal(device->key, "device/7");
	assert_string_equal(device->device_name, "My phone");
	assert_int_equal(device->device, 7);
	assert_true(device->has_device_secret);
	assert_int_equal(device->why, ACTIVITY_SCOPE);
	assert_int_equal(device->main_ok_at, 0);
}

/* Every reason has a word for people. */
static const struct {
	enum reason reason;
	const char *why;
} words[] = {
	{ REASON_WRONG_PASSWORD, "wrong_password" },
	{ REASON_REPEATED, "wrong_password" },
	{ REASON_TWOFACTOR, "twofactor" },
	{ REASON_CODE, "code" },
	{ REASON_UNKNOWN_ACCOUNT, "unknown_name" },
	{ REASON_WRONG_DEVICE, "wrong_device" },
	{ REASON_DEVICE_SCOPE, "device_scope" },
	{ REASON_ACCOUNT_OFF, "account_off" },
	{ REASON_BANNED, "banned" },
	{ REASON_UNCHECKED, "unchecked" },
	{ REASON_NO_TLS, "no_tls" },
	{ REASON_MECHANISM, "mechanism" },
	{ REASON_BACKEND, "temporary" },
	{ REASON_LIMIT, "other" },
};

static void reasons_become_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(words); i++) {
		struct seen event = { 10, SERVICE_IMAPS, VERDICT_DENY, words[i].reason, 0, TBIRD,
			"203.0.113.9", 3 };
		struct activity *activity = activity_new();

		add(activity, &event);
		assert_string_equal(activity_why_name(finish(activity, 1)->why), words[i].why);
		activity_free(&activity);
	}
}

/* Spans between sign-ins, newest first, in seconds; how often that is called, 0 for no rhythm. */
static const struct {
	int64_t spans[12];
	unsigned every_minutes;
} rhythms[] = {
	{ { 300, 300, 300, 300 }, 5 },
	{ { 300, 300, 300 }, 0 }, /* too few to tell */
	{ { 302, 299, 305, 290, 311, 300 }, 5 },
	{ { 300, 1, 2, 300, 1, 2, 300, 300, 1, 300 }, 5 }, /* several connections at a time */
	{ { 300, 300, 300, 40000, 300, 300, 300 }, 5 },    /* switched off over night */
	{ { 300, 4000, 100, 9000, 61, 700 }, 0 },          /* a person */
	{ { 900, 910, 905, 895, 5000, 6000 }, 0 },
	{ { 65, 66, 65, 64, 65, 66 }, 1 },
	{ { DAY, DAY, DAY + 60, DAY }, 24 * 60 },
};

static void a_rhythm_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(rhythms); i++) {
		struct activity *activity = activity_new();
		struct seen event = { 0, SERVICE_IMAPS, WRONG, 0, TBIRD, "203.0.113.9", 1 };
		unsigned every;

		add(activity, &event);
		for (size_t k = 0; k < 12 && rhythms[i].spans[k] != 0; k++) {
			event.ago += rhythms[i].spans[k];
			add(activity, &event);
		}
		every = finish(activity, 1)->every_minutes;
		if (every != rhythms[i].every_minutes)
			fail_msg("rhythm %zu is %u", i, every);
		activity_free(&activity);
	}
}

/* More sign-ins than are looked at for the rhythm: the newest count. */
static void a_rhythm_is_that_of_now(void **state)
{
	struct seen event = { 0, SERVICE_IMAPS, WRONG, 0, TBIRD, "203.0.113.9", 1 };

	for (unsigned i = 0; i < 3 * ACTIVITY_TIMES; i++) {
		add(*state, &event);
		event.ago += i < ACTIVITY_TIMES ? 600 : 7200;
	}
	assert_int_equal(finish(*state, 1)->every_minutes, 10);
}

static void an_old_password_is_told(void **state)
{
	static const struct activity_finding findings[] = { { 5, NOW - 9 * DAY }, { 6, 0 } };
	static const struct seen events[] = {
		{ 10, SERVICE_IMAPS, WRONG, 0, TBIRD, "203.0.113.9", 4 },
		{ 20, SERVICE_IMAPS, WRONG, 0, TBIRD, "203.0.113.9", 5 },
		{ 30, SERVICE_SUBMISSION, WRONG, 0, OUTLOOK, "203.0.113.9", 6 },
		{ 40, SERVICE_POP3, WRONG, 0, "", "203.0.113.9", 7 },
	};
	const struct activity_device *devices;

	for (size_t i = 0; i < GP_ARRAY_LEN(findings); i++)
		activity_add_finding(*state, &findings[i]);
	for (size_t i = 0; i < GP_ARRAY_LEN(events); i++)
		add(*state, &events[i]);
	devices = finish(*state, 3);
	assert_int_equal(devices[0].old_password_at, NOW - 9 * DAY);
	assert_int_equal(devices[0].why, ACTIVITY_OLD);
	assert_int_equal(devices[1].old_password_at, 0);
	assert_int_equal(devices[1].why, ACTIVITY_WRONG);
	assert_int_equal(devices[2].why, ACTIVITY_WRONG);
}

/* The newest finding counts, and none from before a good sign-in. */
static void an_old_password_is_forgotten(void **state)
{
	static const struct activity_finding findings[] = { { 5, NOW - 9 * DAY }, { 4, 0 },
		{ 8, NOW - 9 * DAY } };
	static const struct seen events[] = {
		{ 10, SERVICE_IMAPS, WRONG, 0, TBIRD, "203.0.113.9", 4 },
		{ 20, SERVICE_IMAPS, WRONG, 0, TBIRD, "203.0.113.9", 5 },
		{ 30, SERVICE_SUBMISSION, WRONG, 0, OUTLOOK, "203.0.113.9", 6 },
		{ 40, SERVICE_SUBMISSION, OK, 0, OUTLOOK, "203.0.113.9", 7 },
		{ 50, SERVICE_SUBMISSION, WRONG, 0, OUTLOOK, "203.0.113.9", 8 },
	};
	const struct activity_device *devices;

	for (size_t i = 0; i < GP_ARRAY_LEN(findings); i++)
		activity_add_finding(*state, &findings[i]);
	for (size_t i = 0; i < GP_ARRAY_LEN(events); i++)
		add(*state, &events[i]);
	devices = finish(*state, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(devices[i].old_password_at, 0);
		assert_int_equal(devices[i].why, ACTIVITY_WRONG);
	}
}

/* However many strangers guess, the account's own devices stay in sight. */
static void strangers_hide_no_device(void **state)
{
	struct seen stranger = { 0, SERVICE_SUBMISSION, WRONG, 0, "x", NULL, 1 };
	struct seen own = { 30 * DAY, SERVICE_IMAPS, OK, 0, TBIRD, "203.0.113.9", 2 };
	struct seen failing = { 31 * DAY, SERVICE_SUBMISSION, WRONG, 0, OUTLOOK, "203.0.113.5", 3 };
	const struct activity_device *devices;
	unsigned many = ACTIVITY_STRANGERS_MAX + 30;
	char client[32];

	for (unsigned i = 0; i < many; i++) {
		(void)snprintf(client, sizeof client, "10.%u.%u.1", i / 250, i % 250);
		stranger.client = client;
		stranger.ago = i;
		add(*state, &stranger);
	}
	add(*state, &own);
	add(*state, &failing); /* from a network of its own: no stranger */
	devices = finish(*state, 2 + ACTIVITY_STRANGERS_MAX + 1);
	assert_string_equal(devices[0].family->words, "Thunderbird");
	assert_string_equal(devices[1].family->code, "windows");
	assert_true(devices[1].is_proven);
	assert_int_equal(devices[2].last_at, NOW);
	assert_false(devices[2].is_proven);
	assert_true(devices[2 + ACTIVITY_STRANGERS_MAX].is_others);
	assert_string_equal(devices[2 + ACTIVITY_STRANGERS_MAX].key, "others");
	assert_int_equal(devices[2 + ACTIVITY_STRANGERS_MAX].failures, 30);
	assert_int_equal(devices[2 + ACTIVITY_STRANGERS_MAX].last_at, NOW - ACTIVITY_STRANGERS_MAX);
	assert_int_equal(devices[2 + ACTIVITY_STRANGERS_MAX].first_at, NOW - many + 1);
}

static void the_table_is_bounded(void **state)
{
	struct seen stranger = { 0, SERVICE_SUBMISSION, WRONG, 0, "x", NULL, 1 };
	const struct activity_device *devices;
	char client[32];

	for (unsigned i = 0; i < ACTIVITY_GROUPS_MAX + 5; i++) {
		(void)snprintf(client, sizeof client, "10.%u.%u.1", i / 250, i % 250);
		stranger.client = client;
		stranger.ago = i;
		add(*state, &stranger);
	}
	devices = finish(*state, ACTIVITY_STRANGERS_MAX + 1);
	assert_int_equal(devices[ACTIVITY_STRANGERS_MAX].failures,
		ACTIVITY_GROUPS_MAX + 5 - ACTIVITY_STRANGERS_MAX);
	assert_int_equal(devices[ACTIVITY_STRANGERS_MAX].why, ACTIVITY_WRONG);
}

static void many_devices_are_bounded(void **state)
{
	struct seen own = { 0, SERVICE_IMAPS, OK, 0, TBIRD, NULL, 1 };
	const struct activity_device *devices;
	char client[32];

	for (unsigned i = 0; i < ACTIVITY_DEVICES_MAX + 5; i++) {
		(void)snprintf(client, sizeof client, "10.0.%u.1", i);
		own.client = client;
		own.ago = i;
		add(*state, &own);
	}
	devices = finish(*state, ACTIVITY_DEVICES_MAX + 1);
	assert_int_equal(devices[ACTIVITY_DEVICES_MAX].successes, 5);
}

static void findings_are_bounded(void **state)
{
	struct seen event = { 10, SERVICE_IMAPS, WRONG, 0, TBIRD, "203.0.113.9", 0 };

	for (unsigned i = 0; i <= ACTIVITY_FINDINGS_MAX; i++)
		activity_add_finding(*state, &(struct activity_finding){ 100 + i, NOW - 9 * DAY });
	event.session = 100 + ACTIVITY_FINDINGS_MAX;
	add(*state, &event);
	assert_int_equal(finish(*state, 1)->old_password_at, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_gathered),
		cmocka_unit_test_setup_teardown(a_device_is_described, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_device_password_names_its_device, setup, teardown),
		cmocka_unit_test(reasons_become_words),
		cmocka_unit_test(a_rhythm_is_found),
		cmocka_unit_test_setup_teardown(a_rhythm_is_that_of_now, setup, teardown),
		cmocka_unit_test_setup_teardown(an_old_password_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(an_old_password_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(strangers_hide_no_device, setup, teardown),
		cmocka_unit_test_setup_teardown(the_table_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(many_devices_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(findings_are_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
