/* SPDX-License-Identifier: ISC */
/*
 * Secrets on the heap: passwords, tokens, keys. Wiped when freed, compared in constant time. They
 * have no way into a log line: log fields take plain strings, and struct secret is none.
 */
#ifndef GP_BASE_SECRET_H
#define GP_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum {
	SECRET_MAX = 1024
}; /* longest password taken from anyone, bytes (UTF-8) */

struct secret; /* opaque; the bytes may hold NUL, one more NUL follows them */

struct secret *secret_new(struct slice bytes);
/* Wipes, frees and sets *psecret to NULL; NULL inside is fine. */
void secret_free(struct secret **psecret);
/* Borrowed until secret_free(); NULL gives the empty slice. */
struct slice secret_slice(const struct secret *secret);

/* Constant time in the contents; the lengths are not hidden. */
bool secret_equal(struct slice a, struct slice b);

#endif
