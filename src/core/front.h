/* SPDX-License-Identifier: ISC */
/*
 * Core's end of the channels to the fronts. A front is what hostile bytes reach first, so it is
 * believed nothing it need not be believed: it may name only sessions that it opened itself, and
 * send each message only in the states of on_front.c's permit table. One that does otherwise has
 * been taken over or is broken: its channel is cut, its sessions are gone, and gatepostd is asked
 * to end it (PEER_BAD) and starts a fresh one.
 */
#ifndef GP_CORE_FRONT_H
#define GP_CORE_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/source.h"
#include "event/loop.h"
#include "ipc/chan.h"

enum {
	FRONTS_MAX = 256,
	/* Sessions that are signed in may be handed over this long after core's start. */
	FRONT_RESUME_MS = 30 * 1000,
};

struct core;
struct session;

struct front {
	struct core *core;
	unsigned index;
	unsigned pid;
	struct chan *chan; /* NULL: it is gone, its sessions wait for PEER_GONE */
	struct session_list sessions;
	size_t session_count;
	bool is_stuck; /* it takes no messages */
	struct loop_task cut;
};

struct fronts {
	struct front *front[FRONTS_MAX];
};

/* Takes *fd: a channel to a fresh front, in place of an older one of its index. */
void front_open(struct core *core, const struct ipc_peer *peer, int *fd);
/* It is gone. crashed: each source that was not signed in on it gets one failure. */
void front_gone(struct core *core, unsigned index, bool crashed);
void front_fini(struct core *core);

/* Never blocks; fine on a front that is gone. One that does not read its messages is cut. */
void front_send(struct front *front, const struct ipc_message *message);
/* Has gatepostd connect the front of a session that is signed in with a host of the mailbox's
 * server. request, generation, member: as in DIAL_MAILBOX. */
void front_dial(const struct session *session, uint64_t request, uint64_t generation,
	const char *backend, unsigned member);
/* It broke the rules: logs, closes the channel, ends its sessions. */
void front_cut(struct front *front, const char *what, uint64_t session);

/* on_front.c: the handler of its messages. */
void on_front_message(struct front *front, const struct ipc_message *message);

#endif
