/* SPDX-License-Identifier: ISC */
/*
 *	reload_start()	read, check
 *	on_names()	names were looked up (resolver.c); bind; sent to every worker that is up
 *	  |-- something is wrong --------------------------> refuse()
 *	on_ready(), on_gone(), on_timeout()	each worker has answered, died or is given up
 *	  |-- all took it --> commit(): the old generation is kept a while, listeners go out
 *	  `-- one did not --> roll_back(): who took it gets the old one again; refuse()
 *
 * A worker that starts meanwhile begins with the generation in force; crew_on_ready() sees that it
 * is not the newest and sends that.
 */
#include "parent/reload.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "parent/crew.h"
#include "parent/notify.h"
#include "parent/resolver.h"

enum {
	ANSWER_MS = 30000,
};

struct reload {
	struct parent *parent;
	bool is_running;
	bool has_request;
	uint64_t request;
	struct generation *next;
	struct listeners *listeners;
	struct control_socket control; /* a new one, if its path changed */
	size_t awaited;
	bool is_refused;
	struct config_error error; /* why */
	struct loop_timer timer;
};

static void on_timeout(struct loop_timer *timer);

struct reload *reload_new(struct parent *parent)
{
	struct reload *reload = mem_new(1, sizeof *reload);

	reload->parent = parent;
	loop_timer_init(parent->loop, &reload->timer, on_timeout, reload);
	return reload;
}

static void drop_next(struct reload *reload)
{
	generation_free(&reload->next);
	listeners_free(&reload->listeners);
	control_socket_close(&reload->control);
}

void reload_free(struct reload **preload)
{
	struct reload *reload = *preload;

	*preload = NULL;
	if (reload == NULL)
		return;
	drop_next(reload);
	loop_timer_fini(&reload->timer);
	mem_free(reload);
}

static void answer(
	struct reload *reload, bool has_request, uint64_t request, bool ok, const char *why)
{
	struct ipc_message message = { .type = IPC_RELOADED };

	if (!has_request)
		return;
	message.reloaded =
		(struct ipc_reloaded){ .request = request, .ok = ok, .why = slice_str(why) };
	worker_send(crew_core(reload->parent->crew), &message, -1);
}

static void finish(struct reload *reload, bool ok)
{
	loop_timer_clear(&reload->timer);
	reload->is_running = false;
	answer(reload, reload->has_request, reload->request, ok, reload->error.text);
	reload->has_request = false;
	notify_ready();
}

static void refuse(struct reload *reload)
{
	log_error("reload_refused", LOG_STR("why", reload->error.text));
	drop_next(reload);
	finish(reload, false);
}

/* Reading. */

static enum gp_err bind_next(struct reload *reload, struct gp_why *why)
{
	struct parent *parent = reload->parent;
	const struct config *config = reload->next->config;
	enum gp_err err = listeners_bind(
		config, crew_fronts(parent->crew), parent->listeners, &reload->listeners, why);

	if (err == GP_OK && strcmp(config->control_socket, parent->control.path) != 0)
		err = control_socket_open(config->control_socket, &reload->control, why);
	return err;
}

static enum gp_err load_next(struct reload *reload)
{
	struct parent *parent = reload->parent;
	enum gp_err err = generation_load(parent->config_path, parent->last_generation + 1,
		GENERATION_RELOAD, &reload->next, &reload->error);

	if (err != GP_OK)
		return err;
	parent->last_generation++;
	return generation_inherit(reload->next, parent->current, &reload->error);
}

/* What a running process cannot change any more. */
static void warn_restart(const struct config *old, const struct config *next)
{
	const struct {
		const char *option;
		bool is_changed;
	} options[] = {
		{ "fronts", old->fronts != next->fronts },
		{ "slow_vaults", old->slow_vaults != next->slow_vaults },
		{ "log", old->log != next->log },
		{ "state_dir", strcmp(old->state_dir, next->state_dir) != 0 },
		{ "front_user", strcmp(old->front_user, next->front_user) != 0 },
		{ "core_user", strcmp(old->core_user, next->core_user) != 0 },
		{ "vault_user", strcmp(old->vault_user, next->vault_user) != 0 },
		{ "web_user", strcmp(old->web_user, next->web_user) != 0 },
		{ "require_sandbox", old->require_sandbox != next->require_sandbox },
	};

	for (size_t i = 0; i < GP_ARRAY_LEN(options); i++) {
		if (options[i].is_changed)
			log_warn("restart_needed", LOG_STR("option", options[i].option));
	}
}

static void push_next(struct worker *worker, void *arg)
{
	struct reload *reload = arg;

	if (worker->state != WORKER_UP)
		return;
	worker->is_awaited = true;
	reload->awaited++;
	worker_push(worker, reload->next);
}

static void refuse_why(struct reload *reload, const char *why)
{
	(void)snprintf(reload->error.text, sizeof reload->error.text, "%s", why);
	refuse(reload);
}

static void on_names(void *owner, const char *lost)
{
	struct reload *reload = owner;
	struct gp_why why = { "" };

	if (lost[0] != '\0' || reload->parent->is_stopping) {
		refuse_why(reload, lost[0] != '\0' ? lost : "stopping");
		return;
	}
	if (bind_next(reload, &why) != GP_OK) {
		refuse_why(reload, why.text);
		return;
	}
	loop_timer_set(&reload->timer, ANSWER_MS);
	crew_each(reload->parent->crew, push_next, reload);
}

void reload_start(struct reload *reload, bool has_request, uint64_t request)
{
	struct parent *parent = reload->parent;

	if (reload->is_running || parent->is_stopping || !parent->is_serving) {
		log_warn("reload_refused", LOG_STR("why", "starting, stopping or reloading"));
		answer(reload, has_request, request, false, "starting, stopping or reloading");
		return;
	}
	reload->is_running = true;
	reload->has_request = has_request;
	reload->request = request;
	reload->is_refused = false;
	reload->awaited = 0;
	reload->error.text[0] = '\0';
	notify_reloading();
	if (load_next(reload) != GP_OK) {
		refuse(reload);
		return;
	}
	if (!resolver_try(parent->resolver, reload->next, on_names, reload))
		on_names(reload, "");
}

/* The outcome. */

static void hand_out(struct worker *worker, void *arg)
{
	const struct parent *parent = arg;

	if (worker->state != WORKER_UP)
		return;
	if (worker->taken == parent->current->number)
		crew_hand_out(worker);
	else
		worker_push(worker, parent->current);
}

static void keep_old(struct parent *parent)
{
	struct generation **oldest = &parent->old[PARENT_OLD_GENERATIONS - 1];

	generation_free(oldest);
	memmove(&parent->old[1], &parent->old[0],
		(PARENT_OLD_GENERATIONS - 1) * sizeof parent->old[0]);
	parent->old[0] = parent->current;
	generation_drop_materials(parent->old[0]);
}

static void commit(struct reload *reload)
{
	struct parent *parent = reload->parent;
	struct listeners *old_listeners = parent->listeners;

	warn_restart(parent->current->config, reload->next->config);
	keep_old(parent);
	parent->current = reload->next;
	parent->listeners = reload->listeners;
	reload->next = NULL;
	reload->listeners = NULL;
	if (reload->control.path != NULL) {
		control_socket_close(&parent->control);
		parent->control = reload->control;
		reload->control = (struct control_socket){ .fd = -1 };
	}
	log_set_level((enum log_level)parent->current->config->log_level);
	log_info("reloaded", LOG_UINT("generation", parent->current->number));
	finish(reload, true);
	resolver_follow(parent->resolver);
	crew_follow(parent->crew);
	crew_each(parent->crew, hand_out, parent);
	listeners_free(&old_listeners);
}

static void push_back(struct worker *worker, void *arg)
{
	const struct parent *parent = arg;

	worker->is_awaited = false;
	if (worker->state == WORKER_UP && worker->pushed != parent->current->number)
		worker_push(worker, parent->current);
}

static void check_answers(struct reload *reload)
{
	if (!reload->is_running || reload->awaited > 0)
		return;
	if (!reload->is_refused) {
		commit(reload);
		return;
	}
	crew_each(reload->parent->crew, push_back, reload->parent);
	refuse(reload);
}

static void stop_awaiting(struct reload *reload, struct worker *worker)
{
	GP_ASSERT(reload->awaited > 0);
	worker->is_awaited = false;
	reload->awaited--;
}

bool reload_on_ready(struct reload *reload, struct worker *worker, bool ok, const char *why)
{
	if (!worker->is_awaited)
		return false;
	stop_awaiting(reload, worker);
	if (!ok && !reload->is_refused) {
		reload->is_refused = true;
		(void)snprintf(
			reload->error.text, sizeof reload->error.text, "%s: %s", worker->name, why);
	}
	check_answers(reload);
	return true;
}

void reload_on_gone(struct reload *reload, struct worker *worker)
{
	if (worker->role == IPC_ROLE_CORE)
		reload->has_request = false;
	if (!worker->is_awaited)
		return;
	stop_awaiting(reload, worker);
	check_answers(reload);
}

static void on_timeout(struct loop_timer *timer)
{
	struct reload *reload = timer->owner;

	reload->is_refused = true;
	reload->awaited = 0;
	(void)snprintf(reload->error.text, sizeof reload->error.text,
		"a process did not answer within %d s", ANSWER_MS / 1000);
	check_answers(reload);
}
