/* SPDX-License-Identifier: ISC */
#include "web/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/check.h"
#include "base/mem.h"

static void test_find(void **state)
{
	static const struct {
		const char *method;
		const char *path;
		enum route_found found;
		const char *op; /* or what is allowed */
	} cases[] = {
		{ "GET", "/api/v1/session", ROUTE_FOUND, "portal.show" },
		{ "HEAD", "/api/v1/session", ROUTE_FOUND, "portal.show" },
		{ "DELETE", "/api/v1/session", ROUTE_FOUND, "portal.signout" },
		{ "GET", "/api/v1/accounts/a@b", ROUTE_FOUND, "account.show" },
		{ "DELETE", "/api/v1/accounts/a@b/devices/7", ROUTE_FOUND, "device.revoke" },
		{ "get", "/api/v1/bans", ROUTE_NO_METHOD, "GET, HEAD, POST" },
		{ "OPTIONS", "/api/v1/bans/x", ROUTE_NO_METHOD, "DELETE" },
		{ "GET", "/api/v1/mail-sessions/end", ROUTE_NO_METHOD, "POST" },
		{ "GET", "/api/v1/accounts/", ROUTE_NO_PATH, "" },
		{ "GET", "/api/v1/accounts//devices", ROUTE_NO_PATH, "" },
		{ "GET", "/api/v1/session/", ROUTE_NO_PATH, "" },
		{ "GET", "/api/v1//session", ROUTE_NO_PATH, "" },
		{ "GET", "/api/v1/Session", ROUTE_NO_PATH, "" },
		{ "GET", "/api/v1/session/a/b/c/d/e/f", ROUTE_NO_PATH, "" },
		{ "GET", "/api/v2/session", ROUTE_NO_PATH, "" },
		{ "GET", "/", ROUTE_NO_PATH, "" },
		{ "GET", "", ROUTE_NO_PATH, "" },
		{ "GET", "api/v1/session", ROUTE_NO_PATH, "" },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct route_match match = { .count = 0 };
		enum route_found found =
			route_find(slice_str(cases[i].method), slice_str(cases[i].path), &match);

		assert_int_equal(found, cases[i].found);
		if (found == ROUTE_FOUND)
			assert_string_equal(ops_entry(match.route->op)->name, cases[i].op);
		else
			assert_string_equal(match.allow, cases[i].op);
	}
}

static void test_arguments(void **state)
{
	struct route_match match;

	(void)state;
	assert_int_equal(route_find(SLICE_LIT("DELETE"),
				 SLICE_LIT("/api/v1/accounts/a%40b/devices/7"), &match),
		ROUTE_FOUND);
	assert_int_equal(match.count, 2);
	assert_true(slice_is(match.keys[0], "address"));
	assert_true(slice_is(match.values[0], "a%40b"));
	assert_true(slice_is(match.keys[1], "device"));
	assert_true(slice_is(match.values[1], "7"));
}

/* What routes.def says of an operation is so: its arguments are there, none of them secret. */
static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_count; i++) {
		const struct route *route = &routes[i];
		char *fixed = mem_printf("{%s}", route->fixed);
		json_t *members = json_loads(fixed, 0, NULL);
		struct slice cursor = slice_str(route->cursor);
		struct route_match match;
		const char *key = NULL;
		json_t *value = NULL;

		assert_int_equal(route_find(slice_str(route->method == ROUTE_GET    ? "GET"
						      : route->method == ROUTE_POST ? "POST"
										    : "DELETE"),
					 slice_str(route->path), &match),
			ROUTE_FOUND);
		assert_ptr_equal(match.route, route);
		for (unsigned n = 0; n < match.count; n++)
			assert_non_null(strchr(
				"si", ops_argument_type(route->op, match.keys[n]) == '\0'
					      ? 'x'
					      : ops_argument_type(route->op, match.keys[n])));
		assert_true(json_is_object(members));
		json_object_foreach(members, key, value)
			assert_int_not_equal(ops_argument_type(route->op, slice_str(key)), 0);
		if (cursor.len > 0) {
			struct slice name = slice_head(cursor, (size_t)slice_find(cursor, ':'));

			assert_int_equal(route->form, ROUTE_LIST);
			assert_int_equal(ops_argument_type(route->op, SLICE_LIT("limit")), 'i');
			assert_int_not_equal(ops_argument_type(route->op, name), 0);
		}
		/* Core's own, and what takes a file. */
		assert_true(ops_entry(route->op)->role < ROLE_CORE);
		assert_int_not_equal(route->op, OPS_account_import);
		json_decref(members);
		mem_free(fixed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
