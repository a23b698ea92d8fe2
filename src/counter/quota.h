/* SPDX-License-Identifier: ISC */
/*
 * Sliding limits of what is sent, with reservations: so many an hour, so many a day. As with the
 * windows of counter/counter.h a place is reserved before (at RCPT), and committed (the next hop's
 * 250) or given back after, so that at any moment, however many sessions run side by side,
 *
 *	committed in the window + reserved <= limit
 *
 * Other than there, amounts are large, limits differ from account to account, and nobody waits for
 * a place. So a quota is a sum in slots (counter/tally.h), of a fixed size whatever the limit, and
 * lives in whatever it limits: an account, a domain, a source. Pure; no memory of its own.
 *
 * Who reserves must commit or give back once for each, also when a session is lost.
 */
#ifndef GP_COUNTER_QUOTA_H
#define GP_COUNTER_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "counter/tally.h"

struct quota {
	struct tally spent;
	uint32_t reserved;
};

/* limit: 0 for none; amount: how many are asked for. false: there is no room, and nothing has
 * changed. */
bool quota_has_room(
	const struct quota *quota, uint32_t window, int64_t now, uint32_t limit, uint32_t amount);
void quota_reserve(struct quota *quota, uint32_t amount);
/* At most as much as is reserved. */
void quota_commit(struct quota *quota, uint32_t window, int64_t now, uint32_t amount);
void quota_release(struct quota *quota, uint32_t amount);
/* Seconds until amount has room if nothing else is sent; 0 if it has, or only reservations stand in
 * the way. -1: never, it is more than the limit. */
int64_t quota_free_in(
	const struct quota *quota, uint32_t window, int64_t now, uint32_t limit, uint32_t amount);

#endif
