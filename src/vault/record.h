/* SPDX-License-Identifier: ISC */
/*
 * What core has decided, kept: sign-in events, bans, what was sent; and given back to it at LOAD.
 * Desk lane only. Events are gathered in one transaction per turn of the loop, or of several turns
 * while many come, so that a flood of them costs few commits; everything that reads or writes
 * otherwise ends that transaction first. After a batch the desk rests a moment, so that the next
 * one is not a single event.
 *
 * Core holds each record until it hears that it is kept (KEPT). That is told once in a while, for
 * bans at once, not for each: a record that core sends again although it was kept is recognised by
 * its number. When the store takes none (disk full, locked for too long), core is asked to send
 * again from the first that is missing.
 */
#ifndef GP_VAULT_RECORD_H
#define GP_VAULT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "event/loop.h"
#include "ipc/message.h"
#include "store/store.h"

struct vault;

enum {
	RECORD_SWEEP_MS = 10 * 60 * 1000, /* between two clean-ups */
	RECORD_SWEEP_NEXT_MS = 200,       /* while there is more to remove */
	RECORD_SWEEP_BATCH = 2000,        /* events removed at a time */
	RECORD_TELL_MS = 1000,            /* core hears what is kept at least so soon */
	RECORD_TELL_COUNT = 256,          /* or after so many records */
	RECORD_REPEAT_MAX = 1 << 20,      /* more than core can have waiting */
	RECORD_REST_MS = 30,              /* after a batch, while more gathers in the channel */
	RECORD_BATCH_MAX = 512,           /* records in one transaction */
};

struct record {
	struct loop_task commit;
	struct loop_timer sweep;
	struct loop_timer rest;
	bool is_open;    /* the batch: a transaction of the store */
	bool is_durable; /* it holds a ban */
	struct loop_timer tell;
	bool is_tell_due;
	bool is_refusing; /* nothing is taken until core sends again */
	uint64_t next;    /* number of the next record to arrive */
	uint64_t turn;    /* the same, when this turn of the loop began to take some */
	uint64_t kept;    /* all below are in the store */
	uint64_t told;    /* what core knows of that */
};

/* How the store's times are to be read now. */
struct store_clock record_clock(const struct vault *vault);

void record_init(struct vault *vault);
void record_fini(struct vault *vault); /* commits */

void record_journal(struct vault *vault, const struct ipc_journal *message);
void record_event(struct vault *vault, const struct ipc_event *message);
void record_sent(struct vault *vault, const struct ipc_sent *message);
void record_ban_keep(struct vault *vault, const struct ipc_ban_keep *message);
void record_ban_drop(struct vault *vault, const struct ipc_ban_drop *message);
/* Commits the batch. */
void record_flush(struct vault *vault);
/* Core is gone: nobody is left to tell or to send again. */
void record_end_journal(struct vault *vault);
/* Answers with all bans, failures, guesses and domains, and LOADED. */
void record_load(struct vault *vault, const struct ipc_load *message);
/* One step of the retention; true if there is more to do. */
bool record_sweep(struct vault *vault);

#endif
