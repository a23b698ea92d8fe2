/* SPDX-License-Identifier: ISC */
/*
 * Private to smtp_server.c and smtp_command.c: what the SMTP server engine remembers, its states,
 * and how it speaks. The state diagram stands in smtp_server.c.
 */
#ifndef GP_PROTO_SMTP_SESSION_H
#define GP_PROTO_SMTP_SESSION_H

#include "proto/line.h"
#include "proto/reply_queue.h"
#include "proto/sasl.h"
#include "proto/smtp_body.h"
#include "proto/smtp_server.h"

#define SMTP_STATE_LIST(X) \
	X(GREETED)         \
	X(READY)           \
	X(SASL)            \
	X(SIGNIN)          \
	X(STARTTLS)        \
	X(MAIL)            \
	X(DATA)            \
	X(BODY)            \
	X(END)             \
	X(CLOSING)         \
	X(CLOSED)

enum smtp_state {
#define STATE_ENUM(name) STATE_##name,
	SMTP_STATE_LIST(STATE_ENUM)
#undef STATE_ENUM
};

enum {
	DETAIL_SIZE = 64,
};

struct smtp_server {
	const struct smtp_server_conf *conf;
	enum smtp_state state;
	bool is_paused;
	bool is_first_line;
	bool is_tls;
	bool is_signed_in;
	bool is_esmtp;
	bool has_utf8;          /* this transaction's MAIL had SMTPUTF8 */
	bool is_stranger_noted; /* core knows that somebody wants to send without signing in */
	bool is_mail_refused;   /* the last MAIL was: what was pipelined behind it is no mistake */
	bool is_data_early;     /* this transaction's DATA need not wait for what is owed */
	bool is_trailed;        /* bytes wait behind the line being handled */
	bool has_sasl;
	struct sasl sasl;
	struct reply_queue replies;
	struct line line;
	struct smtp_body body;
	struct buf params;
	unsigned caps;
	uint64_t hop_size;
	uint64_t sender_size; /* largest message of this transaction; 0: no limit of its own */
	uint32_t transaction;
	unsigned recipients;      /* accepted */
	unsigned recipients_owed; /* passed on, without a reply */
	unsigned commands;        /* since the start or the last accepted message */
	unsigned attempts;
	unsigned errors; /* as commands */
	enum reason note;
	char note_detail[DETAIL_SIZE];
	char client_name[ENGINE_CLIENT_NAME_SIZE];
};

/* The only place that changes the state. */
void smtp_enter(struct smtp_server *server, enum smtp_state state);

/* One line of ours in reply to the newest command; CRLF is added. */
void smtp_say(struct smtp_server *server, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same for what counts towards SMTP_SERVER_ERRORS_MAX. */
void smtp_say_mistake(
	struct smtp_server *server, unsigned code, const char *enhanced, const char *text);
/* One of the texts of proto/reply.h; ban: only for REPLY_BANNED, else NULL. */
struct smtp_ban {
	unsigned minutes;
	uint64_t reference;
};
void smtp_say_situation(
	struct smtp_server *server, enum reply_situation situation, const struct smtp_ban *ban);
/* Tells core, once this command is handled. */
void smtp_note(struct smtp_server *server, enum reason reason, struct slice detail);
/* 421, a note, and the end. */
void smtp_over_limit(struct smtp_server *server, const char *text);

/* The shell owes the reply to this command from now on; the engine pauses. */
void smtp_ask(
	struct smtp_server *server, enum engine_action_type type, struct engine_action *action);
void smtp_end_transaction(struct smtp_server *server);
/* Wipes name and secret. */
void smtp_drop_sasl(struct smtp_server *server);

bool smtp_may_sign_in(const struct smtp_server *server); /* TLS is on, or not needed */
bool smtp_is_auth_refused(const struct smtp_server *server);
bool smtp_may_mail(const struct smtp_server *server); /* MAIL goes on to core */
/* Greatest message that we and the next hop take, bytes; 0: no limit. */
uint64_t smtp_size_limit(const struct smtp_server *server);
bool smtp_is_too_big(const struct smtp_server *server, uint64_t size);

#endif
