/* SPDX-License-Identifier: ISC */
/*
 * What a vault process has: the store, the keys, the channel to core. Straight-line blocking code:
 * one message is done before the next is looked at.
 */
#ifndef GP_VAULT_VAULT_H
#define GP_VAULT_VAULT_H

#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "config/config.h"
#include "crypt/pwhash.h"
#include "event/loop.h"
#include "ipc/chan.h"
#include "store/store.h"
#include "vault/audit.h"
#include "vault/hindsight.h"
#include "vault/outbox.h"
#include "vault/record.h"
#include "vault/sending_state.h"

struct import;

enum {
	VAULT_LANE_WAIT_MS = 1000, /* for a lock, on the lanes that check */
	VAULT_REHASH_WAIT_MS = 20, /* a rehash that cannot be stored now is done next time */
	VAULT_SEND_WAIT_MS = 2000, /* for core to take what it asked for */
};

struct vault {
	struct loop *loop;
	enum ipc_lane lane;
	const struct config *config; /* in force */
	struct store *store;
	int64_t boot; /* which start of the machine this is */
	struct pwhash_policy policy;
	struct secret *pepper;
	struct secret *seal_key; /* seal_key_new() of it */
	struct secret *token_key;
	struct secret *signing_chain; /* PEM, and its key: of profiles; NULL but on the desk */
	struct secret *signing_key;
	struct chan *core; /* NULL while there is none */
	struct record record;
	struct sending_state sending;
	struct audit_pending audit;
	struct loop_timer twofactor_due;
	struct hindsight hindsight;
	struct outbox outbox;
	struct import *import; /* under way, or NULL */
};

/* A message to core, waiting a little if it is slow. GP_ERR_CLOSED: there is none; GP_ERR_BUSY. */
enum gp_err vault_send(struct vault *vault, const struct ipc_message *message) GP_CHECKED;
/* Everything core may send to a vault. */
void vault_on_message(struct vault *vault, const struct ipc_message *message, int *fd);
/* Core is gone: what it asked for, and nobody waits for any more, ends. */
void vault_on_core_gone(struct vault *vault);

#endif
