/* SPDX-License-Identifier: ISC */
/* Management by a CLI, and what core knows after a start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "world.h"

enum {
	MINUTE_MS = 60 * 1000
};

/* The ban of a source. */
static void ban(struct world *world, const struct ip *source, int64_t ms, const char *reason)
{
	struct ip_net net = ip_level_net(source, IP_LEVEL_SOURCE);

	bans_set(world->core, &net, ms, slice_str(reason), 0);
}

static const char source[] = "198.51.100.7";

static const char *text_of(const struct world *world, const char *key)
{
	const char *text = json_string_value(json_object_get(world_row(world, 0), key));

	return text != NULL ? text : "?";
}

static long long int_of(const struct world *world, const char *key)
{
	const json_t *value = json_object_get(world_row(world, 0), key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

/* First: the real clock is only to be had before any test fakes it. */
static void the_clock_moves_where_it_may(void **state)
{
	struct world *world = world_new("settable_clock = yes\n", false);
	struct ip ip = world_ip(source);
	int64_t before = clock_steady();

	(void)state;
	for (uint64_t i = 1; i <= 5; i++)
		(void)world_try(world, i, SERVICE_IMAP, source, "wrong");
	assert_true(ban_map_left(world->core->ban_map, &ip) > 0);
	assert_int_equal(world_op(world, "clock.advance", "{\"seconds\":1799}"), GP_OK);
	assert_int_equal(int_of(world, "clock_shift"), 1799);
	assert_true(clock_steady() - before >= 1799 * 1000);
	assert_int_equal(world_try(world, 10, SERVICE_IMAP, source, "right"), VERDICT_BANNED);
	assert_int_equal(world_op(world, "clock.advance", "{\"seconds\":1}"), GP_OK);
	assert_int_equal(int_of(world, "clock_shift"), 1800);
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 0);
	assert_int_equal(world->core->stats.bans_ended, 1);
	assert_int_equal(world_try(world, 11, SERVICE_IMAP, source, "right"), VERDICT_OK);
	assert_int_equal(world_op(world, "clock.advance", "{\"seconds\":-1}"), GP_ERR_SYNTAX);
	world_free(&world);
	clock_shift(0);

	world = world_new("", true);
	assert_int_equal(world_op(world, "clock.advance", "{\"seconds\":1}"), GP_ERR_DENIED);
	world_free(&world);
}

static void bans_by_hand(void **state)
{
	struct world *world = world_new("", true);
	enum close_reason reason = CLOSE_MAX;
	struct ip ip = world_ip(source);

	(void)state;
	assert_int_equal(world_try(world, 1, SERVICE_IMAP, source, "right"), VERDICT_OK);
	assert_int_equal(world_op(world, "ban.list", ""), GP_OK);
	assert_int_equal(json_array_size(world->rows), 0);
	assert_int_equal(
		world_op(world, "ban.add",
			"{\"source\":\"198.51.100.7\",\"minutes\":90,\"reason\":\"spam\"}"),
		GP_OK);
	assert_string_equal(text_of(world, "source"), source);
	assert_string_equal(text_of(world, "reason"), "spam");
	assert_string_equal(text_of(world, "since"), "2027-01-15T08:00:00Z");
	assert_string_equal(text_of(world, "until"), "2027-01-15T09:30:00Z");
	assert_int_equal(int_of(world, "minutes_left"), 90);
	assert_true(world_was_closed(world, 1, &reason));
	assert_int_equal(reason, CLOSE_BANNED);
	assert_int_equal(world->bans_kept, 1);
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 90 * MINUTE_MS);
	assert_int_equal(world_try(world, 2, SERVICE_IMAP, source, "right"), VERDICT_BANNED);

	assert_int_equal(world_op(world, "ban.list", "{\"source\":\"198.51.100.8\"}"), GP_OK);
	assert_int_equal(json_array_size(world->rows), 0);
	assert_int_equal(world_op(world, "ban.list", "{\"source\":\"198.51.100.7\"}"), GP_OK);
	assert_int_equal(json_array_size(world->rows), 1);

	assert_int_equal(world_op(world, "ban.remove", "{\"source\":\"198.51.100.7\"}"), GP_OK);
	assert_true(json_is_true(json_object_get(world_row(world, 0), "was_banned")));
	assert_int_equal(world->bans_dropped, 1);
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 0);
	assert_int_equal(world_try(world, 3, SERVICE_IMAP, source, "right"), VERDICT_OK);
	world_free(&world);
}

static void what_cannot_be_banned(void **state)
{
	static const struct {
		const char *arguments;
		enum gp_err err;
	} cases[] = {
		{ "{\"source\":\"127.0.0.1\"}", GP_ERR_DENIED },
		{ "{\"source\":\"192.0.2.250\"}", GP_ERR_DENIED },
		{ "{\"source\":\"nobody\"}", GP_ERR_SYNTAX },
		{ "{\"source\":\"198.51.100.0/24\"}", GP_ERR_SYNTAX },
		{ "{\"source\":\"198.51.100.7\",\"minutes\":0}", GP_ERR_SYNTAX },
		{ "{\"source\":\"198.51.100.7\",\"minutes\":5256001}", GP_ERR_SYNTAX },
		{ "{}", GP_ERR_SYNTAX },
		{ "{\"source\":\"2001:db8:1:2::/64\",\"minutes\":5256000}", GP_OK },
	};
	struct world *world = world_new("", true);

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		print_message("%s\n", cases[i].arguments);
		assert_int_equal(world_op(world, "ban.add", cases[i].arguments), cases[i].err);
	}
	assert_string_equal(text_of(world, "source"), "2001:db8:1:2::/64");
	assert_int_equal(world->core->stats.bans_set, 1);
	world_free(&world);
}

static void removing_a_ban_forgets_the_failures(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	for (uint64_t i = 1; i <= 5; i++)
		(void)world_try(world, i, SERVICE_IMAP, source, "wrong");
	assert_int_equal(world_op(world, "ban.remove", "{\"source\":\"198.51.100.7\"}"), GP_OK);
	assert_int_equal(int_of(world, "failures"), 5);
	for (uint64_t i = 11; i <= 14; i++)
		assert_int_equal(world_try(world, i, SERVICE_IMAP, source, "wrong"), VERDICT_DENY);
	assert_int_equal(world_try(world, 15, SERVICE_IMAP, source, "right"), VERDICT_OK);
	world_free(&world);
}

static void sessions_are_listed_and_killed(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	assert_int_equal(world_try(world, 0xabc, SERVICE_IMAP, source, "right"), VERDICT_OK);
	assert_int_equal(
		world_try(world, 2, SERVICE_POP3, "198.51.100.8", WORLD_DEVICE_SECRET), VERDICT_OK);
	world_open(world, 1, 3, SERVICE_SMTP, source);
	assert_int_equal(world_op(world, "session.list", ""), GP_OK);
	assert_int_equal(json_array_size(world->rows), 2);
	assert_int_equal(
		world_op(world, "session.list",
			"{\"source\":\"198.51.100.7\",\"account\":\"ALICE@example.test\"}"),
		GP_OK);
	assert_int_equal(json_array_size(world->rows), 1);
	assert_string_equal(text_of(world, "session"), "0000000000000abc");
	assert_string_equal(text_of(world, "account"), "alice@example.test");
	assert_string_equal(text_of(world, "service"), "imap");
	assert_string_equal(text_of(world, "source"), source);
	assert_string_equal(text_of(world, "client_name"), "program");
	assert_string_equal(text_of(world, "tls"), "TLSv1.3");
	assert_string_equal(text_of(world, "since"), "2027-01-15T08:00:00Z");
	assert_int_equal(int_of(world, "device"), 0);
	assert_int_equal(int_of(world, "client_port"), 40000);

	assert_int_equal(world_op(world, "session.kill", ""), GP_ERR_SYNTAX);
	assert_int_equal(world_op(world, "session.kill", "{\"session\":\"abc\"}"), GP_ERR_SYNTAX);
	assert_int_equal(world_op(world, "session.kill", "{\"session\":\"00000000000000ff\"}"),
		GP_ERR_NOT_FOUND);
	assert_int_equal(
		world_op(world, "session.kill", "{\"session\":\"0000000000000ABC\"}"), GP_OK);
	assert_int_equal(world->closed_count, 1);
	assert_int_equal(world->close_reason[0], CLOSE_ADMIN);
	assert_int_equal(
		world_op(world, "session.kill", "{\"account\":\"alice@example.test\"}"), GP_OK);
	assert_int_equal(world->closed_count, 2);
	world_free(&world);
}

static void a_change_acts_at_once(void **state)
{
	struct world *world = world_new("", true);
	enum close_reason reason = CLOSE_MAX;

	(void)state;
	(void)world_try(world, 1, SERVICE_IMAP, source, "right");
	(void)world_try(world, 2, SERVICE_IMAP, source, WORLD_DEVICE_SECRET);
	assert_int_equal(world_op(world, "device.revoke", "{}"), GP_OK);
	assert_false(world_was_closed(world, 1, &reason));
	assert_true(world_was_closed(world, 2, &reason));
	assert_int_equal(reason, CLOSE_DEVICE_REVOKED);
	assert_int_equal(world_op(world, "account.passwd", "{}"), GP_OK);
	assert_true(world_was_closed(world, 1, &reason));
	assert_int_equal(reason, CLOSE_PASSWORD_CHANGED);
	/* Domains are loaded again, and failures are not counted a second time. */
	assert_int_equal(world->loads, 1);
	assert_int_equal(world_op(world, "domain.add", "{}"), GP_OK);
	world_settle(world);
	assert_int_equal(world->loads, 2);
	world_free(&world);
}

static void status_and_stats_tell(void **state)
{
	struct world *world = world_new("", true);
	const json_t *open = NULL;

	(void)state;
	(void)world_try(world, 1, SERVICE_IMAP, source, "right");
	(void)world_try(world, 2, SERVICE_IMAP, source, "wrong");
	assert_int_equal(world_op(world, "stats", ""), GP_OK);
	assert_int_equal(int_of(world, "guesses_checked"), 1);
	assert_int_equal(int_of(world, "signins_ok"), 1);
	assert_int_equal(int_of(world, "signins_failed"), 1);
	assert_int_equal(int_of(world, "bans_set"), 0);
	assert_int_equal(int_of(world, "refused_banned"), 0);
	assert_int_equal(int_of(world, "messages_accepted"), 0);
	assert_int_equal(int_of(world, "recipients_accepted"), 0);
	assert_int_equal(int_of(world, "events_sent"), 2);
	open = json_object_get(world_row(world, 0), "sessions_open");
	assert_int_equal(json_integer_value(json_object_get(open, "imap")), 2);
	assert_int_equal(json_integer_value(json_object_get(open, "submissions")), 0);
	assert_int_equal(world_op(world, "status", ""), GP_OK);
	assert_string_equal(text_of(world, "store"), "ready");
	assert_string_equal(text_of(world, "hostname"), "mail.example.test");
	assert_int_equal(int_of(world, "domains"), 3);
	assert_int_equal(json_array_size(json_object_get(world_row(world, 0), "processes")), 9);
	world_free(&world);
}

static void operations_are_passed_on(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	assert_int_equal(world_op(world, "account.list", "{\"limit\":1}"), GP_OK);
	assert_true(json_is_true(json_object_get(world_row(world, 0), "echo")));
	assert_int_equal(world_op(world, "no.such", ""), GP_ERR_UNSUPPORTED);
	assert_int_equal(world_op(world, "stats", "{\"x\":1}"), GP_ERR_SYNTAX);
	assert_int_equal(world_op(world, "reload", ""), GP_OK);
	chan_free(&world->gatepostd.chan);
	world_settle(world);
	assert_int_equal(world_op(world, "reload", ""), GP_ERR_BUSY);
	world_cut_vault(world, 0);
	world_settle(world);
	assert_int_equal(world_op(world, "account.list", ""), GP_ERR_STORE);
	assert_int_equal(world_op(world, "stats", ""), GP_OK);
	world_free(&world);
}

static void who_leaves_does_not_stop_an_operation(void **state)
{
	struct world *world = world_new("", true);
	struct ipc_message message = { .type = IPC_OP };
	enum close_reason reason = CLOSE_MAX;

	(void)state;
	(void)world_try(world, 1, SERVICE_IMAP, source, "right");
	chan_pause(world->vaults[0].chan);
	message.op = (struct ipc_op){ .request = 1, .name = SLICE_LIT("account.passwd") };
	assert_int_equal(chan_send(world->cli.chan, &message, -1), GP_OK);
	world_settle(world);
	chan_free(&world->cli.chan);
	world_settle(world);
	assert_int_equal(asker_count(world->core, IPC_ROLE_CLI), 0);
	chan_resume(world->vaults[0].chan);
	world_settle(world);
	assert_true(world_was_closed(world, 1, &reason));
	assert_int_equal(world->core->control.ops.count, 0);
	world_free(&world);
}

static void a_long_list_passes_to_a_slow_reader(void **state)
{
	struct world *world = world_new("", true);
	struct ipc_message message = { .type = IPC_OP };

	(void)state;
	for (uint32_t i = 0; i < 60000; i++) {
		struct ip ip = { IP_V4,
			{ 203, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } };

		ban(world, &ip, MINUTE_MS,
			"a reason long enough to fill the channel of one that does not "
			"read what it asked for");
	}
	world_settle(world);
	chan_pause(world->cli.chan);
	message.op = (struct ipc_op){ .request = 1, .name = SLICE_LIT("ban.list") };
	assert_int_equal(chan_send(world->cli.chan, &message, -1), GP_OK);
	world_settle(world);
	assert_true(asker_find(world->core, 1)->outbox_bytes > 0);
	chan_resume(world->cli.chan);
	world->is_done = false;
	while (!world->is_done && !world->cli.has_ended)
		loop_turn(world->loop);
	assert_int_equal(json_array_size(world->rows), 60000);
	assert_int_equal(world->done_err, GP_OK);
	world_free(&world);
}

static void a_restart_keeps_bans_and_windows(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	world->ban_rows[0] = (struct ip_net){ world_ip(source), 32 };
	world->ban_set_at[0] = WORLD_WALL - 600;
	world->ban_until[0] = WORLD_WALL + 1200;
	/* The clock was set back since: not eternal. */
	world->ban_rows[1] = (struct ip_net){ world_ip("203.0.113.1"), 32 };
	world->ban_set_at[1] = WORLD_WALL + 86400;
	world->ban_until[1] = WORLD_WALL + 86400 + 1800;
	world->ban_rows[2] = (struct ip_net){ world_ip("203.0.113.2"), 32 };
	world->ban_set_at[2] = WORLD_WALL - 3600;
	world->ban_until[2] = WORLD_WALL - 1800;
	world->ban_row_count = 3;
	for (unsigned i = 0; i < 4; i++) {
		world->failure_rows[i] = world_ip("203.0.113.3");
		world->failure_at[i] = WORLD_WALL - 60 * (int64_t)i;
	}
	world->failure_row_count = 4;
	world_restart_core(world);
	world_settle(world);
	assert_int_equal(world_try(world, 1, SERVICE_IMAP, source, "right"), VERDICT_BANNED);
	assert_int_equal(world_answer_of(world, 1)->ban_ms, 1200 * 1000);
	assert_int_equal(ban_map_origin(world->core->ban_map, &world->ban_rows[0].base), 77);
	assert_int_equal(world_try(world, 2, SERVICE_IMAP, "203.0.113.1", "right"), VERDICT_BANNED);
	assert_int_equal(world_answer_of(world, 2)->ban_ms, 1800 * 1000);
	assert_int_equal(world_try(world, 3, SERVICE_IMAP, "203.0.113.2", "right"), VERDICT_OK);
	assert_int_equal(
		world_try(world, 4, SERVICE_IMAP, "203.0.113.3", "wrong"), VERDICT_DENY_BANNED);
	/* Nothing of it was told to the store again, but what was new. */
	assert_int_equal(world->bans_kept, 1);
	world_free(&world);
}

static void until_the_store_is_loaded_nobody_gets_in(void **state)
{
	struct world *world = world_new("signin_wait = 20ms\n", true);
	struct ipc_message message = { .type = IPC_LOADED };

	(void)state;
	world->is_mute = true;
	world_restart_core(world);
	world_open(world, 0, 1, SERVICE_IMAP, source);
	world_signin(world, 0, 1, "alice", "right");
	world_open(world, 0, 2, SERVICE_SMTP, source);
	world_rcpt(world, 0, 2, "bob@example.test");
	assert_int_equal(world->rcpt_permit, PERMIT_TEMPORARY);
	world_await_answers(world, 1);
	assert_int_equal(world_answer_of(world, 1)->verdict, VERDICT_TEMPORARY);
	assert_int_equal(world->verified, 0);
	/* Loaded while one waits: it goes on. */
	world_signin(world, 0, 1, "alice", "right");
	world_settle(world);
	message.loaded = (struct ipc_loaded){ world->core->loading.request, true, SLICE_LIT("") };
	assert_int_equal(chan_send(world->vaults[0].chan, &message, -1), GP_OK);
	world_await_answers(world, 2);
	assert_int_equal(world_answer_of(world, 1)->verdict, VERDICT_OK);
	world_free(&world);
}

static void a_full_ban_table_drops_what_ends_first(void **state)
{
	struct world *world = world_new("", true);
	struct ip first = world_ip("198.51.100.1");
	struct ip v4 = world_ip("198.51.100.2");

	(void)state;
	ban(world, &v4, MINUTE_MS, "x");
	first = world_ip("2001:db8:ffff:ffff::");
	ban(world, &first, MINUTE_MS, "x");
	for (uint32_t i = 0; i < BANS_MAX; i++) {
		struct ip ip = { IP_V6, { 0x20, 1, 0, 0, (uint8_t)(i >> 24), (uint8_t)(i >> 16),
						(uint8_t)(i >> 8), (uint8_t)i } };

		ban(world, &ip, 2 * MINUTE_MS + i, "x");
		if (i % 1000 == 0)
			world_settle(world);
	}
	assert_int_equal(world->core->bans.v6[IP_LEVEL_SOURCE].count, BANS_MAX);
	assert_int_equal(bans_left(world->core, &first), 0);
	assert_int_equal(bans_left(world->core, &v4), MINUTE_MS);
	clock_fake(WORLD_WALL, WORLD_STEADY + 2 * MINUTE_MS + 999);
	bans_sweep(world->core);
	assert_int_equal(world->core->bans.v6[IP_LEVEL_SOURCE].count, BANS_MAX - 1000);
	world_free(&world);
}

static void a_new_configuration_lifts_bans_of_the_exempt(void **state)
{
	struct world *world = world_new("", true);
	struct config *old = world->config;
	struct config_error error;
	static const char text[] = "hostname = mail.example.test\n"
				   "autoban_exempt = 198.51.100.7\nautoban_failures = 3\n"
				   "listener imap { }\n"
				   "certificate main { chain_file = /c.pem key_file = /k.pem }\n"
				   "backend imap { hosts = 192.0.2.250:143 }\n"
				   "route * { imap = imap }\n";

	(void)state;
	for (uint64_t i = 1; i <= 5; i++)
		(void)world_try(world, i, SERVICE_IMAP, source, "wrong");
	(void)world_try(world, 6, SERVICE_IMAP, "198.51.100.8", "wrong");
	if (config_parse(slice_str(text), "test", &world->config, &error) != GP_OK)
		fail_msg("%s", error.text);
	core_configure(world->core, world->config);
	config_free(&old);
	assert_int_equal(world_try(world, 10, SERVICE_IMAP, source, "right"), VERDICT_OK);
	(void)world_try(world, 11, SERVICE_IMAP, "198.51.100.8", "wrong");
	assert_int_equal(
		world_try(world, 12, SERVICE_IMAP, "198.51.100.8", "wrong"), VERDICT_DENY_BANNED);
	/* No backend for POP3 any more: our own fault. */
	assert_int_equal(world_try(world, 13, SERVICE_POP3, source, "right"), VERDICT_TEMPORARY);
	assert_int_equal(world->core->stats.temporary_backend, 1);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clock_moves_where_it_may),
		cmocka_unit_test(bans_by_hand),
		cmocka_unit_test(what_cannot_be_banned),
		cmocka_unit_test(removing_a_ban_forgets_the_failures),
		cmocka_unit_test(sessions_are_listed_and_killed),
		cmocka_unit_test(a_change_acts_at_once),
		cmocka_unit_test(status_and_stats_tell),
		cmocka_unit_test(operations_are_passed_on),
		cmocka_unit_test(who_leaves_does_not_stop_an_operation),
		cmocka_unit_test(a_long_list_passes_to_a_slow_reader),
		cmocka_unit_test(a_restart_keeps_bans_and_windows),
		cmocka_unit_test(until_the_store_is_loaded_nobody_gets_in),
		cmocka_unit_test(a_full_ban_table_drops_what_ends_first),
		cmocka_unit_test(a_new_configuration_lifts_bans_of_the_exempt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
