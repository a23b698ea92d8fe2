/* SPDX-License-Identifier: ISC */
/*
 * What core must know of sending, and what it wants kept: profiles, what was sent. Desk lane only.
 * What was sent is one of core's records (record.h), kept once; of profiles the last one counts.
 */
#ifndef GP_VAULT_SENDING_STATE_H
#define GP_VAULT_SENDING_STATE_H

#include <stdint.h>

#include "base/buf.h"
#include "ipc/message.h"

struct vault;

enum {
	SENDING_STATE_SUBJECT_MAX = 256, /* bytes of a subject, opened */
};

/* A profile on its way in. */
struct sending_state {
	uint64_t account; /* 0: none */
	struct buf packed;
};

void sending_state_init(struct vault *vault);
void sending_state_fini(struct vault *vault);

/* Before the end of a LOAD: the key of profile_tag(). GP_ERR_CLOSED, GP_ERR_BUSY. */
enum gp_err sending_state_send_key(struct vault *vault) GP_CHECKED;
void sending_state_load(struct vault *vault, const struct ipc_sending_load *message);
void sending_state_on_part(struct vault *vault, const struct ipc_profile_part *part);

/* The subject of a message as the table "sent" has it. An empty one stays empty. */
enum gp_err sending_state_seal(
	struct vault *vault, uint64_t account, struct slice subject, struct buf *out) GP_CHECKED;
/* GP_ERR_DENIED: it is of another account or pepper. */
enum gp_err sending_state_open(
	struct vault *vault, uint64_t account, struct slice sealed, struct buf *out) GP_CHECKED;

#endif
