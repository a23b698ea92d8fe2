/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "store_fixture.h"

static struct slice s(const char *text)
{
	return slice_str(text);
}

static struct ip ip(const char *text)
{
	struct ip address;

	assert_int_equal(ip_parse(s(text), &address), GP_OK);
	return address;
}

static const struct store_clock same_boot = { .boot = 77, .ahead = 50 };

static struct store_event event_at(int64_t at, const char *client)
{
	return (struct store_event){ .at = at,
		.session = 0xabc,
		.client = ip(client),
		.client_port = 4321,
		.service = SERVICE_IMAPS,
		.mechanism = MECHANISM_PLAIN,
		.verdict = VERDICT_DENY,
		.reason = REASON_WRONG_PASSWORD,
		.counted = true,
		.login = s("alice"),
		.client_name = s("mutt"),
		.tls = s("TLSv1.3"),
		.detail = s(""),
		.clock = same_boot };
}

static void add(struct store *store, const struct store_event *event)
{
	assert_int_equal(store_event_add(store, event, NULL), GP_OK);
}

/* ---- writing and listing ---- */

static enum gp_err check_row(const struct store_event_row *row, void *arg)
{
	++*(unsigned *)arg;
	assert_int_equal(row->at, 500);
	assert_true(slice_is(row->session, "0000000000000abc"));
	assert_true(slice_is(row->client, "2001:db8::5"));
	assert_int_equal(row->client_port, 4321);
	assert_true(slice_is(row->source, "2001:db8::/64"));
	assert_true(slice_is(row->service, "imaps"));
	assert_true(slice_is(row->mechanism, "plain"));
	assert_true(slice_is(row->verdict, "denied"));
	assert_true(slice_is(row->reason, "wrong_password"));
	assert_true(row->counted);
	assert_true(slice_is(row->login, "a\\x00\\xff\xc3\xa9\\\\x"));
	assert_true(slice_is(row->client_name, "already\\x0aescaped"));
	assert_true(slice_is(row->address, "alice@example.test"));
	assert_true(slice_is(row->device_name, ""));
	return GP_OK;
}

static void test_row(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_event event = event_at(500, "2001:db8::5");
	unsigned count = 0;

	event.account = fixture_account(store, "alice@example.test");
	event.login = SLICE_LIT("a\0\xff\xc3\xa9\\x");
	event.client_name = s("already\\x0aescaped");
	add(store, &event);
	assert_int_equal(store_event_each(store, &(struct store_event_filter){ .limit = 5 },
				 check_row, &count),
		GP_OK);
	assert_int_equal(count, 1);
}

static enum gp_err collect(const struct store_event_row *row, void *arg)
{
	char *text = arg;

	(void)snprintf(text + strlen(text), 256 - strlen(text), "%d ", (int)row->at);
	return GP_OK;
}

static void test_filters(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_event event = event_at(1, "192.0.2.1");
	uint64_t alice = fixture_account(store, "alice@example.test");
	const struct {
		struct store_event_filter filter;
		const char *want;
	} cases[] = {
		{ { .limit = 10 }, "4 3 2 1 " },
		{ { .limit = 2 }, "4 3 " },
		{ { .limit = 10, .before = 3 }, "2 1 " },
		{ { .limit = 10, .account = alice }, "2 " },
		{ { .limit = 10, .login = s("bob") }, "3 " },
		{ { .limit = 10, .source = ip("192.0.2.1") }, "3 1 " },
		{ { .limit = 10, .source = ip("2001:db8:0:0:9::1") }, "4 " },
		{ { .limit = 10, .verdict = s("ok") }, "2 " },
		{ { .limit = 10, .reason = s("http") }, "4 " },
		{ { .limit = 10, .service = s("smtp") }, "4 " },
		{ { .limit = 10, .session = 0xffffffffffffffff }, "3 " },
		{ { .limit = 10, .since = 2, .until = 4 }, "3 2 " },
		{ { .limit = 10, .source = ip("192.0.2.1"), .since = 2 }, "3 " },
		{ { .limit = 10, .verdict = s("' OR 1=1 --") }, "" },
	};

	add(store, &event);
	event = event_at(2, "192.0.2.2");
	event.account = alice;
	event.verdict = VERDICT_OK;
	event.reason = REASON_OK;
	event.counted = false;
	add(store, &event);
	event = event_at(3, "192.0.2.1");
	event.login = s("bob");
	event.session = 0xffffffffffffffff;
	add(store, &event);
	event = event_at(4, "2001:db8::1");
	event.service = SERVICE_SMTP;
	event.reason = REASON_HTTP;
	event.counted = false;
	add(store, &event);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		char text[256] = "";

		assert_int_equal(store_event_each(store, &cases[i].filter, collect, text), GP_OK);
		assert_string_equal(text, cases[i].want);
	}
}

static void test_device_use(void **state)
{
	static const uint8_t tag[STORE_TAG_SIZE] = { 1 };
	struct store *store = ((struct fixture *)*state)->store;
	struct store_event event = event_at(1000, "192.0.2.1");
	struct store_device device = { .name = "phone", .scopes = SCOPE_ALL };
	uint64_t id = 0;
	device.account = fixture_account(store, "alice@example.test");
	assert_int_equal(store_device_add(store, &device, tag, 1, &id), GP_OK);
	event.account = device.account;
	event.device = id;
	add(store, &event); /* a failure is no use */
	assert_int_equal(store_device_find(store, device.account, tag, &device), GP_OK);
	assert_int_equal(device.used_at, 0);
	event.verdict = VERDICT_OK;
	add(store, &event);
	assert_int_equal(store_device_find(store, device.account, tag, &device), GP_OK);
	assert_int_equal(device.used_at, 1000);
	assert_string_equal(device.used_from, "192.0.2.1");
	assert_string_equal(device.used_service, service_name(event.service));
	event.at = 1030; /* within the minute: not worth a write */
	add(store, &event);
	assert_int_equal(store_device_find(store, device.account, tag, &device), GP_OK);
	assert_int_equal(device.used_at, 1000);
	event.client = ip("192.0.2.9");
	add(store, &event);
	assert_int_equal(store_device_find(store, device.account, tag, &device), GP_OK);
	assert_int_equal(device.used_at, 1030);
	assert_string_equal(device.used_from, "192.0.2.9");
}

/* ---- bans and failures ---- */

static enum gp_err collect_guess(uint64_t account, int64_t at, void *arg)
{
	char *text = arg;

	(void)snprintf(text + strlen(text), 256 - strlen(text), "%d@%d ", (int)account, (int)at);
	return GP_OK;
}

static enum gp_err collect_failure(const struct ip *source, int64_t at, unsigned weight, void *arg)
{
	char *text = arg;
	char name[IP_TEXT_SIZE];

	(void)snprintf(text + strlen(text), 256 - strlen(text), "%s@%d*%u ",
		ip_format_source(source, name), (int)at, weight);
	return GP_OK;
}

static enum gp_err collect_ban(const struct store_ban *ban, void *arg)
{
	char *text = arg;
	char name[IP_TEXT_SIZE];

	(void)snprintf(text + strlen(text), 256 - strlen(text), "%s:%d-%d:%s ",
		ip_net_format(&ban->net, name), (int)ban->set_at, (int)ban->until, ban->reason);
	return GP_OK;
}

static void test_bans(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_event event = event_at(100, "192.0.2.1");
	struct store_ban ban = {
		.net = { ip("192.0.2.1"), 32 }, .set_at = 101, .until = 200, .reason = "guesses"
	};
	struct ip_net six = { ip("2001:db8::"), 64 };
	char text[256] = "";

	event.counted = 5;
	add(store, &event);
	event = event_at(90, "2001:db8::7");
	add(store, &event);
	event.counted = false;
	event.at = 95;
	add(store, &event);
	assert_int_equal(
		store_event_each_failure(store, &same_boot, 0, collect_failure, text), GP_OK);
	assert_string_equal(text, "2001:db8::/64@90*1 192.0.2.1@100*5 ");
	text[0] = '\0';
	assert_int_equal(
		store_event_each_failure(store, &same_boot, 91, collect_failure, text), GP_OK);
	assert_string_equal(text, "192.0.2.1@100*5 ");

	text[0] = '\0';
	assert_int_equal(store_ban_keep(store, &same_boot, &ban), GP_OK);
	ban.until = 300;
	assert_int_equal(store_ban_keep(store, &same_boot, &ban), GP_OK);
	ban.net = six;
	assert_int_equal(store_ban_keep(store, &same_boot, &ban), GP_OK);
	assert_int_equal(store_ban_each(store, &same_boot, 150, collect_ban, text), GP_OK);
	assert_string_equal(text, "192.0.2.1:101-300:guesses 2001:db8::/64:101-300:guesses ");
	text[0] = '\0';
	assert_int_equal(store_ban_each(store, &same_boot, 300, collect_ban, text), GP_OK);
	assert_string_equal(text, "");

	/* lifted: its failures count no more, others' do */
	assert_int_equal(store_ban_drop(store, &same_boot, &six, 0), GP_OK);
	assert_int_equal(store_ban_drop(store, &same_boot, &six, 0), GP_OK);
	assert_int_equal(store_ban_each(store, &same_boot, 150, collect_ban, text), GP_OK);
	assert_string_equal(text, "192.0.2.1:101-300:guesses ");
	text[0] = '\0';
	assert_int_equal(
		store_event_each_failure(store, &same_boot, 0, collect_failure, text), GP_OK);
	assert_string_equal(text, "192.0.2.1@100*5 ");
}

/* An event and a ban of time 100 to 200, seen again after the wall clock was moved. */
static void test_moved_clock(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	static const struct {
		struct store_clock clock;
		int64_t since; /* and the time by that clock */
		const char *failures;
		const char *bans;
	} cases[] = {
		{ { 77, 50 }, 100, "192.0.2.1@100*1 ", "192.0.2.1:100-200: " },
		{ { 77, 50 + 86400 }, 86500, "192.0.2.1@86500*1 ", "192.0.2.1:86500-86600: " },
		{ { 77, 50 + 86400 }, 86501, "", "192.0.2.1:86500-86600: " },
		{ { 77, 50 + 86400 }, 86600, "", "" },
		{ { 77, 50 - 3600 }, -3500, "192.0.2.1@-3500*1 ", "192.0.2.1:-3500--3400: " },
		{ { 77, 50 - 3600 }, -3400, "", "" },
		/* Started since: who knows how long it was off? */
		{ { 78, 50 + 86400 }, 86500, "", "" },
		{ { 78, 9999 }, 100, "192.0.2.1@100*1 ", "192.0.2.1:100-200: " },
	};
	struct store_ban ban = { .net = { ip("192.0.2.1"), 32 }, .set_at = 100, .until = 200 };
	struct store_event event = event_at(100, "192.0.2.1");

	event.account = 5;
	event.guess = true;
	add(store, &event);
	assert_int_equal(store_ban_keep(store, &same_boot, &ban), GP_OK);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		char failures[256] = "";
		char bans[256] = "";
		char guesses[256] = "";

		assert_int_equal(store_event_each_failure(store, &cases[i].clock, cases[i].since,
					 collect_failure, failures),
			GP_OK);
		assert_string_equal(failures, cases[i].failures);
		assert_int_equal(store_event_each_guess(store, &cases[i].clock, cases[i].since,
					 collect_guess, guesses),
			GP_OK);
		assert_int_equal(guesses[0] == '\0', failures[0] == '\0');
		assert_int_equal(
			store_ban_each(store, &cases[i].clock, cases[i].since, collect_ban, bans),
			GP_OK);
		assert_string_equal(bans, cases[i].bans);
	}
}

/* A ban that only the moved clock takes for over is not swept away. */
static void test_sweep_with_a_moved_clock(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_retention retention = {
		.max_rows = 100, .batch = 10, .now = 86500, .clock = { 77, 50 + 86400 }
	};
	struct store_ban ban = { .net = { ip("192.0.2.1"), 32 }, .set_at = 100, .until = 200 };
	char text[256] = "";
	bool is_more = false;

	assert_int_equal(store_ban_keep(store, &same_boot, &ban), GP_OK);
	assert_int_equal(store_sweep(store, &retention, &is_more), GP_OK);
	assert_int_equal(store_ban_each(store, &same_boot, 0, collect_ban, text), GP_OK);
	assert_string_equal(text, "192.0.2.1:100-200: ");
	retention.now = 86600;
	assert_int_equal(store_sweep(store, &retention, &is_more), GP_OK);
	text[0] = '\0';
	assert_int_equal(store_ban_each(store, &same_boot, 0, collect_ban, text), GP_OK);
	assert_string_equal(text, "");
}

/* A network is forgiven as a whole, and no source beside it. */
static void test_drop_aggregate(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct ip_net net = { ip("2001:db8:1:100::"), 56 };
	struct store_ban ban = { .net = net, .set_at = 1, .until = 200 };
	static const char *const clients[] = { "2001:db8:1:101::1", "2001:db8:1:1ff::1",
		"2001:db8:1:200::1", "192.0.2.1" };
	char text[256] = "";

	for (unsigned i = 0; i < 4; i++) {
		struct store_event event = event_at((int)(100 + i), clients[i]);

		add(store, &event);
	}
	assert_int_equal(store_ban_keep(store, &same_boot, &ban), GP_OK);
	assert_int_equal(store_ban_each(store, &same_boot, 0, collect_ban, text), GP_OK);
	assert_string_equal(text, "2001:db8:1:100::/56:1-200: ");
	assert_int_equal(store_ban_drop(store, &same_boot, &net, 101), GP_OK);
	text[0] = '\0';
	assert_int_equal(store_ban_each(store, &same_boot, 0, collect_ban, text), GP_OK);
	assert_string_equal(text, "");
	assert_int_equal(
		store_event_each_failure(store, &same_boot, 0, collect_failure, text), GP_OK);
	/* The first is older than what was asked for. */
	assert_string_equal(text, "2001:db8:1:101::/64@100*1 2001:db8:1:200::/64@102*1 "
				  "192.0.2.1@103*1 ");
}

/* ---- known sources and guesses ---- */

static uint64_t add_account(struct store *store, const char *address)
{
	struct store_account account = { .role = "user" };
	struct store_domain domain;
	uint64_t id = 0;

	if (store_domain_find(store, SLICE_LIT("known.test"), &domain) != GP_OK)
		assert_int_equal(
			store_domain_add(store, SLICE_LIT("known.test"), SLICE_LIT(""), 1, &id),
			GP_OK);
	assert_true(slice_copy(slice_str(address), account.address, sizeof account.address));
	assert_int_equal(store_account_add(store, &account, 1, &id), GP_OK);
	return id;
}

static bool is_known(struct store *store, uint64_t account, const char *client, int64_t since)
{
	struct ip source = ip(client);
	bool is = false;

	assert_int_equal(store_known_find(store, account, &source, since, &is), GP_OK);
	return is;
}

static void test_known(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t id = add_account(store, "alice@known.test");
	uint64_t other = add_account(store, "bob@known.test");
	struct store_event event = event_at(100000, "2001:db8::7");

	event.account = id;
	event.verdict = VERDICT_DENY;
	add(store, &event);
	assert_false(is_known(store, id, "2001:db8::7", 0));
	event.verdict = VERDICT_OK;
	add(store, &event);
	/* The /64, for this account, for so long. */
	assert_true(is_known(store, id, "2001:db8::9", 100000));
	assert_false(is_known(store, other, "2001:db8::9", 0));
	assert_false(is_known(store, id, "2001:db8:0:1::9", 0));
	assert_false(is_known(store, id, "2001:db8::9", 100001 + STORE_KNOWN_STEP));
	event.at = 100001 + STORE_KNOWN_STEP;
	add(store, &event);
	assert_true(is_known(store, id, "2001:db8::9", 100001 + STORE_KNOWN_STEP));
	/* An account that is gone is no fault of the event's. */
	event.account = 999;
	add(store, &event);
	assert_false(is_known(store, 999, "2001:db8::9", 0));
	assert_int_equal(store_known_sweep(store, 100001 + 2 * STORE_KNOWN_STEP), GP_OK);
	assert_true(is_known(store, id, "2001:db8::9", 0));
	assert_int_equal(store_known_sweep(store, 100002 + 2 * STORE_KNOWN_STEP), GP_OK);
	assert_false(is_known(store, id, "2001:db8::9", 0));
}

static void test_known_bound(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t id = add_account(store, "alice@known.test");

	assert_int_equal(store_begin(store, STORE_RELAXED), GP_OK);
	for (unsigned i = 0; i < STORE_KNOWN_MAX + 10; i++) {
		struct ip source = { IP_V4, { 10, 0, (uint8_t)(i / 256), (uint8_t)(i % 256) } };

		assert_int_equal(store_known_note(store, id, &source, 1000 + i, NULL), GP_OK);
	}
	assert_int_equal(store_commit(store), GP_OK);
	assert_false(is_known(store, id, "10.0.0.9", 0));
	assert_true(is_known(store, id, "10.0.0.10", 0));
}

static void test_guesses(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint64_t id = add_account(store, "alice@known.test");
	struct store_retention retention = {
		.before = 500, .max_rows = 1000, .keep = 500, .keep_guesses = 200, .now = 500
	};
	struct store_event event = event_at(100, "192.0.2.1");
	char text[256] = "";
	bool is_more = false;

	event.account = id;
	event.guess = true;
	add(store, &event);
	event.at = 300;
	add(store, &event);
	event.guess = false;
	add(store, &event);
	assert_int_equal(
		store_event_each_guess(store, &same_boot, 101, collect_guess, text), GP_OK);
	assert_int_equal(store_event_each_guess(store, &same_boot, 0, collect_guess, text), GP_OK);
	assert_string_equal(text, "1@300 1@100 1@300 ");
	retention.batch = 10;
	assert_int_equal(store_sweep(store, &retention, &is_more), GP_OK);
	text[0] = '\0';
	assert_int_equal(store_event_each_guess(store, &same_boot, 0, collect_guess, text), GP_OK);
	assert_string_equal(text, "1@300 ");
	/* They were about the old password. */
	assert_int_equal(store_account_set_password(store, id, "new", 400), GP_OK);
	text[0] = '\0';
	assert_int_equal(store_event_each_guess(store, &same_boot, 0, collect_guess, text), GP_OK);
	assert_string_equal(text, "");
}

/* ---- retention ---- */

static unsigned count_events(struct store *store)
{
	char text[256] = "";
	unsigned count = 0;

	assert_int_equal(
		store_event_each(store, &(struct store_event_filter){ .limit = 40 }, collect, text),
		GP_OK);
	for (const char *at = text; *at != '\0'; at++)
		count += *at == ' ';
	return count;
}

static void test_sweep(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct store_retention retention = {
		.before = 10, .max_rows = 1000, .keep = 100, .now = 100, .batch = 4
	};
	struct store_ban ban = { .net = { ip("192.0.2.1"), 32 }, .set_at = 1, .until = 100 };
	struct store_event event;
	char text[256] = "";
	bool is_more = false;

	for (int i = 0; i < 30; i++) {
		event = event_at(i, "192.0.2.1");
		add(store, &event);
	}
	assert_int_equal(store_ban_keep(store, &same_boot, &ban), GP_OK);
	assert_int_equal(store_sweep(store, &retention, &is_more), GP_OK);
	assert_true(is_more);
	assert_int_equal(count_events(store), 26);
	assert_int_equal(store_sweep(store, &retention, &is_more), GP_OK);
	assert_int_equal(store_sweep(store, &retention, &is_more), GP_OK);
	assert_false(is_more);
	assert_int_equal(count_events(store), 20);
	assert_int_equal(store_ban_each(store, &same_boot, 0, collect_ban, text), GP_OK);
	assert_string_equal(text, "");

	retention.max_rows = 5;
	retention.batch = 100;
	retention.keep = 22; /* what may still count stays, whatever the limit */
	assert_int_equal(store_sweep(store, &retention, &is_more), GP_OK);
	assert_int_equal(count_events(store), 8);
	retention.keep = 100;
	assert_int_equal(store_sweep(store, &retention, &is_more), GP_OK);
	assert_false(is_more);
	assert_int_equal(count_events(store), 5);
}

/* ---- durability ---- */

/* Writes events and says after each commit how many; never closes anything. */
static _Noreturn void write_for_ever(const char *path, int out)
{
	struct store *store = NULL;

	if (store_open(path, &store, NULL) != GP_OK)
		_exit(1);
	for (int i = 0; i < 10000; i++) {
		struct store_event event = event_at(i, "192.0.2.1");

		if (store_begin(store, STORE_RELAXED) != GP_OK ||
			store_event_add(store, &event, NULL) != GP_OK ||
			store_commit(store) != GP_OK || write(out, "x", 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static enum gp_err count_failure(const struct ip *source, int64_t at, unsigned weight, void *arg)
{
	(void)source;
	(void)weight;
	(void)at;
	++*(unsigned *)arg;
	return GP_OK;
}

static void test_kill(void **state)
{
	struct fixture *fixture = *state;
	unsigned told = 0;
	unsigned kept = 0;
	int status = 0;
	int pipe_fds[2];
	pid_t child;
	char byte;

	store_close(&fixture->store);
	assert_int_equal(pipe(pipe_fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		write_for_ever(fixture->path, pipe_fds[1]);
	(void)close(pipe_fds[1]);
	while (told < 50 && read(pipe_fds[0], &byte, 1) == 1)
		told++;
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	while (read(pipe_fds[0], &byte, 1) == 1)
		told++;
	(void)close(pipe_fds[0]);
	assert_int_equal(store_open(fixture->path, &fixture->store, NULL), GP_OK);
	assert_int_equal(
		store_event_each_failure(fixture->store, &same_boot, 0, count_failure, &kept),
		GP_OK);
	assert_true(told >= 50);
	assert_in_range(kept, told, told + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_row),
		TEST(test_filters),
		TEST(test_device_use),
		TEST(test_bans),
		TEST(test_moved_clock),
		TEST(test_sweep_with_a_moved_clock),
		TEST(test_drop_aggregate),
		TEST(test_known),
		TEST(test_known_bound),
		TEST(test_guesses),
		TEST(test_sweep),
		TEST(test_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
