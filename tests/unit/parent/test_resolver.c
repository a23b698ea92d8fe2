/* SPDX-License-Identifier: ISC */
/* The reading of what the processes that look names up write: the test is at the other end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "parent/address.h"
#include "parent/crew.h"
#include "parent/resolver.h"
#include "privsep/program.h"

enum {
	PID = 4711
};

static const struct address_answer old = { .count = 1, .ips = { { IP_V4, { 192, 0, 2, 7 } } } };
static const struct address_answer next = { .count = 2,
	.ips = { { IP_V4, { 192, 0, 2, 8 } }, { IP_V6, { 0x20, 1, 0xd, 0xb8 } } } };

/* One host name, and the process that looks it up. */
static struct world {
	struct parent parent;
	struct config config;
	struct generation generation;
	struct generation_member member;
	int pipe; /* the test's end; -1: closed */
	unsigned killed;
	unsigned done;
	char why[256];
} world;

/* ---- in place of the rest of gatepostd ---- */

void generation_each_member(struct generation *generation,
	void (*visit)(struct generation_member *member, void *arg), void *arg)
{
	(void)generation;
	visit(&world.member, arg);
}

void crew_check_serving(struct crew *crew)
{
	(void)crew;
}

void parent_fail(struct parent *parent, const char *what, const char *why)
{
	(void)parent;
	fail_msg("%s: %s", what, why);
}

enum gp_err program_run(void (*work)(int out, const void *arg), const void *arg, const char *user,
	pid_t *ret_pid, int *ret_fd)
{
	int fds[2];

	(void)work;
	(void)user;
	assert_string_equal(arg, "mail.lan");
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	*ret_fd = fds[0];
	*ret_pid = PID;
	world.pipe = fds[1];
	return GP_OK;
}

void program_kill(pid_t pid)
{
	assert_int_equal(pid, PID);
	world.killed++;
}

/* ---- the test ---- */

static void on_tried(void *owner, const char *why)
{
	assert_ptr_equal(owner, &world);
	world.done++;
	(void)snprintf(world.why, sizeof world.why, "%s", why);
}

static int set_up(void **state)
{
	struct gp_why why = { "" };

	(void)state;
	log_setup("test", LOG_TARGET_STDERR, -1, LOG_LEVEL_FATAL);
	world = (struct world){ .pipe = -1 };
	world.generation.config = &world.config;
	world.parent.loop = loop_new();
	world.parent.current = &world.generation;
	world.parent.resolver = resolver_new(&world.parent);
	assert_int_equal(address_parse("mail.lan:25", &world.member, &why), GP_OK);
	assert_true(resolver_try(world.parent.resolver, &world.generation, on_tried, &world));
	return 0;
}

static void hang_up(void)
{
	if (world.pipe >= 0)
		(void)close(world.pipe);
	world.pipe = -1;
}

static int tear_down(void **state)
{
	(void)state;
	hang_up();
	resolver_free(&world.parent.resolver);
	loop_free(&world.parent.loop);
	address_free(&world.member);
	return 0;
}

static void say(const void *bytes, size_t len)
{
	assert_int_equal(write(world.pipe, bytes, len), (ssize_t)len);
	loop_turn(world.parent.loop);
}

static void an_answer_in_pieces_is_taken_at_its_end(void **state)
{
	unsigned char bytes[ADDRESS_ANSWER_SIZE];
	size_t len = address_encode(&next, bytes);

	(void)state;
	for (size_t i = 0; i < len; i++)
		say(bytes + i, 1);
	assert_int_equal(world.done, 0);
	hang_up();
	loop_turn(world.parent.loop);
	assert_int_equal(world.done, 1);
	assert_string_equal(world.why, "");
	assert_int_equal(world.killed, 1);
	assert_false(address_set(&world.member, &next));
}

static void say_the_longest(void)
{
	struct address_answer longest = { .count = ADDRESS_MAX };
	unsigned char bytes[ADDRESS_ANSWER_SIZE];

	for (size_t i = 0; i < ADDRESS_MAX; i++)
		longest.ips[i] = (struct ip){ IP_V4, { 192, 0, 2, (uint8_t)i } };
	assert_int_equal(address_encode(&longest, bytes), sizeof bytes);
	say(bytes, sizeof bytes);
}

static void the_longest_answer_is_taken(void **state)
{
	(void)state;
	say_the_longest();
	hang_up();
	loop_turn(world.parent.loop);
	assert_int_equal(world.done, 1);
	assert_int_equal(world.member.count, ADDRESS_MAX);
}

/* Whatever else comes, the name keeps the addresses it had. */
static void nonsense_changes_nothing(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "", 0 },
		{ "\0", 1 },
		{ "\0\0", 2 },
		{ "\0\1", 2 },
		{ "\0\1\4\300\0\2\1", 7 },
		{ "\0\1\5\300\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0", 19 },
		{ "\0\2\4\300\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0", 19 },
		{ "\2\1\4\300\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0", 19 },
		{ "HTTP/1.1 200 OK\r\n\r\n", 19 },
	};

	(void)state;
	assert_true(address_set(&world.member, &old));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (i > 0)
			assert_true(resolver_try(
				world.parent.resolver, &world.generation, on_tried, &world));
		say(cases[i].bytes, cases[i].len);
		hang_up();
		loop_turn(world.parent.loop);
		assert_int_equal(world.done, i + 1);
		assert_string_equal(world.why, "");
		assert_true(world.member.is_lost);
		assert_false(address_set(&world.member, &old));
	}
}

static void a_name_without_an_address_is_told(void **state)
{
	(void)state;
	say("\2\0", 2); /* -2 is EAI_NONAME */
	hang_up();
	loop_turn(world.parent.loop);
	assert_int_equal(world.done, 1);
	assert_non_null(strstr(world.why, "backend host mail.lan: "));
}

/* Without waiting for its end, which might never come. */
static void who_says_too_much_is_not_heard_out(void **state)
{
	(void)state;
	say_the_longest();
	assert_int_equal(world.done, 0);
	say("x", 1);
	assert_int_equal(world.done, 1);
	assert_int_equal(world.killed, 1);
	assert_non_null(strstr(world.why, "the name servers do not answer"));
	assert_int_equal(world.member.count, 0);
}

/* Its number may be another's by the time that its answer is read. */
static void who_has_ended_is_not_killed(void **state)
{
	(void)state;
	assert_false(resolver_on_exit(world.parent.resolver, PID + 1));
	assert_true(resolver_on_exit(world.parent.resolver, PID));
	assert_false(resolver_on_exit(world.parent.resolver, PID));
	hang_up();
	loop_turn(world.parent.loop);
	assert_int_equal(world.done, 1);
	assert_int_equal(world.killed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_answer_in_pieces_is_taken_at_its_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_longest_answer_is_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nonsense_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_name_without_an_address_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			who_says_too_much_is_not_heard_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_has_ended_is_not_killed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
