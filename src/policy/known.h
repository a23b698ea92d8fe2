/* SPDX-License-Identifier: ISC */
/*
 * Whom an account has written to: a bounded set of keyed hashes, no addresses. An entry is 26 bits
 * of the hash and the week in which it was last written to, modulo 64; after KNOWN_WEEKS weeks it
 * counts no more, but for a year from week 64 on, if nothing was written to it or took its place.
 * Full, it forgets what is longest ago. 4 bytes an entry, some 7 with the room it keeps free; at
 * most 64 KiB for about 11,000 recipients. A stranger is taken for known once in some million cases
 * for people, once in 10,000 for a newsletter. Pure but for its memory.
 */
#ifndef GP_POLICY_KNOWN_H
#define GP_POLICY_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KNOWN_BUCKET = 16,      /* slots: one cache line */
	KNOWN_BUCKETS_LOG = 10, /* at most 2^10 buckets */
	KNOWN_WEEKS = 52,
};

struct known {
	uint32_t *slots; /* NULL while empty */
	uint32_t count;
	uint8_t log; /* of the number of buckets */
};

/* All zero is empty. */
void known_fini(struct known *known);
/* tag: profile_tag(). now: seconds. */
bool known_has(const struct known *known, uint32_t tag, int64_t now);
/* Written to now. true: was not known. The only call that may take memory. */
bool known_add(struct known *known, uint32_t tag, int64_t now);

/* For storing: calls visit for each entry; makes room in an empty set as one of this log had it, at
 * most KNOWN_BUCKETS_LOG; puts an entry back, as it was visited. */
void known_each(const struct known *known, void (*visit)(uint32_t entry, void *owner), void *owner);
void known_make_room(struct known *known, uint8_t log);
void known_restore(struct known *known, uint32_t entry);
size_t known_bytes(const struct known *known);

#endif
