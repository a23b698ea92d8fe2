/* SPDX-License-Identifier: ISC */
/*
 * An intrusive hash map keyed by bytes. Keys are hashed with SipHash-2-4 under a random key of the
 * process, so a peer cannot aim at one bucket. The owner embeds struct map_node and keeps the key's
 * bytes alive while the node is in the map.
 */
#ifndef GP_BASE_MAP_H
#define GP_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct map_node {
	struct map_node *next;
	uint64_t hash;
	struct slice key;
};

struct map {
	struct map_node **buckets;
	size_t bucket_count; /* a power of two, or 0 */
	size_t count;
};

/* The object of this type in which node is embedded as this member. */
#define MAP_ENTRY(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

void map_init(struct map *map);
void map_fini(struct map *map); /* frees the buckets; the nodes belong to the caller */

struct map_node *map_find(const struct map *map, struct slice key);
/* The key must not be in the map yet. */
void map_add(struct map *map, struct map_node *node, struct slice key);
void map_remove(struct map *map, struct map_node *node);

/* Any node, or NULL: for emptying a map. */
struct map_node *map_first(const struct map *map);
/* Visits every node in no order; visit() may remove the node it is given and no other. */
void map_each(struct map *map, void (*visit)(struct map_node *node, void *arg), void *arg);

/* SipHash-2-4 under the random key of this process. */
uint64_t map_hash(struct slice key);
/* The same under a given key: for tables that several processes share. */
uint64_t map_hash_keyed(const uint64_t hash_key[2], struct slice key);

#endif
