/* SPDX-License-Identifier: ISC */
/*
 * Core as the model knows it: what it is told is checked and counted, what it is asked is answered
 * when the test says so. Who may what follows from the words:
 *
 *	secret "rightful", "wrong", "busy", "later"	VERDICT_OK, DENY, BUSY, TEMPORARY
 *	sender "blocked@", "later@"			PERMIT_BLOCKED, TEMPORARY; others YES
 *	recipient "...@foreign.test", signed out	PERMIT_NO; "later@": TEMPORARY; others YES
 *	recipient "...@b.test"				next hop "b", others "a"
 *
 * Each yes to a MAIL of somebody signed in is a lease, which core takes back now and then, before
 * its answer to a RCPT or behind it.
 *
 * For each recipient of somebody signed in a place is reserved, as core does it, and it is held
 * against the rules of ipc/messages.def how that comes to its end.
 */
#ifndef GP_TEST_CORE_H
#define GP_TEST_CORE_H

#include "front/front.h"

enum {
	PLACES_MAX = 4096, /* of one transaction */
	SENDER_MAX = 320,
};

struct core_link {
	struct front *front;
	bool is_open; /* a session is */
	bool is_signed_in;
	struct ipc_message answer;
	bool has_answer;
	bool has_lease;  /* one was given, and no question was asked since */
	bool is_leasing; /* the transaction began by it, and its first RCPT must follow */
	bool has_mail;   /* of this transaction */
	bool wants_body; /* the same */
	unsigned asked;  /* recipients */
	char sender[SENDER_MAX + 1]; /* of the lease */
	unsigned messages;           /* counted as core counts them */
	unsigned recipients;
	unsigned refused;
	/* Of the transaction: PERMIT_YES was said so often, and RCPT_DONE came for whom. */
	unsigned places;
	bool is_told[PLACES_MAX];
	unsigned told_delivered;
	unsigned metered; /* recipients, as the limits count them */
	const char *fault;
};

/* Answers what was asked. */
void core_answer(struct core_link *core);

#endif
