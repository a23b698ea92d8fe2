/* SPDX-License-Identifier: ISC */
/* The vectors of its authors, however the bytes come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/siphash.h"

static const uint64_t key[2] = { 0x0706050403020100U, 0x0f0e0d0c0b0a0908U };

struct vector {
	size_t len; /* of the bytes 0, 1, 2, ... */
	uint64_t hash;
	unsigned char hash128[SIPHASH_BYTES];
};

static const struct vector vectors[] = {
	{ 0, 0x726fdb47dd0e0e31U,
		{ 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7,
			0x55, 0x02, 0x93 } },
	{ 1, 0x74f839c593dc67fdU,
		{ 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b,
			0x22, 0xfc, 0x45 } },
	{ 15, 0xa129ca6149be45e5U,
		{ 0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11, 0x7e, 0x08, 0xec, 0x0f, 0x97,
			0xcf, 0xc3, 0xd9 } },
};

static struct slice bytes_of(size_t len, char out[static 64])
{
	for (size_t i = 0; i < len; i++)
		out[i] = (char)i;
	return slice_of(out, len);
}

static void vectors_are_met(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(vectors); i++) {
		char room[64];
		struct slice bytes = bytes_of(vectors[i].len, room);

		assert_true(siphash(key, bytes) == vectors[i].hash);
		for (size_t piece = 1; piece <= bytes.len + 1; piece++) {
			unsigned char out[SIPHASH_BYTES];
			struct siphash hash;

			siphash_init(&hash, key);
			for (size_t at = 0; at < bytes.len; at += piece)
				siphash_add(&hash, slice_head(slice_from(bytes, at), piece));
			siphash_get(&hash, out);
			assert_memory_equal(out, vectors[i].hash128, sizeof out);
		}
	}
}

static void getting_changes_nothing(void **state)
{
	unsigned char first[SIPHASH_BYTES];
	unsigned char second[SIPHASH_BYTES];
	struct siphash hash;

	(void)state;
	siphash_init(&hash, key);
	siphash_add(&hash, SLICE_LIT("abc"));
	siphash_get(&hash, first);
	siphash_get(&hash, second);
	assert_memory_equal(first, second, sizeof first);
	siphash_add(&hash, SLICE_LIT("d"));
	siphash_get(&hash, second);
	assert_memory_not_equal(first, second, sizeof first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_are_met),
		cmocka_unit_test(getting_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
