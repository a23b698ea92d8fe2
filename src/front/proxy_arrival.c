/* SPDX-License-Identifier: ISC */
#include "front/proxy_arrival.h"

#include <errno.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/listen.h"
#include "front/session_core.h"

struct arrival {
	TAILQ_ENTRY(arrival) entry;
	struct proxy_arrivals *arrivals;
	struct settings *settings;
	unsigned listener;
	struct haproxy_header peer;
	int fd;
	struct loop_io io;
	struct loop_timer timer;
	struct buf header; /* what came of it */
};

TAILQ_HEAD(arrival_list, arrival);

struct proxy_arrivals {
	struct front *front;
	struct listen *listen;
	struct arrival_list list;
	size_t count;
};

static void free_arrival(struct arrival *arrival)
{
	TAILQ_REMOVE(&arrival->arrivals->list, arrival, entry);
	arrival->arrivals->count--;
	loop_io_stop(&arrival->io);
	loop_timer_fini(&arrival->timer);
	if (arrival->fd >= 0)
		(void)close(arrival->fd);
	buf_fini(&arrival->header);
	settings_release(&arrival->settings);
	mem_free(arrival);
}

static void turn_away(struct arrival *arrival, const char *why)
{
	const struct config_listener *listener =
		&arrival->settings->config->listeners[arrival->listener];

	log_warn("proxy_header", LOG_STR("listener", listener->name),
		LOG_IP("peer", &arrival->peer.client), LOG_STR("why", why));
	session_core_note_only(arrival->arrivals->front, listener->service, arrival->listener,
		&arrival->peer, REASON_PROXY_HEADER, why);
	free_arrival(arrival);
}

static void on_timeout(struct loop_timer *timer)
{
	turn_away(timer->owner, "no header in time");
}

static void admit(struct arrival *arrival, const struct haproxy_header *header)
{
	struct listen *listen = arrival->arrivals->listen;
	struct settings *settings = settings_hold(arrival->settings);
	struct haproxy_header peer = header->is_local ? arrival->peer : *header;
	unsigned listener = arrival->listener;
	int fd = arrival->fd;

	arrival->fd = -1;
	free_arrival(arrival);
	listen_admit(listen, settings, listener, &fd, &peer);
	settings_release(&settings);
}

/* Drops n bytes from the socket's front: they have been looked at already. */
static bool skip(struct arrival *arrival, size_t n)
{
	char bytes[HAPROXY_V2_MAX];

	return recv(arrival->fd, bytes, n, 0) == (ssize_t)n;
}

/*
 * Looks before it takes: while the parser wants more, all that has come belongs to the header and
 * is taken; in the end only the rest of the header is. So the loop never spins on bytes that stay.
 */
static void on_ready(struct loop_io *io, unsigned ready)
{
	struct arrival *arrival = io->owner;
	struct haproxy_header header = { 0 };
	size_t before = arrival->header.len;
	size_t used = 0;
	ssize_t n;

	(void)ready;
	if (buf_reserve(&arrival->header, buf_room(&arrival->header)) != GP_OK ||
		buf_room(&arrival->header) == 0) {
		turn_away(arrival, "too long");
		return;
	}
	n = recv(arrival->fd, buf_tail(&arrival->header), buf_room(&arrival->header), MSG_PEEK);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		free_arrival(arrival);
		return;
	}
	buf_added(&arrival->header, (size_t)n);
	switch (haproxy_parse(buf_slice(&arrival->header), &header, &used)) {
	case HAPROXY_DONE:
		GP_ASSERT(used >= before && used - before <= (size_t)n);
		if (skip(arrival, used - before))
			admit(arrival, &header);
		else
			free_arrival(arrival);
		return;
	case HAPROXY_MORE:
		if (!skip(arrival, (size_t)n))
			free_arrival(arrival);
		return;
	case HAPROXY_BAD:
		turn_away(arrival, "missing or malformed");
		return;
	}
}

struct proxy_arrivals *proxy_arrival_new_set(struct front *front, struct listen *listen)
{
	struct proxy_arrivals *arrivals = mem_new(1, sizeof *arrivals);

	arrivals->front = front;
	arrivals->listen = listen;
	TAILQ_INIT(&arrivals->list);
	return arrivals;
}

void proxy_arrival_free_set(struct proxy_arrivals **parrivals)
{
	struct proxy_arrivals *arrivals = *parrivals;
	struct arrival *arrival;

	*parrivals = NULL;
	if (arrivals == NULL)
		return;
	while ((arrival = TAILQ_FIRST(&arrivals->list)) != NULL)
		free_arrival(arrival);
	mem_free(arrivals);
}

size_t proxy_arrival_count(const struct proxy_arrivals *arrivals)
{
	return arrivals->count;
}

void proxy_arrival_new(struct proxy_arrivals *arrivals, struct settings *settings,
	unsigned listener, int *fd, const struct haproxy_header *peer)
{
	const struct config_nets *allowed = &settings->config->listeners[listener].proxy_from;
	struct arrival *arrival = mem_new(1, sizeof *arrival);

	arrival->arrivals = arrivals;
	arrival->settings = settings_hold(settings);
	arrival->listener = listener;
	arrival->peer = *peer;
	arrival->fd = *fd;
	*fd = -1;
	buf_init(&arrival->header, HAPROXY_V2_MAX);
	TAILQ_INSERT_TAIL(&arrivals->list, arrival, entry);
	arrivals->count++;
	loop_timer_init(arrivals->front->loop, &arrival->timer, on_timeout, arrival);
	if (!ip_nets_contain(allowed->nets, allowed->count, &peer->client)) {
		turn_away(arrival, "peer not in proxy_from");
		return;
	}
	loop_timer_set(&arrival->timer, PROXY_ARRIVAL_MS);
	loop_io_start(
		arrivals->front->loop, &arrival->io, arrival->fd, LOOP_READ, on_ready, arrival);
}
