/* SPDX-License-Identifier: ISC */
/*
 * MTA-STS (RFC 8461): the policy that https://mta-sts.DOMAIN/.well-known/mta-sts.txt gives out, and
 * the id in the DNS that tells of a change of it. Pure.
 */
#ifndef GP_SETUP_STS_H
#define GP_SETUP_STS_H

#include "base/buf.h"
#include "config/config.h"

enum {
	STS_POLICY_MAX = 16 * 1024,
	STS_ID_SIZE = 16 + 1,
	STS_AGE_TESTING = 24 * 60 * 60, /* s that senders keep the policy */
	STS_AGE_ENFORCE = 14 * 24 * 60 * 60,
};

/* GP_ERR_NOT_FOUND: mta_sts is none, or mail is not received here (no listener smtp). */
enum gp_err sts_write(const struct config *config, struct buf *out) GP_CHECKED;
/* 16 hexadecimal digits that change with the policy. */
void sts_id(struct slice policy, char out[static STS_ID_SIZE]);

#endif
