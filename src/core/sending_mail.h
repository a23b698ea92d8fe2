/* SPDX-License-Identifier: ISC */
/*
 * What one signed-in session sends, from MAIL to the end of the transaction:
 *
 *	        MAIL, all is loaded         MESSAGE_DONE, MAIL, end
 *	  IDLE ----------------------> OPEN -------------------------> IDLE
 *	    |                           ^   RCPT reserves, RCPT_DONE says of one
 *	    `--> WAITING --------------'
 *	             loading
 *
 * What was reserved is committed for each recipient that the next hop has taken, and given back for
 * every other, exactly once, whatever becomes of the session.
 *
 * A MAIL that was permitted is a lease as well (MAIL_REPLY): the front says yes to the next ones
 * of that sender by itself, and core hears of each with its first RCPT, judges it as any other,
 * and says no to that RCPT if it must. Whatever the answer to MAIL comes from takes the leases
 * back when it changes (sending_mail_end_leases()): block, names, domains, plans, a desk vault
 * whose changes may be unheard. Limits, pace and judgement are RCPT's and no part of it.
 *
 * A transaction that was under way when core was restarted is not known here: its further RCPTs are
 * answered as our own fault, and what the next hop takes of it all the same is added to what was
 * spent when MESSAGE_DONE tells of it, whatever the limit; nothing else of it counts.
 */
#ifndef GP_CORE_SENDING_MAIL_H
#define GP_CORE_SENDING_MAIL_H

#include "core/session.h"

struct sending_session;

enum {
	/* Recipients of one transaction, those that the next hop refused included: 768 KiB. */
	SENDING_MAIL_TRIES_MAX = 65536
};

/* Each answers the front, now or later. */
void sending_mail_on_mail(struct core *core, struct session *session, const struct ipc_mail *mail);
void sending_mail_on_rcpt(struct core *core, struct session *session, struct slice recipient);
/* Takes back what this account's sessions (0: all) were told of MAIL. */
void sending_mail_end_leases(struct core *core, uint64_t account);
void sending_mail_on_from(struct core *core, struct session *session, struct slice addresses);
void sending_mail_on_end(struct core *core, struct session *session, enum filter filter);
/* A MAIL waits for its answer. */
bool sending_mail_is_waiting(const struct session *session);

void sending_mail_on_rcpt_done(
	struct core *core, struct session *session, const struct ipc_rcpt_done *done);
void sending_mail_on_done(
	struct core *core, struct session *session, const struct ipc_message_done *done);
/* The session signs out or ends. */
void sending_mail_end(struct core *core, struct session *session);
/* It was signed in before core was restarted: what it will need is loaded. */
void sending_mail_on_resume(struct core *core, struct session *session);

#endif
