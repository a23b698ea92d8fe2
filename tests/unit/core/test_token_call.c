/* SPDX-License-Identifier: ISC */
/* Hosting panels: a token may what its role, its scopes and its domains say, and no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "world.h"

static const char office[] = "198.51.100.7";

static struct world *panel_new(void)
{
	struct world *world = world_new("", true);

	world->is_token = true;
	return world;
}

static const struct {
	const char *token;
	const char *op;
	const char *arguments;
	enum gp_err err;
} cases[] = {
	{ "admin", "account.list", "", GP_OK },
	{ "admin", "ban.list", "", GP_OK },
	{ "admin", "no.such", "", GP_ERR_UNSUPPORTED },
	{ "admin", "token.check", "{\"token\":\"admin\"}", GP_ERR_UNSUPPORTED },
	/* There is nobody whose own it could be. */
	{ "admin", "self.show", "", GP_ERR_UNSUPPORTED },
	{ "panel", "ban.list", "", GP_ERR_ROLE },    /* in its scopes, but for staff */
	{ "panel", "device.list", "", GP_ERR_ROLE }, /* not in its scopes */
	/* Whatever its role, it is for its domains only. */
	{ "bound", "account.list", "", GP_OK },
	{ "bound", "ban.list", "", GP_ERR_ROLE },
	{ "bound", "session.list", "", GP_ERR_ROLE },
	{ "bound", "reload", "", GP_ERR_ROLE },
	{ "odd", "account.list", "", GP_ERR_STORE },
	{ "down", "account.list", "", GP_ERR_STORE },
	{ "else", "account.list", "", GP_ERR_SIGNIN },
	{ "", "account.list", "", GP_ERR_SIGNIN },
	{ "a\nb", "account.list", "", GP_ERR_SIGNIN },
	{ "\xff", "account.list", "", GP_ERR_SIGNIN },
	/* A token is asked for even where a guest may. */
	{ "else", "portal.show", "", GP_ERR_SIGNIN },
};

static void each_token_has_its_bounds(void **state)
{
	struct world *world = panel_new();

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		enum gp_err err =
			world_call(world, cases[i].op, cases[i].arguments, cases[i].token, office);

		if (err != cases[i].err)
			fail_msg("case %zu: %s", i, gp_err_text(err));
	}
	assert_int_equal(world->core->token_calls.count, 0);
	world_free(&world);
}

static void the_vault_hears_whose_token_it_was(void **state)
{
	struct world *world = panel_new();

	(void)state;
	assert_int_equal(world_call(world, "account.activity",
				 "{\"address\":\"alice@example.test\"}", "panel", office),
		GP_OK);
	assert_string_equal(world->op_name, "account.activity");
	assert_string_equal(world->op_actor, "token:2 pa\\x07nel");
	assert_int_equal(world->op_role, ROLE_DOMAIN_ADMIN);
	assert_string_equal(world->op_domains, "example.test");
	assert_int_equal(world->op_asker, 0);
	world_free(&world);
}

/* A cookie is no token and a token no cookie. */
static void a_cookie_is_no_token(void **state)
{
	struct world *world = panel_new();
	char cookie[PORTAL_COOKIE_SIZE];
	struct portal_account who = { .account = 7,
		.role = ROLE_ADMIN,
		.address = SLICE_LIT("alice@example.test"),
		.domains = SLICE_LIT(""),
		.client_name = SLICE_LIT("browser") };

	(void)state;
	(void)portal_open(world->core, &who, PORTAL_SIGNED_IN, cookie);
	assert_int_equal(world_call(world, "account.list", "", cookie, office), GP_ERR_SIGNIN);
	world->is_token = false;
	assert_int_equal(world_call(world, "account.list", "", cookie, office), GP_OK);
	assert_int_equal(world_call(world, "account.list", "", "admin", office), GP_ERR_SIGNIN);
	world_free(&world);
}

static void only_so_many_wait(void **state)
{
	struct world *world = panel_new();

	(void)state;
	for (unsigned i = 0; i < TOKEN_CALLS_MAX + 3; i++)
		(void)world_send_call(world, "account.list", "", "admin", office);
	world_settle(world);
	assert_int_equal(world_count_done(world, GP_OK) + world_count_done(world, GP_ERR_BUSY),
		TOKEN_CALLS_MAX + 3);
	assert_int_equal(world->core->token_calls.count, 0);
	world_free(&world);
}

static void without_a_vault_it_is_our_fault(void **state)
{
	struct world *world = panel_new();

	(void)state;
	world_cut_vault(world, DESK);
	assert_int_equal(world_call(world, "account.list", "", "admin", office), GP_ERR_STORE);
	assert_int_equal(world->core->token_calls.count, 0);
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_token_has_its_bounds),
		cmocka_unit_test(the_vault_hears_whose_token_it_was),
		cmocka_unit_test(a_cookie_is_no_token),
		cmocka_unit_test(only_so_many_wait),
		cmocka_unit_test(without_a_vault_it_is_our_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
