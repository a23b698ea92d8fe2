/* SPDX-License-Identifier: ISC */
/*
 * Signs a person in at an IMAP or POP3 server with the credential that core released, and hands
 * the signed-in connection over. Hosts that are down, busy or babbling are passed by for the next.
 */
#ifndef GP_FRONT_BACKEND_LOGIN_H
#define GP_FRONT_BACKEND_LOGIN_H

#include <stdbool.h>

#include "front/front.h"
#include "net/conn.h"
#include "proto/haproxy.h"
#include "proto/login.h"

struct backend_dial;
struct backend_login;

struct backend_login_conf {
	struct backend_dial **pdial; /* expected for the session; taken */
	const struct login_client_ops *protocol;
	enum login_credential credential;
	struct slice address;         /* the mailbox */
	struct slice secret;          /* token, master's or person's password */
	struct haproxy_header client; /* the client's connection */
	uint64_t session;
};

struct backend_login_ready {
	struct slice capabilities;
	struct slice text;
	bool needs_filter;
	struct conn **pconn; /* to be taken; its waiting input belongs to the client */
};

struct backend_login_ops {
	void (*on_ready)(
		struct backend_login *login, const struct backend_login_ready *ready, void *owner);
	/* reason: REASON_BACKEND_REFUSED, or REASON_BACKEND. */
	void (*on_failed)(struct backend_login *login, enum reason reason, void *owner);
};

/* conf is copied. Callbacks run from the loop; the owner frees the login in them or later. */
struct backend_login *backend_login_new(struct front *front, struct settings_backend *backend,
	const struct backend_login_conf *conf, const struct backend_login_ops *ops, void *owner);
void backend_login_free(struct backend_login **plogin);

#endif
