/* SPDX-License-Identifier: ISC */
#include "core/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

enum {
	ENTRIES_MIN = 64,
};

static void set_key(unsigned char out[static PAGE_KEY_SIZE], struct slice key)
{
	GP_ASSERT(key.len <= PAGE_KEY_SIZE);
	memset(out, 0, PAGE_KEY_SIZE);
	memcpy(out, key.data, key.len);
}

static int compare(const void *a, const void *b)
{
	const struct page_entry *one = a;
	const struct page_entry *other = b;

	return memcmp(one->key, other->key, sizeof one->key);
}

enum gp_err page_init(struct page *page, const json_t *args, struct gp_why *why)
{
	const json_t *limit = json_object_get(args, "limit");

	if (limit != NULL && json_integer_value(limit) < 1)
		return gp_why_set(why, GP_ERR_SYNTAX, "\"limit\" must be above 0");
	if (limit != NULL && json_integer_value(limit) > PAGE_LIMIT_MAX)
		return gp_why_set(why, GP_ERR_LIMIT,
			"\"limit\" is at most %d; ask again from the last row", PAGE_LIMIT_MAX);
	*page = (struct page){ .limit = (size_t)json_integer_value(limit) };
	return GP_OK;
}

void page_fini(struct page *page)
{
	mem_free(page->entries);
	*page = (struct page){ 0 };
}

void page_set_after(struct page *page, struct slice key)
{
	set_key(page->after, key);
	page->has_after = true;
}

/* In order, and no more than are wanted. */
static void cut(struct page *page)
{
	if (page->count > 1)
		qsort(page->entries, page->count, sizeof *page->entries, compare);
	if (page->limit == 0 || page->count < page->limit)
		return;
	page->count = page->limit;
	page->is_cut = true;
}

static void make_room(struct page *page)
{
	if (page->limit != 0 && page->count == 2 * page->limit)
		cut(page);
	if (page->count < page->size)
		return;
	page->size = page->size > 0 ? 2 * page->size : ENTRIES_MIN;
	page->entries = mem_resize(page->entries, page->size, sizeof *page->entries);
}

void page_offer(struct page *page, struct slice key, const void *item)
{
	struct page_entry entry = { .item = item };

	set_key(entry.key, key);
	if (page->has_after && memcmp(entry.key, page->after, sizeof page->after) <= 0)
		return;
	if (page->is_cut && compare(&entry, &page->entries[page->limit - 1]) >= 0)
		return;
	make_room(page);
	page->entries[page->count++] = entry;
}

void page_each(struct page *page, void (*visit)(const void *item, void *arg), void *arg)
{
	cut(page);
	for (size_t i = 0; i < page->count; i++)
		visit(page->entries[i].item, arg);
}
