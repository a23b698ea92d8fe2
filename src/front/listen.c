/* SPDX-License-Identifier: ISC */
#include "front/listen.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/core_link.h"
#include "front/polite.h"
#include "front/proxy_arrival.h"
#include "front/refusal.h"
#include "front/session.h"

enum {
	LOG_EVERY_MS = 10 * 1000, /* "out of descriptors" is not said more often */
};

struct acceptor {
	TAILQ_ENTRY(acceptor) entry;
	struct listen *listen;
	struct settings *settings;
	unsigned listener;
	int fd;
	struct loop_io io;
};

TAILQ_HEAD(acceptor_list, acceptor);

struct listen {
	struct front *front;
	size_t capacity; /* sessions, by descriptors */
	struct acceptor_list acceptors;
	struct loop_timer rest;
	int64_t logged_at;
	struct polite polite;
	struct refusals *refusals;
	struct proxy_arrivals *arrivals;
};

size_t listen_find_capacity(void)
{
	struct rlimit limit = { 0 };

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = { .rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max };

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_cur > LISTEN_SPARE_FDS + 2 ? (limit.rlim_cur - LISTEN_SPARE_FDS) / 2 : 1;
}

/* Resting. */

static void rest(struct listen *listen)
{
	struct acceptor *acceptor;

	TAILQ_FOREACH (acceptor, &listen->acceptors, entry)
		loop_io_want(&acceptor->io, 0);
	loop_timer_set(&listen->rest, LISTEN_REST_MS);
}

static void on_rested(struct loop_timer *timer)
{
	struct listen *listen = timer->owner;
	struct acceptor *acceptor;

	TAILQ_FOREACH (acceptor, &listen->acceptors, entry)
		loop_io_want(&acceptor->io, LOOP_READ);
}

static void say_full(struct listen *listen, const char *why)
{
	int64_t now = clock_steady();

	if (listen->logged_at != 0 && now - listen->logged_at < LOG_EVERY_MS)
		return;
	listen->logged_at = now;
	log_warn("accept_rests", LOG_STR("why", why),
		LOG_UINT("sessions", session_count(listen->front)));
}

static bool is_full(const struct listen *listen)
{
	size_t configured = listen->front->settings->config->max_connections;
	size_t max = configured < listen->capacity ? configured : listen->capacity;

	return session_count(listen->front) + proxy_arrival_count(listen->arrivals) >= max;
}

/* Admission. */

static void refuse(struct listen *listen, struct settings *settings, unsigned listener, int *fd,
	const struct haproxy_header *peer, int64_t ban_ms)
{
	enum service service = settings->config->listeners[listener].service;
	struct ip source = ip_source(&peer->client);

	core_link_count_refused(listen->front->core, service);
	if (polite_take(&listen->polite, &source, clock_steady()))
		refusal_say(listen->refusals, settings, listener, fd, peer, ban_ms);
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static int64_t ban_left(
	const struct front *front, const struct config_listener *listener, const struct ip *client)
{
	struct ip source = ip_source(client);

	/* Port 25 takes other people's mail, from any source; the engine refuses AUTH there. The
	 * portal is where a ban is explained and lifted. */
	if (front->bans == NULL || listener->service == SERVICE_SMTP ||
		listener->service == SERVICE_HTTPS)
		return 0;
	return ban_map_left(front->bans, &source);
}

void listen_admit(struct listen *listen, struct settings *settings, unsigned listener, int *fd,
	const struct haproxy_header *peer)
{
	const struct config_listener *conf = &settings->config->listeners[listener];
	int64_t left = ban_left(listen->front, conf, &peer->client);

	if (left > 0)
		refuse(listen, settings, listener, fd, peer, left);
	else
		session_new(listen->front, settings, listener, fd, peer);
}

static void arrive(struct acceptor *acceptor, int fd, const struct sockaddr *address)
{
	struct listen *listen = acceptor->listen;
	const struct config_listener *conf =
		&acceptor->settings->config->listeners[acceptor->listener];
	struct haproxy_header peer = { 0 };
	struct sockaddr_storage local = { 0 };
	socklen_t local_len = sizeof local;
	int64_t left;

	ip_from_sockaddr(address, &peer.client, &peer.client_port);
	left = conf->proxy_protocol ? 0 : ban_left(listen->front, conf, &peer.client);
	if (left > 0) {
		refuse(listen, acceptor->settings, acceptor->listener, &fd, &peer, left);
		return;
	}
	if (getsockname(fd, (struct sockaddr *)&local, &local_len) == 0)
		ip_from_sockaddr((struct sockaddr *)&local, &peer.local, &peer.local_port);
	if (conf->proxy_protocol)
		proxy_arrival_new(
			listen->arrivals, acceptor->settings, acceptor->listener, &fd, &peer);
	else
		session_new(listen->front, acceptor->settings, acceptor->listener, &fd, &peer);
}

static void on_ready(struct loop_io *io, unsigned ready)
{
	struct acceptor *acceptor = io->owner;
	struct listen *listen = acceptor->listen;

	(void)ready;
	for (unsigned i = 0; i < LISTEN_BATCH; i++) {
		struct sockaddr_storage address = { 0 };
		socklen_t len = sizeof address;
		int fd;

		/* A full front lets the oldest go that has not signed in; if all have, it rests. */
		if (is_full(listen) && !session_can_evict(listen->front)) {
			say_full(listen, "max_connections signed in");
			rest(listen);
			return;
		}
		fd = accept4(acceptor->fd, (struct sockaddr *)&address, &len,
			SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0 && is_full(listen))
			session_evict(listen->front);
		if (fd >= 0) {
			arrive(acceptor, fd, (struct sockaddr *)&address);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			say_full(listen, strerror(errno));
			session_evict(listen->front);
			rest(listen);
			return;
		}
		/* Errors of the one connection that was to come are passed by. */
		if (errno == EAGAIN)
			return;
	}
}

/* Life. */

struct listen *listen_new(struct front *front, size_t capacity)
{
	struct listen *listen = mem_new(1, sizeof *listen);

	listen->front = front;
	listen->capacity = capacity;
	TAILQ_INIT(&listen->acceptors);
	loop_timer_init(front->loop, &listen->rest, on_rested, listen);
	listen->refusals = refusal_new_set(front);
	listen->arrivals = proxy_arrival_new_set(front, listen);
	return listen;
}

void listen_free(struct listen **plisten)
{
	struct listen *listen = *plisten;

	*plisten = NULL;
	if (listen == NULL)
		return;
	listen_reset(listen);
	loop_timer_fini(&listen->rest);
	refusal_free_set(&listen->refusals);
	proxy_arrival_free_set(&listen->arrivals);
	mem_free(listen);
}

void listen_add(struct listen *listen, unsigned listener, int *fd)
{
	struct acceptor *acceptor = mem_new(1, sizeof *acceptor);

	acceptor->listen = listen;
	acceptor->settings = settings_hold(listen->front->settings);
	acceptor->listener = listener;
	acceptor->fd = *fd;
	*fd = -1;
	TAILQ_INSERT_TAIL(&listen->acceptors, acceptor, entry);
	loop_io_start(
		listen->front->loop, &acceptor->io, acceptor->fd, LOOP_READ, on_ready, acceptor);
}

void listen_reset(struct listen *listen)
{
	struct acceptor *acceptor;

	loop_timer_clear(&listen->rest);
	while ((acceptor = TAILQ_FIRST(&listen->acceptors)) != NULL) {
		TAILQ_REMOVE(&listen->acceptors, acceptor, entry);
		loop_io_stop(&acceptor->io);
		(void)close(acceptor->fd);
		settings_release(&acceptor->settings);
		mem_free(acceptor);
	}
}
