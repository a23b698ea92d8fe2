/* SPDX-License-Identifier: ISC */
/*
 * What people are told of by mail though they did nothing themselves: that their account was used
 * from a network it was not used from before, and that an address is banned because of it. Posted
 * in the batch of the record it comes from (record.h), and not too often. Process: vault, desk
 * lane.
 */
#ifndef GP_VAULT_TELLING_H
#define GP_VAULT_TELLING_H

#include "base/err.h"
#include "store/store.h"

struct vault;

enum {
	TELLING_NETWORKS_A_DAY = 3,  /* letters to one account about new networks */
	TELLING_BANS_A_DAY = 3,      /* about banned addresses that the account is known at */
	TELLING_STRANGERS_A_DAY = 1, /* about others, all together */
	TELLING_CULPRITS = 5,        /* accounts told of one ban */
};

/* The account has signed in from a source that is new for it. Its first one is not told of. */
enum gp_err telling_on_new_source(struct vault *vault, const struct store_event *event) GP_CHECKED;
/* A source was banned (IPv4 address or IPv6 /64; wider networks tell nobody). */
enum gp_err telling_on_ban(struct vault *vault, const struct store_ban *ban) GP_CHECKED;

#endif
