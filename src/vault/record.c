/* SPDX-License-Identifier: ISC */
#include "vault/record.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypt/seal.h"
#include "ops/lift.h"
#include "store/store_lift.h"
#include "store/store_sending.h"
#include "vault/telling.h"
#include "vault/vault.h"

/* ---- what core is told ---- */

static void tell(struct vault *vault)
{
	struct record *record = &vault->record;
	struct ipc_message message = { .type = IPC_KEPT,
		.kept = { .number = record->kept, .again = record->is_refusing } };

	record->is_tell_due = false;
	loop_timer_clear(&record->tell);
	if (vault_send(vault, &message) == GP_OK)
		record->told = record->kept;
	else
		log_debug("kept_unheard", LOG_UINT("number", record->kept));
	/* Should that be lost, both would wait for each other. */
	if (record->is_refusing && vault->core != NULL) {
		record->is_tell_due = true;
		loop_timer_set(&record->tell, RECORD_TELL_MS);
	}
}

static void on_tell(struct loop_timer *timer)
{
	tell(timer->owner);
}

static void tell_in_time(struct vault *vault)
{
	struct record *record = &vault->record;

	if (record->kept - record->told >= RECORD_TELL_COUNT) {
		tell(vault);
	} else if (!record->is_tell_due && record->kept > record->told) {
		record->is_tell_due = true;
		loop_timer_set(&record->tell, RECORD_TELL_MS);
	}
}

/* Nothing half is kept: the batch goes, and core sends again from its beginning. */
static void refuse(struct vault *vault, enum gp_err err)
{
	struct record *record = &vault->record;

	log_error("record_refused", LOG_UINT("count", record->next - record->kept),
		LOG_STR("error", gp_err_text(err)));
	store_rollback(vault->store);
	record->is_open = false;
	record->is_refusing = true;
	tell(vault);
}

void record_end_journal(struct vault *vault)
{
	struct record *record = &vault->record;

	record_flush(vault);
	loop_timer_clear(&record->tell);
	record->is_tell_due = false;
	record->is_refusing = false;
	record->kept = record->next;
	record->told = record->next;
}

/* ---- the batch ---- */

/* As it is now. A record that waited while the wall clock was moved is off by that. */
struct store_clock record_clock(const struct vault *vault)
{
	return (struct store_clock){ vault->boot, clock_wall() - clock_steady() / 1000 };
}

void record_flush(struct vault *vault)
{
	struct record *record = &vault->record;
	enum gp_err err;

	if (!record->is_open)
		return;
	record->is_open = false;
	err = store_commit(vault->store);
	if (err != GP_OK) {
		refuse(vault, err);
		return;
	}
	record->kept = record->next;
	/* Somebody may wait for a ban to be kept. */
	if (record->is_durable)
		tell(vault);
	else
		tell_in_time(vault);
	if (vault->outbox.has_new)
		outbox_wake(vault);
}

static void on_rested(struct loop_timer *timer)
{
	struct vault *vault = timer->owner;

	if (vault->core != NULL)
		chan_resume(vault->core);
}

/* A commit costs as much as many events, and each one empties what the other lanes have cached: so
 * while whole batches of messages come, the next one goes into the same transaction. */
static void on_turn_end(struct loop_task *task)
{
	struct vault *vault = task->owner;
	struct record *record = &vault->record;
	bool has_batch = record->is_open;
	bool is_more = record->next - record->turn >= CHAN_BATCH;

	record->turn = record->next;
	if (has_batch && is_more && record->next - record->kept < RECORD_BATCH_MAX) {
		loop_defer_last(vault->loop, task, on_turn_end, vault);
		return;
	}
	record_flush(vault);
	if (!has_batch || vault->core == NULL)
		return;
	chan_pause(vault->core);
	loop_timer_set(&vault->record.rest, RECORD_REST_MS);
}

/* Is the record that has come one to be kept? */
static bool is_wanted(struct vault *vault)
{
	struct record *record = &vault->record;

	if (!record->is_refusing && record->next >= record->kept)
		return true;
	record->next++;
	return false;
}

/* Room in the batch for one more; a relaxed batch cannot take a ban. */
static enum gp_err join(struct vault *vault, bool is_durable)
{
	struct record *record = &vault->record;
	enum gp_err err;

	if (record->is_open && is_durable && !record->is_durable)
		record_flush(vault);
	if (record->is_open)
		return GP_OK;
	if (record->is_refusing)
		return GP_ERR_STORE;
	err = store_begin(vault->store, is_durable ? STORE_DURABLE : STORE_RELAXED);
	if (err != GP_OK)
		return err;
	record->is_open = true;
	record->is_durable = is_durable;
	record->turn = record->next;
	loop_defer_last(vault->loop, &record->commit, on_turn_end, vault);
	return GP_OK;
}

/* A statement that failed took the batch with it, or may have. */
static void joined(struct vault *vault, enum gp_err err)
{
	vault->record.next++;
	if (err != GP_OK && !vault->record.is_refusing)
		refuse(vault, err);
}

/* Records are kept in their order: if this one is there, so are all that were before it. */
static enum gp_err skip_kept(
	struct vault *vault, enum gp_err (*find_last)(struct store *store, uint64_t *ret_number))
{
	struct record *record = &vault->record;
	uint64_t last = 0;
	enum gp_err err = find_last(vault->store, &last);

	if (err == GP_OK && last >= record->kept && last - record->kept < RECORD_REPEAT_MAX)
		record->kept = last + 1;
	return err == GP_ERR_NOT_FOUND ? GP_OK : err;
}

void record_journal(struct vault *vault, const struct ipc_journal *message)
{
	struct record *record = &vault->record;
	enum gp_err err;

	record_flush(vault);
	record->is_refusing = false;
	record->next = message->number;
	record->kept = message->number;
	record->told = message->number;
	err = skip_kept(vault, store_event_last_number);
	if (err == GP_OK)
		err = skip_kept(vault, store_sent_last_number);
	if (err != GP_OK)
		refuse(vault, err);
	tell_in_time(vault);
}

void record_event(struct vault *vault, const struct ipc_event *message)
{
	const struct store_event event = {
		.at = message->at,
		.session = message->session,
		.client = message->client,
		.client_port = message->client_port,
		.service = (enum service)message->service,
		.mechanism = (enum mechanism)message->mechanism,
		.verdict = (enum verdict)message->verdict,
		.reason = (enum reason)message->reason,
		.counted = message->counted,
		.guess = message->guess,
		.account = message->account,
		.device = message->device,
		.login = message->login,
		.client_name = message->client_name,
		.tls = message->tls,
		.detail = message->detail,
		.number = vault->record.next,
		.clock = record_clock(vault),
	};
	bool is_new_source = false;
	enum gp_err err;

	if (!is_wanted(vault))
		return;
	err = join(vault, false);
	if (err == GP_OK)
		err = store_event_add(vault->store, &event, &is_new_source);
	if (err == GP_OK && is_new_source)
		err = telling_on_new_source(vault, &event);
	joined(vault, err);
}

void record_sent(struct vault *vault, const struct ipc_sent *message)
{
	struct store_sent sent = {
		.at = message->at,
		.session = message->session,
		.account = message->account,
		.device = message->device,
		.client = message->client,
		.country = message->country,
		.client_name = message->client_name,
		.sender = message->sender,
		.recipients = message->recipients,
		.strangers = message->strangers,
		.size = message->size,
		.outcome = (enum sent_outcome)message->outcome,
		.number = vault->record.next,
	};
	struct buf subject;
	enum gp_err err;

	if (!is_wanted(vault))
		return;
	buf_init(&subject, SENDING_STATE_SUBJECT_MAX + SEAL_OVERHEAD);
	err = join(vault, false);
	if (err == GP_OK)
		err = sending_state_seal(vault, message->account, message->subject, &subject);
	sent.subject = buf_slice(&subject);
	if (err == GP_OK)
		err = store_sent_add(vault->store, &sent);
	joined(vault, err);
	buf_fini(&subject);
}

void record_ban_keep(struct vault *vault, const struct ipc_ban_keep *message)
{
	struct store_ban ban = { .net = { message->source, message->prefix },
		.set_at = message->set_at,
		.until = message->until,
		.origin = message->origin };
	const struct store_clock clock = record_clock(vault);
	enum gp_err err;

	if (!is_wanted(vault))
		return;
	err = join(vault, true);
	if (!slice_copy(message->reason, ban.reason, sizeof ban.reason))
		log_warn("ban_reason_dropped", LOG_IP("source", &message->source));
	if (err == GP_OK)
		err = store_ban_keep(vault->store, &clock, &ban);
	if (err == GP_OK)
		err = telling_on_ban(vault, &ban);
	joined(vault, err);
}

void record_ban_drop(struct vault *vault, const struct ipc_ban_drop *message)
{
	const struct ip_net net = { message->source, message->prefix };
	const struct store_clock clock = record_clock(vault);
	int64_t since = clock_wall() - (int64_t)vault->config->autoban_window;
	enum gp_err err;

	if (!is_wanted(vault))
		return;
	err = join(vault, true);
	if (err == GP_OK)
		err = store_ban_drop(vault->store, &clock, &net, since);
	joined(vault, err);
}

/* ---- LOAD ---- */

static enum gp_err send_ban(const struct store_ban *ban, void *arg)
{
	struct ipc_message row = { .type = IPC_BAN_ROW,
		.ban_row = { .source = ban->net.base,
			.prefix = ban->net.prefix,
			.set_at = ban->set_at,
			.until = ban->until,
			.reason = slice_str(ban->reason),
			.origin = ban->origin } };

	return vault_send(arg, &row);
}

static enum gp_err send_failure(const struct ip *source, int64_t at, unsigned weight, void *arg)
{
	struct ipc_message row = { .type = IPC_FAILURE_ROW,
		.failure_row = { .source = *source, .at = at, .weight = (uint8_t)weight } };

	return vault_send(arg, &row);
}

static enum gp_err send_guess(uint64_t account, int64_t at, void *arg)
{
	struct ipc_message row = { .type = IPC_GUESS_ROW,
		.guess_row = { .account = account, .at = at } };

	return vault_send(arg, &row);
}

static enum gp_err send_domain(const struct store_domain *domain, void *arg)
{
	struct ipc_message row = { .type = IPC_DOMAIN_ROW,
		.domain_row = { .domain = slice_str(domain->name),
			.alias_of = slice_str(domain->alias_of) } };

	return vault_send(arg, &row);
}

static enum gp_err send_lift(const struct store_lift *lift, void *arg)
{
	struct ipc_message row = { .type = IPC_LIFT_ROW,
		.lift_row = { .source = lift->net.base,
			.prefix = lift->net.prefix,
			.account = lift->account,
			.at = lift->at } };

	return vault_send(arg, &row);
}

void record_load(struct vault *vault, const struct ipc_load *message)
{
	struct ipc_message done = { .type = IPC_LOADED, .loaded = { .request = message->request } };
	const struct store_clock clock = record_clock(vault);
	enum gp_err err;

	record_flush(vault);
	err = store_ban_each(vault->store, &clock, clock_wall(), send_ban, vault);
	if (err == GP_OK)
		err = store_event_each_failure(
			vault->store, &clock, message->since, send_failure, vault);
	if (err == GP_OK)
		err = store_event_each_guess(
			vault->store, &clock, message->guesses_since, send_guess, vault);
	if (err == GP_OK)
		err = store_lift_each(vault->store, clock_wall() - OPS_LIFT_SPAN, send_lift, vault);
	if (err == GP_OK)
		err = store_domain_each(
			vault->store, SLICE_LIT(""), SLICE_LIT(""), UINT64_MAX, send_domain, vault);
	if (err == GP_OK)
		err = sending_state_send_key(vault);
	done.loaded.ok = err == GP_OK;
	if (err != GP_OK)
		done.loaded.why = slice_str(gp_err_text(err));
	if (vault_send(vault, &done) != GP_OK)
		log_warn("load_unheard", LOG_STR("error", gp_err_text(err)));
}

/* ---- retention ---- */

bool record_sweep(struct vault *vault)
{
	const struct config *config = vault->config;
	int64_t now = clock_wall();
	const struct store_retention retention = {
		.before = now - (int64_t)config->event_days * 24 * 60 * 60,
		.max_rows = config->event_rows,
		.keep = now - (int64_t)config->autoban_window,
		.keep_guesses = now - (int64_t)config->account_guesses_window,
		.known_before = now - (int64_t)config->known_source_days * 24 * 60 * 60,
		.now = now,
		.batch = RECORD_SWEEP_BATCH,
		.clock = record_clock(vault),
	};
	bool is_more = false;
	enum gp_err err;

	record_flush(vault);
	err = store_sweep(vault->store, &retention, &is_more);
	if (err == GP_OK)
		err = store_sent_sweep(vault->store,
			now - (int64_t)config->sending_keep * 24 * 60 * 60, RECORD_SWEEP_BATCH,
			&is_more);
	if (err != GP_OK)
		log_warn("sweep_failed", LOG_STR("error", gp_err_text(err)));
	return is_more;
}

static void on_sweep(struct loop_timer *timer)
{
	struct vault *vault = timer->owner;

	loop_timer_set(timer, record_sweep(vault) ? RECORD_SWEEP_NEXT_MS : RECORD_SWEEP_MS);
}

void record_init(struct vault *vault)
{
	memset(&vault->record, 0, sizeof vault->record);
	loop_timer_init(vault->loop, &vault->record.sweep, on_sweep, vault);
	loop_timer_init(vault->loop, &vault->record.tell, on_tell, vault);
	loop_timer_init(vault->loop, &vault->record.rest, on_rested, vault);
	if (vault->lane == IPC_LANE_DESK)
		loop_timer_set(&vault->record.sweep, RECORD_SWEEP_NEXT_MS);
}

void record_fini(struct vault *vault)
{
	record_flush(vault);
	loop_timer_fini(&vault->record.sweep);
	loop_timer_fini(&vault->record.tell);
	loop_timer_fini(&vault->record.rest);
}
