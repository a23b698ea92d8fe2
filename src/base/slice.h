/* SPDX-License-Identifier: ISC */
/*
 * A borrowed run of bytes: pointer and length, no NUL needed, owner elsewhere. Valid until the next
 * call on its owner.
 */
#ifndef GP_BASE_SLICE_H
#define GP_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>

struct slice {
	const char *data; /* may be NULL when len is 0 */
	size_t len;
};

/* For printf("%.*s", SLICE_ARG(s)): only for text known to be short and printable. */
#define SLICE_ARG(s) (int)(s).len, (s).data
/* A string literal, without its NUL. */
#define SLICE_LIT(literal) ((struct slice){ (literal), sizeof(literal) - 1 })

struct slice slice_of(const void *data, size_t len);
struct slice slice_str(const char *text); /* NULL gives the empty slice */

bool slice_equal(struct slice a, struct slice b);
bool slice_is(struct slice a, const char *text);
/* ASCII letters without case; other bytes exactly. No locale. */
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_is_nocase(struct slice a, const char *text);
bool slice_starts_nocase(struct slice a, const char *prefix);

/* Offset of the byte, or -1. */
ptrdiff_t slice_find(struct slice a, char byte);
ptrdiff_t slice_find_last(struct slice a, char byte);

/* From offset (at most len) to the end; the first n bytes (at most len). */
struct slice slice_from(struct slice a, size_t offset);
struct slice slice_head(struct slice a, size_t n);

/* Without spaces and tabs at both ends. */
struct slice slice_trim(struct slice a);

/* Cuts the next run of bytes other than space from the front of *rest (spaces before it dropped).
 * Empty when nothing is left. */
struct slice slice_word(struct slice *rest);

/* A NUL-terminated copy on the heap (mem_free), and one into out of size bytes: false if it did not
 * fit or holds a NUL, out is then "". */
char *slice_dup(struct slice a);
bool slice_copy(struct slice a, char *out, size_t size);

/* Decimal digits only, no sign, at most max: false otherwise. */
bool slice_to_u64(struct slice a, unsigned long long max, unsigned long long *ret_value);

#endif
