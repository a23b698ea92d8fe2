/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mem.h"
#include "proto/smtp_path.h"
#include "proto/smtp_server.h"

struct path_case {
	const char *rest;    /* behind the verb */
	unsigned code;       /* 0: fine */
	const char *address; /* fine: what comes of it */
	const char *params;
};

static const struct path_case mail_cases[] = {
	{ " FROM:<a@b>", 0, "a@b", "" },
	{ " FROM:<>", 0, "", "" },
	{ " from: <a@b.example>", 0, "a@b.example", "" },
	{ "\tFROM:\t<a@b>", 0, "a@b", "" },
	{ " FROM:a@b SIZE=1", 0, "a@b", "SIZE=1" },
	{ " FROM:<A.b+c@Sub-1.Example>", 0, "A.b+c@Sub-1.Example", "" },
	{ " FROM:<.a..b.@docomo.example>", 0, ".a..b.@docomo.example", "" },
	{ " FROM:<\"a b\"@c>", 0, "\"a b\"@c", "" },
	{ " FROM:<\"a\\\"@\\\\>\"@c>", 0, "\"a\\\"@\\\\>\"@c", "" },
	{ " FROM:<@x,@y.z:a@b>", 0, "a@b", "" },
	{ " FROM:<a@[192.0.2.1]>", 0, "a@[192.0.2.1]", "" },
	{ " FROM:<a@[IPv6:2001:db8::1]>", 0, "a@[IPv6:2001:db8::1]", "" },
	{ " FROM:<!#$%&'*+-/=?^_`{|}~@b_c>", 0, "!#$%&'*+-/=?^_`{|}~@b_c", "" },
	{ " FROM:<a@b>  SIZE=1   BODY=7BIT ", 0, "a@b", "SIZE=1 BODY=7BIT" },
	{ " FROM:<a@b> AUTH=e+3Dmc2@x SIZE=1", 0, "a@b", "SIZE=1" },
	{ " FROM:<\xc3\xa4@b> SMTPUTF8", 0, "\xc3\xa4@b", "SMTPUTF8" },
	{ "", 501, NULL, NULL },
	{ " FROM:", 501, NULL, NULL },
	{ " FROM", 501, NULL, NULL },
	{ " TO:<a@b>", 501, NULL, NULL },
	{ " FROM:<a@b", 501, NULL, NULL },
	{ " FROM:a@b>", 501, NULL, NULL },
	{ " FROM:<a>", 501, NULL, NULL },
	{ " FROM:<postmaster>", 501, NULL, NULL },
	{ " FROM:<@b>", 501, NULL, NULL },
	{ " FROM:<@a:>", 501, NULL, NULL },
	{ " FROM:<@a,b:c@d>", 501, NULL, NULL },
	{ " FROM:<a@>", 501, NULL, NULL },
	{ " FROM:<a@b..c>", 501, NULL, NULL },
	{ " FROM:<a@.b>", 501, NULL, NULL },
	{ " FROM:<a@b.>", 501, NULL, NULL },
	{ " FROM:<a b@c>", 501, NULL, NULL },
	{ " FROM:<a@b c>", 501, NULL, NULL },
	{ " FROM:<a@b><c@d>", 501, NULL, NULL },
	{ " FROM:<a@b>SIZE=1", 501, NULL, NULL },
	{ " FROM:<<a@b>>", 501, NULL, NULL },
	{ " FROM:<\"a@b>", 501, NULL, NULL },
	{ " FROM:<\"a\tb\"@c>", 501, NULL, NULL },
	{ " FROM:<\"a\"b@c>", 501, NULL, NULL },
	{ " FROM:<a@[1.2.3]>", 501, NULL, NULL },
	{ " FROM:<a@[2001:db8::1]>", 501, NULL, NULL },
	{ " FROM:<a@[IPv6:1.2.3.4]>", 501, NULL, NULL },
	{ " FROM:<a@[192.0.2.1>", 501, NULL, NULL },
	{ " FROM:<\xc3@b> SMTPUTF8", 501, NULL, NULL },
	{ " FROM:<a\xc2\x85@b> SMTPUTF8", 501, NULL, NULL },
	{ " FROM:<\xc3\xa4@b>", 553, NULL, NULL },
	{ " FROM:<a@b> FOO=1", 555, NULL, NULL },
	{ " FROM:<a@b> NOTIFY=NEVER", 555, NULL, NULL },
	{ " FROM:<a@b> SIZE", 501, NULL, NULL },
	{ " FROM:<a@b> SIZE=", 501, NULL, NULL },
	{ " FROM:<a@b> SIZE=-1", 501, NULL, NULL },
	{ " FROM:<a@b> SIZE=123456789012345678901", 501, NULL, NULL },
	{ " FROM:<a@b> BODY=BINARYMIME", 501, NULL, NULL },
	{ " FROM:<a@b> SMTPUTF8=1", 501, NULL, NULL },
	{ " FROM:<a@b> SMTPUTF8=", 501, NULL, NULL },
	{ " FROM:<a@b> RET=SOME", 501, NULL, NULL },
	{ " FROM:<a@b> ENVID=", 501, NULL, NULL },
	{ " FROM:<a@b> ENVID=+4", 501, NULL, NULL },
	{ " FROM:<a@b> ENVID=+zz", 501, NULL, NULL },
	{ " FROM:<a@b> ENVID=a=b", 501, NULL, NULL },
	{ " FROM:<a@b> ENVID=\xc3\xa4", 501, NULL, NULL },
	{ " FROM:<a@b> SIZE=1 size=2", 501, NULL, NULL },
	{ " FROM:<a@b> SIZE=1\tBODY=7BIT", 501, NULL, NULL },
};

static const struct path_case rcpt_cases[] = {
	{ " TO:<a@b>", 0, "a@b", "" },
	{ " TO:<PostMaster>", 0, "PostMaster", "" },
	{ " TO:<a@b> NOTIFY=NEVER", 0, "a@b", "NOTIFY=NEVER" },
	{ " TO:<a@b> NOTIFY=delay,Failure ORCPT=rfc822;a+40b", 0, "a@b",
		"NOTIFY=delay,Failure ORCPT=rfc822;a+40b" },
	{ " TO:<a@b> ORCPT=utf-8;\xc3\xa4\\x{E4}@b", 0, "a@b", "ORCPT=utf-8;\xc3\xa4\\x{E4}@b" },
	{ " TO:<>", 501, NULL, NULL },
	{ " TO:<webmaster>", 501, NULL, NULL },
	{ " TO:<\xc3\xa4@b>", 553, NULL, NULL },
	{ " TO:<a@b> SIZE=1", 555, NULL, NULL },
	{ " TO:<a@b> NOTIFY=", 501, NULL, NULL },
	{ " TO:<a@b> NOTIFY=NEVER,DELAY", 501, NULL, NULL },
	{ " TO:<a@b> NOTIFY=DELAY,", 501, NULL, NULL },
	{ " TO:<a@b> ORCPT=a@b", 501, NULL, NULL },
	{ " TO:<a@b> ORCPT=;a@b", 501, NULL, NULL },
	{ " TO:<a@b> ORCPT=rfc822;", 501, NULL, NULL },
	{ " TO:<a@b> ORCPT=rfc822;+x", 501, NULL, NULL },
};

static void check(const struct path_case *c, bool is_mail)
{
	struct smtp_path path = { .size = 7 };
	const struct smtp_fault *fault;
	struct buf params;

	buf_init(&params, SMTP_SERVER_LINE_MAX);
	fault = is_mail ? smtp_path_parse_mail(slice_str(c->rest), &params, &path)
			: smtp_path_parse_rcpt(slice_str(c->rest), false, &params, &path);
	if ((fault != NULL ? fault->code : 0) != c->code)
		fail_msg("\"%s\" gave %u", c->rest, fault != NULL ? fault->code : 0);
	if (fault == NULL) {
		assert_true(slice_is(path.address, c->address));
		assert_true(slice_is(buf_slice(&params), c->params));
	} else {
		assert_int_equal(path.size, 7);
	}
	buf_fini(&params);
}

static void test_mail(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(mail_cases); i++)
		check(&mail_cases[i], true);
}

static void test_rcpt(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(rcpt_cases); i++)
		check(&rcpt_cases[i], false);
}

static void test_facts(void **state)
{
	struct smtp_path path;
	struct buf params;

	(void)state;
	buf_init(&params, SMTP_SERVER_LINE_MAX);
	assert_null(smtp_path_parse_mail(
		slice_str(" FROM:<a@b> SIZE=18446744073709551616"), &params, &path));
	assert_true(path.size == UINT64_MAX);
	assert_false(path.has_smtputf8);
	buf_clear(&params);
	assert_null(
		smtp_path_parse_mail(slice_str(" FROM:<a@b> smtputf8 SIZE=42"), &params, &path));
	assert_int_equal(path.size, 42);
	assert_true(path.has_smtputf8);
	buf_clear(&params);
	assert_null(smtp_path_parse_rcpt(slice_str(" TO:<\xc3\xa4@b>"), true, &params, &path));
	buf_fini(&params);
}

/* Each limit is reached, and passed by one. */
static void test_limits(void **state)
{
	static const struct {
		const char *before;
		const char *after;
		size_t max; /* bytes between them */
		bool is_mail;
	} limits[] = {
		{ " FROM:<", "@b.c>", SMTP_SERVER_PATH_MAX - 4, true },
		{ " FROM:<a@", ">", SMTP_DOMAIN_MAX, true },
		{ " FROM:<a@b> ENVID=", "", SMTP_ENVID_MAX, true },
		{ " TO:<a@b> ORCPT=x;", "", SMTP_ORCPT_MAX - 2, false },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(limits); i++) {
		for (size_t over = 0; over <= 1; over++) {
			char *fill = mem_new(limits[i].max + over + 1, 1);
			char *rest;
			struct smtp_path path;
			struct buf params;
			const struct smtp_fault *fault;

			memset(fill, 'x', limits[i].max + over);
			rest = mem_printf("%s%s%s", limits[i].before, fill, limits[i].after);
			buf_init(&params, SMTP_SERVER_LINE_MAX);
			fault = limits[i].is_mail
					? smtp_path_parse_mail(slice_str(rest), &params, &path)
					: smtp_path_parse_rcpt(
						  slice_str(rest), false, &params, &path);
			assert_int_equal(fault != NULL, over);
			buf_fini(&params);
			mem_free(rest);
			mem_free(fill);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_rcpt),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
