/* SPDX-License-Identifier: ISC */
/*
 * What hosting panels ask: a CALL whose credential is an API token. Whose it is only the vault
 * knows, so the question waits for its word; nothing is remembered, and a token that was ended is
 * ended at once. The token's role, its scopes and its domains bound what the call may do.
 */
#ifndef GP_CORE_TOKEN_CALL_H
#define GP_CORE_TOKEN_CALL_H

#include <bsd/sys/queue.h>
#include <stddef.h>

#include "ipc/message.h"

enum {
	TOKEN_CALLS_MAX = 256, /* that wait for the vault's word; more are told to try again */
};

struct asker;
struct core;
struct token_call;

struct token_calls {
	TAILQ_HEAD(token_call_list, token_call) waiting;
	size_t count;
	uint64_t last_id;
};

void token_call_init(struct core *core);
void token_call_fini(struct core *core);
/* Everything of call is copied. The answer goes to the asker by itself. */
void token_call_begin(struct asker *asker, const struct ipc_call *call);

#endif
