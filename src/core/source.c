/* SPDX-License-Identifier: ISC */
#include "core/source.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/rand.h"
#include "core/core.h"
#include "counter/counter_memory.h"

static const struct counter_limits notes_limits = { NOTES_PER_SOURCE, NOTES_WINDOW_MS,
	WINDOW_KEYS_MAX };

/* A struct ip is family and bytes without padding, so it is its own key. */
_Static_assert(sizeof(struct ip) == 17, "struct ip has no padding");

struct slice source_key(const struct ip *source)
{
	return slice_of(source, sizeof *source);
}

struct counter *source_window(struct core *core, const struct ip *ip, enum ip_level level)
{
	return ip->family == IP_V6 ? core->windows.v6[level] : core->windows.v4;
}

static void on_room(struct counter *counter, struct slice key, void *owner)
{
	struct core *core = owner;
	struct map_node *node = map_find(&core->sources.by_ip, key);

	(void)counter;
	if (node != NULL)
		signin_wake(core, MAP_ENTRY(node, struct source, node));
}

static void on_shared_room(struct counter *counter, struct slice key, void *owner)
{
	line_wake(owner, counter, key);
}

static struct counter *window_new(struct core *core, const struct counter_limits *limits,
	void (*on_room_of)(struct counter *counter, struct slice key, void *owner))
{
	struct counter *counter = counter_memory_new(limits);

	counter->on_room = on_room_of;
	counter->owner = core;
	return counter;
}

static void windows_open(struct core *core)
{
	struct windows *windows = &core->windows;
	struct counter_limits limits = ban_limits(core->policy, IP_LEVEL_SOURCE, WINDOW_KEYS_MAX);

	windows->v4 = window_new(core, &limits, on_room);
	windows->v6[IP_LEVEL_SOURCE] = window_new(core, &limits, on_room);
	for (unsigned level = 1; level < IP_LEVELS; level++) {
		limits = ban_limits(core->policy, (enum ip_level)level, WINDOW_KEYS_MAX);
		windows->v6[level] = window_new(core, &limits, on_shared_room);
	}
	limits = ban_account_limits(core->policy, WINDOW_KEYS_MAX);
	windows->accounts = window_new(core, &limits, on_shared_room);
	limits = ban_account_limits(core->policy, WINDOW_NAMES_MAX);
	windows->names = window_new(core, &limits, on_shared_room);
	limits = ban_portal_limits(core->policy, WINDOW_KEYS_MAX);
	windows->portal = window_new(core, &limits, on_shared_room);
}

static void windows_close(struct core *core)
{
	counter_free(&core->windows.v4);
	for (unsigned level = 0; level < IP_LEVELS; level++)
		counter_free(&core->windows.v6[level]);
	counter_free(&core->windows.accounts);
	counter_free(&core->windows.names);
	counter_free(&core->windows.portal);
}

void source_init(struct core *core)
{
	map_init(&core->sources.by_ip);
	windows_open(core);
	core->windows.notes = counter_memory_new(&notes_limits);
	core->windows.repeats = repeats_new(REPEATS_TAGS_MAX);
	core->windows.guesses = repeats_new(REPEATS_TAGS_MAX);
	rand_bytes(core->windows.tag_key, sizeof core->windows.tag_key);
}

void source_fini(struct core *core)
{
	GP_ASSERT(core->sources.by_ip.count == 0);
	map_fini(&core->sources.by_ip);
	windows_close(core);
	counter_free(&core->windows.notes);
	repeats_free(&core->windows.repeats);
	repeats_free(&core->windows.guesses);
	mem_wipe(core->windows.tag_key, sizeof core->windows.tag_key);
}

void source_configure(struct core *core)
{
	struct windows *windows = &core->windows;
	struct counter_limits limits = ban_limits(core->policy, IP_LEVEL_SOURCE, WINDOW_KEYS_MAX);

	counter_configure(windows->v4, &limits);
	for (unsigned level = 0; level < IP_LEVELS; level++) {
		limits = ban_limits(core->policy, (enum ip_level)level, WINDOW_KEYS_MAX);
		counter_configure(windows->v6[level], &limits);
	}
	limits = ban_account_limits(core->policy, WINDOW_KEYS_MAX);
	counter_configure(windows->accounts, &limits);
	limits = ban_account_limits(core->policy, WINDOW_NAMES_MAX);
	counter_configure(windows->names, &limits);
	limits = ban_portal_limits(core->policy, WINDOW_KEYS_MAX);
	counter_configure(windows->portal, &limits);
}

void source_clear_windows(struct core *core)
{
	/* Only before the first load is done: no check is under way then. */
	GP_ASSERT(!loading_is_done(core));
	windows_close(core);
	windows_open(core);
}

void source_sweep(struct core *core)
{
	struct windows *windows = &core->windows;

	counter_sweep(windows->v4);
	for (unsigned level = 0; level < IP_LEVELS; level++)
		counter_sweep(windows->v6[level]);
	counter_sweep(windows->accounts);
	counter_sweep(windows->names);
	counter_sweep(windows->portal);
	counter_sweep(windows->notes);
	repeats_sweep(windows->repeats, windows->v4->limits.window_ms);
	repeats_sweep(windows->guesses, windows->accounts->limits.window_ms);
}

struct source *source_find(struct core *core, const struct ip *ip)
{
	struct ip key = ip_source(ip);
	struct map_node *node = map_find(&core->sources.by_ip, source_key(&key));

	return node != NULL ? MAP_ENTRY(node, struct source, node) : NULL;
}

struct source *source_hold(struct core *core, const struct ip *ip)
{
	struct source *source = source_find(core, ip);

	if (source == NULL) {
		source = mem_new(1, sizeof *source);
		source->ip = ip_source(ip);
		TAILQ_INIT(&source->sessions);
		TAILQ_INIT(&source->waiting);
		map_add(&core->sources.by_ip, &source->node, source_key(&source->ip));
	}
	source->holds++;
	return source;
}

void source_drop(struct core *core, struct source *source)
{
	GP_ASSERT(source->holds > 0);
	if (--source->holds > 0)
		return;
	GP_ASSERT(TAILQ_EMPTY(&source->sessions) && TAILQ_EMPTY(&source->waiting));
	map_remove(&core->sources.by_ip, &source->node);
	mem_free(source);
}

struct note_ask {
	struct counter_ask ask;
	bool is_granted;
	uint64_t token;
};

static void on_note_answer(struct counter_ask *ask, const struct counter_result *result)
{
	struct note_ask *note = ask->owner;

	note->is_granted = result->answer == COUNTER_GRANTED;
	note->token = result->token;
}

bool source_may_note(struct core *core, const struct ip *source)
{
	/* This window is always in memory: the answer is there before the call returns. */
	struct note_ask note = { .ask = { .on_answer = on_note_answer } };
	bool may;

	note.ask.owner = &note;
	counter_reserve(core->windows.notes, source_key(source), &note.ask);
	may = note.is_granted;
	if (may)
		counter_commit(core->windows.notes, source_key(source), note.token, 1, &note.ask);
	return may;
}
