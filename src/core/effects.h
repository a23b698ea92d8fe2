/* SPDX-License-Identifier: ISC */
/*
 * What a change of an account does to its live sessions, those at the portal too, at once: the
 * vault names the effect with the end of the operation (enum ipc_effect). A sign-in that a vault is
 * checking at that moment may have been judged by what was true before; effects_has_changed()
 * tells, and it is checked again.
 */
#ifndef GP_CORE_EFFECTS_H
#define GP_CORE_EFFECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/message.h"

enum {
	EFFECTS_KEPT = 1024 /* changes that are remembered one by one */
};

struct core;

struct effects {
	uint64_t count;
	uint64_t accounts[EFFECTS_KEPT];
};

/* portal: the number of the portal session that asked for it, 0 for none: it goes on. */
void effects_apply(struct core *core, const struct ipc_op_done *done, uint64_t portal);
uint64_t effects_count(const struct core *core);
/* Was this account changed after the count was since? True too if that is not known any more. */
bool effects_has_changed(const struct core *core, uint64_t account, uint64_t since);

#endif
