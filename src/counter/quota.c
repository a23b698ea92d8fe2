/* SPDX-License-Identifier: ISC */
#include "counter/quota.h"

#include "base/check.h"

bool quota_has_room(
	const struct quota *quota, uint32_t window, int64_t now, uint32_t limit, uint32_t amount)
{
	uint64_t wanted = (uint64_t)tally_sum(&quota->spent, window, now) + quota->reserved;

	return limit == 0 || wanted + amount <= limit;
}

void quota_reserve(struct quota *quota, uint32_t amount)
{
	GP_ASSERT(amount <= UINT32_MAX - quota->reserved);
	quota->reserved += amount;
}

void quota_release(struct quota *quota, uint32_t amount)
{
	GP_ASSERT(amount <= quota->reserved);
	quota->reserved -= amount;
}

void quota_commit(struct quota *quota, uint32_t window, int64_t now, uint32_t amount)
{
	quota_release(quota, amount);
	tally_add(&quota->spent, window, now, amount);
}

int64_t quota_free_in(
	const struct quota *quota, uint32_t window, int64_t now, uint32_t limit, uint32_t amount)
{
	if (limit == 0)
		return 0;
	if (amount > limit)
		return -1;
	return tally_falls_in(&quota->spent, window, now, limit - amount);
}
