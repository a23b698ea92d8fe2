/* SPDX-License-Identifier: ISC */
#include "core/cli.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "core/core.h"

static void on_message(struct asker *asker, const struct ipc_message *message, int fd)
{
	const struct ipc_op *op = &message->op;

	if (message->type == IPC_OP) {
		/* Whatever else the message says of who asks is not believed. */
		struct caller caller = { .role = ROLE_ADMIN,
			.actor = slice_str(asker->name),
			.idempotency = op->idempotency };
		struct control_ask ask = { op->request, op->name, op->arguments, fd };

		control_on_ask(asker, &caller, &ask);
	}
}

struct asker *cli_open(struct core *core, int *fd, unsigned uid)
{
	static const struct asker_kind kind = { IPC_ROLE_CLI, CLI_OPS_MAX, on_message };
	char name[ASKER_NAME_SIZE];

	(void)snprintf(name, sizeof name, "cli:%u", uid);
	return asker_open(core, fd, &kind, 0, name);
}

static void on_connect(struct loop_io *io, unsigned ready)
{
	struct core *core = io->owner;
	struct ucred peer = { 0 };
	socklen_t size = sizeof peer;
	int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)ready;
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
		(peer.uid != 0 && peer.uid != getuid()))
		log_warn("cli_refused", LOG_UINT("uid", peer.uid), LOG_INT("pid", peer.pid));
	else if (asker_count(core, IPC_ROLE_CLI) >= CLI_MAX)
		log_warn("cli_refused", LOG_STR("why", "too many"));
	else
		(void)cli_open(core, &fd, peer.uid);
	if (fd >= 0)
		(void)close(fd);
}

void cli_listen(struct core *core, int *fd)
{
	struct cli *cli = &core->cli;

	loop_io_stop(&cli->listener);
	if (cli->fd >= 0)
		(void)close(cli->fd);
	cli->fd = *fd;
	*fd = -1;
	loop_io_start(core->loop, &cli->listener, cli->fd, LOOP_READ, on_connect, core);
}

void cli_init(struct core *core)
{
	core->cli = (struct cli){ .fd = -1 };
}

void cli_fini(struct core *core)
{
	loop_io_stop(&core->cli.listener);
	if (core->cli.fd >= 0)
		(void)close(core->cli.fd);
}
