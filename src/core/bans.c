/* SPDX-License-Identifier: ISC */
#include "core/bans.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
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

/* A struct ip_net is address and prefix without padding, so it is its own key. */
_Static_assert(sizeof(struct ip_net) == 18, "struct ip_net has no padding");

static struct slice key_of(const struct ip_net *net)
{
	return slice_of(net, sizeof *net);
}

static enum ip_level level_of(const struct ip_net *net)
{
	enum ip_level level = IP_LEVEL_SOURCE;

	GP_ASSERT(ip_net_level(net, &level));
	return level;
}

static struct ban_heap *heap_of(struct core *core, const struct ip_net *net)
{
	return net->base.family == IP_V6 ? &core->bans.v6[level_of(net)] : &core->bans.v4;
}

static size_t most_of(const struct ip_net *net)
{
	return level_of(net) == IP_LEVEL_SOURCE ? BANS_MAX : BANS_AGGREGATES_MAX;
}

void bans_init(struct core *core)
{
	core->bans = (struct bans){ 0 };
	map_init(&core->bans.by_net);
}

static void remove_ban(struct core *core, struct ban *ban)
{
	heap_remove(heap_of(core, &ban->net), ban);
	map_remove(&core->bans.by_net, &ban->node);
	if (core->ban_map != NULL)
		ban_map_clear(core->ban_map, &ban->net);
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
	for (unsigned level = 0; level < IP_LEVELS; level++)
		fini_heap(core, &core->bans.v6[level]);
	map_fini(&core->bans.by_net);
}

static struct ban *find(struct core *core, const struct ip_net *net)
{
	struct map_node *node = map_find(&core->bans.by_net, key_of(net));

	return node != NULL ? MAP_ENTRY(node, struct ban, node) : NULL;
}

const struct ban *bans_find(struct core *core, const struct ip_net *net)
{
	const struct ban *longest = NULL;

	for (unsigned level = level_of(net); level < ip_levels(&net->base); level++) {
		struct ip_net wider = ip_level_net(&net->base, (enum ip_level)level);
		const struct ban *ban = find(core, &wider);

		if (ban != NULL && ban->until > clock_steady() &&
			(longest == NULL || ban->until > longest->until))
			longest = ban;
	}
	return longest;
}

const struct ban *bans_find_widest(struct core *core, const struct ip *source)
{
	for (unsigned level = ip_levels(source); level-- > 0;) {
		struct ip_net net = ip_level_net(source, (enum ip_level)level);
		const struct ban *ban = find(core, &net);

		if (ban != NULL && ban->until > clock_steady())
			return ban;
	}
	return NULL;
}

int64_t bans_left(struct core *core, const struct ip *source)
{
	struct ip_net net = ip_level_net(source, IP_LEVEL_SOURCE);
	const struct ban *ban = source->family != IP_NONE ? bans_find(core, &net) : NULL;

	return ban != NULL ? ban->until - clock_steady() : 0;
}

int64_t bans_until_wall(const struct ban *ban)
{
	return clock_wall() + (ban->until - clock_steady() + 999) / 1000;
}

/* Makes or changes the ban itself. */
static struct ban *put(struct core *core, const struct ip_net *net, int64_t set_at, int64_t ms,
	struct slice reason, uint64_t origin)
{
	struct ban *ban = find(core, net);
	struct ban_heap *heap = heap_of(core, net);

	if (ban == NULL) {
		if (heap->count >= most_of(net))
			remove_ban(core, heap->bans[0]);
		ban = mem_new(1, sizeof *ban);
		ban->net = *net;
		map_add(&core->bans.by_net, &ban->node, key_of(&ban->net));
	} else {
		heap_remove(heap, ban);
		mem_free(ban->reason);
	}
	ban->set_at = set_at;
	ban->until = clock_steady() + ms;
	ban->origin = origin != 0 ? origin : rand_u64();
	ban->reason = slice_dup(slice_head(reason, BANS_REASON_MAX));
	heap_add(heap, ban);
	if (core->ban_map != NULL)
		ban_map_set(core->ban_map, net, ban->until, ban->origin);
	return ban;
}

static void keep(struct core *core, const struct ban *ban)
{
	struct ipc_message message = { .type = IPC_BAN_KEEP,
		.ban_keep = { .source = ban->net.base,
			.prefix = ban->net.prefix,
			.set_at = ban->set_at,
			.until = bans_until_wall(ban),
			.reason = slice_str(ban->reason),
			.origin = ban->origin } };

	journal_send(core, &message, true);
}

static void log_net(const char *event, const struct ip_net *net)
{
	char text[IP_TEXT_SIZE];

	log_info(event, LOG_STR("source", ip_net_format(net, text)));
}

/* The live sources of a network. */
struct members {
	const struct ip_net *net;
	struct source **sources;
	size_t count;
};

static void add_member(struct map_node *node, void *arg)
{
	struct source *source = MAP_ENTRY(node, struct source, node);
	struct members *members = arg;

	if (!ip_net_contains(members->net, &source->ip))
		return;
	members->sources =
		mem_resize(members->sources, members->count + 1, sizeof(struct source *));
	members->sources[members->count++] = source;
	source->holds++;
}

/* To close and to refuse lets others go on, which may make and end sources: so they are gathered
 * first. */
static void turn_out(struct core *core, const struct ip_net *net, uint64_t asking, int64_t ms)
{
	struct members members = { .net = net };
	struct source *only = NULL;

	if (level_of(net) == IP_LEVEL_SOURCE) {
		only = source_find(core, &net->base);
		if (only != NULL)
			add_member(&only->node, &members);
	} else {
		map_each(&core->sources.by_ip, add_member, &members);
	}
	for (size_t i = 0; i < members.count; i++) {
		session_close_banned(core, members.sources[i], asking, ms);
		signin_refuse_waiting(core, members.sources[i]);
		source_drop(core, members.sources[i]);
	}
	mem_free(members.sources);
}

void bans_set(struct core *core, const struct ip_net *net, int64_t ms, struct slice reason,
	uint64_t asking)
{
	char text[IP_TEXT_SIZE];
	struct ban *ban = NULL;

	GP_ASSERT(ms > 0);
	ban = put(core, net, clock_wall(), ms, reason, asking);
	core->stats.bans_set++;
	log_info("ban_set", LOG_STR("source", ip_net_format(net, text)),
		LOG_INT("minutes", (ms + 59999) / 60000), LOG_SLICE("reason", reason));
	keep(core, ban);
	turn_out(core, net, asking, ms);
}

void bans_after_failure(struct core *core, const struct ip_net *net,
	const struct counter_result *result, uint64_t asking)
{
	struct ban_step step =
		ban_after_failure(core->policy, result, bans_find(core, net) != NULL);

	if (step.ban_ms > 0)
		bans_set(core, net, step.ban_ms, slice_str(ban_reason_words(BAN_REASON_FAILURES)),
			asking);
}

/* A network's key begins as those of all that is in it: the family, then whole bytes. */
static void forget_within(struct core *core, const struct ip_net *net)
{
	struct slice prefix =
		slice_head(source_key(&net->base), offsetof(struct ip, bytes) + net->prefix / 8U);

	for (unsigned level = 0; level < (unsigned)level_of(net); level++)
		counter_forget_prefix(
			source_window(core, &net->base, (enum ip_level)level), prefix);
}

/* The ban, and the failures of the network as a whole; how many these were. */
static unsigned lift(struct core *core, const struct ip_net *net)
{
	struct counter *window = source_window(core, &net->base, level_of(net));
	unsigned failures = counter_committed(window, source_key(&net->base));
	struct ban *ban = find(core, net);
	struct ipc_message message = { .type = IPC_BAN_DROP,
		.ban_drop = { net->base, net->prefix } };

	if (ban != NULL) {
		remove_ban(core, ban);
		core->stats.bans_lifted++;
	}
	log_net("ban_lifted", net);
	counter_forget(window, source_key(&net->base));
	journal_send(core, &message, true);
	return failures;
}

unsigned bans_lift(struct core *core, const struct ip_net *net)
{
	forget_within(core, net);
	return lift(core, net);
}

void bans_restore(struct core *core, const struct ipc_ban_row *row)
{
	struct ip_net net = { row->source, row->prefix };
	enum ip_level level;
	int64_t in_map, left;

	if (!ip_net_level(&net, &level)) {
		log_error("ban_ignored", LOG_IP("source", &row->source));
		return;
	}
	in_map = core->ban_map != NULL ? ban_map_net_left(core->ban_map, &net) : 0;
	left = ban_left(row->set_at, row->until, clock_wall(), in_map);
	if (left > 0 && !ban_is_exempt_net(core->policy, &net))
		(void)put(core, &net, row->set_at, left, row->reason, row->origin);
}

static void adopt(const struct ip_net *net, int64_t left, uint64_t origin, void *arg)
{
	struct core *core = arg;

	if (find(core, net) != NULL)
		return;
	if (ban_is_exempt_net(core->policy, net))
		ban_map_clear(core->ban_map, net);
	else
		keep(core, put(core, net, clock_wall(), left, SLICE_LIT("set before a restart"),
				   origin));
}

void bans_adopt(struct core *core)
{
	if (core->ban_map != NULL)
		ban_map_each(core->ban_map, adopt, core);
}

static void sweep_heap(struct core *core, struct ban_heap *heap)
{
	int64_t now = clock_steady();

	while (heap->count > 0 && heap->bans[0]->until <= now) {
		log_net("ban_ended", &heap->bans[0]->net);
		core->stats.bans_ended++;
		remove_ban(core, heap->bans[0]);
	}
}

void bans_sweep(struct core *core)
{
	sweep_heap(core, &core->bans.v4);
	for (unsigned level = 0; level < IP_LEVELS; level++)
		sweep_heap(core, &core->bans.v6[level]);
}

static void lift_if_exempt(struct map_node *node, void *arg)
{
	struct core *core = arg;
	struct ip_net net = MAP_ENTRY(node, struct ban, node)->net;

	if (ban_is_exempt_net(core->policy, &net))
		(void)lift(core, &net);
}

void bans_lift_exempt(struct core *core)
{
	map_each(&core->bans.by_net, lift_if_exempt, core);
}

static void fill_map(struct core *core, const struct ban_heap *heap)
{
	for (size_t i = 0; i < heap->count; i++)
		ban_map_set(core->ban_map, &heap->bans[i]->net, heap->bans[i]->until,
			heap->bans[i]->origin);
}

void bans_use_map(struct core *core, struct ban_map **pmap)
{
	ban_map_close(&core->ban_map);
	core->ban_map = *pmap;
	*pmap = NULL;
	/* A moved clock outlives core where it may be moved at all. */
	if (core->config->settable_clock && clock_shifted() == 0) {
		clock_shift(ban_map_shift(core->ban_map));
		core->resume_until += clock_shifted();
	}
	ban_map_set_shift(core->ban_map, clock_shifted());
	vaults_tell_clock(core);
	fill_map(core, &core->bans.v4);
	for (unsigned level = 0; level < IP_LEVELS; level++)
		fill_map(core, &core->bans.v6[level]);
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

	map_each(&core->bans.by_net, visit_node, &each);
}
