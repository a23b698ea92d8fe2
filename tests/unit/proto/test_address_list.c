/* SPDX-License-Identifier: ISC */
/* Promise: what a From: field names is read as RFC 5322 has it, or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "proto/address_list.h"

struct list_case {
	const char *field;
	const char *addresses; /* NULL: cannot be read */
};

static const struct list_case cases[] = {
	{ "alice@example.test", "alice@example.test" },
	{ " \t alice@example.test \t", "alice@example.test" },
	{ "<alice@example.test>", "alice@example.test" },
	{ "Alice <alice@example.test>", "alice@example.test" },
	{ "Alice B. Carroll, Jr. <alice@example.test>", NULL },
	{ "Alice B. Carroll Jr. <alice@example.test>", "alice@example.test" },
	{ "\"Carroll, Alice\" <alice@example.test>", "alice@example.test" },
	{ "\"a \\\" b\" <alice@example.test>", "alice@example.test" },
	{ "=?utf-8?q?A=2C_B?= <alice@example.test>", "alice@example.test" },
	{ "Ren\xc3\xa9 <rene@example.test>", "rene@example.test" },
	{ "Ren\xe9 <rene@example.test>", "rene@example.test" },
	{ "ren\xc3\xa9@example.test", "ren\xc3\xa9@example.test" },
	{ "ren\xe9@example.test", NULL },
	{ "a@example.test, b@example.test", "a@example.test,b@example.test" },
	{ "a@example.test,,\tB <b@example.test>,", "a@example.test,b@example.test" },
	/* Comments. */
	{ "alice@example.test (Alice)", "alice@example.test" },
	{ "(a (b) \\) c) alice (x) @ (y) example (z) . test (!)", "alice@example.test" },
	{ "Alice (the <bob@evil.test>) <alice@example.test>", "alice@example.test" },
	{ "(alice@example.test", NULL },
	{ "alice@example.test)", NULL },
	{ "(((((((((((((((())))))))))))))))a@b.test", "a@b.test" },
	{ "((((((((((((((((()))))))))))))))))a@b.test", NULL },
	{ "(a\x1f)a@b.test", NULL },
	{ "(a\x7f)a@b.test", NULL },
	{ "(a\\\x7f)a@b.test", NULL },
	{ "(a\tb)a@b.test", "a@b.test" },
	{ "\"a\x1f\" <a@b.test>", NULL },
	{ "\"a\\\x1f\" <a@b.test>", NULL },
	{ "\"a\tb\" <a@b.test>", "a@b.test" },
	/* Quoted local parts: as short as they can be. */
	{ "\"a..b\"@example.test", "\"a..b\"@example.test" },
	{ "\"a.\"@example.test", "\"a.\"@example.test" },
	{ "a=b@example.test", "a=b@example.test" },
	{ "\"alice\"@example.test", "alice@example.test" },
	{ "\"al\\ice\".\"b\"@example.test", "alice.b@example.test" },
	{ "\"a b\"@example.test", "\"a b\"@example.test" },
	{ "\"a\\\"b\\\\\"@example.test", "\"a\\\"b\\\\\"@example.test" },
	{ "\"\"@example.test", "\"\"@example.test" },
	{ "\".a\"@example.test", "\".a\"@example.test" },
	{ "\"bob@evil.test\"@example.test", "\"bob@evil.test\"@example.test" },
	{ "\"a,alice\"@example.test", NULL },
	{ "\"alice@example.test", NULL },
	{ "\"alice\\", NULL },
	/* Obsolete forms. */
	{ "alice . b @ example . test", "alice.b@example.test" },
	{ "<@relay.test,@other.test:alice@example.test>", "alice@example.test" },
	{ "<@relay.test alice@example.test>", NULL },
	{ "<@relay.test:>", NULL },
	{ "<@relay.test>alice@example.test>", NULL },
	{ "< @relay.test:alice@example.test>", "alice@example.test" },
	/* Groups. */
	{ "friends: a@example.test, B <b@example.test>;", "a@example.test,b@example.test" },
	{ "undisclosed:;", "" },
	{ "g: a@x.test;, b@x.test", "a@x.test,b@x.test" },
	{ "g: a@x.test; b@x.test", NULL },
	{ "g: a@x.test", NULL },
	{ "g: h: a@x.test;;", NULL },
	{ "g: h: a@x.test;", NULL },
	{ "g: a@x.test; , b@x.test", "a@x.test,b@x.test" },
	{ ": a@x.test;", NULL },
	{ "a@x.test;", NULL },
	/* Literals. */
	{ "a@[192.0.2.1]", "a@[192.0.2.1]" },
	{ "a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]" },
	{ "a@[192.0.2.1", NULL },
	{ "a@[1,2]", NULL },
	{ "a@[1 2]", NULL },
	{ "a@[1\\2]", NULL },
	{ "a@[1\x7f]", NULL },
	{ "a@b[192.0.2.1]", NULL },
	{ "a@b.[192.0.2.1]", NULL },
	/* What one mail program shows and another does not. */
	{ "bob@evil.test <alice@example.test>", NULL },
	{ "<bob@evil.test> <alice@example.test>", NULL },
	{ "alice@example.test bob@evil.test", NULL },
	{ "alice@example.test <bob@evil.test>", NULL },
	{ "<alice@example.test> bob", NULL },
	{ "alice@example.test@evil.test", NULL },
	{ "=?utf-8?b?Ym9iQGV2aWwudGVzdAA=?=@example.test", NULL },
	{ "alice <>", NULL },
	{ ".", NULL },
	{ "<>", NULL },
	{ "alice", NULL },
	{ "alice b@example.test", NULL },
	{ "alice.@example.test", NULL },
	{ ".alice@example.test", NULL },
	{ "a..b@example.test", NULL },
	{ "@example.test", NULL },
	{ "alice@", NULL },
	{ "alice@example..test", NULL },
	{ "alice@example.test.", NULL },
	{ "alice@.example.test", NULL },
	{ "alice@example test", NULL },
	{ "a\x01@example.test", NULL },
	{ "alice@example.test\x7f", NULL },
	{ "<alice@example.test", NULL },
	{ "alice>@example.test", NULL },
	/* Nobody. */
	{ "", "" },
	{ " , ,", "" },
	{ "()", "" },
};

static void each_field_names_who_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		const struct list_case *one = &cases[i];
		struct buf out;
		enum gp_err err;

		buf_init(&out, 2048);
		err = address_list_parse(slice_str(one->field), &out);
		if ((err == GP_OK) != (one->addresses != NULL) ||
			(err == GP_OK && !slice_is(buf_slice(&out), one->addresses)))
			fail_msg("%s: %s %.*s", one->field, gp_err_text(err),
				SLICE_ARG(buf_slice(&out)));
		buf_fini(&out);
	}
}

static enum gp_err parse_long(size_t local, size_t max)
{
	char field[ADDRESS_MAX + 64];
	struct buf out;
	enum gp_err err;

	memset(field, 'a', local);
	memcpy(field + local, "@b.test", sizeof "@b.test");
	buf_init(&out, max);
	err = address_list_parse(slice_str(field), &out);
	buf_fini(&out);
	return err;
}

static void limits_hold(void **state)
{
	const size_t most = ADDRESS_MAX - (sizeof "@b.test" - 1);
	char name[2 * ADDRESS_MAX + 16];
	struct buf out;

	(void)state;
	assert_int_equal(parse_long(most, 2048), GP_OK);
	assert_int_equal(parse_long(most + 1, 2048), GP_ERR_SYNTAX);
	assert_int_equal(parse_long(ADDRESS_MAX + 1, 2048), GP_ERR_SYNTAX);
	assert_int_equal(parse_long(3, 10), GP_OK);
	assert_int_equal(parse_long(4, 10), GP_ERR_LIMIT);
	/* A name in front of an address is of any length. */
	memset(name, 'a', sizeof name);
	memcpy(name + sizeof name - 10, " <a@b.tst>", 10);
	buf_init(&out, 2048);
	assert_int_equal(address_list_parse(slice_of(name, sizeof name), &out), GP_OK);
	assert_true(slice_is(buf_slice(&out), "a@b.tst"));
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field_names_who_it_says),
		cmocka_unit_test(limits_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
