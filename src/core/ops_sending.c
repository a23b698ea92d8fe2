/* SPDX-License-Identifier: ISC */
/*
 * account.sending. Rows: ops/ops.def. The vault says whose address it is and whether the asker may
 * know; then the account is loaded, if it is not in memory.
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/core.h"
#include "core/sending_account.h"

/* An answer that waits for the account. */
struct sending_answer_due {
	TAILQ_ENTRY(sending_answer_due) link;
	struct core *core;
	uint64_t asker;
	uint64_t request;
	char *address;
	struct sending_unit *unit;
	struct sending_waiter waiter;
};

static void set(json_t *row, const char *key, json_t *value)
{
	GP_ASSERT(json_object_set_new(row, key, value) == 0);
}

static void set_int(json_t *row, const char *key, uint64_t value)
{
	set(row, key, json_integer((json_int_t)value));
}

/* ---- the row ---- */

static void add_limits(json_t *list, const char *scope, const struct config_plan *plan,
	struct sending_unit *unit, int64_t now)
{
	const struct sending_scope measured = { plan, &unit->meter };

	for (unsigned limit = 0; plan != NULL && limit < SENDING_LIMIT_MAX; limit++) {
		struct sending_left left =
			sending_limit_left(&measured, (enum sending_limit)limit, now);

		if (left.most == 0)
			continue;
		GP_ASSERT(
			json_array_append_new(list,
				json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "scope", scope, "limit",
					sending_limit_words((enum sending_limit)limit), "most",
					(json_int_t)left.most, "spent", (json_int_t)left.spent,
					"reserved", (json_int_t)left.reserved, "free",
					(json_int_t)left.free)) == 0);
	}
}

static json_t *describe_limits(const struct sending_answer_due *due, int64_t now)
{
	const struct config *config = due->core->config;
	struct slice address = slice_str(due->address);
	struct slice domain = slice_from(address, (size_t)(slice_find_last(address, '@') + 1));
	const char *route = due->unit->of->route;
	struct sending_unit *shared = sending_unit_find_domain(due->core, domain);
	json_t *list = json_array();

	add_limits(list, "account",
		config_account_plan(
			config, route != NULL && route[0] != '\0' ? slice_str(route) : domain),
		due->unit, now);
	if (shared != NULL && shared->state == SENDING_READY)
		add_limits(list, "domain", config_domain_plan(config, domain), shared, now);
	return list;
}

/* Of the next first-time recipient, were it written to from where the account is known. */
static void judge(const struct sending_answer_due *due, int64_t now, json_t *row)
{
	const struct sending_policy *policy = &due->core->sending.policy;
	const struct profile *profile = &due->unit->of->profile;
	struct profile_try try = { .recipient = 1, .is_known_place = true };
	struct sending_verdict verdict;
	struct sending_facts facts;
	json_t *reasons = json_array();

	while (!profile_is_stranger(profile, try.recipient, now))
		try.recipient++;
	profile_look(profile, policy, &try, now, &facts);
	sending_judge(policy, &facts, &verdict);
	for (unsigned i = 0; i < SENDING_REASON_MAX; i++) {
		if (verdict.points[i] > 0)
			GP_ASSERT(
				json_array_append_new(reasons,
					json_pack("{s:s, s:s, s:i}", "reason",
						sending_reason_name((enum sending_reason)i), "why",
						sending_reason_words((enum sending_reason)i),
						"points", (int)verdict.points[i])) == 0);
	}
	set_int(row, "recipients_hour", facts.recipients_hour - 1);
	set_int(row, "recipients_day", facts.recipients_day - 1);
	set_int(row, "strangers_day", facts.strangers_day - 1);
	set_int(row, "habit_hour", facts.habit_hour);
	set_int(row, "habit_day", facts.habit_day);
	set_int(row, "habit_strangers", facts.habit_strangers);
	set_int(row, "points", verdict.sum);
	set_int(row, "weighty", verdict.weighty);
	set(row, "outcome", json_string(sending_outcome_name(verdict.outcome)));
	set(row, "reasons", reasons);
}

static json_t *time_of(const struct core *core, int64_t at)
{
	char text[CLOCK_TEXT_SIZE];

	return at != 0 ? json_string(clock_format(clock_wall() - (sending_now(core) - at), text))
		       : json_null();
}

static void send_row(const struct sending_answer_due *due)
{
	static const char *const modes[] = { [CONFIG_SENDING_ENFORCE] = "enforce",
		[CONFIG_SENDING_OBSERVE] = "observe",
		[CONFIG_SENDING_OFF] = "off" };
	struct op_call call = { due->core, due->asker, due->request, NULL, 0 };
	const struct sending_account *account = due->unit->of;
	int64_t now = sending_now(due->core);
	json_t *row = json_pack("{s:s, s:s, s:b}", "address", due->address, "mode",
		modes[due->core->config->sending_mode], "is_blocked", (int)account->is_blocked);

	GP_ASSERT(row != NULL);
	set(row, "asked_at", time_of(due->core, account->profile.asked_at));
	set(row, "first_at", time_of(due->core, account->profile.first_at));
	set_int(row, "known_recipients", account->profile.known.count);
	set(row, "limits", describe_limits(due, now));
	judge(due, now, row);
	op_row(&call, row);
}

/* ---- the way there ---- */

static void finish(struct sending_answer_due *due, enum gp_err err, const char *why)
{
	struct ipc_message done = { .type = IPC_OP_DONE,
		.op_done = {
			.request = due->request, .err = (uint8_t)err, .why = slice_str(why) } };

	if (err == GP_OK)
		send_row(due);
	asker_send(due->core, due->asker, &done);
	TAILQ_REMOVE(&due->core->sending.due, due, link);
	sending_unit_cancel(&due->waiter);
	sending_unit_drop(&due->unit);
	mem_free(due->address);
	mem_free(due);
}

static void answer(struct sending_answer_due *due);

static void on_ready(struct sending_waiter *waiter, bool ok)
{
	struct sending_answer_due *due = waiter->owner;

	if (ok)
		answer(due);
	else
		finish(due, GP_ERR_STORE, "the vault did not say; try again");
}

static void answer(struct sending_answer_due *due)
{
	if (sending_unit_want(due->unit))
		finish(due, GP_OK, "");
	else if (sending_unit_is_loading(due->unit))
		sending_unit_wait(due->unit, &due->waiter);
	else
		finish(due, GP_ERR_STORE, "no vault is there to say; try again");
}

static void on_account_row(struct op *op, struct slice row)
{
	json_decref(op->gathered);
	op->gathered = json_loadb(row.data, row.len, 0, NULL);
}

static void on_account_done(struct op *op, enum gp_err err, struct slice why)
{
	json_int_t id = json_integer_value(json_object_get(op->gathered, "id"));
	const char *address = json_string_value(json_object_get(op->gathered, "address"));
	struct sending_unit *unit = NULL;
	struct sending_answer_due *due = NULL;

	if (err == GP_OK && id > 0 && address != NULL)
		unit = sending_unit_hold_account(op->core, (uint64_t)id);
	if (unit == NULL) {
		op_done(op, err != GP_OK ? err : GP_ERR_BUSY, why);
		return;
	}
	due = mem_new(1, sizeof *due);
	due->core = op->core;
	due->asker = op->asker;
	due->request = op->request;
	due->address = mem_strdup(address);
	due->unit = unit;
	due->waiter.on_ready = on_ready;
	due->waiter.owner = due;
	TAILQ_INSERT_TAIL(&op->core->sending.due, due, link);
	answer(due);
}

enum gp_err op_account_sending(struct op_call *call, const json_t *args, struct gp_why *why)
{
	static const struct op_events events = { on_account_row, on_account_done };
	const struct caller *caller = call->caller;
	struct ipc_message question = { .type = IPC_OP };
	char text[IPC_PACKET_MAX];
	struct op *op = op_begin(call);

	if (op == NULL)
		return gp_why_set(why, GP_ERR_BUSY, "too many operations at once");
	op->events = &events;
	question.op = (struct ipc_op){ .name = slice_str(ops_entry(OPS_account_show)->name),
		.arguments = slice_of(text, json_dumpb(args, text, sizeof text, JSON_COMPACT)),
		.actor = caller->actor,
		.role = (uint8_t)caller->role,
		.domains = caller->domains,
		.source = caller->source };
	if (op_ask(op, &question, -1) != GP_OK)
		op_finish(op, GP_ERR_STORE, SLICE_LIT("no vault is there to say; try again"));
	return GP_ERR_AGAIN;
}

void sending_forget_due(struct core *core)
{
	while (!TAILQ_EMPTY(&core->sending.due))
		finish(TAILQ_FIRST(&core->sending.due), GP_ERR_STORE, "core ends");
}
