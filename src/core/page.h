/* SPDX-License-Identifier: ISC */
/*
 * One page of what core keeps in no order: the first so many behind a key, in the order of their
 * keys. Whoever lists offers everything there is; what is kept meanwhile is at most twice the page.
 */
#ifndef GP_CORE_PAGE_H
#define GP_CORE_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"

enum {
	PAGE_KEY_SIZE = 24,
	PAGE_LIMIT_MAX = 10000, /* rows of one page; who wants more asks again from the last */
};

struct page_entry {
	unsigned char key[PAGE_KEY_SIZE];
	const void *item;
};

struct page {
	struct page_entry *entries;
	size_t count;
	size_t size;
	size_t limit; /* 0: all */
	bool is_cut;  /* there are limit entries in order; what is behind them is not looked at */
	unsigned char after[PAGE_KEY_SIZE];
	bool has_after;
};

/* The argument "limit": all without it. GP_ERR_SYNTAX, GP_ERR_LIMIT. */
enum gp_err page_init(struct page *page, const json_t *args, struct gp_why *why) GP_CHECKED;
void page_fini(struct page *page);

/* Keys are at most PAGE_KEY_SIZE bytes, shorter ones are filled with zeros. Before page_offer(). */
void page_set_after(struct page *page, struct slice key);
/* item must live until page_fini(). */
void page_offer(struct page *page, struct slice key, const void *item);
void page_each(struct page *page, void (*visit)(const void *item, void *arg), void *arg);

#endif
