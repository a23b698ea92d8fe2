/* SPDX-License-Identifier: ISC */
#include "net/relay.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"

enum {
	RELAY_OUTPUT_MAX = 2 * RELAY_BUFFER, /* the second half is for what a filter adds */
	RELAY_IDLE_TICKS = 4,                /* how finely silence is measured */
};

/* One connection, and the direction that begins at it. */
struct side {
	struct relay *relay;
	struct side *other;
	struct conn *conn;          /* NULL once closed */
	struct relay_filter filter; /* pass NULL: none */
	uint64_t bytes;             /* read from it */
};

struct relay {
	struct loop *loop;
	struct side client;
	struct side backend;
	struct loop_timer idle;
	struct loop_task burial;
	int64_t tick_ms;
	unsigned silent_ticks;
	bool is_finishing;
	void (*on_end)(struct relay *relay, void *owner);
	void *owner;
};

/* What a filter lets through on its way to the sink; used within one call only. */
static struct buf filtered;

static bool forward_filtered(const struct side *side, struct slice bytes)
{
	struct conn *sink = side->other->conn;

	buf_clear(&filtered);
	filtered.max = RELAY_OUTPUT_MAX - conn_output_len(sink);
	return side->filter.pass(side->filter.state, bytes, &filtered) &&
	       conn_write(sink, buf_slice(&filtered)) == GP_OK;
}

static void pump(struct side *side)
{
	struct conn *sink = side->other->conn;
	struct slice bytes = conn_input(side->conn);
	size_t waiting = conn_output_len(sink);
	bool is_good;

	bytes = slice_head(bytes, waiting < RELAY_BUFFER ? RELAY_BUFFER - waiting : 0);
	is_good = side->filter.pass != NULL ? forward_filtered(side, bytes)
					    : conn_write(sink, bytes) == GP_OK;
	side->bytes += bytes.len;
	conn_consume(side->conn, bytes.len);
	if (!is_good)
		relay_finish(side->relay, slice_of(NULL, 0));
	else if (conn_output_len(sink) > CONN_HIGH_WATER / 2)
		conn_pause(side->conn); /* until on_drained() of the sink */
}

static void on_input(struct conn *conn, void *owner)
{
	struct side *side = owner;

	side->relay->silent_ticks = 0;
	if (side->other->conn == NULL || side->relay->is_finishing)
		conn_consume(conn, conn_input(conn).len);
	else
		pump(side);
}

static void on_drained(struct conn *conn, void *owner)
{
	struct side *side = owner;

	(void)conn;
	if (side->other->conn != NULL)
		conn_resume(side->other->conn);
}

/* The other side still gets what is on its way to it. */
static void on_closed(struct conn *conn, enum conn_end end, void *owner)
{
	struct side *side = owner;
	struct relay *relay = side->relay;

	(void)conn, (void)end;
	conn_free(&side->conn);
	relay->is_finishing = true;
	loop_timer_clear(&relay->idle);
	if (side->other->conn != NULL)
		conn_finish(side->other->conn);
	else
		relay->on_end(relay, relay->owner);
}

/* TLS was begun before the relay, if at all. */
static void on_tls(struct conn *conn, void *owner)
{
	(void)conn, (void)owner;
	GP_ASSERT(false);
}

static const struct conn_ops side_ops = { on_input, on_drained, on_tls, on_closed };

static void on_idle_tick(struct loop_timer *timer)
{
	struct relay *relay = timer->owner;

	if (++relay->silent_ticks > RELAY_IDLE_TICKS)
		relay_finish(relay, slice_of(NULL, 0));
	else
		loop_timer_set(timer, relay->tick_ms);
}

static void take_side(struct side *side, struct relay *relay, struct side *other,
	struct conn **pconn, const struct relay_filter *filter)
{
	side->relay = relay;
	side->other = other;
	side->conn = *pconn;
	*pconn = NULL;
	if (filter != NULL)
		side->filter = *filter;
	conn_set_deadline(side->conn, 0);
	conn_set_owner(side->conn, &side_ops, side, RELAY_BUFFER, RELAY_OUTPUT_MAX);
	conn_resume(side->conn);
}

struct relay *relay_new(struct loop *loop, struct conn **pclient, struct conn **pbackend,
	const struct relay_filter *from_client, const struct relay_filter *from_backend,
	int64_t idle_ms, void (*on_end)(struct relay *relay, void *owner), void *owner)
{
	struct relay *relay = mem_new(1, sizeof *relay);

	GP_ASSERT(idle_ms >= RELAY_IDLE_TICKS);
	relay->loop = loop;
	relay->on_end = on_end;
	relay->owner = owner;
	relay->tick_ms = idle_ms / RELAY_IDLE_TICKS;
	take_side(&relay->client, relay, &relay->backend, pclient, from_client);
	take_side(&relay->backend, relay, &relay->client, pbackend, from_backend);
	loop_timer_init(loop, &relay->idle, on_idle_tick, relay);
	loop_timer_set(&relay->idle, relay->tick_ms);
	return relay;
}

static void bury(struct loop_task *task)
{
	mem_free(task->owner);
}

void relay_free(struct relay **prelay)
{
	struct relay *relay = *prelay;

	if (relay == NULL)
		return;
	*prelay = NULL;
	conn_free(&relay->client.conn);
	conn_free(&relay->backend.conn);
	loop_timer_fini(&relay->idle);
	loop_defer(relay->loop, &relay->burial, bury, relay);
}

void relay_finish(struct relay *relay, struct slice last_words)
{
	struct conn *client = relay->client.conn;

	if (client != NULL && !relay->is_finishing && conn_output_len(client) == 0 &&
		last_words.len > 0)
		/* A client that is gone already misses nothing. */
		(void)!conn_write(client, last_words);
	relay->is_finishing = true;
	loop_timer_clear(&relay->idle);
	if (client != NULL)
		conn_finish(client);
	if (relay->backend.conn != NULL)
		conn_finish(relay->backend.conn);
}

struct relay_totals relay_totals(const struct relay *relay)
{
	return (struct relay_totals){ relay->client.bytes, relay->backend.bytes };
}
