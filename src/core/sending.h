/* SPDX-License-Identifier: ISC */
/*
 * What signed-in accounts send: whose name they may use, how much they may send, and whether it is
 * their owner who does (doc/sending.md). policy/sending_gate.h judges; here is what it judges by:
 * the state of each account that sends, and the meters of domains and sources that have a plan.
 *
 *	sending_unit.h		what must be loaded from the vault before it is used, kept in
 *				bounded memory, and given back
 *	sending_account.h	the account: names, profile, block
 *	sending_mail.h		MAIL to end of data, in one session
 *	sending_case.h		an owner who is asked, an account that is blocked
 *	ops_sending.c		account.sending
 *
 * Time is that of sending_now(), which follows the steady clock: who moves the wall clock moves no
 * limit.
 */
#ifndef GP_CORE_SENDING_H
#define GP_CORE_SENDING_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "core/sending_unit.h"
#include "policy/sending_gate.h"

enum {
	SENDING_SAVE_S = 60,                 /* a profile that has changed is kept so soon */
	SENDING_SAVES_MAX = 16,              /* on their way to the vault at once */
	SENDING_KNOWN_S = 14 * 24 * 60 * 60, /* a source that signed in so long ago is known */
	SENDING_SPENT_S = 24 * 60 * 60 + 2 * 60 * 60, /* the longest window, and its slot */
};

struct core;
struct sending_account;
struct sending_answer_due;

TAILQ_HEAD(sending_account_list, sending_account);

struct sending {
	struct sending_policy policy;
	uint64_t key[2]; /* of profile_tag(); from the vault */
	bool has_key;
	struct sending_units units;
	struct sending_account_list dirty;  /* longest first */
	struct sending_account_list urgent; /* the vault is to do something about them */
	TAILQ_HEAD(sending_due, sending_answer_due) due; /* of account.sending */
	unsigned saving;                                 /* profiles on their way to the vault */
};

void sending_init(struct core *core);
void sending_fini(struct core *core);
void sending_configure(struct core *core);
void sending_tick(struct core *core);
/* Before the end: what has changed goes to the vault, which gets ms to take it. */
void sending_stop(struct core *core, int64_t ms);

/* Seconds, near those of the wall clock. */
int64_t sending_now(const struct core *core);

/* From the vault, and that it is gone. */
void sending_on_key(struct core *core, const struct ipc_sending_key *message);
void sending_on_desk(struct core *core, bool is_there);
/* ops_sending.c: the answers that wait are given up. */
void sending_forget_due(struct core *core);
/* What an operation has changed (enum ipc_effect). */
void sending_on_effect(struct core *core, const struct ipc_op_done *done);

#endif
