/* SPDX-License-Identifier: ISC */
/*
 * States and what leads from one to the next:
 *
 *	DOWN --worker_start()--> STARTING --READY ok--> UP --worker_stop()--> LEAVING
 *	  ^                         |                   |                        |
 *	  +------ check_gone(): the process is reaped and its channel read out --+
 *
 * Both must have happened, in whatever order they come: the last words on the channel (why it could
 * not start) are heard, and the id is not signalled once it is no more ours. A worker that dies is
 * started again at once; one that dies within QUICK_MS several times in a row waits longer each
 * time.
 */
#include "parent/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "parent/crew.h"
#include "privsep/proc.h"

enum {
	QUICK_MS = 1000,
	QUICK_FREE = 3, /* quick deaths without a pause */
	PAUSE_MS = 250, /* doubled with each further one */
	PAUSE_MAX_MS = 10000,
	KILL_EXTRA_MS = 1000,
	PATH_SIZE = 4096,
};

static void check_gone(struct worker *worker);
static void on_restart(struct loop_timer *timer);
static void on_kill_timer(struct loop_timer *timer);
static void on_ping_timer(struct loop_timer *timer);

void worker_init(struct worker *worker, struct parent *parent, enum ipc_role role,
	enum ipc_lane lane, unsigned index)
{
	*worker = (struct worker){ .parent = parent, .role = role, .lane = lane, .index = index };
	worker->is_wanted = true;
	(void)snprintf(worker->name, sizeof worker->name, "%s.%u", ipc_role_name(role), index);
	loop_timer_init(parent->loop, &worker->restart, on_restart, worker);
	loop_timer_init(parent->loop, &worker->kill_timer, on_kill_timer, worker);
	loop_timer_init(parent->loop, &worker->ping, on_ping_timer, worker);
}

void worker_fini(struct worker *worker)
{
	chan_free(&worker->chan);
	loop_timer_fini(&worker->restart);
	loop_timer_fini(&worker->kill_timer);
	loop_timer_fini(&worker->ping);
}

void worker_kill(struct worker *worker, const char *why)
{
	if (worker->pid == 0)
		return;
	log_warn("worker_killed", LOG_STR("worker", worker->name), LOG_STR("why", why));
	(void)kill(worker->pid, SIGKILL);
}

static void on_kill_timer(struct loop_timer *timer)
{
	worker_kill(timer->owner, "it did not end in time");
}

void worker_send(struct worker *worker, const struct ipc_message *message, int fd)
{
	enum gp_err err;

	if (worker->chan == NULL)
		return;
	err = chan_send(worker->chan, message, fd);
	/* CLOSED: on_end() is about to say so. */
	if (err == GP_OK || err == GP_ERR_CLOSED)
		return;
	log_error("worker_not_told", LOG_STR("worker", worker->name),
		LOG_STR("message", ipc_type_name(message->type)),
		LOG_STR("error", gp_err_text(err)));
	worker_kill(worker, "its channel is broken");
}

void worker_push(struct worker *worker, const struct generation *generation)
{
	struct ipc_message message = { .type = IPC_CONFIG };

	message.config = (struct ipc_config){ .generation = generation->number,
		.file_name = slice_str(worker->parent->config_path) };
	worker_send(worker, &message, generation->text_fd);
	message.type = IPC_MATERIAL;
	for (size_t i = 0; i < generation->material_count; i++) {
		const struct generation_material *material = &generation->materials[i];

		if (!generation_is_for(material->kind, worker->role, worker->lane))
			continue;
		message.material = (struct ipc_material){ .generation = generation->number,
			.kind = (uint8_t)material->kind,
			.name = slice_str(material->name) };
		worker_send(worker, &message, material->fd);
	}
	message.type = IPC_CONFIG_APPLY;
	message.config_apply = (struct ipc_config_apply){ .generation = generation->number };
	worker_send(worker, &message, -1);
	worker->pushed = generation->number;
}

/* Is it there? */

static uint64_t silent_max(const struct worker *worker)
{
	bool is_at_work = worker->lane == IPC_LANE_SLOW || worker->lane == IPC_LANE_DESK;

	return is_at_work ? WORKER_SILENT_AT_WORK_MAX : WORKER_SILENT_MAX;
}

static void on_ping_timer(struct loop_timer *timer)
{
	struct worker *worker = timer->owner;
	struct ipc_message message = { .type = IPC_PING };

	if (worker->state != WORKER_UP)
		return;
	if (worker->pings - worker->pongs >= silent_max(worker)) {
		worker_kill(worker, "it does not answer");
		return;
	}
	message.ping.number = ++worker->pings;
	worker_send(worker, &message, -1);
	loop_timer_set(timer, WORKER_PING_MS);
}

static void on_pong(struct worker *worker, const struct ipc_pong *pong)
{
	if (pong->number > worker->pongs && pong->number <= worker->pings)
		worker->pongs = pong->number;
}

/* The control channel. */

static void on_ready(struct worker *worker, const struct ipc_ready *ready)
{
	char *why = slice_dup(ready->why);

	if (ready->generation != worker->pushed) {
		mem_free(why);
		return;
	}
	if (ready->ok)
		worker->taken = ready->generation;
	if (ready->ok && worker->state == WORKER_STARTING) {
		worker->state = WORKER_UP;
		log_info("worker_up", LOG_STR("worker", worker->name), LOG_INT("pid", worker->pid),
			LOG_INT("ms", clock_steady() - worker->started_at));
		loop_timer_set(&worker->ping, WORKER_PING_MS);
	}
	crew_on_ready(worker, ready->ok, why);
	mem_free(why);
}

static void on_message(struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct worker *worker = owner;

	(void)chan;
	(void)fd;
	if (message->type == IPC_READY)
		on_ready(worker, &message->ready);
	else if (message->type == IPC_PONG)
		on_pong(worker, &message->pong);
	else
		crew_on_message(worker, message);
}

static void on_end(struct chan *chan, enum chan_end end, void *owner)
{
	struct worker *worker = owner;

	(void)chan;
	chan_free(&worker->chan);
	if (end == CHAN_END_ATTACK)
		worker_kill(worker, "it broke the rules of the channel");
	else if (worker->state != WORKER_LEAVING)
		/* Dead already, as a rule; else it must not live on without us. */
		(void)(worker->pid != 0 && kill(worker->pid, SIGKILL));
	check_gone(worker);
}

/* Starting. */

static enum gp_err spawn(struct worker *worker)
{
	static const struct chan_ops ops = { on_message, on_end };
	struct parent *parent = worker->parent;
	char path[PATH_SIZE];
	struct proc_conf conf = { .path = path,
		.role = worker->role,
		.lane = worker->lane,
		.index = worker->index,
		.uid = parent->current->users[worker->role].uid,
		.gid = parent->current->users[worker->role].gid,
		.log_fd = parent->log_fd };
	int fds[2];
	enum gp_err err = chan_pair(fds);

	if (err != GP_OK)
		return err;
	(void)snprintf(
		path, sizeof path, "%s/gatepost-%s", parent->libexec, ipc_role_name(worker->role));
	conf.control_fd = fds[1];
	err = proc_spawn(&conf, &worker->pid);
	(void)close(fds[1]);
	if (err != GP_OK) {
		(void)close(fds[0]);
		return err;
	}
	worker->chan = chan_new(parent->loop, &fds[0], IPC_ROLE_PARENT, worker->role, &ops, worker);
	return GP_OK;
}

void worker_start(struct worker *worker)
{
	GP_ASSERT(worker->state == WORKER_DOWN && worker->pid == 0 && worker->chan == NULL);
	worker->started_at = clock_steady();
	worker->taken = 0;
	worker->pings = 0;
	worker->pongs = 0;
	if (spawn(worker) != GP_OK) {
		log_error("worker_not_started", LOG_STR("worker", worker->name), LOG_ERRNO);
		loop_timer_set(&worker->restart, QUICK_MS);
		return;
	}
	worker->state = WORKER_STARTING;
	worker_push(worker, worker->parent->current);
}

static void on_restart(struct loop_timer *timer)
{
	worker_start(timer->owner);
}

/* Ending. */

void worker_stop(struct worker *worker, unsigned grace_ms)
{
	struct ipc_message message = { .type = IPC_STOP, .stop = { .grace_ms = grace_ms } };

	loop_timer_clear(&worker->restart);
	if (worker->state == WORKER_DOWN || worker->state == WORKER_LEAVING)
		return;
	worker->state = WORKER_LEAVING;
	worker_send(worker, &message, -1);
	loop_timer_set(&worker->kill_timer, (int64_t)grace_ms + KILL_EXTRA_MS);
}

void worker_on_exit(struct worker *worker, int status)
{
	worker->pid = 0;
	worker->exit_status = status;
	check_gone(worker);
}

static int64_t pause_before_restart(struct worker *worker)
{
	int64_t pause = PAUSE_MS;

	if (clock_steady() - worker->started_at >= QUICK_MS)
		worker->quick_deaths = 0;
	else
		worker->quick_deaths++;
	if (worker->quick_deaths <= QUICK_FREE)
		return 0;
	for (unsigned n = QUICK_FREE + 1; n < worker->quick_deaths && pause < PAUSE_MAX_MS; n++)
		pause *= 2;
	return pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
}

static void log_end(const struct worker *worker)
{
	int status = worker->exit_status;

	if (worker->state == WORKER_LEAVING && WIFEXITED(status))
		log_info("worker_ended", LOG_STR("worker", worker->name),
			LOG_INT("exit", WEXITSTATUS(status)));
	else if (WIFSIGNALED(status))
		log_error("worker_crashed", LOG_STR("worker", worker->name),
			LOG_STR("signal", strsignal(WTERMSIG(status))));
	else
		log_error("worker_ended", LOG_STR("worker", worker->name),
			LOG_INT("exit", WEXITSTATUS(status)));
}

static void check_gone(struct worker *worker)
{
	enum worker_state was = worker->state;

	if (worker->pid != 0 || worker->chan != NULL || was == WORKER_DOWN)
		return;
	log_end(worker);
	loop_timer_clear(&worker->kill_timer);
	loop_timer_clear(&worker->ping);
	worker->state = WORKER_DOWN;
	crew_on_gone(worker, was, WIFSIGNALED(worker->exit_status));
	if (worker->is_wanted && !worker->parent->is_stopping)
		loop_timer_set(&worker->restart, pause_before_restart(worker));
}
