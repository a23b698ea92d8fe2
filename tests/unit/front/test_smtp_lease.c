/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "front/smtp_lease.h"

static void it_covers_what_core_said_yes_to_and_nothing_else(void **state)
{
	static const struct {
		const char *sender;
		uint64_t size;
		bool is_covered;
	} cases[] = {
		{ "alice@example.test", 0, true },
		{ "alice@example.test", 5000, true },
		{ "alice@example.test", 5001, false },
		{ "alice@example.test", UINT64_MAX, false },
		{ "Alice@example.test", 0, false },
		{ "alice@example.tes", 0, false },
		{ "alice@example.test.", 0, false },
		{ "", 0, false },
	};
	struct smtp_lease lease = { 0 };

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++)
		assert_false(smtp_lease_covers(&lease, slice_str(cases[i].sender), cases[i].size));
	smtp_lease_take(&lease, SLICE_LIT("alice@example.test"), 5000);
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++)
		assert_int_equal(
			smtp_lease_covers(&lease, slice_str(cases[i].sender), cases[i].size),
			cases[i].is_covered);
	smtp_lease_end(&lease);
}

static void another_takes_its_place(void **state)
{
	struct smtp_lease lease = { 0 };

	(void)state;
	smtp_lease_take(&lease, SLICE_LIT("alice@example.test"), 5000);
	smtp_lease_take(&lease, SLICE_LIT(""), 0);
	assert_false(smtp_lease_covers(&lease, SLICE_LIT("alice@example.test"), 0));
	assert_true(smtp_lease_covers(&lease, SLICE_LIT(""), UINT64_MAX));
	/* The sender may be the lease's own. */
	smtp_lease_take(&lease, slice_str(lease.sender), 1);
	assert_true(smtp_lease_covers(&lease, SLICE_LIT(""), 1));
	smtp_lease_end(&lease);
	assert_false(smtp_lease_covers(&lease, SLICE_LIT(""), 0));
	smtp_lease_end(&lease);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_covers_what_core_said_yes_to_and_nothing_else),
		cmocka_unit_test(another_takes_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
