/* SPDX-License-Identifier: ISC */
/*
 * What the store knows of one account's devices: its sign-in events in short, old main passwords,
 * and what refused passwords turned out to be. Process: vault. Errors as in store.h.
 */
#ifndef GP_STORE_STORE_ACTIVITY_H
#define GP_STORE_STORE_ACTIVITY_H

#include "store/store.h"

enum {
	STORE_ACTIVITY_EVENTS = 4000, /* looked at for one account: its newest */
	STORE_OLD_PASSWORDS = 5,      /* kept of one account */
	STORE_FINDINGS_MAX = 200,     /* of one account: its newest */
};

/* Slices are good during the visit; names of base/terms.h. */
struct store_activity {
	int64_t at;
	uint64_t session;
	struct slice service;
	struct slice verdict;
	struct slice reason;
	uint64_t device;
	struct slice device_name; /* "" if there is none or it is gone */
	struct slice client_name;
	struct slice client;
};

/* Events at or after since among the newest STORE_ACTIVITY_EVENTS, newest first. */
enum gp_err store_activity_each(struct store *store, uint64_t account, int64_t since,
	enum gp_err (*visit)(const struct store_activity *event, void *arg), void *arg) GP_CHECKED;
/* Of the same events how many were good and how many not, for each day (UTC) that has any; day:
 * since 1970. */
enum gp_err store_activity_each_day(struct store *store, uint64_t account, int64_t since,
	enum gp_err (*visit)(int64_t day, uint64_t ok, uint64_t failed, void *arg),
	void *arg) GP_CHECKED;

/* The account's password is about to change: keeps its hash, if it is Argon2id as new ones are (the
 * cost of others is not ours to choose), and no more than STORE_OLD_PASSWORDS. */
enum gp_err store_old_password_keep(struct store *store, uint64_t account, int64_t now) GP_CHECKED;
/* Newest first. hash: wiped after the visit. */
enum gp_err store_old_password_each(struct store *store, uint64_t account,
	enum gp_err (*visit)(const char *hash, int64_t changed_at, void *arg),
	void *arg) GP_CHECKED;

struct store_finding {
	uint64_t account;
	struct ip source;
	enum protocol protocol;
	uint64_t session; /* in which the password was tried */
	int64_t at;
	int64_t changed_at; /* it was the account's until then; 0: it is none of the old ones */
};

/* Takes the place of the last one of that source and protocol. Fine if the account is gone. */
enum gp_err store_finding_set(struct store *store, const struct store_finding *finding) GP_CHECKED;
/* Newest first. Sets session and changed_at. */
enum gp_err store_finding_each(struct store *store, uint64_t account,
	enum gp_err (*visit)(const struct store_finding *finding, void *arg), void *arg) GP_CHECKED;
/* When something was last found there; 0: never. */
enum gp_err store_finding_last(struct store *store, uint64_t account, const struct ip *source,
	enum protocol protocol, int64_t *ret_at) GP_CHECKED;
/* Forgets those from before. */
enum gp_err store_finding_sweep(struct store *store, int64_t before) GP_CHECKED;

#endif
