/* SPDX-License-Identifier: ISC */
/*
 * The CLI's socket and the CLIs on it. Who may connect is decided by the socket's peer: root, or
 * the user Gatepost runs as. CLIs are known by number, never by pointer: an answer for one that
 * left finds nobody and ends there.
 *
 * What a CLI does not take yet waits in its outbox, and the desk vault is not heard meanwhile, so
 * that the longest list passes through a small memory. A CLI that takes nothing is cut.
 */
#ifndef GP_CORE_CLI_H
#define GP_CORE_CLI_H

#include <bsd/sys/queue.h>
#include <stddef.h>
#include <stdint.h>

#include "event/loop.h"
#include "ipc/chan.h"

enum {
	CLI_MAX = 64,
	CLI_ACTOR_SIZE = 64,
	CLI_OUTBOX_MAX = 64 * 1024 * 1024, /* bytes; lists of core's own are made at once */
	CLI_STUCK_MS = 5000,               /* takes nothing for this long: cut */
	CLI_STEP_MS = 5,
};

struct core;
struct cli_packet;

struct cli {
	TAILQ_ENTRY(cli) link;
	struct core *core;
	uint64_t id; /* from 1 */
	struct chan *chan;
	size_t ops;                 /* under way at the vault or gatepostd */
	char actor[CLI_ACTOR_SIZE]; /* for the audit */
	STAILQ_HEAD(cli_packets, cli_packet) outbox;
	size_t outbox_bytes;
	int64_t stuck_ms;
};

struct clis {
	struct loop_io listener;
	int fd;
	TAILQ_HEAD(cli_list, cli) all;
	size_t count;
	uint64_t last_id;
	struct loop_timer step;
};

void cli_init(struct core *core);
void cli_fini(struct core *core);
/* Takes *fd, in place of an older one. */
void cli_listen(struct core *core, int *fd);
/* Takes *fd, a CLI that may connect. */
struct cli *cli_open(struct core *core, int *fd, unsigned uid);

struct cli *cli_find(struct core *core, uint64_t id);
/* Fine for one that left. */
void cli_send(struct core *core, uint64_t id, const struct ipc_message *message);

#endif
