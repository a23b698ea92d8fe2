/* SPDX-License-Identifier: ISC */
#include "core/attempt.h"

#include "base/check.h"
#include "base/mem.h"
#include "core/core.h"
#include "crypt/device_password.h"

struct attempt *attempt_new(struct core *core, const struct attempt_origin *origin,
	void (*on_timeout)(struct loop_timer *timer),
	void (*on_reserved)(struct places *places, const struct counter_result *result),
	void (*on_committed)(struct places *places))
{
	struct attempt *attempt = NULL;

	if (core->signins.by_id.count >= SIGNIN_ATTEMPTS_MAX)
		return NULL;
	attempt = mem_new(1, sizeof *attempt);
	attempt->core = core;
	attempt->kind = origin->kind;
	attempt->id = ++core->signins.last_id;
	map_add(&core->signins.by_id, &attempt->node, slice_of(&attempt->id, sizeof attempt->id));
	loop_timer_init(core->loop, &attempt->timer, on_timeout, attempt);
	attempt->session = origin->session;
	attempt->op = origin->op;
	attempt->source = source_hold(core, &origin->client);
	attempt->client = origin->client;
	attempt->client_port = origin->client_port;
	attempt->service = origin->service;
	attempt->mechanism = origin->mechanism;
	attempt->typed = slice_dup(origin->login);
	attempt->sni = slice_dup(origin->sni);
	attempt->listener = origin->listener;
	attempt->client_name = slice_dup(origin->client_name);
	attempt->tls = slice_dup(origin->tls);
	attempt->dial = origin->dial;
	attempt->detail = origin->detail;
	attempt->account = origin->account;
	attempt->is_known = origin->is_known;
	attempt->secret = secret_new(origin->secret);
	attempt->lane = device_password_is_form(origin->secret) ? IPC_LANE_FAST : IPC_LANE_SLOW;
	places_init(&attempt->places, on_reserved, on_committed, attempt);
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

/* The windows in which a failure would count. Exempt networks have none. */
static void add_levels(struct attempt *attempt)
{
	struct core *core = attempt->core;
	const struct ip *source = &attempt->source->ip;

	for (unsigned level = 0; level < ip_levels(source); level++) {
		struct ip_net net = ip_level_net(source, (enum ip_level)level);

		if (!ban_is_exempt_net(core->policy, &net))
			places_add(&attempt->places, level,
				source_window(core, source, (enum ip_level)level),
				source_key(&net.base));
	}
}

/* One window for all of a banned network, whichever of its addresses is used. */
static void add_portal_place(struct attempt *attempt, const struct ip_net *net)
{
	places_add(&attempt->places, PLACES_PORTAL, attempt->core->windows.portal,
		slice_of(net, sizeof *net));
}

/* An account is known by its number, whichever of its names was typed; a name that is nobody's by
 * its tag. Only main passwords are guessed at, and only by sources that are strange to it. */
static void add_account_place(struct attempt *attempt)
{
	struct windows *windows = &attempt->core->windows;
	struct slice name = slice_str(attempt->login[0] != '\0' ? attempt->login : attempt->typed);
	unsigned char tag[SIGNIN_TAG_SIZE];

	if (attempt->lane != IPC_LANE_SLOW || attempt->is_known)
		return;
	if (attempt->account != 0) {
		places_add(&attempt->places, PLACES_ACCOUNT, windows->accounts,
			slice_of(&attempt->account, sizeof attempt->account));
		return;
	}
	signin_tag(windows->tag_key, SLICE_LIT("name"), name, SLICE_LIT(""), tag);
	places_add(&attempt->places, PLACES_ACCOUNT, windows->names, slice_of(tag, sizeof tag));
}

void attempt_add_places(struct attempt *attempt, const struct ip_net *banned)
{
	if (banned != NULL)
		add_portal_place(attempt, banned);
	else
		add_levels(attempt);
	add_account_place(attempt);
}

void attempt_count_fault(struct attempt *attempt, enum reason reason)
{
	struct stats *stats = &attempt->core->stats;

	if (reason == REASON_QUEUE_FULL)
		stats->temporary_queue++;
	else if (reason == REASON_STORE)
		stats->temporary_store++;
	else if (reason == REASON_BACKEND)
		stats->temporary_backend++;
	else if (reason == REASON_CORE)
		stats->temporary_core++;
	else
		stats->temporary_vault++;
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
		.detail = slice_str(attempt->detail),
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
