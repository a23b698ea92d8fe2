/* SPDX-License-Identifier: ISC */
#include "ops/json_setup.h"

#include <jansson.h>
#include <stddef.h>

#include "base/mem.h"

/* In front of each block, so that its size is known when it is freed. */
union header {
	size_t size;
	max_align_t align;
};

static void *wiped_new(size_t size)
{
	union header *header = mem_new(1, sizeof *header + size);

	header->size = size;
	return header + 1;
}

static void wiped_free(void *block)
{
	union header *header = block;

	if (block == NULL)
		return;
	header--;
	mem_wipe(header, sizeof *header + header->size);
	mem_free(header);
}

void json_setup(void)
{
	json_set_alloc_funcs(wiped_new, wiped_free);
	json_object_seed(0);
}
