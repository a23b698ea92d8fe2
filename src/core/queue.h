/* SPDX-License-Identifier: ISC */
/*
 * Sign-ins that wait for a vault, shared fairly by source: each turn takes one of the next source,
 * so one that sends hundreds (an exempt one may) holds up nobody else. When the queue is full, the
 * newest of the source with the most gives way; a newcomer whose source has the most gives way
 * itself.
 */
#ifndef GP_CORE_QUEUE_H
#define GP_CORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "core/source.h"

struct queue_share {
	struct map_node node; /* by source */
	TAILQ_ENTRY(queue_share) link;
	struct ip source;
	struct attempt_list attempts; /* oldest first */
	size_t count;
};

struct queue {
	struct map shares;
	TAILQ_HEAD(queue_shares, queue_share) turns; /* the next source's turn first */
	size_t count;
};

void queue_init(struct queue *queue);
void queue_fini(struct queue *queue); /* must be empty */

/* Appends. The one that has to give way because of max (perhaps attempt itself), or NULL; it is in
 * no queue then. */
struct attempt *queue_push(struct queue *queue, struct attempt *attempt, size_t max);
/* Makes room for somebody in another queue: the newest of the source with the most, NULL if there
 * is none. */
struct attempt *queue_shed(struct queue *queue);
/* The next by turns, NULL if there is none. */
struct attempt *queue_pop(struct queue *queue);
void queue_remove(struct queue *queue, struct attempt *attempt);

#endif
