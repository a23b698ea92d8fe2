/* SPDX-License-Identifier: ISC */
#include "front/smtp_pool.h"

#include <sys/queue.h>

#include "base/mem.h"

struct place {
	TAILQ_ENTRY(place) entry;
	struct smtp_pool *pool;
	struct smtp_hop *hop;
	struct loop_timer timer; /* until it is closed */
	bool is_free;            /* may be taken; else RSET, QUIT or a probe is under way */
	bool is_leaving;         /* QUIT was said */
};

TAILQ_HEAD(place_list, place);

struct smtp_pool {
	struct front *front;
	struct place_list places;
	struct loop_timer probe;
};

static const struct smtp_hop_ops pool_ops;

static void free_place(struct place *place)
{
	TAILQ_REMOVE(&place->pool->places, place, entry);
	loop_timer_fini(&place->timer);
	smtp_hop_free(&place->hop);
	mem_free(place);
}

/* In the middle of a reply there is nothing to wait for: the connection is just closed. */
static void say_quit(struct place *place)
{
	place->is_free = false;
	place->is_leaving = true;
	if (!smtp_hop_is_ready(place->hop) ||
		smtp_client_quit(smtp_hop_client(place->hop)) != GP_OK) {
		free_place(place);
		return;
	}
	smtp_hop_flush(place->hop);
}

static void on_timer(struct loop_timer *timer)
{
	struct place *place = timer->owner;

	if (place->is_leaving)
		free_place(place);
	else
		say_quit(place);
}

static unsigned count_of(const struct smtp_pool *pool, const struct settings_backend *backend)
{
	const struct place *place;
	unsigned count = 0;

	TAILQ_FOREACH (place, &pool->places, entry)
		count += place->is_free && smtp_hop_backend(place->hop) == backend;
	return count;
}

/* The connection is clean: keeps it, or says goodbye. */
static void settle(struct place *place)
{
	const struct settings_backend *backend = smtp_hop_backend(place->hop);

	if (!smtp_hop_is_shareable(place->hop) ||
		count_of(place->pool, backend) >= SMTP_POOL_EACH || place->pool->front->is_stopping)
		say_quit(place);
	else
		place->is_free = true;
}

static struct place *new_place(struct smtp_pool *pool, struct smtp_hop *hop)
{
	struct place *place = mem_new(1, sizeof *place);

	place->pool = pool;
	place->hop = hop;
	loop_timer_init(pool->front->loop, &place->timer, on_timer, place);
	loop_timer_set(&place->timer, SMTP_POOL_KEEP_MS);
	TAILQ_INSERT_TAIL(&pool->places, place, entry);
	return place;
}

static void on_ready(struct smtp_hop *hop, void *owner)
{
	(void)hop;
	settle(owner);
}

static void on_reply(struct smtp_hop *hop, const struct smtp_client_event *event, void *owner)
{
	struct place *place = owner;

	(void)hop;
	if (place->is_leaving || event->command != SMTP_COMMAND_RSET || event->reply->code != 250)
		free_place(place);
	else
		settle(place);
}

static void on_drained(struct smtp_hop *hop, void *owner)
{
	(void)hop;
	(void)owner;
}

static void on_failed(struct smtp_hop *hop, void *owner)
{
	struct place *place = owner;

	(void)hop;
	free_place(place);
}

static const struct smtp_hop_ops pool_ops = {
	.on_ready = on_ready,
	.on_reply = on_reply,
	.on_drained = on_drained,
	.on_failed = on_failed,
};

struct smtp_hop *smtp_pool_take(struct smtp_pool *pool, const struct settings_backend *backend)
{
	struct place *place;

	TAILQ_FOREACH (place, &pool->places, entry) {
		struct smtp_hop *hop = place->hop;

		if (!place->is_free || smtp_hop_backend(hop) != backend)
			continue;
		place->hop = NULL;
		free_place(place);
		return hop;
	}
	return NULL;
}

void smtp_pool_give(struct smtp_pool *pool, struct smtp_hop **phop, bool has_transaction)
{
	struct smtp_hop *hop = *phop;
	struct place *place;

	*phop = NULL;
	if (hop == NULL)
		return;
	/* Replies that are still owed belong to a session that no longer wants them. */
	if (!smtp_hop_is_ready(hop) || smtp_client_owed(smtp_hop_client(hop)) > 0) {
		smtp_hop_free(&hop);
		return;
	}
	place = new_place(pool, hop);
	smtp_hop_set_user(hop, &pool_ops, place);
	if (!smtp_hop_is_shareable(hop)) {
		say_quit(place);
	} else if (!has_transaction) {
		settle(place);
	} else if (smtp_client_rset(smtp_hop_client(hop)) == GP_OK) {
		smtp_hop_flush(hop);
	} else {
		free_place(place);
	}
}

/* Asks each next hop that is not known yet; its connection is the first of the pool. */
static void on_probe(struct loop_timer *timer)
{
	struct smtp_pool *pool = timer->owner;
	struct settings *settings = pool->front->settings;
	bool is_missing = false;

	for (size_t i = 0; i < settings->config->backend_count; i++) {
		struct settings_backend *backend = &settings->backends[i];
		enum config_backend_protocol protocol = backend->conf->protocol;
		struct place *place;

		if (backend->has_caps ||
			(protocol != CONFIG_BACKEND_SMTP && protocol != CONFIG_BACKEND_LMTP))
			continue;
		is_missing = true;
		place = new_place(pool, NULL);
		place->hop = smtp_hop_new(pool->front, backend, NULL, &pool_ops, place);
	}
	if (is_missing)
		loop_timer_set(&pool->probe, SMTP_POOL_PROBE_AGAIN_MS);
}

struct smtp_pool *smtp_pool_new(struct front *front)
{
	struct smtp_pool *pool = mem_new(1, sizeof *pool);

	pool->front = front;
	TAILQ_INIT(&pool->places);
	loop_timer_init(front->loop, &pool->probe, on_probe, pool);
	return pool;
}

static void drop_all(struct smtp_pool *pool)
{
	struct place *place;

	while ((place = TAILQ_FIRST(&pool->places)) != NULL)
		free_place(place);
}

void smtp_pool_free(struct smtp_pool **ppool)
{
	struct smtp_pool *pool = *ppool;

	*ppool = NULL;
	if (pool == NULL)
		return;
	drop_all(pool);
	loop_timer_fini(&pool->probe);
	mem_free(pool);
}

void smtp_pool_reset(struct smtp_pool *pool)
{
	drop_all(pool);
	loop_timer_set(&pool->probe, SMTP_POOL_PROBE_FIRST_MS);
}
