/* SPDX-License-Identifier: ISC */
/* What the files of src/store share beyond store.h. */
#ifndef GP_STORE_STORE_PRIVATE_H
#define GP_STORE_STORE_PRIVATE_H

#include "store/db.h"
#include "store/store.h"

struct store {
	struct db *db;
	int64_t stand_in; /* an account that is read in the place of one that is not there; 0: none
			   */
};

/* A write of several statements: joins the caller's transaction or makes its own. */
struct store_scope {
	struct store *store;
	bool is_own;
};
enum gp_err store_scope_begin(struct store *store, struct store_scope *ret_scope) GP_CHECKED;
/* Commits or, if err is one, rolls back its own transaction; returns the first error. */
enum gp_err store_scope_end(struct store_scope *scope, enum gp_err err) GP_CHECKED;

/* Times as the wall clock shows them now; $1 to $3 are store_bind_since()'s. */
#define STORE_EVENT_AT    "CASE WHEN boot = $2 THEN steady + $3 ELSE at END"
#define STORE_EVENT_SINCE "((boot <> $2 AND at >= $1) OR (boot = $2 AND steady >= $1 - $3))"
#define STORE_BAN_UNTIL   "(CASE WHEN boot = $2 THEN steady_until + $3 ELSE until_at END)"
void store_bind_since(
	struct db_statement *statement, int64_t since, const struct store_clock *clock);

/* GP_ERR_NOT_FOUND if the statement changed nothing. Ends it. */
enum gp_err store_run_found(struct db_statement **pstatement) GP_CHECKED;

/* Is it an account's address or an alias? */
enum gp_err store_address_is_taken(
	struct store *store, struct slice address, bool *ret_taken) GP_CHECKED;
/* Of the domain part; GP_ERR_NOT_FOUND if there is none or it is an alias. */
enum gp_err store_domain_id_of(
	struct store *store, struct slice address, uint64_t *ret_id) GP_CHECKED;

#endif
