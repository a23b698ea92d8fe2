/* SPDX-License-Identifier: ISC */
/*
 * The audit: who changed what, as a chain of records that can only be added. The link of each
 * covers its number, all that it says and the link before; the head, sealed with the same key,
 * tells the last one. So a record that was changed, removed, put elsewhere or added by somebody
 * else is found, and so is a chain that was cut. Against whoever puts back a whole older database
 * helps only what is kept elsewhere: each link is logged once it is kept, and can be asked for.
 *
 * The audit is never cleaned up: it grows by what people change, not by who tries to sign in.
 */
#ifndef GP_VAULT_AUDIT_H
#define GP_VAULT_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "crypt/chain.h"
#include "store/store_audit.h"

struct vault;

/* What was added and is not yet committed. */
struct audit_pending {
	uint64_t record; /* 0: nothing */
	uint8_t hash[CHAIN_SIZE];
};

/* In the caller's transaction, or one of its own; sets id and hash. GP_ERR_STORE: the chain is
 * broken. */
enum gp_err audit_append(struct vault *vault, struct store_audit *audit) GP_CHECKED;
/* The transaction is committed (or not): logs what is kept. */
void audit_on_end(struct vault *vault, bool is_kept);

#define AUDIT_FAULT_LIST(X)                                                        \
	X(AUDIT_WHOLE, "none", "all records are as they were written")             \
	X(AUDIT_CHANGED, "changed", "this record was changed, or is another's")    \
	X(AUDIT_MISSING, "missing", "this record was removed")                     \
	X(AUDIT_ADDED, "added", "this record was not written by Gatepost")         \
	X(AUDIT_TRUNCATED, "truncated", "this record and all later ones are gone") \
	X(AUDIT_HEAD, "head", "the head of the audit was changed or removed")      \
	X(AUDIT_OTHER, "other", "this record is not the one that was noted")

enum audit_fault {
#define AUDIT_ENUM(name, text, words) name,
	AUDIT_FAULT_LIST(AUDIT_ENUM)
#undef AUDIT_ENUM
	AUDIT_FAULT_MAX
};

struct audit_report {
	enum audit_fault fault;
	uint64_t record;  /* at which; 0: none */
	uint64_t records; /* in the chain */
	uint64_t earlier; /* from before there was one */
	uint64_t last;
	uint8_t hash[CHAIN_SIZE]; /* of the last one; 0 in an empty chain */
};

/* Looks at all of it. noted: a record whose link is known from elsewhere, 0: none. */
enum gp_err audit_verify(struct vault *vault, uint64_t noted, const uint8_t hash[static CHAIN_SIZE],
	struct audit_report *ret_report) GP_CHECKED;

#endif
