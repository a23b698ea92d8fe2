/* SPDX-License-Identifier: ISC */
#include "core/sending_case.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/core.h"
#include "core/hook.h"
#include "core/sending_session.h"

enum {
	SESSION_SIZE = 16 + 1
};

struct sending_case {
	enum sending_outcome outcome;
	json_t *args;    /* of sending.open */
	unsigned asking; /* answers that are awaited: the last is about what it is now */
};

bool sending_case_is_block(const struct sending_account *account)
{
	return account->open != NULL && account->open->outcome == SENDING_BLOCK;
}

void sending_case_free(struct sending_account *account)
{
	struct sending_case *open = account->open;

	account->open = NULL;
	if (open == NULL)
		return;
	json_decref(open->args);
	mem_free(open);
}

/* ---- what is told ---- */

/* Those that took part: not every source that happens to be there. */
static json_t *describe_sources(const struct sending_account *account,
	const struct sending_policy *policy, const struct session *session, int64_t now)
{
	json_t *list = json_array();
	char text[IP_TEXT_SIZE];
	struct sending_facts habit;

	profile_look(&account->profile, policy, &session->sending->try, now, &habit);
	for (size_t i = 0; i < account->parts.count; i++) {
		const struct sending_part *part = &account->parts.items[i];

		if (sending_part_is_of(part, policy, &habit, now))
			GP_ASSERT(json_array_append_new(list,
					  json_string(ip_format_source(&part->source, text))) == 0);
	}
	return list;
}

static json_t *describe(const struct sending_account *account, enum sending_outcome outcome,
	const struct sending_verdict *verdict, const struct session *session)
{
	const struct core *core = account->unit.core;
	const struct sending_policy *policy = &core->sending.policy;
	int64_t now = sending_now(core);
	int64_t began = profile_began(&account->profile, policy, now);
	char reason[SENDING_TEXT_SIZE];
	char id[SESSION_SIZE];
	json_t *args;

	(void)snprintf(id, sizeof id, "%016" PRIx64, session->id);
	args = json_pack("{s:I, s:s, s:s, s:I, s:s, s:I, s:o}", "account",
		(json_int_t)account->unit.account, "kind", sending_outcome_name(outcome), "reason",
		sending_explain(verdict, reason), "began",
		(json_int_t)(clock_wall() - (now - began)), "session", id, "device",
		(json_int_t)session->device, "sources",
		describe_sources(account, policy, session, now));
	GP_ASSERT(args != NULL);
	return args;
}

/* ---- and to whom ---- */

static void on_row(struct op *op, struct slice row)
{
	(void)op;
	(void)row;
}

static void on_done(struct op *op, enum gp_err err, struct slice why)
{
	struct sending_unit *unit = sending_unit_find_account(op->core, op->session);
	struct sending_case *open = unit != NULL ? unit->of->open : NULL;

	if (open == NULL || open->asking == 0 || --open->asking > 0)
		return;
	if (err != GP_OK && err != GP_ERR_NOT_FOUND) {
		log_warn("case_not_opened", LOG_UINT("account", op->session),
			LOG_STR("error", gp_err_text(err)), LOG_SLICE("why", why));
		return;
	}
	sending_case_free(unit->of);
	sending_account_settle(unit->of);
}

static void ask(struct sending_account *account)
{
	static const struct op_events events = { on_row, on_done };
	struct sending_case *open = account->open;
	enum ops_id id = ops_by_name(SLICE_LIT("sending.open"));

	if (id != OPS_MAX && control_ask_vault(account->unit.core, id, open->args, &events,
				     account->unit.account))
		open->asking++;
}

void sending_case_tick(struct core *core)
{
	struct sending_account *account = NULL;

	TAILQ_FOREACH (account, &core->sending.urgent, by_urgent) {
		if (account->open != NULL && account->open->asking == 0)
			ask(account);
	}
}

void sending_case_open(struct sending_account *account, enum sending_outcome outcome,
	const struct sending_verdict *verdict, const struct session *session)
{
	char reason[SENDING_TEXT_SIZE];

	if (account->open != NULL && account->open->outcome <= outcome)
		return;
	log_warn("sending_case", LOG_STR("account", session->address),
		LOG_STR("outcome", sending_outcome_name(outcome)), LOG_ID("session", session->id),
		LOG_IP("client", &session->client),
		LOG_STR("reason", sending_explain(verdict, reason)));
	if (outcome == SENDING_BLOCK)
		hook_run(account->unit.core, slice_str(session->address),
			slice_str(sending_explain(verdict, reason)));
	if (account->open == NULL)
		account->open = mem_new(1, sizeof *account->open);
	account->open->outcome = outcome;
	json_decref(account->open->args);
	account->open->args = describe(account, outcome, verdict, session);
	sending_account_set_urgent(account);
	sending_account_touch(account);
	/* A new core must know that it asked. */
	sending_account_save(account);
	/* A block does not wait for the answer to a question: core may be gone by then. */
	ask(account);
}
