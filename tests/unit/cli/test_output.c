/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/when.h"

static json_t *rows_of(const char *text)
{
	json_t *rows = json_loads(text, 0, NULL);

	assert_non_null(rows);
	return rows;
}

static void expect_people(
	const char *noun, const char *verb, const char *json, size_t width, const char *wanted)
{
	struct args args = { .verb = verb_find(noun, verb),
		.values = rows_of("{\"address\":\"a@b\"}") };
	json_t *rows = rows_of(json);
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	assert_int_equal(output_people(&args, rows, width, &out), GP_OK);
	assert_int_equal(buf_append_byte(&out, '\0'), GP_OK);
	assert_string_equal(buf_slice(&out).data, wanted);
	buf_fini(&out);
	json_decref(rows);
	json_decref(args.values);
}

static void lists_are_tables(void **state)
{
	static const char bans[] =
		"[{\"source\":\"192.0.2.1\",\"since\":\"2026-01-31T10:00:00Z\",\"minutes_left\":12,"
		"\"reason\":\"5 failed\"},"
		"{\"source\":\"2001:db8::/"
		"64\",\"since\":\"2026-01-31T10:00:00Z\",\"minutes_left\":90,"
		"\"reason\":\"\\u001b[2Jby hand\"}]";

	(void)state;
	expect_people("ban", "list", "[]", 0, "Nobody is banned.\n");
	/* A column without a value is left out; an escape sequence stays text. */
	expect_people("ban", "list", bans, 0,
		"SOURCE         SINCE                ENDS           REASON\n"
		"192.0.2.1      2026-01-31 10:00:00  in 12 min      5 failed\n"
		"2001:db8::/64  2026-01-31 10:00:00  in 1 h 30 min  \\x1b[2Jby hand\n");
}

static void tables_fit_the_terminal(void **state)
{
	static const char domains[] = "[{\"domain\":\"a-very-long-domain-name.example.test\","
				      "\"alias_of\":\"\",\"accounts\":5},"
				      "{\"domain\":\"b.test\",\"alias_of\":\"c.test\"}]";

	(void)state;
	expect_people("domain", "list", domains, 40,
		"DOMAIN                ALIAS OF  ACCOUNTS\n"
		"a-very-long-domain-\xe2\x80\xa6            5\n"
		"b.test                c.test    \n");
}

static void widths_are_those_of_characters(void **state)
{
	(void)state;
	assert_int_equal(table_width("abc"), 3);
	assert_int_equal(table_width("gr\xc3\xbc\xc3\x9f"), 4);
	assert_int_equal(table_width("\xe6\xbc\xa2\xe5\xad\x97"), 4);
	assert_int_equal(table_width("e\xcc\x81"), 1);
	expect_people("domain", "list",
		"[{\"domain\":\"m\xc3\xbcller.test\",\"accounts\":1},{\"domain\":\"muller.test\","
		"\"accounts\":22}]",
		0,
		"DOMAIN       ACCOUNTS\n"
		"m\xc3\xbcller.test  1\n"
		"muller.test  22\n");
}

static void one_thing_is_shown_whole(void **state)
{
	(void)state;
	expect_people("account", "show",
		"[{\"address\":\"a@b\",\"last_used\":null,\"twofactor\":true,\"devices\":[{"
		"\"device\":"
		"1,\"name\":\"phone\"}],\"aliases\":[\"c@d\",\"e@f\"]}]",
		0,
		"address    a@b\n"
		"last used  -\n"
		"twofactor  yes\n"
		"aliases    c@d, e@f\n"
		"\n"
		"devices\n"
		"device  name\n"
		"1       phone\n");
	expect_people("twofactor", "status",
		"[{\"detail\":{\"scopes\":[\"imap\",\"smtp\"],\"deep\":{\"a\":1}}}]", 0,
		"detail  scopes imap+smtp, deep ...\n");
	expect_people("stats", NULL,
		"[{\"signins_ok\":3,\"sessions_open\":{\"imap\":2,\"pop3\":1}}]", 0,
		"signins ok     3\n"
		"sessions open  imap 2, pop3 1\n");
}

static void deeds_are_told_in_a_sentence(void **state)
{
	(void)state;
	expect_people("account", "add", "[]", 0, "Account a@b added.\n");
	expect_people("ban", "remove", "[{\"source\":\"::/64\",\"failures\":5}]", 0,
		"::/64 is free; 5 failed sign-ins forgotten.\n");
	expect_people("account", "import",
		"[{\"line\":3,\"error\":\"no hash\"},{\"imported\":2,\"skipped\":1}]", 0,
		"line 3: no hash\n"
		"Accounts loaded: 2; bad lines: 1.\n");
}

static void device_password_is_explained(void **state)
{
	(void)state;
	expect_people("device", "add",
		"[{\"address\":\"a@b\",\"name\":\"My phone\",\"id\":7,\"password\":\"abcd "
		"efgh\"}]",
		0,
		"Device password \"My phone\" for a@b:\n"
		"\n"
		"    abcd efgh\n"
		"\n"
		"Type it into the mail program in place of the account's password; spaces and "
		"hyphens do\n"
		"not matter. It is not shown again. To revoke it: gatepost device revoke a@b 7\n");
}

static void records_can_be_pasted(void **state)
{
	(void)state;
	expect_people("dns", NULL, "[]", 0, "");
	expect_people("dns", NULL,
		"[{\"name\":\"a.test.\",\"type\":\"MX\",\"value\":\"10 "
		"mail.a.test.\",\"what\":\"mail\"},"
		"{\"name\":\"_x.a.test.\",\"type\":\"CNAME\",\"value\":\"b.\",\"what\":\"more\"},"
		"{\"name\":\"_y.a.test.\",\"type\":\"SRV\",\"value\":\"0 0 0 "
		".\",\"what\":\"more\"}]",
		0,
		"; mail\n"
		"a.test.    IN MX    10 mail.a.test.\n"
		"\n"
		"; more\n"
		"_x.a.test. IN CNAME b.\n"
		"_y.a.test. IN SRV   0 0 0 .\n");
}

static void expect_json(enum shape shape, const char *json, const char *wanted)
{
	json_t *rows = rows_of(json);
	json_t *got;
	json_t *same = rows_of(wanted);
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	assert_int_equal(output_json(shape, rows, &out), GP_OK);
	got = json_loadb(buf_slice(&out).data, buf_slice(&out).len, 0, NULL);
	assert_true(json_equal(got, same));
	buf_fini(&out);
	json_decref(rows);
	json_decref(got);
	json_decref(same);
}

static void programs_get_one_value(void **state)
{
	(void)state;
	expect_json(SHAPE_LIST, "[{\"a\":1},{\"a\":2}]", "[{\"a\":1},{\"a\":2}]");
	expect_json(SHAPE_LIST, "[]", "[]");
	expect_json(SHAPE_ZONE, "[{\"a\":1}]", "[{\"a\":1}]");
	expect_json(SHAPE_ONE, "[{\"a\":1}]", "{\"a\":1}");
	expect_json(SHAPE_DONE, "[]", "{}");
	expect_json(SHAPE_IMPORT, "[{\"line\":3,\"error\":\"x\"},{\"imported\":2}]",
		"{\"imported\":2,\"bad\":[{\"line\":3,\"error\":\"x\"}]}");
}

static void prometheus_gets_its_format(void **state)
{
	json_t *row = rows_of("{\"signins_ok\":3,\"sessions_total\":9,\"sessions_open\":{\"imap\":"
			      "2},\"windows\":4}");
	struct buf out;

	(void)state;
	buf_init(&out, OUTPUT_MAX);
	assert_int_equal(output_prometheus(row, &out), GP_OK);
	assert_int_equal(buf_append_byte(&out, '\0'), GP_OK);
	assert_string_equal(buf_slice(&out).data,
		"# HELP gatepost_signins_ok_total Count of signins ok since the start.\n"
		"# TYPE gatepost_signins_ok_total counter\n"
		"gatepost_signins_ok_total 3\n"
		"# HELP gatepost_sessions_total Count of sessions total since the start.\n"
		"# TYPE gatepost_sessions_total counter\n"
		"gatepost_sessions_total 9\n"
		"# HELP gatepost_sessions_open Now: sessions open, by service.\n"
		"# TYPE gatepost_sessions_open gauge\n"
		"gatepost_sessions_open{service=\"imap\"} 2\n"
		"# HELP gatepost_windows Now: windows.\n"
		"# TYPE gatepost_windows gauge\n"
		"gatepost_windows 4\n");
	buf_fini(&out);
	json_decref(row);
}

static void times_are_taken_in_several_forms(void **state)
{
	static const struct {
		const char *text;
		const char *time; /* NULL: refused */
	} cases[] = {
		{ "90s", "2026-01-31T11:58:30Z" },
		{ "30m", "2026-01-31T11:30:00Z" },
		{ "2h", "2026-01-31T10:00:00Z" },
		{ "3d", "2026-01-28T12:00:00Z" },
		{ "1w", "2026-01-24T12:00:00Z" },
		{ "2026-01-30", "2026-01-30T00:00:00Z" },
		{ "2026-01-30 14:05", "2026-01-30T14:05:00Z" },
		{ "2026-01-30 14:05:09", "2026-01-30T14:05:09Z" },
		{ "2026-01-30T14:05:09Z", "2026-01-30T14:05:09Z" },
		{ "", NULL },
		{ "h", NULL },
		{ "-1h", NULL },
		{ "1x", NULL },
		{ "99999999999999999999d", NULL },
		{ "2026-13-01", NULL },
		{ "2026-01-30 14:05 x", NULL },
	};

	(void)state;
	clock_fake(clock_parse("2026-01-31T12:00:00Z"), 0);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		char out[CLOCK_TEXT_SIZE] = "same";

		assert_int_equal(when_parse(cases[i].text, out), cases[i].time != NULL);
		assert_string_equal(out, cases[i].time != NULL ? cases[i].time : "same");
	}
}

static void spans_are_short(void **state)
{
	char out[WHEN_TEXT_SIZE];

	(void)state;
	assert_string_equal(when_format_minutes(0, out), "0 min");
	assert_string_equal(when_format_minutes(59, out), "59 min");
	assert_string_equal(when_format_minutes(60, out), "1 h");
	assert_string_equal(when_format_minutes(60 * 24, out), "1 d");
	assert_string_equal(when_format_minutes(200, out), "3 h 20 min");
	assert_string_equal(when_format_minutes(60 * 24 * 2 + 60 * 4, out), "2 d 4 h");
	assert_string_equal(when_format("2026-01-31T10:00:00Z", out), "2026-01-31 10:00:00");
	assert_string_equal(when_format("soon\x1b", out), "soon\\x1b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_tables),
		cmocka_unit_test(tables_fit_the_terminal),
		cmocka_unit_test(widths_are_those_of_characters),
		cmocka_unit_test(one_thing_is_shown_whole),
		cmocka_unit_test(deeds_are_told_in_a_sentence),
		cmocka_unit_test(device_password_is_explained),
		cmocka_unit_test(records_can_be_pasted),
		cmocka_unit_test(programs_get_one_value),
		cmocka_unit_test(prometheus_gets_its_format),
		cmocka_unit_test(times_are_taken_in_several_forms),
		cmocka_unit_test(spans_are_short),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
