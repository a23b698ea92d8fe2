/* SPDX-License-Identifier: ISC */
/*
 * Management operations on their way, from CLIs and from the portal. Who asks is in struct caller;
 * whether its role may is decided here, once for all. One of place CORE is answered here (ops_*.c);
 * one of place VAULT is passed to the desk vault and its rows back. Whoever asked may leave: the
 * operation goes on, its effects (effects.h) are taken all the same.
 */
#ifndef GP_CORE_CONTROL_H
#define GP_CORE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "core/caller.h"
#include "core/journal.h"
#include "core/portal.h"
#include "ipc/message.h"
#include "ops/ops.h"

enum {
	CONTROL_OPS_MAX = 1024, /* on their way to the vault, all askers together */
};

struct asker;
struct attempt;
struct core;
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
	uint64_t id;                    /* request towards the vault */
	uint64_t asker;                 /* who asked; may be gone by now; 0: core itself */
	uint64_t request;               /* its request */
	uint64_t repeat;                /* as in op_call */
	uint64_t portal;                /* for which portal session, 0: none */
	enum portal_state portal_state; /* it was in then */
	bool is_reload;
	bool is_asked;  /* the vault or gatepostd is at work on it */
	bool is_mended; /* the vault's rows say that nothing is left to be set anew (recovery) */
	const struct op_events *events; /* where core itself wants the answer */
	struct attempt *attempt;        /* whose secret the vault judges (guarded.h): borrowed */
	struct buf question;            /* for the vault, while it waits: a packet */
	struct journal_wait wait;       /* until the store has the bans it tells of */
	bool is_change;                 /* ... and sets or lifts */
	enum reason reason;             /* if its secret is wrong */
	enum gp_err err;                /* the vault's answer, while that is counted */
	char *why;
	char *fault;      /* of the vault's answer */
	uint64_t session; /* for them, as is all that follows */
	bool found;
	bool is_blocked;
	bool is_recovery;
	json_t *gathered; /* rows; freed with it */
	struct ip source; /* of the browser */
};

struct control {
	struct map ops; /* by id */
	uint64_t last_op;
};

void control_init(struct core *core);
void control_fini(struct core *core);
/* A question as it came; all borrowed. fd: what came along, or -1. */
struct control_ask {
	uint64_t request;
	struct slice name;
	struct slice arguments;
	int fd;
};
void control_on_ask(
	struct asker *asker, const struct caller *caller, const struct control_ask *ask);

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
	uint64_t asker;
	uint64_t request;
	const struct caller *caller; /* until the handler returns */
	uint64_t repeat; /* its answer is kept under this number (repeat.h), 0: it is not */
};

/* An operation that core answers later: op_finish(). NULL: too many are under way. */
struct op *op_begin(const struct op_call *call);
struct op *op_find(struct core *core, uint64_t id);
/* Asks the desk vault; id and asker of the question are set here. fd: as in chan_send(). */
enum gp_err op_ask(struct op *op, struct ipc_message *question, int fd) GP_CHECKED;
/* Asks the vault, on behalf of the caller, for another operation than the one that was asked for:
 * its answer goes to op->events. Takes args. */
enum gp_err op_ask_instead(
	struct op *op, enum ops_id id, const struct caller *caller, json_t *args) GP_CHECKED;
/* Tells who asked, or events, and is gone. */
void op_finish(struct op *op, enum gp_err err, struct slice why);
/* Rows and the end for whoever asked; op_finish() with events leaves that to them. */
struct op_call op_call_of(const struct op *op);
void op_done(const struct op *op, enum gp_err err, struct slice why);

/* Handlers, ops_*.c. GP_ERR_AGAIN: the end comes later, by itself. */
typedef enum gp_err op_fn(struct op_call *call, const json_t *args, struct gp_why *why);
op_fn op_ban_list, op_ban_add, op_ban_remove;
op_fn op_source_show, op_self_ban_list, op_self_ban_lift, op_settings_show;
op_fn op_session_list, op_session_kill;
op_fn op_setup_find, op_domain_dns;
op_fn op_account_sending;
op_fn op_status, op_stats;
op_fn op_reload, op_clock_advance;
op_fn op_portal_signin, op_portal_code;
op_fn op_portal_show, op_portal_signout, op_portal_signout_all, op_portal_list, op_portal_end;

/* Sends a row and drops the reference. */
void op_row(struct op_call *call, json_t *row);
/* The portal session goes on in this state under a new id: sends the row with it. told: its
 * "state", or NULL for a row with nothing but the cookie. */
void op_step_row(struct op_call *call, struct portal_session *session, enum portal_state state,
	const char *told);
/* gatepostd is asked to reload for this call. */
bool op_start_reload(struct op_call *call);

#endif
