/* SPDX-License-Identifier: ISC */
/*
 * The way back into an account whose password is lost: its recovery address, or for a week after a
 * change the one before (store/store_recovery.h), so that the password alone takes it from nobody.
 * Process: vault, desk lane.
 */
#ifndef GP_VAULT_RECOVERY_H
#define GP_VAULT_RECOVERY_H

#include "store/store_recovery.h"
#include "vault/desk.h"

enum {
	RECOVERY_CODES_A_DAY = 10, /* mailed for one account, to confirm an address */
};

/*
 * The owner is told that the address is another one than `was`, at once and in the operation's
 * transaction: in his mailbox, at the address that was in force, and at the former one while it
 * counts. Nothing is sent if it is the same.
 */
enum gp_err recovery_tell(struct desk_op *op, const struct store_account *account,
	const struct store_recovery_address *was) GP_CHECKED;
/* He came by the way back: it is in force again, and he is told if it was not. */
enum gp_err recovery_restore(struct desk_op *op, const struct store_account *account) GP_CHECKED;
/* Enough for its owner to know it again: "a***@example.net". */
void recovery_hint(const char *address, char out[static STORE_ADDRESS_SIZE]);

#endif
