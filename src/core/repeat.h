/* SPDX-License-Identifier: ISC */
/*
 * Changes of core's own that are done once, however often they are asked for: who sends an
 * idempotency key with one gets the first answer again for REPEAT_KEEP_MS, as of those of the vault
 * (vault/replay.h). They are known in core's memory alone, which is bounded and gone with it: what
 * comes again after that is done again, and is then the same ban or the same end of a session.
 */
#ifndef GP_CORE_REPEAT_H
#define GP_CORE_REPEAT_H

#include <bsd/sys/queue.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "base/map.h"
#include "ops/ops.h"

enum {
	REPEAT_KEEP_MS = 24 * 3600 * 1000,
	REPEAT_MAX = 1024,             /* kept, or under way; beyond, the oldest goes */
	REPEAT_ANSWER_MAX = 16 * 1024, /* bytes of rows; a longer answer is known and not kept */
	REPEAT_BYTES_MAX = 4 * 1024 * 1024, /* of all rows; beyond, the oldest goes */
};

struct caller;
struct core;
struct op_call;
struct repeat;

struct repeats {
	struct map by_key;
	TAILQ_HEAD(repeat_list, repeat) all; /* the oldest first */
	size_t bytes;
	uint64_t last_id;
};

void repeat_init(struct core *core);
void repeat_fini(struct core *core);

/*
 * Before the operation is done. GP_OK: it was done before, and its rows were sent.
 * GP_ERR_NOT_FOUND: it was not; *ret_repeat is its number until repeat_end(), 0 if there is no key
 * or it is none of these operations. With why: GP_ERR_EXISTS (the key was used for something else),
 * GP_ERR_BUSY (it is under way), GP_ERR_LIMIT (it was done, and its answer was too long to be
 * kept).
 */
enum gp_err repeat_find(struct op_call *call, enum ops_id id, struct slice arguments,
	uint64_t *ret_repeat, struct gp_why *why) GP_CHECKED;
/* A row of its answer. Fine for 0, and for one that is not there any more; so is the next. */
void repeat_add_row(struct core *core, uint64_t number, const json_t *row);
/* It is done, or it failed and may be asked for again. */
void repeat_end(struct core *core, uint64_t number, enum gp_err err);

#endif
