/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "ops/ops.h"

static void every_name_is_found_and_well_formed(void **state)
{
	(void)state;
	for (unsigned id = 0; id < OPS_MAX; id++) {
		const struct ops_entry *entry = ops_entry((enum ops_id)id);

		assert_int_equal(ops_by_name(slice_str(entry->name)), id);
		assert_true(entry->what[0] != '\0');
	}
	assert_int_equal(ops_by_name(SLICE_LIT("account.adds")), OPS_MAX);
	assert_int_equal(ops_by_name(SLICE_LIT("")), OPS_MAX);
	assert_int_equal(ops_entry(OPS_ban_list)->place, OPS_PLACE_CORE);
	assert_int_equal(ops_entry(OPS_account_add)->place, OPS_PLACE_VAULT);
	assert_int_equal(ops_entry(OPS_account_import)->role, ROLE_ADMIN);
	assert_int_equal(ops_entry(OPS_account_list)->role, ROLE_DOMAIN_ADMIN);
}

/* Each argument string follows the grammar that ops.def states. */
static void argument_strings_follow_the_grammar(void **state)
{
	(void)state;
	for (unsigned id = 0; id < OPS_MAX; id++) {
		struct slice rest = slice_str(ops_entry((enum ops_id)id)->arguments);

		for (struct slice word = slice_word(&rest); word.len > 0;
			word = slice_word(&rest)) {
			ptrdiff_t colon = slice_find(word, ':');
			struct slice type = slice_from(word, (size_t)colon + 1);

			assert_true(colon > 0 && colon < 40);
			for (ptrdiff_t i = 0; i < colon; i++)
				assert_non_null(strchr(
					"abcdefghijklmnopqrstuvwxyz0123456789_", word.data[i]));
			assert_true(type.len == 1 || (type.len == 2 && type.data[1] == '!'));
			assert_non_null(strchr("sibapn", type.data[0]));
		}
	}
}

/* What is secret never reaches the audit. */
static void secrets_are_stripped_by_their_type(void **state)
{
	json_t *args = NULL;

	(void)state;
	assert_int_equal(
		ops_parse(OPS_account_add,
			SLICE_LIT("{\"address\":\"a@b\",\"password\":\"hunter22\"}"), &args, NULL),
		GP_OK);
	ops_strip(OPS_account_add, args);
	assert_null(json_object_get(args, "password"));
	assert_string_equal(json_string_value(json_object_get(args, "address")), "a@b");
	assert_false(ops_has_guess(OPS_account_add));
	json_decref(args);
}

static void scopes_are_operations_and_groups(void **state)
{
	(void)state;
	assert_true(ops_is_scope(SLICE_LIT("account")));
	assert_true(ops_is_scope(SLICE_LIT("account.list")));
	assert_true(ops_is_scope(SLICE_LIT("status")));
	assert_false(ops_is_scope(SLICE_LIT("")));
	assert_false(ops_is_scope(SLICE_LIT("acc")));
	assert_false(ops_is_scope(SLICE_LIT("account.")));
	assert_false(ops_is_scope(SLICE_LIT("account list")));
	assert_true(ops_is_in_scopes(OPS_account_list, SLICE_LIT("")));
	assert_true(ops_is_in_scopes(OPS_account_list, SLICE_LIT("ban account")));
	assert_true(ops_is_in_scopes(OPS_account_list, SLICE_LIT("account.list")));
	assert_false(ops_is_in_scopes(OPS_account_add, SLICE_LIT("account.list")));
	assert_false(ops_is_in_scopes(OPS_account_list, SLICE_LIT("account.add ban")));
	assert_false(ops_is_in_scopes(OPS_status, SLICE_LIT("stats")));
}

struct parse_case {
	enum ops_id id;
	const char *arguments;
	enum gp_err err;
	const char *why;
};

static const struct parse_case parse_cases[] = {
	{ OPS_stats, "", GP_OK, NULL },
	{ OPS_stats, "{}", GP_OK, NULL },
	{ OPS_stats, " {} ", GP_OK, NULL },
	{ OPS_stats, "{\"x\":1}", GP_ERR_SYNTAX, "stats takes no \"x\"" },
	{ OPS_stats, "[]", GP_ERR_SYNTAX, "the arguments are no JSON object" },
	{ OPS_stats, "{}{}", GP_ERR_SYNTAX, "the arguments are no JSON object" },
	{ OPS_stats, "null", GP_ERR_SYNTAX, "the arguments are no JSON object" },
	{ OPS_stats, "{", GP_ERR_SYNTAX, "the arguments are no JSON object" },
	{ OPS_ban_add, "", GP_ERR_SYNTAX, "\"source\" is missing" },
	{ OPS_ban_add, "{\"source\":\"192.0.2.1\"}", GP_OK, NULL },
	{ OPS_ban_add, "{\"source\":\"192.0.2.1\",\"minutes\":5,\"reason\":\"x\"}", GP_OK, NULL },
	{ OPS_ban_add, "{\"source\":7}", GP_ERR_SYNTAX, "\"source\" must be a string" },
	{ OPS_ban_add, "{\"source\":null}", GP_ERR_SYNTAX, "\"source\" must be a string" },
	{ OPS_ban_add, "{\"source\":\"192.0.2.1\",\"minutes\":5.0}", GP_ERR_SYNTAX,
		"\"minutes\" must be an integer" },
	{ OPS_ban_add, "{\"source\":\"192.0.2.1\",\"minutes\":\"5\"}", GP_ERR_SYNTAX,
		"\"minutes\" must be an integer" },
	{ OPS_ban_add, "{\"source\":\"192.0.2.1\",\"minutes\":99999999999999999999}", GP_ERR_SYNTAX,
		"the arguments are no JSON object" },
	{ OPS_ban_add, "{\"source\":\"a\",\"source\":\"b\"}", GP_ERR_SYNTAX,
		"the arguments are no JSON object" },
	{ OPS_ban_add, "{\"source\":\"a\\u0000b\"}", GP_ERR_SYNTAX,
		"the arguments are no JSON object" },
	{ OPS_account_add,
		"{\"address\":\"a@b.test\",\"aliases\":[\"c@b.test\"],\"create_domain\":true}",
		GP_OK, NULL },
	{ OPS_account_add, "{\"address\":\"a@b.test\",\"aliases\":[]}", GP_OK, NULL },
	{ OPS_account_add, "{\"address\":\"a@b.test\",\"aliases\":[\"x\",1]}", GP_ERR_SYNTAX,
		"\"aliases\" must be an array of strings" },
	{ OPS_account_add, "{\"address\":\"a@b.test\",\"aliases\":\"x\"}", GP_ERR_SYNTAX,
		"\"aliases\" must be an array of strings" },
	{ OPS_account_add, "{\"address\":\"a@b.test\",\"create_domain\":1}", GP_ERR_SYNTAX,
		"\"create_domain\" must be true or false" },
	{ OPS_account_add, "{\"Address\":\"a@b.test\"}", GP_ERR_SYNTAX,
		"account.add takes no \"Address\"" },
};

static void arguments_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(parse_cases); i++) {
		const struct parse_case *test = &parse_cases[i];
		struct gp_why why = { "" };
		json_t *args = NULL;

		print_message("%s\n", test->arguments);
		assert_int_equal(
			ops_parse(test->id, slice_str(test->arguments), &args, &why), test->err);
		assert_int_equal(args != NULL, test->err == GP_OK);
		if (test->why != NULL)
			assert_string_equal(why.text, test->why);
		json_decref(args);
	}
}

static void a_password_never_reaches_the_message(void **state)
{
	static const char *const broken[] = {
		"{\"address\":\"a@b\",\"password\":\"hunter2\"",
		"{\"address\":\"a@b\",\"password\":[\"hunter2\"]}",
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(broken); i++) {
		struct gp_why why = { "" };
		json_t *args = NULL;

		assert_int_equal(ops_parse(OPS_account_passwd, slice_str(broken[i]), &args, &why),
			GP_ERR_SYNTAX);
		assert_null(strstr(why.text, "hunter2"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_found_and_well_formed),
		cmocka_unit_test(argument_strings_follow_the_grammar),
		cmocka_unit_test(scopes_are_operations_and_groups),
		cmocka_unit_test(secrets_are_stripped_by_their_type),
		cmocka_unit_test(arguments_are_checked),
		cmocka_unit_test(a_password_never_reaches_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
