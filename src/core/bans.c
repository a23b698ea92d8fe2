/* SPDX-License-Identifier: ISC */
#include "core/bans.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/core.h"

/* A binary heap; each ban knows its place. */

static void heap_put(struct ban_heap *heap, size_t at, struct ban *ban)
{
	heap->bans[at] = ban;
	ban->at = at;
}

static void heap_up(struct ban_heap *heap, size_t at)
{
	struct ban *ban = heap->bans[at];

	while (at > 0 && heap->bans[(at - 1) / 2]->until > ban->until) {
		heap_put(heap, at, heap->bans[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_put(heap, at, ban);
}

static void heap_down(struct ban_heap *heap, size_t at)
{
	struct ban *ban = heap->bans[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < heap->count &&
			heap->bans[child + 1]->until < heap->bans[child]->until)
			child++;
		if (child >= heap->count || heap->bans[child]->until >= ban->until)
			break;
		heap_put(heap, at, heap->bans[child]);
		at = child;
	}
	heap_put(heap, at, ban);
}

static void heap_add(struct ban_heap *heap, struct ban *ban)
{
	if (heap->count == heap->size) {
		heap->size = heap->size > 0 ? heap->size * 2 : 64;
		heap->bans = mem_resize(heap->bans, heap->size, sizeof(struct ban *));
	}
	heap->count++;
	heap_put(heap, heap->count - 1, ban);
	heap_up(heap, heap->count - 1);
}

static void heap_remove(struct ban_heap *heap, struct ban *ban)
{
	size_t at = ban->at;
	struct ban *last = heap->bans[--heap->count];

	if (last == ban)
		return;
	heap_put(heap, at, last);
	heap_up(heap, at);
	heap_down(heap, last->at);
}

static struct ban_heap *heap_of(struct core *core, const struct ip *source)
{
	return source->family == IP_V6 ? &core->bans.v6 : &core->bans.v4;
}

void bans_init(struct core *core)
{
	core->bans = (struct bans){ 0 };
	map_init(&core->bans.by_source);
}

static void remove_ban(struct core *core, struct ban *ban)
{
	heap_remove(heap_of(core, &ban->source), ban);
	map_remove(&core->bans.by_source, &ban->node);
	if (core->ban_map != NULL)
		ban_map_clear(core->ban_map, &ban->source);
	mem_free(ban->reason);
	mem_free(ban);
}

static void fini_heap(struct core *core, struct ban_heap *heap)
{
	while (heap->count > 0)
		remove_ban(core, heap->bans[heap->count - 1]);
	mem_free(heap->bans);
}

void bans_fini(struct core *core)
{
	/* The shared map stays as it is: it serves the fronts until the next core is there. */
	ban_map_close(&core->ban_map);
	fini_heap(core, &core->bans.v4);
	fini_heap(core, &core->bans.v6);
	map_fini(&core->bans.by_source);
}

static struct ban *find(struct core *core, const struct ip *source)
{
	struct map_node *node = map_find(&core->bans.by_source, source_key(source));

	return node != NULL ? MAP_ENTRY(node, struct ban, node) : NULL;
}

const struct ban *bans_find(struct core *core, const struct ip *source)
{
	const struct ban *ban = find(core, source);

	return ban != NULL && ban->until > clock_steady() ? ban : NULL;
}

int64_t bans_left(struct core *core, const struct ip *source)
{
	const struct ban *ban = bans_find(core, source);

	return ban != NULL ? ban->until - clock_steady() : 0;
}

int64_t bans_until_wall(const struct ban *ban)
{
	return clock_wall() + (ban->until - clock_steady() + 999) / 1000;
}

/* Makes or changes the ban itself. */
static struct ban *put(
	struct core *core, const struct ip *source, int64_t set_at, int64_t ms, struct slice reason)
{
	struct ban *ban = find(core, source);
	struct ban_heap *heap = heap_of(core, source);

	if (ban == NULL) {
		if (heap->count >= BANS_MAX)
			remove_ban(core, heap->bans[0]);
		ban = mem_new(1, sizeof *ban);
		ban->source = *source;
		map_add(&core->bans.by_source, &ban->node, source_key(&ban->source));
	} else {
		heap_remove(heap, ban);
		mem_free(ban->reason);
	}
	ban->set_at = set_at;
	ban->until = clock_steady() + ms;
	ban->reason = slice_dup(slice_head(reason, BANS_REASON_MAX));
	heap_add(heap, ban);
	if (core->ban_map != NULL)
		ban_map_set(core->ban_map, source, ban->until);
	return ban;
}

static void keep(struct core *core, const struct ban *ban)
{
	struct ipc_message message = { .type = IPC_BAN_KEEP,
		.ban_keep = { .source = ban->source,
			.set_at = ban->set_at,
			.until = bans_until_wall(ban),
			.reason = slice_str(ban->reason) } };

	journal_send(core, &message, true);
}

void bans_set(struct core *core, const struct ip *source, int64_t ms, struct slice reason,
	uint64_t asking)
{
	struct ip key = ip_source(source);
	struct ban *ban = NULL;
	struct source *live = NULL;

	GP_ASSERT(ms > 0);
	ban = put(core, &key, clock_wall(), ms, reason);
	core->stats.bans_set++;
	log_info("ban_set", LOG_IP("source", &key), LOG_INT("minutes", (ms + 59999) / 60000),
		LOG_SLICE("reason", reason));
	keep(core, ban);
	live = source_find(core, &key);
	if (live == NULL)
		return;
	live->holds++;
	session_close_banned(core, live, asking, ms);
	signin_refuse_waiting(core, live);
	source_drop(core, live);
}

unsigned bans_lift(struct core *core, const struct ip *source)
{
	struct ip key = ip_source(source);
	struct counter *window = source_window(core, &key);
	unsigned failures = counter_committed(window, source_key(&key));
	struct ban *ban = find(core, &key);
	struct ipc_message message = { .type = IPC_BAN_DROP, .ban_drop = { key } };

	if (ban != NULL) {
		remove_ban(core, ban);
		core->stats.bans_lifted++;
	}
	log_info("ban_lifted", LOG_IP("source", &key), LOG_UINT("failures", failures));
	counter_forget(window, source_key(&key));
	journal_send(core, &message, true);
	return failures;
}

void bans_restore(struct core *core, const struct ipc_ban_row *row)
{
	struct ip key = ip_source(&row->source);
	int64_t in_map = core->ban_map != NULL ? ban_map_left(core->ban_map, &key) : 0;
	int64_t left = ban_left(row->set_at, row->until, clock_wall(), in_map);

	if (left > 0 && !ban_is_exempt(core->policy, &key))
		(void)put(core, &key, row->set_at, left, row->reason);
}

static void sweep_heap(struct core *core, struct ban_heap *heap)
{
	int64_t now = clock_steady();

	while (heap->count > 0 && heap->bans[0]->until <= now) {
		log_info("ban_ended", LOG_IP("source", &heap->bans[0]->source));
		core->stats.bans_ended++;
		remove_ban(core, heap->bans[0]);
	}
}

void bans_sweep(struct core *core)
{
	sweep_heap(core, &core->bans.v4);
	sweep_heap(core, &core->bans.v6);
}

static void lift_if_exempt(struct map_node *node, void *arg)
{
	struct core *core = arg;
	struct ip source = MAP_ENTRY(node, struct ban, node)->source;

	if (ban_is_exempt(core->policy, &source))
		(void)bans_lift(core, &source);
}

void bans_lift_exempt(struct core *core)
{
	map_each(&core->bans.by_source, lift_if_exempt, core);
}

void bans_use_map(struct core *core, struct ban_map **pmap)
{
	ban_map_close(&core->ban_map);
	core->ban_map = *pmap;
	*pmap = NULL;
	/* A moved clock outlives core where it may be moved at all. */
	if (core->config->settable_clock && clock_shifted() == 0)
		clock_shift(ban_map_shift(core->ban_map));
	ban_map_set_shift(core->ban_map, clock_shifted());
	for (size_t i = 0; i < core->bans.v4.count; i++)
		ban_map_set(core->ban_map, &core->bans.v4.bans[i]->source,
			core->bans.v4.bans[i]->until);
	for (size_t i = 0; i < core->bans.v6.count; i++)
		ban_map_set(core->ban_map, &core->bans.v6.bans[i]->source,
			core->bans.v6.bans[i]->until);
}

struct each {
	void (*visit)(const struct ban *ban, void *arg);
	void *arg;
};

static void visit_node(struct map_node *node, void *arg)
{
	struct each *each = arg;

	each->visit(MAP_ENTRY(node, struct ban, node), each->arg);
}

void bans_each(struct core *core, void (*visit)(const struct ban *ban, void *arg), void *arg)
{
	struct each each = { visit, arg };

	map_each(&core->bans.by_source, visit_node, &each);
}
