/* SPDX-License-Identifier: ISC */
#include "core/vaults.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/core.h"
#include "core/hook.h"
#include "core/sending_account.h"

static struct queue *queue_of(struct core *core, const struct attempt *attempt)
{
	if (attempt->lane == IPC_LANE_FAST)
		return &core->vaults.fast;
	return attempt->is_known ? &core->vaults.slow_known : &core->vaults.slow;
}

size_t vaults_waiting(const struct core *core, enum ipc_lane lane)
{
	const struct vaults *vaults = &core->vaults;

	return lane == IPC_LANE_FAST ? vaults->fast.count
				     : vaults->slow.count + vaults->slow_known.count;
}

static unsigned at_once(enum ipc_lane lane)
{
	return lane == IPC_LANE_FAST ? VAULTS_FAST_AT_ONCE : 1;
}

void vaults_init(struct core *core)
{
	queue_init(&core->vaults.fast);
	queue_init(&core->vaults.slow);
	queue_init(&core->vaults.slow_known);
}

static struct vault *desk(struct core *core)
{
	for (unsigned i = 0; i < VAULTS_MAX; i++) {
		struct vault *vault = core->vaults.vault[i];

		if (vault != NULL && vault->lane == IPC_LANE_DESK && vault->chan != NULL)
			return vault;
	}
	return NULL;
}

enum gp_err vaults_send_desk(struct core *core, const struct ipc_message *message, int fd)
{
	struct vault *vault = desk(core);

	return vault != NULL ? chan_send(vault->chan, message, fd) : GP_ERR_CLOSED;
}

void vaults_push_desk(struct core *core)
{
	struct vault *vault = desk(core);

	if (vault != NULL)
		chan_push(vault->chan);
}

void vaults_flush_desk(struct core *core, int64_t ms)
{
	struct vault *vault = desk(core);

	if (vault == NULL || chan_flush(vault->chan, ms) != GP_OK || core->journal.is_held)
		log_warn("events_may_be_lost", LOG_UINT("waiting", core->journal.count));
}

void vaults_pause_desk(struct core *core, bool is_paused)
{
	struct vault *vault = desk(core);

	core->vaults.is_desk_paused = is_paused;
	if (vault == NULL) /* the next one is told when it comes */
		return;
	if (is_paused)
		chan_pause(vault->chan);
	else
		chan_resume(vault->chan);
}

static void tell_clock(struct vault *vault)
{
	struct ipc_message message = { .type = IPC_CLOCK,
		.clock = { .shift_ms = clock_shifted() } };

	if (vault->chan != NULL && chan_send(vault->chan, &message, -1) != GP_OK)
		log_warn("clock_unheard", LOG_UINT("vault", vault->index));
}

void vaults_tell_clock(struct core *core)
{
	for (unsigned i = 0; i < VAULTS_MAX; i++) {
		if (core->vaults.vault[i] != NULL)
			tell_clock(core->vaults.vault[i]);
	}
}

/* The one of the lane with the fewest questions that can take one more. */
static struct vault *free_vault(struct core *core, enum ipc_lane lane)
{
	struct vault *best = NULL;

	for (unsigned i = 0; i < VAULTS_MAX; i++) {
		struct vault *vault = core->vaults.vault[i];

		if (vault == NULL || vault->chan == NULL || vault->lane != lane ||
			vault->asked >= at_once(lane))
			continue;
		if (best == NULL || vault->asked < best->asked)
			best = vault;
	}
	return best;
}

static struct ipc_message lookup_of(const struct attempt *attempt)
{
	int64_t days = attempt->core->config->known_source_days;

	return (struct ipc_message){ .type = IPC_LOOKUP,
		.lookup = { .request = attempt->id,
			.login = slice_str(attempt->login),
			.source = attempt->source->ip,
			.since = clock_wall() - days * 24 * 60 * 60 } };
}

static struct ipc_message verify_of(const struct attempt *attempt)
{
	return (struct ipc_message){ .type = IPC_VERIFY,
		.verify = { .request = attempt->id,
			.session = attempt->session,
			.protocol = (uint8_t)service_protocol(attempt->service),
			.source = attempt->source->ip,
			.login = slice_str(attempt->login),
			.unchecked = attempt->is_unchecked,
			.secret = secret_slice(attempt->secret) } };
}

static enum gp_err ask(struct vault *vault, struct attempt *attempt)
{
	struct ipc_message message = attempt->is_lookup ? lookup_of(attempt) : verify_of(attempt);
	enum gp_err err = chan_send(vault->chan, &message, -1);

	if (err != GP_OK)
		return err;
	vault->asked++;
	signin_on_asked(attempt, vault);
	TAILQ_INSERT_TAIL(&vault->checking, attempt, link);
	return GP_OK;
}

static struct attempt *pop(struct core *core, enum ipc_lane lane)
{
	struct vaults *vaults = &core->vaults;

	if (lane == IPC_LANE_FAST)
		return queue_pop(&vaults->fast);
	if (vaults->slow_known.count > 0 &&
		(vaults->slow.count == 0 || ++vaults->known_in_a_row < VAULTS_STRANGERS_TURN))
		return queue_pop(&vaults->slow_known);
	vaults->known_in_a_row = 0;
	return queue_pop(&vaults->slow);
}

/* Gives free vaults of the lane what waits. */
static void pump(struct core *core, enum ipc_lane lane)
{
	while (vaults_waiting(core, lane) > 0) {
		struct vault *vault = free_vault(core, lane);
		struct attempt *attempt = NULL;

		if (vault == NULL)
			return;
		attempt = pop(core, lane);
		if (ask(vault, attempt) != GP_OK)
			signin_fail(attempt, REASON_VAULT);
	}
}

/* The one that gives way where more than max would wait, or NULL. */
static struct attempt *push(struct core *core, struct attempt *attempt, size_t max)
{
	struct vaults *vaults = &core->vaults;
	struct queue *queue = queue_of(core, attempt);
	size_t known = vaults->slow_known.count;
	struct attempt *loser = NULL;

	if (queue == &vaults->slow)
		return queue_push(queue, attempt, known < max ? max - known : 0);
	loser = queue_push(queue, attempt, max);
	if (loser == NULL && vaults_waiting(core, attempt->lane) > max)
		loser = queue_shed(&vaults->slow);
	return loser;
}

void vaults_verify(struct attempt *attempt)
{
	struct core *core = attempt->core;
	size_t max =
		attempt->lane == IPC_LANE_FAST ? VAULTS_FAST_QUEUE : core->config->signin_queue;
	enum ipc_lane lane = attempt->lane;
	struct attempt *loser = NULL;

	if (vaults_waiting(core, lane) == 0 && free_vault(core, lane) != NULL)
		max = 1; /* it does not stay */
	loser = push(core, attempt, max);
	if (loser != NULL)
		signin_fail(loser, REASON_QUEUE_FULL);
	pump(core, lane);
}

void vaults_cancel(struct core *core, struct attempt *attempt)
{
	if (attempt->vault != NULL)
		TAILQ_REMOVE(&attempt->vault->checking, attempt, link);
	else if (attempt->share != NULL)
		queue_remove(queue_of(core, attempt), attempt);
	attempt->vault = NULL;
}

/* Whose question was answered; NULL: an answer that comes after the time-out is nobody's any more.
 */
static struct attempt *take_answered(struct vault *vault, uint64_t request, bool is_lookup)
{
	struct core *core = vault->core;
	struct attempt *attempt = signin_find(core, request);

	if (vault->asked == 0) {
		log_error("vault_babbles", LOG_UINT("vault", vault->index));
		return NULL;
	}
	vault->asked--;
	vault->answered++;
	if (attempt == NULL || attempt->vault != vault || attempt->is_lookup != is_lookup)
		return NULL;
	vaults_cancel(core, attempt);
	return attempt;
}

static void on_verify_reply(struct vault *vault, const struct ipc_verify_reply *reply)
{
	struct core *core = vault->core;
	enum ipc_lane lane = vault->lane;
	struct attempt *attempt = take_answered(vault, reply->request, false);

	if (attempt != NULL)
		signin_on_answer(attempt, reply);
	pump(core, lane);
}

static void on_lookup_reply(struct vault *vault, const struct ipc_lookup_reply *reply)
{
	struct core *core = vault->core;
	enum ipc_lane lane = vault->lane;
	struct attempt *attempt = take_answered(vault, reply->request, true);

	if (attempt != NULL)
		signin_on_lookup(attempt, reply);
	pump(core, lane);
}

static void on_message(struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct vault *vault = owner;
	struct core *core = vault->core;

	(void)chan;
	(void)fd;
	if (message->type == IPC_VERIFY_REPLY)
		on_verify_reply(vault, &message->verify_reply);
	else if (message->type == IPC_LOOKUP_REPLY)
		on_lookup_reply(vault, &message->lookup_reply);
	else if (message->type == IPC_KEPT)
		journal_on_kept(core, &message->kept);
	else if (message->type == IPC_NOTICE)
		notices_on_notice(core, &message->notice);
	else if (message->type == IPC_HOOK)
		hook_run(core, message->hook.account, message->hook.reason);
	else if (message->type == IPC_BAN_ROW)
		loading_on_ban_row(core, &message->ban_row);
	else if (message->type == IPC_FAILURE_ROW)
		loading_on_failure_row(core, &message->failure_row);
	else if (message->type == IPC_GUESS_ROW)
		loading_on_guess_row(core, &message->guess_row);
	else if (message->type == IPC_LIFT_ROW)
		loading_on_lift_row(core, &message->lift_row);
	else if (message->type == IPC_DOMAIN_ROW)
		loading_on_domain_row(core, &message->domain_row);
	else if (message->type == IPC_LOADED)
		loading_on_loaded(core, &message->loaded);
	else if (message->type == IPC_SENDING_KEY)
		sending_on_key(core, &message->sending_key);
	else if (message->type == IPC_SENDER_ROW)
		sending_unit_on_sender(core, &message->sender_row);
	else if (message->type == IPC_SPENT_ROW)
		sending_unit_on_spent(core, &message->spent_row);
	else if (message->type == IPC_PROFILE_PART)
		sending_account_on_part(core, &message->profile_part);
	else if (message->type == IPC_SENDING_LOADED)
		sending_unit_on_loaded(core, &message->sending_loaded);
	else if (message->type == IPC_PROFILE_KEPT)
		sending_account_on_kept(core, &message->profile_kept);
	else if (message->type == IPC_OP_ROW)
		control_on_row(core, &message->op_row);
	else if (message->type == IPC_OP_PROGRESS)
		control_on_progress(core, &message->op_progress);
	else if (message->type == IPC_OP_DONE)
		control_on_done(core, &message->op_done);
}

/* Its questions fail, its place stays for the next one. */
static void close_vault(struct vault *vault)
{
	struct core *core = vault->core;

	chan_free(&vault->chan);
	vault->asked = 0;
	while (!TAILQ_EMPTY(&vault->checking))
		signin_fail(TAILQ_FIRST(&vault->checking), REASON_VAULT);
	if (vault->lane == IPC_LANE_DESK) {
		loading_on_desk(core, false);
		sending_on_desk(core, false);
		control_on_desk_gone(core);
	}
}

static void on_end(struct chan *chan, enum chan_end end, void *owner)
{
	struct vault *vault = owner;

	(void)chan;
	if (end == CHAN_END_ATTACK)
		core_report_peer(vault->core, IPC_ROLE_VAULT, vault->index);
	log_warn("vault_gone", LOG_UINT("vault", vault->index));
	close_vault(vault);
}

void vaults_gone(struct core *core, unsigned index)
{
	struct vault *vault = index < VAULTS_MAX ? core->vaults.vault[index] : NULL;

	if (vault == NULL)
		return;
	if (vault->chan != NULL)
		close_vault(vault);
	core->vaults.vault[index] = NULL;
	mem_free(vault);
}

void vaults_open(struct core *core, const struct ipc_peer *peer, int *fd)
{
	static const struct chan_ops ops = { on_message, on_end };
	enum ipc_lane lane = (enum ipc_lane)peer->lane;
	unsigned index = peer->index;
	struct vault *vault = NULL;
	bool is_known_lane =
		lane == IPC_LANE_FAST || lane == IPC_LANE_SLOW || lane == IPC_LANE_DESK;

	if (index >= VAULTS_MAX || !is_known_lane) {
		log_error("vault_ignored", LOG_UINT("vault", index), LOG_INT("lane", lane));
		return;
	}
	vaults_gone(core, index);
	vault = mem_new(1, sizeof *vault);
	vault->core = core;
	vault->index = index;
	vault->pid = peer->pid;
	vault->lane = lane;
	TAILQ_INIT(&vault->checking);
	vault->chan = chan_new(core->loop, fd, IPC_ROLE_CORE, IPC_ROLE_VAULT, &ops, vault);
	chan_gather(vault->chan, NULL);
	core->vaults.vault[index] = vault;
	tell_clock(vault);
	if (lane == IPC_LANE_DESK) {
		vaults_pause_desk(core, core->vaults.is_desk_paused);
		journal_restart(core);
		loading_on_desk(core, true);
	} else {
		pump(core, lane);
	}
}

void vaults_fini(struct core *core)
{
	for (unsigned index = 0; index < VAULTS_MAX; index++)
		vaults_gone(core, index);
	queue_fini(&core->vaults.fast);
	queue_fini(&core->vaults.slow);
	queue_fini(&core->vaults.slow_known);
}
