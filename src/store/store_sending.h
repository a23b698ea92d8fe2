/* SPDX-License-Identifier: ISC */
/*
 * What accounts send: the profile of each (policy/profile.h, packed), what was sent, and what they
 * may send as beside their own addresses. Errors as in store.h.
 */
#ifndef GP_STORE_STORE_SENDING_H
#define GP_STORE_STORE_SENDING_H

#include "base/buf.h"
#include "store/store.h"

enum {
	STORE_SENDERS_MAX = 100, /* listed for one account, or for one domain */
	STORE_SPENT_STEP = 300,  /* s: what was sent within such a span comes back as one */
};

/* ---- profiles ---- */

/* Replaces an earlier one. GP_ERR_NOT_FOUND: the account is gone. */
enum gp_err store_profile_keep(
	struct store *store, uint64_t account, struct slice packed, int64_t at) GP_CHECKED;
/* Appends it to out. GP_ERR_NOT_FOUND: there is none. */
enum gp_err store_profile_find(struct store *store, uint64_t account, struct buf *out) GP_CHECKED;

/* ---- what was sent ---- */

/* Texts come escaped from core; any that is not printable is escaped here. */
struct store_sent {
	int64_t at;
	uint64_t session;
	uint64_t account;
	uint64_t device;
	struct ip client;
	uint16_t country; /* two letters as a number, 0: not known */
	struct slice client_name;
	struct slice sender;
	struct slice subject; /* sealed; empty: none */
	uint32_t recipients;
	uint32_t strangers;
	uint64_t size;
	enum sent_outcome outcome;
	uint64_t number; /* in core's journal; < 2^63 */
};

enum gp_err store_sent_add(struct store *store, const struct store_sent *sent) GP_CHECKED;
/* Of the newest; GP_ERR_NOT_FOUND: there is none. */
enum gp_err store_sent_last_number(struct store *store, uint64_t *ret_number) GP_CHECKED;

/* How much; at: when the last of it was. */
struct store_spent {
	int64_t at;
	uint32_t messages;
	uint32_t recipients;
	uint32_t strangers;
};
typedef enum gp_err store_spent_fn(const struct store_spent *spent, void *arg);

/* What was accepted at or after since, in steps of STORE_SPENT_STEP seconds, oldest first: of an
 * account, of all accounts of a domain, from a source. */
enum gp_err store_spent_each_of_account(struct store *store, uint64_t account, int64_t since,
	store_spent_fn *visit, void *arg) GP_CHECKED;
enum gp_err store_spent_each_of_domain(struct store *store, struct slice domain, int64_t since,
	store_spent_fn *visit, void *arg) GP_CHECKED;
enum gp_err store_spent_each_of_source(struct store *store, const struct ip *source, int64_t since,
	store_spent_fn *visit, void *arg) GP_CHECKED;

/* Removes what is older, at most batch rows at a time; *ret_more: call again; else untouched. */
enum gp_err store_sent_sweep(
	struct store *store, int64_t before, uint64_t batch, bool *ret_more) GP_CHECKED;

/* ---- listed senders ---- */

/* account 0: of the domain, for all its accounts. sender: an address, or "@domain", canonical.
 * GP_ERR_EXISTS; GP_ERR_LIMIT; GP_ERR_NOT_FOUND: no such domain. */
struct store_sender_owner {
	uint64_t account;
	struct slice domain;
};
enum gp_err store_sender_add(struct store *store, const struct store_sender_owner *owner,
	struct slice sender, int64_t now) GP_CHECKED;
/* GP_ERR_NOT_FOUND. */
enum gp_err store_sender_remove(struct store *store, const struct store_sender_owner *owner,
	struct slice sender) GP_CHECKED;
/* By sender. */
enum gp_err store_sender_each(struct store *store, const struct store_sender_owner *owner,
	enum gp_err (*visit)(struct slice sender, void *arg), void *arg) GP_CHECKED;

#endif
