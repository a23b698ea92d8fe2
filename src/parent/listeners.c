/* SPDX-License-Identifier: ISC */
#include "parent/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/check.h"
#include "base/ip.h"
#include "base/log.h"
#include "base/mem.h"

enum {
	BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn */
};

/* One address of one listener. */
struct place {
	uint16_t listener;
	bool is_activated; /* one socket for all fronts, from the service manager */
	struct ip ip;
	uint16_t port;
	char address[IP_TEXT_SIZE];
	int *fds; /* one for each front */
};

struct listeners {
	struct place *places;
	size_t count;
	unsigned fronts;
};

static struct {
	int count;
	char **names;
} activation;

/* What is accepted takes it over: small replies leave at once, and no front has to say so. */
static void set_no_delay(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void listeners_init(void)
{
	activation.count = sd_listen_fds_with_names(1, &activation.names);
	if (activation.count < 0) {
		log_warn("socket_activation_failed", LOG_STR("error", strerror(-activation.count)));
		activation.count = 0;
	}
	for (int i = 0; i < activation.count; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
			log_warn("socket_activation_failed", LOG_ERRNO);
		set_no_delay(fd);
	}
}

/* Places. */

static struct place *add_place(struct listeners *listeners, uint16_t listener)
{
	struct place *place;

	listeners->places =
		mem_resize(listeners->places, listeners->count + 1, sizeof *listeners->places);
	place = &listeners->places[listeners->count++];
	*place = (struct place){ .listener = listener };
	place->fds = mem_new(listeners->fronts, sizeof *place->fds);
	for (unsigned i = 0; i < listeners->fronts; i++)
		place->fds[i] = -1;
	return place;
}

void listeners_free(struct listeners **plisteners)
{
	struct listeners *listeners = *plisteners;

	*plisteners = NULL;
	if (listeners == NULL)
		return;
	for (size_t n = 0; n < listeners->count; n++) {
		for (unsigned i = 0; i < listeners->fronts; i++) {
			if (listeners->places[n].fds[i] >= 0)
				(void)close(listeners->places[n].fds[i]);
		}
		mem_free(listeners->places[n].fds);
	}
	mem_free(listeners->places);
	mem_free(listeners);
}

size_t listeners_count(const struct listeners *listeners)
{
	return listeners->count;
}

struct listeners_socket listeners_get(const struct listeners *listeners, size_t n, unsigned front)
{
	const struct place *place = &listeners->places[n];

	GP_ASSERT(n < listeners->count && front < listeners->fronts);
	return (struct listeners_socket){
		.listener = place->listener, .address = place->address, .fd = place->fds[front]
	};
}

/* Binding. */

static int make_socket(const struct place *place, bool is_shared_port)
{
	struct sockaddr_storage addr;
	socklen_t len = ip_to_sockaddr(&place->ip, place->port, &addr);
	int on = 1;
	int saved;
	int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
		(!is_shared_port ||
			setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
		(place->ip.family != IP_V6 ||
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
		bind(fd, (const struct sockaddr *)&addr, len) == 0) {
		set_no_delay(fd);
		return fd;
	}
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

/* SO_REUSEPORT would let a second gatepostd take half of the connections without a word: the port
 * must first be had alone. */
static bool is_port_free(const struct place *place)
{
	int fd = make_socket(place, false);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/* A change from one address to all of them meets our own sockets, which may share. */
static bool is_port_ours(const struct place *place, const struct listeners *old)
{
	for (size_t n = 0; old != NULL && n < old->count; n++) {
		if (old->places[n].port == place->port)
			return true;
	}
	return false;
}

static bool bind_place(struct place *place, unsigned fronts, const struct listeners *old)
{
	if (!is_port_ours(place, old) && !is_port_free(place))
		return false;
	for (unsigned i = 0; i < fronts; i++) {
		place->fds[i] = make_socket(place, true);
		if (place->fds[i] < 0 || listen(place->fds[i], BACKLOG) != 0)
			return false;
	}
	return true;
}

/* The same sockets as before, if this address was bound before. */
static bool take_over(struct place *place, unsigned fronts, const struct listeners *old)
{
	for (size_t n = 0; old != NULL && n < old->count; n++) {
		const struct place *had = &old->places[n];

		if (had->is_activated || had->port != place->port ||
			!ip_equal(&had->ip, &place->ip) || old->fronts != fronts)
			continue;
		for (unsigned i = 0; i < fronts; i++) {
			place->fds[i] = fcntl(had->fds[i], F_DUPFD_CLOEXEC, 0);
			if (place->fds[i] < 0)
				return false;
		}
		return true;
	}
	return false;
}

/* is_optional: one half of "*" may be missing where the machine has no such addresses at all. */
static enum gp_err add_address(struct listeners *listeners, const struct listeners *old,
	const struct config_listener *conf, uint16_t index, const char *address, bool is_optional,
	struct gp_why *why)
{
	struct place *place = add_place(listeners, index);

	if (ip_parse(slice_str(address), &place->ip) != GP_OK)
		return gp_why_set(
			why, GP_ERR_CONFIG, "listener %s: %s is no address", conf->name, address);
	place->port = conf->port;
	(void)ip_format(&place->ip, place->address);
	if (take_over(place, listeners->fronts, old) || bind_place(place, listeners->fronts, old))
		return GP_OK;
	if (is_optional && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
		mem_free(place->fds);
		listeners->count--;
		log_info("no_ipv6", LOG_STR("listener", conf->name));
		return GP_OK;
	}
	return gp_why_set(why, GP_ERR_IO, "listener %s: %s port %u: %s", conf->name, address,
		(unsigned)conf->port, strerror(errno));
}

static enum gp_err add_activated(
	struct listeners *listeners, uint16_t index, int fd, struct gp_why *why)
{
	struct place *place = add_place(listeners, index);
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;

	if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0 ||
		getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
		return gp_why_set(why, GP_ERR_CONFIG,
			"descriptor %d of the service manager is no listening stream socket", fd);
	place->is_activated = true;
	ip_from_sockaddr((const struct sockaddr *)&addr, &place->ip, &place->port);
	(void)ip_format(&place->ip, place->address);
	for (unsigned i = 0; i < listeners->fronts; i++) {
		place->fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (place->fds[i] < 0)
			return gp_why_set(why, GP_ERR_IO, "dup: %s", strerror(errno));
	}
	return GP_OK;
}

/* *ret_any: the service manager has sockets of this listener's name; its addresses are then its. */
static enum gp_err take_activated(struct listeners *listeners, const struct config_listener *conf,
	uint16_t index, bool *ret_any, struct gp_why *why)
{
	enum gp_err err = GP_OK;
	bool is_any = false;

	for (int i = 0; err == GP_OK && i < activation.count; i++) {
		if (strcmp(activation.names[i], conf->name) != 0)
			continue;
		is_any = true;
		err = add_activated(listeners, index, SD_LISTEN_FDS_START + i, why);
	}
	*ret_any = is_any;
	return err;
}

static enum gp_err bind_listener(struct listeners *listeners, const struct listeners *old,
	const struct config *config, uint16_t index, struct gp_why *why)
{
	const struct config_listener *conf = &config->listeners[index];
	bool is_activated = false;
	enum gp_err err = take_activated(listeners, conf, index, &is_activated, why);

	if (err != GP_OK || is_activated)
		return err;
	for (size_t i = 0; err == GP_OK && i < conf->addresses.count; i++) {
		const char *address = conf->addresses.items[i];

		if (strcmp(address, "*") != 0) {
			err = add_address(listeners, old, conf, index, address, false, why);
			continue;
		}
		err = add_address(listeners, old, conf, index, "0.0.0.0", false, why);
		if (err == GP_OK)
			err = add_address(listeners, old, conf, index, "::", true, why);
	}
	return err;
}

enum gp_err listeners_bind(const struct config *config, unsigned fronts,
	const struct listeners *old, struct listeners **ret_listeners, struct gp_why *why)
{
	struct listeners *listeners = mem_new(1, sizeof *listeners);
	enum gp_err err = GP_OK;

	listeners->fronts = fronts;
	for (size_t i = 0; err == GP_OK && i < config->listener_count; i++)
		err = bind_listener(listeners, old, config, (uint16_t)i, why);
	if (err == GP_OK)
		*ret_listeners = listeners;
	else
		listeners_free(&listeners);
	return err;
}
