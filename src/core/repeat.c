/* SPDX-License-Identifier: ISC */
#include "core/repeat.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "core/core.h"

struct repeat {
	struct map_node node;
	TAILQ_ENTRY(repeat) link;
	uint64_t number;
	unsigned char key[SIGNIN_TAG_SIZE];   /* who, under which key */
	unsigned char asked[SIGNIN_TAG_SIZE]; /* what */
	int64_t at;                           /* clock_steady() */
	json_t *rows;
	size_t bytes;
	bool is_done;
	bool is_too_long;
};

void repeat_init(struct core *core)
{
	map_init(&core->repeats.by_key);
	TAILQ_INIT(&core->repeats.all);
}

static void drop(struct core *core, struct repeat *repeat)
{
	struct repeats *repeats = &core->repeats;

	map_remove(&repeats->by_key, &repeat->node);
	TAILQ_REMOVE(&repeats->all, repeat, link);
	repeats->bytes -= repeat->bytes;
	json_decref(repeat->rows);
	mem_free(repeat);
}

void repeat_fini(struct core *core)
{
	while (!TAILQ_EMPTY(&core->repeats.all))
		drop(core, TAILQ_FIRST(&core->repeats.all));
	map_fini(&core->repeats.by_key);
}

/* Those that change something and are no step of somebody's session at the portal. */
static bool is_kept(enum ops_id id)
{
	return id == OPS_ban_add || id == OPS_ban_remove || id == OPS_session_kill ||
	       id == OPS_self_ban_lift;
}

static void forget_old(struct core *core)
{
	struct repeat *oldest = TAILQ_FIRST(&core->repeats.all);

	while (oldest != NULL && clock_steady() - oldest->at >= REPEAT_KEEP_MS) {
		drop(core, oldest);
		oldest = TAILQ_FIRST(&core->repeats.all);
	}
}

static uint64_t begin(struct core *core, const unsigned char key[static SIGNIN_TAG_SIZE],
	const unsigned char asked[static SIGNIN_TAG_SIZE])
{
	struct repeats *repeats = &core->repeats;
	struct repeat *repeat = mem_new(1, sizeof *repeat);

	if (repeats->by_key.count >= REPEAT_MAX)
		drop(core, TAILQ_FIRST(&repeats->all));
	repeat->number = ++repeats->last_id;
	memcpy(repeat->key, key, sizeof repeat->key);
	memcpy(repeat->asked, asked, sizeof repeat->asked);
	repeat->at = clock_steady();
	repeat->rows = json_array();
	map_add(&repeats->by_key, &repeat->node, slice_of(repeat->key, sizeof repeat->key));
	TAILQ_INSERT_TAIL(&repeats->all, repeat, link);
	return repeat->number;
}

static struct repeat *find(struct core *core, uint64_t number)
{
	struct repeat *repeat = NULL;

	TAILQ_FOREACH (repeat, &core->repeats.all, link) {
		if (repeat->number == number)
			break;
	}
	return repeat;
}

static enum gp_err answer(struct op_call *call, const struct repeat *repeat,
	const unsigned char asked[static SIGNIN_TAG_SIZE], struct gp_why *why)
{
	json_t *row;
	size_t i;

	if (!secret_equal(
		    slice_of(repeat->asked, SIGNIN_TAG_SIZE), slice_of(asked, SIGNIN_TAG_SIZE)))
		return gp_why_set(
			why, GP_ERR_EXISTS, "this idempotency key was used for another request");
	if (!repeat->is_done)
		return gp_why_set(why, GP_ERR_BUSY, "it is under way; try again");
	if (repeat->is_too_long)
		return gp_why_set(why, GP_ERR_LIMIT,
			"it was done, and its answer was too long to be kept under an idempotency "
			"key");
	json_array_foreach(repeat->rows, i, row)
	{
		op_row(call, json_incref(row));
	}
	return GP_OK;
}

enum gp_err repeat_find(struct op_call *call, enum ops_id id, struct slice arguments,
	uint64_t *ret_repeat, struct gp_why *why)
{
	struct core *core = call->core;
	const struct caller *caller = call->caller;
	unsigned char key[SIGNIN_TAG_SIZE];
	unsigned char asked[SIGNIN_TAG_SIZE];
	struct map_node *node = NULL;

	*ret_repeat = 0;
	if (caller->idempotency.len == 0 || !is_kept(id))
		return GP_ERR_NOT_FOUND;
	signin_tag(core->windows.tag_key, SLICE_LIT("repeat"), caller->actor, caller->idempotency,
		key);
	signin_tag(core->windows.tag_key, SLICE_LIT("repeated"), slice_str(ops_entry(id)->name),
		arguments, asked);
	forget_old(core);
	node = map_find(&core->repeats.by_key, slice_of(key, sizeof key));
	if (node != NULL)
		return answer(call, MAP_ENTRY(node, struct repeat, node), asked, why);
	*ret_repeat = begin(core, key, asked);
	return GP_ERR_NOT_FOUND;
}

void repeat_add_row(struct core *core, uint64_t number, const json_t *row)
{
	struct repeat *repeat = number != 0 ? find(core, number) : NULL;
	size_t len = repeat != NULL ? json_dumpb(row, NULL, 0, JSON_COMPACT) : 0;

	if (repeat == NULL || repeat->is_too_long)
		return;
	if (repeat->bytes + len > REPEAT_ANSWER_MAX) {
		repeat->is_too_long = true;
		core->repeats.bytes -= repeat->bytes;
		repeat->bytes = 0;
		json_array_clear(repeat->rows);
		return;
	}
	GP_ASSERT(json_array_append_new(repeat->rows, json_deep_copy(row)) == 0);
	repeat->bytes += len;
	core->repeats.bytes += len;
	while (core->repeats.bytes > REPEAT_BYTES_MAX && TAILQ_FIRST(&core->repeats.all) != repeat)
		drop(core, TAILQ_FIRST(&core->repeats.all));
}

void repeat_end(struct core *core, uint64_t number, enum gp_err err)
{
	struct repeat *repeat = number != 0 ? find(core, number) : NULL;

	if (repeat != NULL && err == GP_OK)
		repeat->is_done = true;
	else if (repeat != NULL)
		drop(core, repeat);
}
