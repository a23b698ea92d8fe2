/* SPDX-License-Identifier: ISC */
/*
 * gatepost-web: the portal. It gets whole, checked requests from the fronts by way of gatepostd,
 * gives out the portal's pages and puts everything else to core. No files, no sockets of its own,
 * no store, no secrets.
 */
#include "web/web.h"

#include "ops/json_setup.h"
#include "web/caller.h"
#include "web/server.h"

/* The process's one portal. */
static struct web web;

static enum gp_err before_jail(struct child *child, const struct config *config, struct gp_why *why)
{
	(void)config;
	json_setup();
	web.child = child;
	web.loop = child->loop;
	web.caller = caller_new(&web);
	return server_new(&web, &web.server, why);
}

static enum gp_err on_config(struct child *child, const struct config *config,
	const struct child_material *materials, size_t count, struct gp_why *why)
{
	(void)child;
	(void)materials;
	(void)count;
	(void)why;
	web.config = config;
	return GP_OK;
}

static void on_message(struct child *child, const struct ipc_message *message, int *fd)
{
	(void)child;
	/* Nothing but the configuration comes before it. */
	if (web.config == NULL || *fd < 0)
		return;
	if (message->type == IPC_WEB_CLIENT)
		server_add(web.server, fd, &message->web_client.client);
	else if (message->type == IPC_PEER && message->peer.role == IPC_ROLE_CORE)
		caller_connect(web.caller, message->peer.pid, fd);
}

int main(int argc, char **argv)
{
	static const struct child_ops ops = {
		.role = IPC_ROLE_WEB,
		.before_jail = before_jail,
		.on_config = on_config,
		.on_message = on_message,
	};

	return child_main(&ops, argc, argv);
}
