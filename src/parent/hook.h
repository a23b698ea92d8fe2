/* SPDX-License-Identifier: ISC */
/*
 * The program of sending_block_hook, run when core says that an account is blocked (HOOK): to empty
 * a mail server's queue, or to tell somebody. Never waited for; HOOK_RUNNING_MAX at a time, the
 * others wait, HOOK_WAITING_MAX of them. What cannot be run is logged and forgotten. Process:
 * gatepostd.
 */
#ifndef GP_PARENT_HOOK_H
#define GP_PARENT_HOOK_H

#include <stdbool.h>
#include <sys/types.h>

#include "parent/parent.h"

enum {
	HOOK_RUNNING_MAX = 4,
	HOOK_WAITING_MAX = 64,
};

struct hooks;

struct hooks *hooks_new(struct parent *parent);
/* Kills those that run. */
void hooks_free(struct hooks **phooks);

/* account: an address that no script stumbles over, or nothing is run. One that waits already is
 * not run twice. */
void hooks_run(struct hooks *hooks, const struct ipc_hook *message);
/* A child has ended. false: it is none of these. */
bool hooks_on_exit(struct hooks *hooks, pid_t pid, int status);

#endif
