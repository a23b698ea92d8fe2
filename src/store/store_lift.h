/* SPDX-License-Identifier: ISC */
/*
 * Bans that people lifted for themselves at the portal, and the failures on their account for which
 * they may. Lifts are kept for as long as they are counted.
 */
#ifndef GP_STORE_STORE_LIFT_H
#define GP_STORE_STORE_LIFT_H

#include "store/store.h"

struct store_lift {
	int64_t at;
	uint64_t account;
	struct ip_net net; /* that was banned */
};

/* Forgets those from before `since`, counts the others of the account and of the network, and adds
 * one more if both are fewer than max: GP_ERR_LIMIT. In the caller's transaction. */
enum gp_err store_lift_add(
	struct store *store, const struct store_lift *lift, int64_t since, unsigned max) GP_CHECKED;
/* At or after since, oldest first. */
enum gp_err store_lift_each(struct store *store, int64_t since,
	enum gp_err (*visit)(const struct store_lift *lift, void *arg), void *arg) GP_CHECKED;

/* Slices are good during the visit; names of base/terms.h. */
struct store_blame {
	struct ip source;
	struct slice client_name;
	struct slice service;
	struct slice reason;
};

/* Devices whose failures on the account at or after since still count against their source; each
 * once, the newest first, at most limit. */
enum gp_err store_lift_each_blame(struct store *store, uint64_t account, int64_t since,
	uint64_t limit, enum gp_err (*visit)(const struct store_blame *blame, void *arg),
	void *arg) GP_CHECKED;

#endif
