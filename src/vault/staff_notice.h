/* SPDX-License-Identifier: ISC */
/*
 * What staff are mailed (staff_notice): that accounts were stopped which only they can open again.
 * The first is told of at once; who comes within STAFF_NOTICE_PAUSE of a letter stands in the next
 * one, so that an attack on many accounts is a letter an hour. Each case is told of once. Process:
 * vault, desk lane.
 */
#ifndef GP_VAULT_STAFF_NOTICE_H
#define GP_VAULT_STAFF_NOTICE_H

#include "base/err.h"

struct vault;

enum {
	STAFF_NOTICE_PAUSE = 60 * 60, /* s between two letters */
	STAFF_NOTICE_LISTED = 10,     /* accounts in a letter; the others are counted */
};

/* Whenever the outbox is looked at: posts what there is to tell. */
enum gp_err staff_notice_post(struct vault *vault) GP_CHECKED;

#endif
