/* SPDX-License-Identifier: ISC */
#include "core/spray.h"

#include <limits.h>

#include "core/core.h"
#include "counter/counter_memory.h"

static const struct counter_limits limits = { BAN_SPRAY_NAMES, BAN_SPRAY_WINDOW_MS,
	SPRAY_SECRETS_MAX };

void spray_init(struct core *core)
{
	core->spray.secrets = counter_memory_new(&limits);
	core->spray.pairs = repeats_new(SPRAY_PAIRS_MAX);
}

void spray_fini(struct core *core)
{
	counter_free(&core->spray.secrets);
	repeats_free(&core->spray.pairs);
}

void spray_sweep(struct core *core)
{
	counter_sweep(core->spray.secrets);
	repeats_sweep(core->spray.pairs, BAN_SPRAY_WINDOW_MS);
}

static void on_added(struct counter_ask *ask, const struct counter_result *result)
{
	(void)ask;
	(void)result;
}

unsigned spray_note(struct core *core, struct slice login, struct slice secret)
{
	/* This window is always in memory, so that nobody waits for the answers. */
	static struct counter_ask nobody = { .on_answer = on_added };
	const struct slice none = { 0 };
	unsigned char of_secret[SIGNIN_TAG_SIZE] = { 0 };
	unsigned char of_pair[SIGNIN_TAG_SIZE] = { 0 };
	struct slice key = slice_of(of_secret, sizeof of_secret);
	unsigned before;

	signin_tag(core->windows.tag_key, none, none, secret, of_secret);
	signin_tag(core->windows.tag_key, none, login, secret, of_pair);
	before = counter_committed(core->spray.secrets, key);
	if (repeats_note(core->spray.pairs, of_pair, BAN_SPRAY_WINDOW_MS, UINT_MAX) == REPEATS_NEW)
		counter_add(core->spray.secrets, key, 1, 0, &nobody);
	return before;
}
