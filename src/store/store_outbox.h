/* SPDX-License-Identifier: ISC */
/*
 * The outbox: mail of Gatepost's own ("your password was changed") until a next hop has taken it.
 * It is put there in the transaction of what it tells of, so that neither is without the other.
 * Process: vault, desk lane. Errors as in store.h.
 */
#ifndef GP_STORE_STORE_OUTBOX_H
#define GP_STORE_STORE_OUTBOX_H

#include "store/store.h"

enum {
	STORE_KIND_SIZE = 32,
	STORE_OUTBOX_CONTENT_MAX = 4096, /* bytes */
	STORE_OUTBOX_MAX = 10000,        /* not done at a time */
	STORE_OUTBOX_SAID_SIZE = 256,    /* of a refusal's words, with the NUL */
};

struct store_outbox {
	uint64_t id;
	uint64_t account; /* it concerns; may be gone */
	char recipient[STORE_ADDRESS_SIZE];
	char kind[STORE_KIND_SIZE];
	char language[STORE_LANGUAGE_SIZE];
	struct slice content; /* bytes; good during the visit */
	int64_t created_at;
	int64_t due_at; /* not before */
	unsigned tries;
};

enum store_outbox_state {
	STORE_OUTBOX_WAITING,
	STORE_OUTBOX_TAKEN,   /* by the next hop */
	STORE_OUTBOX_REFUSED, /* by it, or nobody took it for too long */
};

/* What became of one. */
struct store_outbox_fate {
	uint64_t id;
	enum store_outbox_state state;
	int64_t created_at;
	int64_t done_at; /* 0: it waits */
	char said[STORE_OUTBOX_SAID_SIZE];
};

/* Uses all but id and tries. GP_ERR_LIMIT: too long, or the outbox is full. */
enum gp_err store_outbox_add(
	struct store *store, const struct store_outbox *row, uint64_t *ret_id) GP_CHECKED;
/* Those due at now, the oldest first, at most limit. */
enum gp_err store_outbox_each_due(struct store *store, int64_t now, uint64_t limit,
	enum gp_err (*visit)(const struct store_outbox *row, void *arg), void *arg) GP_CHECKED;
/* When the next one is due; GP_ERR_NOT_FOUND: there is none. */
enum gp_err store_outbox_next(struct store *store, int64_t *ret_due_at) GP_CHECKED;
/* It is tried now; if nothing is heard of it, again at due_at. GP_ERR_NOT_FOUND. */
enum gp_err store_outbox_put_off(struct store *store, uint64_t id, int64_t due_at) GP_CHECKED;
/* It is sent, or given up: its content goes, the rest stays until it is swept. said: why it was
 * refused, shorter than STORE_OUTBOX_SAID_SIZE; "" if the next hop did not say. GP_ERR_NOT_FOUND.
 */
enum gp_err store_outbox_finish(struct store *store, uint64_t id, int64_t now,
	enum store_outbox_state state, const char *said) GP_CHECKED;
/* Removes those that were done before. */
enum gp_err store_outbox_sweep(struct store *store, int64_t before) GP_CHECKED;
/* One that is not done, by its number; GP_ERR_NOT_FOUND. content is left empty. */
enum gp_err store_outbox_find(
	struct store *store, uint64_t id, struct store_outbox *ret_row) GP_CHECKED;
/* The account's latest of a kind, as long as it is not swept; GP_ERR_NOT_FOUND. */
enum gp_err store_outbox_latest(struct store *store, uint64_t account, struct slice kind,
	struct store_outbox_fate *ret_fate) GP_CHECKED;
/* How many of a kind were put there for the account at or after since, done or not; kind empty: of
 * any. */
enum gp_err store_outbox_count(struct store *store, uint64_t account, struct slice kind,
	int64_t since, uint64_t *ret_count) GP_CHECKED;

#endif
