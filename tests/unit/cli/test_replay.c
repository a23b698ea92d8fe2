/* SPDX-License-Identifier: ISC */
/* Lines of Postfix logs and JSON lines, and what comes of them. All lines are our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "cli/replay_file.h"
#include "cli/replay_line.h"
#include "cli/replay_report.h"

enum {
	NEWEST = 1767571200, /* 2026-01-05 */
	JAN_2 = 1767312000,
	DAY = 86400,
};

/* ---- lines ---- */

struct line_case {
	const char *line;
	enum replay_kind kind;
	int64_t at;
	const char *queue_id;
	const char *account;
	const char *sender;
	const char *recipient;
	const char *source;
	enum replay_result result;
};

#define T "Jan  2 09:00:05 mx "

static const struct line_case line_cases[] = {
	{ T "postfix/submission/smtpd[99]: 4F1A2B3C4D: client=pc.example.test[203.0.113.9], "
	    "sasl_method=PLAIN, sasl_username=alice@example.test",
		REPLAY_SUBMITTED, JAN_2 + 32405, "4F1A2B3C4D", "alice@example.test", "", "",
		"203.0.113.9", REPLAY_SENT },
	{ T "postfix/smtps/smtpd[99]: 3ZkyQh5YXyz2F: client=unknown[2001:db8::9], "
	    "sasl_method=LOGIN, sasl_username=bob, sasl_sender=bob@example.test",
		REPLAY_SUBMITTED, JAN_2 + 32405, "3ZkyQh5YXyz2F", "bob", "", "", "2001:db8::9",
		REPLAY_SENT },
	{ T "postfix/smtpd[99]: 4F1A2B3C4D: client=mx.example.net[198.51.100.7]", REPLAY_NOTHING, 0,
		"", "", "", "", "none", REPLAY_SENT },
	{ "2026-01-02T10:00:05.123456+01:00 mx postfix/qmgr[7]: 4F1A2B3C4D: "
	  "from=<alice@example.test>, size=1024, nrcpt=2 (queue active)",
		REPLAY_QUEUED, JAN_2 + 32405, "4F1A2B3C4D", "", "alice@example.test", "", "none",
		REPLAY_SENT },
	{ "2026-01-02T09:00:05Z mx postfix/qmgr[7]: 4F1A2B3C4D: from=<>, size=5, nrcpt=1 (queue "
	  "active)",
		REPLAY_QUEUED, JAN_2 + 32405, "4F1A2B3C4D", "", "", "", "none", REPLAY_SENT },
	{ T "postfix/qmgr[7]: 4F1A2B3C4D: removed", REPLAY_REMOVED, JAN_2 + 32405, "4F1A2B3C4D", "",
		"", "", "none", REPLAY_SENT },
	{ T "postfix/smtp[5]: 4F1A2B3C4D: to=<bob@example.net>, "
	    "relay=mx.example.net[198.51.100.1]:25, delay=1.2, delays=0.1/0/0.5/0.6, dsn=2.0.0, "
	    "status=sent (250 2.0.0 Ok: queued as 77)",
		REPLAY_DELIVERY, JAN_2 + 32405, "4F1A2B3C4D", "", "", "bob@example.net", "none",
		REPLAY_SENT },
	{ T "postfix/smtp[5]: 4F1A2B3C4D: to=<nobody@example.net>, orig_to=<x@example.test>, "
	    "relay=mx.example.net[198.51.100.1]:25, delay=1, dsn=5.1.1, status=bounced (host "
	    "mx.example.net[198.51.100.1] said: 550 5.1.1 <nobody@example.net>: Recipient address "
	    "rejected: User unknown (in reply to RCPT TO command))",
		REPLAY_DELIVERY, JAN_2 + 32405, "4F1A2B3C4D", "", "", "nobody@example.net", "none",
		REPLAY_UNKNOWN },
	{ T "postfix/smtp[5]: 4F1A2B3C4D: to=<b@example.net>, relay=none, dsn=5.7.1, "
	    "status=bounced (host mx said: 554 5.7.1 Message rejected as SPAM)",
		REPLAY_DELIVERY, JAN_2 + 32405, "4F1A2B3C4D", "", "", "b@example.net", "none",
		REPLAY_SPAM },
	{ T "postfix/lmtp[5]: 4F1A2B3C4D: to=<b@example.net>, relay=none, dsn=5.2.2, "
	    "status=bounced (mailbox full)",
		REPLAY_DELIVERY, JAN_2 + 32405, "4F1A2B3C4D", "", "", "b@example.net", "none",
		REPLAY_REFUSED },
	{ T "postfix/smtp[5]: 4F1A2B3C4D: to=<b@example.net>, relay=none, delay=30, dsn=4.4.1, "
	    "status=deferred (connect to mx[198.51.100.1]:25: Connection timed out)",
		REPLAY_DELIVERY, JAN_2 + 32405, "4F1A2B3C4D", "", "", "b@example.net", "none",
		REPLAY_DEFERRED },
	/* A recipient that would like to be a status. */
	{ T "postfix/smtp[5]: 4F1A2B3C4D: to=<\"a, status=sent (\"@example.net>, relay=none, "
	    "dsn=5.1.1, status=bounced (no)",
		REPLAY_DELIVERY, JAN_2 + 32405, "4F1A2B3C4D", "", "",
		"\"a, status=sent (\"@example.net", "none", REPLAY_UNKNOWN },
	{ T "postfix/submission/smtpd[9]: NOQUEUE: reject: RCPT from pc.example.test[203.0.113.9]: "
	    "553 5.7.1 <boss@bank.example>: Sender address rejected: not owned by user "
	    "alice@example.test; from=<boss@bank.example> to=<b@example.net> proto=ESMTP "
	    "helo=<pc>",
		REPLAY_FORGED, JAN_2 + 32405, "NOQUEUE", "alice@example.test", "boss@bank.example",
		"", "203.0.113.9", REPLAY_SENT },
	{ T "postfix/smtpd[9]: NOQUEUE: reject: RCPT from x[198.51.100.3]: 554 5.7.1 Relay access "
	    "denied; from=<a@b> to=<c@d> proto=SMTP helo=<x>",
		REPLAY_NOTHING, 0, "", "", "", "", "none", REPLAY_SENT },
	{ T "postfix/smtpd[9]: connect from unknown[198.51.100.3]", REPLAY_NOTHING, 0, "", "", "",
		"", "none", REPLAY_SENT },
	{ T "postfix/cleanup[9]: 4F1A2B3C4D: message-id=<1@example.test>", REPLAY_NOTHING, 0, "",
		"", "", "", "none", REPLAY_SENT },
	{ T "dovecot: imap-login: Login: user=<alice>", REPLAY_NOTHING, 0, "", "", "", "", "none",
		REPLAY_SENT },
	{ "Jan 32 09:00:05 mx postfix/qmgr[7]: 4F1A2B3C4D: removed", REPLAY_NOTHING, 0, "", "", "",
		"", "none", REPLAY_SENT },
	{ "Jax  2 09:00:05 mx postfix/qmgr[7]: 4F1A2B3C4D: removed", REPLAY_NOTHING, 0, "", "", "",
		"", "none", REPLAY_SENT },
	{ "2026-13-02T09:00:05Z mx postfix/qmgr[7]: 4F1A2B3C4D: removed", REPLAY_NOTHING, 0, "", "",
		"", "", "none", REPLAY_SENT },
	{ T "postfix/qmgr[7]: 4F../..: removed", REPLAY_NOTHING, 0, "", "", "", "", "none",
		REPLAY_SENT },
	{ T "postfix/qmgr", REPLAY_NOTHING, 0, "", "", "", "", "none", REPLAY_SENT },
	{ "", REPLAY_NOTHING, 0, "", "", "", "", "none", REPLAY_SENT },
};

static void postfix_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(line_cases); i++) {
		const struct line_case *one = &line_cases[i];
		char source[IP_TEXT_SIZE];
		struct replay_line line;
		struct replay_year year;

		replay_year_init(&year, NEWEST);
		replay_line_parse(slice_str(one->line), &year, &line);
		if (line.kind != one->kind || line.at != one->at || line.result != one->result ||
			!slice_is(line.queue_id, one->queue_id) ||
			!slice_is(line.account, one->account) ||
			!slice_is(line.sender, one->sender) ||
			!slice_is(line.recipient, one->recipient) ||
			strcmp(ip_format(&line.source, source), one->source) != 0)
			fail_msg("%s: kind %d, result %d, \"%.*s\" from %s", one->line,
				(int)line.kind, (int)line.result, SLICE_ARG(line.recipient),
				source);
	}
}

static int64_t time_of(struct replay_year *year, const char *day)
{
	char text[80];
	struct replay_line line;

	(void)snprintf(
		text, sizeof text, "%s 12:00:00 mx postfix/qmgr[7]: 4F1A2B3C4D: removed", day);
	replay_line_parse(slice_str(text), year, &line);
	assert_int_equal(line.kind, REPLAY_REMOVED);
	return line.at;
}

static void years(void **state)
{
	struct replay_year year;

	(void)state;
	replay_year_init(&year, NEWEST);
	assert_int_equal(time_of(&year, "Dec 31"), JAN_2 - 2 * DAY + DAY / 2);
	assert_int_equal(time_of(&year, "Jan  1"), JAN_2 - DAY + DAY / 2);
	assert_int_equal(time_of(&year, "Jan  2"), JAN_2 + DAY / 2);
	replay_year_init(&year, NEWEST);
	assert_int_equal(time_of(&year, "Jan  5"), JAN_2 + 3 * DAY + DAY / 2);
}

static void results(void **state)
{
	static const struct {
		const char *text;
		enum replay_result result;
	} cases[] = {
		{ "", REPLAY_SENT },
		{ "sent", REPLAY_SENT },
		{ "unknown", REPLAY_UNKNOWN },
		{ "250 2.0.0 Ok", REPLAY_SENT },
		{ "250", REPLAY_SENT },
		{ "550 5.1.1 No such user", REPLAY_UNKNOWN },
		{ "550 5.10.1 strange", REPLAY_REFUSED },
		{ "554 5.7.1 looks like Spam", REPLAY_SPAM },
		{ "554 5.7.1 not for you", REPLAY_REFUSED },
		{ "550", REPLAY_REFUSED },
		{ "451 4.3.0 later", REPLAY_DEFERRED },
		{ "nonsense", REPLAY_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		if (replay_result_parse(slice_str(cases[i].text)) != cases[i].result)
			fail_msg("%s", cases[i].text);
	}
}

static void json_lines(void **state)
{
	static const char *const bad[] = { "{", "{}", "[]", "{\"t\": 5}",
		"{\"t\": \"5\", \"account\": \"a\"}", "{\"t\": -1, \"account\": \"a\"}",
		"{\"t\": 1e30, \"account\": \"a\"}", "{\"t\": 5, \"account\": 7}",
		"{\"t\": 5, \"t\": 6, \"account\": \"a\"}", "{\"t\": 5, \"account\": \"\xff\"}" };
	struct replay_json json;

	(void)state;
	assert_true(replay_json_parse(
		SLICE_LIT("{\"t\": 5.9, \"account\": \"a@b\", \"source\": \"192.0.2.1\", "
			  "\"sender\": \"x@b\", \"recipients\": [\"c@d\", 7], \"size\": 9, "
			  "\"result\": \"550 5.1.1 no\", \"client\": \"pc\"}"),
		&json));
	assert_int_equal(json.at, 5);
	assert_true(slice_is(json.account, "a@b") && slice_is(json.sender, "x@b"));
	assert_int_equal(json.source.family, IP_V4);
	assert_int_equal(json.count, 2);
	assert_true(slice_is(replay_json_recipient(&json, 0), "c@d"));
	assert_int_equal(replay_json_recipient(&json, 1).len, 0);
	assert_int_equal(json.result, REPLAY_UNKNOWN);
	replay_json_fini(&json);
	for (size_t i = 0; i < GP_ARRAY_LEN(bad); i++) {
		if (replay_json_parse(slice_str(bad[i]), &json))
			fail_msg("%s", bad[i]);
	}
	assert_true(replay_json_parse(SLICE_LIT("{\"t\": 5, \"account\": \"a\", "
						"\"source\": \"x\", \"recipients\": {}}"),
		&json));
	assert_int_equal(json.source.family, IP_NONE);
	assert_int_equal(json.count, 0);
	replay_json_fini(&json);
}

/* ---- what comes of them ---- */

static struct config *config;

static int set_up(void **state)
{
	struct config_error error = { "" };

	(void)state;
	return config_parse(SLICE_LIT("hostname = mail.example.test\nlistener smtp { }\n"
				      "backend smtp { hosts = 127.0.0.1:1025 }\n"
				      "route \"*\" { smtp = smtp }\n"),
		       "test", &config, &error) == GP_OK
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	(void)state;
	config_free(&config);
	return 0;
}

static void take(struct replay *replay, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void take(struct replay *replay, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof line, format, args);
	va_end(args);
	replay_take(replay, slice_str(line));
}

/* A message of the account to one recipient, as Postfix logs it. */
static void log_message(struct replay *replay, int day, int minute, const char *source,
	const char *sender, const char *recipient)
{
	char at[64];

	(void)snprintf(at, sizeof at, "2026-%02d-%02dT%02d:%02d:00Z mx", 1 + day / 28, 1 + day % 28,
		9 + minute / 60, minute % 60);
	take(replay,
		"%s postfix/submission/smtpd[1]: 4F1A2B3C4D: client=x[%s], sasl_method=PLAIN, "
		"sasl_username=Alice@Example.test",
		at, source);
	take(replay, "%s postfix/qmgr[1]: 4F1A2B3C4D: from=<%s>, size=900, nrcpt=1 (queue active)",
		at, sender);
	take(replay,
		"%s postfix/smtp[1]: 4F1A2B3C4D: to=<%s>, relay=mx, dsn=4.0.0, status=deferred (x)",
		at, recipient);
	take(replay,
		"%s postfix/smtp[1]: 4F1A2B3C4D: to=<%s>, relay=mx, dsn=2.0.0, status=sent (x)", at,
		recipient);
	take(replay, "%s postfix/qmgr[1]: 4F1A2B3C4D: removed", at);
}

static const struct replay_account *only(const struct replay *replay)
{
	size_t count = 0;
	const struct replay_account **accounts = replay_accounts(replay, &count);
	const struct replay_account *one = accounts[0];

	assert_int_equal(count, 1);
	mem_free(accounts);
	return one;
}

static void make_history(struct replay *replay)
{
	char friend[32];

	replay_begin_file(replay, NEWEST);
	for (int day = 0; day < 30; day++) {
		(void)snprintf(friend, sizeof friend, "friend%d@example.net", day % 10);
		log_message(replay, day, 0, "203.0.113.9", "alice@example.test", friend);
		log_message(replay, day, 5, "203.0.113.9", "sales@example.test", friend);
	}
}

static void a_stolen_account_is_blocked(void **state)
{
	static const struct replay_options options = { .learn_days = 14 };
	struct replay *replay = replay_new(config, &options);
	const struct replay_account *account;
	char victim[32];
	struct buf out;

	(void)state;
	make_history(replay);
	assert_int_equal(only(replay)->gravest, SENDING_PASS);
	assert_int_equal(only(replay)->counts.recipients, 32);
	assert_int_equal(only(replay)->counts.passed, 32); /* the alias was learned */
	for (int i = 0; i < 60; i++) {
		(void)snprintf(victim, sizeof victim, "victim%d@example.org", i);
		log_message(replay, 31, i / 10, "198.51.100.66", "alice+x@example.test", victim);
	}
	account = only(replay);
	assert_string_equal(account->name, "alice@example.test");
	assert_int_equal(account->gravest, SENDING_BLOCK);
	assert_true(account->blocked_at >= account->asked_at && account->asked_at > 0);
	assert_true(account->counts.passed - 32 <= 20);
	assert_true(account->why.points[SENDING_ELSEWHERE] > 0);
	assert_int_equal(account->counts.recipients, 92);
	assert_int_equal(account->counts.passed + account->counts.slowed + account->counts.asked +
				 account->counts.blocked,
		92);
	buf_init(&out, 1 << 20);
	assert_int_equal(replay_report_people(replay, 0, 0, &out), GP_OK);
	assert_int_equal(replay_report_json(replay, 1, &out), GP_OK);
	assert_int_equal(buf_append_byte(&out, '\0'), GP_OK);
	assert_non_null(strstr(buf_slice(&out).data, "first-time recipients from a new network"));
	assert_non_null(strstr(buf_slice(&out).data, "\"outcome\": \"block\""));
	buf_fini(&out);
	replay_free(&replay);
}

static void a_foreign_sender_is_forged(void **state)
{
	static const struct replay_options options = { .learn_days = 14 };
	struct replay *replay = replay_new(config, &options);

	(void)state;
	make_history(replay);
	log_message(replay, 31, 0, "203.0.113.9", "boss@bank.example", "friend1@example.net");
	take(replay,
		"2026-02-04T10:00:00Z mx postfix/smtpd[9]: NOQUEUE: reject: RCPT from "
		"x[203.0.113.9]: 553 5.7.1 <a@b.example>: Sender address rejected: not owned by "
		"user alice@example.test; from=<a@b.example> to=<b@example.net> proto=ESMTP");
	assert_int_equal(only(replay)->counts.forged, 2);
	assert_int_equal(only(replay)->counts.passed, 32);
	replay_free(&replay);
}

/* The owner answers: what follows from there passes. */
static void an_answer_is_learned(void **state)
{
	static const struct replay_options options = { .learn_days = 14, .answer_s = 600 };
	struct replay *replay = replay_new(config, &options);
	char guest[32];

	(void)state;
	make_history(replay);
	for (int i = 0; i < 36; i++) {
		(void)snprintf(guest, sizeof guest, "guest%d@example.org", i);
		log_message(
			replay, 31, i < 25 ? 0 : 30, "203.0.113.9", "alice@example.test", guest);
	}
	assert_int_equal(only(replay)->gravest, SENDING_SLOW);
	for (int i = 36; i < 100; i++) {
		(void)snprintf(guest, sizeof guest, "guest%d@example.org", i);
		log_message(
			replay, 31, i < 75 ? 31 : 60, "203.0.113.9", "alice@example.test", guest);
	}
	assert_int_equal(only(replay)->gravest, SENDING_ASK);
	assert_true(only(replay)->counts.asked > 0 && only(replay)->counts.blocked == 0);
	log_message(replay, 31, 61, "203.0.113.9", "alice@example.test", "late@example.org");
	assert_int_equal(only(replay)->profile.asked_at, 0);
	replay_free(&replay);
}

static void json_and_limits(void **state)
{
	static const struct replay_options options = { .learn_days = 0 };
	struct replay *replay = replay_new(config, &options);

	(void)state;
	replay_begin_file(replay, NEWEST);
	for (int i = 0; i < 250; i++)
		take(replay,
			"{\"t\": %d, \"account\": \"bob\", \"sender\": \"bob@any.test\", "
			"\"recipients\": [\"one@example.net\"]}",
			JAN_2 + i);
	take(replay, "{\"t\": oops");
	assert_int_equal(only(replay)->counts.messages, 250);
	assert_int_equal(only(replay)->counts.passed, 200); /* messages_hour of the default plan */
	/* Who goes on beyond a limit is slowed down for that, too. */
	assert_int_equal(only(replay)->counts.limited, 40);
	assert_int_equal(only(replay)->counts.slowed, 10);
	assert_int_equal(replay_totals(replay).not_understood, 1);
	replay_free(&replay);
}

static void accounts_are_bounded(void **state)
{
	static const struct replay_options options = { .learn_days = 0 };
	struct replay *replay = replay_new(config, &options);

	(void)state;
	replay_begin_file(replay, NEWEST);
	for (int i = 0; i < REPLAY_PENDING_MAX + 10; i++)
		take(replay,
			"Jan  2 09:00:05 mx postfix/smtpd[99]: %010d: client=x[203.0.113.9], "
			"sasl_method=PLAIN, sasl_username=alice",
			i);
	take(replay, "{\"t\": 5, \"account\": \"%0321d\", \"recipients\": [\"a\"]}", 1);
	take(replay, "{\"t\": 5, \"account\": \"a\\u0000b\", \"recipients\": [\"a\"]}");
	assert_string_equal(only(replay)->name, "alice");
	replay_free(&replay);
}

/* ---- files ---- */

struct seen {
	unsigned lines;
	size_t bytes;
};

static void on_line(struct slice line, void *owner)
{
	struct seen *seen = owner;

	seen->lines++;
	seen->bytes += line.len;
}

static void on_progress(uint64_t done, void *owner)
{
	(void)done;
	(void)owner;
}

static void files(void **state)
{
	static const struct replay_file_ops ops = { on_line, on_progress };
	static char big[REPLAY_FILE_LINE_MAX + 2];
	char path[] = "/tmp/gatepost-replay-XXXXXX";
	struct seen seen = { 0 };
	uint64_t too_long = 0;
	struct gp_why why;
	int fd = mkstemp(path);
	gzFile file;

	(void)state;
	assert_true(fd >= 0);
	file = gzdopen(fd, "wb");
	memset(big, 'x', sizeof big);
	assert_int_equal(gzwrite(file, "one\n\ntwo\r\n", 10), 10);
	assert_true(gzwrite(file, big, sizeof big) > 0);
	assert_int_equal(gzwrite(file, "\nthree", 6), 6);
	assert_int_equal(gzclose(file), Z_OK);
	assert_int_equal(replay_file_read(path, &ops, &seen, &too_long, &why), GP_OK);
	assert_int_equal(seen.lines, 4);
	assert_int_equal(seen.bytes, 3 + 0 + 4 + 5);
	assert_int_equal(too_long, 1);
	assert_int_equal(truncate(path, 40), 0);
	assert_int_equal(replay_file_read(path, &ops, &seen, &too_long, &why), GP_ERR_IO);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(replay_file_read(path, &ops, &seen, &too_long, &why), GP_ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(postfix_lines),
		cmocka_unit_test(years),
		cmocka_unit_test(results),
		cmocka_unit_test(json_lines),
		cmocka_unit_test(a_stolen_account_is_blocked),
		cmocka_unit_test(a_foreign_sender_is_forged),
		cmocka_unit_test(an_answer_is_learned),
		cmocka_unit_test(json_and_limits),
		cmocka_unit_test(accounts_are_bounded),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
