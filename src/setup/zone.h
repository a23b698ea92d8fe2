/* SPDX-License-Identifier: ISC */
/*
 * The records that the DNS of an own domain should have so that mail programs and other mail
 * servers find their way by themselves: RFC 6186 and 8314 (SRV; what is not served says so by the
 * target "."), autoconfig and Autodiscover, RFC 8461 (MTA-STS), RFC 8460 (TLS-RPT). Pure.
 */
#ifndef GP_SETUP_ZONE_H
#define GP_SETUP_ZONE_H

#include "base/buf.h"
#include "config/config.h"
#include "setup/offer.h"

enum {
	ZONE_VALUE_MAX = 1024,
};

struct zone_record {
	const char *name;  /* absolute, with the dot at the end */
	const char *type;  /* MX, SRV, CNAME, TXT */
	const char *value; /* as it stands in a zone file, a TXT in its quotes */
	const char *what;  /* in words, what it and those like it are for */
};

/* Calls visit for each; what it is given is good until it returns. domain: canonical. An error of
 * visit ends it. */
enum gp_err zone_each(const struct config *config, struct slice domain,
	enum gp_err (*visit)(const struct zone_record *record, void *owner),
	void *owner) GP_CHECKED;

#endif
