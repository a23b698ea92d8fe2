/* SPDX-License-Identifier: ISC */
/*
 * Small fixed-size allocations. Running out of memory for these ends the process (gatepostd
 * restarts it); memory whose size a peer chooses goes through buf_reserve() with a cap instead.
 */
#ifndef GP_BASE_MEM_H
#define GP_BASE_MEM_H

#include <stddef.h>

/* Zeroed memory for count objects of size bytes; never NULL. Freed with mem_free(). */
void *mem_new(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* Grows or shrinks; new bytes are not zeroed. Never NULL for count > 0. Not for secrets. */
void *mem_resize(void *old, size_t count, size_t size);

/* Copies of a C string, or of len bytes with a NUL after them. Never NULL; freed with mem_free().
 */
char *mem_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *mem_strndup(const char *data, size_t len) __attribute__((malloc, returns_nonnull));

/* A printf into fresh memory. */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2), malloc));

/* Accepts NULL. */
void mem_free(void *old);

/* Overwrites in a way the compiler keeps. */
void mem_wipe(void *data, size_t len);

#endif
