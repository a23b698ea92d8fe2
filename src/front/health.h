/* SPDX-License-Identifier: ISC */
/*
 * Which host of a backend to try next: in the configured order, but a host that failed within
 * HEALTH_MEMORY_MS comes after all others, the longest failed first. Pure; times are
 * clock_steady() milliseconds.
 */
#ifndef GP_FRONT_HEALTH_H
#define GP_FRONT_HEALTH_H

#include <stdint.h>

enum {
	HEALTH_HOSTS_MAX = 32, /* hosts of one backend */
	HEALTH_MEMORY_MS = 10 * 1000,
};

struct health {
	unsigned count;
	int64_t failed_at[HEALTH_HOSTS_MAX]; /* 0: did not */
};

/* count <= HEALTH_HOSTS_MAX. */
void health_init(struct health *health, unsigned count);
/* The host to try, or -1 when each has been; tried: bit mask of hosts. */
int health_next(const struct health *health, uint32_t tried, int64_t now);
void health_failed(struct health *health, unsigned host, int64_t now);
void health_worked(struct health *health, unsigned host);

#endif
