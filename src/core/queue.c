/* SPDX-License-Identifier: ISC */
#include "core/queue.h"

#include "base/check.h"
#include "base/mem.h"
#include "core/signin.h"

void queue_init(struct queue *queue)
{
	map_init(&queue->shares);
	TAILQ_INIT(&queue->turns);
	queue->count = 0;
}

void queue_fini(struct queue *queue)
{
	GP_ASSERT(queue->count == 0 && queue->shares.count == 0);
	map_fini(&queue->shares);
}

static struct queue_share *share_get(struct queue *queue, const struct ip *source)
{
	struct map_node *node = map_find(&queue->shares, source_key(source));
	struct queue_share *share = NULL;

	if (node != NULL)
		return MAP_ENTRY(node, struct queue_share, node);
	share = mem_new(1, sizeof *share);
	share->source = *source;
	TAILQ_INIT(&share->attempts);
	map_add(&queue->shares, &share->node, source_key(&share->source));
	TAILQ_INSERT_TAIL(&queue->turns, share, link);
	return share;
}

void queue_remove(struct queue *queue, struct attempt *attempt)
{
	struct queue_share *share = attempt->share;

	GP_ASSERT(share != NULL);
	attempt->share = NULL;
	TAILQ_REMOVE(&share->attempts, attempt, link);
	queue->count--;
	if (--share->count > 0)
		return;
	TAILQ_REMOVE(&queue->turns, share, link);
	map_remove(&queue->shares, &share->node);
	mem_free(share);
}

static struct queue_share *largest(struct queue *queue)
{
	struct queue_share *share = NULL;
	struct queue_share *most = NULL;

	TAILQ_FOREACH (share, &queue->turns, link) {
		if (most == NULL || share->count > most->count)
			most = share;
	}
	return most;
}

static struct attempt *take_newest(struct queue *queue, const struct queue_share *share)
{
	struct attempt *attempt = TAILQ_LAST(&share->attempts, attempt_list);

	queue_remove(queue, attempt);
	return attempt;
}

struct attempt *queue_push(struct queue *queue, struct attempt *attempt, size_t max)
{
	struct queue_share *share = share_get(queue, &attempt->source->ip);
	struct queue_share *most = NULL;

	TAILQ_INSERT_TAIL(&share->attempts, attempt, link);
	attempt->share = share;
	share->count++;
	queue->count++;
	if (queue->count <= max)
		return NULL;
	/* Among equals the newcomer: those who wait keep their place. */
	most = largest(queue);
	GP_ASSERT(most != NULL);
	return take_newest(queue, most->count > share->count ? most : share);
}

struct attempt *queue_shed(struct queue *queue)
{
	struct queue_share *most = largest(queue);

	return most != NULL ? take_newest(queue, most) : NULL;
}

struct attempt *queue_pop(struct queue *queue)
{
	struct queue_share *share = TAILQ_FIRST(&queue->turns);
	struct attempt *attempt = NULL;

	if (share == NULL)
		return NULL;
	attempt = TAILQ_FIRST(&share->attempts);
	/* To the end of the turns first: removing may free the share. */
	TAILQ_REMOVE(&queue->turns, share, link);
	TAILQ_INSERT_TAIL(&queue->turns, share, link);
	queue_remove(queue, attempt);
	return attempt;
}
