/* SPDX-License-Identifier: ISC */
#include "front/health.h"

#include <stdbool.h>

#include "base/check.h"

void health_init(struct health *health, unsigned count)
{
	GP_ASSERT(count <= HEALTH_HOSTS_MAX);
	*health = (struct health){ .count = count };
}

/* A failure "in the future" is one from before the clock was moved back: it is over. */
static bool is_down(const struct health *health, unsigned host, int64_t now)
{
	int64_t at = health->failed_at[host];

	return at != 0 && at <= now && now - at < HEALTH_MEMORY_MS;
}

int health_next(const struct health *health, uint32_t tried, int64_t now)
{
	int oldest = -1;

	for (unsigned i = 0; i < health->count; i++) {
		if (tried & (1U << i))
			continue;
		if (!is_down(health, i, now))
			return (int)i;
		if (oldest < 0 || health->failed_at[i] < health->failed_at[oldest])
			oldest = (int)i;
	}
	return oldest;
}

void health_failed(struct health *health, unsigned host, int64_t now)
{
	GP_ASSERT(host < health->count);
	health->failed_at[host] = now > 0 ? now : 1;
}

void health_worked(struct health *health, unsigned host)
{
	GP_ASSERT(host < health->count);
	health->failed_at[host] = 0;
}
