/* SPDX-License-Identifier: ISC */
/*
 * The CLI's socket. Who may connect is decided by the socket's peer: root, or the user Gatepost
 * runs as; and whoever may, may everything (ROLE_ADMIN).
 */
#ifndef GP_CORE_CLI_H
#define GP_CORE_CLI_H

#include "event/loop.h"

enum {
	CLI_MAX = 64,
	CLI_OPS_MAX = 64, /* of one, under way at once */
};

struct asker;
struct core;

struct cli {
	struct loop_io listener;
	int fd;
};

void cli_init(struct core *core);
void cli_fini(struct core *core);
/* Takes *fd, in place of an older one. */
void cli_listen(struct core *core, int *fd);
/* Takes *fd, a CLI that may connect. */
struct asker *cli_open(struct core *core, int *fd, unsigned uid);

#endif
