/* SPDX-License-Identifier: ISC */
/*
 * Questions to core. Core may die and come back: while it is gone nothing can be asked, and what
 * it was asked ends with GP_ERR_CLOSED. One struct call is one question, embedded in its owner.
 */
#ifndef GP_WEB_CALLER_H
#define GP_WEB_CALLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "event/loop.h"
#include "ipc/message.h"
#include "web/web.h"

enum {
	CALLER_ANSWER_MS = 25 * 1000, /* less than a front waits for us */
};

struct call;

struct call_ops {
	void (*on_row)(struct call *call, struct slice row);
	/* The end; the call may be started anew. */
	void (*on_done)(struct call *call, enum gp_err err, struct slice why, struct slice fault);
};

struct call {
	struct map_node node;
	uint64_t request;
	struct caller *caller;
	const struct call_ops *ops;
	void *owner;
	struct loop_timer timer;
	bool is_waiting;
};

struct caller *caller_new(struct web *web);
/* Every call must be over. */
void caller_free(struct caller **pcaller);
/* A fresh channel to the core with this id (taken: *fd becomes -1). */
void caller_connect(struct caller *caller, uint32_t core_pid, int *fd);

void caller_init_call(
	struct caller *caller, struct call *call, const struct call_ops *ops, void *owner);
/* Gives a waiting call up. */
void caller_fini_call(struct call *call);

/* question->request is filled in. GP_ERR_CLOSED: core is not there, GP_ERR_BUSY: it has too much to
 * do, GP_ERR_LIMIT: a field is longer than the message's; no callback follows then. */
enum gp_err caller_start(struct call *call, const struct ipc_call *question) GP_CHECKED;

#endif
