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

/* What may come from the process that looks names up. 4 and 6: an address of that family; z: one of
 * none; g: of IPv4, with something behind it; t: half of one. */
static void only_answers_are_taken(void **state)
{
	static const struct {
		uint8_t code, count;
		const char *addresses;
		bool is_good;
	} cases[] = {
		{ 0, 1, "4", true },
		{ 0, 2, "46", true },
		{ 0, 16, "4444666644446666", true },
		{ 2, 0, "", true },
		{ 255, 0, "", true },
		{ 0, 0, "", false },
		{ 2, 1, "4", false },
		{ 0, 1, "", false },
		{ 0, 1, "t", false },
		{ 0, 1, "44", false },
		{ 0, 2, "4", false },
		{ 0, 2, "4t", false },
		{ 0, 17, "44444444444444444", false },
		{ 0, 255, "4", false },
		{ 0, 1, "z", false },
		{ 0, 2, "4z", false },
		{ 0, 1, "g", false },
	};
	const struct address_answer before = { .code = -77, .count = 3 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		unsigned char bytes[ADDRESS_ANSWER_SIZE + ADDRESS_IP_SIZE] = { cases[i].code,
			cases[i].count };
		struct address_answer answer = before;
		size_t len = ADDRESS_HEAD_SIZE;

		for (const char *one = cases[i].addresses; *one != '\0'; one++) {
			bytes[len] = *one == '6' ? IP_V6 : *one == 'z' ? 5 : IP_V4;
			bytes[len + 1] = 192;
			bytes[len + 16] = *one == 'g';
			len += *one == 't' ? ADDRESS_IP_SIZE / 2 : ADDRESS_IP_SIZE;
		}
		if (address_decode(slice_of(bytes, len), &answer) != cases[i].is_good)
			fail_msg("case %zu", i);
		assert_int_equal(answer.code, cases[i].is_good ? -cases[i].code : before.code);
		assert_int_equal(answer.count, cases[i].is_good ? cases[i].count : before.count);
		if (cases[i].count > 0 && cases[i].is_good)
			assert_int_equal(answer.ips[0].bytes[0], 192);
	}
	assert_false(address_decode(slice_of("", 0), &(struct address_answer){ 0 }));
	assert_false(address_decode(slice_of("\1", 1), &(struct address_answer){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_names_are_looked_up),
		cmocka_unit_test(an_answer_takes_the_place_of_the_one_before),
		cmocka_unit_test(only_answers_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
