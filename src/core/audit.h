/* SPDX-License-Identifier: ISC */
/*
 * What core does by itself stands in the vault's audit all the same: bans set and lifted by hand,
 * sessions ended, reloads. What the vault does it writes down itself.
 */
#ifndef GP_CORE_AUDIT_H
#define GP_CORE_AUDIT_H

#include <jansson.h>

#include "core/caller.h"
#include "ops/ops.h"

struct core;

/* The operation was done. Secrets are taken out of args; nothing for one that changes nothing. */
void audit_note(struct core *core, const struct caller *caller, enum ops_id id, json_t *args);

#endif
