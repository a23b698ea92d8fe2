/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/terms.h"
#include "cli/args.h"
#include "cli/help.h"
#include "cli/output.h"

enum {
	WORDS_MAX = 16
};

/* A command line in one string. */
static int split(char *line, char *words[static WORDS_MAX])
{
	int count = 0;

	for (char *at = line; *at != '\0'; at += strcspn(at, " ")) {
		at += strspn(at, " ");
		if (at > line)
			at[-1] = '\0';
		assert_true(count < WORDS_MAX);
		words[count++] = at;
	}
	return count;
}

static enum gp_err parse(
	const char *text, struct args *args, char line[static 256], struct gp_why *why)
{
	char *words[WORDS_MAX];

	assert_true(strlen(text) < 256);
	assert_true(slice_copy(slice_str(text), line, 256));
	return args_parse(args, split(line, words), words, why);
}

static void lines_become_operations(void **state)
{
	static const struct {
		const char *line;
		const char *op;
		const char *json; /* sorted by key */
	} cases[] = {
		{ "gatepost account add a@b --role staff --create-domain", "account.add",
			"{\"address\":\"a@b\",\"create_domain\":true,\"role\":\"staff\"}" },
		{ "gatepost --json account add --role=staff a@b --alias c@d --alias e@f",
			"account.add",
			"{\"address\":\"a@b\",\"aliases\":[\"c@d\",\"e@f\"],\"role\":\"staff\"}" },
		{ "gatepost account add --no-password -- --odd@b", "account.add",
			"{\"address\":\"--odd@b\"}" },
		{ "gatepost account set a@b --off no", "account.set",
			"{\"address\":\"a@b\",\"is_off\":false}" },
		{ "gatepost device add a@b phone --scope imap --scope smtp", "device.add",
			"{\"address\":\"a@b\",\"name\":\"phone\",\"scopes\":[\"imap\",\"smtp\"]}" },
		{ "gatepost device revoke a@b 3 --yes", "device.revoke",
			"{\"address\":\"a@b\",\"device\":3}" },
		{ "gatepost device revoke a@b --all", "device.revoke",
			"{\"address\":\"a@b\",\"all\":true}" },
		{ "gatepost ban add 203.0.113.9 --minutes 60 --reason spam --json", "ban.add",
			"{\"minutes\":60,\"reason\":\"spam\",\"source\":\"203.0.113.9\"}" },
		{ "gatepost signin list --since 1h --until 2026-01-31T00:00:00Z --limit 5",
			"signin.list",
			"{\"limit\":5,\"since\":\"2026-01-31T22:59:59Z\","
			"\"until\":\"2026-01-31T00:00:00Z\"}" },
		{ "gatepost clock advance -5", "clock.advance", "{\"seconds\":-5}" },
		{ "gatepost -c /x status", "status", "{}" },
		{ "gatepost stats --prometheus", "stats", "{}" },
	};

	(void)state;
	clock_fake(clock_parse("2026-01-31T23:59:59Z"), 0);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		char line[256];
		struct args args;
		struct gp_why why = { "" };
		char *json;

		if (parse(cases[i].line, &args, line, &why) != GP_OK)
			fail_msg("%s: %s", cases[i].line, why.text);
		json = json_dumps(args.values, JSON_COMPACT | JSON_SORT_KEYS);
		assert_string_equal(json, cases[i].json);
		assert_string_equal(ops_entry(args.verb->op)->name, cases[i].op);
		assert_int_equal(args.is_json, strstr(cases[i].line, "--json") != NULL);
		free(json);
		args_fini(&args);
	}
}

static void wrong_lines_are_explained(void **state)
{
	static const struct {
		const char *line;
		const char *why;
	} cases[] = {
		{ "gatepost", "what is to be done? (gatepost --help)" },
		{ "gatepost account",
			"what is to be done with account? (gatepost account --help)" },
		{ "gatepost acount add",
			"unknown command acount; did you mean account? (gatepost --help)" },
		{ "gatepost account ad",
			"unknown command ad; did you mean add? (gatepost account --help)" },
		{ "gatepost account add a@b --rool x", "unknown option --rool; did you mean "
						       "--role? (gatepost account add --help)" },
		{ "gatepost --jsn status",
			"unknown option --jsn; did you mean --json? (gatepost --help)" },
		{ "gatepost account add", "missing: ADDRESS (gatepost account add --help)" },
		{ "gatepost account add a@b c@d",
			"one word too many: c@d (gatepost account add --help)" },
		{ "gatepost account add a@b --role",
			"a value is missing after --role (gatepost account add --help)" },
		{ "gatepost account add a@b --role x --role y",
			"given twice: --role (gatepost account add --help)" },
		{ "gatepost account add a@b --create-domain=1",
			"takes no value: --create-domain (gatepost account add --help)" },
		{ "gatepost ban add ::1 --minutes 5x",
			"not a whole number: 5x (gatepost ban add --help)" },
		{ "gatepost ban add ::1 --minutes 99999999999999999999",
			"not a whole number: 99999999999999999999 (gatepost ban add --help)" },
		{ "gatepost signin list --since 1x",
			"not a time (30m, 2h, 3d, 2026-01-31 14:05): 1x (gatepost signin list "
			"--help)" },
		{ "gatepost account add \xff@b",
			"not UTF-8: \\xff@b (gatepost account add --help)" },
		{ "gatepost status x", "one word too many: x (gatepost status --help)" },
		{ "gatepost --config", "a value is missing after --config (gatepost --help)" },
		{ "gatepost --json=1 status", "takes no value: --json (gatepost --help)" },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		char line[256];
		struct args args;
		struct gp_why why = { "" };

		assert_int_equal(parse(cases[i].line, &args, line, &why), GP_ERR_SYNTAX);
		assert_string_equal(why.text, cases[i].why);
	}
}

static void help_needs_no_operands(void **state)
{
	char line[256];
	struct args args;
	struct gp_why why = { "" };

	(void)state;
	assert_int_equal(parse("gatepost account add --help", &args, line, &why), GP_OK);
	assert_true(args.wants_help);
	assert_string_equal(args.verb->verb, "add");
	args_fini(&args);
	assert_int_equal(parse("gatepost account -h", &args, line, &why), GP_OK);
	assert_null(args.verb);
	assert_string_equal(args.noun, "account");
	args_fini(&args);
	assert_int_equal(parse("gatepost --version", &args, line, &why), GP_OK);
	assert_true(args.wants_version);
	args_fini(&args);
}

/* The keys that the operation takes, as ops.def lists them. */
static bool op_takes(enum ops_id op, const char *key, char type)
{
	struct slice rest = slice_str(ops_entry(op)->arguments);
	struct slice word;

	while ((word = slice_word(&rest)).len > 0) {
		ptrdiff_t colon = slice_find(word, ':');

		if (slice_is(slice_head(word, (size_t)colon), key))
			return word.data[colon + 1] == type;
	}
	return false;
}

static char type_of(enum param_kind kind)
{
	static const char types[] = { [PARAM_TEXT] = 's',
		[PARAM_NUMBER] = 'i',
		[PARAM_FLAG] = 'b',
		[PARAM_YES] = 'b',
		[PARAM_TEXTS] = 'a',
		[PARAM_TIME] = 's',
		[PARAM_FILE] = '-' };

	return types[kind];
}

/* Every operation of the staff has a verb, and its options are those of the operation. */
static void verbs_fit_the_operations(void **state)
{
	bool seen[OPS_MAX] = { false };

	(void)state;
	for (size_t i = 0; i < verb_count; i++) {
		const struct verb *verb = &verbs[i];

		assert_non_null(verb->example);
		assert_true((verb->shape == SHAPE_LOCAL) == (verb->op == OPS_MAX));
		assert_true(verb->sentence != NULL ||
			    (verb->shape != SHAPE_LIST && verb->shape != SHAPE_DONE));
		assert_true((verb->shape == SHAPE_LIST) == (verb->columns[0].key != NULL));
		assert_true((verb->question != NULL) == ((verb->flags & VERB_CONFIRM) != 0));
		if (verb->op == OPS_MAX)
			continue;
		assert_false(seen[verb->op]);
		seen[verb->op] = true;
		for (size_t k = 0; k < VERB_PARAMS_MAX && verb->params[k].name != NULL; k++) {
			const struct param *param = &verb->params[k];

			if (param->key != NULL &&
				!op_takes(verb->op, param->key, type_of(param->kind)))
				fail_msg("%s %s: %s", verb->noun, verb->verb, param->key);
		}
	}
	/* What people do for themselves is for the portal; a CLI is nobody's account. */
	for (size_t i = 0; i < OPS_MAX; i++) {
		const struct ops_entry *entry = ops_entry((enum ops_id)i);

		assert_true(
			seen[i] == (entry->role >= ROLE_DOMAIN_ADMIN && entry->role < ROLE_CORE));
	}
}

static void every_verb_has_help_and_a_working_example(void **state)
{
	(void)state;
	for (size_t i = 0; i < verb_count; i++) {
		struct buf out;

		buf_init(&out, OUTPUT_MAX);
		assert_int_equal(help_format(verbs[i].noun, &verbs[i], &out), GP_OK);
		assert_int_equal(buf_append_byte(&out, '\0'), GP_OK);
		assert_non_null(strstr(buf_slice(&out).data, verbs[i].example));
		assert_non_null(strstr(buf_slice(&out).data, verb_summary(&verbs[i])));
		buf_fini(&out);
	}
	for (size_t i = 0; i < verb_count; i++) {
		char line[256];
		struct args args;
		struct gp_why why = { "" };

		if (strchr(verbs[i].example, '"') != NULL)
			continue; /* needs a shell to split it */
		if (parse(verbs[i].example, &args, line, &why) != GP_OK)
			fail_msg("%s: %s", verbs[i].example, why.text);
		assert_ptr_equal(args.verb, &verbs[i]);
		args_fini(&args);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_operations),
		cmocka_unit_test(wrong_lines_are_explained),
		cmocka_unit_test(help_needs_no_operands),
		cmocka_unit_test(verbs_fit_the_operations),
		cmocka_unit_test(every_verb_has_help_and_a_working_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
