/* SPDX-License-Identifier: ISC */
/*
 * What core must know before it lets anyone in: bans, failures and guesses of the last windows, own
 * domains. It asks the desk vault (LOAD) when the first one is there, and again, for the domains
 * only, when they were changed. Until the first load is done sign-ins wait, and then fail as
 * temporary.
 */
#ifndef GP_CORE_LOADING_H
#define GP_CORE_LOADING_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/message.h"

enum {
	LOADING_TIMEOUT_MS = 60 * 1000, /* without LOADED: asked again */
	LOADING_RETRY_MS = 1000,        /* after LOADED without success */
	LOADING_OPEN_MS = 5000,         /* the door opens, with or without the bans of the store */
};

struct core;

struct loading {
	bool is_done;    /* the first load */
	bool has_failed; /* the last one; for status */
	bool is_wanted;  /* ask (again) as soon as possible */
	bool is_under_way;
	bool is_told;     /* gatepostd knows that fronts may accept */
	uint64_t request; /* of the one under way */
	int64_t next;     /* real milliseconds (clock_steady() unshifted): not before / timeout */
};

/* Wants a load: at the start, and when domains changed. */
void loading_want(struct core *core);
/* A desk vault came or went. */
void loading_on_desk(struct core *core, bool is_there);
/* Tries again where that is due. */
void loading_tick(struct core *core);
bool loading_is_done(const struct core *core);

void loading_on_failure_row(struct core *core, const struct ipc_failure_row *row);
void loading_on_guess_row(struct core *core, const struct ipc_guess_row *row);
void loading_on_lift_row(struct core *core, const struct ipc_lift_row *row);
void loading_on_ban_row(struct core *core, const struct ipc_ban_row *row);
void loading_on_domain_row(struct core *core, const struct ipc_domain_row *row);
void loading_on_loaded(struct core *core, const struct ipc_loaded *message);

#endif
