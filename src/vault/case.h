/* SPDX-License-Identifier: ISC */
/*
 * Cases: accounts that were stopped from sending, and how they come to send again.
 *
 *	              ask -----------> block          (No, by staff, or by the policy)
 *	               | Yes             | No
 *	               v                 v   proof, then a new password, then 2FA anew
 *	            confirmed         released         at any time: by staff
 *
 * Whether a proof is needed and which ones count is policy/release.h's to say. A proof holds for
 * the session at the portal that gave it, for CASE_PROOF; once that has set a new password, whoever
 * knows the new one has proved enough. While a case is open nothing that could prove something is
 * changed but by the release itself. Process: vault, desk lane; all within an operation.
 */
#ifndef GP_VAULT_CASE_H
#define GP_VAULT_CASE_H

#include "policy/release.h"
#include "store/store_case.h"
#include "vault/desk.h"

enum {
	CASE_PROOF = 60 * 60,         /* s that a proof holds */
	CASE_CODE = 15 * 60,          /* s that a mailed code is good */
	CASE_CODES_MAX = 5,           /* mailed in a day, of one case */
	CASE_TRIES_MAX = 5,           /* wrong codes until another one is mailed */
	CASE_LINK = 7 * 24 * 60 * 60, /* s that the link of a notice is good */
	CASE_LINKS_MAX = 10,          /* mailed in a day, of one case */
	CASE_VOUCHED = 60 * 60,       /* s that the panel's code is good */
	CASE_VOUCHED_MAX = 20,        /* made in a day, of one case */
	CASE_EARLIER = 24 * 60 * 60,  /* s before staff notices that abuse is taken to have begun */
	CASE_DAY = 24 * 60 * 60,
};

/* An open case, as it is for who asks. */
struct case_view {
	struct store_case found;
	struct store_account account; /* without its hash */
	struct release_facts facts;
	char address[STORE_ADDRESS_SIZE]; /* the way back (recovery.h), whether it counts or not */
};

/* Of the account that the operation concerns (op->account). GP_ERR_NOT_FOUND: none is open. */
enum gp_err case_look(struct desk_op *op, struct case_view *ret_view) GP_CHECKED;
/* The next thing to do for whoever asks: "answer", "prove", "password", "twofactor", "staff". */
const char *case_next(const struct case_view *view);

/*
 * Opens a case, or raises the open one if it is an ask and the new one is a block; an equal one
 * stays as it is, with further sources. Blocks the account, ends the device password that did it,
 * posts the notices, sets the effect. Uses kind, began_at, reason, session, device, opened_by of
 * *begun. sources: array of texts, or NULL. with_link: the owner is told by a link, too.
 */
enum gp_err case_open(struct desk_op *op, const struct store_account *account,
	struct store_case *begun, const json_t *sources, bool with_link) GP_CHECKED;
/* The ask becomes a block, by who asks: its owner, who says that it was not him, or staff. */
enum gp_err case_raise(struct desk_op *op, const struct case_view *view) GP_CHECKED;
/* Closes it, opens sending again and tells the owner. */
enum gp_err case_close(
	struct desk_op *op, const struct case_view *view, const char *outcome) GP_CHECKED;

/* GP_ERR_ROLE: the account of who asks has an open case; such things are for the release alone. */
enum gp_err case_check_roots(struct desk_op *op) GP_CHECKED;
/* The same for a step of the release, "password" or "twofactor", unless it is its turn.
 * *ret_is_release: there is a case, and it is. */
enum gp_err case_check_step(struct desk_op *op, const char *step, struct case_view *ret_view,
	bool *ret_is_release) GP_CHECKED;

#endif
