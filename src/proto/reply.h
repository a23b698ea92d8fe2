/* SPDX-License-Identifier: ISC */
/*
 * Every text that a mail program is told, in one place, for all three protocols. The first line of
 * each is a promise to operators and help desks and changes only with doc/replies.md, which lists
 * them.
 *
 * Before sign-in only "wrong name or password", "temporarily unavailable" and "this address is
 * blocked" exist: each the same bytes whatever the hidden reason, but for the reference at their
 * end, which is the session's or the ban's and says nothing else.
 */
#ifndef GP_PROTO_REPLY_H
#define GP_PROTO_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "base/terms.h"

enum {
	REPLY_LINE_MAX = 510, /* of one line passed on, without CRLF (RFC 5321 section 4.5.3.1.5) */
	REPLY_LINES_MAX = 20, /* of one reply passed on; the rest is dropped */
};

enum reply_situation {
	REPLY_DENIED,           /* 535 5.7.8 | NO [AUTHENTICATIONFAILED] | -ERR [AUTH] */
	REPLY_NO_TLS,           /* 538 5.7.11 | NO [PRIVACYREQUIRED] | -ERR [AUTH] */
	REPLY_MECHANISM,        /* 504 5.5.4 | NO [CANNOT] | -ERR [AUTH] */
	REPLY_SIGNIN_REQUIRED,  /* 550 5.7.1, SMTP only */
	REPLY_BANNED,           /* 421 4.7.0 | * BYE | -ERR [AUTH]; then close */
	REPLY_BUSY,             /* 454 4.7.0 | NO [UNAVAILABLE] | -ERR [SYS/TEMP] */
	REPLY_TEMPORARY_SIGNIN, /* the same code and bytes as REPLY_BUSY, so that none tells them
				   apart */
	REPLY_TEMPORARY,        /* 451 4.3.0, SMTP after sign-in */
	REPLY_BLOCKED,          /* 554 5.7.1 Account ... to the letter; a second line follows */
	REPLY_BARE_LINE_END,    /* 550 5.6.0; then close */
	/* By the sending policy; SMTP only, and without a reference. */
	REPLY_NOT_OWN,         /* 553 5.7.1: the sender is not an address of the account */
	REPLY_FROM_NOT_OWN,    /* 553 5.7.1: one of several in the From: field is not */
	REPLY_FROM_UNREADABLE, /* 553 5.7.1: there is no telling whom it names */
	REPLY_LIMIT,           /* 450 4.7.1: a sending limit is reached */
	REPLY_SLOW,            /* 450 4.7.1: not so fast */
	REPLY_ASKED,           /* 450 4.7.1: until the owner has answered */
	REPLY_SIZE,            /* 552 5.3.4: larger than the account may send */
	REPLY_SITUATION_MAX
};

struct reply_facts {
	const char *portal_url;
	struct slice client_address; /* REPLY_BANNED */
	unsigned ban_minutes;
	unsigned ban_failures;
	struct slice account;          /* REPLY_BLOCKED, REPLY_NOT_OWN and the like, REPLY_ASKED */
	struct slice sender;           /* REPLY_NOT_OWN */
	struct slice words;            /* REPLY_LIMIT: which, and when it is free again */
	unsigned signin_required_code; /* 0: 550 */
	struct slice tag;              /* IMAP: the command's tag; "" for an untagged line */
	uint64_t reference;            /* base/reference.h; 0: none is told */
};

/* Appends the complete line with CRLF; for REPLY_BANNED in IMAP always the untagged BYE. false: no
 * room. */
bool reply_append(struct buf *out, enum protocol protocol, enum reply_situation situation,
	const struct reply_facts *facts);

/* An SMTP reply: one of ours, or the next hop's parsed and cleaned. */
struct smtp_reply {
	unsigned code;     /* 200..599 */
	char enhanced[12]; /* "5.7.1", "" if there is none (RFC 2034) */
	char text[REPLY_LINES_MAX *
		  (REPLY_LINE_MAX + 1)]; /* lines separated by \n; printable, without codes */
};

/* What does not fit is cut. */
void smtp_reply_set(
	struct smtp_reply *reply, unsigned code, const char *enhanced, const char *text);
/* One of the texts above, for smtp_server_answer() and smtp_server_abort(). */
void smtp_reply_set_situation(
	struct smtp_reply *reply, enum reply_situation situation, const struct reply_facts *facts);
/* Appends it as "250-...\r\n250 ...\r\n", each line cut to REPLY_LINE_MAX; all of it, or (no room)
 * nothing and false. */
bool smtp_reply_append(struct buf *out, const struct smtp_reply *reply);
/* Printable UTF-8 only: control bytes and malformed UTF-8 become "?"; cut to REPLY_LINE_MAX. For
 * texts of a backend that are passed on. Appends. */
bool reply_append_clean(struct buf *out, struct slice text);

#endif
