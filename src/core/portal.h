/* SPDX-License-Identifier: ISC */
/*
 * The sessions of people at the portal. They live in core's memory alone: a restart signs everybody
 * out. A session's id is 32 random bytes that only the browser has (base64url, in a cookie); here
 * is a keyed hash of it. Each step gives a new id, and the old one is nobody's from then on.
 *
 *	            right password                  right code
 *	  (guest) ------------------> PENDING ---------------------> SIGNED_IN
 *	      \                           \                            ^
 *	       \                           `--> RECOVERY --------------'
 *	        \   recovery code used:           2FA set up anew and password changed
 *	         `---- right password, 2FA is off ---------------------^
 *
 * A session ends idle (portal_idle), old (portal_lifetime), by its owner, and by what happens to
 * its account. It is bound to nothing but the cookie: people move between networks.
 */
#ifndef GP_CORE_PORTAL_H
#define GP_CORE_PORTAL_H

#include <bsd/sys/queue.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/map.h"
#include "base/terms.h"
#include "core/caller.h"
#include "ipc/message.h"
#include "policy/signin.h"

enum {
	PORTAL_ID_SIZE = 32,
	PORTAL_COOKIE_SIZE = 43 + 1, /* base64url of an id, and NUL */
	PORTAL_NUMBER_SPARE = 12,    /* bits: a number must do as one of JavaScript */
	PORTAL_SESSIONS_MAX = 16384, /* beyond, the one that was idle longest goes */
	PORTAL_ACCOUNT_MAX = 16,     /* of one account, signed in or in recovery; the oldest goes */
	PORTAL_ACCOUNT_PENDING_MAX = 4, /* of one account, where the code is awaited */
};

struct core;

enum portal_state {
	PORTAL_PENDING,  /* the code is awaited */
	PORTAL_RECOVERY, /* in by a recovery code: may mend the account and nothing else */
	PORTAL_SIGNED_IN,
};

struct portal_session {
	struct map_node node;
	TAILQ_ENTRY(portal_session) link;
	uint64_t number; /* never 0, from a random one on; how core and people name it */
	unsigned char key[SIGNIN_TAG_SIZE];
	enum portal_state state;
	uint64_t account;
	enum role role; /* of the account */
	char *address;
	char *domains;
	char *client_name;
	struct ip source; /* of the last use */
	int64_t since;    /* the password was right: wall clock */
	int64_t began;    /* the same: clock_steady() */
	int64_t used;     /* clock_steady() */
};

struct portal {
	struct map by_key;
	TAILQ_HEAD(portal_list, portal_session) all; /* idle longest first */
	uint64_t last_number;
};

/* Whose session it becomes. */
struct portal_account {
	uint64_t account;
	enum role role;
	struct slice address;
	struct slice domains;
	struct slice client_name;
	struct ip source;
};

void portal_init(struct core *core);
void portal_fini(struct core *core);
/* Ends those that are idle or old. */
void portal_sweep(struct core *core);

/* A session in state PENDING or SIGNED_IN. */
struct portal_session *portal_open(struct core *core, const struct portal_account *account,
	enum portal_state state, char cookie[static PORTAL_COOKIE_SIZE]);
/* A step: a new id, the old one is dead. */
void portal_enter(struct core *core, struct portal_session *session, enum portal_state state,
	char cookie[static PORTAL_COOKIE_SIZE]);
void portal_end(struct core *core, struct portal_session **psession);

/* Of a cookie as it came; NULL: none, or over. */
struct portal_session *portal_find(struct core *core, struct slice cookie);
struct portal_session *portal_find_number(struct core *core, uint64_t number);
/* It was used, by this caller and from there. */
void portal_note_use(
	struct core *core, struct portal_session *session, const struct caller *caller);
/* The caller is whom the session belongs to. Borrows from it. */
void portal_speak_for(const struct portal_session *session, struct caller *caller);

/* Ends the sessions of an account but the one of this number (0: all). */
void portal_end_others(struct core *core, uint64_t account, uint64_t number);
/* What a change of an account does to its sessions: those that did not ask for it end. asking: the
 * number of the one that did, 0 for none. */
void portal_apply(struct core *core, const struct ipc_op_done *done, uint64_t asking);

const char *portal_state_name(enum portal_state state);

#endif
