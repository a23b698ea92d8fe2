/* SPDX-License-Identifier: ISC */
/*
 * The common face of the IMAP and POP3 engines, which end at sign-in: front has one shell for both
 * (front/front_mailbox.c), and a protocol is a value of these two structs. See proto/engine.h for
 * how an engine is driven. Each engine's own rules stand in its header.
 */
#ifndef GP_PROTO_LOGIN_H
#define GP_PROTO_LOGIN_H

#include "base/buf.h"
#include "proto/engine.h"
#include "proto/reply.h"

/* Towards the mail program. The engine itself is behind void *. */
struct login_server_ops {
	void *(*create)(const struct engine_server_conf *conf); /* greeting in the output */
	void (*destroy)(void *engine);
	size_t (*input)(void *engine, struct slice bytes, struct engine_action *ret_action);
	struct buf *(*output)(void *engine);
	void (*tls_started)(void *engine);
	/* After VERDICT_OK the engine is done: what input is left belongs to the backend. */
	void (*answer_signin)(void *engine, const struct engine_answer *answer);
	/* Last words of the protocol with this text ("* BYE", "-ERR"), then ENGINE_CLOSE. */
	void (*abort)(void *engine, const char *text);
	const char *(*client_name)(
		void *engine); /* IMAP ID name and version, escaped; "" if unknown */
};

enum login_credential {
	LOGIN_TOKEN,       /* OAUTHBEARER (RFC 7628), else XOAUTH2, with .secret as bearer token */
	LOGIN_MASTER,      /* SASL PLAIN: authzid = address, authcid = .user, .secret */
	LOGIN_PASSTHROUGH, /* SASL PLAIN or LOGIN/USER: the person's own name and secret */
};

/* What is borrowed lives until create() returns; secrets are wiped when they have been sent. */
struct login_client_conf {
	enum login_credential credential;
	struct slice address; /* the mailbox */
	struct slice user;    /* LOGIN_MASTER */
	struct slice secret;
	bool want_starttls; /* a fault if it is not offered */
	bool tell_client;   /* IMAP ID x-originating-ip..., POP3 XCLIENT, where offered */
	struct slice client_address;
	uint16_t client_port;
	struct slice local_address;
	uint16_t local_port;
	struct slice session; /* hexadecimal id, x-session-id */
};

struct login_client_event {
	enum engine_event_type type;
	struct slice capabilities; /* READY, IMAP: cleaned of STARTTLS, AUTH=, LOGINDISABLED,
				      SASL-IR, UNAUTHENTICATE */
	struct slice text;         /* READY, REFUSED, FAILED: the backend's words, "" if none */
	bool needs_filter; /* READY, IMAP: it offers UNAUTHENTICATE: relay through imap_filter */
};

/* Towards the backend. Input that is left after READY belongs to the mail program. */
struct login_client_ops {
	void *(*create)(const struct login_client_conf *conf);
	void (*destroy)(void *engine);
	size_t (*input)(void *engine, struct slice bytes, struct login_client_event *ret_event);
	struct buf *(*output)(void *engine);
	void (*tls_started)(void *engine);
};

#endif
