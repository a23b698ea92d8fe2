/* SPDX-License-Identifier: ISC */
#include "core/guarded.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "core/attempt.h"
#include "core/core.h"

/* Is who asked still signed in, and as far as then? A code that was right makes others void. */
static bool is_still_there(const struct op *op)
{
	const struct portal_session *session = NULL;

	if (op->portal == 0)
		return true;
	session = portal_find_number(op->core, op->portal);
	return session != NULL && session->state == op->portal_state;
}

static void set_answer(struct op *op, enum gp_err err, struct slice why)
{
	mem_free(op->why);
	op->err = err;
	op->why = slice_dup(why);
}

static void hand_over(struct attempt *attempt)
{
	struct op *op = op_find(attempt->core, attempt->op);
	struct ipc_message question;

	GP_ASSERT(op != NULL);
	if (!is_still_there(op)) {
		set_answer(op, GP_ERR_SIGNIN, SLICE_LIT("sign in first"));
		signin_on_right_guess(attempt);
		return;
	}
	op->attempt = attempt;
	attempt->state = ATTEMPT_CHECKING;
	/* The desk does one thing after another; what it has begun it ends, or it is gone. */
	loop_timer_clear(&attempt->timer);
	GP_ASSERT(ipc_decode(buf_slice(&op->question), &question) == GP_OK);
	if (op_ask(op, &question, -1) != GP_OK)
		signin_fail(attempt, REASON_VAULT);
}

static void on_right(struct attempt *attempt, const struct ipc_verify_reply *reply)
{
	(void)attempt;
	(void)reply;
	GP_ASSERT(!"a guess is no name and password");
}

static void reply(struct attempt *attempt, const struct attempt_answer *answer)
{
	struct op *op = op_find(attempt->core, attempt->op);
	struct gp_why why = { "" };
	enum gp_err err = form_explain(answer, &why);

	GP_ASSERT(op != NULL);
	op->attempt = NULL;
	switch (answer->verdict) {
	case VERDICT_OK:
	case VERDICT_DENY:
	case VERDICT_DENY_BANNED:
		op_finish(op, op->err, slice_str(op->why));
		break;
	case VERDICT_BANNED:
	case VERDICT_BUSY:
	case VERDICT_TEMPORARY:
	case VERDICT_MAX:
		op_finish(op, err, slice_str(why.text));
		break;
	}
}

/* Where a code alone is asked for, the password was right before. */
static enum reason reason_of(enum ops_id id)
{
	const char *arguments = ops_entry(id)->arguments;
	bool is_code =
		strstr(arguments, "code:p") != NULL && strstr(arguments, "password:p") == NULL;

	return is_code ? REASON_CODE : REASON_WRONG_PASSWORD;
}

void guarded_begin(struct op *op, enum ops_id id, const struct caller *caller,
	const struct ipc_message *question)
{
	static const struct attempt_kind kind = { hand_over, on_right, reply, true, true };
	struct attempt_origin origin = { .kind = &kind,
		.op = op->id,
		.client = caller->source,
		.service = SERVICE_HTTPS,
		.listener = UINT16_MAX,
		.mechanism = MECHANISM_FORM,
		.login = caller->address,
		.client_name = caller->client_name,
		.detail = ops_entry(id)->name,
		.account = caller->account,
		.is_known = true };

	op->reason = reason_of(id);
	if (ipc_encode(question, &op->question) != GP_OK)
		op_finish(op, GP_ERR_SYNTAX, SLICE_LIT("too long"));
	else if (!signin_try(op->core, &origin))
		op_finish(op, GP_ERR_BUSY, SLICE_LIT("too many at once; try again"));
}

/* Another code was right meanwhile: who sent one twice has done nothing wrong. */
static bool has_moved_on(const struct op *op)
{
	const struct portal_session *session = portal_find_number(op->core, op->portal);

	return op->portal_state == PORTAL_PENDING && session != NULL &&
	       session->state != PORTAL_PENDING;
}

void guarded_on_done(struct op *op, enum gp_err err, struct slice why)
{
	struct attempt *attempt = op->attempt;

	if (op->portal != 0 && has_moved_on(op)) {
		mem_free(op->fault);
		op->fault = NULL;
		set_answer(op, GP_ERR_SIGNIN, SLICE_LIT("sign in first"));
	} else {
		set_answer(op, err, why);
	}
	if (op->err == GP_ERR_DENIED)
		signin_on_wrong_guess(attempt, op->reason);
	else
		signin_on_right_guess(attempt);
}
