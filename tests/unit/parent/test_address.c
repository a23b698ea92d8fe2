/* SPDX-License-Identifier: ISC */
/* Hosts of backends: what needs a name server, and what becomes of its answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "parent/address.h"

static void only_names_are_looked_up(void **state)
{
	static const struct {
		const char *host;
		enum gp_err err;
		const char *name;
		size_t count;
		int family;
	} cases[] = {
		{ "192.0.2.1:143", GP_OK, NULL, 1, AF_INET },
		{ "[2001:db8::1]:143", GP_OK, NULL, 1, AF_INET6 },
		{ "unix:/run/lmtp", GP_OK, NULL, 1, AF_UNIX },
		{ "mail.lan:25", GP_OK, "mail.lan", 0, 0 },
		{ "mail.lan", GP_ERR_CONFIG, NULL, 0, 0 },
		{ "mail.lan:0", GP_ERR_CONFIG, NULL, 0, 0 },
		{ "mail.lan:65536", GP_ERR_CONFIG, NULL, 0, 0 },
		{ ":25", GP_ERR_CONFIG, NULL, 0, 0 },
		{ "unix:lmtp", GP_ERR_CONFIG, NULL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct generation_member member = { 0 };
		struct gp_why why = { "" };

		assert_int_equal(address_parse(cases[i].host, &member, &why), cases[i].err);
		assert_int_equal(member.count, cases[i].count);
		if (cases[i].count > 0)
			assert_int_equal(member.addresses[0].addr.ss_family, cases[i].family);
		if (cases[i].name != NULL)
			assert_string_equal(member.name, cases[i].name);
		else
			assert_null(member.name);
		address_free(&member);
	}
}

static void an_answer_takes_the_place_of_the_one_before(void **state)
{
	const struct address_answer two = { .count = 2,
		.ips = { { IP_V4, { 192, 0, 2, 1 } }, { IP_V6, { 0x20, 1, 0xd, 0xb8 } } } };
	struct address_answer other = two;
	struct generation_member member = { 0 };
	struct gp_why why = { "" };

	(void)state;
	assert_int_equal(address_parse("mail.lan:25", &member, &why), GP_OK);
	assert_true(address_set(&member, &two));
	assert_int_equal(member.count, 2);
	assert_int_equal(member.addresses[0].addr.ss_family, AF_INET);
	assert_int_equal(member.addresses[1].addr.ss_family, AF_INET6);
	assert_false(address_set(&member, &two));
	other.ips[0].bytes[3] = 2;
	assert_true(address_set(&member, &other));
	other.count = 1;
	assert_true(address_set(&member, &other));
	assert_int_equal(member.count, 1);
	address_free(&member);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_names_are_looked_up),
		cmocka_unit_test(an_answer_takes_the_place_of_the_one_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
