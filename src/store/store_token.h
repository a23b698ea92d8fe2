/* SPDX-License-Identifier: ISC */
/* API tokens in the store. Process: vault, desk lane. Errors as in store.h. */
#ifndef GP_STORE_STORE_TOKEN_H
#define GP_STORE_STORE_TOKEN_H

#include "store/store.h"

enum {
	STORE_TOKENS_MAX = 1000,
	STORE_SCOPES_SIZE = 513,
	STORE_TOKEN_STEP = 60, /* s: how exactly its last use is noted */
};

struct store_token {
	uint64_t id;
	char name[STORE_NAME_SIZE];
	char role[16];
	char scopes[STORE_SCOPES_SIZE];   /* "" for all */
	char domains[STORE_DOMAINS_SIZE]; /* "" for all */
	int64_t created_at;
	int64_t expires_at;
	int64_t used_at;
};

/* Uses all but id and used_at. GP_ERR_LIMIT: there are STORE_TOKENS_MAX already. */
enum gp_err store_token_add(struct store *store, const struct store_token *token,
	const uint8_t tag[static STORE_TAG_SIZE], uint64_t *ret_id) GP_CHECKED;
/* GP_ERR_NOT_FOUND: there is none of this tag, or it has expired at now. */
enum gp_err store_token_find(struct store *store, const uint8_t tag[static STORE_TAG_SIZE],
	int64_t now, struct store_token *ret_token) GP_CHECKED;
/* It is used now; written once in STORE_TOKEN_STEP. */
enum gp_err store_token_use(struct store *store, uint64_t id, int64_t now) GP_CHECKED;
/* By id. */
/* By id, from the first behind `after`, at most limit. */
enum gp_err store_token_each(struct store *store, uint64_t after, uint64_t limit,
	enum gp_err (*visit)(const struct store_token *token, void *arg), void *arg) GP_CHECKED;
/* GP_ERR_NOT_FOUND. */
enum gp_err store_token_remove(struct store *store, uint64_t id) GP_CHECKED;

#endif
