/* SPDX-License-Identifier: ISC */
/*
 * A front that dies by a signal was perhaps killed by what somebody sent it before signing in. Who
 * that was cannot be known; each source that was not signed in on it gets one failure, as if it had
 * sent a wrong secret. Honest clients are far from the limit with one.
 */
#include "base/check.h"
#include "base/mem.h"
#include "core/core.h"

struct penalty {
	struct core *core;
	struct ip_net net;
	struct counter_ask ask;
};

static void on_added(struct counter_ask *ask, const struct counter_result *result)
{
	struct penalty *penalty = ask->owner;

	bans_after_failure(penalty->core, &penalty->net, result, 0);
	mem_free(penalty);
}

static void penalise_net(struct core *core, const struct ip_net *net, enum ip_level level)
{
	struct penalty *penalty = mem_new(1, sizeof *penalty);

	penalty->core = core;
	penalty->net = *net;
	penalty->ask = (struct counter_ask){ .on_answer = on_added, .owner = penalty };
	counter_add(source_window(core, &net->base, level), source_key(&net->base), 1, 0,
		&penalty->ask);
}

static void penalise(struct core *core, const struct session *session)
{
	struct ip source = session->source->ip;

	journal_session_event(core, session, VERDICT_DENY, REASON_CRASHED, SLICE_LIT(""));
	for (unsigned level = 0; level < ip_levels(&source); level++) {
		struct ip_net net = ip_level_net(&source, (enum ip_level)level);

		if (!ban_is_exempt_net(core->policy, &net))
			penalise_net(core, &net, (enum ip_level)level);
	}
}

void signin_penalise_front(struct core *core, struct front *front)
{
	uint64_t crash = ++core->signins.crashes;
	struct session *session = NULL;

	TAILQ_FOREACH (session, &front->sessions, by_front) {
		bool is_stranger =
			session->state == SESSION_OPEN || session->state == SESSION_ASKING;

		if (!is_stranger || session->source->penalty == crash ||
			ban_is_exempt(core->policy, &session->source->ip))
			continue;
		session->source->penalty = crash;
		penalise(core, session);
	}
}
