/* SPDX-License-Identifier: ISC */
#include "core/cli.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/core.h"

struct cli_packet {
	STAILQ_ENTRY(cli_packet) link;
	struct buf bytes;
};

struct cli *cli_find(struct core *core, uint64_t id)
{
	struct cli *cli = NULL;

	TAILQ_FOREACH (cli, &core->clis.all, link) {
		if (cli->id == id)
			return cli;
	}
	return NULL;
}

static void drop_first(struct cli *cli)
{
	struct cli_packet *packet = STAILQ_FIRST(&cli->outbox);

	STAILQ_REMOVE_HEAD(&cli->outbox, link);
	cli->outbox_bytes -= buf_slice(&packet->bytes).len;
	buf_fini(&packet->bytes);
	mem_free(packet);
}

static void cli_free(struct cli **pcli)
{
	struct cli *cli = *pcli;
	struct clis *clis = &cli->core->clis;

	*pcli = NULL;
	TAILQ_REMOVE(&clis->all, cli, link);
	clis->count--;
	while (!STAILQ_EMPTY(&cli->outbox))
		drop_first(cli);
	chan_free(&cli->chan);
	mem_free(cli);
}

static void cut(struct cli *cli)
{
	log_warn("cli_cut", LOG_STR("why", "takes no answers"), LOG_STR("actor", cli->actor));
	cli_free(&cli);
}

/* Sends what waits; false if nothing of it could go. */
static bool flush(struct cli *cli)
{
	bool has_moved = false;

	while (!STAILQ_EMPTY(&cli->outbox)) {
		struct cli_packet *packet = STAILQ_FIRST(&cli->outbox);
		struct ipc_message message;

		GP_ASSERT(ipc_decode(buf_slice(&packet->bytes), &message) == GP_OK);
		if (chan_send(cli->chan, &message, -1) == GP_ERR_BUSY)
			return has_moved;
		drop_first(cli);
		has_moved = true;
	}
	return true;
}

static void on_step(struct loop_timer *timer)
{
	struct core *core = timer->owner;
	struct cli *cli = TAILQ_FIRST(&core->clis.all);
	bool is_waiting = false;

	while (cli != NULL) {
		struct cli *next = TAILQ_NEXT(cli, link);

		cli->stuck_ms = flush(cli) ? 0 : cli->stuck_ms + CLI_STEP_MS;
		if (cli->stuck_ms >= CLI_STUCK_MS)
			cut(cli);
		else
			is_waiting = is_waiting || !STAILQ_EMPTY(&cli->outbox);
		cli = next;
	}
	if (is_waiting)
		loop_timer_set(&core->clis.step, CLI_STEP_MS);
	else
		vaults_pause_desk(core, false);
}

static void put_out(struct cli *cli, const struct ipc_message *message)
{
	struct core *core = cli->core;
	struct cli_packet *packet = mem_new(1, sizeof *packet);

	buf_init_secret(&packet->bytes, IPC_PACKET_MAX);
	/* What does not encode would not have been sent either. */
	if (ipc_encode(message, &packet->bytes) != GP_OK) {
		buf_fini(&packet->bytes);
		mem_free(packet);
		return;
	}
	STAILQ_INSERT_TAIL(&cli->outbox, packet, link);
	cli->outbox_bytes += buf_slice(&packet->bytes).len;
	if (cli->outbox_bytes > CLI_OUTBOX_MAX) {
		cut(cli);
		return;
	}
	if (!loop_timer_is_set(&core->clis.step))
		loop_timer_set(&core->clis.step, CLI_STEP_MS);
	vaults_pause_desk(core, true);
}

void cli_send(struct core *core, uint64_t id, const struct ipc_message *message)
{
	struct cli *cli = cli_find(core, id);

	if (cli == NULL)
		return;
	if (!STAILQ_EMPTY(&cli->outbox) || chan_send(cli->chan, message, -1) == GP_ERR_BUSY)
		put_out(cli, message);
}

static void on_message(struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	(void)chan;
	if (message->type == IPC_OP)
		control_on_op(owner, &message->op, *fd);
}

static void on_end(struct chan *chan, enum chan_end end, void *owner)
{
	struct cli *cli = owner;

	(void)chan;
	(void)end;
	cli_free(&cli);
}

struct cli *cli_open(struct core *core, int *fd, unsigned uid)
{
	static const struct chan_ops ops = { on_message, on_end };
	struct clis *clis = &core->clis;
	struct cli *cli = mem_new(1, sizeof *cli);

	cli->core = core;
	cli->id = ++clis->last_id;
	STAILQ_INIT(&cli->outbox);
	(void)snprintf(cli->actor, sizeof cli->actor, "cli:%u", uid);
	cli->chan = chan_new(core->loop, fd, IPC_ROLE_CORE, IPC_ROLE_CLI, &ops, cli);
	TAILQ_INSERT_TAIL(&clis->all, cli, link);
	clis->count++;
	return cli;
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
	else if (core->clis.count >= CLI_MAX)
		log_warn("cli_refused", LOG_STR("why", "too many"));
	else
		(void)cli_open(core, &fd, peer.uid);
	if (fd >= 0)
		(void)close(fd);
}

void cli_listen(struct core *core, int *fd)
{
	struct clis *clis = &core->clis;

	loop_io_stop(&clis->listener);
	if (clis->fd >= 0)
		(void)close(clis->fd);
	clis->fd = *fd;
	*fd = -1;
	loop_io_start(core->loop, &clis->listener, clis->fd, LOOP_READ, on_connect, core);
}

void cli_init(struct core *core)
{
	core->clis = (struct clis){ .fd = -1 };
	TAILQ_INIT(&core->clis.all);
	loop_timer_init(core->loop, &core->clis.step, on_step, core);
}

void cli_fini(struct core *core)
{
	struct clis *clis = &core->clis;

	loop_io_stop(&clis->listener);
	if (clis->fd >= 0)
		(void)close(clis->fd);
	while (!TAILQ_EMPTY(&clis->all)) {
		struct cli *cli = TAILQ_FIRST(&clis->all);

		cli_free(&cli);
	}
	loop_timer_fini(&clis->step);
}
