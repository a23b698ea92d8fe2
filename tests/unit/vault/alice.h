/* SPDX-License-Identifier: ISC */
/*
 * Alice, whose account is stopped from sending: 60 days old, at home at HOME, with 2FA, recovery
 * codes and a recovery address, helper@else.test; and what she and a thief who has her password may
 * try.
 */
#ifndef GP_TESTS_ALICE_H
#define GP_TESTS_ALICE_H

#include "crypt/once.h"
#include "crypt/totp.h"
#include "vault/case.h"
#include "vault_fixture.h"

#define HOME  "192.0.2.1"    /* known for long */
#define THIEF "203.0.113.66" /* where the abuse comes from */
#define CAFE  "198.51.100.7" /* never seen */

enum {
	DAY = 24 * 60 * 60,
	NOW = 1800000000,
	BEGAN = NOW - 3600, /* the abuse */
	LONG_AGO = NOW - 60 * DAY,
	OWNER = 101, /* sessions at the portal */
	STRANGER = 202,
};

struct alice {
	char recovery[2][ONCE_CODE_SIZE];
	const char *password;
	char key[64]; /* of her authenticator: letters of base32 */
};
extern struct alice alice;

int alice_setup(void **state);

/* As core does; kind: ask or block. The abuse began an hour before, at THIEF. */
void alice_stop(struct fixture *fixture, const char *kind);

/* ---- with her password, by a session at the portal, from somewhere (NULL: nowhere) ---- */

enum gp_err alice_as(struct fixture *fixture, uint64_t portal, const char *source, const char *name,
	const char *arguments);
enum gp_err alice_answer(struct fixture *fixture, uint64_t portal, const char *source, bool is_me);
enum gp_err alice_prove(struct fixture *fixture, uint64_t portal, const char *source,
	const char *kind, const char *code);
enum gp_err alice_set_password(
	struct fixture *fixture, uint64_t portal, const char *source, const char *new);
enum gp_err alice_begin_twofactor(struct fixture *fixture, uint64_t portal, const char *source);
enum gp_err alice_set_twofactor(struct fixture *fixture, uint64_t portal, const char *source);
/* Says that it was not her; a new password, then 2FA, and sending is open; in no other order. */
void alice_go_through(struct fixture *fixture, const char *source);
/* Somebody who is not signed in. */
enum gp_err alice_as_guest(struct fixture *fixture, const char *name, const char *arguments);

/* ---- what was told ---- */

void alice_check_row(struct fixture *fixture, const char *part);
void alice_check_next(
	struct fixture *fixture, uint64_t portal, const char *source, const char *next);
bool alice_is_blocked(struct fixture *fixture);
/* Letters of a kind to her account, to either address. */
uint64_t alice_posted(struct fixture *fixture, const char *kind);
/* The last letter to the recovery address, as it is read; its link; its code. */
const char *alice_read_letter(struct fixture *fixture);
void alice_take_token(struct fixture *fixture, char out[static ONCE_TOKEN_SIZE]);
void alice_take_code(struct fixture *fixture, char out[static ONCE_CODE_SIZE]);
/* Into alice.recovery, from the row of the last operation. */
void alice_take_codes(struct fixture *fixture);
/* What her authenticator shows now. */
void alice_make_code(char out[static TOTP_CODE_SIZE]);
/* helper@else.test is her recovery address since then, and there was none before. */
void alice_set_address(struct fixture *fixture, int64_t at);
/* Another one takes its place. */
void alice_change_address(struct fixture *fixture, const char *address, int64_t at);

#endif
