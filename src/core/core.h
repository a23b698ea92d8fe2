/* SPDX-License-Identifier: ISC */
/*
 * gatepost-core: decides who is let in. One struct holds everything; each part has its file.
 *
 *	front.h on_front.c	the fronts and what they may ask
 *	session.h source.h	who is there
 *	signin.h attempt.h	sign-ins, windows, the order of things
 *	places.h line.h spray.h	what a sign-in reserves, who waits for it, one secret on many names
 *	vaults.h queue.h	who checks secrets
 *	bans.h lifts.h		who stays out, who was let in again
 *	journal.h loading.h	what is kept, and what is known at the start
 *	domains.h mail.h	what may be sent, and where it goes
 *	countries.h		the country of an address
 *	sending.h sending_*	how much an account may send, and whether it is its owner
 *	notices.h		mail of Gatepost's own
 *	portal.h form.h		people at the portal, and how they sign in
 *	guarded.h		other secrets they give
 *	token_call.h		what hosting panels ask
 *	cli.h web.h asker.h	who asks for operations
 *	control.h ops_*.c	management
 *
 * It sees names and secrets in passing, never a hash, a store or the network. Process: core.
 */
#ifndef GP_CORE_CORE_H
#define GP_CORE_CORE_H

#include "config/config.h"
#include "core/asker.h"
#include "core/audit.h"
#include "core/bans.h"
#include "core/caller.h"
#include "core/cli.h"
#include "core/control.h"
#include "core/countries.h"
#include "core/domains.h"
#include "core/effects.h"
#include "core/form.h"
#include "core/front.h"
#include "core/guarded.h"
#include "core/journal.h"
#include "core/lifts.h"
#include "core/line.h"
#include "core/loading.h"
#include "core/mail.h"
#include "core/notices.h"
#include "core/portal.h"
#include "core/repeat.h"
#include "core/sending.h"
#include "core/sending_mail.h"
#include "core/session.h"
#include "core/signin.h"
#include "core/source.h"
#include "core/spray.h"
#include "core/stats.h"
#include "core/token_call.h"
#include "core/vaults.h"
#include "core/watchers.h"
#include "core/web.h"
#include "event/loop.h"
#include "ipc/ban_map.h"
#include "ipc/chan.h"
#include "policy/ban.h"

enum {
	CORE_TICK_MS = 1000, /* bans end, old failures leave, what failed is tried again */
};

struct core {
	struct loop *loop;
	struct chan *parent; /* gatepostd; NULL in tests */
	const struct config *config;
	uint64_t generation;    /* of the configuration; for status */
	int64_t started;        /* wall clock */
	int64_t started_steady; /* clock_steady() */
	int64_t resume_until;   /* the same: fronts tell of the sessions they hold until then */
	struct loop_timer tick;

	struct ban_policy *policy;
	struct ban_map *ban_map; /* NULL until gatepostd sent it */
	struct stats stats;
	struct fronts fronts;
	struct vaults vaults;
	struct sessions sessions;
	struct sources sources;
	struct windows windows;
	struct lines lines;
	struct spray spray;
	struct signins signins;
	struct bans bans;
	struct lifts lifts;
	struct watchers watchers;
	struct domains domains;
	struct countries countries;
	struct journal journal;
	struct loading loading;
	struct effects effects;
	struct askers askers;
	struct cli cli;
	struct portal portal;
	struct control control;
	struct repeats repeats;
	struct sending sending;
	struct token_calls token_calls;
};

/* config: borrowed, replaced by core_configure(). */
struct core *core_new(struct loop *loop, struct chan *parent, const struct config *config);
void core_free(struct core **pcore);
void core_configure(struct core *core, const struct config *config);
/* What gatepostd says, but for the life of the process itself. */
void core_on_parent(struct core *core, const struct ipc_message *message, int *fd);
/* A peer broke the rules: asks gatepostd to end it. Its channel is closed by the caller. */
void core_report_peer(struct core *core, enum ipc_role role, unsigned index);
/* What is due now, whatever the timer says: the clock was moved. */
void core_sweep(struct core *core);

#endif
