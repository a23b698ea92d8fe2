/* SPDX-License-Identifier: ISC */
#include "base/reference.h"

#include <string.h>

#include "base/map.h"
#include "base/text.h"

static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum {
	LETTER_BITS = 5,
};

static const uint64_t mask = (1ULL << REFERENCE_LETTERS * LETTER_BITS) - 1;

uint64_t reference_of(uint64_t origin)
{
	/* Front and vault must agree without a secret. It keeps apart what follows each other, so
	 * that nobody counts our sessions from one reference to the next by looking. */
	static const uint64_t key[2] = { 0x67617465706f7374, 0x7265666572656e63 };
	uint64_t reference = map_hash_keyed(key, slice_of(&origin, sizeof origin)) & mask;

	return reference != 0 ? reference : 1;
}

const char *reference_format(uint64_t reference, char out[static REFERENCE_SIZE])
{
	for (unsigned i = 0; i < REFERENCE_LETTERS; i++) {
		unsigned shift = LETTER_BITS * (REFERENCE_LETTERS - 1 - i);

		out[i] = letters[reference >> shift & ((1U << LETTER_BITS) - 1)];
	}
	out[REFERENCE_LETTERS] = '\0';
	return out;
}

/* -1: no letter. */
static int letter_value(char typed)
{
	char letter = text_upper(typed);
	const char *at;

	if (letter == 'O')
		letter = '0';
	else if (letter == 'I' || letter == 'L')
		letter = '1';
	at = letter != '\0' ? strchr(letters, letter) : NULL;
	return at != NULL ? (int)(at - letters) : -1;
}

bool reference_parse(struct slice typed, uint64_t *ret_reference)
{
	uint64_t reference = 0;
	unsigned count = 0;

	for (size_t i = 0; i < typed.len; i++) {
		int value = letter_value(typed.data[i]);

		if (typed.data[i] == ' ' || typed.data[i] == '-')
			continue;
		if (value < 0 || ++count > REFERENCE_LETTERS)
			return false;
		reference = reference << LETTER_BITS | (unsigned)value;
	}
	if (count != REFERENCE_LETTERS || reference == 0)
		return false;
	*ret_reference = reference;
	return true;
}
