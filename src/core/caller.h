/* SPDX-License-Identifier: ISC */
/*
 * On whose behalf an operation runs: what core knows of who asks, and believes. Texts are borrowed
 * from the question and from the portal session: good until the handler returns.
 */
#ifndef GP_CORE_CALLER_H
#define GP_CORE_CALLER_H

#include <stdint.h>

#include "base/ip.h"
#include "base/slice.h"
#include "base/terms.h"

struct caller {
	enum role role;
	struct slice actor;   /* for the audit */
	uint64_t account;     /* whose portal session it is; 0 for a CLI and a guest */
	uint64_t portal;      /* number of the portal session, 0: none */
	struct slice address; /* of the account */
	struct slice domains; /* it is bound to those, "": to none */
	struct ip source;     /* of the browser; IP_NONE for a CLI */
	struct slice client_name;
	struct slice language;
	struct slice idempotency;
};

#endif
