/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "world.h"

static const char source[] = "198.51.100.7";

/* Each ban on one page, however the pages are cut; IPv4 first, by address. */
static void bans_come_in_pages(void **state)
{
	static const char *const sources[] = { "2001:db8:0:1::/64", "198.51.100.20",
		"2001:db8::/48", "9.9.9.9", "198.51.100.3" };
	static const char *const sorted[] = { "9.9.9.9", "198.51.100.3", "198.51.100.20",
		"2001:db8::/48", "2001:db8:0:1::/64" };
	struct world *world = world_new("", true);
	char arguments[128];

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(sources); i++) {
		(void)snprintf(arguments, sizeof arguments, "{\"source\":\"%s\"}", sources[i]);
		assert_int_equal(world_op(world, "ban.add", arguments), GP_OK);
	}
	assert_int_equal(world_op(world, "ban.list", ""), GP_OK);
	assert_int_equal(json_array_size(world->rows), GP_ARRAY_LEN(sorted));
	for (size_t limit = 1; limit <= GP_ARRAY_LEN(sorted) + 1; limit++) {
		char after[64] = "0.0.0.0";

		for (size_t i = 0; i < GP_ARRAY_LEN(sorted);) {
			size_t left = GP_ARRAY_LEN(sorted) - i;

			(void)snprintf(arguments, sizeof arguments,
				"{\"limit\":%zu,\"after\":\"%s\"}", limit, after);
			assert_int_equal(world_op(world, "ban.list", arguments), GP_OK);
			assert_int_equal(json_array_size(world->rows), left < limit ? left : limit);
			for (size_t n = 0; n < json_array_size(world->rows); n++, i++)
				assert_string_equal(
					json_string_value(json_object_get(
						world_row(world, (unsigned)n), "source")),
					sorted[i]);
			(void)snprintf(after, sizeof after, "%s", sorted[i - 1]);
		}
	}
	assert_int_equal(world_op(world, "ban.list", "{\"limit\":0}"), GP_ERR_SYNTAX);
	assert_int_equal(world_op(world, "ban.list", "{\"limit\":10001}"), GP_ERR_LIMIT);
	assert_int_equal(world_op(world, "ban.list", "{\"after\":\"x\"}"), GP_ERR_SYNTAX);
	world_free(&world);
}

static void sessions_come_in_pages(void **state)
{
	struct world *world = world_new("", true);
	uint64_t seen = 0;
	char arguments[64];

	(void)state;
	for (uint64_t id = 40; id > 0; id--)
		assert_int_equal(
			world_try(world, id * 300, SERVICE_IMAP, source, "right"), VERDICT_OK);
	for (unsigned page = 0; page < 10; page++) {
		(void)snprintf(arguments, sizeof arguments,
			"{\"limit\":4,\"after\":\"%016" PRIx64 "\"}", seen * 300);
		assert_int_equal(world_op(world, "session.list", arguments), GP_OK);
		assert_int_equal(json_array_size(world->rows), 4);
		for (unsigned n = 0; n < 4; n++) {
			char id[17];

			(void)snprintf(id, sizeof id, "%016" PRIx64, ++seen * 300);
			assert_string_equal(
				json_string_value(json_object_get(world_row(world, n), "session")),
				id);
		}
	}
	assert_int_equal(world_op(world, "session.list", "{\"after\":\"12\"}"), GP_ERR_SYNTAX);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bans_come_in_pages),
		cmocka_unit_test(sessions_come_in_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
