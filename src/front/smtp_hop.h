/* SPDX-License-Identifier: ISC */
/*
 * One connection to a next hop (SMTP or LMTP) and its client engine. Has one user at a time: a
 * session, or nobody while it waits in the pool (smtp_pool.c). Hosts that are down are passed by.
 *
 *	OPENING --> READY --[release]--> kept for another session, or closed
 *	any --[connection lost, no answer in reply_timeout]--> on_failed()
 */
#ifndef GP_FRONT_SMTP_HOP_H
#define GP_FRONT_SMTP_HOP_H

#include <stdbool.h>
#include <sys/queue.h>

#include "front/front.h"
#include "proto/haproxy.h"
#include "proto/smtp_client.h"

struct smtp_hop;

enum {
	SMTP_HOP_FRESH_MS = 1000 /* used this short ago, a connection is taken to be alive */
};

struct smtp_hop_ops {
	void (*on_ready)(struct smtp_hop *hop, void *owner);
	/* borrowed until return */
	void (*on_reply)(struct smtp_hop *hop, const struct smtp_client_event *event, void *owner);
	void (*on_drained)(struct smtp_hop *hop, void *owner);
	/* Every reply that was owed is lost. The user frees the hop. */
	void (*on_failed)(struct smtp_hop *hop, void *owner);
};

/* What is told of the client: by XCLIENT or a PROXY header, as the backend is configured. */
struct smtp_hop_client {
	struct haproxy_header peer;
	const char *login; /* NULL: not signed in */
	const char *helo;
	bool is_esmtp;
};

/* client: NULL for nobody (a probe). Callbacks run from the loop. */
struct smtp_hop *smtp_hop_new(struct front *front, struct settings_backend *backend,
	const struct smtp_hop_client *client, const struct smtp_hop_ops *ops, void *owner);
/* Closes at once; a message that is not ended is not delivered. */
void smtp_hop_free(struct smtp_hop **phop);
void smtp_hop_set_user(struct smtp_hop *hop, const struct smtp_hop_ops *ops, void *owner);

bool smtp_hop_is_ready(const struct smtp_hop *hop);
/* It has rested and may have been closed meanwhile: wait for its first reply. */
bool smtp_hop_is_stale(const struct smtp_hop *hop);
/* May another session use it? Not if it was told who the client is. */
bool smtp_hop_is_shareable(const struct smtp_hop *hop);
/* Was this client's identity taken over by the next hop (XCLIENT)? */
bool smtp_hop_has_identity(const struct smtp_hop *hop);
const struct settings_backend *smtp_hop_backend(const struct smtp_hop *hop);
/* The engine, for commands; then smtp_hop_flush(). */
struct smtp_client *smtp_hop_client(struct smtp_hop *hop);

/* Sends what the engine has to say. On failure on_failed() follows from the loop. */
void smtp_hop_flush(struct smtp_hop *hop);
/* Part of a message. */
void smtp_hop_send_body(struct smtp_hop *hop, struct slice bytes);
bool smtp_hop_is_full(const struct smtp_hop *hop); /* wait for on_drained() */

#endif
