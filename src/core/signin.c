/* SPDX-License-Identifier: ISC */
#include "core/signin.h"

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/attempt.h"
#include "core/core.h"

static void start(struct attempt *attempt);

void signin_init(struct core *core)
{
	map_init(&core->signins.by_id);
	TAILQ_INIT(&core->signins.loading);
}

void signin_fini(struct core *core)
{
	while (core->signins.by_id.count > 0) {
		struct attempt *attempt =
			MAP_ENTRY(map_first(&core->signins.by_id), struct attempt, node);

		signin_fail(attempt, REASON_CORE);
	}
	map_fini(&core->signins.by_id);
}

struct attempt *signin_find(struct core *core, uint64_t id)
{
	struct map_node *node = map_find(&core->signins.by_id, slice_of(&id, sizeof id));

	return node != NULL ? MAP_ENTRY(node, struct attempt, node) : NULL;
}

bool signin_is_waiting(const struct session *session)
{
	return session->attempt != NULL && session->attempt->is_in_waiting;
}

static struct counter *window_of(const struct attempt *attempt)
{
	return source_window(attempt->core, &attempt->source->ip);
}

/* The end of every attempt. */
static void finish(struct attempt *attempt, const struct attempt_answer *answer)
{
	attempt_record(attempt, answer);
	attempt_reply(attempt, answer);
	attempt_free(&attempt);
}

static void count_temporary(struct stats *stats, enum reason reason)
{
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

void signin_fail(struct attempt *attempt, enum reason reason)
{
	struct attempt_answer answer = { .verdict = VERDICT_TEMPORARY, .reason = reason };

	count_temporary(&attempt->core->stats, reason);
	finish(attempt, &answer);
}

static void finish_busy(struct attempt *attempt)
{
	struct attempt_answer answer = { .verdict = VERDICT_BUSY, .reason = REASON_WAITED };

	attempt->core->stats.signins_busy++;
	finish(attempt, &answer);
}

static void finish_banned(struct attempt *attempt, int64_t ban_ms)
{
	struct attempt_answer answer = {
		.verdict = VERDICT_BANNED, .reason = REASON_BANNED, .ban_ms = ban_ms
	};

	attempt->core->stats.refused_banned++;
	finish(attempt, &answer);
}

/* Waiting too long: for the load, for a place, for a vault. */
static void on_timeout(struct loop_timer *timer)
{
	struct attempt *attempt = timer->owner;

	switch (attempt->state) {
	case ATTEMPT_LOADING:
		signin_fail(attempt, REASON_STORE);
		break;
	case ATTEMPT_WAITING:
		finish_busy(attempt);
		break;
	case ATTEMPT_RESERVING:
	case ATTEMPT_COMMITTING:
		signin_fail(attempt, REASON_CORE);
		break;
	case ATTEMPT_QUEUED:
	case ATTEMPT_CHECKING:
		signin_fail(attempt, REASON_VAULT);
		break;
	}
}

/* To a vault, with a place or exempt. */
static void hand_over(struct attempt *attempt)
{
	attempt->state = ATTEMPT_QUEUED;
	loop_timer_set(&attempt->timer, VAULTS_TIMEOUT_MS);
	vaults_verify(attempt->core, attempt);
}

static void wait_for_place(struct attempt *attempt)
{
	struct source *source = attempt->source;

	attempt->state = ATTEMPT_WAITING;
	if (attempt->is_in_waiting)
		return;
	if (source->waiting_count >= SIGNIN_WAITING_MAX) {
		finish_busy(attempt);
		return;
	}
	TAILQ_INSERT_TAIL(&source->waiting, attempt, link);
	attempt->is_in_waiting = true;
	source->waiting_count++;
	attempt->core->signins.waiting++;
	attempt->core->stats.signins_waited++;
	loop_timer_set(&attempt->timer, (int64_t)attempt->core->config->signin_wait);
}

static void on_reserved(struct attempt *attempt, const struct counter_result *result)
{
	struct core *core = attempt->core;
	struct source *source = attempt->source;
	bool has_waited = attempt->is_in_waiting;

	source->holds++;
	switch (ban_place(result)) {
	case BAN_PLACE_FREE:
		attempt->has_place = true;
		attempt->token = result->token;
		attempt_leave_waiting(attempt);
		hand_over(attempt);
		break;
	case BAN_PLACE_WAIT:
		wait_for_place(attempt);
		has_waited = false;
		break;
	case BAN_PLACE_REFUSED:
		finish_banned(attempt, result->free_in);
		break;
	case BAN_PLACE_TEMPORARY:
		signin_fail(attempt, REASON_CORE);
		break;
	}
	if (has_waited)
		signin_wake(core, source);
	source_drop(core, source);
}

static void reserve(struct attempt *attempt)
{
	attempt->state = ATTEMPT_RESERVING;
	counter_reserve(window_of(attempt), source_key(&attempt->source->ip), &attempt->ask);
}

void signin_wake(struct core *core, struct source *source)
{
	struct attempt *first = NULL;

	/* Answers that come at once would call this again from within. */
	if (source->is_waking)
		return;
	source->is_waking = true;
	source->holds++;
	first = TAILQ_FIRST(&source->waiting);
	while (first != NULL && first->state == ATTEMPT_WAITING) {
		reserve(first);
		if (TAILQ_FIRST(&source->waiting) == first)
			break;
		first = TAILQ_FIRST(&source->waiting);
	}
	source->is_waking = false;
	source_drop(core, source);
}

void signin_refuse_waiting(struct core *core, struct source *source)
{
	source->holds++;
	while (!TAILQ_EMPTY(&source->waiting))
		finish_banned(TAILQ_FIRST(&source->waiting), bans_left(core, &source->ip));
	source_drop(core, source);
}

/* The failure is in the window; result says whether it was the last one. */
static void on_committed(struct attempt *attempt, const struct counter_result *result)
{
	struct core *core = attempt->core;
	struct ip source = attempt->source->ip;
	int64_t left = bans_left(core, &source);
	struct ban_step step = ban_after_failure(core->policy, result, left > 0);
	struct attempt_answer answer = { .verdict = step.verdict,
		.reason = attempt->reason,
		.is_counted = result->answer == COUNTER_DONE };

	core->stats.signins_failed++;
	attempt_record(attempt, &answer);
	if (step.ban_ms > 0)
		bans_set(core, &source, step.ban_ms, SLICE_LIT("too many failed sign-ins"),
			attempt->session);
	if (step.verdict == VERDICT_DENY_BANNED)
		answer.ban_ms = bans_left(core, &source);
	attempt_reply(attempt, &answer);
	attempt_free(&attempt);
}

static void on_counter_answer(struct counter_ask *ask, const struct counter_result *result)
{
	struct attempt *attempt = ask->owner;

	if (attempt->state == ATTEMPT_COMMITTING)
		on_committed(attempt, result);
	else
		on_reserved(attempt, result);
}

static void commit(struct attempt *attempt)
{
	uint64_t token = attempt->token;

	attempt->state = ATTEMPT_COMMITTING;
	/* The place is used up: nothing is left to give back. */
	attempt->has_place = false;
	loop_timer_set(&attempt->timer, VAULTS_TIMEOUT_MS);
	counter_commit(
		window_of(attempt), source_key(&attempt->source->ip), token, 1, &attempt->ask);
}

static void start(struct attempt *attempt)
{
	struct core *core = attempt->core;
	struct source *source = attempt->source;
	int64_t left = bans_left(core, &source->ip);
	struct signin_names names = domains_names(core, attempt->listener, slice_str(attempt->sni));

	/* A name that no account can have goes on as "": the vault spends the same time on it. */
	(void)signin_canonical(slice_str(attempt->typed), &names, attempt->login);
	if (ban_is_exempt(core->policy, &source->ip))
		hand_over(attempt);
	else if (left > 0)
		finish_banned(attempt, left);
	else if (!TAILQ_EMPTY(&source->waiting))
		wait_for_place(attempt); /* behind those who came before */
	else
		reserve(attempt);
}

void signin_begin(struct core *core, struct session *session, const struct ipc_signin *message)
{
	struct attempt *attempt = NULL;

	session->state = SESSION_ASKING;
	attempt = attempt_new(core, session, message, on_timeout, on_counter_answer);
	if (attempt == NULL) {
		struct ipc_message reply = { .type = IPC_SIGNIN_REPLY,
			.signin_reply = { .session = session->id, .verdict = VERDICT_BUSY } };

		core->stats.temporary_core++;
		session->state = SESSION_OPEN;
		front_send(session->front, &reply);
		return;
	}
	TAILQ_INSERT_TAIL(&core->signins.loading, attempt, link);
	loop_timer_set(&attempt->timer, (int64_t)core->config->signin_wait);
	if (loading_is_done(core))
		signin_start_all(core);
}

void signin_start_all(struct core *core)
{
	while (!TAILQ_EMPTY(&core->signins.loading)) {
		struct attempt *attempt = TAILQ_FIRST(&core->signins.loading);

		TAILQ_REMOVE(&core->signins.loading, attempt, link);
		attempt->state = ATTEMPT_RESERVING;
		start(attempt);
	}
}

void signin_on_asked(struct attempt *attempt, struct vault *vault)
{
	attempt->state = ATTEMPT_CHECKING;
	attempt->vault = vault;
	attempt->changes = effects_count(attempt->core);
}

/* Right: but the source may have been banned, or the account changed, while it was checked. */
static void on_right(struct attempt *attempt, const struct ipc_verify_reply *reply)
{
	struct core *core = attempt->core;
	struct session *session = session_find(core, attempt->session);
	int64_t left = bans_left(core, &attempt->source->ip);
	char *route = slice_dup(reply->route);
	char *address = slice_dup(reply->address);
	const struct config_backend *backend =
		domains_backend(core, route, address, service_protocol(attempt->service));
	struct attempt_answer answer = { .verdict = VERDICT_OK,
		.reason = REASON_OK,
		.address = reply->address,
		.token = reply->token };
	struct session_account account = { reply->account, reply->device, reply->address,
		reply->route, slice_str(attempt->client_name), slice_str(attempt->tls) };

	mem_free(route);
	mem_free(address);
	if (left > 0) {
		finish_banned(attempt, left);
		return;
	}
	if (backend == NULL) {
		log_error("no_route", LOG_SLICE("address", reply->address),
			LOG_STR("service", service_name(attempt->service)));
		signin_fail(attempt, REASON_BACKEND);
		return;
	}
	answer.backend = backend->name;
	core->stats.signins_ok++;
	attempt_record(attempt, &answer);
	attempt_reply(attempt, &answer);
	if (session != NULL && session->attempt == attempt && session->state == SESSION_ASKING) {
		session_sign_in(core, session, &account);
		session->block = reply->is_blocked ? SESSION_BLOCK_YES : SESSION_BLOCK_NO;
	}
	attempt_free(&attempt);
}

/* Is this the same wrong secret again, which counts once? Only autoban_count = distinct asks. */
static bool is_repeat(const struct attempt *attempt)
{
	struct core *core = attempt->core;
	struct counter *window = window_of(attempt);
	unsigned char tag[SIGNIN_TAG_SIZE];

	if (core->config->autoban_count != CONFIG_COUNT_DISTINCT)
		return false;
	signin_tag(core->windows.tag_key, source_key(&attempt->source->ip),
		slice_str(attempt->login), secret_slice(attempt->secret), tag);
	return repeats_note(core->windows.repeats, tag, window->limits.window_ms,
		       core->config->autoban_repeats) == REPEATS_AGAIN;
}

static void on_wrong(struct attempt *attempt, bool is_failure, bool was_compared)
{
	struct core *core = attempt->core;
	struct attempt_answer answer = { .verdict = VERDICT_DENY, .reason = attempt->reason };

	if (is_failure && attempt->has_place && is_repeat(attempt)) {
		core->stats.guesses_repeated++;
		answer.reason = REASON_REPEATED;
	} else if (is_failure) {
		core->stats.guesses_checked += was_compared;
		if (attempt->has_place) {
			commit(attempt);
			return;
		}
	}
	core->stats.signins_failed++;
	finish(attempt, &answer);
}

void signin_on_answer(struct attempt *attempt, const struct ipc_verify_reply *reply)
{
	struct signin_judgement judgement = signin_judge((enum reason)reply->reason);

	attempt->state = ATTEMPT_RESERVING; /* at no vault any more */
	attempt->reason = (enum reason)reply->reason;
	attempt->account = reply->account;
	attempt->device = reply->device;
	if (judgement.verdict == VERDICT_TEMPORARY) {
		signin_fail(attempt, reply->reason == REASON_STORE ? REASON_STORE : REASON_VAULT);
	} else if (judgement.verdict == VERDICT_OK &&
		   effects_has_changed(attempt->core, reply->account, attempt->changes)) {
		/* What was true when the vault looked may be so no longer. */
		hand_over(attempt);
	} else if (judgement.verdict == VERDICT_OK) {
		on_right(attempt, reply);
	} else {
		on_wrong(attempt, judgement.is_failure, reply->compared);
	}
}
