/* SPDX-License-Identifier: ISC */
/*
 * What proves in a case that somebody is the account's owner: links and codes, each good once.
 * The store has keyed tags of them. Process: vault, desk lane.
 */
#ifndef GP_VAULT_CASE_SECRET_H
#define GP_VAULT_CASE_SECRET_H

#include "vault/case.h"

/* Kinds, as the store names them. */
#define CASE_SECRET_LINK    "link"
#define CASE_SECRET_ADDRESS "address"
#define CASE_SECRET_PANEL   "panel"

/* Makes a link's token; values get "token" and "due". */
enum gp_err case_secret_put_link(struct desk_op *op, uint64_t id, json_t *values) GP_CHECKED;
/* Mails a code to the recovery address; only the asking session may use it. GP_ERR_LIMIT. */
enum gp_err case_secret_mail(struct desk_op *op, const struct case_view *view) GP_CHECKED;
/* Makes a code for the panel to show; *ret_row: {address, code, expires_at}. GP_ERR_LIMIT. */
enum gp_err case_secret_vouch(
	struct desk_op *op, const struct case_view *view, json_t **ret_row) GP_CHECKED;

/*
 * Judges a proof of the kind (a name of policy/release.h, or "link") for the session that asks, and
 * notes it with the case. Begins the operation's transaction. GP_ERR_DENIED: it is not right.
 * GP_ERR_NOT_FOUND: nothing of the kind counts. GP_ERR_LIMIT: too many wrong ones.
 */
enum gp_err case_secret_prove(struct desk_op *op, const struct case_view *view, const char *kind,
	struct slice code) GP_CHECKED;
/* The case and account of a link that was followed, into op->account and op->subject.
 * GP_ERR_DENIED: there never was one; GP_ERR_NOT_FOUND: it is over, which is no guess. */
enum gp_err case_secret_find_link(
	struct desk_op *op, struct slice token, struct case_view *ret_view) GP_CHECKED;
/* Uses it up. GP_ERR_NOT_FOUND. */
enum gp_err case_secret_use_link(
	struct desk_op *op, const struct case_view *view, struct slice token) GP_CHECKED;

#endif
