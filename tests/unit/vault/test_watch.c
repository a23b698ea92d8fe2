/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/store_activity.h"
#include "vault/watch.h"
#include "vault_fixture.h"

enum {
	NOW = 1800000000,
	ALICE = 1,
	BOB = 2,
};

#define HERE      "203.0.113.9"
#define ELSEWHERE "198.51.100.7"

static int setup(void **state)
{
	struct fixture *fixture;
	int failed = fixture_setup(state);

	if (failed != 0)
		return failed;
	fixture = *state;
	clock_fake(NOW, 1000);
	assert_int_equal(fixture_op(fixture, "account.add",
				 "{\"address\":\"alice@example.test\",\"create_domain\":true}"),
		GP_OK);
	assert_int_equal(fixture_op(fixture, "account.add",
				 "{\"address\":\"alice@other.test\",\"create_domain\":true}"),
		GP_OK);
	fixture->asker = ALICE;
	fixture->role = ROLE_USER;
	fixture->source = HERE;
	return 0;
}

static uint64_t seen(struct fixture *fixture, uint64_t account, const char *client,
	const char *login, enum reason reason, enum mechanism mechanism)
{
	static uint64_t sessions = 0xb000000000000000;
	struct store_event event = { .at = NOW,
		.session = ++sessions,
		.service = SERVICE_SUBMISSION,
		.mechanism = mechanism,
		.verdict = reason == REASON_OK ? VERDICT_OK : VERDICT_DENY,
		.reason = reason,
		.account = account,
		.login = slice_str(login),
		.client_name = SLICE_LIT("secret-host"),
		.detail = SLICE_LIT("NTLM") };

	assert_int_equal(ip_parse(slice_str(client), &event.client), GP_OK);
	assert_int_equal(store_event_add(fixture->vault.store, &event, NULL), GP_OK);
	return event.session;
}

static void watch(struct fixture *fixture, unsigned rows)
{
	assert_int_equal(fixture_op(fixture, "self.watch", "{\"after\":0}"), GP_OK);
	if (fixture->row_count != rows + 1)
		fail_msg("%u rows wanted: %s", rows, fixture->rows);
}

static void has(struct fixture *fixture, const char *part)
{
	if (strstr(fixture->rows, part) == NULL)
		fail_msg("%s is not in %s", part, fixture->rows);
}

static void has_not(struct fixture *fixture, const char *part)
{
	if (strstr(fixture->rows, part) != NULL)
		fail_msg("%s is in %s", part, fixture->rows);
}

static void own_events_are_told_in_full(void **state)
{
	struct fixture *fixture = *state;
	uint64_t session;

	seen(fixture, ALICE, ELSEWHERE, "alice", REASON_OK, MECHANISM_LOGIN);
	watch(fixture, 1);
	has(fixture, "\"what\":\"ok\",\"login\":\"alice\",\"name_form\":\"local\","
		     "\"mechanism\":\"login\"");
	has(fixture, "\"is_here\":false");
	has(fixture, "\"client_name\":\"secret-host\"");
	session = seen(
		fixture, ALICE, HERE, "alice@example.test", REASON_WRONG_PASSWORD, MECHANISM_PLAIN);
	watch(fixture, 2);
	has(fixture, "\"is_here\":true,\"what\":\"wrong_password\"");
	has(fixture, "\"old_password_at\":null");
	const struct store_finding finding = { .account = ALICE,
		.source = { .family = IP_NONE },
		.protocol = PROTOCOL_SMTP,
		.session = session,
		.at = NOW,
		.changed_at = NOW - 60 };

	assert_int_equal(store_finding_set(fixture->vault.store, &finding), GP_OK);
	watch(fixture, 2);
	has(fixture, "\"old_password_at\":\"2027-01-15T07:59:00Z\"");
}

static void others_are_not_told(void **state)
{
	struct fixture *fixture = *state;

	seen(fixture, BOB, HERE, "bob", REASON_WRONG_PASSWORD, MECHANISM_PLAIN);
	seen(fixture, 0, HERE, "nobody", REASON_UNKNOWN_ACCOUNT, MECHANISM_PLAIN);
	seen(fixture, BOB, HERE, "alice@other.test", REASON_OK, MECHANISM_PLAIN);
	seen(fixture, 0, ELSEWHERE, "", REASON_MECHANISM, MECHANISM_NONE);
	seen(fixture, 0, ELSEWHERE, "alice@nowhere.test", REASON_UNKNOWN_ACCOUNT, MECHANISM_PLAIN);
	watch(fixture, 0);
}

/* What two rows say, but for number, time and the name that was typed. */
static void a_name_like_ones_own_says_nothing_of_its_owner(void **state)
{
	static const char tail[] = "\"what\":\"other_name\",\"login\":\"alice@%s.test\","
				   "\"name_form\":\"other\",\"mechanism\":null,\"device\":null,"
				   "\"client_name\":null,\"old_password_at\":null}";
	struct fixture *fixture = *state;
	char part[256];

	seen(fixture, BOB, HERE, "alice@other.test", REASON_TWOFACTOR, MECHANISM_PLAIN);
	seen(fixture, 0, HERE, "alice@nowhere.test", REASON_UNKNOWN_ACCOUNT, MECHANISM_PLAIN);
	watch(fixture, 2);
	(void)snprintf(part, sizeof part, tail, "other");
	has(fixture, part);
	(void)snprintf(part, sizeof part, tail, "nowhere");
	has(fixture, part);
}

static void what_came_before_any_name(void **state)
{
	struct fixture *fixture = *state;

	seen(fixture, 0, HERE, "", REASON_MECHANISM, MECHANISM_NONE);
	watch(fixture, 1);
	has(fixture, "\"what\":\"mechanism\",\"login\":null,\"name_form\":null,"
		     "\"mechanism\":\"NTLM\"");
	has_not(fixture, "secret-host");
	seen(fixture, 0, HERE, "", REASON_NO_TLS, MECHANISM_NONE);
	watch(fixture, 2);
	has(fixture, "\"what\":\"no_tls\",\"login\":null,\"name_form\":null,\"mechanism\":null");
	/* Nowhere: no network to share. */
	fixture->source = NULL;
	watch(fixture, 0);
}

static void only_what_is_new(void **state)
{
	struct fixture *fixture = *state;
	char arguments[64];
	unsigned long long id = 0;

	assert_int_equal(fixture_op(fixture, "self.watch", ""), GP_OK);
	assert_string_equal(fixture->rows, "{\"kind\":\"now\",\"id\":0}\n");
	for (int i = 0; i < 40; i++) {
		seen(fixture, ALICE, HERE, "alice", REASON_OK, MECHANISM_PLAIN);
		seen(fixture, 0, HERE, "", REASON_NO_TLS, MECHANISM_NONE);
	}
	watch(fixture, 2 * WATCH_ROWS_MAX);
	assert_int_equal(fixture_op(fixture, "self.watch", ""), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_int_equal(sscanf(fixture->rows, "{\"kind\":\"now\",\"id\":%llu}", &id), 1);
	seen(fixture, ALICE, HERE, "alice", REASON_OK, MECHANISM_PLAIN);
	(void)snprintf(arguments, sizeof arguments, "{\"after\":%llu}", id);
	assert_int_equal(fixture_op(fixture, "self.watch", arguments), GP_OK);
	assert_int_equal(fixture->row_count, 2);
	/* Of a flood in the same network not all is looked at. */
	for (int i = 0; i < WATCH_LOOK_MAX; i++)
		seen(fixture, 0, HERE, "nobody", REASON_UNKNOWN_ACCOUNT, MECHANISM_PLAIN);
	watch(fixture, WATCH_ROWS_MAX);
}

static void a_letter_to_oneself(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < TEST_MESSAGES_MAX; i++)
		assert_int_equal(fixture_op(fixture, "self.test_message", ""), GP_OK);
	assert_int_equal(fixture_op(fixture, "self.test_message", ""), GP_ERR_LIMIT);
	fixture_run(fixture);
	assert_string_equal(fixture->notice_recipient, "alice@example.test");
	assert_non_null(strstr(fixture->letter, "Subject: Your test message has arrived"));
	/* Somebody else's letters are their own. */
	fixture->asker = BOB;
	assert_int_equal(fixture_op(fixture, "self.test_message", ""), GP_OK);
	fixture->asker = ALICE;
	clock_fake(NOW + TEST_MESSAGES_SPAN, 1000);
	assert_int_equal(fixture_op(fixture, "self.test_message", ""), GP_ERR_LIMIT);
	clock_fake(NOW + TEST_MESSAGES_SPAN + 1, 1000);
	assert_int_equal(fixture_op(fixture, "self.test_message", ""), GP_OK);
	fixture->config.notices = false;
	assert_int_equal(fixture_op(fixture, "self.test_message", ""), GP_ERR_UNSUPPORTED);
}

static void decided(struct fixture *fixture, enum notice_outcome outcome, const char *text)
{
	struct ipc_message message = { .type = IPC_NOTICE_DONE };

	message.notice_done = (struct ipc_notice_done){
		.notice = fixture->notice, .outcome = (uint8_t)outcome, .text = slice_str(text)
	};
	fixture_post(fixture, &message);
	fixture_run(fixture);
}

static void show(struct fixture *fixture, const char *state)
{
	char value[512];

	assert_int_equal(fixture_op(fixture, "self.test_show", ""), GP_OK);
	assert_int_equal(fixture->row_count, 1);
	assert_string_equal(fixture_value(fixture, "state", value), state);
}

static void what_became_of_the_letter(void **state)
{
	struct fixture *fixture = *state;
	char id[512];
	char value[512];

	assert_int_equal(fixture_op(fixture, "self.test_show", ""), GP_ERR_NOT_FOUND);
	assert_int_equal(fixture_op(fixture, "self.test_message", ""), GP_OK);
	assert_int_equal(strlen(fixture_value(fixture, "id", id)), 2 * TEST_MESSAGE_ID_BYTES);
	fixture_run(fixture);
	show(fixture, "waiting");
	assert_string_equal(fixture_value(fixture, "id", value), id);
	has(fixture, "\"done_at\":null,\"said\":null");
	/* Nobody else's business. */
	fixture->asker = BOB;
	assert_int_equal(fixture_op(fixture, "self.test_show", ""), GP_ERR_NOT_FOUND);
	fixture->asker = ALICE;
	decided(fixture, NOTICE_TEMPORARY, "try later");
	show(fixture, "waiting");
	has_not(fixture, "later");
	clock_fake(NOW + 60, 61 * 1000);
	outbox_wake(&fixture->vault);
	fixture_run(fixture);
	decided(fixture, NOTICE_SENT, "2.0.0 Saved");
	show(fixture, "taken");
	has(fixture, "\"at\":\"2027-01-15T08:00:00Z\"");
	has(fixture, "\"done_at\":\"2027-01-15T08:01:00Z\",\"said\":null");
	/* The next one has an id of its own. */
	assert_int_equal(fixture_op(fixture, "self.test_message", ""), GP_OK);
	assert_string_not_equal(fixture_value(fixture, "id", value), id);
	show(fixture, "waiting");
	/* Long since done with, it is forgotten. */
	fixture_run(fixture);
	decided(fixture, NOTICE_SENT, "2.0.0 Saved");
	clock_fake(NOW + 60 + OUTBOX_DONE_S + 1, 1000L * (61 + OUTBOX_DONE_S));
	outbox_wake(&fixture->vault);
	fixture_run(fixture);
	assert_int_equal(fixture_op(fixture, "self.test_show", ""), GP_ERR_NOT_FOUND);
}

static void a_refusal_is_told_in_clean_words(void **state)
{
	static const struct {
		const char *text, *row; /* what stands in it */
	} cases[] = {
		{ "5.1.1 no such\nuser <x>", "\"said\":\"5.1.1 no such user <x>\"" },
		{ "bell\a and \xff", "\"said\":\"bell\\\\x07 and \\\\xff\"" },
		{ "", "\"said\":null" },
	};
	struct fixture *fixture = *state;
	char value[512];
	char long_text[IPC_NOTICE_TEXT_MAX + 1] = "";

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(fixture_op(fixture, "self.test_message", ""), GP_OK);
		fixture_run(fixture);
		decided(fixture, NOTICE_REFUSED, cases[i].text);
		show(fixture, "refused");
		has(fixture, cases[i].row);
	}
	memset(long_text, '\x01', sizeof long_text - 1);
	assert_int_equal(fixture_op(fixture, "self.test_message", ""), GP_OK);
	fixture_run(fixture);
	decided(fixture, NOTICE_REFUSED, long_text);
	show(fixture, "refused");
	has(fixture, "x01...\"");
	assert_true(
		strlen(fixture_value(fixture, "said", value)) < (size_t)2 * STORE_OUTBOX_SAID_SIZE);
}

static void a_full_outbox_is_said(void **state)
{
	struct fixture *fixture = *state;
	struct store_outbox row = {
		.recipient = "x@y.test", .kind = "new_network", .due_at = INT64_MAX
	};
	uint64_t id = 0;

	assert_int_equal(store_begin(fixture->vault.store, STORE_DURABLE), GP_OK);
	for (int i = 0; i < STORE_OUTBOX_MAX; i++)
		assert_int_equal(store_outbox_add(fixture->vault.store, &row, &id), GP_OK);
	assert_int_equal(store_commit(fixture->vault.store), GP_OK);
	assert_int_equal(fixture_op(fixture, "self.test_message", ""), GP_ERR_BUSY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(own_events_are_told_in_full),
		TEST(others_are_not_told),
		TEST(a_name_like_ones_own_says_nothing_of_its_owner),
		TEST(what_came_before_any_name),
		TEST(only_what_is_new),
		TEST(a_letter_to_oneself),
		TEST(what_became_of_the_letter),
		TEST(a_refusal_is_told_in_clean_words),
		TEST(a_full_outbox_is_said),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
