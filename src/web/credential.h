/* SPDX-License-Identifier: ISC */
/* What proves who asks: the portal's cookie, or the token of a program. Pure. */
#ifndef GP_WEB_CREDENTIAL_H
#define GP_WEB_CREDENTIAL_H

#include <stdbool.h>

#include "base/slice.h"

#define CREDENTIAL_COOKIE "__Host-gatepost"

enum {
	CREDENTIAL_MAX = 128, /* as in CALL */
};

struct credential {
	struct slice text; /* "" for none; borrowed */
	bool is_token;
	bool is_malformed; /* an Authorization that is no Bearer token */
};

/* Of the fields Cookie and Authorization; the latter goes before. A cookie that stands twice, or
 * that we would never have set, is none. */
struct credential credential_find(struct slice cookie, struct slice authorization);

#endif
