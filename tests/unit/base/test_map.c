/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"
#include "base/mem.h"

enum {
	MANY = 20000
};

struct item {
	int padding;
	struct map_node node;
	uint32_t key;
};

static struct slice key_of(const struct item *item)
{
	return slice_of(&item->key, sizeof item->key);
}

static void remove_even(struct map_node *node, void *arg)
{
	struct item *item = MAP_ENTRY(node, struct item, node);

	if (item->key % 2 == 0)
		map_remove(arg, node);
}

static void count_one(struct map_node *node, void *arg)
{
	unsigned *count = arg;

	(void)node;
	(*count)++;
}

static void test_many_keys(void **state)
{
	struct item *items = mem_new(MANY, sizeof *items);
	struct map map;
	unsigned count = 0;

	(void)state;
	map_init(&map);
	assert_null(map_first(&map));
	assert_null(map_find(&map, SLICE_LIT("x")));
	for (uint32_t i = 0; i < MANY; i++) {
		items[i].key = i;
		map_add(&map, &items[i].node, key_of(&items[i]));
	}
	assert_int_equal(map.count, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		struct map_node *node = map_find(&map, slice_of(&i, sizeof i));

		assert_non_null(node);
		assert_ptr_equal(MAP_ENTRY(node, struct item, node), &items[i]);
	}
	assert_null(map_find(&map, slice_of(&items[0].key, 3)));
	map_each(&map, remove_even, &map);
	map_each(&map, count_one, &count);
	assert_int_equal(count, MANY / 2);
	assert_int_equal(map.count, MANY / 2);
	for (uint32_t i = 0; i < MANY; i++)
		assert_true((map_find(&map, slice_of(&i, sizeof i)) != NULL) == (i % 2 == 1));
	while (map.count > 0)
		map_remove(&map, map_first(&map));
	assert_null(map_first(&map));
	map_fini(&map);
	mem_free(items);
}

static void test_empty_key(void **state)
{
	struct item item = { .key = 0 };
	struct map map;

	(void)state;
	map_init(&map);
	map_add(&map, &item.node, slice_of(NULL, 0));
	assert_ptr_equal(map_find(&map, SLICE_LIT("")), &item.node);
	assert_null(map_find(&map, SLICE_LIT("\0")));
	map_remove(&map, &item.node);
	map_fini(&map);
}

/* Buckets stay short whatever the keys: no more than a few of them share one. */
static void test_spread(void **state)
{
	struct item *items = mem_new(MANY, sizeof *items);
	struct map map;
	unsigned longest = 0;

	(void)state;
	map_init(&map);
	for (uint32_t i = 0; i < MANY; i++) {
		items[i].key = i << 12;
		map_add(&map, &items[i].node, key_of(&items[i]));
	}
	for (size_t i = 0; i < map.bucket_count; i++) {
		unsigned length = 0;

		for (struct map_node *node = map.buckets[i]; node != NULL; node = node->next)
			length++;
		longest = length > longest ? length : longest;
	}
	assert_in_range(longest, 1, 16);
	map_fini(&map);
	mem_free(items);
}

static void test_hash(void **state)
{
	(void)state;
	assert_true(map_hash(SLICE_LIT("abcdefgh")) == map_hash(SLICE_LIT("abcdefgh")));
	assert_true(map_hash(SLICE_LIT("abcdefgh")) != map_hash(SLICE_LIT("abcdefgi")));
	assert_true(map_hash(SLICE_LIT("a")) != map_hash(SLICE_LIT("a\0")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_empty_key),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
