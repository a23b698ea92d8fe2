/* SPDX-License-Identifier: ISC */
/*
 * What the parts of a front worker share. One per process.
 *
 *	listen, proxy_arrival  accept(), ban check, PROXY header        refusal  "you are banned"
 *	session                one client connection, its deadlines
 *	front_mailbox          IMAP and POP3: sign-in, then a byte relay
 *	front_https            HTTPS: requests to gatepost-web, its answers
 *	front_smtp             SMTP: the dialogue, message by message
 *	smtp_hop, smtp_pool    connections to next hops
 *	smtp_filter            a copy of each message for rspamd
 *	notice                 mail of Gatepost's own
 *	backend_login          sign-in at an IMAP or POP3 server
 *	backend_dial, dialer   a connected backend, by way of gatepostd
 *	core_link              questions to core and its answers
 */
#ifndef GP_FRONT_FRONT_H
#define GP_FRONT_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "front/settings.h"
#include "ipc/ban_map.h"
#include "privsep/child.h"

struct core_link;
struct dialer;
struct listen;
struct notices;
struct session_table;
struct smtp_pool;

/* Of smtp_filter.c. */
struct front_filter {
	size_t held;     /* bytes that wait for rspamd */
	int64_t said_at; /* clock_steady() of the last fault that was logged; 0: none */
	unsigned unsaid; /* faults since */
};

struct front {
	struct child *child;
	struct loop *loop;
	struct settings *settings; /* in force */
	struct ban_map *bans;      /* NULL until gatepostd sent it */
	struct core_link *core;
	struct dialer *dialer;
	struct listen *listen;
	struct session_table *sessions;
	struct smtp_pool *hops;
	struct notices *notices;
	struct front_filter filter;
	unsigned asking_web; /* browsers' requests that are with web */
	bool is_stopping;
};

#endif
