/* SPDX-License-Identifier: ISC */
/*
 * account.import: accounts from a file. It runs in short turns between other messages, so that
 * sign-in events are kept and bans stored while a long file comes in; sign-ins do not notice. Lines
 * are gathered aside (store_stage_*) and become accounts in one transaction at the end, or not at
 * all.
 *
 * Rows: {line, error} for each bad line (the first IMPORT_ERRORS_SHOWN), at the end
 * {imported, skipped}. Progress: bytes of the file.
 *
 * A hash that begins with '!' switches the account off, and so does one that is just "*"; a new
 * password (account.passwd) switches it on again.
 */
#ifndef GP_VAULT_IMPORT_H
#define GP_VAULT_IMPORT_H

#include "vault/vault.h"

enum {
	IMPORT_TURN_LINES = 1000,
	IMPORT_TURN_MS = 20,
	IMPORT_ERRORS_SHOWN = 1000,
	IMPORT_ACTOR_SIZE = 129,
};

/* Nobody waits for it any more: what was gathered is dropped. Fine if there is none. */
void import_cancel(struct vault *vault);

#endif
