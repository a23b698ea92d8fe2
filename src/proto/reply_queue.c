/* SPDX-License-Identifier: ISC */
#include "proto/reply_queue.h"

#include "base/check.h"

void reply_queue_init(struct reply_queue *queue)
{
	*queue = (struct reply_queue){ .count = 0 };
	buf_init(&queue->out, REPLY_QUEUE_BYTES);
	buf_init(&queue->held, REPLY_QUEUE_BYTES);
}

void reply_queue_fini(struct reply_queue *queue)
{
	buf_fini(&queue->out);
	buf_fini(&queue->held);
}

bool reply_queue_is_full(const struct reply_queue *queue)
{
	return queue->count == SMTP_SERVER_PENDING ||
	       queue->out.len + queue->held.len > REPLY_QUEUE_FULL;
}

static struct reply_owed *newest(struct reply_queue *queue)
{
	GP_ASSERT(queue->count > 0);
	return &queue->owed[(queue->first + queue->count - 1) % SMTP_SERVER_PENDING];
}

void reply_queue_say(struct reply_queue *queue, struct slice lines)
{
	struct buf *to = queue->count > 0 ? &queue->held : &queue->out;
	enum gp_err err = buf_append(to, lines);

	/* reply_queue_is_full() keeps both far from their cap. */
	GP_ASSERT(err == GP_OK);
	if (queue->count > 0)
		newest(queue)->behind += lines.len;
}

static void say_reply(struct reply_queue *queue, const struct smtp_reply *reply)
{
	struct buf *to = queue->count > 0 ? &queue->held : &queue->out;
	size_t before = to->len;
	bool fits = smtp_reply_append(to, reply);

	GP_ASSERT(fits);
	if (queue->count > 0)
		newest(queue)->behind += to->len - before;
}

void reply_queue_owe(
	struct reply_queue *queue, enum engine_action_type action, uint32_t transaction)
{
	GP_ASSERT(queue->count < SMTP_SERVER_PENDING);
	queue->count++;
	*newest(queue) = (struct reply_owed){ .action = action, .transaction = transaction };
}

struct reply_owed reply_queue_answer(struct reply_queue *queue, const struct smtp_reply *reply)
{
	struct reply_owed owed;
	bool fits;
	enum gp_err err;

	GP_ASSERT(queue->count > 0);
	owed = queue->owed[queue->first];
	queue->first = (queue->first + 1) % SMTP_SERVER_PENDING;
	queue->count--;
	fits = smtp_reply_append(&queue->out, reply);
	GP_ASSERT(fits);
	err = buf_append(&queue->out, slice_head(buf_slice(&queue->held), owed.behind));
	GP_ASSERT(err == GP_OK);
	buf_consume(&queue->held, owed.behind);
	return owed;
}

struct reply_owed reply_queue_answer_newest(
	struct reply_queue *queue, const struct smtp_reply *reply)
{
	struct reply_owed owed = *newest(queue);

	/* The engine pauses on the newest, so nothing of ours stands behind it. */
	GP_ASSERT(owed.behind == 0);
	queue->count--;
	say_reply(queue, reply);
	return owed;
}

void reply_queue_drop(struct reply_queue *queue)
{
	queue->count = 0;
	buf_clear(&queue->held);
}
