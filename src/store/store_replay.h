/* SPDX-License-Identifier: ISC */
/* Answers that are kept for who asks again (vault/replay.h). Process: vault, desk lane. */
#ifndef GP_STORE_STORE_REPLAY_H
#define GP_STORE_STORE_REPLAY_H

#include "base/buf.h"
#include "store/store.h"

enum {
	STORE_REPLAY_ROWS_MAX = 100000, /* the oldest go */
};

/* In the caller's transaction. request: STORE_TAG_SIZE bytes. GP_ERR_EXISTS: the key was used. */
enum gp_err store_replay_add(struct store *store, struct slice actor, struct slice idempotency,
	const uint8_t request[static STORE_TAG_SIZE], struct slice answer, int64_t now) GP_CHECKED;
/* One kept at or after since; its answer is appended. GP_ERR_NOT_FOUND. */
enum gp_err store_replay_find(struct store *store, struct slice actor, struct slice idempotency,
	int64_t since, uint8_t ret_request[static STORE_TAG_SIZE],
	struct buf *ret_answer) GP_CHECKED;
/* Removes those kept before. */
enum gp_err store_replay_sweep(struct store *store, int64_t before) GP_CHECKED;

#endif
