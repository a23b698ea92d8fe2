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

#include "ipc/message.h"

enum {
	JOURNAL_WAITING_MAX = 8192,
	/* Messages that only inform are dropped beyond this. */
	JOURNAL_INFORM_MAX = JOURNAL_WAITING_MAX / 2,
};

struct core;
struct session;
struct journal_packet;

struct journal {
	STAILQ_HEAD(journal_packets, journal_packet) waiting;
	struct journal_packet *next; /* of them, not sent to this vault yet; NULL: all were */
	size_t count;
	uint64_t number; /* of the first that waits */
	bool is_begun;   /* the vault knows the number of what comes next */
	bool is_held;    /* the store takes none now */
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

/* Completes and sends an event; its texts are as they came from outside. One for which no secret
 * was checked (notes, refusals, our own faults) is limited per source, so that a flood of them
 * fills no store; what is left out is counted. */
void journal_event(struct core *core, struct ipc_event *event);
/* Something about a session beyond the sign-ins themselves. */
void journal_session_event(struct core *core, const struct session *session, enum verdict verdict,
	enum reason reason, struct slice detail);
void journal_note(struct core *core, const struct session *session, const struct ipc_note *note);

#endif
