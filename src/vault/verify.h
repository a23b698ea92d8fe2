/* SPDX-License-Identifier: ISC */
/*
 * Is this the secret of this account? A secret in device-password form is checked as a device
 * password and nothing else, any other as the main password; an unknown name costs the same work.
 * The token of a good sign-in is made here and nowhere else.
 */
#ifndef GP_VAULT_VERIFY_H
#define GP_VAULT_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/message.h"
#include "vault/vault.h"

struct verify_answer {
	enum reason reason;
	bool compared;                /* a guess was checked, be it against nothing */
	uint64_t device;              /* that matched, 0 for the main password */
	struct store_account account; /* id 0 if there is none; its hash is wiped */
};

void verify_check(struct vault *vault, enum protocol protocol, struct slice login,
	struct slice secret, struct verify_answer *out);

/* Checks and answers. */
void verify_on_message(struct vault *vault, const struct ipc_verify *message);

#endif
