/* SPDX-License-Identifier: ISC */
/*
 * The own domains and host aliases in memory, and which backend serves a mailbox. A domain is
 * exactly itself: sub-domains are other domains.
 */
#ifndef GP_CORE_DOMAINS_H
#define GP_CORE_DOMAINS_H

#include "base/map.h"
#include "base/terms.h"
#include "config/config.h"
#include "ipc/message.h"
#include "policy/signin.h"

struct core;

struct domains {
	struct map now;
	struct map next; /* on its way in */
};

void domains_init(struct core *core);
void domains_fini(struct core *core);

/* A load begins; one row of it; it ended, and what came is taken or thrown away. */
void domains_begin(struct core *core);
void domains_add(struct core *core, const struct ipc_domain_row *row);
void domains_end(struct core *core, bool ok);

/* domain: canonical. *ret_target, for ALIAS: the domain it stands for, borrowed until the next
 * load; else untouched. */
enum signin_domain_kind domains_find(
	struct core *core, struct slice domain, struct slice *ret_target);
/* The defaults for a login name on this listener (index). */
struct signin_names domains_names(struct core *core, uint16_t listener, struct slice sni);
/* The backend of a mailbox. route: a route's name, "" for the one of the address' domain. */
const struct config_backend *domains_backend(
	struct core *core, const char *route, const char *address, enum protocol protocol);

#endif
