/* SPDX-License-Identifier: ISC */
/* gatepost.conf(5) and the example know every option of schema.def, with its range and default. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "config/config.h"
#include "config/schema.h"
#include "config/value.h"

enum {
	MANUAL_MAX = 256 * 1024
};

static char manual[MANUAL_MAX];
static char example[MANUAL_MAX];

/* Where each section's options stand in the manual; the last ends them. */
static const char *const headings[SECTION_MAX + 1] = {
	[SECTION_GLOBAL] = "\n.Sh OPTIONS OUTSIDE OF SECTIONS\n",
	[SECTION_LISTENER] = "\n.Sh LISTENERS\n",
	[SECTION_CERTIFICATE] = "\n.Sh CERTIFICATES\n",
	[SECTION_BACKEND] = "\n.Sh BACKENDS\n",
	[SECTION_ROUTE] = "\n.Sh ROUTES\n",
	[SECTION_PLAN] = "\n.Sh PLANS\n",
	[SECTION_MAX] = "\n.Sh FILES\n",
};

static void load(const char *path, char text[static MANUAL_MAX])
{
	FILE *file = fopen(path, "r");
	size_t len;

	if (file == NULL)
		fail_msg("%s is missing", path);
	len = fread(text, 1, MANUAL_MAX - 1, file);
	assert_true(len > 0 && len < MANUAL_MAX - 1);
	text[len] = '\0';
	assert_int_equal(fclose(file), 0);
}

/* The lines that the manual must have: name, help, range, default. */
static void expected(const struct schema_option *option, struct buf *out)
{
	assert_int_equal(buf_printf(out, "\n.It Ic %s\n%c%s.\nValue: ", option->name,
				 text_upper(option->help[0]), option->help + 1),
		GP_OK);
	assert_int_equal(value_format_range(option, out), GP_OK);
	if (option->is_required)
		assert_int_equal(buf_append_str(out, ".\nRequired.\n"), GP_OK);
	else if (option->preset != NULL)
		assert_int_equal(buf_printf(out, ".\nDefault: %s.\n", option->preset), GP_OK);
	else
		assert_int_equal(buf_printf(out, ".\nWithout it: %s.\n", option->unset), GP_OK);
	assert_int_equal(buf_append_byte(out, '\0'), GP_OK);
}

static void every_option_is_in_the_manual(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCHEMA_OPTION_COUNT; i++) {
		const struct schema_option *option = &schema_options[i];
		const char *from = strstr(manual, headings[option->section]);
		const char *to = strstr(manual, headings[option->section + 1]);
		const char *at;
		struct buf lines;

		assert_true(from != NULL && to != NULL && from < to);
		buf_init(&lines, MANUAL_MAX);
		expected(option, &lines);
		at = strstr(from, buf_slice(&lines).data);
		if (at == NULL || at > to)
			fail_msg("under%sthe manual lacks:%s", headings[option->section],
				buf_slice(&lines).data);
		buf_fini(&lines);
	}
}

static void every_option_of_the_manual_exists(void **state)
{
	(void)state;
	for (unsigned section = SECTION_GLOBAL; section < SECTION_MAX; section++) {
		const char *at = strstr(manual, headings[section]);
		const char *to = strstr(manual, headings[section + 1]);

		assert_true(at != NULL && to != NULL);
		while ((at = strstr(at, "\n.It Ic ")) != NULL && at < to) {
			struct slice name = slice_str(at += strlen("\n.It Ic "));

			name = slice_head(name, (size_t)slice_find(name, '\n'));
			if (schema_option((enum schema_section)section, name) == NULL)
				fail_msg("no such option: %.*s", SLICE_ARG(name));
		}
	}
}

static void example_parses(void **state)
{
	struct config_error error = { "" };
	struct config *config = NULL;

	(void)state;
	if (config_parse(slice_str(example), "gatepost.conf", &config, &error) != GP_OK)
		fail_msg("%s", error.text);
	assert_int_equal(config->listener_count, SERVICE_MAX);
	assert_true(config->backend_count >= 3);
	config_free(&config);
}

/* With every "#option = value" of it uncommented it parses too: no comment may lie. */
static void example_parses_uncommented(void **state)
{
	static char text[MANUAL_MAX];
	struct config_error error = { "" };
	struct config *config = NULL;
	size_t len = 0;

	(void)state;
	for (const char *at = example; *at != '\0'; at++) {
		bool begins = at == example || at[-1] == '\n' || at[-1] == '\t';

		if (begins && at[0] == '#' && at[1] >= 'a' && at[1] <= 'z')
			continue;
		text[len++] = *at;
	}
	if (config_parse(slice_of(text, len), "gatepost.conf", &config, &error) != GP_OK)
		fail_msg("%s", error.text);
	config_free(&config);
}

static void every_option_is_in_the_example(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCHEMA_OPTION_COUNT; i++) {
		char wanted[80];

		(void)snprintf(wanted, sizeof wanted, "%s = ", schema_options[i].name);
		if (strstr(example, wanted) == NULL)
			fail_msg("the example lacks %s", schema_options[i].name);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_is_in_the_manual),
		cmocka_unit_test(every_option_of_the_manual_exists),
		cmocka_unit_test(example_parses),
		cmocka_unit_test(example_parses_uncommented),
		cmocka_unit_test(every_option_is_in_the_example),
	};

	if (argc != 3)
		return 2;
	load(argv[1], manual);
	load(argv[2], example);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
