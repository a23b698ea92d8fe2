/* SPDX-License-Identifier: ISC */
#include "base/map.h"

#include <stdbool.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/siphash.h"

enum {
	MAP_FIRST_BUCKETS = 64
};

uint64_t map_hash_keyed(const uint64_t hash_key[2], struct slice key)
{
	return siphash(hash_key, key);
}

uint64_t map_hash(struct slice key)
{
	static uint64_t process_key[2];
	static bool has_key;

	if (!has_key) {
		rand_bytes(process_key, sizeof process_key);
		has_key = true;
	}
	return siphash(process_key, key);
}

void map_init(struct map *map)
{
	*map = (struct map){ 0 };
}

void map_fini(struct map *map)
{
	mem_free(map->buckets);
	map_init(map);
}

static struct map_node **bucket_of(const struct map *map, uint64_t hash)
{
	return &map->buckets[hash & (map->bucket_count - 1)];
}

struct map_node *map_find(const struct map *map, struct slice key)
{
	uint64_t hash;

	if (map->count == 0)
		return NULL;
	hash = map_hash(key);
	for (struct map_node *node = *bucket_of(map, hash); node != NULL; node = node->next) {
		if (node->hash == hash && slice_equal(node->key, key))
			return node;
	}
	return NULL;
}

static void push(struct map *map, struct map_node *node)
{
	struct map_node **bucket = bucket_of(map, node->hash);

	node->next = *bucket;
	*bucket = node;
}

static void grow(struct map *map)
{
	struct map old = *map;

	map->bucket_count = old.bucket_count > 0 ? old.bucket_count * 2 : MAP_FIRST_BUCKETS;
	map->buckets = mem_new(map->bucket_count, sizeof *map->buckets);
	for (size_t i = 0; i < old.bucket_count; i++) {
		struct map_node *node = old.buckets[i];

		while (node != NULL) {
			struct map_node *next = node->next;

			push(map, node);
			node = next;
		}
	}
	mem_free(old.buckets);
}

void map_add(struct map *map, struct map_node *node, struct slice key)
{
	if (map->count >= map->bucket_count)
		grow(map);
	node->key = key;
	node->hash = map_hash(key);
	push(map, node);
	map->count++;
}

void map_remove(struct map *map, struct map_node *node)
{
	struct map_node **at = bucket_of(map, node->hash);

	while (*at != node) {
		GP_ASSERT(*at != NULL);
		at = &(*at)->next;
	}
	*at = node->next;
	node->next = NULL;
	map->count--;
}

struct map_node *map_first(const struct map *map)
{
	for (size_t i = 0; i < map->bucket_count; i++) {
		if (map->buckets[i] != NULL)
			return map->buckets[i];
	}
	return NULL;
}

void map_each(struct map *map, void (*visit)(struct map_node *node, void *arg), void *arg)
{
	for (size_t i = 0; i < map->bucket_count; i++) {
		struct map_node *node = map->buckets[i];

		while (node != NULL) {
			struct map_node *next = node->next;

			visit(node, arg);
			node = next;
		}
	}
}
