/* SPDX-License-Identifier: ISC */
/*
 * All workers: N fronts, one core, the vaults (one fast, N slow, one desk), and the portal's web if
 * there is a listener for it. Fronts, vaults and web are connected with core; each connection is a
 * fresh pair of sockets, made when the second of the two comes up. Each function that takes a
 * worker is called from worker.c.
 */
#ifndef GP_PARENT_CREW_H
#define GP_PARENT_CREW_H

#include "parent/worker.h"

struct crew;

/* The numbers of processes are taken from parent->current here, and stay. */
struct crew *crew_new(struct parent *parent);
/* Every process must be gone. */
void crew_free(struct crew **pcrew);

unsigned crew_fronts(const struct crew *crew);
void crew_start(struct crew *crew);
/* Fronts first, then core, then the vaults, so that what the fronts end is still recorded; then
 * parent_on_stopped(). parent->is_stopping is set: nobody is started again. */
void crew_stop(struct crew *crew);
/* All that live, at once. */
void crew_kill(struct crew *crew, const char *why);
/* SIGCHLD: takes all that have died. */
void crew_reap(struct crew *crew);

void crew_each(struct crew *crew, void (*visit)(struct worker *worker, void *arg), void *arg);
/* core, and web, whatever their state. */
struct worker *crew_core(struct crew *crew);
struct worker *crew_web(struct crew *crew);
/* parent->current changed: starts web, or ends it. */
void crew_follow(struct crew *crew);
/* After parent->current or parent->listeners changed: what hangs on them goes out again. */
void crew_hand_out(struct worker *worker);

/* Clients are let in, the first time that all is there that they need. */
void crew_check_serving(struct crew *crew);
void crew_on_ready(struct worker *worker, bool ok, const char *why);
void crew_on_message(struct worker *worker, const struct ipc_message *message);
void crew_on_gone(struct worker *worker, enum worker_state was, bool crashed);

#endif
