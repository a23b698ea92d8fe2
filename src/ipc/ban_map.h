/* SPDX-License-Identifier: ISC */
/*
 * Banned sources in shared memory: one writer (core), read by every front at accept(), before TLS.
 * The memory is made by gatepostd and outlives a crash of core, so a ban never has a gap.
 *
 * Fixed tables: IPv4 addresses, IPv6 /64, /56 and /48 in one each, so that a flood of fresh
 * networks of one kind cannot push a ban of another out. A source has BAN_MAP_WAYS places it may
 * stand in; when all are taken, the entry that ends first goes. Readers never wait: each place has
 * a sequence number (odd while it is written). Times are clock_steady() milliseconds plus the shift
 * that stands in the map's head, so that fronts follow a moved clock.
 */
#ifndef GP_IPC_BAN_MAP_H
#define GP_IPC_BAN_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ip.h"

enum {
	BAN_MAP_ENTRIES = 65536,    /* IPv4 addresses, and as many IPv6 /64 */
	BAN_MAP_AGGREGATES = 16384, /* /56, and as many /48 */
	/* Twice as many places, 16 to choose from: in a table with that many entries about one in
	 * a thousand finds all its places taken. */
	BAN_MAP_SPARE = 2,
	BAN_MAP_WAYS = 16,
};

struct ban_map;

/* A fresh memfd of the right size; gatepostd. */
enum gp_err ban_map_create(int *ret_fd) GP_CHECKED;
/* The same memory, read-only, as another descriptor: for the fronts. */
enum gp_err ban_map_reopen_read(int fd, int *ret_fd) GP_CHECKED;
size_t ban_map_bytes(void);

/* fd stays the caller's and may be closed afterwards. */
enum gp_err ban_map_open_write(int fd, struct ban_map **ret_map) GP_CHECKED;
enum gp_err ban_map_open_read(int fd, struct ban_map **ret_map) GP_CHECKED;
void ban_map_close(struct ban_map **pmap);

/* Milliseconds a ban of this address, on whatever level, still lasts; 0 if there is none. */
int64_t ban_map_left(const struct ban_map *map, const struct ip *ip);
/* What the reference of that ban is made from; 0 if there is none. */
uint64_t ban_map_origin(const struct ban_map *map, const struct ip *ip);
/* The same for the ban of exactly this network of a level (base/ip.h). */
int64_t ban_map_net_left(const struct ban_map *map, const struct ip_net *net);

/* Visits every network whose ban still lasts, with ban_map_net_left(). Core only; visit() may
 * change the map. */
typedef void ban_map_visit_fn(const struct ip_net *net, int64_t left, uint64_t origin, void *arg);
void ban_map_each(const struct ban_map *map, ban_map_visit_fn *visit, void *arg);

/* Core only. net: of a level; others are ignored. until: clock_steady() milliseconds. origin: see
 * base/reference.h. Replaces an earlier entry. */
void ban_map_set(struct ban_map *map, const struct ip_net *net, int64_t until, uint64_t origin);
void ban_map_clear(struct ban_map *map, const struct ip_net *net);
void ban_map_clear_all(struct ban_map *map);
/* Tells readers how far core's clock is shifted (base/clock.h). */
void ban_map_set_shift(struct ban_map *map, int64_t shift_ms);
int64_t ban_map_shift(const struct ban_map *map); /* for a fresh core */

#endif
