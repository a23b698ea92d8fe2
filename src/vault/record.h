/* SPDX-License-Identifier: ISC */
/*
 * What core has decided, kept: sign-in events and bans; and given back to it at LOAD. Desk lane
 * only. Events are gathered in one transaction per turn of the loop, so that a flood of them costs
 * few commits; everything that reads or writes otherwise ends that transaction first.
 */
#ifndef GP_VAULT_RECORD_H
#define GP_VAULT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "event/loop.h"
#include "ipc/message.h"

struct vault;

enum {
	RECORD_SWEEP_MS = 10 * 60 * 1000, /* between two clean-ups */
	RECORD_SWEEP_NEXT_MS = 200,       /* while there is more to remove */
	RECORD_SWEEP_BATCH = 2000,        /* events removed at a time */
};

struct record {
	struct loop_task commit;
	struct loop_timer sweep;
	bool is_open;    /* the batch: a transaction of the store */
	bool is_durable; /* it holds a ban */
	unsigned count;  /* what it holds */
};

void record_init(struct vault *vault);
void record_fini(struct vault *vault); /* commits */

void record_event(struct vault *vault, const struct ipc_event *message);
void record_ban_keep(struct vault *vault, const struct ipc_ban_keep *message);
void record_ban_drop(struct vault *vault, const struct ipc_ban_drop *message);
/* Commits the batch. */
void record_flush(struct vault *vault);
/* Answers with all bans, failures and domains, and LOADED. */
void record_load(struct vault *vault, const struct ipc_load *message);
/* One step of the retention; true if there is more to do. */
bool record_sweep(struct vault *vault);

#endif
