/* SPDX-License-Identifier: ISC */
/*
 * Host names of backends become addresses. Each is looked up in a process of its own, without
 * privileges (hook_user), which is given up after RESOLVER_ANSWER_MS: neither a name server that is
 * silent nor what one answers reaches gatepostd. Names are asked for at the start, at a reload and
 * once a minute; one that cannot be found keeps the addresses it had. Process: gatepostd.
 */
#ifndef GP_PARENT_RESOLVER_H
#define GP_PARENT_RESOLVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "parent/parent.h"

enum {
	RESOLVER_ANSWER_MS = 10000,  /* for one name */
	RESOLVER_EVERY_MS = 60000,   /* names are asked for again */
	RESOLVER_RETRY_MS = 5000,    /* ... while one of them has no address */
	RESOLVER_PATIENCE_MS = 3000, /* the start waits so long for addresses */
};

struct resolver;

struct resolver *resolver_new(struct parent *parent);
/* Before the generations it knows of. */
void resolver_free(struct resolver **presolver);

/* Looks up the names of the generation in force, at once and from then on. */
void resolver_start(struct resolver *resolver);
/* Another is in force, whose names have just been tried. */
void resolver_follow(struct resolver *resolver);
/* Is there anything left to wait for before clients are let in? crew_check_serving() hears of it.
 */
bool resolver_is_settled(const struct resolver *resolver);

/* Looks up those of a generation that may come into force. on_done() is called once, not from
 * within: why is empty if each name has an address, be it one that it inherited. False: there is no
 * name in it, and no call. */
bool resolver_try(struct resolver *resolver, struct generation *generation,
	void (*on_done)(void *owner, const char *why), void *owner);

/* waitpid(2) returned this id; true if it is one of its processes. */
bool resolver_on_exit(struct resolver *resolver, pid_t pid);

#endif
