/* SPDX-License-Identifier: ISC */
/*
 * What core hands to the desk vault to keep: sign-in events, bans. A counted failure is handed over
 * before its answer leaves for the front, so that who reads the answer cannot wish it away by
 * crashing core. They stay here until the vault says that the store has them (KEPT), and are sent
 * again, in order, to a vault that comes in place of one that died, and a moment after the store
 * could not take them. Meanwhile they wait, boundedly: those that only inform give way first.
 *
 * Texts from outside are escaped here, once (text_escape()), before they are stored.
 */
#ifndef GP_CORE_JOURNAL_H
#define GP_CORE_JOURNAL_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "event/loop.h"
#include "ipc/message.h"

enum {
	JOURNAL_WAITING_MAX = 8192,
	/* Messages that only inform are dropped beyond this. */
	JOURNAL_INFORM_MAX = JOURNAL_WAITING_MAX / 2,
	/* Who tells of a ban waits so long for the store to have it. */
	JOURNAL_AWAIT_MS = 2000,
};

struct core;
struct session;
struct journal_packet;

/* Who waits until the store has the bans of until now; embedded, zeroed. */
struct journal_wait {
	TAILQ_ENTRY(journal_wait) link;
	struct core *core; /* NULL: does not wait */
	uint64_t number;   /* what is below must be kept */
	struct loop_timer timer;
	void (*on_end)(struct journal_wait *wait, bool is_kept); /* it does not wait any more */
};

struct journal {
	STAILQ_HEAD(journal_packets, journal_packet) waiting;
	struct journal_packet *next; /* of them, not sent to this vault yet; NULL: all were */
	size_t count;
	uint64_t number; /* of the first that waits */
	bool is_begun;   /* the vault knows the number of what comes next */
	bool is_held;    /* the store takes none now */
	bool is_urgent;  /* more is recorded than who was let in: fronts hear of it later */
	uint64_t bans;   /* number behind the last ban that was set or lifted */
	TAILQ_HEAD(journal_waits, journal_wait) waits;
};

void journal_init(struct core *core);
void journal_fini(struct core *core);

/* must: a failure that counts, or a ban. */
void journal_send(struct core *core, const struct ipc_message *message, bool must);
/* Sends what waits, in order. */
void journal_flush(struct core *core);
/* From the first that waits: at a fresh vault, and when it is time to try again. */
void journal_restart(struct core *core);
void journal_tick(struct core *core);
void journal_on_kept(struct core *core, const struct ipc_kept *kept);

/* Has the store all bans that were set or lifted? GP_OK: yes. GP_ERR_STORE: it takes none now.
 * GP_ERR_AGAIN: they are on their way, and on_end() will say what came of it. */
enum gp_err journal_await_bans(struct core *core, struct journal_wait *wait,
	void (*on_end)(struct journal_wait *wait, bool is_kept)) GP_CHECKED;
/* Waits no more; fine on a zeroed one. */
void journal_wait_fini(struct journal_wait *wait);

/* Completes and sends an event; its texts are as they came from outside. One for which no secret
 * was checked (notes, refusals, our own faults) is limited per source, so that a flood of them
 * fills no store; what is left out is counted. */
void journal_event(struct core *core, struct ipc_event *event);
/* Something about a session beyond the sign-ins themselves. */
void journal_session_event(struct core *core, const struct session *session, enum verdict verdict,
	enum reason reason, struct slice detail);
void journal_note(struct core *core, const struct session *session, const struct ipc_note *note);

#endif
