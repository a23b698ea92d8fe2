/* SPDX-License-Identifier: ISC */
#include "parent/crew.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/ban_map.h"
#include "parent/dial.h"
#include "parent/hook.h"
#include "parent/notify.h"
#include "parent/reload.h"
#include "parent/resolver.h"

struct crew {
	struct parent *parent;
	struct worker *workers; /* fronts, core, vaults, web */
	size_t count;
	unsigned fronts;
};

static unsigned processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

/* One core is left for those who do not wait for a hash. */
static unsigned slow_vaults(const struct config *config)
{
	unsigned cores = processors();

	if (config->slow_vaults > 0)
		return config->slow_vaults;
	return cores > 1 ? cores - 1 : 1;
}

struct crew *crew_new(struct parent *parent)
{
	const struct config *config = parent->current->config;
	unsigned fronts = config->fronts > 0 ? config->fronts : processors();
	unsigned slow = slow_vaults(config);
	struct crew *crew = mem_new(1, sizeof *crew);
	unsigned vault = 0;

	crew->parent = parent;
	crew->fronts = fronts;
	crew->workers = mem_new(fronts + 1 + 1 + slow + 1 + 1, sizeof *crew->workers);
	for (unsigned i = 0; i < fronts; i++)
		worker_init(
			&crew->workers[crew->count++], parent, IPC_ROLE_FRONT, IPC_LANE_NONE, i);
	worker_init(&crew->workers[crew->count++], parent, IPC_ROLE_CORE, IPC_LANE_NONE, 0);
	worker_init(&crew->workers[crew->count++], parent, IPC_ROLE_VAULT, IPC_LANE_DESK, vault++);
	worker_init(&crew->workers[crew->count++], parent, IPC_ROLE_VAULT, IPC_LANE_FAST, vault++);
	for (unsigned i = 0; i < slow; i++)
		worker_init(&crew->workers[crew->count++], parent, IPC_ROLE_VAULT, IPC_LANE_SLOW,
			vault++);
	worker_init(&crew->workers[crew->count++], parent, IPC_ROLE_WEB, IPC_LANE_NONE, 0);
	crew_web(crew)->is_wanted = config_has_service(config, SERVICE_HTTPS);
	return crew;
}

void crew_free(struct crew **pcrew)
{
	struct crew *crew = *pcrew;

	*pcrew = NULL;
	if (crew == NULL)
		return;
	for (size_t i = 0; i < crew->count; i++)
		worker_fini(&crew->workers[i]);
	mem_free(crew->workers);
	mem_free(crew);
}

unsigned crew_fronts(const struct crew *crew)
{
	return crew->fronts;
}

struct worker *crew_core(struct crew *crew)
{
	return &crew->workers[crew->fronts];
}

struct worker *crew_web(struct crew *crew)
{
	return &crew->workers[crew->count - 1];
}

void crew_each(struct crew *crew, void (*visit)(struct worker *worker, void *arg), void *arg)
{
	for (size_t i = 0; i < crew->count; i++)
		visit(&crew->workers[i], arg);
}

void crew_start(struct crew *crew)
{
	for (size_t i = 0; i < crew->count; i++) {
		if (crew->workers[i].is_wanted)
			worker_start(&crew->workers[i]);
	}
}

void crew_follow(struct crew *crew)
{
	struct worker *web = crew_web(crew);

	web->is_wanted = config_has_service(crew->parent->current->config, SERVICE_HTTPS);
	if (!web->is_wanted)
		worker_stop(web, PARENT_STOP_GRACE_MS);
	else if (web->state == WORKER_DOWN && !loop_timer_is_set(&web->restart))
		worker_start(web);
}

void crew_reap(struct crew *crew)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (hooks_on_exit(crew->parent->hooks, pid, status) ||
			resolver_on_exit(crew->parent->resolver, pid))
			continue;
		for (size_t i = 0; i < crew->count; i++) {
			if (crew->workers[i].pid == pid) {
				worker_on_exit(&crew->workers[i], status);
				break;
			}
		}
	}
}

/* Stopping. */

static bool is_role_gone(const struct crew *crew, enum ipc_role role)
{
	for (size_t i = 0; i < crew->count; i++) {
		if (crew->workers[i].role == role && crew->workers[i].state != WORKER_DOWN)
			return false;
	}
	return true;
}

/* Goes on with the first role of which somebody is left. */
static void stop_next(struct crew *crew)
{
	static const enum ipc_role order[] = { IPC_ROLE_FRONT, IPC_ROLE_WEB, IPC_ROLE_CORE,
		IPC_ROLE_VAULT };
	size_t n = 0;

	while (n < GP_ARRAY_LEN(order) && is_role_gone(crew, order[n]))
		n++;
	if (n == GP_ARRAY_LEN(order)) {
		parent_on_stopped(crew->parent);
		return;
	}
	for (size_t i = 0; i < crew->count; i++) {
		if (crew->workers[i].role == order[n])
			worker_stop(&crew->workers[i], PARENT_STOP_GRACE_MS);
	}
}

void crew_stop(struct crew *crew)
{
	for (size_t i = 0; i < crew->count; i++)
		loop_timer_clear(&crew->workers[i].restart);
	stop_next(crew);
}

void crew_kill(struct crew *crew, const char *why)
{
	for (size_t i = 0; i < crew->count; i++)
		worker_kill(&crew->workers[i], why);
}

/* Connecting. */

static bool are_neighbours(const struct worker *a, const struct worker *b)
{
	return a != b && (a->role == IPC_ROLE_CORE || b->role == IPC_ROLE_CORE);
}

static void send_peer(struct worker *to, const struct worker *about, int fd)
{
	struct ipc_message message = { .type = IPC_PEER };

	message.peer = (struct ipc_peer){ .role = (uint8_t)about->role,
		.index = (uint16_t)about->index,
		.lane = (uint8_t)about->lane,
		.pid = (uint32_t)about->pid };
	worker_send(to, &message, fd);
}

static void connect_pair(struct worker *a, struct worker *b)
{
	int fds[2];

	if (chan_pair(fds) != GP_OK) {
		log_error("workers_not_connected", LOG_STR("worker", a->name),
			LOG_STR("with", b->name), LOG_ERRNO);
		worker_kill(a, "no sockets to connect it; trying again");
		return;
	}
	send_peer(a, b, fds[0]);
	send_peer(b, a, fds[1]);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void send_ban_map(struct worker *worker)
{
	struct ipc_message message = { .type = IPC_BAN_MAP };
	const struct parent *parent = worker->parent;

	message.ban_map.bytes = ban_map_bytes();
	if (worker->role == IPC_ROLE_CORE)
		worker_send(worker, &message, parent->ban_write_fd);
	else if (worker->role == IPC_ROLE_FRONT)
		worker_send(worker, &message, parent->ban_read_fd);
}

static void send_listeners(struct worker *front)
{
	const struct parent *parent = front->parent;
	struct ipc_message message = { .type = IPC_LISTENERS_RESET };

	message.listeners_reset.generation = parent->current->number;
	worker_send(front, &message, -1);
	message.type = IPC_LISTENER;
	for (size_t n = 0; n < listeners_count(parent->listeners); n++) {
		struct listeners_socket socket = listeners_get(parent->listeners, n, front->index);

		message.listener = (struct ipc_listener){ .listener = socket.listener,
			.address = slice_str(socket.address) };
		worker_send(front, &message, socket.fd);
	}
}

void crew_hand_out(struct worker *worker)
{
	const struct parent *parent = worker->parent;
	struct ipc_message message = { .type = IPC_CONTROL_LISTENER };

	/* Their indexes mean the listeners of this generation. */
	if (!parent->is_serving || worker->state != WORKER_UP ||
		worker->taken != parent->current->number)
		return;
	if (worker->role == IPC_ROLE_FRONT)
		send_listeners(worker);
	message.control_listener.generation = parent->current->number;
	if (worker->role == IPC_ROLE_CORE)
		worker_send(worker, &message, parent->control.fd);
}

/* Coming up. */

static void tell_status(const struct crew *crew)
{
	size_t up = 0;
	size_t wanted = 0;

	for (size_t i = 0; i < crew->count; i++) {
		up += crew->workers[i].state == WORKER_UP;
		wanted += crew->workers[i].is_wanted;
	}
	notify_status(up, wanted);
}

void crew_check_serving(struct crew *crew)
{
	struct parent *parent = crew->parent;

	/* No front accepts before it can see who is banned. */
	if (parent->is_serving || parent->is_stopping || !parent->are_bans_ready ||
		!resolver_is_settled(parent->resolver))
		return;
	for (size_t i = 0; i < crew->count; i++) {
		if (crew->workers[i].is_wanted && crew->workers[i].state != WORKER_UP)
			return;
	}
	parent->is_serving = true;
	log_info("serving", LOG_UINT("workers", crew->count),
		LOG_UINT("listeners", listeners_count(parent->listeners)));
	for (size_t i = 0; i < crew->count; i++)
		crew_hand_out(&crew->workers[i]);
	notify_ready();
}

static void on_first_ready(struct worker *worker)
{
	struct crew *crew = worker->parent->crew;

	send_ban_map(worker);
	for (size_t i = 0; i < crew->count; i++) {
		struct worker *other = &crew->workers[i];

		if (other->state == WORKER_UP && are_neighbours(worker, other))
			connect_pair(worker, other);
	}
	tell_status(crew);
}

void crew_on_ready(struct worker *worker, bool ok, const char *why)
{
	struct parent *parent = worker->parent;
	struct crew *crew = parent->crew;
	bool is_first = worker->state == WORKER_UP && !worker->is_connected;

	if (worker->state == WORKER_LEAVING)
		return;
	if (worker->state == WORKER_STARTING) {
		/* It ends by itself. The first time nothing will be better the next time. */
		if (!parent->is_serving)
			parent_fail(parent, worker->name, why);
		return;
	}
	if (is_first) {
		worker->is_connected = true;
		on_first_ready(worker);
	}
	if (reload_on_ready(parent->reload, worker, ok, why))
		return;
	if (!ok)
		worker_kill(worker, "it cannot take the configuration in force");
	else if (worker->taken != parent->current->number)
		worker_push(worker, parent->current);
	else if (parent->is_serving)
		crew_hand_out(worker);
	else
		crew_check_serving(crew);
}

/* Core's word is enough; it has none about itself. */
static void on_bad_peer(struct crew *crew, const struct ipc_peer_bad *bad)
{
	for (size_t i = 0; i < crew->count; i++) {
		struct worker *worker = &crew->workers[i];

		if (worker->role == bad->role && worker->index == bad->index &&
			worker->role != IPC_ROLE_CORE && worker->state == WORKER_UP)
			worker_kill(worker, "it broke the rules of its channel with core");
	}
}

/* Core talks to all; what one of the others says of it is believed, but not for ever: else one that
 * was taken over could keep core from work. pid: the core it means, which may be gone by now. */
static void on_bad_core(struct worker *accuser, const struct ipc_core_bad *bad)
{
	struct worker *core = crew_core(accuser->parent->crew);
	int64_t now = clock_steady();

	if (core->state != WORKER_UP || core->pid != (pid_t)bad->pid)
		return;
	if (accuser->accused_at != 0 && now - accuser->accused_at < WORKER_ACCUSE_MS) {
		worker_kill(accuser, "it speaks against core again and again");
		return;
	}
	accuser->accused_at = now;
	log_warn("core_accused", LOG_STR("worker", accuser->name));
	worker_kill(core, "it broke the rules of its channel with another");
}

static void on_bans_ready(struct parent *parent, const struct ipc_bans_ready *ready)
{
	if (!ready->complete)
		log_warn("serving_without_bans", LOG_STR("why", "the store cannot be read yet"));
	parent->are_bans_ready = true;
	crew_check_serving(parent->crew);
}

static void on_dial_mailbox(struct parent *parent, const struct ipc_dial_mailbox *message)
{
	struct crew *crew = parent->crew;

	/* Fronts come first. */
	if (message->front < crew->fronts && crew->workers[message->front].state == WORKER_UP)
		dial_mailbox(parent->dialer, &crew->workers[message->front], message);
}

void crew_on_message(struct worker *worker, const struct ipc_message *message)
{
	struct parent *parent = worker->parent;

	if (message->type == IPC_DIAL)
		dial_start(parent->dialer, worker, &message->dial);
	else if (message->type == IPC_DIAL_MAILBOX)
		on_dial_mailbox(parent, &message->dial_mailbox);
	else if (message->type == IPC_DIAL_WEB)
		dial_web(worker, &message->dial_web);
	else if (message->type == IPC_RELOAD)
		reload_start(parent->reload, true, message->reload.request);
	else if (message->type == IPC_HOOK)
		hooks_run(parent->hooks, &message->hook);
	else if (message->type == IPC_PEER_BAD)
		on_bad_peer(parent->crew, &message->peer_bad);
	else if (message->type == IPC_BANS_READY)
		on_bans_ready(parent, &message->bans_ready);
	else if (message->type == IPC_CORE_BAD)
		on_bad_core(worker, &message->core_bad);
	else
		worker_kill(worker, "it sent what is not for us");
}

/* Going. */

void crew_on_gone(struct worker *worker, enum worker_state was, bool crashed)
{
	struct crew *crew = worker->parent->crew;
	struct ipc_message message = { .type = IPC_PEER_GONE };

	worker->is_connected = false;
	dial_drop(worker->parent->dialer, worker);
	message.peer_gone = (struct ipc_peer_gone){ .role = (uint8_t)worker->role,
		.index = (uint16_t)worker->index,
		.crashed = crashed && was != WORKER_LEAVING };
	for (size_t i = 0; was == WORKER_UP && i < crew->count; i++) {
		struct worker *other = &crew->workers[i];

		if (other->state == WORKER_UP && are_neighbours(worker, other))
			worker_send(other, &message, -1);
	}
	reload_on_gone(worker->parent->reload, worker);
	if (worker->parent->is_stopping)
		stop_next(crew);
	else if (!worker->parent->is_serving)
		parent_fail(worker->parent, worker->name, "ended before it was ready");
	else
		tell_status(crew);
}
