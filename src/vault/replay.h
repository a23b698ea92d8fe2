/* SPDX-License-Identifier: ISC */
/*
 * Creations that are done once, however often they are asked for: who sends an idempotency key with
 * an operation gets the same answer again for REPLAY_KEEP_S when asking again, be it that the first
 * answer was lost on its way or that a panel runs its job twice. The answer is kept sealed, in the
 * transaction of the operation itself: it may hold a secret that is shown once. Process: vault,
 * desk lane.
 */
#ifndef GP_VAULT_REPLAY_H
#define GP_VAULT_REPLAY_H

#include <jansson.h>

#include "base/err.h"
#include "base/slice.h"
#include "ops/ops.h"

struct vault;

enum {
	REPLAY_KEEP_S = 24 * 3600,
	REPLAY_ANSWER_MAX =
		16 *
		1024, /* bytes of all rows; a longer answer is not kept, and so the key refused */
};

/* One question: who, under which key, what. */
struct replay {
	struct vault *vault;
	struct slice actor;
	struct slice idempotency; /* "": none, and then nothing here does anything */
	enum ops_id id;
	struct slice arguments;
};

/* GP_OK: it was done before, *ret_rows (an array, owned by the caller) is the answer.
 * GP_ERR_NOT_FOUND: it was not, or there is no key. GP_ERR_EXISTS with why: the key was used for
 * something else. */
enum gp_err replay_find(
	const struct replay *replay, json_t **ret_rows, struct gp_why *why) GP_CHECKED;
/* In the transaction of the operation. GP_ERR_LIMIT with why: the answer is too long. */
enum gp_err replay_keep(
	const struct replay *replay, const json_t *rows, struct gp_why *why) GP_CHECKED;

#endif
