/* SPDX-License-Identifier: ISC */
/*
 * Is this the secret of this account? A secret in device-password form is checked as a device
 * password and nothing else, any other as the main password; an unknown name costs the same work,
 * and so does a guess that core wants not to be made.
 * The token of a good sign-in is made here and nowhere else.
 */
#ifndef GP_VAULT_VERIFY_H
#define GP_VAULT_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/message.h"
#include "vault/vault.h"

/* How the secret is judged. */
struct verify_question {
	enum protocol protocol;
	struct slice login; /* canonical */
	struct slice secret;
	/* Core wants no guess to be made: the work is done, against nothing; the answer is no. */
	bool is_unchecked;
};

struct verify_answer {
	enum reason reason;
	bool compared;                /* a guess was checked, be it against nothing */
	uint64_t device;              /* that matched, 0 for the main password */
	struct store_account account; /* id 0 if there is none; its hash is wiped */
};

void verify_check(
	struct vault *vault, const struct verify_question *question, struct verify_answer *out);

/* Says whose name it is, and whether the source is known for the account. */
void verify_on_lookup(struct vault *vault, const struct ipc_lookup *message);
/* Checks and answers. */
void verify_on_message(struct vault *vault, const struct ipc_verify *message);

#endif
