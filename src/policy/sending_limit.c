/* SPDX-License-Identifier: ISC */
#include "policy/sending_limit.h"

#include <string.h>

#include "base/check.h"

static const struct {
	const char *words;
	size_t option; /* in struct config_plan */
	size_t unit;   /* in struct sending_amount */
	uint32_t window;
} limits[SENDING_LIMIT_MAX] = {
#define SENDING_LIMIT_ROW(id, option, unit, window, words)                    \
	[SENDING_LIMIT_##id] = { words, offsetof(struct config_plan, option), \
		offsetof(struct sending_amount, unit), window },
	SENDING_LIMIT_LIST(SENDING_LIMIT_ROW)
#undef SENDING_LIMIT_ROW
};

const char *sending_limit_words(enum sending_limit limit)
{
	GP_ASSERT((unsigned)limit < SENDING_LIMIT_MAX);
	return limits[limit].words;
}

static uint32_t read_at(const void *object, size_t offset)
{
	uint32_t value;

	memcpy(&value, (const char *)object + offset, sizeof value);
	return value;
}

/* Lasts a longer than b? Never is longest of all. */
static bool is_longer(int64_t a, int64_t b)
{
	return b >= 0 && (a < 0 || a > b);
}

static bool find_shortage(const struct sending_scope scopes[static SENDING_SCOPES],
	const struct sending_amount *amount, int64_t now, struct sending_shortage *ret_shortage)
{
	bool is_short = false;

	for (unsigned k = 0; k < SENDING_SCOPES; k++) {
		for (unsigned i = 0; scopes[k].plan != NULL && i < SENDING_LIMIT_MAX; i++) {
			const struct quota *quota = &scopes[k].meter->quotas[i];
			uint32_t most = read_at(scopes[k].plan, limits[i].option);
			uint32_t wanted = read_at(amount, limits[i].unit);
			int64_t free_in;

			if (wanted == 0 ||
				quota_has_room(quota, limits[i].window, now, most, wanted))
				continue;
			free_in = quota_free_in(quota, limits[i].window, now, most, wanted);
			if (!is_short || is_longer(free_in, ret_shortage->free_in))
				*ret_shortage =
					(struct sending_shortage){ (enum sending_scope_kind)k,
						(enum sending_limit)i, most, free_in };
			is_short = true;
		}
	}
	return is_short;
}

bool sending_limit_reserve(const struct sending_scope scopes[static SENDING_SCOPES],
	const struct sending_amount *amount, int64_t now, struct sending_shortage *ret_shortage)
{
	if (find_shortage(scopes, amount, now, ret_shortage))
		return false;
	for (unsigned k = 0; k < SENDING_SCOPES; k++) {
		for (unsigned i = 0; scopes[k].plan != NULL && i < SENDING_LIMIT_MAX; i++)
			quota_reserve(&scopes[k].meter->quotas[i], read_at(amount, limits[i].unit));
	}
	return true;
}

void sending_limit_commit(const struct sending_scope scopes[static SENDING_SCOPES],
	const struct sending_amount *amount, int64_t now)
{
	for (unsigned k = 0; k < SENDING_SCOPES; k++) {
		for (unsigned i = 0; scopes[k].plan != NULL && i < SENDING_LIMIT_MAX; i++)
			quota_commit(&scopes[k].meter->quotas[i], limits[i].window, now,
				read_at(amount, limits[i].unit));
	}
}

void sending_limit_release(const struct sending_scope scopes[static SENDING_SCOPES],
	const struct sending_amount *amount)
{
	for (unsigned k = 0; k < SENDING_SCOPES; k++) {
		for (unsigned i = 0; scopes[k].plan != NULL && i < SENDING_LIMIT_MAX; i++)
			quota_release(&scopes[k].meter->quotas[i], read_at(amount, limits[i].unit));
	}
}

void sending_limit_restore(
	struct sending_meter *meter, const struct sending_amount *amount, int64_t at)
{
	for (unsigned i = 0; i < SENDING_LIMIT_MAX; i++)
		tally_add(&meter->quotas[i].spent, limits[i].window, at,
			read_at(amount, limits[i].unit));
}

struct sending_left sending_limit_left(
	const struct sending_scope *scope, enum sending_limit limit, int64_t now)
{
	const struct quota *quota = &scope->meter->quotas[limit];
	struct sending_left left = { .spent = tally_sum(&quota->spent, limits[limit].window, now),
		.reserved = quota->reserved };
	uint64_t used = (uint64_t)left.spent + left.reserved;

	GP_ASSERT((unsigned)limit < SENDING_LIMIT_MAX && scope->plan != NULL);
	left.most = read_at(scope->plan, limits[limit].option);
	if (left.most > used)
		left.free = left.most - (unsigned)used;
	return left;
}
