/* SPDX-License-Identifier: ISC */
/* gatepost(8) knows every command with all it takes, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/verb.h"

enum {
	MANUAL_MAX = 256 * 1024
};

static char manual[MANUAL_MAX];

static void add(struct buf *out, const char *a, const char *b, const char *c)
{
	assert_int_equal(buf_printf(out, "%s%s%s", a, b, c), GP_OK);
}

/* The heading of the command, as it must stand there. */
static void expected(const struct verb *verb, struct buf *out)
{
	add(out, "\n.It Xo\n.Ic ", verb->noun, verb->verb != NULL ? " " : "");
	add(out, verb->verb != NULL ? verb->verb : "", "\n", "");
	for (size_t i = 0; i < VERB_PARAMS_MAX && verb->params[i].name != NULL; i++) {
		const struct param *param = &verb->params[i];

		if (!param_is_option(param)) {
			add(out, param->is_required ? ".Ar " : ".Op Ar ", param->name, "\n");
			continue;
		}
		add(out, ".Op Fl ", param->name + 1, param->value != NULL ? " Ar " : "");
		add(out, param->value != NULL ? param->value : "", "\n", "");
	}
	add(out, ".Xc\n", "", "");
	assert_int_equal(buf_append_byte(out, '\0'), GP_OK);
}

static void every_command_is_in_the_manual(void **state)
{
	(void)state;
	for (size_t i = 0; i < verb_count; i++) {
		struct buf lines;

		buf_init(&lines, MANUAL_MAX);
		expected(&verbs[i], &lines);
		if (strstr(manual, buf_slice(&lines).data) == NULL)
			fail_msg("the manual lacks:%s", buf_slice(&lines).data);
		buf_fini(&lines);
	}
}

static void the_manual_has_no_other(void **state)
{
	size_t count = 0;

	(void)state;
	for (const char *at = manual; (at = strstr(at, "\n.It Xo\n.Ic ")) != NULL; at++)
		count++;
	assert_int_equal(count, verb_count);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_is_in_the_manual),
		cmocka_unit_test(the_manual_has_no_other),
	};
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;

	if (file == NULL)
		return 2;
	manual[fread(manual, 1, MANUAL_MAX - 1, file)] = '\0';
	(void)fclose(file);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
