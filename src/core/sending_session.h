/* SPDX-License-Identifier: ISC */
/* What sending_mail.c and sending_transaction.c share: one session's state. */
#ifndef GP_CORE_SENDING_SESSION_H
#define GP_CORE_SENDING_SESSION_H

#include "core/core.h"
#include "core/sending_account.h"
#include "core/sending_tell.h"

struct sent_try {
	uint32_t recipient; /* profile_tag() */
	bool is_stranger;
	bool is_ended; /* it was delivered, or given back */
};

struct sending_session {
	struct core *core;
	struct session *session;
	struct sending_waiter waiter;
	bool is_waiting; /* a MAIL has no answer yet */
	bool is_open;
	bool has_lease; /* the front may answer MAIL by itself, as the last question was answered */
	enum permit permit; /* the answer to the last MAIL */
	/* Of that MAIL: held while it waits or is open. */
	char *sender;
	uint64_t size;
	bool is_leased;  /* nobody waits for its answer */
	char *recipient; /* who waits for it instead; NULL: nobody */
	struct sending_unit *units[SENDING_SCOPES];
	bool is_metered[SENDING_SCOPES]; /* since MAIL: the configuration may change meanwhile */
	struct profile_try try;
	struct sent_try *tries;
	size_t count, room;
	size_t live;      /* of them, not ended */
	bool has_message; /* one is reserved */
	bool is_spam;     /* the next hop said so, and it was noted */
	struct sent_sum delivered, refused;
	struct sent_sum vain[SENT_MAX]; /* what the session tried in vain */
};

struct sending_account *sending_session_account(const struct sending_session *self);
/* What is counted of its source; NULL: nobody knows where it is. */
struct sending_part *sending_session_part(const struct sending_session *self);
/* Profile and meters, with the plans of now. */
struct sending_sender sending_session_sender(const struct sending_session *self);
/* Holds what the account, its domain and its source are measured by. false: there is no room for
 * more now. */
bool sending_session_hold(struct sending_session *self);
struct slice sending_session_domain(const struct session *session);
bool sending_session_is_blocked(const struct sending_session *self);
/* Everything that is still reserved is given back, the transaction is over. */
void sending_session_abandon(struct sending_session *self);
/* It is over, with nothing reserved. */
void sending_session_close(struct sending_session *self);

#endif
