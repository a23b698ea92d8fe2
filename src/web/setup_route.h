/* SPDX-License-Identifier: ISC */
/*
 * The addresses at which mail programs and servers ask by themselves, each with a name of its own
 * before the domain ("autoconfig.DOMAIN") besides those of the portal. Pure.
 */
#ifndef GP_WEB_SETUP_ROUTE_H
#define GP_WEB_SETUP_ROUTE_H

#include "base/slice.h"

enum setup_paper {
	SETUP_NONE,         /* the path is none of these */
	SETUP_AUTOCONFIG,   /* Thunderbird */
	SETUP_AUTODISCOVER, /* Outlook */
	SETUP_LOCATE,       /* Outlook, where to ask that: Autodiscover v2, JSON */
	SETUP_STS,          /* servers: RFC 8461 */
	SETUP_PROFILE,      /* iPhone and Mac: good once */
};

struct setup_route {
	enum setup_paper paper;
	const char *prefix; /* of the name at which it is asked for, "" for none of its own */
	struct slice rest;  /* of a profile its token; of SETUP_LOCATE the address, "" if the query
			       has  it; escapes and all */
};

/* path: without query. */
struct setup_route setup_route_find(struct slice path);

#endif
