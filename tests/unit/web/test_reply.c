/* SPDX-License-Identifier: ISC */
#include "web/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"

static const struct {
	enum route_form form;
	const char *cursor;
	size_t page;
	const char *rows[3];
	unsigned status;
	const char *body;
	const char *cookie;
} cases[] = {
	{ ROUTE_ONE, "", 0, { "{\"a\":1}" }, 200, "{\"a\":1}", "" },
	{ ROUTE_CREATED, "", 0, { "{\"a\":1}", "{\"b\":2}" }, 201, "{\"a\":1}", "" },
	{ ROUTE_NONE, "", 0, { NULL }, 204, "", "" },
	{ ROUTE_NONE, "", 0, { "{\"cookie\":\"\"}" }, 204, "",
		"__Host-gatepost=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0" },
	{ ROUTE_ONE, "", 0, { "{\"state\":\"code\",\"cookie\":\"xyz\"}" }, 200,
		"{\"state\":\"code\"}",
		"__Host-gatepost=xyz; Path=/; Secure; HttpOnly; SameSite=Strict" },
	{ ROUTE_ONE, "", 0, { "{\"a\":1}", "{\"cookie\":\"xyz\"}" }, 200, "{\"a\":1}",
		"__Host-gatepost=xyz; Path=/; Secure; HttpOnly; SameSite=Strict" },
	{ ROUTE_ONE, "", 0, { "{\"cookie\":\"xyz\"}" }, 500, NULL, "" },
	{ ROUTE_LIST, "", 0, { NULL }, 200, "{\"items\":[],\"next\":null}", "" },
	{ ROUTE_LIST, "", 0, { "{\"a\":1}", "{\"a\":2}" }, 200,
		"{\"items\":[{\"a\":1},{\"a\":2}],\"next\":null}", "" },
	{ ROUTE_LIST, "before:id", 2, { "{\"id\":9}", "{\"id\":8}" }, 200,
		"{\"items\":[{\"id\":9},{\"id\":8}],\"next\":8}", "" },
	{ ROUTE_LIST, "after:address", 1, { "{\"address\":\"a@b\"}" }, 200,
		"{\"items\":[{\"address\":\"a@b\"}],\"next\":\"a@b\"}", "" },
	{ ROUTE_LIST, "before:id", 3, { "{\"id\":9}", "{\"id\":8}" }, 200,
		"{\"items\":[{\"id\":9},{\"id\":8}],\"next\":null}", "" },
	/* What no answer can be made of is our fault. */
	{ ROUTE_ONE, "", 0, { NULL }, 500, NULL, "" },
	{ ROUTE_CREATED, "", 0, { NULL }, 500, NULL, "" },
	{ ROUTE_LIST, "", 0, { "[]" }, 500, NULL, "" },
	{ ROUTE_LIST, "", 0, { "{" }, 500, NULL, "" },
};

static const char *cookie_of(const struct answer *answer)
{
	for (unsigned i = 0; i < answer->field_count; i++) {
		if (strcmp(answer->fields[i].name, "Set-Cookie") == 0)
			return answer->fields[i].value;
	}
	return "";
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct route route = {
			.form = cases[i].form, .cursor = cases[i].cursor, .path = "/x"
		};
		struct answer answer;
		struct reply reply;

		answer_init(&answer);
		reply_init(&reply);
		for (size_t n = 0; n < 3 && cases[i].rows[n] != NULL; n++)
			reply_add(&reply, slice_str(cases[i].rows[n]));
		reply_finish(&reply, &route, cases[i].page, &answer);
		assert_int_equal(answer.status, cases[i].status);
		assert_string_equal(cookie_of(&answer), cases[i].cookie);
		if (cases[i].body != NULL && !slice_is(buf_slice(&answer.body), cases[i].body))
			fail_msg("case %zu: %.*s", i, SLICE_ARG(buf_slice(&answer.body)));
		reply_fini(&reply);
		answer_fini(&answer);
	}
}

/* An answer has an end, whatever core sends. */
static void test_limit(void **state)
{
	struct route route = { .form = ROUTE_LIST, .cursor = "", .path = "/x" };
	static char row[15000];
	struct answer answer;
	struct reply reply;

	(void)state;
	memset(row, 'a', sizeof row);
	memcpy(row, "{\"a\":\"", 6);
	memcpy(row + sizeof row - 2, "\"}", 2);
	answer_init(&answer);
	reply_init(&reply);
	for (size_t n = 0; n < ANSWER_BODY_MAX / sizeof row; n++)
		reply_add(&reply, slice_of(row, sizeof row));
	assert_true(json_array_size(reply.rows) <= ANSWER_BODY_MAX / 2 / sizeof row);
	reply_finish(&reply, &route, 0, &answer);
	assert_int_equal(answer.status, 500);
	reply_fini(&reply);
	answer_fini(&answer);
}

/* A page of rows that are too long for one answer ends earlier, and nothing is lost. */
static void test_short_page(void **state)
{
	struct route route = { .form = ROUTE_LIST, .cursor = "before:id", .path = "/x" };
	static char row[15000];
	struct answer answer;
	struct reply reply;
	size_t count = 1000;
	json_t *body;

	(void)state;
	answer_init(&answer);
	reply_init(&reply);
	for (size_t id = 1000; id > 0; id--) {
		(void)snprintf(row, sizeof row, "{\"id\":%zu,\"a\":\"%014000d\"}", id, 0);
		reply_add(&reply, slice_str(row));
	}
	reply_finish(&reply, &route, count, &answer);
	assert_int_equal(answer.status, 200);
	body = json_loadb(buf_slice(&answer.body).data, buf_slice(&answer.body).len, 0, NULL);
	count = json_array_size(json_object_get(body, "items"));
	assert_in_range(count, 100, 999);
	assert_int_equal(json_integer_value(json_object_get(body, "next")), 1001 - count);
	json_decref(body);
	reply_fini(&reply);
	answer_fini(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_short_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
