/* SPDX-License-Identifier: ISC */
#include "proto/imap_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"

struct filter_case {
	const char *in;
	const char *out; /* NULL: the session must end */
};

static const struct filter_case commands[] = {
	{ "a1 NOOP\r\na2 SELECT INBOX\r\n", "a1 NOOP\r\na2 SELECT INBOX\r\n" },
	{ "a1 UNAUTHENTICATE\r\n", "a1 XNAUTHENTICATE\r\n" },
	{ "a1 unAuthenticate\r\n", "a1 XnAuthenticate\r\n" },
	{ "a1 UNAUTHENTICATE now\r\n", "a1 XNAUTHENTICATE now\r\n" },
	{ "a1 UNAUTHENTICATE\n", "a1 XNAUTHENTICATE\n" },
	{ "a1  UNAUTHENTICATE\r\n", "a1  XNAUTHENTICATE\r\n" },
	{ " a1 UNAUTHENTICATE\r\n", " a1 XNAUTHENTICATE\r\n" },
	{ "a1 COMPRESS DEFLATE\r\n", "a1 XOMPRESS DEFLATE\r\n" },
	{ "a1 COMPRESSED\r\na2 UNAUTHENTICATES\r\n", "a1 COMPRESSED\r\na2 UNAUTHENTICATES\r\n" },
	{ "a1 NOOP\r\na2 UNAUTHENTICATE\r\na3 NOOP\r\n",
		"a1 NOOP\r\na2 XNAUTHENTICATE\r\na3 NOOP\r\n" },
	{ "a1 SEARCH TEXT UNAUTHENTICATE\r\n", "a1 SEARCH TEXT UNAUTHENTICATE\r\n" },
	{ "a1 IDLE\r\nDONE\r\na2 UNAUTHENTICATE\r\n", "a1 IDLE\r\nDONE\r\na2 XNAUTHENTICATE\r\n" },
	/* A tag, and a verb, longer than anything that is held back. */
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
	  "UNAUTHENTICATE\r\n",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
		"XNAUTHENTICATE\r\n" },
	{ "a1 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c\r\n",
		"a1 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c\r\n" },
	/* What is a tab to a backend: between words, or in one. */
	{ "a1\tUNAUTHENTICATE\r\n", "a1\tXNAUTHENTICATE\r\n" },
	{ "a\tb UNAUTHENTICATE\r\n", "a\tb XNAUTHENTICATE\r\n" },
	{ "a\rb UNAUTHENTICATE\r\n", "a\rb XNAUTHENTICATE\r\n" },
	/* Literals: the bytes go as they are, the command behind them is one again. */
	{ "a1 APPEND x {5}\r\nhello\r\na2 UNAUTHENTICATE\r\n",
		"a1 APPEND x {5}\r\nhello\r\na2 XNAUTHENTICATE\r\n" },
	{ "a1 APPEND x {7+}\r\na\r\nb c\r\r\na2 UNAUTHENTICATE\r\n",
		"a1 APPEND x {7+}\r\na\r\nb c\r\r\na2 XNAUTHENTICATE\r\n" },
	{ "a1 RENAME {1}\r\na {1}\r\nb\r\na2 COMPRESS DEFLATE\r\n",
		"a1 RENAME {1}\r\na {1}\r\nb\r\na2 XOMPRESS DEFLATE\r\n" },
	{ "a1 APPEND x {0}\r\n\r\na2 COMPRESS DEFLATE\r\n",
		"a1 APPEND x {0}\r\n\r\na2 XOMPRESS DEFLATE\r\n" },
	{ "a1 APPEND x ~{2}\r\nhi\r\na2 COMPRESS DEFLATE\r\n",
		"a1 APPEND x ~{2}\r\nhi\r\na2 XOMPRESS DEFLATE\r\n" },
	{ "a1 APPEND x {29}\r\nto compress the file\r\n{5}\r\n..\r\na2 NOOP\r\n",
		"a1 APPEND x {29}\r\nto compress the file\r\n{5}\r\n..\r\na2 NOOP\r\n" },
	{ "a1 SEARCH TEXT \"{5}\"\r\na2 UNAUTHENTICATE\r\n",
		"a1 SEARCH TEXT \"{5}\"\r\na2 XNAUTHENTICATE\r\n" },
	{ "a1 APPEND x {4294967295}\r\nabc", "a1 APPEND x {4294967295}\r\nabc" },
	{ "a1 APPEND x {4294967296}\r\n", NULL },
	{ "a1 APPEND x {99999999999999999999999+}\r\n", NULL },
	{ "a1 APPEND x {0000000000000000000000000000000000000000000000000005+}\r\n", NULL },
	/* The backend may have refused the literal. */
	{ "a1 APPEND nowhere {99}\r\na2 UNAUTHENTICATE\r\n", NULL },
	{ "a1 APPEND nowhere {99}\r\na2 NOOP\r\na3 unauthenticate\r\n", NULL },
	{ "a1 APPEND nowhere {19}\r\na2 COMPRESS DEFLATE\r\n", NULL },
	{ "a1 APPEND nowhere {19}\r\na2 COMPRESS \"DEFLATE\"\r\n", NULL },
	{ "a1 FOO {17+}\r\na2 UNAUTHENTICATE\n", NULL },
	{ "a1 FOO {17+}\r\na\tb UNAUTHENTICATE\r\n", NULL },
	{ "a1 FOO {0+}\r\na2 UNAUTHENTICATE\r\n", NULL },
};

static const struct filter_case responses[] = {
	{ "* CAPABILITY IMAP4rev1 UNAUTHENTICATE IDLE\r\n", "* CAPABILITY IMAP4rev1 IDLE\r\n" },
	{ "* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE\r\n", "* CAPABILITY IMAP4rev1\r\n" },
	{ "* capability UNAUTHENTICATE compress=deflate\r\n", "* capability\r\n" },
	{ "* CAPABILITY IMAP4rev1 UNAUTHENTICATED\r\n",
		"* CAPABILITY IMAP4rev1 UNAUTHENTICATED\r\n" },
	{ "a1 OK [CAPABILITY IMAP4rev1 UNAUTHENTICATE] UNAUTHENTICATE is in\r\n",
		"a1 OK [CAPABILITY IMAP4rev1] UNAUTHENTICATE is in\r\n" },
	{ "* OK [CAPABILITY UNAUTHENTICATE IDLE COMPRESS=X] hi\r\n",
		"* OK [CAPABILITY IDLE] hi\r\n" },
	{ "* OK UNAUTHENTICATE {5}\r\n* CAPABILITY UNAUTHENTICATE\r\n",
		"* OK UNAUTHENTICATE {5}\r\n* CAPABILITY\r\n" },
	{ "+ go {9}\r\n* CAPABILITY UNAUTHENTICATE\r\n", "+ go {9}\r\n* CAPABILITY\r\n" },
	{ "* ENABLED UNAUTHENTICATE\r\n", "* ENABLED UNAUTHENTICATE\r\n" },
	{ "* CAPABILITY A  B \r\n", "* CAPABILITY A  B \r\n" },
	/* Mail says what it likes. */
	{ "* 1 FETCH (BODY[] {29}\r\n* CAPABILITY UNAUTHENTICATE\r\n OK [CAPABILITY "
	  "UNAUTHENTICATE])\r\n* CAPABILITY UNAUTHENTICATE\r\n",
		"* 1 FETCH (BODY[] {29}\r\n* CAPABILITY UNAUTHENTICATE\r\n OK [CAPABILITY "
		"UNAUTHENTICATE])\r\n* CAPABILITY\r\n" },
	{ "* 1 FETCH (A {3}\r\nabc B {3}\r\nabc)\r\n* CAPABILITY UNAUTHENTICATE\r\n",
		"* 1 FETCH (A {3}\r\nabc B {3}\r\nabc)\r\n* CAPABILITY\r\n" },
	{ "* 1 FETCH (BODY[] {4294967296}\r\n", NULL },
};

/* In pieces of this size. */
static void check(const struct filter_case *c, bool is_responses, size_t piece)
{
	struct imap_filter *filter =
		is_responses ? imap_filter_new_responses() : imap_filter_new_commands();
	struct slice rest = slice_str(c->in);
	bool ok = true;
	struct buf out;

	buf_init(&out, 4096);
	while (ok && rest.len > 0) {
		struct slice part = slice_head(rest, piece);

		ok = imap_filter_pass(filter, part, &out);
		rest = slice_from(rest, part.len);
	}
	if (ok != (c->out != NULL))
		fail_msg("pieces of %zu: %s", piece, c->in);
	if (ok && !slice_is(buf_slice(&out), c->out))
		fail_msg("pieces of %zu: %.*s", piece, (int)out.len, out.data);
	/* A command that ended it, on the last of several lines, has not gone out whole. */
	if (!ok && strchr(c->in, '\n') + 1 < c->in + strlen(c->in))
		assert_true(out.len < strlen(c->in));
	buf_fini(&out);
	imap_filter_free(&filter);
	assert_null(filter);
}

static void test_commands(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(commands); i++) {
		for (size_t piece = 1; piece < 100; piece++)
			check(&commands[i], false, piece);
	}
}

static void test_responses(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(responses); i++) {
		for (size_t piece = 1; piece < 100; piece++)
			check(&responses[i], true, piece);
	}
}

static void test_out_is_full(void **state)
{
	struct imap_filter *filter = imap_filter_new_commands();
	struct buf out;

	(void)state;
	buf_init(&out, 10);
	assert_false(imap_filter_pass(filter, SLICE_LIT("a1 SELECT INBOX\r\n"), &out));
	buf_fini(&out);
	imap_filter_free(&filter);
	imap_filter_free(&filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_out_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
