/* SPDX-License-Identifier: ISC */
/*
 * SMTP and submission server engine: RFC 5321, 6409, 4954 (AUTH), 3207 (STARTTLS), 2920
 * (PIPELINING), 1870 (SIZE), 6152 (8BITMIME), 6531 (SMTPUTF8), 3461 (DSN), 2034. See
 * proto/engine.h for how it is driven.
 *
 * It owns the dialogue and the order of replies; it decides nothing about people. MAIL, RCPT, DATA,
 * VRFY and the end of the message become actions that pause the engine. For each the shell does one
 * of three things:
 *	smtp_server_answer()   the reply is known, and no earlier one is owed
 *	smtp_server_proceed()  the reply will follow by a later smtp_server_answer(), in order:
 *		parse on. This is how pipelined commands reach the next hop pipelined.
 *	smtp_server_refuse()   the reply is known, though earlier ones are still owed (core says
 *		no to the third RCPT while the next hop ponders the first): it goes out in its turn
 * At most SMTP_SERVER_PENDING replies are owed at a time. Only MAIL, RCPT and RSET overtake replies
 * that are owed, and DATA those of its own transaction where smtp_server_pipeline_data() was said;
 * all other commands wait until none is. If such a transaction has no recipient left when the reply
 * to DATA comes, the client hears what it would have heard behind the last refusal, 503 or 554,
 * whatever that reply is; smtp_server_recipients() is 0 then, and there will be no message.
 *
 * A message is passed on as it came, byte for byte, dots doubled; the engine checks that only CRLF
 * ends its lines and that no NUL is in it (what is acknowledged, counted and delivered is the
 * same), and finds the one CRLF.CRLF that ends it. The ENGINE_BODY slices together are the message
 * up to and with its last CRLF, or nothing if it is empty; the line with the dot is in none of
 * them, it is smtp_client_body_end() that sends it on.
 */
#ifndef GP_PROTO_SMTP_SERVER_H
#define GP_PROTO_SMTP_SERVER_H

#include "base/buf.h"
#include "proto/engine.h"
#include "proto/reply.h"

struct smtp_server;

enum {
	SMTP_SERVER_PENDING = 64,    /* replies owed */
	SMTP_SERVER_LINE_MAX = 2048, /* of a command that is not AUTH (512 + extensions) */
	SMTP_SERVER_ERRORS_MAX = 20, /* unknown or misplaced commands; then 421 and close */
	SMTP_SERVER_PATH_MAX = 320,
};

/* What the next hop can do; EHLO offers the part that we can too. Bits. */
enum smtp_caps {
	SMTP_CAP_PIPELINING = 1,
	SMTP_CAP_SIZE = 2,
	SMTP_CAP_8BITMIME = 4,
	SMTP_CAP_SMTPUTF8 = 8,
	SMTP_CAP_DSN = 16,
	SMTP_CAP_ENHANCEDSTATUSCODES = 32,
	SMTP_CAP_STARTTLS = 64,
	SMTP_CAP_XCLIENT = 128,
	SMTP_CAP_AUTH_PLAIN = 256,
};

struct smtp_server_conf {
	struct engine_server_conf common;
	uint64_t message_size; /* bytes; announced and enforced */
	unsigned message_recipients;
	unsigned signin_required_code;
	bool may_relay; /* listed network: MAIL without sign-in goes on to core */
};

/* conf is borrowed as long as the engine lives. The greeting stands in the output at once. */
struct smtp_server *smtp_server_new(const struct smtp_server_conf *conf);
void smtp_server_free(struct smtp_server **pserver);

size_t smtp_server_input(
	struct smtp_server *server, struct slice bytes, struct engine_action *ret_action);
struct buf *smtp_server_output(struct smtp_server *server); /* the shell consumes it */

/* Before the first EHLO and whenever known better; size: the next hop's SIZE, 0 for none. */
void smtp_server_set_caps(struct smtp_server *server, unsigned caps, uint64_t size);

/* The largest message of this transaction, after its MAIL was permitted; 0: as the others. */
void smtp_server_limit_size(struct smtp_server *server, uint64_t size);

/* Does the next hop of this transaction take DATA before it has answered RCPT (RFC 2920)? Said
 * after MAIL was permitted; else no. */
void smtp_server_pipeline_data(struct smtp_server *server, bool is_so);

void smtp_server_tls_started(
	struct smtp_server *server); /* RFC 3207 section 4.2: back to the start */
void smtp_server_answer_signin(struct smtp_server *server, const struct engine_answer *answer);

/* The reply to the oldest action (MAIL, RCPT, DATA, BODY_END, VRFY) that has none. 354 to DATA
 * opens the message; 421 to anything ends the dialogue as smtp_server_abort() does. */
void smtp_server_answer(struct smtp_server *server, const struct smtp_reply *reply);
/* The reply to the action that pauses the engine now, in its turn: see above. The same as
 * smtp_server_answer() if none is owed before it. */
void smtp_server_refuse(struct smtp_server *server, const struct smtp_reply *reply);
void smtp_server_proceed(struct smtp_server *server);
unsigned smtp_server_owed(const struct smtp_server *server); /* actions that have no reply yet */
/* Sends this reply out of turn and ends the dialogue (421 at shutdown, ban, lost next hop). */
void smtp_server_abort(struct smtp_server *server, const struct smtp_reply *reply);

/* Facts for the shell. */
bool smtp_server_is_signed_in(const struct smtp_server *server);
bool smtp_server_is_esmtp(const struct smtp_server *server);           /* EHLO, not HELO */
const char *smtp_server_client_name(const struct smtp_server *server); /* EHLO argument, escaped */
unsigned smtp_server_recipients(
	const struct smtp_server *server); /* accepted in this transaction */
/* Bytes of the message so far, without the doubled dots. */
uint64_t smtp_server_message_size(const struct smtp_server *server);
const char *smtp_server_state(const struct smtp_server *server); /* "READY": for traces and tests */

#endif
