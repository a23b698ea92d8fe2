/* SPDX-License-Identifier: ISC */
#include "front/polite.h"

#include "base/map.h"
#include "base/slice.h"

enum {
	MINUTE_MS = 60 * 1000
};

bool polite_take(struct polite *polite, const struct ip *source, int64_t now)
{
	uint64_t hash = map_hash(slice_of(source->bytes, sizeof source->bytes));
	struct polite_place *place = &polite->places[hash % POLITE_PLACES];
	bool is_over = now - place->since >= MINUTE_MS || now < place->since;

	if (is_over)
		*place = (struct polite_place){ .since = now };
	/* Two sources in one place share its budget: fewer answers, never more. */
	if (place->said >= POLITE_PER_MINUTE)
		return false;
	place->said++;
	return true;
}
