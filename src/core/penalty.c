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
	struct ip source;
	struct counter_ask ask;
};

static void on_added(struct counter_ask *ask, const struct counter_result *result)
{
	struct penalty *penalty = ask->owner;
	struct core *core = penalty->core;
	int64_t left = bans_left(core, &penalty->source);
	struct ban_step step = ban_after_failure(core->policy, result, left > 0);

	if (step.ban_ms > 0)
		bans_set(core, &penalty->source, step.ban_ms, SLICE_LIT("too many failed sign-ins"),
			0);
	mem_free(penalty);
}

static void penalise(struct core *core, const struct session *session)
{
	struct penalty *penalty = NULL;

	journal_session_event(core, session, VERDICT_DENY, REASON_CRASHED, SLICE_LIT(""));
	penalty = mem_new(1, sizeof *penalty);
	penalty->core = core;
	penalty->source = session->source->ip;
	penalty->ask = (struct counter_ask){ .on_answer = on_added, .owner = penalty };
	counter_add(source_window(core, &penalty->source), source_key(&penalty->source), 1, 0,
		&penalty->ask);
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
