/* SPDX-License-Identifier: ISC */
#include "front/refusal.h"

#include <sys/queue.h>

#include "base/mem.h"
#include "base/reference.h"
#include "front/session.h"
#include "net/conn.h"
#include "proto/reply.h"

enum {
	REFUSAL_LINE_MAX = 1024,
	REFUSAL_INPUT_MAX = 4096, /* read and dropped */
};

struct refusal {
	TAILQ_ENTRY(refusal) entry;
	struct refusals *refusals;
	struct conn *conn;
};

TAILQ_HEAD(refusal_list, refusal);

struct refusals {
	struct front *front;
	struct refusal_list list;
	unsigned count;
};

static void free_refusal(struct refusal *refusal)
{
	TAILQ_REMOVE(&refusal->refusals->list, refusal, entry);
	refusal->refusals->count--;
	conn_free(&refusal->conn);
	mem_free(refusal);
}

static void on_input(struct conn *conn, void *owner)
{
	(void)owner;
	conn_consume(conn, conn_input(conn).len);
}

static void on_drained(struct conn *conn, void *owner)
{
	(void)conn;
	(void)owner;
}

static void on_tls(struct conn *conn, void *owner)
{
	(void)owner;
	conn_finish(conn);
}

static void on_closed(struct conn *conn, enum conn_end end, void *owner)
{
	(void)conn;
	(void)end;
	free_refusal(owner);
}

static const struct conn_ops refusal_ops = {
	.on_input = on_input,
	.on_drained = on_drained,
	.on_tls = on_tls,
	.on_closed = on_closed,
};

static bool write_line(const struct refusal *refusal, struct buf *line, const struct config *config,
	const struct config_listener *listener, const struct ip *client, int64_t ban_ms)
{
	const struct ban_map *bans = refusal->refusals->front->bans;
	char client_text[IP_TEXT_SIZE];
	struct reply_facts facts = { .portal_url = config->portal_url,
		.client_address = slice_str(ip_format(client, client_text)),
		.ban_minutes = session_ban_minutes(ban_ms),
		.ban_failures = config->autoban_failures,
		.reference = reference_of(ban_map_origin(bans, client)) };

	return reply_append(line, service_protocol(listener->service), REPLY_BANNED, &facts);
}

/* Under TLS it is what every stranger from this address is told, so it need not wait for the end of
 * the handshake. */
static bool say(struct refusal *refusal, const struct settings *settings,
	const struct config_listener *listener, struct slice line)
{
	struct tls_ctx *ctx = settings_listener_tls(settings, listener);
	bool is_tls = service_is_tls(listener->service);

	if (is_tls && (ctx == NULL || conn_starttls_server(refusal->conn, ctx) != GP_OK))
		return false;
	if (conn_write(refusal->conn, line) != GP_OK)
		return false;
	if (is_tls) {
		conn_set_deadline(refusal->conn, REFUSAL_HANDSHAKE_MS);
		conn_allow_early(refusal->conn);
	} else {
		conn_finish(refusal->conn);
	}
	return true;
}

void refusal_say(struct refusals *refusals, struct settings *settings, unsigned listener, int *fd,
	const struct haproxy_header *peer, int64_t ban_ms)
{
	const struct config_listener *conf = &settings->config->listeners[listener];
	struct refusal *refusal;
	struct buf line;

	if (refusals->count >= REFUSAL_OPEN_MAX)
		return;
	refusal = mem_new(1, sizeof *refusal);
	refusal->refusals = refusals;
	refusal->conn = conn_new(refusals->front->loop, fd, &refusal_ops, refusal,
		REFUSAL_INPUT_MAX, REFUSAL_LINE_MAX);
	TAILQ_INSERT_TAIL(&refusals->list, refusal, entry);
	refusals->count++;
	buf_init(&line, REFUSAL_LINE_MAX);
	if (!write_line(refusal, &line, settings->config, conf, &peer->client, ban_ms) ||
		!say(refusal, settings, conf, buf_slice(&line)))
		free_refusal(refusal);
	buf_fini(&line);
}

struct refusals *refusal_new_set(struct front *front)
{
	struct refusals *refusals = mem_new(1, sizeof *refusals);

	refusals->front = front;
	TAILQ_INIT(&refusals->list);
	return refusals;
}

void refusal_free_set(struct refusals **prefusals)
{
	struct refusals *refusals = *prefusals;
	struct refusal *refusal;

	*prefusals = NULL;
	if (refusals == NULL)
		return;
	while ((refusal = TAILQ_FIRST(&refusals->list)) != NULL)
		free_refusal(refusal);
	mem_free(refusals);
}
