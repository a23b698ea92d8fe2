/* SPDX-License-Identifier: ISC */
/*
 * Replies of the SMTP server in the order of their commands (RFC 2920 section 3.2). Some commands
 * are answered by the next hop, later; what we ourselves say to the commands behind them is held
 * back until their turn comes.
 */
#ifndef GP_PROTO_REPLY_QUEUE_H
#define GP_PROTO_REPLY_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/engine.h"
#include "proto/reply.h"
#include "proto/smtp_server.h"

enum {
	REPLY_QUEUE_FULL = 16 * 1024,    /* bytes waiting: take no further command */
	REPLY_QUEUE_BYTES = 1024 * 1024, /* hard cap: SMTP_SERVER_PENDING longest replies more */
};

/* A command that has no reply yet. */
struct reply_owed {
	enum engine_action_type action;
	uint32_t transaction;
	size_t behind; /* bytes of held that may go out once it is answered */
};

struct reply_queue {
	struct reply_owed owed[SMTP_SERVER_PENDING]; /* a ring */
	unsigned first;
	unsigned count;
	struct buf out;
	struct buf held;
};

void reply_queue_init(struct reply_queue *queue);
void reply_queue_fini(struct reply_queue *queue);
bool reply_queue_is_full(const struct reply_queue *queue);

/* A line of ours to the newest command: goes out after the replies that are owed. */
void reply_queue_say(struct reply_queue *queue, struct slice lines);
/* The newest command's reply will come later. The queue must not be full. */
void reply_queue_owe(
	struct reply_queue *queue, enum engine_action_type action, uint32_t transaction);
/* The reply to the oldest, or newest, command that has none; gives what it answered. count > 0. */
struct reply_owed reply_queue_answer(struct reply_queue *queue, const struct smtp_reply *reply);
struct reply_owed reply_queue_answer_newest(
	struct reply_queue *queue, const struct smtp_reply *reply);
/* Forgets what is owed and held; what stands in out stays. */
void reply_queue_drop(struct reply_queue *queue);

#endif
