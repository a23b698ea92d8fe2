/* SPDX-License-Identifier: ISC */
#include "core/core.h"
#include "ops/json_setup.h"
#include "privsep/child.h"

static enum gp_err on_config(struct child *child, const struct config *config,
	const struct child_material *materials, size_t count, struct gp_why *why)
{
	struct core *core;

	(void)why;
	if (child->state == NULL)
		child->state = core_new(child->loop, child->parent, config);
	else
		core_configure(child->state, config);
	core = child->state;
	countries_configure(core, materials, count);
	return GP_OK;
}

static void on_message(struct child *child, const struct ipc_message *message, int *fd)
{
	struct core *core = child->state;

	/* Nothing but the configuration comes before it. */
	if (core == NULL)
		return;
	core->generation = child->generation;
	core_on_parent(core, message, fd);
}

/* Sessions end with the fronts; what the store must know is handed over first. */
static void on_stop(struct child *child, unsigned grace_ms)
{
	journal_flush(child->state);
	sending_stop(child->state, (int64_t)grace_ms);
	vaults_flush_desk(child->state, (int64_t)grace_ms);
	loop_stop(child->loop);
}

static enum gp_err before_jail(struct child *child, const struct config *config, struct gp_why *why)
{
	(void)child;
	(void)config;
	(void)why;
	json_setup();
	return GP_OK;
}

int main(int argc, char **argv)
{
	static const struct child_ops ops = {
		.role = IPC_ROLE_CORE,
		.before_jail = before_jail,
		.on_config = on_config,
		.on_message = on_message,
		.on_stop = on_stop,
	};

	return child_main(&ops, argc, argv);
}
