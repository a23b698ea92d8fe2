/* SPDX-License-Identifier: ISC */
#include "core/lifts.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/core.h"
#include "ops/lift.h"

struct lift {
	TAILQ_ENTRY(lift) link;
	struct ip_net net;
	uint64_t account;
	int64_t at; /* clock_steady() */
};

void lifts_init(struct core *core)
{
	TAILQ_INIT(&core->lifts.all);
}

static void drop_first(struct core *core)
{
	struct lift *lift = TAILQ_FIRST(&core->lifts.all);

	TAILQ_REMOVE(&core->lifts.all, lift, link);
	core->lifts.count--;
	mem_free(lift);
}

void lifts_fini(struct core *core)
{
	while (!TAILQ_EMPTY(&core->lifts.all))
		drop_first(core);
}

void lifts_sweep(struct core *core)
{
	int64_t since = clock_steady() - (int64_t)OPS_LIFT_SPAN * 1000;

	while (!TAILQ_EMPTY(&core->lifts.all) && TAILQ_FIRST(&core->lifts.all)->at <= since)
		drop_first(core);
}

void lifts_add(struct core *core, const struct ip_net *net, uint64_t account, int64_t age_ms)
{
	struct lift *lift = mem_new(1, sizeof *lift);

	if (core->lifts.count >= LIFTS_MAX)
		drop_first(core);
	lift->net = *net;
	lift->account = account;
	lift->at = clock_steady() - age_ms;
	TAILQ_INSERT_TAIL(&core->lifts.all, lift, link);
	core->lifts.count++;
}

unsigned lifts_left(struct core *core, const struct ip_net *net, uint64_t account)
{
	const struct lift *lift = NULL;
	unsigned of_net = 0;
	unsigned of_account = 0;
	unsigned most;

	lifts_sweep(core);
	TAILQ_FOREACH (lift, &core->lifts.all, link) {
		of_net += ip_net_equal(&lift->net, net);
		of_account += account != 0 && lift->account == account;
	}
	most = of_net > of_account ? of_net : of_account;
	return most < OPS_LIFTS_MAX ? OPS_LIFTS_MAX - most : 0;
}

void lifts_after_failure(
	struct core *core, const struct ip *source, uint64_t account, uint64_t asking)
{
	int64_t ms = (int64_t)core->config->autoban_time * 1000;
	const struct lift *lift = NULL;

	lifts_sweep(core);
	/* Who lifted it last answers for it. */
	TAILQ_FOREACH_REVERSE(lift, &core->lifts.all, lift_list, link)
	{
		if (ip_net_contains(&lift->net, source))
			break;
	}
	if (lift != NULL && lift->account != account && bans_find_widest(core, source) == NULL &&
		!ban_is_exempt_net(core->policy, &lift->net))
		bans_set(core, &lift->net, ms, slice_str(ban_reason_words(BAN_REASON_AGAIN)),
			asking);
}
