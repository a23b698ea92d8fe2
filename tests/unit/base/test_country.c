/* SPDX-License-Identifier: ISC */
/* Arguments: files that tests/integration/mmdb.py has written, all with the same networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/country.h"
#include "base/mem.h"

/* A literal as the first two members of a row; without its NUL. */
#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

static char **file_names;
static int file_count;

static void read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	size_t got;

	assert_non_null(file);
	do {
		assert_int_equal(buf_reserve(out, 4096), GP_OK);
		got = fread(buf_tail(out), 1, 4096, file);
		buf_added(out, got);
	} while (got > 0);
	(void)fclose(file);
}

static const char *find(const struct country_db *db, const char *address)
{
	static char out[COUNTRY_TEXT_SIZE];
	struct ip ip;

	assert_int_equal(ip_parse(slice_str(address), &ip), GP_OK);
	return country_text(country_find(db, &ip), out);
}

static void test_find(void **state)
{
	static const struct {
		const char *address;
		const char *country;
		bool is_v6;
	} cases[] = {
		{ "192.0.2.0", "DE", false },
		{ "192.0.2.255", "DE", false },
		{ "192.0.3.0", "", false },
		{ "192.0.1.255", "", false },
		{ "198.51.100.127", "FR", false },
		{ "198.51.100.128", "US", false },
		{ "203.0.113.7", "BR", false },
		{ "203.0.113.6", "", false },
		{ "10.1.2.3", "", false },
		{ "0.0.0.0", "", false },
		{ "255.255.255.255", "", false },
		{ "2001:db8::1", "JP", true },
		{ "2001:db9:1:ffff::1", "DE", true },
		{ "2001:db9:2::1", "", true },
		{ "::c000:201", "DE", true },
	};

	(void)state;
	for (int n = 0; n < file_count; n++) {
		struct country_db db = { .nodes = 0 };
		struct ip none = { .family = IP_NONE };
		struct gp_why why = { "" };
		struct buf bytes;

		buf_init(&bytes, 65536);
		read_file(file_names[n], &bytes);
		assert_int_equal(country_open(buf_slice(&bytes), &db, &why), GP_OK);
		for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
			const char *want = cases[i].is_v6 && !db.is_v6 ? "" : cases[i].country;

			assert_string_equal(find(&db, cases[i].address), want);
		}
		assert_int_equal(country_find(&db, &none), 0);
		buf_fini(&bytes);
	}
}

/* Each copy has its own memory, so that a byte read beyond the end shows under a sanitizer. */
static void try_bytes(struct slice bytes)
{
	char *copy = mem_new(bytes.len + 1, 1);
	struct country_db db = { .nodes = 0 };
	struct gp_why why = { "" };

	memcpy(copy, bytes.data, bytes.len);
	copy = mem_resize(copy, bytes.len > 0 ? bytes.len : 1, 1);
	if (country_open(slice_of(copy, bytes.len), &db, &why) == GP_OK) {
		(void)find(&db, "192.0.2.1");
		(void)find(&db, "198.51.100.200");
		(void)find(&db, "2001:db8::1");
	} else {
		assert_string_not_equal(why.text, "");
	}
	mem_free(copy);
}

static void test_broken(void **state)
{
	(void)state;
	for (int n = 0; n < file_count; n++) {
		struct buf bytes;

		buf_init(&bytes, 65536);
		read_file(file_names[n], &bytes);
		for (size_t len = 0; len < bytes.len; len++)
			try_bytes(slice_head(buf_slice(&bytes), len));
		for (size_t i = 0; i < bytes.len; i++) {
			char kept = bytes.data[bytes.head + i];
			static const char other[] = { '\0', '\xff', '\x20', '\x3f', '\xfe' };

			for (size_t k = 0; k < sizeof other; k++) {
				bytes.data[bytes.head + i] = other[k];
				try_bytes(buf_slice(&bytes));
			}
			bytes.data[bytes.head + i] = kept;
		}
		buf_fini(&bytes);
	}
}

static void test_refused(void **state)
{
	static const struct {
		struct slice bytes;
		const char *why;
	} cases[] = {
		{ { NULL, 0 }, "no MaxMind DB, or cut off" },
		{ { "hello", 5 }, "no MaxMind DB, or cut off" },
		{ BYTES("\xab\xcd\xefMaxMind.com"), "malformed metadata" },
		{ BYTES("\xab\xcd\xefMaxMind.com\xe0"), "malformed metadata" },
		{ BYTES("\xab\xcd\xefMaxMind.com\xe4"
			"\x5b"
			"binary_format_major_version\xa1\x03"
			"\x4anode_count\xc1\x01"
			"\x4brecord_size\xa1\x18"
			"\x4aip_version\xa1\x04"),
			"no MaxMind DB of version 2" },
		{ BYTES("\xab\xcd\xefMaxMind.com\xe4"
			"\x5b"
			"binary_format_major_version\xa1\x02"
			"\x4anode_count\xc4\xff\xff\xff\xff"
			"\x4brecord_size\xa1\x18"
			"\x4aip_version\xa1\x04"),
			"cut off" },
		{ BYTES("\0\0\1\0\0\1"
			"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
			"\xab\xcd\xefMaxMind.com\xe4"
			"\x5b"
			"binary_format_major_version\xa1\x02"
			"\x4anode_count\xc1\x01"
			"\x4brecord_size\xa1\x18"
			"\x4aip_version\xa1\x04"),
			"names no countries: a file of another kind" },
	};

	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		struct country_db db = { .nodes = 7 };
		struct gp_why why = { "" };

		assert_int_equal(country_open(cases[i].bytes, &db, &why), GP_ERR_SYNTAX);
		assert_string_equal(why.text, cases[i].why);
		assert_int_equal(db.nodes, 7);
	}
}

/* A file without end: pointers in a ring, and a map that says it has millions of pairs. */
static void test_bounded(void **state)
{
	static const char ring[] = "\0\0\x11\0\0\x11\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x20\0"
				   "\xab\xcd\xefMaxMind.com\xe4"
				   "\x5b"
				   "binary_format_major_version\xa1\x02"
				   "\x4anode_count\xc1\x01"
				   "\x4brecord_size\xa1\x18"
				   "\x4aip_version\xa1\x04";
	struct country_db db = { .nodes = 0 };
	struct gp_why why = { "" };
	struct buf bytes;

	(void)state;
	assert_int_equal(country_open(slice_of(ring, sizeof ring - 1), &db, &why), GP_ERR_SYNTAX);
	buf_init(&bytes, 65536);
	assert_int_equal(buf_append(&bytes, slice_of("\0\0\x11\0\0\x11", 6)), GP_OK);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(buf_append_byte(&bytes, '\0'), GP_OK);
	/* The pairs are {"": {}}; the country stands behind more of them than are looked at. */
	assert_int_equal(buf_append(&bytes, slice_of("\xff\xff\xff\xff", 4)), GP_OK);
	for (size_t i = 0; i < COUNTRY_STEPS_MAX; i++)
		assert_int_equal(buf_append(&bytes, slice_of("\x40\xe0", 2)), GP_OK);
	assert_int_equal(buf_append(&bytes, SLICE_LIT("\x47"
						      "country\x42"
						      "DE")),
		GP_OK);
	assert_int_equal(buf_append(&bytes, slice_of(ring + 24, sizeof ring - 25)), GP_OK);
	assert_int_equal(country_open(buf_slice(&bytes), &db, &why), GP_ERR_SYNTAX);
	assert_string_equal(why.text, "names no countries: a file of another kind");
	buf_fini(&bytes);
}

static void test_text(void **state)
{
	char out[COUNTRY_TEXT_SIZE];

	(void)state;
	assert_string_equal(country_text(country_parse(SLICE_LIT("DE")), out), "DE");
	assert_string_equal(country_text(0, out), "");
	assert_int_equal(country_parse(SLICE_LIT("de")), 0);
	assert_int_equal(country_parse(SLICE_LIT("D")), 0);
	assert_int_equal(country_parse(SLICE_LIT("DEU")), 0);
	assert_int_equal(country_parse(SLICE_LIT("D\xc4")), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_text),
	};

	file_names = argv + 1;
	file_count = argc - 1;
	GP_ASSERT(file_count > 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
