/* SPDX-License-Identifier: ISC */
/* status, stats, reload, clock.advance. Rows: ops/ops.def. */
#include <stdio.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/core.h"
#include "counter/counter_memory.h"

enum {
	NAME_SIZE = 32,
	ADVANCE_MAX_S = 366 * 24 * 3600, /* at once */
};

static void set_int(json_t *row, const char *key, uint64_t value)
{
	GP_ASSERT(json_object_set_new(row, key, json_integer((json_int_t)value)) == 0);
}

static const char *lane_name(enum ipc_lane lane)
{
	static const char *const names[IPC_LANE_MAX] = { "none", "fast", "slow", "desk" };

	return lane < IPC_LANE_MAX ? names[lane] : "?";
}

static json_t *describe_one(json_t *list, const char *name, pid_t pid)
{
	GP_ASSERT(json_array_append_new(list, json_pack("{s:s, s:i, s:b}", "name", name, "pid",
						      (int)pid, "up", 1)) == 0);
	return list;
}

static json_t *describe_fronts(const struct core *core, json_t *list)
{
	for (unsigned i = 0; i < FRONTS_MAX; i++) {
		const struct front *front = core->fronts.front[i];
		char name[NAME_SIZE];

		if (front == NULL)
			continue;
		(void)snprintf(name, sizeof name, "front.%u", i);
		GP_ASSERT(json_array_append_new(list,
				  json_pack("{s:s, s:i, s:b, s:I}", "name", name, "pid",
					  (int)front->pid, "up", (int)(front->chan != NULL),
					  "sessions", (json_int_t)front->session_count)) == 0);
	}
	return list;
}

static json_t *describe_vaults(const struct core *core, json_t *list)
{
	for (unsigned i = 0; i < VAULTS_MAX; i++) {
		const struct vault *vault = core->vaults.vault[i];
		char name[NAME_SIZE];

		if (vault == NULL)
			continue;
		(void)snprintf(name, sizeof name, "vault.%u", i);
		GP_ASSERT(json_array_append_new(list,
				  json_pack("{s:s, s:i, s:b, s:s, s:i, s:I}", "name", name, "pid",
					  (int)vault->pid, "up", (int)(vault->chan != NULL), "lane",
					  lane_name(vault->lane), "busy", (int)vault->asked,
					  "answered", (json_int_t)vault->answered)) == 0);
	}
	return list;
}

static json_t *describe_portals(const struct core *core, json_t *list)
{
	const struct asker *asker = NULL;

	TAILQ_FOREACH (asker, &core->askers.all, link) {
		if (asker->kind->role == IPC_ROLE_WEB)
			describe_one(list, asker->name, (pid_t)asker->pid);
	}
	return list;
}

static json_t *describe_processes(const struct core *core)
{
	json_t *list = describe_one(json_array(), "gatepostd", getppid());

	describe_one(list, "core", getpid());
	return describe_portals(core, describe_vaults(core, describe_fronts(core, list)));
}

static size_t count_checking(const struct core *core)
{
	size_t count = 0;

	for (unsigned i = 0; i < VAULTS_MAX; i++) {
		if (core->vaults.vault[i] != NULL)
			count += core->vaults.vault[i]->asked;
	}
	return count;
}

static size_t count_sessions(const struct core *core)
{
	return core->sessions.by_id.count;
}

static const char *store_state(const struct core *core)
{
	if (core->loading.has_failed)
		return "failed";
	return loading_is_done(core) ? "ready" : "loading";
}

enum gp_err op_status(struct op_call *call, const json_t *args, struct gp_why *why)
{
	const struct core *core = call->core;
	char started[CLOCK_TEXT_SIZE];
	json_t *row = json_pack("{s:i, s:s, s:s, s:s}", "pid", (int)getpid(), "hostname",
		core->config->hostname != NULL ? core->config->hostname : "", "started",
		clock_format(core->started, started), "store", store_state(core));

	(void)args;
	(void)why;
	GP_ASSERT(row != NULL);
	set_int(row, "uptime", (uint64_t)(clock_steady() - core->started_steady) / 1000);
	set_int(row, "generation", core->generation);
	set_int(row, "sessions", count_sessions(core));
	set_int(row, "signed_in", core->sessions.signed_in);
	set_int(row, "portal_sessions", core->portal.by_key.count);
	set_int(row, "bans", core->bans.by_net.count);
	set_int(row, "domains", core->domains.now.count);
	set_int(row, "waiting", core->signins.waiting);
	set_int(row, "queued",
		vaults_waiting(core, IPC_LANE_FAST) + vaults_waiting(core, IPC_LANE_SLOW));
	set_int(row, "checking", count_checking(core));
	set_int(row, "clock_shift", (uint64_t)clock_shifted() / 1000);
	GP_ASSERT(json_object_set_new(row, "processes", describe_processes(core)) == 0);
	op_row(call, row);
	return GP_OK;
}

enum gp_err op_stats(struct op_call *call, const json_t *args, struct gp_why *why)
{
	const struct core *core = call->core;
	json_t *row = json_object();
	json_t *open = json_object();

	(void)args;
	(void)why;
#define STATS_SET(name) set_int(row, #name, core->stats.name);
	STATS_LIST(STATS_SET)
#undef STATS_SET
	for (unsigned service = 0; service < SERVICE_MAX; service++)
		set_int(open, service_name((enum service)service), core->sessions.open[service]);
	GP_ASSERT(json_object_set_new(row, "sessions_open", open) == 0);
	set_int(row, "sessions_signed_in", core->sessions.signed_in);
	set_int(row, "portal_sessions", core->portal.by_key.count);
	set_int(row, "bans_in_force", core->bans.by_net.count);
	set_int(row, "windows",
		counter_memory_keys(core->windows.v4) +
			counter_memory_keys(core->windows.v6[IP_LEVEL_SOURCE]));
	set_int(row, "signins_waiting", core->signins.waiting);
	set_int(row, "queue_fast", vaults_waiting(core, IPC_LANE_FAST));
	set_int(row, "queue_slow", vaults_waiting(core, IPC_LANE_SLOW));
	set_int(row, "journal_waiting", core->journal.count);
	set_int(row, "sending_accounts", core->sending.units.by_key[IPC_SENDING_ACCOUNT].count);
	set_int(row, "sending_bytes", core->sending.units.bytes);
	op_row(call, row);
	return GP_OK;
}

enum gp_err op_reload(struct op_call *call, const json_t *args, struct gp_why *why)
{
	(void)args;
	if (op_start_reload(call))
		return GP_ERR_AGAIN;
	return gp_why_set(why, GP_ERR_BUSY, "gatepostd cannot be asked now");
}

enum gp_err op_clock_advance(struct op_call *call, const json_t *args, struct gp_why *why)
{
	struct core *core = call->core;
	json_int_t seconds = json_integer_value(json_object_get(args, "seconds"));

	if (!core->config->settable_clock)
		return gp_why_set(
			why, GP_ERR_DENIED, "settable_clock is off: the clock is the system's");
	/* Never back: spans are measured with it. */
	if (seconds < 0 || seconds > ADVANCE_MAX_S)
		return gp_why_set(why, GP_ERR_SYNTAX, "seconds must be 0 to %d", ADVANCE_MAX_S);
	clock_shift(clock_shifted() + (int64_t)seconds * 1000);
	if (core->ban_map != NULL)
		ban_map_set_shift(core->ban_map, clock_shifted());
	vaults_tell_clock(core);
	log_warn("clock_advanced", LOG_INT("seconds", seconds),
		LOG_INT("shift", clock_shifted() / 1000));
	core_sweep(core);
	op_row(call, json_pack("{s:I}", "clock_shift", (json_int_t)(clock_shifted() / 1000)));
	return GP_OK;
}
