/* SPDX-License-Identifier: ISC */
/*
 * Two-factor sign-in in the store: the sealed TOTP key, what was used of it, recovery codes. All
 * that may be done once is done by a statement that finds it undone, so that of any number of
 * connections exactly one succeeds. Errors as in store.h.
 */
#ifndef GP_STORE_STORE_TWOFACTOR_H
#define GP_STORE_STORE_TWOFACTOR_H

#include "store/store.h"

enum {
	STORE_SEALED_SIZE = 64, /* a sealed TOTP key */
	STORE_WRONG_MAX = 10,   /* wrong codes in a row until none is taken any more */
};

struct store_sealed {
	uint8_t data[STORE_SEALED_SIZE];
	size_t len; /* 0: there is none */
};

struct store_twofactor {
	struct store_sealed secret;
	uint64_t used_step;          /* newest step whose code was used */
	unsigned wrong;              /* codes in a row */
	struct store_sealed pending; /* being set up */
	int64_t pending_at;
	unsigned pending_wrong;
	int64_t removal_due_at; /* staff has asked for it; 0: nobody has */
	/* What is to be set anew after a recovery code was used. */
	bool must_twofactor;
	bool must_password;
};

/* All zero if the account has none. */
enum gp_err store_twofactor_get(
	struct store *store, uint64_t account, struct store_twofactor *ret_twofactor) GP_CHECKED;

/* Replaces an enrolment under way. GP_ERR_LIMIT: sealed is too long. */
enum gp_err store_twofactor_begin(
	struct store *store, uint64_t account, struct slice sealed, int64_t now) GP_CHECKED;
/* The pending key becomes the key, the step of its first code is used, 2FA is on, a removal under
 * way is off. sealed: the pending key that was looked at. GP_ERR_NOT_FOUND: it is pending no more.
 */
enum gp_err store_twofactor_confirm(struct store *store, uint64_t account, struct slice sealed,
	uint64_t step, int64_t now) GP_CHECKED;
/* Off, with everything that belongs to it. GP_ERR_NOT_FOUND: no such account. */
enum gp_err store_twofactor_off(struct store *store, uint64_t account) GP_CHECKED;

/* The code of a step was right. GP_ERR_NOT_FOUND: that step or a later one was used before, or too
 * many codes were wrong. */
enum gp_err store_twofactor_use(struct store *store, uint64_t account, uint64_t step) GP_CHECKED;
/* A wrong code; is_pending: of the key being set up. */
enum gp_err store_twofactor_note_wrong(
	struct store *store, uint64_t account, bool is_pending) GP_CHECKED;

/* due_at 0 stops it. GP_ERR_NOT_FOUND: 2FA is not on. */
enum gp_err store_twofactor_set_removal(
	struct store *store, uint64_t account, int64_t due_at) GP_CHECKED;
/* One account whose removal is due; GP_ERR_NOT_FOUND. */
enum gp_err store_twofactor_find_due(
	struct store *store, int64_t now, uint64_t *ret_account) GP_CHECKED;

/* The password was set anew. */
enum gp_err store_twofactor_password_done(struct store *store, uint64_t account) GP_CHECKED;

/* Takes the place of all earlier ones. */
enum gp_err store_recovery_set(struct store *store, uint64_t account,
	const uint8_t (*tags)[STORE_TAG_SIZE], size_t count, int64_t now) GP_CHECKED;
/* Uses one up: wrong codes are forgotten; key and password are to be set anew. GP_ERR_NOT_FOUND. */
enum gp_err store_recovery_use(
	struct store *store, uint64_t account, const uint8_t tag[static STORE_TAG_SIZE]) GP_CHECKED;
enum gp_err store_recovery_count(
	struct store *store, uint64_t account, unsigned *ret_count) GP_CHECKED;

#endif
