/* SPDX-License-Identifier: ISC */
/* ban.causes, ban.note_lift: what core asks when people look at bans and lift them for themselves.
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ops/lift.h"
#include "store/store_lift.h"
#include "vault/desk.h"

enum {
	BLAMES_MAX = 200
};

static enum gp_err send_blame(const struct store_blame *blame, void *arg)
{
	enum reason reason = reason_by_name(blame->reason);
	char source[IP_TEXT_SIZE];

	if (reason >= REASON_MAX)
		reason = REASON_NONE;
	return desk_row(arg, json_pack("{s:s, s:o, s:o, s:s, s:s}", "source",
				     ip_format_source(&blame->source, source), "client_name",
				     desk_json_text(blame->client_name), "service",
				     desk_json_text(blame->service), "reason", reason_name(reason),
				     "why", reason_words(reason)));
}

enum gp_err op_ban_causes(struct desk_op *op)
{
	struct store_account account = { 0 };
	enum gp_err err = desk_self(op, &account);

	mem_wipe(account.password, sizeof account.password);
	if (err != GP_OK)
		return err;
	return store_lift_each_blame(op->vault->store, account.id, clock_wall() - OPS_LIFT_SPAN,
		BLAMES_MAX, send_blame, op);
}

struct search {
	const struct ip_net *net;
	bool is_found;
};

static enum gp_err look(const struct store_blame *blame, void *arg)
{
	struct search *search = arg;

	search->is_found = search->is_found || ip_net_contains(search->net, &blame->source);
	return GP_OK;
}

enum gp_err op_ban_note_lift(struct desk_op *op)
{
	struct store *store = op->vault->store;
	struct store_account account = { 0 };
	struct store_lift lift = { .at = clock_wall() };
	struct search search = { &lift.net, desk_bool(op, "is_here") };
	int64_t since = lift.at - OPS_LIFT_SPAN;
	enum gp_err err = ip_parse_level(slice_str(desk_string(op, "source")), &lift.net);

	if (err == GP_OK)
		err = desk_begin(op);
	if (err == GP_OK)
		err = desk_self(op, &account);
	mem_wipe(account.password, sizeof account.password);
	lift.account = account.id;
	op->account = account.id;
	if (err == GP_OK && !search.is_found)
		err = store_lift_each_blame(store, account.id, since, BLAMES_MAX, look, &search);
	if (err == GP_OK && !search.is_found)
		err = gp_why_set(&op->why, GP_ERR_NOT_FOUND,
			"no device of yours has got that address banned");
	if (err == GP_OK)
		err = store_lift_add(store, &lift, since, OPS_LIFTS_MAX);
	if (err == GP_ERR_LIMIT)
		(void)gp_why_set(
			&op->why, err, "a ban can be lifted %d times in 24 hours", OPS_LIFTS_MAX);
	return err;
}
