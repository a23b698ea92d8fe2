/* SPDX-License-Identifier: ISC */
#include "vault/record.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "vault/vault.h"

/* ---- the batch ---- */

static void lost(struct vault *vault, enum gp_err err)
{
	log_error("record_lost", LOG_UINT("count", vault->record.count),
		LOG_STR("error", gp_err_text(err)));
}

void record_flush(struct vault *vault)
{
	struct record *record = &vault->record;
	enum gp_err err;

	if (!record->is_open)
		return;
	record->is_open = false;
	err = store_commit(vault->store);
	if (err != GP_OK)
		lost(vault, err);
	record->count = 0;
}

static void on_turn_end(struct loop_task *task)
{
	record_flush(task->owner);
}

/* Room in the batch for one more; a relaxed batch cannot take a ban. */
static enum gp_err join(struct vault *vault, bool is_durable)
{
	struct record *record = &vault->record;
	enum gp_err err;

	if (record->is_open && is_durable && !record->is_durable)
		record_flush(vault);
	if (record->is_open) {
		record->count++;
		return GP_OK;
	}
	record->count = 1;
	err = store_begin(vault->store, is_durable ? STORE_DURABLE : STORE_RELAXED);
	if (err != GP_OK)
		return err;
	record->is_open = true;
	record->is_durable = is_durable;
	loop_defer(vault->loop, &record->commit, on_turn_end, vault);
	return GP_OK;
}

/* A statement that failed took the batch with it, or may have: nothing half is kept. */
static void check(struct vault *vault, enum gp_err err)
{
	if (err == GP_OK)
		return;
	lost(vault, err);
	store_rollback(vault->store);
	vault->record.is_open = false;
	vault->record.count = 0;
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
		.account = message->account,
		.device = message->device,
		.login = message->login,
		.client_name = message->client_name,
		.tls = message->tls,
		.detail = message->detail,
	};
	enum gp_err err = join(vault, false);

	if (err == GP_OK)
		err = store_event_add(vault->store, &event);
	check(vault, err);
}

void record_ban_keep(struct vault *vault, const struct ipc_ban_keep *message)
{
	struct store_ban ban = {
		.source = message->source, .set_at = message->set_at, .until = message->until
	};
	enum gp_err err = join(vault, true);

	if (!slice_copy(message->reason, ban.reason, sizeof ban.reason))
		log_warn("ban_reason_dropped", LOG_IP("source", &ban.source));
	if (err == GP_OK)
		err = store_ban_keep(vault->store, &ban);
	check(vault, err);
}

void record_ban_drop(struct vault *vault, const struct ipc_ban_drop *message)
{
	enum gp_err err = join(vault, true);

	if (err == GP_OK)
		err = store_ban_drop(vault->store, &message->source);
	check(vault, err);
}

/* ---- LOAD ---- */

static enum gp_err send_ban(const struct store_ban *ban, void *arg)
{
	struct ipc_message row = { .type = IPC_BAN_ROW,
		.ban_row = { .source = ban->source,
			.set_at = ban->set_at,
			.until = ban->until,
			.reason = slice_str(ban->reason) } };

	return vault_send(arg, &row);
}

static enum gp_err send_failure(const struct ip *source, int64_t at, void *arg)
{
	struct ipc_message row = { .type = IPC_FAILURE_ROW,
		.failure_row = { .source = *source, .at = at } };

	return vault_send(arg, &row);
}

static enum gp_err send_domain(const struct store_domain *domain, void *arg)
{
	struct ipc_message row = { .type = IPC_DOMAIN_ROW,
		.domain_row = { .domain = slice_str(domain->name),
			.alias_of = slice_str(domain->alias_of) } };

	return vault_send(arg, &row);
}

void record_load(struct vault *vault, const struct ipc_load *message)
{
	struct ipc_message done = { .type = IPC_LOADED, .loaded = { .request = message->request } };
	enum gp_err err;

	record_flush(vault);
	err = store_ban_each(vault->store, clock_wall(), send_ban, vault);
	if (err == GP_OK)
		err = store_event_each_failure(vault->store, message->since, send_failure, vault);
	if (err == GP_OK)
		err = store_domain_each(vault->store, send_domain, vault);
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
		.now = now,
		.batch = RECORD_SWEEP_BATCH,
	};
	bool is_more = false;
	enum gp_err err;

	record_flush(vault);
	err = store_sweep(vault->store, &retention, &is_more);
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
	if (vault->lane == IPC_LANE_DESK)
		loop_timer_set(&vault->record.sweep, RECORD_SWEEP_NEXT_MS);
}

void record_fini(struct vault *vault)
{
	record_flush(vault);
	loop_timer_fini(&vault->record.sweep);
}
