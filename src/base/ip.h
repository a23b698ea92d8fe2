/* SPDX-License-Identifier: ISC */
/*
 * Addresses, networks and "sources". A source is what bans and windows are kept for: one IPv4
 * address, or one IPv6 /64. ::ffff:a.b.c.d is IPv4 everywhere. An IPv6 source also belongs to its
 * /56 and its /48, which count and are banned as a whole, with limits of their own: whoever has one
 * has many sources. These are the levels of an address.
 */
#ifndef GP_BASE_IP_H
#define GP_BASE_IP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/slice.h"

enum {
	IP_TEXT_SIZE = 64, /* longest text of an address or network, with its NUL */
	IP_SOURCE_V6_PREFIX = 64,
};

enum ip_level {
	IP_LEVEL_SOURCE,
	IP_LEVEL_56,
	IP_LEVEL_48,
	IP_LEVELS
};

enum ip_family {
	IP_NONE = 0, /* no address: a UNIX socket peer */
	IP_V4 = 4,
	IP_V6 = 6,
};

struct ip {
	uint8_t family;    /* enum ip_family */
	uint8_t bytes[16]; /* network order; IPv4 uses the first 4, the rest is 0 */
};

struct ip_net {
	struct ip base; /* host bits are 0 */
	uint8_t prefix; /* 0..32 or 0..128 */
};

/* Numeric forms only, no brackets, no zone. Mapped IPv4 becomes IPv4. */
enum gp_err ip_parse(struct slice text, struct ip *ret_ip) GP_CHECKED;
/* "192.0.2.1", "2001:db8::1", "none"; returns out. */
const char *ip_format(const struct ip *ip, char out[static IP_TEXT_SIZE]);

/* AF_UNIX and unknown families give IP_NONE and port 0. */
void ip_from_sockaddr(const struct sockaddr *addr, struct ip *ret_ip, uint16_t *ret_port);
/* Length of what was written to out, 0 for IP_NONE. */
socklen_t ip_to_sockaddr(const struct ip *ip, uint16_t port, struct sockaddr_storage *out);

bool ip_equal(const struct ip *a, const struct ip *b);
bool ip_is_loopback(const struct ip *ip);

/* The source an address counts under: itself, or its /64 with host bits 0. */
struct ip ip_source(const struct ip *ip);
/* A source for people and the store: "192.0.2.1" or "2001:db8:1:2::/64"; returns out. */
const char *ip_format_source(const struct ip *source, char out[static IP_TEXT_SIZE]);
/* An address, or the /64 text of ip_format_source(): any address counts under its source. */
enum gp_err ip_parse_source(struct slice text, struct ip *ret_source) GP_CHECKED;

/* How many levels an address has: 1 for IPv4, IP_LEVELS for IPv6, 0 for IP_NONE. */
unsigned ip_levels(const struct ip *ip);
/* The network of a level that an address is in: a source has prefix 32 or 64. level: one that the
 * address has. */
struct ip_net ip_level_net(const struct ip *ip, enum ip_level level);
/* Is it the network of a level, and of which? */
bool ip_net_level(const struct ip_net *net, enum ip_level *ret_level);
/* An address, which stands for its source, or the text of a level's network, as ip_net_format()
 * makes it. */
enum gp_err ip_parse_level(struct slice text, struct ip_net *ret_net) GP_CHECKED;
bool ip_net_equal(const struct ip_net *a, const struct ip_net *b);

/* "192.0.2.0/24", "2001:db8::/32", or one address. Host bits that are set are GP_ERR_SYNTAX. */
enum gp_err ip_net_parse(struct slice text, struct ip_net *ret_net) GP_CHECKED;
bool ip_net_contains(const struct ip_net *net, const struct ip *ip);
bool ip_nets_contain(const struct ip_net *nets, size_t count, const struct ip *ip);
const char *ip_net_format(const struct ip_net *net, char out[static IP_TEXT_SIZE]);

#endif
