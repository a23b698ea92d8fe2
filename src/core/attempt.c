/* SPDX-License-Identifier: ISC */
#include "core/attempt.h"

#include "base/check.h"
#include "base/mem.h"
#include "core/core.h"
#include "crypt/device_password.h"

struct attempt *attempt_new(struct core *core, struct session *session,
	const struct ipc_signin *message, void (*on_timeout)(struct loop_timer *timer),
	void (*on_reserved)(struct places *places, const struct counter_result *result),
	void (*on_committed)(struct places *places))
{
	struct attempt *attempt = NULL;

	if (core->signins.by_id.count >= SIGNIN_ATTEMPTS_MAX)
		return NULL;
	attempt = mem_new(1, sizeof *attempt);
	attempt->core = core;
	attempt->id = ++core->signins.last_id;
	map_add(&core->signins.by_id, &attempt->node, slice_of(&attempt->id, sizeof attempt->id));
	loop_timer_init(core->loop, &attempt->timer, on_timeout, attempt);
	attempt->session = session->id;
	attempt->source = source_hold(core, &session->client);
	attempt->client = session->client;
	attempt->client_port = session->client_port;
	attempt->service = session->service;
	attempt->mechanism = (enum mechanism)message->mechanism;
	attempt->typed = slice_dup(message->login);
	attempt->sni = slice_dup(message->sni);
	attempt->listener = session->listener;
	attempt->client_name = slice_dup(message->client_name);
	attempt->tls = slice_dup(message->tls);
	attempt->secret = secret_new(message->secret);
	attempt->lane = device_password_is_form(message->secret) ? IPC_LANE_FAST : IPC_LANE_SLOW;
	places_init(&attempt->places, on_reserved, on_committed, attempt);
	session->attempt = attempt;
	return attempt;
}

void attempt_leave_waiting(struct attempt *attempt)
{
	line_leave(attempt);
	if (!attempt->is_in_waiting)
		return;
	TAILQ_REMOVE(&attempt->source->waiting, attempt, link);
	attempt->source->waiting_count--;
	attempt->core->signins.waiting--;
	attempt->is_in_waiting = false;
}

void attempt_free(struct attempt **pattempt)
{
	struct attempt *attempt = *pattempt;
	struct core *core = attempt->core;
	struct session *session = session_find(core, attempt->session);
	struct source *source = attempt->source;
	bool has_waited = attempt->is_in_waiting;

	*pattempt = NULL;
	if (attempt->state == ATTEMPT_LOADING)
		TAILQ_REMOVE(&core->signins.loading, attempt, link);
	attempt_leave_waiting(attempt);
	vaults_cancel(core, attempt);
	if (session != NULL && session->attempt == attempt)
		session->attempt = NULL;
	map_remove(&core->signins.by_id, &attempt->node);
	loop_timer_fini(&attempt->timer);
	secret_free(&attempt->secret);
	mem_free(attempt->typed);
	mem_free(attempt->sni);
	mem_free(attempt->client_name);
	mem_free(attempt->tls);
	/* Nobody finds it any more. Last, as others may take the places at once. */
	places_fini(&attempt->places);
	mem_free(attempt);
	if (has_waited)
		signin_wake(core, source);
	source_drop(core, source);
}

void attempt_record(struct attempt *attempt, const struct attempt_answer *answer)
{
	struct ipc_event event = {
		.session = attempt->session,
		.client = attempt->client,
		.client_port = attempt->client_port,
		.service = (uint8_t)attempt->service,
		.mechanism = (uint8_t)attempt->mechanism,
		.verdict = (uint8_t)answer->verdict,
		.reason = (uint8_t)answer->reason,
		.counted = (uint8_t)answer->weight,
		.guess = answer->is_guess,
		.account = attempt->account,
		.device = attempt->device,
		.login = slice_str(attempt->typed),
		.client_name = slice_str(attempt->client_name),
		.tls = slice_str(attempt->tls),
	};

	journal_event(attempt->core, &event);
}

void attempt_reply(struct attempt *attempt, const struct attempt_answer *answer)
{
	struct core *core = attempt->core;
	struct session *session = session_find(core, attempt->session);
	struct ipc_message message = { .type = IPC_SIGNIN_REPLY,
		.signin_reply = { .session = attempt->session,
			.verdict = (uint8_t)answer->verdict,
			.ban_ms = answer->ban_ms } };

	if (session == NULL)
		core->stats.signins_left++;
	if (session == NULL || session->attempt != attempt || session->state != SESSION_ASKING)
		return;
	if (answer->verdict == VERDICT_OK) {
		message.signin_reply.account = attempt->account;
		message.signin_reply.device = attempt->device;
		message.signin_reply.address = answer->address;
		message.signin_reply.backend = slice_str(answer->backend);
		message.signin_reply.token = answer->token;
	} else {
		session->state = SESSION_OPEN;
	}
	front_send(session->front, &message);
}
