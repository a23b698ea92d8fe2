/* SPDX-License-Identifier: ISC */
/* portal.signin, portal.code. Rows: ops/ops.def. */
#include "core/form.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/attempt.h"
#include "core/core.h"

enum {
	ARGUMENTS_SIZE = 8 * FORM_CODE_MAX /* each of its bytes may be escaped */
};

enum gp_err form_explain(const struct attempt_answer *answer, struct gp_why *why)
{
	char until[CLOCK_TEXT_SIZE];

	switch (answer->verdict) {
	case VERDICT_OK:
		return GP_OK;
	case VERDICT_DENY:
	case VERDICT_DENY_BANNED:
	case VERDICT_MAX:
		break;
	case VERDICT_BANNED:
		return gp_why_set(why, GP_ERR_LIMIT,
			"too many wrong passwords or codes from your address; try again at %s",
			clock_format(clock_wall() + (answer->ban_ms + 999) / 1000, until));
	case VERDICT_BUSY:
		return gp_why_set(why, GP_ERR_BUSY,
			"too many sign-ins from your address at once; try again in a moment");
	case VERDICT_TEMPORARY:
		return gp_why_set(
			why, GP_ERR_STORE, "this cannot be checked now; try again in a moment");
	}
	return gp_why_set(why, GP_ERR_DENIED, "wrong name or password");
}

static void reply(struct attempt *attempt, const struct attempt_answer *answer)
{
	struct op *op = op_find(attempt->core, attempt->op);
	struct gp_why why = { "" };
	enum gp_err err = form_explain(answer, &why);

	GP_ASSERT(op != NULL);
	op_finish(op, err, slice_str(why.text));
}

/* The browser's earlier session is over with that. */
static void end_old(struct op *op)
{
	struct portal_session *session = portal_find_number(op->core, op->portal);

	if (session != NULL)
		portal_end(op->core, &session);
}

static void send_cookie(struct op *op, const char *state, char cookie[static PORTAL_COOKIE_SIZE])
{
	struct op_call call = op_call_of(op);

	op_row(&call, json_pack("{s:s, s:s}", "state", state, "cookie", cookie));
	mem_wipe(cookie, PORTAL_COOKIE_SIZE);
}

static void on_right(struct attempt *attempt, const struct ipc_verify_reply *verified)
{
	struct core *core = attempt->core;
	struct op *op = op_find(core, attempt->op);
	struct attempt_answer answer = { .verdict = VERDICT_OK, .reason = REASON_OK };
	struct portal_account account = { verified->account, (enum role)verified->role,
		verified->address, verified->domains, slice_str(attempt->client_name),
		attempt->source->ip };
	char cookie[PORTAL_COOKIE_SIZE];

	GP_ASSERT(op != NULL);
	if (account.role < ROLE_USER || account.role > ROLE_ADMIN) {
		log_error("role_unknown", LOG_SLICE("address", verified->address));
		signin_fail(attempt, REASON_VAULT);
		return;
	}
	end_old(op);
	if (verified->has_twofactor) {
		/* Not signed in yet: no event that makes its source a known one. */
		(void)portal_open(core, &account, PORTAL_PENDING, cookie);
		send_cookie(op, "code", cookie);
	} else {
		core->stats.signins_ok++;
		attempt_record(attempt, &answer);
		(void)portal_open(core, &account, PORTAL_SIGNED_IN, cookie);
		send_cookie(op, "signed_in", cookie);
	}
	reply(attempt, &answer);
	attempt_free(&attempt);
}

enum gp_err op_portal_signin(struct op_call *call, const json_t *args, struct gp_why *why)
{
	static const struct attempt_kind kind = { vaults_verify, on_right, reply, true, false };
	const struct caller *caller = call->caller;
	struct attempt_origin origin = { .kind = &kind,
		.client = caller->source,
		.service = SERVICE_HTTPS,
		.listener = UINT16_MAX,
		.mechanism = MECHANISM_FORM,
		.login = slice_str(json_string_value(json_object_get(args, "login"))),
		.secret = slice_str(json_string_value(json_object_get(args, "password"))),
		.client_name = caller->client_name };
	struct op *op = NULL;

	/* What is longer is no account's; the channels to the vaults carry no more. */
	if (origin.login.len > SIGNIN_LOGIN_MAX || origin.secret.len > SECRET_MAX)
		return gp_why_set(why, GP_ERR_SYNTAX, "the name or the password is too long");
	op = op_begin(call);
	if (op == NULL)
		return gp_why_set(why, GP_ERR_BUSY, "too many operations at once");
	origin.op = op->id;
	if (!signin_try(call->core, &origin))
		op_finish(op, GP_ERR_BUSY, SLICE_LIT("too many sign-ins at once; try again"));
	return GP_ERR_AGAIN;
}

/* ---- the second step ---- */

static void on_code_row(struct op *op, struct slice row)
{
	json_t *object = json_loadb(row.data, row.len, 0, NULL);
	const char *kind = json_string_value(json_object_get(object, "kind"));

	op->is_recovery = kind != NULL && slice_is(slice_str(kind), "recovery");
	json_decref(object);
}

static void record_code(const struct op *op, const struct portal_session *session)
{
	struct ipc_event event = { .client = session->source,
		.service = SERVICE_HTTPS,
		.mechanism = MECHANISM_FORM,
		.verdict = VERDICT_OK,
		.reason = REASON_OK,
		.account = session->account,
		.login = slice_str(session->address),
		.client_name = slice_str(session->client_name),
		.detail = op->is_recovery ? SLICE_LIT("recovery code") : SLICE_LIT("") };

	op->core->stats.signins_ok++;
	journal_event(op->core, &event);
}

static void on_code_done(struct op *op, enum gp_err err, struct slice why)
{
	struct portal_session *session = portal_find_number(op->core, op->portal);
	char cookie[PORTAL_COOKIE_SIZE];

	if (err == GP_OK && (session == NULL || session->state != PORTAL_PENDING)) {
		err = GP_ERR_SIGNIN;
		why = SLICE_LIT("sign in first");
	}
	if (err == GP_OK) {
		record_code(op, session);
		portal_enter(op->core, session,
			op->is_recovery ? PORTAL_RECOVERY : PORTAL_SIGNED_IN, cookie);
		send_cookie(op, portal_state_name(session->state), cookie);
	}
	op_done(op, err, why);
}

enum gp_err op_portal_code(struct op_call *call, const json_t *args, struct gp_why *why)
{
	static const struct op_events events = { on_code_row, on_code_done };
	const struct caller *caller = call->caller;
	struct ipc_message question = { .type = IPC_OP };
	char text[ARGUMENTS_SIZE];
	json_t *code = json_object_get(args, "code");
	json_t *asked = NULL;
	struct op *op = NULL;

	if (caller->role != ROLE_PENDING)
		return gp_why_set(why, GP_ERR_EXISTS, "you are signed in");
	if (json_string_length(code) > FORM_CODE_MAX)
		return gp_why_set(why, GP_ERR_SYNTAX, "no code is that long");
	op = op_begin(call);
	if (op == NULL)
		return gp_why_set(why, GP_ERR_BUSY, "too many operations at once");
	op->events = &events;
	asked = json_pack("{s:I, s:O}", "account", (json_int_t)caller->account, "code", code);
	GP_ASSERT(asked != NULL);
	question.op = (struct ipc_op){ .name = slice_str(ops_entry(OPS_twofactor_check)->name),
		.arguments = slice_of(text, json_dumpb(asked, text, sizeof text, JSON_COMPACT)),
		.actor = caller->actor,
		.role = ROLE_CORE,
		.asker = caller->account,
		.portal = caller->portal,
		.source = caller->source,
		.client_name = caller->client_name,
		.language = caller->language };
	json_decref(asked);
	guarded_begin(op, OPS_portal_code, caller, &question);
	mem_wipe(text, sizeof text);
	return GP_ERR_AGAIN;
}
