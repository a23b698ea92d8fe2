/* SPDX-License-Identifier: ISC */
/* Bans as people see them, and lift them for themselves. */
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
	MINUTE_MS = 60 * 1000,
	DAY = 24 * 60 * 60,
};

static const char home[] = "198.51.100.7";
static const char office[] = "203.0.113.9";

static void ban(struct world *world, const char *source)
{
	struct ip_net net;

	assert_int_equal(ip_parse_level(slice_str(source), &net), GP_OK);
	bans_set(world->core, &net, 30 * MINUTE_MS, SLICE_LIT("too many"), 0);
}

static void sign_in(struct world *world, char cookie[static PORTAL_COOKIE_SIZE])
{
	struct portal_account who = { WORLD_RIGHT_ACCOUNT, ROLE_USER,
		SLICE_LIT("alice@example.test"), SLICE_LIT(""), SLICE_LIT("browser"),
		world_ip(home) };

	(void)portal_open(world->core, &who, PORTAL_SIGNED_IN, cookie);
}

static enum gp_err lift(
	struct world *world, const char *source, const char *cookie, const char *client)
{
	char arguments[128];

	(void)snprintf(arguments, sizeof arguments, "{\"source\":\"%s\"}", source);
	return world_call(world, "self.ban_lift", arguments, cookie, client);
}

static const json_t *value(const struct world *world, size_t n, const char *key)
{
	const json_t *found = json_object_get(world_row(world, n), key);

	assert_non_null(found);
	return found;
}

static const char *text(const struct world *world, size_t n, const char *key)
{
	const char *found = json_string_value(value(world, n, key));

	return found != NULL ? found : "?";
}

static void anybody_may_ask_whether_he_is_banned(void **state)
{
	struct world *world = world_new("", true);
	char cookie[PORTAL_COOKIE_SIZE];

	(void)state;
	assert_int_equal(world_call(world, "source.show", "", "", home), GP_OK);
	assert_string_equal(text(world, 0, "source"), home);
	assert_true(json_is_false(value(world, 0, "is_banned")));
	assert_true(json_is_null(value(world, 0, "until")));
	assert_true(json_is_null(value(world, 0, "reference")));
	assert_int_equal(json_integer_value(value(world, 0, "lifts_left")), 3);
	ban(world, home);
	assert_int_equal(world_call(world, "source.show", "", "", home), GP_OK);
	assert_true(json_is_true(value(world, 0, "is_banned")));
	assert_string_equal(text(world, 0, "until"), "2027-01-15T08:30:00Z");
	assert_int_equal(json_integer_value(value(world, 0, "minutes_left")), 30);
	assert_string_equal(text(world, 0, "why"), "too many");
	assert_int_equal(strlen(text(world, 0, "reference")), 8);
	/* What others have lifted is told of the source, what I have of me. */
	sign_in(world, cookie);
	assert_int_equal(lift(world, home, cookie, home), GP_OK);
	assert_int_equal(world_call(world, "source.show", "", "", home), GP_OK);
	assert_int_equal(json_integer_value(value(world, 0, "lifts_left")), 2);
	assert_int_equal(world_call(world, "source.show", "", "", office), GP_OK);
	assert_int_equal(json_integer_value(value(world, 0, "lifts_left")), 3);
	assert_int_equal(world_call(world, "source.show", "", cookie, office), GP_OK);
	assert_int_equal(json_integer_value(value(world, 0, "lifts_left")), 2);
	world_free(&world);
}

static void bans_are_listed_with_who_caused_them(void **state)
{
	struct world *world = world_new("", true);
	char cookie[PORTAL_COOKIE_SIZE];
	const json_t *devices = NULL;

	(void)state;
	sign_in(world, cookie);
	world->cause = office;
	assert_int_equal(world_call(world, "self.ban_list", "", "", home), GP_ERR_SIGNIN);
	assert_int_equal(world_call(world, "self.ban_list", "", cookie, home), GP_OK);
	assert_int_equal(json_array_size(world->rows), 0);
	ban(world, "192.0.2.1"); /* somebody else's */
	ban(world, office);
	assert_int_equal(world_call(world, "self.ban_list", "", cookie, home), GP_OK);
	assert_int_equal(json_array_size(world->rows), 1);
	assert_string_equal(text(world, 0, "source"), office);
	assert_true(json_is_false(value(world, 0, "is_here")));
	devices = value(world, 0, "devices");
	assert_int_equal(json_array_size(devices), 1);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(devices, 0), "client_name")),
		"phone");
	assert_int_equal(world->op_asker, WORLD_RIGHT_ACCOUNT);
	assert_int_equal(world->op_role, ROLE_CORE);
	ban(world, home);
	assert_int_equal(world_call(world, "self.ban_list", "", cookie, home), GP_OK);
	assert_int_equal(json_array_size(world->rows), 2);
	world_cut_vault(world, DESK);
	world_settle(world);
	assert_int_equal(world_call(world, "self.ban_list", "", cookie, home), GP_ERR_STORE);
	world_free(&world);
}

static void a_ban_is_lifted_for_every_process(void **state)
{
	struct world *world = world_new("", true);
	char cookie[PORTAL_COOKIE_SIZE];
	struct ip ip = world_ip(home);

	(void)state;
	sign_in(world, cookie);
	assert_int_equal(lift(world, home, cookie, home), GP_ERR_NOT_FOUND);
	for (uint64_t i = 1; i <= 5; i++)
		(void)world_try(world, i, SERVICE_IMAP, home, "wrong");
	assert_true(ban_map_left(world->core->ban_map, &ip) > 0);
	assert_int_equal(lift(world, "198.51.100.8", cookie, home), GP_ERR_NOT_FOUND);
	assert_int_equal(lift(world, "nonsense", cookie, home), GP_ERR_NOT_FOUND);
	assert_int_equal(lift(world, home, cookie, home), GP_OK);
	assert_int_equal(ban_map_left(world->core->ban_map, &ip), 0);
	assert_int_equal(world->bans_dropped, 1);
	assert_int_equal(world_try(world, 6, SERVICE_IMAP, home, "right"), VERDICT_OK);
	world_free(&world);
}

static void not_somebody_elses(void **state)
{
	struct world *world = world_new("", true);
	char cookie[PORTAL_COOKIE_SIZE];

	(void)state;
	sign_in(world, cookie);
	ban(world, office);
	assert_int_equal(lift(world, office, cookie, home), GP_ERR_NOT_FOUND);
	world->cause = office;
	assert_int_equal(lift(world, office, cookie, home), GP_OK);
	/* The vault says no: it stays. */
	world->lifts = 3;
	ban(world, office);
	assert_int_equal(lift(world, office, cookie, home), GP_ERR_LIMIT);
	assert_int_equal(world_try(world, 1, SERVICE_IMAP, office, "right"), VERDICT_BANNED);
	world_free(&world);
}

/* Who was let in again may fail on his own account, and on no other. */
static void after_a_lift_others_are_off_limits(void **state)
{
	struct world *world = world_new("", true);
	char cookie[PORTAL_COOKIE_SIZE];

	(void)state;
	sign_in(world, cookie);
	ban(world, home);
	assert_int_equal(lift(world, home, cookie, home), GP_OK);
	/* "alice" is the account that lifted it, each "user" another. */
	assert_int_equal(world_try(world, 1, SERVICE_IMAP, home, "wrong"), VERDICT_DENY);
	world_open(world, 0, 2, SERVICE_IMAP, home);
	world_signin(world, 0, 2, "user1@example.test", "wrong");
	world_settle(world);
	assert_int_equal(world_answer_of(world, 2)->verdict, VERDICT_DENY_BANNED);
	assert_int_equal(world_try(world, 3, SERVICE_IMAP, home, "right"), VERDICT_BANNED);
	/* A name that is nobody's is not one's own either. */
	assert_int_equal(lift(world, home, cookie, home), GP_OK);
	world_open(world, 0, 4, SERVICE_IMAP, home);
	world_signin(world, 0, 4, "nobody@example.test", "wrong");
	world_settle(world);
	assert_int_equal(world_answer_of(world, 4)->verdict, VERDICT_DENY_BANNED);
	world_free(&world);
}

static void that_is_over_after_a_day(void **state)
{
	struct world *world = world_new("", true);
	char cookie[PORTAL_COOKIE_SIZE];

	(void)state;
	sign_in(world, cookie);
	ban(world, home);
	assert_int_equal(lift(world, home, cookie, home), GP_OK);
	clock_fake(WORLD_WALL + DAY - 1, WORLD_STEADY + DAY * 1000LL - 1);
	core_sweep(world->core);
	assert_int_equal(world->core->lifts.count, 1);
	clock_fake(WORLD_WALL + DAY, WORLD_STEADY + DAY * 1000LL);
	world_open(world, 0, 1, SERVICE_IMAP, home);
	world_signin(world, 0, 1, "user1@example.test", "wrong");
	world_settle(world);
	assert_int_equal(world_answer_of(world, 1)->verdict, VERDICT_DENY);
	assert_int_equal(world->core->lifts.count, 0);
	world_free(&world);
}

static void a_restart_keeps_lifts(void **state)
{
	struct world *world = world_new("", true);

	(void)state;
	world->lift_rows[0] = (struct ip_net){ world_ip(home), 32 };
	world->lift_row_count = 1;
	world->lift_account = WORLD_RIGHT_ACCOUNT;
	world_restart_core(world);
	world_settle(world);
	assert_int_equal(world->core->lifts.count, 1);
	assert_int_equal(world_call(world, "source.show", "", "", home), GP_OK);
	assert_int_equal(json_integer_value(value(world, 0, "lifts_left")), 2);
	assert_int_equal(world_try(world, 1, SERVICE_IMAP, home, "wrong"), VERDICT_DENY);
	world_open(world, 0, 2, SERVICE_IMAP, home);
	world_signin(world, 0, 2, "user1@example.test", "wrong");
	world_settle(world);
	assert_int_equal(world_answer_of(world, 2)->verdict, VERDICT_DENY_BANNED);
	world_free(&world);
}

static void so_many_are_remembered(void **state)
{
	struct world *world = world_new("", true);
	struct ip_net net = { world_ip(home), 32 };

	(void)state;
	for (uint64_t i = 0; i <= LIFTS_MAX; i++)
		lifts_add(world->core, &net, 1 + i, 0);
	assert_int_equal(world->core->lifts.count, LIFTS_MAX);
	net.base = world_ip(office);
	assert_int_equal(lifts_left(world->core, &net, 1), 3);
	assert_int_equal(lifts_left(world->core, &net, 2), 2);
	world_free(&world);
}

static void what_a_mail_program_is_told(void **state)
{
	struct world *world = world_new("", true);
	char cookie[PORTAL_COOKIE_SIZE];
	const json_t *services = NULL;
	const json_t *first = NULL;

	(void)state;
	sign_in(world, cookie);
	assert_int_equal(world_call(world, "settings.show", "", cookie, home), GP_OK);
	assert_string_equal(text(world, 0, "login"), "alice@example.test");
	assert_string_equal(text(world, 0, "hostname"), "mail.example.test");
	services = value(world, 0, "services");
	/* submission, imap, pop3; port 25 is not for people. */
	assert_int_equal(json_array_size(services), 3);
	first = json_array_get(services, 0);
	assert_string_equal(json_string_value(json_object_get(first, "service")), "submission");
	assert_string_equal(json_string_value(json_object_get(first, "protocol")), "SMTP");
	assert_int_equal(json_integer_value(json_object_get(first, "port")), 587);
	assert_string_equal(json_string_value(json_object_get(first, "tls")), "starttls");
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anybody_may_ask_whether_he_is_banned),
		cmocka_unit_test(bans_are_listed_with_who_caused_them),
		cmocka_unit_test(a_ban_is_lifted_for_every_process),
		cmocka_unit_test(not_somebody_elses),
		cmocka_unit_test(after_a_lift_others_are_off_limits),
		cmocka_unit_test(that_is_over_after_a_day),
		cmocka_unit_test(a_restart_keeps_lifts),
		cmocka_unit_test(so_many_are_remembered),
		cmocka_unit_test(what_a_mail_program_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
