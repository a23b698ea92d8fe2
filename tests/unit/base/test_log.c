/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define PREFIX "time=2027-01-15T08:00:00Z level=info process=test.0 event="

static int ends[2];

static int set_up(void **state)
{
	(void)state;
	clock_fake(1800000000, 0);
	if (pipe(ends) != 0)
		return -1;
	log_setup("test.0", LOG_TARGET_STDERR, ends[1], LOG_LEVEL_INFO);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	log_setup("test.0", LOG_TARGET_STDERR, STDERR_FILENO, LOG_LEVEL_INFO);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return 0;
}

static void expect_line(const char *expected)
{
	char got[2 * LOG_LINE_MAX];
	ssize_t n = read(ends[0], got, sizeof got - 1);

	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, expected);
}

static void test_fields(void **state)
{
	struct ip ip;

	(void)state;
	assert_int_equal(ip_parse(SLICE_LIT("2001:db8::1"), &ip), GP_OK);
	log_info("all", LOG_STR("str", "x"), LOG_SLICE("slice", SLICE_LIT("yz")),
		LOG_INT("int", -5), LOG_UINT("uint", UINT64_MAX), LOG_ID("id", 0xabc),
		LOG_IP("ip", &ip));
	expect_line(PREFIX "all str=x slice=yz int=-5 uint=18446744073709551615 "
			   "id=0000000000000abc ip=2001:db8::1\n");
}

static void test_nobody_forges_a_line(void **state)
{
	(void)state;
	log_info("login", LOG_STR("login", "a\nlevel=fatal event=x"));
	expect_line(PREFIX "login login=\"a\\x0alevel=fatal event=x\"\n");
	log_info("login", LOG_STR("login", "x\" reason=\"ok"));
	expect_line(PREFIX "login login=\"x\\\" reason=\\\"ok\"\n");
	log_info("login", LOG_STR("login", "x\\"));
	expect_line(PREFIX "login login=x\\\\\n");
	log_info("login", LOG_STR("login", "\x1b[2J\xff"));
	expect_line(PREFIX "login login=\\x1b[2J\\xff\n");
	log_info("login", LOG_STR("login", ""), LOG_STR("none", NULL));
	expect_line(PREFIX "login login=\"\" none=\"\"\n");
	log_info("login", LOG_STR("login", "a=b"), LOG_SLICE("nul", SLICE_LIT("a\0b")));
	expect_line(PREFIX "login login=\"a=b\" nul=a\\x00b\n");
}

static void test_level(void **state)
{
	(void)state;
	log_debug("unseen", LOG_INT("n", 1));
	log_error("seen", LOG_INT("n", 2));
	expect_line("time=2027-01-15T08:00:00Z level=error process=test.0 event=seen n=2\n");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("seen", LOG_INT("n", 3));
	expect_line("time=2027-01-15T08:00:00Z level=debug process=test.0 event=seen n=3\n");
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("unseen", LOG_INT("n", 4));
	log_error("last", LOG_INT("n", 5));
	expect_line("time=2027-01-15T08:00:00Z level=error process=test.0 event=last n=5\n");
}

/* However long the values, one line, cut, with its newline. */
static void test_long_lines(void **state)
{
	char *text = mem_new(3 * LOG_LINE_MAX + 1, 1);
	char got[2 * LOG_LINE_MAX];
	ssize_t n;

	(void)state;
	memset(text, 'x', 3 * (size_t)LOG_LINE_MAX);
	log_info("long", LOG_STR("a", text), LOG_STR("b", text), LOG_STR("c", text));
	n = read(ends[0], got, sizeof got);
	assert_in_range(n, LOG_LINE_MAX / 2, LOG_LINE_MAX);
	assert_int_equal(got[n - 1], '\n');
	assert_ptr_equal(memchr(got, '\n', (size_t)n), got + n - 1);
	memset(text, ' ', 3 * (size_t)LOG_LINE_MAX);
	log_info("long", LOG_STR("a", text), LOG_STR("b", text), LOG_STR("c", text));
	n = read(ends[0], got, sizeof got);
	assert_in_range(n, LOG_LINE_MAX / 2, LOG_LINE_MAX);
	assert_int_equal(got[n - 1], '\n');
	mem_free(text);
}

static void test_syslog_form(void **state)
{
	char expected[128];
	char *line;

	(void)state;
	log_setup("test.0", LOG_TARGET_SYSLOG, ends[1], LOG_LEVEL_INFO);
	log_warn("full", LOG_INT("n", 1));
	/* Facility mail (2), severity warning (4); no newline, no time: syslog adds them. */
	line = mem_printf(
		"<20>gatepost[%d]: level=warn process=test.0 event=full n=1", (int)getpid());
	assert_true(slice_copy(slice_str(line), expected, sizeof expected));
	mem_free(line);
	expect_line(expected);
}

static void test_errno_is_kept(void **state)
{
	char text[64];

	(void)state;
	errno = ENOENT;
	log_error("open", LOG_ERRNO);
	assert_int_equal(errno, ENOENT);
	assert_true(read(ends[0], text, sizeof text) > 0);
	/* A log that cannot be written is no reason to stop. */
	log_setup("test.0", LOG_TARGET_STDERR, -1, LOG_LEVEL_INFO);
	errno = EEXIST;
	log_error("lost", LOG_INT("n", 1));
	assert_int_equal(errno, EEXIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fields, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nobody_forges_a_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_level, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_syslog_form, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errno_is_kept, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
