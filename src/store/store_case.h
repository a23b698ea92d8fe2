/* SPDX-License-Identifier: ISC */
/*
 * Cases: accounts that were stopped from sending. An account has one open case at most; whatever
 * may be done once is done by a statement that finds it undone. Errors as in store.h.
 */
#ifndef GP_STORE_STORE_CASE_H
#define GP_STORE_STORE_CASE_H

#include "store/store.h"

enum {
	STORE_CASE_REASON_SIZE = 1025,
	STORE_CASE_WORD_SIZE = 16,
	STORE_SESSION_SIZE = 17,
	STORE_CASE_SOURCES_MAX = 64, /* of one case; a thief's network that has more is no news */
};

#define STORE_CASE_ASK   "ask"
#define STORE_CASE_BLOCK "block"

struct store_case {
	uint64_t id;
	uint64_t account;
	char kind[STORE_CASE_WORD_SIZE]; /* "ask": the owner is asked; "block" */
	int64_t opened_at;
	int64_t began_at; /* the abuse */
	char reason[STORE_CASE_REASON_SIZE];
	char session[STORE_SESSION_SIZE];   /* 16 hexadecimal digits, "": none */
	uint64_t device;                    /* that did it, 0: none */
	char opened_by[STORE_ADDRESS_SIZE]; /* "": the policy */
	bool is_repeat;                     /* there was another not long before */
	bool is_for_staff;                  /* the owner has said or done what he can */
	char answer[STORE_CASE_WORD_SIZE];  /* "", "yes" or "no" */
	int64_t answered_at;
	char proof[STORE_CASE_WORD_SIZE]; /* that was given, "": none */
	int64_t proof_at;
	uint64_t proof_portal;
	unsigned wrong;      /* codes, since one was mailed */
	int64_t password_at; /* the new password was set by who gave the proof */
	int64_t closed_at;
	char closed_by[STORE_ADDRESS_SIZE];
	char outcome[STORE_CASE_WORD_SIZE]; /* "", "released", "confirmed", "staff", "kept" */
	char address[STORE_ADDRESS_SIZE];   /* of the account */
};

/* Uses account, kind, opened_at, began_at, reason, session, device, opened_by, is_repeat.
 * GP_ERR_EXISTS: one is open. */
enum gp_err store_case_open(
	struct store *store, const struct store_case *new_case, uint64_t *ret_id) GP_CHECKED;
/* The open one becomes a block: kind, reason, session, device, opened_by, is_repeat, the earlier
 * began_at; what was answered, kept for staff or told them is void. GP_ERR_NOT_FOUND: it is closed.
 */
enum gp_err store_case_raise(struct store *store, const struct store_case *raised) GP_CHECKED;
/* Fine if it is there; beyond STORE_CASE_SOURCES_MAX it is left out. */
enum gp_err store_case_add_source(
	struct store *store, uint64_t id, const struct ip *source) GP_CHECKED;
enum gp_err store_case_has_source(
	struct store *store, uint64_t id, const struct ip *source, bool *ret_has) GP_CHECKED;

/* The open case of an account. GP_ERR_NOT_FOUND. */
enum gp_err store_case_find(
	struct store *store, uint64_t account, struct store_case *ret_case) GP_CHECKED;
/* The newest one, open or closed. GP_ERR_NOT_FOUND. */
enum gp_err store_case_last(
	struct store *store, uint64_t account, struct store_case *ret_case) GP_CHECKED;
/* Was a block of the account opened at or after since, and not found to be the owner's doing? */
enum gp_err store_case_was_blocked(
	struct store *store, uint64_t account, int64_t since, bool *ret_was) GP_CHECKED;
/* Newest first, from the first below before (0: all). domains: of accounts of these only, with
 * spaces between; "": of any. */
enum gp_err store_case_each(struct store *store, bool with_closed, struct slice domains,
	uint64_t before, uint64_t limit,
	enum gp_err (*visit)(const struct store_case *found, void *arg), void *arg) GP_CHECKED;

/* Those that staff have to decide, and have not decided yet. */
struct store_case_waiting {
	uint64_t count;
	uint64_t untold; /* of them: staff were not mailed about */
	int64_t told_at; /* when they last were, about any; 0: never */
};
enum gp_err store_case_count_waiting(
	struct store *store, struct store_case_waiting *ret_waiting) GP_CHECKED;
/* The untold, the oldest first. */
enum gp_err store_case_each_untold(struct store *store, uint64_t limit,
	enum gp_err (*visit)(const struct store_case *found, void *arg), void *arg) GP_CHECKED;
/* All that wait are told of. */
enum gp_err store_case_set_told(struct store *store, int64_t now) GP_CHECKED;

/* Of an open one; GP_ERR_NOT_FOUND: it is closed. */
enum gp_err store_case_answer(struct store *store, uint64_t id, const char *answer,
	bool is_for_staff, int64_t now) GP_CHECKED;
enum gp_err store_case_prove(struct store *store, uint64_t id, const char *proof, uint64_t portal,
	int64_t now) GP_CHECKED;
enum gp_err store_case_note_wrong(struct store *store, uint64_t id) GP_CHECKED;
enum gp_err store_case_note_password(struct store *store, uint64_t id, int64_t now) GP_CHECKED;
/* Its owner can do nothing more about it; outcome is "kept", though it is open. */
enum gp_err store_case_keep(struct store *store, uint64_t id, struct slice kept_by) GP_CHECKED;
enum gp_err store_case_close(struct store *store, uint64_t id, const char *outcome,
	struct slice closed_by, int64_t now) GP_CHECKED;

/* ---- what proves something once ---- */

struct store_case_secret {
	uint64_t id; /* of the case */
	const char *kind;
	uint64_t portal;
	int64_t created_at;
	int64_t expires_at;
};

/* Takes the place of earlier ones of the kind and portal. kind "address": wrong codes are
 * forgotten. GP_ERR_LIMIT: max of this kind were made at or after since. */
enum gp_err store_case_add_secret(struct store *store, const struct store_case_secret *secret,
	const uint8_t tag[static STORE_TAG_SIZE], int64_t since, unsigned max) GP_CHECKED;
/* Is one of the kind waiting? */
enum gp_err store_case_has_secret(
	struct store *store, uint64_t id, const char *kind, int64_t now, bool *ret_has) GP_CHECKED;
/* GP_ERR_NOT_FOUND: used, over, another session's, or none. */
enum gp_err store_case_use_secret(struct store *store, uint64_t id, const char *kind,
	uint64_t portal, const uint8_t tag[static STORE_TAG_SIZE], int64_t now) GP_CHECKED;
/* Whose it is: id and expires_at; is_used. GP_ERR_NOT_FOUND. */
enum gp_err store_case_find_secret(struct store *store, const char *kind,
	const uint8_t tag[static STORE_TAG_SIZE], uint64_t *ret_id, int64_t *ret_expires_at,
	bool *ret_used) GP_CHECKED;
/* By its number. GP_ERR_NOT_FOUND. */
enum gp_err store_case_get(
	struct store *store, uint64_t id, struct store_case *ret_case) GP_CHECKED;

/* ---- what it rests on ---- */

/* When the newest recovery code that is left was made; 0: there is none. */
enum gp_err store_recovery_made(
	struct store *store, uint64_t account, int64_t *ret_made_at) GP_CHECKED;
/* Uses one up and nothing else. GP_ERR_NOT_FOUND. */
enum gp_err store_recovery_take(
	struct store *store, uint64_t account, const uint8_t tag[static STORE_TAG_SIZE]) GP_CHECKED;

#endif
