/* SPDX-License-Identifier: ISC */
/*
 * Connections to next hops that no session uses now, a few for each backend and for a short time;
 * and the probe that learns, at the start, what each next hop offers.
 */
#ifndef GP_FRONT_SMTP_POOL_H
#define GP_FRONT_SMTP_POOL_H

#include "front/smtp_hop.h"

enum {
	SMTP_POOL_EACH = 4, /* kept for one backend */
	SMTP_POOL_KEEP_MS = 30 * 1000,
	SMTP_POOL_PROBE_FIRST_MS = 50,
	SMTP_POOL_PROBE_AGAIN_MS = 15 * 1000, /* after a probe that failed */
};

struct smtp_pool *smtp_pool_new(struct front *front);
void smtp_pool_free(struct smtp_pool **ppool);

/* A connection that rests, or NULL; its user sets itself with smtp_hop_set_user(). */
struct smtp_hop *smtp_pool_take(struct smtp_pool *pool, const struct settings_backend *backend);
/* Takes *phop: keeps it if another session may have it, else says QUIT. has_transaction: it is in
 * the middle of one, which RSET ends first. */
void smtp_pool_give(struct smtp_pool *pool, struct smtp_hop **phop, bool has_transaction);
/* New settings are in force: drops what belongs to the old ones, asks the new next hops. */
void smtp_pool_reset(struct smtp_pool *pool);

#endif
