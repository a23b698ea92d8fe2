/* SPDX-License-Identifier: ISC */
/*
 * The second step of a sign-in: the code of an authenticator program, good once, or a recovery
 * code. After STORE_WRONG_MAX wrong codes in a row no code is looked at any more until a recovery
 * code was used or 2FA set up anew; a wrong recovery code does not count there, nor does a code
 * that was right and used before: neither brings a guesser nearer.
 */
#ifndef GP_VAULT_TWOFACTOR_H
#define GP_VAULT_TWOFACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "crypt/totp.h"
#include "store/store_twofactor.h"
#include "vault/vault.h"

enum {
	TWOFACTOR_PENDING = 15 * 60,      /* s: how long an enrolment waits for its first code */
	TWOFACTOR_REMOVAL = 24 * 60 * 60, /* s from staff's request until it is done */
	TWOFACTOR_DUE_MS = 60 * 1000,     /* between two looks at what is due */
	TWOFACTOR_CODES = 10,             /* recovery codes of an account */
};

struct twofactor_answer {
	bool is_recovery; /* it was a recovery code */
	unsigned left;    /* recovery codes that remain */
};

/*
 * Judges the code and keeps what follows from it, in a transaction of its own. takes_recovery: a
 * recovery code will do. GP_ERR_DENIED: wrong. GP_ERR_LIMIT: codes are not taken any more.
 */
enum gp_err twofactor_check(struct vault *vault, uint64_t account, struct slice code,
	bool takes_recovery, struct twofactor_answer *ret_answer, struct gp_why *why) GP_CHECKED;

/* A fresh key, sealed for the account. */
enum gp_err twofactor_seal(struct vault *vault, uint64_t account,
	const uint8_t key[static TOTP_SECRET_SIZE], struct store_sealed *ret_sealed) GP_CHECKED;
/* GP_ERR_STORE if it does not open: another pepper, or a damaged database. */
enum gp_err twofactor_open(struct vault *vault, uint64_t account, const struct store_sealed *sealed,
	uint8_t out[static TOTP_SECRET_SIZE]) GP_CHECKED;

/*
 * Removals that staff asked for, when their day has come: looked at each minute and whenever the
 * clock was moved. Each is one transaction with its line in the audit and a letter; core is told.
 */
void twofactor_init(struct vault *vault);
void twofactor_fini(struct vault *vault);
void twofactor_run_due(struct vault *vault);

#endif
