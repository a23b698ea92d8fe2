/* SPDX-License-Identifier: ISC */
/*
 * Ways back for those who have lost their password: a recovery address outside, and links that are
 * good once. Errors as in store.h.
 */
#ifndef GP_STORE_STORE_RECOVERY_H
#define GP_STORE_STORE_RECOVERY_H

#include "store/store.h"

enum {
	STORE_LINK_KEEP = 7 * 24 * 60 * 60,     /* s that a link is remembered after its end */
	STORE_RECOVERY_HOLD = 7 * 24 * 60 * 60, /* s that a recovery address counts after its end */
};

/*
 * Whoever has the password can put another address in place of the owner's. So the one before
 * counts on, in its place, for STORE_RECOVERY_HOLD after the last change: the way back leads there,
 * and whoever comes by it puts it into force again. A change within that time makes no other one
 * the former: it holds the same one longer.
 */
struct store_recovery_address {
	char address[STORE_ADDRESS_SIZE]; /* "": there is none */
	int64_t confirmed_at;
	char former[STORE_ADDRESS_SIZE]; /* "": none, or it counts no more */
	int64_t former_at;               /* it was confirmed */
	int64_t former_until;
	char pending[STORE_ADDRESS_SIZE]; /* whose code is awaited, "": none */
	int64_t pending_at;
};

/* As at now; all empty if the account has none. */
enum gp_err store_recovery_address_get(struct store *store, uint64_t account, int64_t now,
	struct store_recovery_address *ret_address) GP_CHECKED;
/* Where the way back leads, "" if nowhere: no thief of the password can have put that there within
 * the hold. Borrows from it. ret_since: it was confirmed, 0 if there is none. */
const char *store_recovery_address_way_back(
	const struct store_recovery_address *recovery, int64_t *ret_since);
/* Awaits the code for a new one; the old one stays in force until then. */
enum gp_err store_recovery_address_begin(struct store *store, uint64_t account,
	struct slice address, const uint8_t tag[static STORE_TAG_SIZE], int64_t now) GP_CHECKED;
/* The code came, of an address that waits since `since` or later. GP_ERR_NOT_FOUND: it is not
 * that. */
enum gp_err store_recovery_address_confirm(struct store *store, uint64_t account,
	const uint8_t tag[static STORE_TAG_SIZE], int64_t since, int64_t now) GP_CHECKED;
/* No new one is awaited either. */
enum gp_err store_recovery_address_remove(
	struct store *store, uint64_t account, int64_t now) GP_CHECKED;
/* The owner came by the way back: if that is the former one, it is in force again, and what took
 * its place is gone. */
enum gp_err store_recovery_address_restore(
	struct store *store, uint64_t account, int64_t now) GP_CHECKED;

struct store_link {
	uint64_t account;
	int64_t expires_at;
	int64_t used_at; /* 0: it was not */
};

/* Ends the earlier ones of the account, and forgets those that are long over. */
enum gp_err store_link_add(struct store *store, uint64_t account,
	const uint8_t tag[static STORE_TAG_SIZE], int64_t now, int64_t expires_at) GP_CHECKED;
/* Good or over; GP_ERR_NOT_FOUND. */
enum gp_err store_link_find(struct store *store, const uint8_t tag[static STORE_TAG_SIZE],
	struct store_link *ret_link) GP_CHECKED;
/* GP_ERR_NOT_FOUND: it is used, over, or none. */
enum gp_err store_link_use(
	struct store *store, const uint8_t tag[static STORE_TAG_SIZE], int64_t now) GP_CHECKED;
/* Ends all of the account: its password is another one. */
enum gp_err store_link_end_all(struct store *store, uint64_t account, int64_t now) GP_CHECKED;

#endif
