/* SPDX-License-Identifier: ISC */
#include "core/core.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

void core_sweep(struct core *core)
{
	bans_sweep(core);
	lifts_sweep(core);
	source_sweep(core);
	spray_sweep(core);
	portal_sweep(core);
}

static void on_tick(struct loop_timer *timer)
{
	struct core *core = timer->owner;

	core_sweep(core);
	journal_tick(core);
	loading_tick(core);
	sending_tick(core);
	loop_timer_set(&core->tick, CORE_TICK_MS);
}

struct core *core_new(struct loop *loop, struct chan *parent, const struct config *config)
{
	struct core *core = mem_new(1, sizeof *core);

	core->loop = loop;
	core->parent = parent;
	if (parent != NULL)
		chan_gather(parent, NULL);
	core->config = config;
	core->started = clock_wall();
	core->started_steady = clock_steady();
	core->resume_until = core->started_steady + FRONT_RESUME_MS;
	core->policy = ban_policy_new(config);
	source_init(core);
	line_init(core);
	spray_init(core);
	session_init(core);
	signin_init(core);
	bans_init(core);
	lifts_init(core);
	domains_init(core);
	journal_init(core);
	vaults_init(core);
	asker_init(core);
	cli_init(core);
	portal_init(core);
	control_init(core);
	repeat_init(core);
	token_call_init(core);
	sending_init(core);
	core->loading.is_wanted = true;
	loop_timer_init(loop, &core->tick, on_tick, core);
	loop_timer_set(&core->tick, CORE_TICK_MS);
	return core;
}

void core_free(struct core **pcore)
{
	struct core *core = *pcore;

	*pcore = NULL;
	if (core == NULL)
		return;
	loop_timer_fini(&core->tick);
	signin_fini(core);
	cli_fini(core);
	asker_fini(core);
	control_fini(core);
	repeat_fini(core);
	token_call_fini(core);
	portal_fini(core);
	vaults_fini(core);
	front_fini(core);
	sending_fini(core);
	journal_fini(core);
	domains_fini(core);
	countries_fini(core);
	bans_fini(core);
	lifts_fini(core);
	session_fini(core);
	spray_fini(core);
	line_fini(core);
	source_fini(core);
	ban_policy_free(&core->policy);
	mem_free(core);
}

void core_configure(struct core *core, const struct config *config)
{
	core->config = config;
	ban_policy_free(&core->policy);
	core->policy = ban_policy_new(config);
	source_configure(core);
	sending_configure(core);
	bans_lift_exempt(core);
}

static void on_peer(struct core *core, const struct ipc_peer *peer, int *fd)
{
	if (*fd < 0)
		return;
	if (peer->role == IPC_ROLE_FRONT)
		front_open(core, peer, fd);
	else if (peer->role == IPC_ROLE_VAULT)
		vaults_open(core, peer, fd);
	else if (peer->role == IPC_ROLE_WEB)
		web_open(core, peer, fd);
}

static void on_peer_gone(struct core *core, const struct ipc_peer_gone *gone)
{
	if (gone->role == IPC_ROLE_FRONT)
		front_gone(core, gone->index, gone->crashed);
	else if (gone->role == IPC_ROLE_VAULT)
		vaults_gone(core, gone->index);
	else if (gone->role == IPC_ROLE_WEB)
		web_gone(core, gone->index);
}

static void on_ban_map(struct core *core, int fd)
{
	struct ban_map *map = NULL;
	enum gp_err err = ban_map_open_write(fd, &map);

	if (err == GP_OK)
		bans_use_map(core, &map);
	else
		log_error("ban_map_unusable", LOG_STR("error", gp_err_text(err)));
}

void core_report_peer(struct core *core, enum ipc_role role, unsigned index)
{
	struct ipc_message message = { .type = IPC_PEER_BAD,
		.peer_bad = { (uint8_t)role, (uint16_t)index } };

	core->stats.peers_cut++;
	if (core->parent != NULL && chan_send(core->parent, &message, -1) != GP_OK)
		log_error("peer_not_reported", LOG_STR("role", ipc_role_name(role)),
			LOG_UINT("index", index));
}

void core_on_parent(struct core *core, const struct ipc_message *message, int *fd)
{
	if (message->type == IPC_PEER)
		on_peer(core, &message->peer, fd);
	else if (message->type == IPC_PEER_GONE)
		on_peer_gone(core, &message->peer_gone);
	else if (message->type == IPC_BAN_MAP)
		on_ban_map(core, *fd);
	else if (message->type == IPC_CONTROL_LISTENER && *fd >= 0)
		cli_listen(core, fd);
	else if (message->type == IPC_RELOADED)
		control_on_reloaded(core, &message->reloaded);
}
