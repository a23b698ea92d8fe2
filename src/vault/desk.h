/* SPDX-License-Identifier: ISC */
/*
 * Management operations on the store (ops/ops.def, place VAULT), one after another on the desk
 * lane. Each handler is op_<id>; what it changes is one transaction, with its line in the audit.
 * Rows of an operation that changes something go out after the commit: nobody is shown a device
 * password that is not there.
 *
 * In rows times are RFC 3339 in UTC, or null for never; ids are integers; see the handlers for
 * keys.
 */
#ifndef GP_VAULT_DESK_H
#define GP_VAULT_DESK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "ops/ops.h"
#include "store/store_twofactor.h"
#include "vault/vault.h"

enum {
	DESK_ROW_MAX = 15360,
	DESK_LIST_DEFAULT = 100,
	DESK_LIST_MAX = 10000, /* rows of one answer; who wants more asks again from the last */
	DESK_PASSWORD_MIN = 8, /* characters of a new password */
};

struct desk_op {
	struct vault *vault;
	uint64_t request;
	enum ops_id id;
	const json_t *args;
	struct slice actor;
	/* As core found it; see OP in ipc/messages.def. */
	enum role role;
	uint64_t asker;
	struct slice domains;
	struct ip source;
	struct slice client_name;
	struct slice language;
	int *fd; /* that came along, or -1 in it; a handler may take it */
	bool is_begun;
	bool is_going_on; /* the handler answers later by itself (import) */
	json_t *rows;     /* held back until the commit */
	struct gp_why why;
	/* for core and the audit */
	enum ipc_effect effect;
	uint64_t account;
	uint64_t device;
	char subject[STORE_ADDRESS_SIZE]; /* address of the account it concerned, or "" */
};

#define DESK_VAULT(id) enum gp_err op_##id(struct desk_op *op) GP_CHECKED;
#define DESK_CORE(id)
#define OP(id, name, role, place, arguments, what) DESK_##place(id)
#include "ops/ops.def"
#undef OP
#undef DESK_VAULT
#undef DESK_CORE

void desk_on_op(struct vault *vault, const struct ipc_op *message, int *fd);

/* ---- for handlers ---- */

/* Starts the operation's transaction; before the first look at what it will change. */
enum gp_err desk_begin(struct desk_op *op) GP_CHECKED;
/* Takes the reference. */
enum gp_err desk_row(struct desk_op *op, json_t *row) GP_CHECKED;
/* An argument, NULL / false / the default if it was not given. */
const char *desk_string(const struct desk_op *op, const char *key);
bool desk_bool(const struct desk_op *op, const char *key);
enum gp_err desk_number(
	struct desk_op *op, const char *key, uint64_t otherwise, uint64_t *ret_value) GP_CHECKED;
/* "limit", DESK_LIST_DEFAULT if absent. */
enum gp_err desk_limit(struct desk_op *op, uint64_t *ret_limit) GP_CHECKED;
/* An RFC 3339 time, 0 if absent. */
enum gp_err desk_time(struct desk_op *op, const char *key, int64_t *ret_time) GP_CHECKED;
/* The account that "address" names; GP_ERR_NOT_FOUND with why. Becomes subject and account. */
enum gp_err desk_account(struct desk_op *op, struct store_account *ret_account) GP_CHECKED;
/* Who is signed in at the portal; GP_ERR_SIGNIN if nobody is. Becomes the account it concerns. */
enum gp_err desk_asker(struct desk_op *op, uint64_t *ret_account) GP_CHECKED;
/* The same with all that the store knows; GP_ERR_NOT_FOUND: it is gone. The caller wipes its hash.
 */
enum gp_err desk_self(struct desk_op *op, struct store_account *ret_account) GP_CHECKED;
/* The same once the argument "password" was right, its hash wiped; GP_ERR_DENIED: it was wrong. */
enum gp_err desk_self_with_password(
	struct desk_op *op, struct store_account *ret_account) GP_CHECKED;
/* What the asker has to set anew after a recovery: array of "twofactor", "password". Empty unless
 * the session is of that kind. */
json_t *desk_must_json(const struct desk_op *op, const struct store_twofactor *facts);
/* A JSON string or null. */
json_t *desk_json_time(int64_t wall_s);
json_t *desk_json_text(struct slice text);

/* The canonical form of an address for what is to be new: only letters that are fit for one. */
enum gp_err desk_new_address(struct vault *vault, struct slice typed,
	char out[static STORE_ADDRESS_SIZE], struct gp_why *why) GP_CHECKED;
/* The same, for an address that may exist. */
enum gp_err desk_old_address(struct vault *vault, struct slice typed,
	char out[static STORE_ADDRESS_SIZE], struct gp_why *why) GP_CHECKED;
enum gp_err desk_check_route(
	const struct vault *vault, struct slice route, struct gp_why *why) GP_CHECKED;
enum gp_err desk_check_role(struct slice role, struct gp_why *why) GP_CHECKED;
enum gp_err desk_check_password(struct slice password, struct gp_why *why) GP_CHECKED;

/* Sends progress and ends; for the import, which outlives its handler. */
enum gp_err desk_send_row(struct vault *vault, uint64_t request, const json_t *row) GP_CHECKED;
void desk_send_progress(struct vault *vault, uint64_t request, uint64_t done, uint64_t total);
void desk_send_done(struct vault *vault, uint64_t request, enum gp_err err,
	const struct gp_why *why, enum ipc_effect effect);
enum gp_err desk_audit(struct vault *vault, struct slice actor, enum ops_id id, uint64_t account,
	const char *subject, const json_t *detail) GP_CHECKED;

#endif
