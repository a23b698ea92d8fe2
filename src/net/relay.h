/* SPDX-License-Identifier: ISC */
/*
 * Bytes between two connections, both ways, after sign-in. Each direction has one bounded buffer
 * (the output of its sink); a slow sink pauses its source. Process: front. Owner: a session.
 */
#ifndef GP_NET_RELAY_H
#define GP_NET_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "net/conn.h"

struct relay;

enum {
	RELAY_BUFFER = 64 * 1024
};

/* Rewrites bytes on their way; used where a backend offers what must not be used. Appends to out
 * what goes on; consumes all of bytes or holds a part back itself. false: close both sides. */
struct relay_filter {
	bool (*pass)(void *state, struct slice bytes, struct buf *out);
	void *state; /* the owner's, alive until relay_free() */
};

struct relay_totals {
	uint64_t client_bytes;  /* from client to backend */
	uint64_t backend_bytes; /* from backend to client */
};

/* Takes both connections (*pclient and *pbackend become NULL). from_client and from_backend may be
 * NULL. idle_ms: both silent for this long ends it. on_end() is called once, from the loop; the
 * owner then frees. */
struct relay *relay_new(struct loop *loop, struct conn **pclient, struct conn **pbackend,
	const struct relay_filter *from_client, const struct relay_filter *from_backend,
	int64_t idle_ms, void (*on_end)(struct relay *relay, void *owner), void *owner);
void relay_free(struct relay **prelay);

/* Says a last line to the client if nothing is on its way to it, then closes both. on_end()
 * follows. */
void relay_finish(struct relay *relay, struct slice last_words);
struct relay_totals relay_totals(const struct relay *relay);

#endif
