/* SPDX-License-Identifier: ISC */
#include "base/siphash.h"

#include <endian.h>
#include <string.h>

enum {
	WORD = 8
};

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return (value << bits) | (value >> (64 - bits));
}

static void rounds(struct siphash *s, unsigned count)
{
	while (count-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

static void add_word(struct siphash *s, uint64_t word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

static uint64_t load(const char *data)
{
	uint64_t word;

	memcpy(&word, data, WORD);
	return le64toh(word);
}

static void begin(struct siphash *s, const uint64_t key[2])
{
	*s = (struct siphash){ .v0 = key[0] ^ 0x736f6d6570736575U,
		.v1 = key[1] ^ 0x646f72616e646f6dU,
		.v2 = key[0] ^ 0x6c7967656e657261U,
		.v3 = key[1] ^ 0x7465646279746573U };
}

static void add(struct siphash *s, struct slice bytes)
{
	size_t used = s->count % WORD;
	size_t at = 0;

	s->count += bytes.len;
	for (; used != 0 && at < bytes.len; at++) {
		s->word |= (uint64_t)(unsigned char)bytes.data[at] << (8 * used);
		used = (used + 1) % WORD;
		if (used != 0)
			continue;
		add_word(s, s->word);
		s->word = 0;
	}
	for (; at + WORD <= bytes.len; at += WORD)
		add_word(s, load(bytes.data + at));
	for (; at < bytes.len; at++, used++)
		s->word |= (uint64_t)(unsigned char)bytes.data[at] << (8 * used);
}

static uint64_t finish(struct siphash *s, uint64_t mark)
{
	add_word(s, s->word | s->count << 56);
	s->v2 ^= mark;
	rounds(s, 4);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t siphash(const uint64_t key[2], struct slice bytes)
{
	struct siphash s;

	begin(&s, key);
	add(&s, bytes);
	return finish(&s, 0xff);
}

void siphash_init(struct siphash *hash, const uint64_t key[2])
{
	begin(hash, key);
	/* What tells the long form from the short one. */
	hash->v1 ^= 0xee;
}

void siphash_add(struct siphash *hash, struct slice bytes)
{
	add(hash, bytes);
}

void siphash_get(const struct siphash *hash, unsigned char out[static SIPHASH_BYTES])
{
	struct siphash s = *hash;
	uint64_t words[2];

	words[0] = htole64(finish(&s, 0xee));
	s.v1 ^= 0xdd;
	rounds(&s, 4);
	words[1] = htole64(s.v0 ^ s.v1 ^ s.v2 ^ s.v3);
	memcpy(out, words, SIPHASH_BYTES);
}
