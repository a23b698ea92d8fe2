/* SPDX-License-Identifier: ISC */
/* The program of sending_block_hook, which gatepostd runs for us. */
#ifndef GP_CORE_HOOK_H
#define GP_CORE_HOOK_H

#include "base/slice.h"

struct core;

/* The account is blocked from now on; reason: for people. Once for each block: nobody tells what
 * became of it. */
void hook_run(struct core *core, struct slice account, struct slice reason);

#endif
