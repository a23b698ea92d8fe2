/* SPDX-License-Identifier: ISC */
#include "core/loading.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/core.h"

/* Time-outs between our own processes do not follow a clock that is moved for a rehearsal. */
static int64_t real_ms(void)
{
	return clock_steady() - clock_shifted();
}

bool loading_is_done(const struct core *core)
{
	return core->loading.is_done;
}

static void tell_parent(struct core *core)
{
	struct ipc_message message = { .type = IPC_BANS_READY };

	if (core->loading.is_told || core->parent == NULL)
		return;
	core->loading.is_told = true;
	message.bans_ready.complete = core->loading.is_done;
	if (chan_send(core->parent, &message, -1) != GP_OK)
		log_error("parent_unheard", LOG_STR("message", "BANS_READY"));
}

static void ask(struct core *core)
{
	struct loading *loading = &core->loading;
	int64_t window = (int64_t)core->config->autoban_window;
	struct ipc_message message = { .type = IPC_LOAD };

	message.load.request = ++loading->request;
	/* A later load is for the domains alone: core's own windows know better by then. */
	message.load.since = loading->is_done ? INT64_MAX : clock_wall() - window;
	window = (int64_t)core->config->account_guesses_window;
	message.load.guesses_since = loading->is_done ? INT64_MAX : clock_wall() - window;
	journal_flush(core);
	if (vaults_send_desk(core, &message, -1) != GP_OK)
		return;
	domains_begin(core);
	if (!loading->is_done)
		source_clear_windows(core);
	loading->is_wanted = false;
	loading->is_under_way = true;
	loading->next = real_ms() + LOADING_TIMEOUT_MS;
}

void loading_want(struct core *core)
{
	core->loading.is_wanted = true;
	core->loading.next = 0;
	if (!core->loading.is_under_way)
		ask(core);
}

void loading_on_desk(struct core *core, bool is_there)
{
	struct loading *loading = &core->loading;

	if (loading->is_under_way) {
		loading->is_under_way = false;
		loading->is_wanted = true;
	}
	if (is_there && (loading->is_wanted || !loading->is_done))
		ask(core);
}

void loading_tick(struct core *core)
{
	struct loading *loading = &core->loading;

	if (real_ms() >= core->started_steady + LOADING_OPEN_MS)
		tell_parent(core);
	if (real_ms() < loading->next)
		return;
	if (loading->is_under_way) {
		log_error("load_timeout", LOG_UINT("request", loading->request));
		loading->is_under_way = false;
		loading->has_failed = true;
		loading->is_wanted = true;
	}
	if (loading->is_wanted)
		ask(core);
}

/* The memory of windows may be full of stronger ones; then this one is not remembered. */
static void on_restored(struct counter_ask *ask, const struct counter_result *result)
{
	(void)ask;
	(void)result;
}

static bool is_first_load(const struct core *core)
{
	return core->loading.is_under_way && !core->loading.is_done;
}

/* Nobody waits for the answers, so they may share one question. */
static struct counter_ask nobody = { .on_answer = on_restored };

void loading_on_failure_row(struct core *core, const struct ipc_failure_row *row)
{
	int64_t age = ban_failure_age(row->at, clock_wall());

	if (!is_first_load(core) || row->weight == 0)
		return;
	for (unsigned level = 0; level < ip_levels(&row->source); level++) {
		struct ip_net net = ip_level_net(&row->source, (enum ip_level)level);

		if (!ban_is_exempt_net(core->policy, &net))
			counter_add(source_window(core, &row->source, (enum ip_level)level),
				source_key(&net.base), row->weight, age, &nobody);
	}
}

void loading_on_guess_row(struct core *core, const struct ipc_guess_row *row)
{
	if (is_first_load(core) && row->account != 0)
		counter_add(core->windows.accounts, slice_of(&row->account, sizeof row->account), 1,
			ban_failure_age(row->at, clock_wall()), &nobody);
}

void loading_on_lift_row(struct core *core, const struct ipc_lift_row *row)
{
	struct ip_net net = { row->source, row->prefix };

	if (is_first_load(core))
		lifts_add(core, &net, row->account, ban_failure_age(row->at, clock_wall()));
}

void loading_on_ban_row(struct core *core, const struct ipc_ban_row *row)
{
	if (is_first_load(core))
		bans_restore(core, row);
}

void loading_on_domain_row(struct core *core, const struct ipc_domain_row *row)
{
	if (core->loading.is_under_way)
		domains_add(core, row);
}

void loading_on_loaded(struct core *core, const struct ipc_loaded *message)
{
	struct loading *loading = &core->loading;
	bool is_first = !loading->is_done;

	if (!loading->is_under_way || message->request != loading->request)
		return;
	loading->is_under_way = false;
	loading->has_failed = !message->ok;
	domains_end(core, message->ok);
	sending_mail_end_leases(core, 0);
	if (!message->ok) {
		log_error("load_failed", LOG_SLICE("why", message->why));
		tell_parent(core);
		loading->is_wanted = true;
		loading->next = real_ms() + LOADING_RETRY_MS;
		return;
	}
	loading->is_done = true;
	if (is_first)
		bans_adopt(core);
	log_info("loaded", LOG_UINT("domains", core->domains.now.count),
		LOG_UINT("bans", core->bans.by_net.count));
	tell_parent(core);
	if (is_first)
		signin_start_all(core);
	if (loading->is_wanted)
		ask(core);
}
