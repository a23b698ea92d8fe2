/* SPDX-License-Identifier: ISC */
/*
 * A connection to one of a backend's hosts: they are tried in turn (front/health.h), the PROXY
 * header is sent where configured and implicit TLS is brought up. What is spoken then is the
 * owner's; when that fails, backend_dial_next() goes on with the next host.
 *
 * To a next hop the front asks gatepostd for each connection. To the server of a mailbox core does,
 * for a session that it let in: for the first host at once, so that the connection comes along with
 * the answer to the sign-in, or even before it; for others when they are asked for. So a dial of a
 * mailbox is there from the question on (backend_dial_expect), and what it is to do is said when
 * the answer has come (backend_dial_begin). Not begun, it is freed as any other.
 */
#ifndef GP_FRONT_BACKEND_DIAL_H
#define GP_FRONT_BACKEND_DIAL_H

#include "front/front.h"
#include "net/conn.h"
#include "proto/haproxy.h"

struct backend_dial;

enum {
	BACKEND_INPUT_MAX = 64 * 1024,
	BACKEND_OUTPUT_MAX = 256 * 1024, /* high water, a full client buffer and our own lines */
};

struct backend_dial_ops {
	/* Up: the owner takes *pconn (NULL then) and its deadline; not taken, it is closed. */
	void (*on_open)(struct backend_dial *dial, struct conn **pconn, void *owner);
	/* No host is left. */
	void (*on_failed)(struct backend_dial *dial, void *owner);
};

/*
 * backend: of the settings in force, which are held meanwhile. client: told in a PROXY header,
 * where configured; NULL: none. Callbacks run from the loop, never from inside; the owner may free
 * the dial in them.
 */
struct backend_dial *backend_dial_new(struct front *front, struct settings_backend *backend,
	const struct haproxy_header *client, const struct backend_dial_ops *ops, void *owner);
/* Of the mailbox that will be opened for this session. */
struct backend_dial *backend_dial_expect(struct front *front, uint64_t session);
uint64_t backend_dial_request(const struct backend_dial *dial); /* as in SIGNIN */
void backend_dial_begin(struct backend_dial *dial, struct settings_backend *backend,
	const struct haproxy_header *client, const struct backend_dial_ops *ops, void *owner);
void backend_dial_free(struct backend_dial **pdial);

/* The host that on_open() gave is no good: on_open() or on_failed() follows. */
void backend_dial_next(struct backend_dial *dial);
/* It is good. */
void backend_dial_worked(struct backend_dial *dial);

#endif
