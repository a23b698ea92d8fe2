/* SPDX-License-Identifier: ISC */
/*
 * A profile as bytes: a version, then every number of the struct in order, each as groups of seven
 * bits with the lowest first (LEB128), and a run of zeros as 0 and how many there are; then the
 * recipients, four bytes each. One walk over the struct serves both ways.
 */
#include "policy/profile.h"

#include <string.h>

enum {
	VERSION = 1,
	VARINT_MAX = 10, /* bytes */
	USUAL_SIZE = 1024,
};

static const int64_t time_max = INT64_C(1) << 40; /* seconds: sums of times never overflow */

struct coder {
	struct buf *out;   /* packing */
	struct slice rest; /* unpacking */
	uint64_t zeros;    /* run that is not written yet, or not read to its end */
	enum gp_err err;
};

static void put_varint(struct coder *coder, uint64_t value)
{
	char bytes[VARINT_MAX];
	size_t count = 0;

	do {
		bytes[count++] = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value > 0);
	if (coder->err == GP_OK)
		coder->err = buf_append(coder->out, slice_of(bytes, count));
}

static uint64_t get_varint(struct coder *coder)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < VARINT_MAX && i < coder->rest.len; i++) {
		unsigned char byte = (unsigned char)coder->rest.data[i];

		if (i == VARINT_MAX - 1 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if ((byte & 0x80) == 0) {
			coder->rest = slice_from(coder->rest, i + 1);
			return value;
		}
	}
	coder->err = GP_ERR_SYNTAX;
	return 0;
}

static void flush_zeros(struct coder *coder)
{
	if (coder->zeros == 0)
		return;
	put_varint(coder, 0);
	put_varint(coder, coder->zeros);
	coder->zeros = 0;
}

static void put(struct coder *coder, uint64_t value)
{
	if (value == 0) {
		coder->zeros++;
		return;
	}
	flush_zeros(coder);
	put_varint(coder, value);
}

static uint64_t get(struct coder *coder, uint64_t max)
{
	uint64_t value = 0;

	if (coder->err != GP_OK)
		return 0;
	if (coder->zeros == 0) {
		value = get_varint(coder);
		if (coder->err == GP_OK && value == 0) {
			coder->zeros = get_varint(coder);
			if (coder->zeros == 0)
				coder->err = GP_ERR_SYNTAX;
		}
	}
	if (coder->err != GP_OK || value > max) {
		coder->err = GP_ERR_SYNTAX;
		return 0;
	}
	if (value == 0)
		coder->zeros--;
	return value;
}

static void code_64(struct coder *coder, int64_t *value)
{
	if (coder->out != NULL)
		put(coder, *value <= 0         ? 0
			   : *value > time_max ? (uint64_t)time_max
					       : (uint64_t)*value);
	else
		*value = (int64_t)get(coder, (uint64_t)time_max);
}

static void code_32(struct coder *coder, uint32_t *value)
{
	if (coder->out != NULL)
		put(coder, *value);
	else
		*value = (uint32_t)get(coder, UINT32_MAX);
}

static void code_16(struct coder *coder, uint16_t *value)
{
	if (coder->out != NULL)
		put(coder, *value);
	else
		*value = (uint16_t)get(coder, UINT16_MAX);
}

/* The sum follows from the counts. */
static void code_tally(struct coder *coder, struct tally *tally)
{
	uint64_t sum = 0;

	code_32(coder, &tally->slot);
	for (size_t i = 0; i < TALLY_SLOTS; i++) {
		code_32(coder, &tally->counts[i]);
		sum += tally->counts[i];
	}
	if (sum > UINT32_MAX)
		coder->err = GP_ERR_SYNTAX;
	tally->sum = (uint32_t)sum;
}

static void code_lists(struct coder *coder, struct profile *profile)
{
	for (size_t i = 0; i < PROFILE_DAYS; i++) {
		code_32(coder, &profile->days[i].day);
		code_32(coder, &profile->days[i].recipients);
		code_32(coder, &profile->days[i].strangers);
		code_32(coder, &profile->days[i].hour);
	}
	for (size_t i = 0; i < PROFILE_PLACES; i++) {
		code_32(coder, &profile->places[i].tag);
		code_32(coder, &profile->places[i].first_hour);
		code_32(coder, &profile->places[i].last_hour);
		code_16(coder, &profile->places[i].country);
	}
	for (size_t i = 0; i < PROFILE_CLIENTS; i++) {
		code_32(coder, &profile->clients[i].tag);
		code_32(coder, &profile->clients[i].first_hour);
		code_32(coder, &profile->clients[i].last_hour);
	}
	for (size_t i = 0; i < PROFILE_BODIES; i++) {
		code_32(coder, &profile->bodies[i].tag);
		code_32(coder, &profile->bodies[i].strangers);
		code_64(coder, &profile->bodies[i].first_at);
	}
}

/* 0: no recipients; else the log of their set and 1, so that the same ones find room again. */
static void code_known(struct coder *coder, struct known *known)
{
	uint16_t room = known->slots != NULL ? (uint16_t)(known->log + 1) : 0;

	code_16(coder, &room);
	if (coder->out != NULL || coder->err != GP_OK || room == 0)
		return;
	if (room > KNOWN_BUCKETS_LOG + 1)
		coder->err = GP_ERR_SYNTAX;
	else
		known_make_room(known, (uint8_t)(room - 1));
}

static void code_all(struct coder *coder, struct profile *profile)
{
	code_64(coder, &profile->first_at);
	code_64(coder, &profile->passed_at);
	code_64(coder, &profile->asked_at);
	for (size_t i = 0; i < PROFILE_TALLY_MAX; i++)
		code_tally(coder, &profile->tallies[i]);
	code_lists(coder, profile);
	for (size_t i = 0; i < 24; i++)
		code_16(coder, &profile->hours[i]);
	for (size_t i = 0; i < PROFILE_TRIED; i++)
		code_32(coder, &profile->tried[i]);
	code_32(coder, &profile->tried_next);
	for (size_t i = 0; i < PROFILE_SENDERS; i++)
		code_32(coder, &profile->senders[i]);
	code_32(coder, &profile->senders_next);
	code_known(coder, &profile->known);
}

static void put_entry(uint32_t entry, void *owner)
{
	struct coder *coder = owner;
	char bytes[4];

	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(entry >> (8 * i) & 0xff);
	if (coder->err == GP_OK)
		coder->err = buf_append(coder->out, slice_of(bytes, sizeof bytes));
}

enum gp_err profile_pack(const struct profile *profile, struct buf *out)
{
	struct coder coder = { .out = out };
	struct profile copy = *profile; /* the walk takes what it could write to */

	coder.err = buf_reserve(out, USUAL_SIZE);
	put_varint(&coder, VERSION);
	code_all(&coder, &copy);
	flush_zeros(&coder);
	known_each(&profile->known, put_entry, &coder);
	return coder.err;
}

static bool is_sound(const struct profile *profile)
{
	return profile->tried_next < PROFILE_TRIED && profile->senders_next < PROFILE_SENDERS;
}

enum gp_err profile_unpack(struct slice packed, struct profile *ret_profile)
{
	struct coder coder = { .rest = packed };
	struct profile profile = { 0 };

	if (get_varint(&coder) != VERSION || packed.len > PROFILE_PACKED_MAX)
		return GP_ERR_SYNTAX;
	code_all(&coder, &profile);
	if (coder.err != GP_OK || coder.zeros != 0 || coder.rest.len % 4 != 0 ||
		(coder.rest.len > 0 && profile.known.slots == NULL) || !is_sound(&profile)) {
		profile_fini(&profile);
		return GP_ERR_SYNTAX;
	}
	for (; coder.rest.len > 0; coder.rest = slice_from(coder.rest, 4)) {
		const unsigned char *b = (const unsigned char *)coder.rest.data;

		known_restore(&profile.known, (uint32_t)b[0] | (uint32_t)b[1] << 8 |
						      (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24);
	}
	*ret_profile = profile;
	return GP_OK;
}
