/* SPDX-License-Identifier: ISC */
/*
 * The answer that Thunderbird and its kin ask for at autoconfig.DOMAIN and under /.well-known
 * (Mozilla's config-v1.1, draft-ietf-mailmaint-autoconfig). It is of the domain alone: for every
 * address in it the same bytes, so it tells nobody which exist. Pure.
 */
#ifndef GP_SETUP_AUTOCONFIG_H
#define GP_SETUP_AUTOCONFIG_H

#include "base/buf.h"
#include "setup/offer.h"

enum {
	AUTOCONFIG_MAX = 16 * 1024,
};

/* domain: in canonical form, as the address has it. GP_ERR_NOT_FOUND: no mailbox can be read
 * here. */
enum gp_err autoconfig_write(
	const struct offers *offers, struct slice domain, struct buf *out) GP_CHECKED;

#endif
