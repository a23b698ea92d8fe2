/* SPDX-License-Identifier: ISC */
/* What rspamd is shown of a message and what is made of its answer; whatever it does, its verdict
 * is there once or never. The test is rspamd, gatepostd and core. */
#include "front/smtp_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/core_link.h"
#include "front/dialer.h"
#include "net/conn.h"

enum {
	GENERATION = 7,
	TIMEOUT_MS = 4000,
	SIZE_MAX_SHOWN = 1000,
	SOCKET = 4711,
	TEXT_MAX = 512 * 1024,
};

#define BODY   "{\"score\":1.5,\"action\":\"reject\"}"
#define REJECT "HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n" BODY

/* The connection to rspamd. */
struct conn {
	const struct conn_ops *ops;
	void *owner;
	struct buf input;
	struct buf written;
	size_t unsent; /* of it, as conn_output_len() says */
	bool is_deaf;  /* takes no more */
};

static struct world {
	struct front front;
	struct child child;
	struct settings settings;
	struct config config;
	struct session session;
	struct session_person person;
	struct smtp_filter *filter;
	struct dial *dial; /* that waits for an answer */
	unsigned dials;
	unsigned host; /* of the last one */
	struct conn *conn;
	size_t output_max;
	bool is_deaf;
	unsigned told; /* how often core heard of an outcome, and the last one */
	enum filter_result result;
	unsigned verdicts;
} world;

/* ---- in place of the rest ---- */

struct conn *conn_new(struct loop *loop, int *fd, const struct conn_ops *ops, void *owner,
	size_t input_max, size_t output_max)
{
	struct conn *conn = mem_new(1, sizeof *conn);

	(void)loop;
	assert_int_equal(*fd, SOCKET);
	*fd = -1;
	conn->ops = ops;
	conn->owner = owner;
	conn->is_deaf = world.is_deaf;
	buf_init(&conn->input, input_max);
	buf_init(&conn->written, TEXT_MAX);
	world.output_max = output_max;
	world.conn = conn;
	return conn;
}

void conn_free(struct conn **pconn)
{
	struct conn *conn = *pconn;

	*pconn = NULL;
	if (conn == NULL)
		return;
	buf_fini(&conn->input);
	buf_fini(&conn->written);
	mem_free(conn);
	world.conn = NULL;
}

struct slice conn_input(const struct conn *conn)
{
	return buf_slice(&conn->input);
}

void conn_consume(struct conn *conn, size_t n)
{
	buf_consume(&conn->input, n);
}

enum gp_err conn_write(struct conn *conn, struct slice bytes)
{
	conn->unsent += bytes.len;
	return conn->is_deaf ? GP_ERR_LIMIT : buf_append(&conn->written, bytes);
}

size_t conn_output_len(const struct conn *conn)
{
	return conn->unsent;
}

void dialer_init_dial(
	struct dialer *dialer, struct dial *dial, dialer_done_fn *on_done, void *owner)
{
	*dial = (struct dial){ .dialer = dialer, .on_done = on_done, .owner = owner };
}

void dialer_start(struct dial *dial, uint64_t generation, unsigned backend, unsigned member,
	int64_t timeout_ms)
{
	assert_int_equal(generation, GENERATION);
	assert_int_equal(backend, IPC_DIAL_RSPAMD);
	assert_int_equal(timeout_ms, TIMEOUT_MS);
	world.dial = dial;
	world.host = member;
	world.dials++;
}

void dialer_fini_dial(struct dial *dial)
{
	if (world.dial == dial)
		world.dial = NULL;
}

bool core_link_tell(struct core_link *link, const struct ipc_message *message)
{
	(void)link;
	assert_int_equal(message->type, IPC_FILTERED);
	world.result = (enum filter_result)message->filtered.result;
	world.told++;
	return true;
}

struct settings *settings_hold(struct settings *settings)
{
	settings->references++;
	return settings;
}

void settings_release(struct settings **psettings)
{
	(*psettings)->references--;
	*psettings = NULL;
}

/* ---- the test ---- */

static void dialed(int fd)
{
	struct dial *dial = world.dial;

	assert_non_null(dial);
	world.dial = NULL;
	dial->on_done(dial, &fd, fd < 0 ? ECONNREFUSED : 0);
	assert_int_equal(fd, -1);
}

static void say(const char *text)
{
	assert_int_equal(buf_append_str(&world.conn->input, text), GP_OK);
	world.conn->ops->on_input(world.conn, world.conn->owner);
}

static void on_verdict(void *owner)
{
	assert_ptr_equal(owner, &world);
	world.verdicts++;
}

static bool end(void)
{
	return smtp_filter_end(world.filter, on_verdict, &world);
}

static void show(const char *text)
{
	smtp_filter_body(world.filter, slice_str(text));
}

/* All that was written so far is this behind the request's head. */
static void assert_shown(const char *expected)
{
	struct slice written = buf_slice(&world.conn->written);
	const char *body = memmem(written.data, written.len, "\r\n\r\n", 4);

	assert_non_null(body);
	body += 4;
	assert_int_equal(written.data + written.len - body, strlen(expected));
	assert_memory_equal(body, expected, strlen(expected));
}

static int set_up(void **state)
{
	static char first[] = "127.0.0.1:1";
	static char second[] = "127.0.0.1:2";
	static char *hosts[] = { first, second };
	static char address[] = "alice@example.test";

	(void)state;
	log_setup("test", LOG_TARGET_STDERR, -1, LOG_LEVEL_FATAL);
	clock_fake(1800000000, 1000000);
	world = (struct world){ .child = { .generation = GENERATION } };
	world.config.rspamd = (struct config_strings){ hosts, 2 };
	world.config.rspamd_timeout = TIMEOUT_MS;
	world.config.rspamd_max_size = SIZE_MAX_SHOWN;
	world.settings.config = &world.config;
	world.front.loop = loop_new();
	world.front.child = &world.child;
	world.front.settings = &world.settings;
	world.person.address = address;
	world.session.id = 0xab;
	world.session.front = &world.front;
	world.session.person = &world.person;
	world.filter = smtp_filter_new(&world.session, SLICE_LIT("a@example.test"), "laptop");
	assert_non_null(world.filter);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	smtp_filter_free(&world.filter);
	assert_null(world.conn);
	assert_null(world.dial);
	assert_int_equal(world.settings.references, 0);
	assert_int_equal(world.front.filter.held, 0);
	loop_free(&world.front.loop);
	return 0;
}

static void start(void)
{
	smtp_filter_recipient(world.filter, SLICE_LIT("r@example.test"));
	assert_int_equal(world.dials, 0);
	smtp_filter_open(world.filter);
	assert_int_equal(world.dials, 1);
}

static void assert_given_up(enum filter_result result)
{
	assert_null(world.conn);
	assert_int_equal(world.told, 1);
	assert_int_equal(world.result, result);
	assert_int_equal(world.front.filter.held, 0);
	assert_int_equal(smtp_filter_verdict(world.filter), FILTER_NONE);
	/* And for good. */
	show("more\r\n");
	assert_false(end());
	assert_int_equal(world.told, 1);
}

static void the_message_is_shown_and_judged(void **state)
{
	(void)state;
	start();
	/* Once is enough, and recipients come before it. */
	smtp_filter_open(world.filter);
	smtp_filter_recipient(world.filter, SLICE_LIT("late@example.test"));
	assert_int_equal(world.dials, 1);
	show("first\r\n");
	assert_true(world.front.filter.held > 0);
	dialed(SOCKET);
	assert_shown("7\r\nfirst\r\n\r\n");
	assert_non_null(memmem(
		world.conn->written.data, world.conn->written.len, "Rcpt: r@example.test\r\n", 22));
	assert_non_null(memmem(world.conn->written.data, world.conn->written.len,
		"User: alice@example.test\r\n", 26));
	assert_non_null(memmem(world.conn->written.data, world.conn->written.len,
		"Queue-Id: 00000000000000ab\r\n", 28));
	assert_int_equal(world.output_max, SIZE_MAX_SHOWN + SMTP_FILTER_HEAD_MAX + 256 * 1024);
	show("..dot\r\n");
	assert_true(end());
	assert_shown("7\r\nfirst\r\n\r\n6\r\n.dot\r\n\r\n0\r\n\r\n");
	assert_int_equal(world.front.filter.held, world.conn->unsent);
	world.conn->unsent = 5;
	world.conn->ops->on_drained(world.conn, world.conn->owner);
	assert_int_equal(world.front.filter.held, 5);
	assert_int_equal(world.verdicts, 0);
	say("HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n");
	assert_int_equal(world.verdicts, 0);
	say(BODY);
	assert_int_equal(world.verdicts, 1);
	assert_int_equal(world.told, 1);
	assert_int_equal(world.result, FILTER_RESULT_OK);
	assert_int_equal(smtp_filter_verdict(world.filter), FILTER_BAD);
	assert_null(world.conn);
	assert_false(end());
}

static void a_verdict_that_does_not_come_is_not_waited_for(void **state)
{
	(void)state;
	start();
	dialed(SOCKET);
	show("x\r\n");
	world.config.rspamd_timeout = 1;
	/* Whoever takes long to send it is given the time. */
	loop_turn(world.front.loop);
	assert_int_equal(world.told, 0);
	assert_true(end());
	while (world.verdicts == 0)
		loop_turn(world.front.loop);
	assert_given_up(FILTER_RESULT_TIMEOUT);
	assert_int_equal(world.verdicts, 1);
}

static void who_hangs_up_is_given_up(void **state)
{
	(void)state;
	start();
	dialed(SOCKET);
	assert_true(end());
	world.conn->ops->on_closed(world.conn, CONN_END_EOF, world.conn->owner);
	assert_int_equal(world.verdicts, 1);
	assert_given_up(FILTER_RESULT_FAILED);
}

static void the_next_host_is_asked_where_one_is_away(void **state)
{
	(void)state;
	start();
	assert_int_equal(world.host, 0);
	dialed(-1);
	assert_int_equal(world.dials, 2);
	assert_int_equal(world.host, 1);
	dialed(-1);
	assert_int_equal(world.dials, 2);
	assert_given_up(FILTER_RESULT_FAILED);
	assert_int_equal(world.verdicts, 0);
}

static void nonsense_is_no_verdict(void **state)
{
	(void)state;
	start();
	dialed(SOCKET);
	assert_true(end());
	say("220 sink ESMTP\r\n");
	assert_int_equal(world.verdicts, 1);
	assert_given_up(FILTER_RESULT_FAILED);
}

static void an_answer_before_the_end_is_no_verdict(void **state)
{
	(void)state;
	start();
	dialed(SOCKET);
	show("x\r\n");
	say("HTTP/1.1 200 OK\r\n");
	assert_int_equal(world.told, 0);
	say("Content-Length: 31\r\n\r\n" BODY);
	assert_int_equal(world.verdicts, 0);
	assert_given_up(FILTER_RESULT_FAILED);
}

/* Of a long one its beginning is judged, while the rest passes. */
static void a_long_message_is_shown_in_part(void **state)
{
	static char text[SIZE_MAX_SHOWN];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	start();
	dialed(SOCKET);
	show(text);
	assert_null(memmem(world.conn->written.data, world.conn->written.len, "\r\n0\r\n\r\n", 7));
	show("yz");
	assert_non_null(memmem(
		world.conn->written.data, world.conn->written.len, "\r\n1\r\ny\r\n0\r\n\r\n", 13));
	say(REJECT);
	assert_int_equal(smtp_filter_verdict(world.filter), FILTER_BAD);
	show("more");
	/* Nobody has to be called back for what is known. */
	assert_false(end());
	assert_int_equal(world.verdicts, 0);
}

static void what_is_whole_gets_nothing_more(void **state)
{
	static char text[SIZE_MAX_SHOWN + 1];
	size_t len;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	start();
	dialed(SOCKET);
	show(text);
	len = world.conn->written.len;
	show("more");
	assert_true(end());
	assert_int_equal(world.conn->written.len, len);
	say(REJECT);
	assert_int_equal(world.verdicts, 1);
	assert_int_equal(smtp_filter_verdict(world.filter), FILTER_BAD);
}

static void who_does_not_read_is_given_up(void **state)
{
	(void)state;
	world.is_deaf = true;
	start();
	dialed(SOCKET);
	assert_given_up(FILTER_RESULT_FAILED);
}

static void who_stops_reading_is_given_up(void **state)
{
	(void)state;
	start();
	dialed(SOCKET);
	show("x\r\n");
	world.conn->is_deaf = true;
	show("y\r\n");
	assert_given_up(FILTER_RESULT_FAILED);
}

/* Nobody is told to wait for what will not come. */
static void who_does_not_read_the_end_is_given_up(void **state)
{
	(void)state;
	start();
	dialed(SOCKET);
	world.conn->is_deaf = true;
	assert_false(end());
	assert_int_equal(world.verdicts, 0);
	assert_given_up(FILTER_RESULT_FAILED);
}

static void a_front_keeps_so_much_and_no_more(void **state)
{
	size_t own;

	(void)state;
	start();
	own = world.front.filter.held;
	world.front.filter.held = SMTP_FILTER_HELD_MAX - 6;
	show("x");
	assert_int_equal(world.told, 0);
	assert_int_equal(world.front.filter.held, SMTP_FILTER_HELD_MAX);
	show("x");
	assert_int_equal(world.told, 1);
	assert_int_equal(world.result, FILTER_RESULT_FAILED);
	assert_int_equal(world.front.filter.held, SMTP_FILTER_HELD_MAX - 6 - own);
	world.front.filter.held = 0;
}

/* One more makes no other verdict. */
static void recipients_beyond_the_head_are_left_out(void **state)
{
	static char name[1001];
	unsigned most = SMTP_FILTER_HEAD_MAX / 1000 + 10;

	(void)state;
	memset(name, 'r', sizeof name - 1);
	for (unsigned i = 0; i < most; i++)
		smtp_filter_recipient(world.filter, slice_str(name));
	assert_in_range(
		world.front.filter.held, SMTP_FILTER_HEAD_MAX - 2048, SMTP_FILTER_HEAD_MAX + 16);
	smtp_filter_open(world.filter);
	assert_int_equal(world.told, 0);
	assert_int_equal(world.dials, 1);
}

static void a_fault_is_said_once_a_minute(void **state)
{
	struct front_filter *said = &world.front.filter;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		smtp_filter_open(world.filter);
		dialed(-1);
		dialed(-1);
		assert_int_equal(world.told, i + 1);
		assert_int_equal(said->unsaid, i);
		smtp_filter_free(&world.filter);
		world.filter = smtp_filter_new(&world.session, SLICE_LIT(""), "");
	}
	clock_fake(1800000060, 1000000 + SMTP_FILTER_SAY_MS);
	smtp_filter_open(world.filter);
	dialed(-1);
	dialed(-1);
	assert_int_equal(said->unsaid, 0);
}

/* Mail that nobody has signed in for is not ours to judge; nor is any where there is no rspamd. */
static void not_everything_is_shown(void **state)
{
	(void)state;
	world.session.person = NULL;
	assert_null(smtp_filter_new(&world.session, SLICE_LIT("a@b.test"), ""));
	world.session.person = &world.person;
	world.config.rspamd.count = 0;
	assert_null(smtp_filter_new(&world.session, SLICE_LIT("a@b.test"), ""));
	world.config.rspamd.count = 2;
	smtp_filter_recipient(NULL, SLICE_LIT("r@b.test"));
	smtp_filter_open(NULL);
	smtp_filter_body(NULL, SLICE_LIT("x"));
	assert_false(smtp_filter_end(NULL, on_verdict, &world));
	assert_int_equal(smtp_filter_verdict(NULL), FILTER_NONE);
	/* Before it is open nothing of it is. */
	show("x");
	assert_false(end());
	assert_int_equal(world.dials, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_message_is_shown_and_judged),
		TEST(a_verdict_that_does_not_come_is_not_waited_for),
		TEST(who_hangs_up_is_given_up),
		TEST(the_next_host_is_asked_where_one_is_away),
		TEST(nonsense_is_no_verdict),
		TEST(an_answer_before_the_end_is_no_verdict),
		TEST(a_long_message_is_shown_in_part),
		TEST(what_is_whole_gets_nothing_more),
		TEST(who_does_not_read_is_given_up),
		TEST(who_stops_reading_is_given_up),
		TEST(who_does_not_read_the_end_is_given_up),
		TEST(a_front_keeps_so_much_and_no_more),
		TEST(recipients_beyond_the_head_are_left_out),
		TEST(a_fault_is_said_once_a_minute),
		TEST(not_everything_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
