/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "front/polite.h"

enum {
	NOW = 1000000,
	MINUTE = 60 * 1000
};

static struct ip source(const char *text)
{
	struct ip ip = { 0 };

	assert_int_equal(ip_parse(slice_str(text), &ip), GP_OK);
	return ip_source(&ip);
}

static unsigned take_many(struct polite *polite, const char *text, int64_t now)
{
	struct ip ip = source(text);
	unsigned taken = 0;

	for (unsigned i = 0; i < 3 * POLITE_PER_MINUTE; i++)
		taken += polite_take(polite, &ip, now);
	return taken;
}

static void says_it_ten_times_a_minute(void **state)
{
	struct polite *polite = mem_new(1, sizeof *polite);

	(void)state;
	assert_int_equal(take_many(polite, "192.0.2.1", NOW), POLITE_PER_MINUTE);
	assert_int_equal(take_many(polite, "192.0.2.1", NOW + MINUTE - 1), 0);
	assert_int_equal(take_many(polite, "192.0.2.1", NOW + MINUTE), POLITE_PER_MINUTE);
	mem_free(polite);
}

static void counts_a_network_as_one_source(void **state)
{
	struct polite *polite = mem_new(1, sizeof *polite);

	(void)state;
	assert_int_equal(take_many(polite, "2001:db8::1", NOW), POLITE_PER_MINUTE);
	assert_int_equal(take_many(polite, "2001:db8::2", NOW), 0);
	mem_free(polite);
}

/* Places are hashed under a random key: two sources may meet, a hundred do not all. */
static void tells_other_sources_too(void **state)
{
	struct polite *polite = mem_new(1, sizeof *polite);
	unsigned taken = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct ip ip = { .family = IP_V4, .bytes = { 198, 51, 100, (uint8_t)i } };

		taken += polite_take(polite, &ip, NOW);
	}
	assert_in_range(taken, 90, 100);
	mem_free(polite);
}

static void a_clock_that_went_back_silences_nobody(void **state)
{
	struct polite *polite = mem_new(1, sizeof *polite);

	(void)state;
	assert_int_equal(take_many(polite, "192.0.2.1", NOW), POLITE_PER_MINUTE);
	assert_int_equal(take_many(polite, "192.0.2.1", NOW / 2), POLITE_PER_MINUTE);
	mem_free(polite);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_it_ten_times_a_minute),
		cmocka_unit_test(counts_a_network_as_one_source),
		cmocka_unit_test(tells_other_sources_too),
		cmocka_unit_test(a_clock_that_went_back_silences_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
