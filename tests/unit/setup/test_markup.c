/* SPDX-License-Identifier: ISC */
#include "setup/markup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"

enum {
	ROOM = 4096
};

static void test_text_stays_text(void **state)
{
	static const struct {
		const char *text;
		const char *written; /* NULL: it cannot stand in XML */
	} cases[] = {
		{ "", "" },
		{ "alice@example.test", "alice@example.test" },
		{ "</a><b x=\"1\" y='2'>&",
			"&lt;/a&gt;&lt;b x=&quot;1&quot; y=&apos;2&apos;&gt;&amp;" },
		{ "]]>", "]]&gt;" },
		{ "M\xc3\xbcller", "M\xc3\xbcller" },
		{ "a\tb", NULL },
		{ "a\nb", NULL },
		{ "\x01", NULL },
		{ "\x7f", NULL },
		{ "\xc3", NULL },
		{ "\xed\xa0\x80", NULL },
		{ "\xef\xbf\xbe", NULL },
		{ "a\xef\xbf\xbf", NULL },
	};
	struct buf out;

	(void)state;
	buf_init(&out, ROOM);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		enum gp_err err = markup_escape(slice_str(cases[i].text), &out);

		if (cases[i].written == NULL)
			assert_int_equal(err, GP_ERR_SYNTAX);
		else
			assert_true(err == GP_OK && slice_is(buf_slice(&out), cases[i].written));
		buf_clear(&out);
	}
	buf_fini(&out);
}

static void test_document(void **state)
{
	struct markup markup;
	struct buf out;

	(void)state;
	buf_init(&out, ROOM);
	markup_begin(&markup, &out);
	markup_open(&markup, "a", "href", SLICE_LIT("\"><b>"));
	markup_text(&markup, "b lang=\"en\"", SLICE_LIT("<"));
	markup_number(&markup, "port", 993);
	markup_line(&markup, "<true/>");
	markup_open(&markup, "c", NULL, SLICE_LIT(""));
	markup_close(&markup, "c");
	markup_close(&markup, "a");
	assert_int_equal(markup_end(&markup), GP_OK);
	assert_true(slice_is(buf_slice(&out), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
					      "<a href=\"&quot;&gt;&lt;b&gt;\">\n"
					      "  <b lang=\"en\">&lt;</b>\n"
					      "  <port>993</port>\n"
					      "  <true/>\n"
					      "  <c>\n"
					      "  </c>\n"
					      "</a>\n"));
	buf_fini(&out);
}

/* What came first is told at the end, and nothing passes the cap. */
static void test_first_fault_sticks(void **state)
{
	struct markup markup;
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	markup_begin(&markup, &out);
	markup_text(&markup, "a", SLICE_LIT("\x01"));
	for (unsigned i = 0; i < 20; i++)
		markup_text(&markup, "a", SLICE_LIT("text"));
	assert_int_equal(markup_end(&markup), GP_ERR_SYNTAX);
	assert_true(out.len <= 64);
	buf_clear(&out);
	markup_begin(&markup, &out);
	for (unsigned i = 0; i < 20; i++)
		markup_text(&markup, "a", SLICE_LIT("text"));
	assert_int_equal(markup_end(&markup), GP_ERR_LIMIT);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_stays_text),
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_first_fault_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
