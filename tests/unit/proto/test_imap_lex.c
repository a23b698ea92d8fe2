/* SPDX-License-Identifier: ISC */
#include "proto/imap_lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"

/* SLICE_LIT() for a constant initializer. */
#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

struct head_case {
	const char *line;
	enum imap_literal kind;
	uint64_t size;
};

static const struct head_case heads[] = {
	{ "a LOGIN {5}", IMAP_LITERAL_SYNC, 5 },
	{ "{5+}", IMAP_LITERAL_NONSYNC, 5 },
	{ "{0}", IMAP_LITERAL_SYNC, 0 },
	{ "{007}", IMAP_LITERAL_SYNC, 7 },
	{ "a ~{5}", IMAP_LITERAL_SYNC, 5 },
	{ "{4294967295}", IMAP_LITERAL_SYNC, 4294967295U },
	{ "{18446744073709551615}", IMAP_LITERAL_SYNC, UINT64_MAX },
	{ "{18446744073709551616+}", IMAP_LITERAL_NONSYNC, UINT64_MAX },
	{ "{99999999999999999999999999999999}", IMAP_LITERAL_SYNC, UINT64_MAX },
	{ "", IMAP_LITERAL_NONE, 0 },
	{ "}", IMAP_LITERAL_NONE, 0 },
	{ "5}", IMAP_LITERAL_NONE, 0 },
	{ "{}", IMAP_LITERAL_NONE, 0 },
	{ "{+}", IMAP_LITERAL_NONE, 0 },
	{ "{5", IMAP_LITERAL_NONE, 0 },
	{ "{5} ", IMAP_LITERAL_NONE, 0 },
	{ "{ 5}", IMAP_LITERAL_NONE, 0 },
	{ "{-5}", IMAP_LITERAL_NONE, 0 },
	{ "{5++}", IMAP_LITERAL_NONE, 0 },
	{ "{0x5}", IMAP_LITERAL_NONE, 0 },
};

static void test_literal_heads(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(heads); i++) {
		uint64_t size = 0;

		assert_int_equal(
			imap_lex_literal_head(slice_str(heads[i].line), &size), heads[i].kind);
		assert_true(size == heads[i].size);
	}
}

struct astring_case {
	struct slice in;
	bool ok;
	struct slice value;
	const char *rest;
};

static const struct astring_case astrings[] = {
	{ BYTES("alice next"), true, BYTES("alice"), " next" },
	{ BYTES("a%b*]\\c\xc3\xbc"), true, BYTES("a%b*]\\c\xc3\xbc"), "" },
	{ BYTES("\"\""), true, BYTES(""), "" },
	{ BYTES("\"a \\\"b\\\\c\" d"), true, BYTES("a \"b\\c"), " d" },
	{ BYTES("{3}\r\na\0b c"), true, BYTES("a\0b"), " c" },
	{ BYTES("{3+}\r\n\"\r\n"), true, BYTES("\"\r\n"), "" },
	{ BYTES("{0}\r\n"), true, BYTES(""), "" },
	{ BYTES(""), false, BYTES(""), "" },
	{ BYTES(" a"), false, BYTES(""), "" },
	{ BYTES("(a)"), false, BYTES(""), "" },
	{ BYTES("\"a"), false, BYTES(""), "" },
	{ BYTES("\"a\\"), false, BYTES(""), "" },
	{ BYTES("\"a\\b\""), false, BYTES(""), "" },
	{ BYTES("\"a\\\0\""), false, BYTES(""), "" },
	{ BYTES("\"a\rb\""), false, BYTES(""), "" },
	{ BYTES("\"a\nb\""), false, BYTES(""), "" },
	{ BYTES("\"a\0b\""), false, BYTES(""), "" },
	{ BYTES("{3}\r\nab"), false, BYTES(""), "" },
	{ BYTES("{3}\nabc"), false, BYTES(""), "" },
	{ BYTES("{3}\rabc"), false, BYTES(""), "" },
	{ BYTES("{3}{3}\r\nabc"), false, BYTES(""), "" },
	{ BYTES("{x{3}\r\nabc"), false, BYTES(""), "" },
	{ BYTES("{18446744073709551615}\r\nabc"), false, BYTES(""), "" },
};

static void test_astrings(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(astrings); i++) {
		struct slice rest = astrings[i].in;
		struct buf out;

		buf_init(&out, 64);
		if (imap_lex_astring(&rest, &out) != astrings[i].ok)
			fail_msg("case %zu", i);
		if (astrings[i].ok) {
			assert_true(slice_equal(buf_slice(&out), astrings[i].value));
			assert_true(slice_is(rest, astrings[i].rest));
		}
		buf_fini(&out);
	}
}

static void test_astring_does_not_fit(void **state)
{
	struct slice texts[] = { SLICE_LIT("abcde"), SLICE_LIT("\"abcde\""),
		SLICE_LIT("{5}\r\nabcde") };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(texts); i++) {
		struct buf out;

		buf_init(&out, 4);
		assert_false(imap_lex_astring(&texts[i], &out));
		buf_fini(&out);
	}
}

static void test_nstrings(void **state)
{
	struct slice nil = SLICE_LIT("nil)");
	struct slice quoted = SLICE_LIT("\"NIL\"");
	struct slice atom = SLICE_LIT("abc");
	bool is_nil = false;
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	assert_true(imap_lex_nstring(&nil, &out, &is_nil));
	assert_true(is_nil && slice_is(nil, ")"));
	assert_true(imap_lex_nstring(&quoted, &out, &is_nil));
	assert_true(!is_nil && slice_is(buf_slice(&out), "NIL"));
	assert_false(imap_lex_nstring(&atom, &out, &is_nil));
	buf_fini(&out);
}

static void test_tags(void **state)
{
	static const char *const texts[][2] = { { "a1 NOOP", "a1" }, { "A.b-c]~ x", "A.b-c]~" },
		{ "+ x", "" }, { " x", "" }, { "a%b", "a" }, { "a\xc3\xbc", "a" }, { "{5}", "" } };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(texts); i++) {
		struct slice rest = slice_str(texts[i][0]);

		assert_true(slice_is(imap_lex_tag(&rest), texts[i][1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literal_heads),
		cmocka_unit_test(test_astrings),
		cmocka_unit_test(test_astring_does_not_fit),
		cmocka_unit_test(test_nstrings),
		cmocka_unit_test(test_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
