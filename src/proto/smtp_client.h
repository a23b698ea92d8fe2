/* SPDX-License-Identifier: ISC */
/*
 * SMTP (RFC 5321) and LMTP (RFC 2033) client engine towards the next hop: greeting, EHLO/LHLO,
 * STARTTLS, AUTH PLAIN of Gatepost itself, XCLIENT; then commands, pipelined where the next hop
 * offers it, and their replies in order. Hostile by assumption: replies are bounded, cleaned and
 * parsed strictly.
 *
 * LMTP answers the end of a message once for each accepted recipient; the engine folds these into
 * one: all accepted, or the gravest refusal, naming the recipients that were not served, so that no
 * loss is silent. What each was answered is told as it comes (SMTP_COMMAND_PART).
 */
#ifndef GP_PROTO_SMTP_CLIENT_H
#define GP_PROTO_SMTP_CLIENT_H

#include "base/buf.h"
#include "proto/engine.h"
#include "proto/reply.h"
#include "proto/smtp_outcome.h"
#include "proto/smtp_server.h"

struct smtp_client;

enum {
	SMTP_CLIENT_REPLY_MAX = 16 * 1024 /* bytes of one reply */
};

/* Told to a next hop that offers XCLIENT and trusts us. Strings are borrowed; NULL: [UNAVAILABLE].
 */
struct smtp_client_identity {
	const char *address; /* client's, numeric */
	uint16_t port;
	const char *login; /* account signed in; NULL: none */
	const char *helo;
	const char *proto; /* "ESMTP" or "SMTP" */
};

struct smtp_client_conf {
	bool is_lmtp;
	const char *helo_name;
	bool want_starttls;    /* required if set: no STARTTLS offered is a fault */
	const char *auth_user; /* NULL: no AUTH */
	struct slice auth_password;
	const struct smtp_client_identity *identity; /* NULL: no XCLIENT */
};

/* What conf points to is copied as far as it is needed after return. */
struct smtp_client *smtp_client_new(const struct smtp_client_conf *conf);
void smtp_client_free(struct smtp_client **pclient);

enum smtp_command {
	SMTP_COMMAND_NONE,
	SMTP_COMMAND_MAIL,
	SMTP_COMMAND_RCPT,
	SMTP_COMMAND_DATA,
	SMTP_COMMAND_BODY, /* the reply to the end of the message */
	SMTP_COMMAND_RSET,
	SMTP_COMMAND_VRFY,
	SMTP_COMMAND_NOOP,
	SMTP_COMMAND_QUIT,
	SMTP_COMMAND_PART, /* LMTP: the reply to the end of the message for one recipient, in the
			      order of those accepted; the last one's comes as SMTP_COMMAND_BODY */
};

struct smtp_client_event {
	enum engine_event_type type;
	enum smtp_command command;      /* ENGINE_EVENT_REPLY: which command it answers */
	const struct smtp_reply *reply; /* borrowed until the next input; NULL if there was none */
	/* RCPT, PART, BODY: what it says of the one recipient; BODY over SMTP: of the message */
	enum rcpt_outcome outcome;
};

size_t smtp_client_input(
	struct smtp_client *client, struct slice bytes, struct smtp_client_event *ret_event);
struct buf *smtp_client_output(struct smtp_client *client);
void smtp_client_tls_started(struct smtp_client *client);
/* The connection ended: gives the event that follows from it (FAILED while anything is owed). */
void smtp_client_closed(struct smtp_client *client, struct smtp_client_event *ret_event);

/* After READY. */
unsigned smtp_client_caps(const struct smtp_client *client); /* enum smtp_caps */
uint64_t smtp_client_size(const struct smtp_client *client); /* SIZE offered, 0: none */
/* XCLIENT was accepted with the client's address. */
bool smtp_client_took_identity(const struct smtp_client *client);
unsigned smtp_client_owed(const struct smtp_client *client); /* commands without a reply yet */

/*
 * Commands, from READY on; the engine holds back what may not be pipelined. Parameters the next hop
 * does not offer are left out (SIZE, BODY, RET, ENVID, NOTIFY, ORCPT); without SMTPUTF8, which
 * cannot be left out: GP_ERR_UNSUPPORTED. GP_ERR_LIMIT: output is full, or too many replies are
 * owed. GP_ERR_AGAIN: not READY yet, or between DATA and the end of the message. GP_ERR_CLOSED:
 * after FAILED or REFUSED. GP_ERR_SYNTAX: bytes that cannot stand in a command. Nothing was sent
 * then.
 */
enum gp_err smtp_client_mail(
	struct smtp_client *client, struct slice sender, struct slice params) GP_CHECKED;
enum gp_err smtp_client_rcpt(
	struct smtp_client *client, struct slice recipient, struct slice params) GP_CHECKED;
enum gp_err smtp_client_data(struct smtp_client *client) GP_CHECKED;
/* After 354: wire bytes (dots doubled), in all nothing or ending in CRLF, as the server engine
 * gives them; the shell may send them straight to the connection once smtp_client_output() is
 * empty. The end is the line with the dot; GP_ERR_AGAIN: there was no 354. */
enum gp_err smtp_client_body(struct smtp_client *client, struct slice bytes) GP_CHECKED;
enum gp_err smtp_client_body_end(struct smtp_client *client) GP_CHECKED;
enum gp_err smtp_client_rset(struct smtp_client *client) GP_CHECKED;
enum gp_err smtp_client_vrfy(struct smtp_client *client, struct slice argument) GP_CHECKED;
enum gp_err smtp_client_noop(struct smtp_client *client) GP_CHECKED;
enum gp_err smtp_client_quit(struct smtp_client *client) GP_CHECKED;

#endif
