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

#include "crypt/device_password.h"
#include "ops/ops.h"
#include "store/store_twofactor.h"
#include "vault/vault.h"

enum {
	DESK_HOOK_SIZE = 1025, /* of the reason that sending_block_hook is told, with its NUL */
	DESK_ROW_MAX = 15360,
	DESK_LIST_DEFAULT = 100,
	DESK_LIST_MAX = 10000, /* rows of one answer; who wants more asks again from the last */
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
	uint64_t portal;
	struct slice domains;
	struct ip source;
	struct slice client_name;
	struct slice language;
	int *fd; /* that came along, or -1 in it; a handler may take it */
	bool is_begun;
	bool is_going_on;          /* the handler answers later by itself (import) */
	bool has_posted;           /* a letter waits for the commit */
	char hook[DESK_HOOK_SIZE]; /* why somebody blocked the account; "": nobody did */
	json_t *rows;              /* held back until the commit */
	struct gp_why why;
	const char *fault; /* for programs, where why stands for one of several: a literal */
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
/*
 * The account that "address" names. Becomes subject and account. GP_ERR_NOT_FOUND: there is none,
 * or it is not of a domain of the asker's. Once desk_begin() was called: GP_ERR_ROLE, unless the
 * asker stands above the account.
 */
enum gp_err desk_account(struct desk_op *op, struct store_account *ret_account) GP_CHECKED;
/* Who is signed in at the portal; GP_ERR_SIGNIN if nobody is. Becomes the account it concerns. */
enum gp_err desk_asker(struct desk_op *op, uint64_t *ret_account) GP_CHECKED;
/* The same with all that the store knows; GP_ERR_NOT_FOUND: it is gone. The caller wipes its hash.
 */
enum gp_err desk_self(struct desk_op *op, struct store_account *ret_account) GP_CHECKED;
/* The same once that is the password, its hash wiped; GP_ERR_DENIED: it is not. */
enum gp_err desk_self_with_password(
	struct desk_op *op, struct slice password, struct store_account *ret_account) GP_CHECKED;
/* What the asker has to set anew after a recovery: array of "twofactor", "password". Empty unless
 * the session is of that kind. */
json_t *desk_must_json(const struct desk_op *op, const struct store_twofactor *facts);

/* Is the asker for certain domains only? */
bool desk_is_bound(const struct desk_op *op);
/* Is that domain, or that of the address, one of the asker's? */
bool desk_has_domain(const struct desk_op *op, struct slice domain);
bool desk_has_address(const struct desk_op *op, struct slice address);
/* GP_ERR_ROLE: the asker has not got the domain in which that is to be. */
enum gp_err desk_check_new_address(struct desk_op *op, const char *address) GP_CHECKED;
/* GP_ERR_ROLE: the asker does not stand above that role, and is no admin. */
enum gp_err desk_check_rank(struct desk_op *op, struct slice role) GP_CHECKED;
/* GP_ERR_ROLE: people who help others neither see nor choose their secrets; a hosting panel, which
 * does so for its customer, may. */
enum gp_err desk_check_secret(struct desk_op *op) GP_CHECKED;

/* Puts a letter to the account's owner into the outbox, in the operation's transaction; recipient
 * NULL: to the account itself, to its recovery address, and to the one before while that counts.
 * Takes values (may be NULL). */
enum gp_err desk_post(struct desk_op *op, const struct store_account *account,
	const char *recipient, const char *kind, json_t *values) GP_CHECKED;
/* The same outside of an operation; language: if the account has none. Then outbox_wake(). */
enum gp_err desk_post_for(struct vault *vault, const struct store_account *account,
	const char *recipient, const char *kind, const char *language, json_t *values) GP_CHECKED;

/* The name that the device is to have, from the arguments. */
enum gp_err desk_check_device_name(struct desk_op *op, char out[static STORE_NAME_SIZE]) GP_CHECKED;
/* A new device password of the account, in the operation's transaction, with a letter about it. The
 * caller wipes the password. Its row, which shows it this once. */
enum gp_err desk_add_device(struct desk_op *op, const struct store_account *account,
	const char *name, unsigned bits,
	char password[static DEVICE_PASSWORD_TEXT_SIZE]) GP_CHECKED;
json_t *desk_device_json(const struct desk_op *op, const struct store_account *account,
	const char *name, unsigned bits, const char *password);

/* A JSON string or null. */
json_t *desk_json_time(int64_t wall_s);
json_t *desk_json_text(struct slice text);
const char *desk_hex(const uint8_t hash[static CHAIN_SIZE], char out[static 2 * CHAIN_SIZE + 1]);
/* A row of signin.list. */
json_t *desk_event_json(const struct store_event_row *event);

/* The canonical form of an address for what is to be new: only letters that are fit for one. */
enum gp_err desk_new_address(struct vault *vault, struct slice typed,
	char out[static STORE_ADDRESS_SIZE], struct gp_why *why) GP_CHECKED;
/* The same, for an address that may exist. */
enum gp_err desk_old_address(struct vault *vault, struct slice typed,
	char out[static STORE_ADDRESS_SIZE], struct gp_why *why) GP_CHECKED;
enum gp_err desk_check_route(
	const struct vault *vault, struct slice route, struct gp_why *why) GP_CHECKED;
/* Gives the operation's account a further address; out: its canonical form. */
enum gp_err desk_add_alias(
	struct desk_op *op, const char *typed, char out[static STORE_ADDRESS_SIZE]) GP_CHECKED;
enum gp_err desk_check_role(struct slice role, struct gp_why *why) GP_CHECKED;
/* A new main password of the account of that address. Sets op->fault. */
enum gp_err desk_check_password(
	struct desk_op *op, struct slice password, const char *address) GP_CHECKED;

/* Sends progress and ends; for the import, which outlives its handler. */
enum gp_err desk_send_row(struct vault *vault, uint64_t request, const json_t *row) GP_CHECKED;
void desk_send_progress(struct vault *vault, uint64_t request, uint64_t done, uint64_t total);
void desk_send_done(struct vault *vault, uint64_t request, enum gp_err err,
	const struct gp_why *why, enum ipc_effect effect);
enum gp_err desk_audit(struct vault *vault, struct slice actor, enum ops_id id, uint64_t account,
	const char *subject, const json_t *detail) GP_CHECKED;

#endif
