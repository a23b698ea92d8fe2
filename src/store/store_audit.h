/* SPDX-License-Identifier: ISC */
/*
 * The audit as it is kept: records that can only be added (the engine refuses to change or remove
 * one), each with a link of the chain, and the head, which tells the last of them. What a link is,
 * vault/audit.h says. Process: vault. Errors as in store.h.
 */
#ifndef GP_STORE_STORE_AUDIT_H
#define GP_STORE_STORE_AUDIT_H

#include "store/store.h"

enum {
	STORE_LINK_SIZE = 32
};

struct store_audit_link {
	uint8_t bytes[STORE_LINK_SIZE];
	bool is_there;
};

struct store_audit {
	uint64_t id;
	int64_t at;
	struct slice actor;
	struct slice operation;
	uint64_t account_id;
	struct slice account; /* address, "" if it concerns none */
	struct slice detail;  /* a JSON object without secrets */
	struct store_audit_link hash;
};

struct store_audit_head {
	uint64_t first; /* the last record from before there was a chain; 0: none is */
	uint64_t last;
	struct store_audit_link hash; /* of the last record; none in an empty chain */
	struct store_audit_link seal; /* of this head */
};

/* GP_ERR_EXISTS: there is a record of this id. */
enum gp_err store_audit_add(struct store *store, const struct store_audit *audit) GP_CHECKED;
/* Newest first. account: empty for all; before: id, exclusive, 0 for the newest. */
enum gp_err store_audit_each(struct store *store, struct slice account, uint64_t before,
	uint64_t limit, enum gp_err (*visit)(const struct store_audit *audit, void *arg),
	void *arg) GP_CHECKED;
/* All, oldest first. */
enum gp_err store_audit_walk(struct store *store,
	enum gp_err (*visit)(const struct store_audit *audit, void *arg), void *arg) GP_CHECKED;

/* GP_ERR_NOT_FOUND: somebody has removed it. */
enum gp_err store_audit_head_get(struct store *store, struct store_audit_head *ret_head) GP_CHECKED;
/* first stays. GP_ERR_NOT_FOUND. */
enum gp_err store_audit_head_set(
	struct store *store, const struct store_audit_head *head) GP_CHECKED;

#endif
