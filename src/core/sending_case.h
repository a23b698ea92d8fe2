/* SPDX-License-Identifier: ISC */
/*
 * What follows when the judgement asks an owner, or blocks an account. Core refuses from that
 * moment on, in every session of the account; the vault opens the case (sending.open), which is
 * asked for again until it has it.
 */
#ifndef GP_CORE_SENDING_CASE_H
#define GP_CORE_SENDING_CASE_H

#include <stdbool.h>

#include "core/session.h"
#include "policy/sending.h"

struct sending_account;

/* outcome: SENDING_ASK or SENDING_BLOCK. session: which it was decided in, at a MAIL of its own. A
 * block takes the place of a question. */
void sending_case_open(struct sending_account *account, enum sending_outcome outcome,
	const struct sending_verdict *verdict, const struct session *session);
/* Is a block on its way to the vault? */
bool sending_case_is_block(const struct sending_account *account);
/* Asks the vault for what it has not got yet. */
void sending_case_tick(struct core *core);
/* Forgets what is on its way: it was answered. */
void sending_case_free(struct sending_account *account);

#endif
