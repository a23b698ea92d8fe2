/* SPDX-License-Identifier: ISC */
/*
 * The bans in force. They stand in three places: here (decides), in the shared map (fronts refuse
 * at accept) and in the store (a restart keeps them). Spans run on the steady clock; the wall clock
 * appears in what people and the store see.
 *
 * Memory is bounded: BANS_MAX for each of IPv4 and IPv6 /64, BANS_AGGREGATES_MAX for each of /56
 * and /48; beyond, the ban that ends first goes.
 */
#ifndef GP_CORE_BANS_H
#define GP_CORE_BANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/map.h"
#include "counter/counter.h"
#include "ipc/ban_map.h"
#include "ipc/message.h"

enum {
	BANS_MAX = BAN_MAP_ENTRIES,
	BANS_AGGREGATES_MAX = BAN_MAP_AGGREGATES,
	BANS_REASON_MAX = 256,
};

struct core;

struct ban {
	struct map_node node;
	struct ip_net net; /* of a level (base/ip.h); the key too */
	int64_t set_at;    /* wall clock */
	int64_t until;     /* clock_steady() */
	uint64_t origin;   /* of its reference: the session whose failure set it, or random */
	size_t at;         /* place in its heap */
	char *reason;
};

struct ban_heap { /* the ban that ends first on top */
	struct ban **bans;
	size_t count;
	size_t size;
};

struct bans {
	struct map by_net;
	struct ban_heap v4;
	struct ban_heap v6[IP_LEVELS];
};

void bans_init(struct core *core);
void bans_fini(struct core *core);

/* The ban of this network that lasts longest, or of one that it is in; NULL if there is none. */
const struct ban *bans_find(struct core *core, const struct ip_net *net);
/* The ban of the widest network that this source is in. */
const struct ban *bans_find_widest(struct core *core, const struct ip *source);
int64_t bans_left(struct core *core, const struct ip *source); /* ms; 0: not banned */

/*
 * Bans a network for ms (> 0) or gives its ban a new end, tells the store, closes the live sessions
 * from there and refuses the sign-ins that wait. asking: the session whose answer will say so, 0
 * for none.
 */
void bans_set(struct core *core, const struct ip_net *net, int64_t ms, struct slice reason,
	uint64_t asking);
/* The same if that is what follows from a failure; result: of its commit in the network's window.
 */
void bans_after_failure(struct core *core, const struct ip_net *net,
	const struct counter_result *result, uint64_t asking);
/* Lifts a ban, if there is one, and forgets the failures of the network and of all that is in it,
 * as the store does; how many there were of the network as a whole. Those of wider networks stay.
 */
unsigned bans_lift(struct core *core, const struct ip_net *net);
/* One that was kept in the store. */
void bans_restore(struct core *core, const struct ipc_ban_row *row);
/* After that: those the fronts know and the store does not, because it took none when they were
 * set, or because the wall clock jumped and it takes them for over. */
void bans_adopt(struct core *core);
/* Ends what is over. */
void bans_sweep(struct core *core);
/* After a change of the configuration: bans of sources that are exempt now are lifted. */
void bans_lift_exempt(struct core *core);
/* The shared map came: everything into it. Takes *pmap. */
void bans_use_map(struct core *core, struct ban_map **pmap);
/* Visits every ban, in no order; visit() changes none. */
void bans_each(struct core *core, void (*visit)(const struct ban *ban, void *arg), void *arg);
/* When it ends, by the wall clock of now. */
int64_t bans_until_wall(const struct ban *ban);

#endif
