/* SPDX-License-Identifier: ISC */
/*
 * One end of a channel between two Gatepost processes: a SOCK_SEQPACKET socket. A packet is one
 * message and at most one descriptor; or, of a channel that gathers, a bundle of messages: a byte
 * 255, then each message behind two bytes of its length. Process: all. Owner: whoever made it.
 *
 * A peer that breaks the rules (messages.def) ends the channel with CHAN_END_ATTACK; the owner logs
 * it, and gatepostd kills the peer when its control channel ended so.
 */
#ifndef GP_IPC_CHAN_H
#define GP_IPC_CHAN_H

#include "base/err.h"
#include "event/loop.h"
#include "ipc/message.h"

struct chan;

enum chan_end {
	CHAN_END_CLOSED, /* the peer is gone */
	CHAN_END_ATTACK, /* it sent what it must not */
};

enum {
	CHAN_QUEUE_MAX = 4 * 1024 * 1024, /* bytes that wait for a slow peer */
	CHAN_BATCH = 32,                  /* messages taken per turn of the loop */
	CHAN_BATCH_MS = 100,              /* the turn ends earlier if they take so long */
	CHAN_LATE_MS = 1,                 /* most that chan_send_later() waits */
};

struct chan_ops {
	/* *fd: the descriptor that came along or -1; the handler takes it by setting *fd to -1,
	 * else it is closed afterwards. Slices in message are good until return. */
	void (*on_message)(
		struct chan *chan, const struct ipc_message *message, int *fd, void *owner);
	/* Once; no callback follows. The owner frees the channel, here or later. */
	void (*on_end)(struct chan *chan, enum chan_end end, void *owner);
};

/* Takes *fd (set to -1). self and peer decide what is permitted. */
struct chan *chan_new(struct loop *loop, int *fd, enum ipc_role self, enum ipc_role peer,
	const struct chan_ops *ops, void *owner);
/* Allowed inside its callbacks. Messages that still wait are lost. */
void chan_free(struct chan **pchan);

/* fd: borrowed, duplicated into the message; -1 for none. GP_ERR_BUSY: the queue is full;
 * GP_ERR_CLOSED: the peer is gone. Sending what messages.def does not permit is an assertion. */
enum gp_err chan_send(struct chan *chan, const struct ipc_message *message, int fd) GP_CHECKED;
/* From now on the messages of one turn of the loop leave together at its end: the peer is woken up
 * once. on_push: called before they do, for what must leave first; may be NULL. The peer must be a
 * channel too. */
void chan_gather(struct chan *chan, void (*on_push)(void *owner));
/* The same for what nobody waits for, on a channel that gathers: it leaves, in its turn, with
 * whatever is sent next, after CHAN_LATE_MS at the latest. A process that is killed meanwhile has
 * not sent it; if the peer is, see chan_each_unsent(). */
enum gp_err chan_send_later(struct chan *chan, const struct ipc_message *message) GP_CHECKED;
/* What was gathered leaves now. */
void chan_push(struct chan *chan);
/* For blocking processes (vault) and before exit: waits until all is sent or ms passed. */
enum gp_err chan_flush(struct chan *chan, int64_t ms) GP_CHECKED;
/* What was gathered and could not be sent any more, of a channel that has ended. */
void chan_each_unsent(
	struct chan *chan, void (*visit)(const struct ipc_message *message, void *owner));
/* Stops and restarts reading: a server that does one thing at a time. */
void chan_pause(struct chan *chan);
void chan_resume(struct chan *chan);
/* Takes everything that has arrived, at once; from a peer that is gone, all of it and the end. Not
 * inside its callbacks, which may free it. */
void chan_drain(struct chan *chan);

/* In on_message(): does more follow that had arrived before this message was handed over? */
bool chan_has_more(const struct chan *chan);

int chan_fd(const struct chan *chan);
/* A connected pair, both close-on-exec and non-blocking. */
enum gp_err chan_pair(int ret_fds[2]) GP_CHECKED;

#endif
