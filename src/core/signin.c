/* SPDX-License-Identifier: ISC */
#include "core/signin.h"

#include <limits.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/attempt.h"
#include "core/core.h"

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
	const struct attempt *attempt = session->attempt;

	return attempt != NULL && (attempt->is_in_waiting || attempt->is_lookup);
}

static void on_right(struct attempt *attempt, const struct ipc_verify_reply *reply);

/* The end of every attempt. */
static void finish(struct attempt *attempt, const struct attempt_answer *answer)
{
	attempt_record(attempt, answer);
	attempt->kind->reply(attempt, answer);
	attempt_free(&attempt);
}

void signin_fail(struct attempt *attempt, enum reason reason)
{
	struct attempt_answer answer = { .verdict = VERDICT_TEMPORARY, .reason = reason };

	attempt_count_fault(attempt, reason);
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

/* To a vault, with a place or exempt. */
static void hand_over(struct attempt *attempt)
{
	bool can_turn = attempt->is_lookup && attempt->lane == IPC_LANE_FAST;

	attempt->state = ATTEMPT_QUEUED;
	loop_timer_set(&attempt->timer, can_turn ? SIGNIN_LOOKUP_MS : VAULTS_TIMEOUT_MS);
	attempt->kind->hand_over(attempt);
}

/* The fast vault hangs or is gone: main passwords need it for this question alone, and any vault
 * can answer that. */
static void look_up_slowly(struct attempt *attempt)
{
	vaults_cancel(attempt->core, attempt);
	attempt->lane = IPC_LANE_SLOW;
	hand_over(attempt);
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
		if (attempt->is_lookup && attempt->lane == IPC_LANE_FAST)
			look_up_slowly(attempt);
		else
			signin_fail(attempt, REASON_VAULT);
		break;
	}
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

/* The first of its source, which lacks a place in one of its windows. */
static void wait_for_window(struct attempt *attempt)
{
	const struct place *place = &attempt->places.place[attempt->places.at];
	uint64_t id = attempt->id;
	struct core *core = attempt->core;

	wait_for_place(attempt);
	if (place->kind != IP_LEVEL_SOURCE && signin_find(core, id) != NULL)
		line_join(attempt, place);
}

static void reserve(struct attempt *attempt)
{
	attempt->state = ATTEMPT_RESERVING;
	line_leave(attempt);
	places_reserve(&attempt->places);
}

/* The windows are used up. At the portal the network that is out of places has some more. */
static void refuse(struct attempt *attempt, int64_t free_in)
{
	unsigned kind = attempt->places.place[attempt->places.at].kind;
	struct ip_net net;

	if (!attempt->kind->is_portal || kind == PLACES_PORTAL) {
		finish_banned(attempt, free_in);
		return;
	}
	net = ip_level_net(&attempt->source->ip, (enum ip_level)kind);
	places_fini(&attempt->places);
	attempt_add_places(attempt, &net);
	reserve(attempt);
}

static void on_reserved(struct places *places, const struct counter_result *result)
{
	struct attempt *attempt = places->owner;
	struct core *core = attempt->core;
	struct source *source = attempt->source;
	bool has_waited = attempt->is_in_waiting;

	source->holds++;
	switch (ban_place(result)) {
	case BAN_PLACE_FREE:
		attempt->is_unchecked = places->is_account_spent;
		attempt_leave_waiting(attempt);
		hand_over(attempt);
		break;
	case BAN_PLACE_WAIT:
		wait_for_window(attempt);
		has_waited = false;
		break;
	case BAN_PLACE_REFUSED:
		refuse(attempt, result->free_in);
		break;
	case BAN_PLACE_TEMPORARY:
		signin_fail(attempt, REASON_CORE);
		break;
	}
	if (has_waited)
		signin_wake(core, source);
	source_drop(core, source);
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
	bool was_waking = source->is_waking;

	/* None is to take the place of the one before. */
	source->is_waking = true;
	source->holds++;
	while (!TAILQ_EMPTY(&source->waiting)) {
		struct attempt *attempt = TAILQ_FIRST(&source->waiting);

		/* At the portal one may try again, in what a banned source has there. */
		if (attempt->kind->is_portal)
			finish_busy(attempt);
		else
			finish_banned(attempt, bans_left(core, &source->ip));
	}
	source->is_waking = was_waking;
	source_drop(core, source);
}

/* Bans what the failure filled: the source, its /56, its /48. At the portal, where that is done,
 * those who wait for a place hear that there is none. */
static void ban_levels(struct attempt *attempt)
{
	struct core *core = attempt->core;

	for (unsigned i = 0; i < attempt->places.count; i++) {
		const struct place *place = &attempt->places.place[i];
		struct ip_net net;

		if (place->kind == PLACES_PORTAL && place->result.is_last)
			line_wake(core, place->counter, places_key(place));
		if (place->kind == PLACES_ACCOUNT || place->kind == PLACES_PORTAL)
			continue;
		net = ip_level_net(&attempt->source->ip, (enum ip_level)place->kind);
		bans_after_failure(core, &net, &place->result, attempt->session);
	}
}

/* The account's window, if this guess stands in it; else NULL. */
static const struct place *account_place(const struct attempt *attempt)
{
	const struct places *places = &attempt->places;
	const struct place *last = NULL;

	if (places->count > 0)
		last = &places->place[places->count - 1];
	return last != NULL && last->kind == PLACES_ACCOUNT && last->result.answer == COUNTER_DONE
		       ? last
		       : NULL;
}

static unsigned counted_weight(const struct place *source)
{
	bool is_counted = source->kind != PLACES_PORTAL && source->result.answer == COUNTER_DONE;

	return is_counted ? source->weight : 0;
}

/* The failure is in the windows; the results say where it was the last one. */
static void on_committed(struct places *places)
{
	struct attempt *attempt = places->owner;
	struct core *core = attempt->core;
	const struct place *account = account_place(attempt);
	bool is_last = places_are_full(places) || bans_left(core, &attempt->source->ip) > 0;
	struct attempt_answer answer = { .verdict = is_last ? VERDICT_DENY_BANNED : VERDICT_DENY,
		.reason = attempt->reason,
		.weight = counted_weight(&places->place[0]),
		.is_guess = account != NULL && attempt->account != 0 };

	core->stats.signins_failed++;
	attempt_record(attempt, &answer);
	ban_levels(attempt);
	if (answer.weight > 0)
		lifts_after_failure(core, &attempt->source->ip, attempt->account, attempt->session);
	answer.ban_ms = bans_left(core, &attempt->source->ip);
	answer.verdict = answer.ban_ms > 0 ? VERDICT_DENY_BANNED : VERDICT_DENY;
	if (account != NULL && account->result.is_last) {
		if (attempt->account != 0)
			log_warn("account_guessed", LOG_STR("login", attempt->login));
		line_wake(core, account->counter, places_key(account));
	}
	attempt->kind->reply(attempt, &answer);
	attempt_free(&attempt);
}

/* Is this a wrong secret that was tried on the account before, wherever from? */
static bool is_known_guess(const struct attempt *attempt)
{
	struct windows *windows = &attempt->core->windows;
	unsigned char tag[SIGNIN_TAG_SIZE];

	signin_tag(windows->tag_key, SLICE_LIT("account"),
		slice_of(&attempt->account, sizeof attempt->account), secret_slice(attempt->secret),
		tag);
	return repeats_note(windows->guesses, tag, windows->accounts->limits.window_ms, UINT_MAX) ==
	       REPEATS_AGAIN;
}

static void commit(struct attempt *attempt, unsigned weight)
{
	bool is_new = !attempt->is_unchecked && !attempt->is_known && !is_known_guess(attempt);

	attempt->state = ATTEMPT_COMMITTING;
	loop_timer_set(&attempt->timer, VAULTS_TIMEOUT_MS);
	places_commit(&attempt->places, weight, is_new);
}

static void take_places(struct attempt *attempt)
{
	const struct ban *ban = bans_find_widest(attempt->core, &attempt->source->ip);

	if (ban != NULL && !attempt->kind->is_portal) {
		finish_banned(attempt, bans_left(attempt->core, &attempt->source->ip));
		return;
	}
	attempt_add_places(attempt, ban != NULL ? &ban->net : NULL);
	if (!TAILQ_EMPTY(&attempt->source->waiting))
		wait_for_place(attempt); /* behind those who came before */
	else
		reserve(attempt);
}

/* Whose name is it? Only main passwords are guessed at: they need to know. */
static void look_up(struct attempt *attempt)
{
	attempt->is_lookup = true;
	attempt->lane = IPC_LANE_FAST;
	hand_over(attempt);
}

void signin_on_lookup(struct attempt *attempt, const struct ipc_lookup_reply *reply)
{
	attempt->state = ATTEMPT_RESERVING; /* at no vault any more */
	attempt->is_lookup = false;
	attempt->lane = IPC_LANE_SLOW;
	if (reply->reason != REASON_OK) {
		signin_fail(attempt, REASON_STORE);
		return;
	}
	attempt->account = reply->account;
	attempt->is_known = reply->is_known;
	take_places(attempt);
}

static void start(struct attempt *attempt)
{
	struct core *core = attempt->core;
	int64_t left = attempt->kind->is_portal ? 0 : bans_left(core, &attempt->source->ip);
	struct signin_names names = domains_names(core, attempt->listener, slice_str(attempt->sni));

	/* A name that no account can have goes on as "": the vault spends the same time on it. */
	(void)signin_canonical(slice_str(attempt->typed), &names, attempt->login);
	if (ban_is_exempt(core->policy, &attempt->source->ip))
		hand_over(attempt);
	else if (left > 0)
		finish_banned(attempt, left);
	else if (attempt->lane == IPC_LANE_SLOW)
		look_up(attempt);
	else
		take_places(attempt);
}

static struct attempt *begin(struct core *core, const struct attempt_origin *origin)
{
	struct attempt *attempt = attempt_new(core, origin, on_timeout, on_reserved, on_committed);

	if (attempt == NULL) {
		core->stats.temporary_core++;
		return NULL;
	}
	if (origin->kind->is_guess)
		attempt->lane = IPC_LANE_DESK;
	TAILQ_INSERT_TAIL(&core->signins.loading, attempt, link);
	loop_timer_set(&attempt->timer, (int64_t)core->config->signin_wait);
	return attempt;
}

bool signin_try(struct core *core, const struct attempt_origin *origin)
{
	if (begin(core, origin) == NULL)
		return false;
	if (loading_is_done(core))
		signin_start_all(core);
	return true;
}

void signin_begin(struct core *core, struct session *session, const struct ipc_signin *message)
{
	static const struct attempt_kind kind = { vaults_verify, on_right, attempt_reply, false,
		false };
	struct attempt_origin origin = { .kind = &kind,
		.session = session->id,
		.client = session->client,
		.client_port = session->client_port,
		.service = session->service,
		.listener = session->listener,
		.mechanism = (enum mechanism)message->mechanism,
		.login = message->login,
		.secret = message->secret,
		.client_name = message->client_name,
		.tls = message->tls,
		.sni = message->sni,
		.dial = message->dial };

	session->state = SESSION_ASKING;
	session->attempt = begin(core, &origin);
	if (session->attempt == NULL) {
		struct ipc_message reply = { .type = IPC_SIGNIN_REPLY,
			.signin_reply = { .session = session->id, .verdict = VERDICT_BUSY } };

		session->state = SESSION_OPEN;
		front_send(session->front, &reply);
		return;
	}
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
	bool is_awaited;

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
	is_awaited =
		session != NULL && session->attempt == attempt && session->state == SESSION_ASKING;
	/* What takes longest begins first; what nobody waits for comes last. */
	if (is_awaited && attempt->dial != 0)
		front_dial(session, attempt->dial, 0, backend->name, 0);
	attempt_reply(attempt, &answer);
	if (is_awaited) {
		session_sign_in(core, session, &account);
		session->block = reply->is_blocked ? SESSION_BLOCK_YES : SESSION_BLOCK_NO;
		session->known_since = reply->known_since;
	}
	attempt_record(attempt, &answer);
	attempt_free(&attempt);
}

/* Is this the same wrong secret again, which counts once? Only autoban_count = distinct asks. */
static bool is_repeat(const struct attempt *attempt)
{
	struct core *core = attempt->core;
	unsigned char tag[SIGNIN_TAG_SIZE];

	if (core->config->autoban_count != CONFIG_COUNT_DISTINCT)
		return false;
	signin_tag(core->windows.tag_key, source_key(&attempt->source->ip),
		slice_str(attempt->login), secret_slice(attempt->secret), tag);
	return repeats_note(core->windows.repeats, tag, core->windows.v4->limits.window_ms,
		       core->config->autoban_repeats) == REPEATS_AGAIN;
}

static void on_wrong(struct attempt *attempt, bool is_failure, bool was_compared)
{
	struct core *core = attempt->core;
	struct attempt_answer answer = { .verdict = VERDICT_DENY, .reason = attempt->reason };
	bool has_places = attempt->places.count > 0;
	unsigned names;

	if (is_failure && has_places && is_repeat(attempt)) {
		core->stats.guesses_repeated++;
		answer.reason = REASON_REPEATED;
	} else if (is_failure) {
		core->stats.guesses_checked += was_compared;
		core->stats.guesses_unchecked += attempt->is_unchecked;
		names = spray_note(core, slice_str(attempt->login), secret_slice(attempt->secret));
		if (has_places) {
			commit(attempt, ban_weight(names));
			return;
		}
	}
	core->stats.signins_failed++;
	finish(attempt, &answer);
}

void signin_on_answer(struct attempt *attempt, const struct ipc_verify_reply *reply)
{
	struct signin_judgement judgement =
		signin_judge((enum reason)reply->reason, attempt->is_known);

	attempt->state = ATTEMPT_RESERVING; /* at no vault any more */
	attempt->reason = (enum reason)reply->reason;
	if (reply->account != 0)
		attempt->account = reply->account;
	attempt->device = reply->device;
	if (judgement.verdict == VERDICT_TEMPORARY) {
		signin_fail(attempt, reply->reason == REASON_STORE ? REASON_STORE : REASON_VAULT);
	} else if (judgement.verdict == VERDICT_OK &&
		   effects_has_changed(attempt->core, reply->account, attempt->changes)) {
		/* What was true when the vault looked may be so no longer. */
		hand_over(attempt);
	} else if (judgement.verdict == VERDICT_OK) {
		attempt->kind->on_right(attempt, reply);
	} else {
		on_wrong(attempt, judgement.is_failure, reply->compared);
	}
}

void signin_on_wrong_guess(struct attempt *attempt, enum reason reason)
{
	struct attempt_answer answer = { .verdict = VERDICT_DENY, .reason = reason };

	attempt->reason = reason;
	attempt->core->stats.guesses_checked++;
	if (attempt->places.count > 0) {
		commit(attempt, 1);
		return;
	}
	attempt->core->stats.signins_failed++;
	finish(attempt, &answer);
}

void signin_on_right_guess(struct attempt *attempt)
{
	struct attempt_answer answer = { .verdict = VERDICT_OK, .reason = REASON_OK };

	attempt->kind->reply(attempt, &answer);
	attempt_free(&attempt);
}
