/* SPDX-License-Identifier: ISC */
/* Changes of core's own that are asked for again under the same idempotency key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "core/repeat.h"
#include "world.h"

enum {
	MINUTE_MS = 60 * 1000
};

static const char source[] = "198.51.100.7";
static const char add[] = "{\"source\":\"198.51.100.7\",\"minutes\":60,\"reason\":\"guesses\"}";
static const char kill_it[] = "{\"session\":\"0000000000000abc\"}";

static enum gp_err under(
	struct world *world, const char *key, const char *name, const char *arguments)
{
	enum gp_err err;

	world->idempotency = key;
	err = world_op(world, name, arguments);
	world->idempotency = NULL;
	return err;
}

static void set_clock(int64_t ms)
{
	clock_fake(WORLD_WALL + ms / 1000, WORLD_STEADY + ms);
}

static void the_first_answer_comes_again(void **state)
{
	struct world *world = world_new("", true);
	struct ip ip = world_ip(source);
	json_t *first = NULL;

	(void)state;
	assert_int_equal(under(world, "job-1", "ban.add", add), GP_OK);
	first = json_deep_copy(world->rows);
	assert_int_equal(json_array_size(first), 1);
	/* Later, and also when it was lifted meanwhile: to the letter, and nothing is done. */
	set_clock(5 * MINUTE_MS);
	assert_int_equal(under(world, "job-1", "ban.add", add), GP_OK);
	assert_true(json_equal(world->rows, first));
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 55 * MINUTE_MS);
	assert_int_equal(world_op(world, "ban.remove", "{\"source\":\"198.51.100.7\"}"), GP_OK);
	assert_int_equal(under(world, "job-1", "ban.add", add), GP_OK);
	assert_true(json_equal(world->rows, first));
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 0);
	/* Something else under this key; the same under another one, or none. */
	assert_int_equal(
		under(world, "job-1", "ban.add", "{\"source\":\"198.51.100.8\"}"), GP_ERR_EXISTS);
	assert_non_null(strstr(world->done_why, "another request"));
	assert_int_equal(under(world, "job-1", "ban.remove", "{\"source\":\"198.51.100.7\"}"),
		GP_ERR_EXISTS);
	assert_int_equal(under(world, "job-2", "ban.add", add), GP_OK);
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 60 * MINUTE_MS);
	set_clock(6 * MINUTE_MS);
	assert_int_equal(world_op(world, "ban.add", add), GP_OK);
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 60 * MINUTE_MS);
	/* What only tells tells what is. */
	assert_int_equal(under(world, "job-3", "ban.list", ""), GP_OK);
	assert_int_equal(world_op(world, "ban.remove", "{\"source\":\"198.51.100.7\"}"), GP_OK);
	assert_int_equal(under(world, "job-3", "ban.list", ""), GP_OK);
	assert_int_equal(json_array_size(world->rows), 0);
	json_decref(first);
	world_free(&world);
}

/* What failed was not done: it may be asked for again. */
static void a_failure_is_not_kept(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	assert_int_equal(under(world, "job", "session.kill", kill_it), GP_ERR_NOT_FOUND);
	assert_int_equal(world_try(world, 0xabc, SERVICE_IMAP, source, "right"), VERDICT_OK);
	assert_int_equal(under(world, "job", "session.kill", kill_it), GP_OK);
	assert_int_equal(json_array_size(world->rows), 1);
	assert_int_equal(world->closed_count, 1);
	assert_int_equal(under(world, "job", "session.kill", kill_it), GP_OK);
	assert_int_equal(json_array_size(world->rows), 1);
	assert_int_equal(world->closed_count, 1);
	world_free(&world);
}

/* The store has not got it yet; then the vault is gone, and with it whether it was kept. */
static void while_it_is_under_way(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	world->is_keeping_mute = true;
	world->idempotency = "job";
	(void)world_ask(world, "ban.add", add);
	world_settle(world);
	assert_false(world->is_done);
	assert_int_equal(world_op(world, "ban.add", add), GP_ERR_BUSY);
	world_cut_vault(world, 0);
	world_settle(world);
	world->is_keeping_mute = false;
	world_connect_vault(world, 0);
	world_settle(world);
	assert_int_equal(world_op(world, "ban.add", add), GP_OK);
	assert_int_equal(json_array_size(world->rows), 1);
	world_free(&world);
}

static void it_ends_after_a_day(void **state)
{
	struct world *world = world_new("", true);
	struct ip ip = world_ip(source);

	(void)state;
	assert_int_equal(under(world, "job", "ban.add", add), GP_OK);
	set_clock((int64_t)REPEAT_KEEP_MS - 1);
	assert_int_equal(under(world, "job", "ban.add", add), GP_OK);
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 0);
	set_clock((int64_t)REPEAT_KEEP_MS);
	assert_int_equal(under(world, "job", "ban.add", add), GP_OK);
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 60 * MINUTE_MS);
	world_free(&world);
}

static void only_so_many_are_kept(void **state)
{
	struct world *world = world_new("", true);
	struct ip ip = world_ip(source);
	char key[32];

	(void)state;
	assert_int_equal(under(world, "first", "ban.add", add), GP_OK);
	assert_int_equal(world_op(world, "ban.remove", "{\"source\":\"198.51.100.7\"}"), GP_OK);
	for (int i = 0; i < REPEAT_MAX - 1; i++) {
		(void)snprintf(key, sizeof key, "job-%d", i);
		assert_int_equal(
			under(world, key, "ban.remove", "{\"source\":\"198.51.100.9\"}"), GP_OK);
	}
	assert_int_equal(world->core->repeats.by_key.count, REPEAT_MAX);
	assert_int_equal(under(world, "first", "ban.add", add), GP_OK);
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 0);
	assert_int_equal(
		under(world, "last", "ban.remove", "{\"source\":\"198.51.100.9\"}"), GP_OK);
	assert_int_equal(world->core->repeats.by_key.count, REPEAT_MAX);
	assert_int_equal(under(world, "first", "ban.add", add), GP_OK);
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 60 * MINUTE_MS);
	world_free(&world);
}

/* Rows as an operation adds them: of those that are too long it is known that it was done. */
static void long_answers(void **state)
{
	struct world *world = world_new("", true);
	struct op_call call = { .core = world->core };
	struct caller caller = { .actor = SLICE_LIT("panel") };
	char text[1024] = "";
	json_t *row = NULL;
	struct gp_why why = { "" };
	char key[32];
	uint64_t number = 0;
	int kept = 0;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	row = json_pack("{s:s}", "x", text); /* 1,031 bytes */
	call.caller = &caller;
	caller.idempotency = SLICE_LIT("long");
	assert_int_equal(repeat_find(&call, OPS_session_kill, SLICE_LIT(""), &number, &why),
		GP_ERR_NOT_FOUND);
	for (int i = 0; i <= REPEAT_ANSWER_MAX / 1031; i++)
		repeat_add_row(world->core, number, row);
	assert_int_equal(world->core->repeats.bytes, 0);
	repeat_end(world->core, number, GP_OK);
	assert_int_equal(
		repeat_find(&call, OPS_session_kill, SLICE_LIT(""), &number, &why), GP_ERR_LIMIT);
	/* All together: the oldest goes. */
	for (int i = 0; i < REPEAT_BYTES_MAX / (15 * 1031) + 10; i++) {
		(void)snprintf(key, sizeof key, "job-%d", i);
		caller.idempotency = slice_str(key);
		assert_int_equal(repeat_find(&call, OPS_session_kill, SLICE_LIT(""), &number, &why),
			GP_ERR_NOT_FOUND);
		for (int rows = 0; rows < 15; rows++)
			repeat_add_row(world->core, number, row);
		repeat_end(world->core, number, GP_OK);
		assert_true(world->core->repeats.bytes <= REPEAT_BYTES_MAX);
		kept++;
	}
	assert_true(world->core->repeats.bytes > REPEAT_BYTES_MAX - 16 * 1031);
	assert_true(world->core->repeats.by_key.count < (size_t)kept);
	/* One that went while it was under way is nobody's trouble. */
	repeat_add_row(world->core, number + 1, row);
	repeat_end(world->core, number + 1, GP_OK);
	json_decref(row);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_answer_comes_again),
		cmocka_unit_test(a_failure_is_not_kept),
		cmocka_unit_test(while_it_is_under_way),
		cmocka_unit_test(it_ends_after_a_day),
		cmocka_unit_test(only_so_many_are_kept),
		cmocka_unit_test(long_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
