/* SPDX-License-Identifier: ISC */
/* Links that set up one device, each good once. Errors as in store.h. */
#ifndef GP_STORE_STORE_SETUP_H
#define GP_STORE_STORE_SETUP_H

#include "store/store.h"

enum {
	STORE_SETUP_KEEP = 24 * 60 * 60, /* s that a link is remembered after its end */
};

struct store_setup_link {
	uint64_t account;
	char name[STORE_NAME_SIZE]; /* of the device it makes */
	int64_t expires_at;
	int64_t used_at; /* 0: it was not */
};

/* Of account, name and expires_at. Ends the earlier ones of the account, and forgets those that are
 * long over. */
enum gp_err store_setup_add(struct store *store, const struct store_setup_link *link,
	const uint8_t tag[static STORE_TAG_SIZE], int64_t now) GP_CHECKED;
/* Good or over; GP_ERR_NOT_FOUND. */
enum gp_err store_setup_find(struct store *store, const uint8_t tag[static STORE_TAG_SIZE],
	struct store_setup_link *ret_link) GP_CHECKED;
/* GP_ERR_NOT_FOUND: it is used, over, or none. */
enum gp_err store_setup_use(
	struct store *store, const uint8_t tag[static STORE_TAG_SIZE], int64_t now) GP_CHECKED;
/* Ends all of the account: its password is another one. */
enum gp_err store_setup_end_all(struct store *store, uint64_t account, int64_t now) GP_CHECKED;

#endif
