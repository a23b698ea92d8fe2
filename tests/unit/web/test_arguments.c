/* SPDX-License-Identifier: ISC */
#include "web/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/check.h"

static const struct {
	const char *method;
	const char *path;
	const char *query;
	const char *body;
	const char *arguments; /* or, beginning with "!", what is wrong */
} cases[] = {
	{ "GET", "/api/v1/session", "", "", "{}" },
	{ "GET", "/api/v1/accounts/alice%40example.test", "", "",
		"{\"address\":\"alice@example.test\"}" },
	{ "GET", "/api/v1/accounts/a+b", "", "", "{\"address\":\"a+b\"}" },
	{ "DELETE", "/api/v1/bans/2001:db8::%2f64", "", "", "{\"source\":\"2001:db8::/64\"}" },
	{ "DELETE", "/api/v1/accounts/a/devices/7", "", "", "{\"address\":\"a\",\"device\":7}" },
	{ "DELETE", "/api/v1/accounts/a/devices", "", "", "{\"address\":\"a\",\"all\":true}" },
	{ "GET", "/api/v1/events", "account=a%40b&limit=5&before=9", "",
		"{\"account\":\"a@b\",\"limit\":5,\"before\":9}" },
	{ "GET", "/api/v1/events", "account=a+b%2Bc&", "",
		"{\"account\":\"a b+c\",\"limit\":100}" },
	{ "GET", "/api/v1/events", "account=", "", "{\"account\":\"\",\"limit\":100}" },
	{ "GET", "/api/v1/events", "limit=-1", "", "!\"limit\" must be 1 to 1000" },
	{ "GET", "/api/v1/events", "limit=0", "", "!\"limit\" must be 1 to 1000" },
	{ "GET", "/api/v1/events", "limit=1001", "", "!\"limit\" must be 1 to 1000" },
	{ "POST", "/api/v1/bans", "", "{\"source\":\"192.0.2.1\",\"minutes\":5}",
		"{\"source\":\"192.0.2.1\",\"minutes\":5}" },
	{ "POST", "/api/v1/accounts/a/password", "", "{\"password\":\"p\"}",
		"{\"password\":\"p\",\"address\":\"a\"}" },
	{ "DELETE", "/api/v1/session", "", "{}", "{}" },
	/* From one place only, and of the right type */
	{ "POST", "/api/v1/accounts/a/block", "", "{\"address\":\"b\"}", "!\"address\" stands" },
	{ "DELETE", "/api/v1/accounts/a/devices", "", "{\"all\":false}", "!the path takes no" },
	{ "GET", "/api/v1/accounts/a/events", "address=b", "", "!\"address\" stands twice" },
	{ "GET", "/api/v1/events", "limit=1&limit=1", "", "!\"limit\" stands twice" },
	{ "GET", "/api/v1/events", "nothing=1", "", "!the path takes no" },
	{ "GET", "/api/v1/events", "limit", "", "!a part of the query" },
	{ "GET", "/api/v1/events", "limit=x", "", "!\"limit\" has no value" },
	{ "GET", "/api/v1/events", "limit=", "", "!\"limit\" has no value" },
	{ "GET", "/api/v1/events", "limit=1.5", "", "!\"limit\" has no value" },
	{ "GET", "/api/v1/events", "limit=9999999999999999999", "", "!\"limit\" has no value" },
	{ "GET", "/api/v1/events", "account=%", "", "!malformed percent" },
	{ "GET", "/api/v1/events", "account=%4", "", "!malformed percent" },
	{ "GET", "/api/v1/events", "account=%ff", "", "!\"account\" has no value" },
	{ "GET", "/api/v1/events", "account=a%00b", "", "!\"account\" has no value" },
	{ "DELETE", "/api/v1/sessions/abc", "", "", "!\"id\" has no value" },
	{ "POST", "/api/v1/bans", "source=192.0.2.1", "{}", "!the arguments of a change" },
	{ "POST", "/api/v1/bans", "", "[]", "!the body is no" },
	{ "POST", "/api/v1/bans", "", "\"x\"", "!the body is no" },
	{ "POST", "/api/v1/bans", "", "{\"source\":1", "!the body is no" },
	{ "POST", "/api/v1/bans", "", "{} {}", "!the body is no" },
	{ "POST", "/api/v1/bans", "", "{\"source\":\"a\",\"source\":\"b\"}", "!the body is no" },
	{ "POST", "/api/v1/bans", "", "{\"source\":\"\xff\"}", "!the body is no" },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct gp_why why = { "" };
		struct route_match match;
		struct buf out;
		size_t page = 0;
		enum gp_err err;

		buf_init(&out, ARGUMENTS_MAX);
		assert_int_equal(
			route_find(slice_str(cases[i].method), slice_str(cases[i].path), &match),
			ROUTE_FOUND);
		err = arguments_build(&match, slice_str(cases[i].query), slice_str(cases[i].body),
			&out, &page, &why);
		if (cases[i].arguments[0] == '!') {
			if (err != GP_ERR_SYNTAX ||
				strstr(why.text, cases[i].arguments + 1) == NULL)
				fail_msg("case %zu: %d %s", i, (int)err, why.text);
		} else if (err != GP_OK || !slice_is(buf_slice(&out), cases[i].arguments)) {
			fail_msg("case %zu: %s %.*s", i, why.text, SLICE_ARG(buf_slice(&out)));
		}
		buf_fini(&out);
	}
}

static size_t page_of(const char *query)
{
	struct gp_why why = { "" };
	struct route_match match;
	struct buf out;
	size_t page = 12345;

	buf_init(&out, ARGUMENTS_MAX);
	assert_int_equal(
		route_find(SLICE_LIT("GET"), SLICE_LIT("/api/v1/events"), &match), ROUTE_FOUND);
	assert_int_equal(
		arguments_build(&match, slice_str(query), SLICE_LIT(""), &out, &page, &why), GP_OK);
	buf_fini(&out);
	return page;
}

static void test_pages(void **state)
{
	(void)state;
	assert_int_equal(page_of(""), ARGUMENTS_PAGE);
	assert_int_equal(page_of("limit=7"), 7);
	assert_int_equal(page_of("limit=1000"), ARGUMENTS_PAGE_MAX);
}

static void test_limit(void **state)
{
	struct gp_why why = { "" };
	struct route_match match;
	struct buf body;
	struct buf out;
	size_t page = 0;

	(void)state;
	buf_init(&body, 64 * 1024);
	buf_init(&out, ARGUMENTS_MAX);
	assert_int_equal(buf_append_str(&body, "{\"reason\":\""), GP_OK);
	while (buf_slice(&body).len < ARGUMENTS_MAX)
		assert_int_equal(buf_append_byte(&body, 'a'), GP_OK);
	assert_int_equal(buf_append_str(&body, "\"}"), GP_OK);
	assert_int_equal(
		route_find(SLICE_LIT("POST"), SLICE_LIT("/api/v1/bans"), &match), ROUTE_FOUND);
	assert_int_equal(
		arguments_build(&match, SLICE_LIT(""), buf_slice(&body), &out, &page, &why),
		GP_ERR_LIMIT);
	buf_fini(&body);
	buf_fini(&out);
}

/* A secret in a URL would stand in logs and histories. */
static void test_secret(void **state)
{
	const struct route route = { ROUTE_GET, "/x", OPS_account_passwd, ROUTE_NONE, "", "" };
	const struct route_match match = { .route = &route };
	struct gp_why why = { "" };
	struct buf out;
	size_t page = 0;

	(void)state;
	buf_init(&out, ARGUMENTS_MAX);
	assert_int_equal(
		arguments_build(&match, SLICE_LIT("password=x"), SLICE_LIT(""), &out, &page, &why),
		GP_ERR_SYNTAX);
	assert_non_null(strstr(why.text, "no matter for a URL"));
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
