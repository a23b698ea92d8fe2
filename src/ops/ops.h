/* SPDX-License-Identifier: ISC */
/*
 * The table of management operations (ops.def) and the check of their arguments. Handlers live with
 * the state they work on: ops of place VAULT in src/vault, of place CORE in src/core.
 */
#ifndef GP_OPS_OPS_H
#define GP_OPS_OPS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"
#include "base/terms.h"

enum ops_place {
	OPS_PLACE_CORE,
	OPS_PLACE_VAULT
};

enum ops_id {
#define OP(id, name, role, place, arguments, what) OPS_##id,
#include "ops/ops.def"
#undef OP
	OPS_MAX
};

struct ops_entry {
	const char *name;
	enum role role; /* the least that may */
	enum ops_place place;
	const char *arguments;
	const char *what;
};

/*
 * What an operation answers whoever may not have it. GP_ERR_SIGNIN: nobody is signed in, or the
 * second step is still to come (HTTP 401). GP_ERR_ROLE: who is signed in may not do this (403).
 * GP_ERR_DENIED: a secret among the arguments was wrong, or it is not permitted for a reason of its
 * own (403). GP_ERR_LIMIT: too often or too much; why says so (429). GP_ERR_UNSUPPORTED: there is
 * no such operation, or it is core's own (ROLE_CORE).
 */
const struct ops_entry *ops_entry(enum ops_id id);
/* OPS_MAX if there is none. */
enum ops_id ops_by_name(struct slice name);

/* Parses arguments (a JSON object, "" for none) and checks keys and types. The caller owns
 * *ret_args (json_decref()). why names the key at fault. */
enum gp_err ops_parse(
	enum ops_id id, struct slice arguments, json_t **ret_args, struct gp_why *why) GP_CHECKED;

/* The letter of its type, as in ops.def; 0 if the operation takes no such argument. */
char ops_argument_type(enum ops_id id, struct slice key);

/* Takes out what is secret (types p and n), for the audit. */
void ops_strip(enum ops_id id, json_t *args);
/* Is it the name of an operation ("account.list"), or what stands before the dot of some? */
bool ops_is_scope(struct slice scope);
/* Is the operation one of these, or in one of these groups? scopes: with spaces between; "" for
 * all. */
bool ops_is_in_scopes(enum ops_id id, struct slice scopes);
/* Does it have a secret compared (type p)? Such an operation takes a place in the window of its
 * source before it is passed on; GP_ERR_DENIED says that the secret was wrong. */
bool ops_has_guess(enum ops_id id);

#endif
