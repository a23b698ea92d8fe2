/* SPDX-License-Identifier: ISC */
/* What every fuzz target is built from: the entry point, and a source of split sizes. */
#ifndef GP_TESTS_FUZZ_H
#define GP_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cuts the first n bytes from the front of *rest; fewer if it has fewer. */
static inline struct slice fuzz_cut(struct slice *rest, size_t n)
{
	struct slice head = slice_head(*rest, n);

	*rest = slice_from(*rest, head.len);
	return head;
}

/* One byte from the front of *rest, 0 at its end. */
static inline unsigned fuzz_byte(struct slice *rest)
{
	struct slice head = fuzz_cut(rest, 1);

	return head.len > 0 ? (unsigned char)head.data[0] : 0;
}

/* The next piece's size, 1..64, from a small generator: the same seed, the same splits. */
static inline size_t fuzz_piece(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return (*seed >> 24) % 3 == 0 ? 1 : 1 + (*seed >> 16) % 64;
}

#endif
