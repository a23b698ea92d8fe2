/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mem.h"
#include "proto/line.h"

#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

struct line_case {
	struct slice input;
	enum line_result result;
	const char *text;
};

static const struct line_case cases[] = {
	{ BYTES(""), LINE_MORE, NULL },
	{ BYTES("QUIT"), LINE_MORE, NULL },
	{ BYTES("QUIT\r"), LINE_MORE, NULL },
	{ BYTES("QUIT\r\n"), LINE_FOUND, "QUIT" },
	{ BYTES("\r\n"), LINE_FOUND, "" },
	{ BYTES("one\r\ntwo\r\n"), LINE_FOUND, "one" },
	{ BYTES("\n"), LINE_BROKEN, NULL },
	{ BYTES("QUIT\n"), LINE_BROKEN, NULL },
	{ BYTES("QU\rIT\r\n"), LINE_BROKEN, NULL },
	{ BYTES("QUIT\r\r\n"), LINE_BROKEN, NULL },
	{ BYTES("\rQUIT\n"), LINE_BROKEN, NULL },
	{ BYTES("QU\0IT\r\n"), LINE_BROKEN, NULL },
	{ BYTES("12345678\r\n"), LINE_FOUND, "12345678" },
	{ BYTES("123456789\r\n"), LINE_TOO_LONG, NULL },
	{ BYTES("1234567890"), LINE_TOO_LONG, NULL },
	{ BYTES("123456789"), LINE_MORE, NULL },
};

enum {
	CASE_MAX = 8
};

/* The outcome for input that comes in pieces of this size. */
static enum line_result find_in_pieces(struct slice input, size_t piece, struct slice *ret_text)
{
	enum line_result result = LINE_MORE;
	struct line line;
	size_t len = 0;

	line_init(&line);
	while (result == LINE_MORE && len < input.len) {
		len = piece < input.len - len ? len + piece : input.len;
		result = line_find(&line, slice_head(input, len), CASE_MAX, ret_text);
	}
	return result;
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		for (size_t piece = 1; piece <= cases[i].input.len + 1; piece++) {
			struct slice text = { NULL, 0 };

			assert_int_equal(
				find_in_pieces(cases[i].input, piece, &text), cases[i].result);
			assert_true(slice_is(text, cases[i].text));
		}
	}
}

/* Lines behind each other, and a finder that is ready again after each. */
static void test_next_line(void **state)
{
	struct slice input = SLICE_LIT("one\r\n\r\nthree\r\n");
	static const char *const texts[] = { "one", "", "three" };
	struct line line;

	(void)state;
	line_init(&line);
	for (size_t i = 0; i < GP_ARRAY_LEN(texts); i++) {
		struct slice text;

		assert_int_equal(line_find(&line, input, 100, &text), LINE_FOUND);
		assert_true(slice_is(text, texts[i]));
		input = slice_from(input, text.len + 2);
	}
	assert_int_equal(input.len, 0);
}

/* A line that never ends is given up at its limit; a byte more is not looked at, nor is one
 * twice: 10 MiB in pieces of 1 KiB would take minutes otherwise. */
static void test_endless(void **state)
{
	enum {
		SIZE = 10 * 1024 * 1024
	};
	char *bytes = mem_new(SIZE, 1);
	struct slice text = { NULL, 0 };
	struct line line;

	(void)state;
	memset(bytes, 'x', SIZE);
	line_init(&line);
	assert_int_equal(line_find(&line, slice_of(bytes, SIZE), 2048, &text), LINE_TOO_LONG);
	assert_int_equal(line.seen, 2050);
	line_init(&line);
	for (size_t len = 1024; len < SIZE; len += 1024) {
		assert_int_equal(line_find(&line, slice_of(bytes, len), SIZE, &text), LINE_MORE);
		assert_int_equal(line.seen, len);
	}
	mem_free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_next_line),
		cmocka_unit_test(test_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
