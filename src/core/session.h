/* SPDX-License-Identifier: ISC */
/*
 * The table of sessions: every client that a front holds, signed in or not. A session is made and
 * ended by its front alone; core only asks the front to close it. Times are of the wall clock.
 *
 *	           SIGNIN              OK
 *	  OPEN -------------> ASKING -------> SIGNED_IN
 *	   ^ \                  |  \             |    \
 *	   |  \ RESUME          |   \ (close)    |     \ (close)
 *	   |   `----------------|----\-----------+--->  CLOSING
 *	   `--- any other answer'     `---------------->
 *
 * SESSION_END ends it in any state. CLOSING: core has sent SESSION_CLOSE; what the front sent
 * before it heard of that is ignored.
 */
#ifndef GP_CORE_SESSION_H
#define GP_CORE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/map.h"
#include "base/terms.h"
#include "core/source.h"
#include "ipc/message.h"

enum {
	SESSIONS_PER_FRONT_MAX = 131072, /* a front that opens more is out of its mind */
	/* Hosts that a front may ask for, for one sign-in: each of a backend's, and a few times
	 * again while gatepostd has too much to do. */
	SESSION_DIALS_MAX = 160,
};

struct core;
struct front;
struct sending_session;

enum session_state {
	SESSION_OPEN,
	SESSION_ASKING,
	SESSION_SIGNED_IN,
	SESSION_CLOSING,
	SESSION_STATE_MAX
};

/* Was the account blocked when it signed in, or since? */
enum session_block {
	SESSION_BLOCK_NO,
	SESSION_BLOCK_YES
};

struct session {
	struct map_node node;
	uint64_t id;
	enum session_state state;
	struct front *front;
	TAILQ_ENTRY(session) by_front;
	struct source *source;
	TAILQ_ENTRY(session) by_source;
	enum service service;
	uint16_t listener;
	uint16_t client_port;
	struct ip client;
	int64_t since;           /* opened; once signed in, signed in */
	uint16_t country;        /* of the client, as in policy/profile.h; 0: nobody knows */
	struct attempt *attempt; /* ASKING, and CLOSING until its answer: borrowed */

	/* Signed in: */
	uint64_t account;
	uint64_t device; /* 0: main password */
	enum session_block block;
	int64_t known_since;             /* its source, for the account; 0: not known */
	struct sending_session *sending; /* sending_mail.h; NULL until its first MAIL */
	bool is_refusal_noted;           /* that it may not send stands in an event */
	unsigned dials;                  /* MAILBOX_HOST, so far */
	char *address;
	char *route; /* "": by the address' domain */
	char *client_name;
	char *tls;
};

struct sessions {
	struct map by_id;
	size_t open[SERVICE_MAX];
	size_t signed_in;
};

void session_init(struct core *core);
void session_fini(struct core *core);

/* NULL if the id is taken or the front has too many. */
struct session *session_open(
	struct core *core, struct front *front, const struct ipc_session_open *message);
void session_free(struct core *core, struct session **psession);
struct session *session_find(struct core *core, uint64_t id);

/* Leaves ASKING or OPEN for SIGNED_IN. The caller sets block. */
struct session_account {
	uint64_t account;
	uint64_t device;
	struct slice address;
	struct slice route;
	struct slice client_name;
	struct slice tls;
};
void session_sign_in(
	struct core *core, struct session *session, const struct session_account *account);
/* Back to OPEN: the sign-in failed, or its mailbox did not open. */
void session_sign_out(struct core *core, struct session *session);

/* Asks the front to close it; once. ban_ms: for CLOSE_BANNED. */
void session_close(
	struct core *core, struct session *session, enum close_reason reason, int64_t ban_ms);
/* Those of a source that a ban ends: all but the asking one, those whose sign-in still waits for a
 * place (they get their answer) and, on port 25, those that are not signed in: other people's mail
 * passes. */
void session_close_banned(
	struct core *core, struct source *source, uint64_t asking, int64_t ban_ms);

const char *session_state_name(enum session_state state);

#endif
