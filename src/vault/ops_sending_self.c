/* SPDX-License-Identifier: ISC */
/* "Was this you?": what the owner of a stopped account sees, says and proves. */
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "vault/case_row.h"
#include "vault/case_secret.h"
#include "vault/recovery.h"

static json_t *proofs_json(const struct release_facts *facts)
{
	json_t *list = json_array();

	for (enum release_proof proof = 0; proof < RELEASE_PROOFS; proof++) {
		if (!facts->is_for_staff && release_accepts(facts, proof))
			GP_ASSERT(json_array_append_new(
					  list, json_string(release_proof_name(proof))) == 0);
	}
	return list;
}

/* What there is to do next; part of most rows. */
static json_t *next_json(const struct case_view *view)
{
	return json_pack("{s:s, s:b, s:b}", "next", case_next(view), "may_say_yes",
		(int)(release_judge(&view->facts, RELEASE_YES) == RELEASE_GO), "is_trusted",
		(int)release_is_trusted(&view->facts));
}

static json_t *case_json(const struct case_view *view)
{
	const struct store_case *found = &view->found;
	char hint[STORE_ADDRESS_SIZE] = "";
	json_t *row = next_json(view);
	json_t *more = NULL;

	if (release_accepts(&view->facts, RELEASE_PROOF_ADDRESS))
		recovery_hint(view->address, hint);
	more = json_pack("{s:s, s:o, s:o, s:o, s:s, s:b, s:o, s:s}", "kind", found->kind,
		"opened_at", desk_json_time(found->opened_at), "began_at",
		desk_json_time(found->began_at), "reason", desk_json_text(slice_str(found->reason)),
		"answer", found->answer, "is_repeat", (int)found->is_repeat, "proofs",
		proofs_json(&view->facts), "address_hint", hint);
	GP_ASSERT(row != NULL && more != NULL && json_object_update(row, more) == 0);
	json_decref(more);
	case_row_add_reasons(found, row);
	return row;
}

/* The asker's open case. */
static enum gp_err look(struct desk_op *op, struct case_view *view)
{
	uint64_t account = 0;
	enum gp_err err = desk_asker(op, &account);

	if (err == GP_OK)
		err = case_look(op, view);
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(&op->why, err, "your account is not stopped from sending");
	if (err == GP_OK)
		memcpy(op->subject, view->account.address, sizeof op->subject);
	return err;
}

enum gp_err op_self_sending_show(struct desk_op *op)
{
	struct case_view view = { .found = { .id = 0 } };
	json_t *row = NULL;
	enum gp_err err = look(op, &view);

	if (err == GP_ERR_NOT_FOUND)
		return desk_row(op, json_pack("{s:s, s:s}", "kind", "", "next", "none"));
	if (err != GP_OK)
		return err;
	row = case_json(&view);
	err = case_row_add_sent(op, &view.found, row);
	if (err == GP_OK)
		return desk_row(op, row);
	json_decref(row);
	return err;
}

enum gp_err op_self_sending_sent(struct desk_op *op)
{
	struct case_view view = { .found = { .id = 0 } };
	enum gp_err err = look(op, &view);

	return err == GP_OK ? case_row_send_sent(op, &view.found) : err;
}

/* ---- the answer ---- */

/* Looks again, and says what is next. */
static enum gp_err send_next(struct desk_op *op)
{
	struct case_view view = { .found = { .id = 0 } };
	enum gp_err err = case_look(op, &view);

	if (err == GP_ERR_NOT_FOUND)
		return desk_row(op, json_pack("{s:s}", "next", "none"));
	return err == GP_OK ? desk_row(op, next_json(&view)) : err;
}

static enum gp_err say_yes(struct desk_op *op, const struct case_view *view)
{
	switch (release_judge(&view->facts, RELEASE_YES)) {
	case RELEASE_STAFF:
		return gp_why_set(&op->why, GP_ERR_ROLE, "that is for the support team to decide");
	case RELEASE_PROVE:
		return gp_why_set(&op->why, GP_ERR_ROLE, "first prove that it is you");
	case RELEASE_GO:
		break;
	}
	if (op->vault->config->sending_yes == CONFIG_YES_STAFF)
		return store_case_answer(
			op->vault->store, view->found.id, "yes", true, clock_wall());
	op->effect = IPC_EFFECT_CONFIRMED;
	return case_close(op, view, "confirmed");
}

/* Somebody else is in: whatever the policy thought of it, it is a block. */
static enum gp_err say_no(struct desk_op *op, const struct case_view *view)
{
	enum gp_err err = GP_OK;

	if (strcmp(view->found.kind, STORE_CASE_ASK) == 0)
		err = case_raise(op, view);
	return err == GP_OK ? store_case_answer(op->vault->store, view->found.id, "no",
				      view->found.is_for_staff, clock_wall())
			    : err;
}

enum gp_err op_self_sending_answer(struct desk_op *op)
{
	struct case_view view = { .found = { .id = 0 } };
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = look(op, &view);
	if (err == GP_OK)
		err = desk_bool(op, "is_me") ? say_yes(op, &view) : say_no(op, &view);
	return err == GP_OK ? send_next(op) : err;
}

/* ---- the proof ---- */

enum gp_err op_self_sending_code(struct desk_op *op)
{
	struct case_view view = { .found = { .id = 0 } };
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = look(op, &view);
	if (err == GP_OK &&
		(view.facts.is_for_staff || !release_accepts(&view.facts, RELEASE_PROOF_ADDRESS)))
		err = gp_why_set(&op->why, GP_ERR_NOT_FOUND,
			"there is no recovery address that was there before");
	return err == GP_OK ? case_secret_mail(op, &view) : err;
}

enum gp_err op_self_sending_prove(struct desk_op *op)
{
	struct case_view view = { .found = { .id = 0 } };
	enum gp_err err = look(op, &view);

	if (err == GP_OK)
		err = case_secret_prove(
			op, &view, desk_string(op, "kind"), slice_str(desk_string(op, "code")));
	return err == GP_OK ? send_next(op) : err;
}

/* ---- the link of a notice ---- */

enum gp_err op_sending_show_link(struct desk_op *op)
{
	struct case_view view = { .found = { .id = 0 } };
	json_t *row = NULL;
	enum gp_err err = case_secret_find_link(op, slice_str(desk_string(op, "token")), &view);

	if (err != GP_OK)
		return err;
	row = json_pack("{s:s, s:s, s:o, s:b}", "address", view.account.address, "kind",
		view.found.kind, "began_at", desk_json_time(view.found.began_at), "needs_staff",
		(int)view.facts.is_for_staff);
	err = case_row_add_sent(op, &view.found, row);
	if (err == GP_OK)
		return desk_row(op, row);
	json_decref(row);
	return err;
}

/* A Yes to a question is all there is to say. Everything else goes on at the portal, where the link
 * is the proof: it is not used up yet. */
enum gp_err op_sending_answer_link(struct desk_op *op)
{
	struct slice token = slice_str(desk_string(op, "token"));
	bool is_me = desk_bool(op, "is_me");
	struct case_view view = { .found = { .id = 0 } };
	bool is_done;
	enum gp_err err = case_secret_find_link(op, token, &view);

	if (err == GP_OK)
		err = desk_begin(op);
	if (err != GP_OK)
		return err;
	is_done = is_me && strcmp(view.found.kind, STORE_CASE_ASK) == 0;
	view.facts.is_proved = true;
	if (is_done)
		err = case_secret_use_link(op, &view, token);
	if (err == GP_OK && is_done)
		err = say_yes(op, &view);
	else if (err == GP_OK && !is_me)
		err = say_no(op, &view);
	return err == GP_OK ? desk_row(op, json_pack("{s:s}", "next", is_done ? "done" : "signin"))
			    : err;
}
