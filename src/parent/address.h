/* SPDX-License-Identifier: ISC */
/* A backend's host as it stands in the configuration, made socket addresses. Process: gatepostd. */
#ifndef GP_PARENT_ADDRESS_H
#define GP_PARENT_ADDRESS_H

#include "base/err.h"
#include "parent/generation.h"

enum {
	ADDRESS_MAX = 16, /* of one host name */
};

/* Before names are looked up: a name server that is silent is given up after seconds. */
void address_init(void);

/* host: "192.0.2.1:143", "[::1]:143", "mail.lan:25" or "unix:/PATH". */
enum gp_err address_resolve(
	const char *host, struct generation_member *ret_member, struct gp_why *why) GP_CHECKED;

#endif
