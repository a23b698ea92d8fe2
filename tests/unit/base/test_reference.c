/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/check.h"
#include "base/reference.h"

/* Front and vault, today's and next year's, agree: what was printed once can be looked up. */
static void a_session_has_one_for_ever(void **state)
{
	char text[REFERENCE_SIZE];

	(void)state;
	assert_string_equal(reference_format(reference_of(0x0123456789abcdef), text), "KX877RJF");
	assert_string_equal(reference_format(reference_of(0x0123456789abcdf0), text), "Y0W451C2");
}

static void all_are_of_one_length_and_read_back(void **state)
{
	char text[REFERENCE_SIZE];
	uint64_t back;

	(void)state;
	for (uint64_t i = 0; i < 10000; i++) {
		uint64_t reference = reference_of(i << 24 | 1);

		assert_true(reference > 0 && reference < 1ULL << 40);
		assert_int_equal(strlen(reference_format(reference, text)), REFERENCE_LETTERS);
		assert_null(strpbrk(text, "ILOUilou-"));
		assert_true(reference_parse(slice_str(text), &back));
		assert_int_equal(back, reference);
	}
}

static const struct {
	const char *typed;
	const char *is; /* NULL: none */
} typed[] = {
	{ "7K3QX9TD", "7K3QX9TD" },
	{ "7k3qx9td", "7K3QX9TD" },
	{ " 7k3q-x9td ", "7K3QX9TD" },
	{ "OIl0oL1i", "01100111" },
	{ "7K3QX9T", NULL },
	{ "7K3QX9TDA", NULL },
	{ "7K3QX9TU", NULL },
	{ "7K3QX9T.", NULL },
	{ "00000000", NULL },
	{ "", NULL },
};

static void typed_by_people(void **state)
{
	char text[REFERENCE_SIZE];

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(typed); i++) {
		uint64_t reference = 0;

		assert_int_equal(reference_parse(slice_str(typed[i].typed), &reference),
			typed[i].is != NULL);
		if (typed[i].is != NULL)
			assert_string_equal(reference_format(reference, text), typed[i].is);
	}
	assert_false(reference_parse(slice_of("7K3Q\0X9TD", 9), &(uint64_t){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_has_one_for_ever),
		cmocka_unit_test(all_are_of_one_length_and_read_back),
		cmocka_unit_test(typed_by_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
