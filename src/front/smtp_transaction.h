/* SPDX-License-Identifier: ISC */
/*
 * A session's mail on its way to the next hop, one transaction after the other. It never owns a
 * message: the client's 250 is the next hop's, passed on.
 *
 * - NONE, mail of somebody signed in -> OPEN: MAIL is with the next hop.
 * - NONE, mail of somebody else -> HELD: we said 250; the first recipient's domain decides.
 * - HELD, rcpt -> OPEN: MAIL and RCPT go together.
 * - OPEN, 354 -> BODY, body_end -> ENDED, the next hop's word -> NONE.
 * - OPEN, next hop lost -> LOST: 451 to all that follows.
 * - BODY, next hop lost, or the message refused -> BODY_LOST, body_end -> NONE, with 451
 *   or what it was refused with.
 * - Any, reset or mail -> NONE.
 *
 * Every call of the first group answers the action that pauses the engine: at once, by "proceed,
 * the answer follows", or later; on_progress() says that the engine can go on.
 *
 * smtp_transfer.c has the message itself, smtp_books.h what core is told.
 */
#ifndef GP_FRONT_SMTP_TRANSACTION_H
#define GP_FRONT_SMTP_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "front/session.h"
#include "front/smtp_books.h"
#include "front/smtp_filter.h"
#include "front/smtp_hop.h"
#include "proto/message_scan.h"
#include "proto/smtp_server.h"

enum smtp_stage {
	SMTP_STAGE_NONE,
	SMTP_STAGE_HELD,
	SMTP_STAGE_OPEN,
	SMTP_STAGE_BODY,
	SMTP_STAGE_ENDED,
	SMTP_STAGE_LOST,
	SMTP_STAGE_BODY_LOST,
};

/* What the engine is paused for. */
enum smtp_wait {
	SMTP_WAIT_NONE,
	SMTP_WAIT_OWED, /* replies of a next hop that is not the one for this transaction */
	SMTP_WAIT_HOP,  /* a connection */
	SMTP_WAIT_MAIL, /* the reply to MAIL on a connection that may be dead */
	SMTP_WAIT_DATA,
	SMTP_WAIT_FROM,   /* core's word on the From: field, before the end may be sent */
	SMTP_WAIT_FILTER, /* the spam filter's verdict, and core's word on it, likewise */
	SMTP_WAIT_END,
	SMTP_WAIT_VRFY,
};

struct smtp_transaction {
	struct session *session;
	struct smtp_server *server; /* borrowed: gets the answers */
	void (*on_progress)(struct session *session);
	enum smtp_stage stage;
	enum smtp_wait wait;
	struct smtp_hop *hop; /* NULL: none */
	char *next_backend;   /* SMTP_WAIT_OWED: whose turn it then is */
	bool is_hop_dirty;    /* it is in a transaction that RSET must end */
	bool is_held_mail;    /* MAIL was answered by us: the next hop's answer is kept */
	bool has_retried;     /* a dead connection was replaced once for this MAIL */
	bool owes_received;   /* the trace line, before the first byte of the body */
	unsigned owed;        /* actions passed on with smtp_server_proceed() */
	char *sender;
	char *sender_params;
	char *recipient; /* the last one */
	char *recipient_params;
	unsigned recipients;             /* passed on */
	struct smtp_reply *mail_refusal; /* the next hop's no to a held MAIL */
	struct smtp_books books;
	/* The message. */
	bool wants_body;            /* core its fingerprint, for one of the recipients */
	struct message_scan *scan;  /* of somebody signed in; NULL outside of it */
	struct smtp_filter *filter; /* from MAIL on; NULL: it is shown to nobody */
	char *from;                 /* whom its From: field names; NULL: core was not asked */
	bool is_from_settled;       /* nobody need be asked any more */
	struct smtp_reply *refusal; /* SMTP_STAGE_BODY_LOST: what it is answered; NULL: 451 */
	unsigned ended_recipients;  /* of the message whose end was sent */
	uint64_t ended_size;
};

void smtp_transaction_init(struct smtp_transaction *tx, struct session *session,
	struct smtp_server *server, void (*on_progress)(struct session *session));
void smtp_transaction_fini(struct smtp_transaction *tx);

/* backend: the next hop; NULL: not known before the first recipient. */
void smtp_transaction_mail(struct smtp_transaction *tx, struct settings_backend *backend,
	struct slice sender, struct slice params);
void smtp_transaction_rcpt(struct smtp_transaction *tx, struct settings_backend *backend,
	struct slice recipient, struct slice params);
void smtp_transaction_data(struct smtp_transaction *tx);
void smtp_transaction_body_end(struct smtp_transaction *tx);
void smtp_transaction_vrfy(struct smtp_transaction *tx, struct slice argument);
/* Core's answer to the From: field; text: the account's address. */
void smtp_transaction_from(struct smtp_transaction *tx, enum permit permit, struct slice text);
/* Its answer to the verdict. */
void smtp_transaction_end(struct smtp_transaction *tx, enum permit permit, struct slice text);

/* These need no answer. */
void smtp_transaction_body(struct smtp_transaction *tx, struct slice bytes);
void smtp_transaction_reset(struct smtp_transaction *tx);
/* The session signs in: its next hop may be another, and must be told of it. */
void smtp_transaction_leave_hop(struct smtp_transaction *tx);
/* The session closes: a message whose end was not sent is not delivered. One whose end was sent is
 * the next hop's, and its answer is waited for. */
void smtp_transaction_abandon(struct smtp_transaction *tx);

/* Sends what the next hop is to have: MAIL waits for it, so that it can leave together with its
 * RCPT. */
void smtp_transaction_flush(struct smtp_transaction *tx);

/* The transaction before is over, whatever became of it; before core is asked about the next. */
void smtp_transaction_settle(struct smtp_transaction *tx);

bool smtp_transaction_is_lost(const struct smtp_transaction *tx); /* nothing can come of it */
bool smtp_transaction_is_full(const struct smtp_transaction *tx); /* no more body now */
/* Its end was sent and the answer is to come: the session must not end before. */
bool smtp_transaction_is_ended(const struct smtp_transaction *tx);

#endif
