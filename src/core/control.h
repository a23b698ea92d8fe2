/* SPDX-License-Identifier: ISC */
/*
 * Management operations on their way. One of place CORE is answered here (ops_*.c); one of place
 * VAULT is passed to the desk vault and its rows back. Whoever asked may leave: the operation goes
 * on, its effects (effects.h) are taken all the same.
 */
#ifndef GP_CORE_CONTROL_H
#define GP_CORE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "base/map.h"
#include "ipc/message.h"
#include "ops/ops.h"

enum {
	CONTROL_OPS_MAX = 1024,   /* on their way to the vault, all CLIs together */
	CONTROL_CLI_OPS_MAX = 64, /* of one CLI */
};

struct core;
struct cli;
struct op;

/* An answer of the vault to core itself. Called once per row, then once. */
struct op_events {
	void (*on_row)(struct op *op, struct slice row);
	void (*on_done)(struct op *op, enum gp_err err, struct slice why);
};

/* An operation the vault, or gatepostd (reload), is at work on. */
struct op {
	struct map_node node;
	struct core *core;
	uint64_t id;      /* request towards the vault */
	uint64_t cli;     /* who asked; may be gone by now; 0: core itself */
	uint64_t request; /* its request */
	bool is_reload;
	const struct op_events *events; /* of core's own */
	uint64_t session;               /* for them */
	bool found;
	bool is_blocked;
};

struct control {
	struct map ops; /* by id */
	uint64_t last_op;
};

void control_init(struct core *core);
void control_fini(struct core *core);
/* A CLI asks; fd: what came along, borrowed, or -1. */
void control_on_op(struct cli *cli, const struct ipc_op *ask, int fd);

/* Core asks the vault something. False if there is none to ask. args: borrowed. */
bool control_ask_vault(struct core *core, enum ops_id id, const json_t *args,
	const struct op_events *events, uint64_t session);

/* From the desk vault, and that it is gone: what it was at work on fails. */
void control_on_row(struct core *core, const struct ipc_op_row *row);
void control_on_progress(struct core *core, const struct ipc_op_progress *progress);
void control_on_done(struct core *core, const struct ipc_op_done *done);
void control_on_desk_gone(struct core *core);
/* From gatepostd. */
void control_on_reloaded(struct core *core, const struct ipc_reloaded *message);

/* A call of an operation of place CORE. */
struct op_call {
	struct core *core;
	uint64_t cli;
	uint64_t request;
};

/* Handlers, ops_*.c. GP_ERR_AGAIN: the end comes later, by itself. */
typedef enum gp_err op_fn(struct op_call *call, const json_t *args, struct gp_why *why);
op_fn op_ban_list, op_ban_add, op_ban_remove;
op_fn op_session_list, op_session_kill;
op_fn op_status, op_stats;
op_fn op_reload, op_clock_advance;

/* Sends a row and drops the reference. */
void op_row(struct op_call *call, json_t *row);
/* gatepostd is asked to reload for this call. */
bool op_start_reload(struct op_call *call);

#endif
