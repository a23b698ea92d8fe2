/* SPDX-License-Identifier: ISC */
/* Mail of Gatepost's own finds its next hop and a front, and the vault hears what came of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "world.h"

enum {
	NOTICE = 41
};

static void each_recipient_has_its_next_hop(void **state)
{
	static const struct {
		const char *recipient;
		const char *backend;
	} cases[] = {
		{ "alice@example.test", "in" },
		{ "alice@mail.example.test", "in" }, /* a host alias */
		{ "bob@other.test", "other" },
		{ "friend@elsewhere.test", "out" },
		{ "friend@OTHER.test", "other" },
	};
	struct world *world = world_new("", true);

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		world_notice(world, NOTICE + i, cases[i].recipient);
		assert_int_equal(world->notices, i + 1);
		assert_string_equal(world->notice_backend, cases[i].backend);
	}
	assert_int_equal(world->notices_done, 0);
	world_free(&world);
}

static void the_answer_goes_to_the_vault(void **state)
{
	struct world *world = world_new("", true);
	struct ipc_message done = { .type = IPC_NOTICE_DONE };

	(void)state;
	world_notice(world, NOTICE, "alice@example.test");
	done.notice_done = (struct ipc_notice_done){ NOTICE, NOTICE_SENT, SLICE_LIT("2.0.0 ok") };
	world_send(world, world->last_notice_front, &done);
	world_settle(world);
	assert_int_equal(world->notices_done, 1);
	assert_int_equal(world->notice_done.notice, NOTICE);
	assert_int_equal(world->notice_done.outcome, NOTICE_SENT);
	world_free(&world);
}

static void what_cannot_be_sent_now_is_temporary(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	world_notice(world, NOTICE, "not an address");
	assert_int_equal(world->notices_done, 1);
	assert_int_equal(world->notice_done.outcome, NOTICE_TEMPORARY);
	world_cut_front(world, 0, false);
	world_notice(world, NOTICE + 1, "alice@example.test");
	assert_int_equal(world->last_notice_front, 1);
	world_cut_front(world, 1, false);
	world_notice(world, NOTICE + 2, "alice@example.test");
	assert_int_equal(world->notices, 1);
	assert_int_equal(world->notices_done, 2);
	assert_int_equal(world->notice_done.notice, NOTICE + 2);
	assert_int_equal(world->notice_done.outcome, NOTICE_TEMPORARY);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_recipient_has_its_next_hop),
		cmocka_unit_test(the_answer_goes_to_the_vault),
		cmocka_unit_test(what_cannot_be_sent_now_is_temporary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
