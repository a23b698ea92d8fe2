/* SPDX-License-Identifier: ISC */
/*
 * The books of a session's transactions: which recipients core has reserved a place for, and what
 * it is told of them, so that what is metered is what the next hop has taken. Core reserves with
 * each PERMIT_YES to somebody signed in; for each transaction in which it did, it hears exactly one
 * MESSAGE_DONE, and before that RCPT_DONE for those that fared otherwise than the message.
 *
 *	smtp_books_permit()     core said yes to a recipient; then one of
 *	    smtp_books_pass()   it is with the next hop, whose replies come by smtp_books_answer()
 *	    smtp_books_keep()   it is not passed on
 *	smtp_books_part()       LMTP: what one recipient's reply to the message says
 *	smtp_books_settle()     the transaction is over, in whatever way
 *
 * MESSAGE_DONE is never sent while a question about the transaction is with core: else nobody knew
 * whether a place was reserved before it or behind it. It then follows when the answer is there
 * (smtp_books_on_answer()). In the good case nothing is told but MESSAGE_DONE.
 */
#ifndef GP_FRONT_SMTP_BOOKS_H
#define GP_FRONT_SMTP_BOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "front/session.h"
#include "proto/smtp_server.h"

struct smtp_books {
	struct session *session;
	uint32_t permitted; /* recipients of this transaction that core said yes to */
	bool has_newest;    /* the last of them is neither passed on nor kept */
	bool is_due;        /* settled while a question was open */
	/* A ring of those whose reply to RCPT is to come: their numbers from 0, as core counts. */
	uint32_t owed[SMTP_SERVER_PENDING];
	unsigned first_owed;
	unsigned owed_count;
	/* Accepted by the next hop. Over LMTP they are listed, and what became of each. */
	bool is_lmtp;
	uint32_t first_accepted;
	unsigned accepted_count;
	struct buf accepted; /* uint32_t each */
	struct buf outcomes; /* enum rcpt_outcome each, a byte */
};

/* How a transaction ended. All zero: no message was sent to its end. */
struct smtp_books_end {
	bool is_sent;      /* the next hop had the end of the message */
	bool is_accepted;  /* by all who were left, and the client hears it */
	unsigned accepted; /* recipients it had accepted */
	uint64_t size;
	/* What the next hop said of the message; over LMTP of its last recipient. RCPT_REFUSED
	 * with has_reply unset: nothing, it was lost. */
	bool has_reply;
	enum rcpt_outcome outcome;
	enum filter filter;
	struct slice body;    /* fingerprint, "" for none */
	struct slice subject; /* decoded, "" for none */
};

void smtp_books_init(struct smtp_books *books, struct session *session);
void smtp_books_fini(struct smtp_books *books);

void smtp_books_permit(struct smtp_books *books);
void smtp_books_pass(struct smtp_books *books);
void smtp_books_keep(struct smtp_books *books); /* nothing, unless one was just permitted */
/* The reply to the oldest RCPT without one. */
void smtp_books_answer(struct smtp_books *books, enum rcpt_outcome outcome, bool is_lmtp);
void smtp_books_part(struct smtp_books *books, enum rcpt_outcome outcome);
void smtp_books_settle(struct smtp_books *books, const struct smtp_books_end *end);
/* Core has answered a question; behind smtp_books_permit(). */
void smtp_books_on_answer(struct smtp_books *books);
/* The connection to the next hop is closed or given away: no reply will come. */
void smtp_books_forget_owed(struct smtp_books *books);
/* Core is gone, and with it what it had reserved. */
void smtp_books_on_core_gone(struct smtp_books *books);

#endif
