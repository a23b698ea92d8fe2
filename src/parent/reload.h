/* SPDX-License-Identifier: ISC */
/*
 * From one generation of the configuration to the next, without dropping a session. All or nothing:
 * what cannot be read, bound or taken by every worker is refused, and the old one stays.
 */
#ifndef GP_PARENT_RELOAD_H
#define GP_PARENT_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "parent/worker.h"

struct reload;

struct reload *reload_new(struct parent *parent);
void reload_free(struct reload **preload);

/* has_request: core asked and is told the outcome; else it was SIGHUP, and the log tells. One at a
 * time: a second is refused. */
void reload_start(struct reload *reload, bool has_request, uint64_t request);

/* True if this READY was awaited here. */
bool reload_on_ready(struct reload *reload, struct worker *worker, bool ok, const char *why);
void reload_on_gone(struct reload *reload, struct worker *worker);

#endif
