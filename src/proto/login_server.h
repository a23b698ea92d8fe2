/* SPDX-License-Identifier: ISC */
/*
 * What the IMAP and POP3 server engines have in common, embedded in each: lines, limits, the
 * question to core and the actions that wait for the shell. Internal to proto.
 */
#ifndef GP_PROTO_LOGIN_SERVER_H
#define GP_PROTO_LOGIN_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "proto/engine.h"
#include "proto/reply.h"
#include "proto/sasl.h"

enum {
	LOGIN_OUTPUT_MAX = 16 * 1024,
	LOGIN_OUTPUT_HIGH = LOGIN_OUTPUT_MAX / 2, /* above it no input is used */
};

struct login_server {
	const struct engine_server_conf *conf;
	struct buf output;
	struct buf command; /* what of the current command is there; secret */
	bool is_first_line; /* nothing but a stranger's protocol is told by it */
	bool is_tls;        /* up now */
	unsigned commands;  /* seen */
	unsigned attempts;  /* sign-ins asked */
	struct buf login;   /* what is asked */
	struct buf secret;  /* wiped at the answer */
	struct sasl sasl;   /* valid while has_sasl */
	bool has_sasl;
	bool has_note;                             /* the next action */
	bool has_question;                         /* the one after it */
	bool wants_tls;                            /* likewise */
	bool wants_close;                          /* the last one */
	enum reason reason;                        /* of the note */
	enum mechanism mechanism;                  /* of the question */
	char detail[ENGINE_CLIENT_NAME_SIZE];      /* of the note, escaped */
	char client_name[ENGINE_CLIENT_NAME_SIZE]; /* escaped */
};

void login_server_init(
	struct login_server *server, const struct engine_server_conf *conf, size_t command_max);
void login_server_fini(struct login_server *server);

/* May this connection sign in at all, and is STARTTLS open to it? */
bool login_server_may_signin(const struct login_server *server);
bool login_server_may_starttls(const struct login_server *server);

enum login_line {
	LOGIN_LINE_MORE,
	LOGIN_LINE_DONE, /* command ends in CRLF */
	LOGIN_LINE_LONG, /* max bytes and no CRLF */
};

/* Moves bytes from the front of *rest to the command, up to and with CRLF; the command then has at
 * most max bytes. */
enum login_line login_server_read_line(struct login_server *server, struct slice *rest, size_t max);

/* At the first bytes, and the first line (without CRLF), of a connection: if it is TLS or HTTP,
 * leaves the note and the close that follow from it and returns true. */
bool login_server_is_tls_hello(struct login_server *server, struct slice bytes);
bool login_server_is_http(struct login_server *server, struct slice line);

/* Say something. The output has room, as no input is used above LOGIN_OUTPUT_HIGH. */
void login_server_say(struct login_server *server, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void login_server_reply(
	struct login_server *server, enum reply_situation situation, struct slice tag);

/* Last words, cleaned, and the close; a question that waits is withdrawn. */
void login_server_abort(struct login_server *server, const char *mark, const char *text);

/* Actions to come. Only one note is kept: the first. */
void login_server_note(struct login_server *server, enum reason reason, struct slice detail);
void login_server_ask(struct login_server *server, enum mechanism mechanism, struct slice login,
	struct slice secret);
void login_server_starttls(struct login_server *server);
void login_server_close(struct login_server *server);
/* Gives the next action that waits: note, question or STARTTLS, close. false: none does. */
bool login_server_next_action(struct login_server *server, struct engine_action *ret_action);

/* Sign-in by SASL: ends with a question, or drops what was read of it. */
void login_server_ask_sasl(struct login_server *server);
void login_server_drop_sasl(struct login_server *server);

/* The answer is there: wipes what was asked. */
void login_server_forget(struct login_server *server);
/* Says what this answer, other than VERDICT_OK, means; true: the connection goes on. */
bool login_server_refuse(
	struct login_server *server, const struct engine_answer *answer, struct slice tag);

#endif
