/* SPDX-License-Identifier: ISC */
/*
 * gatepostd: what its files share. It starts the other processes, hands them what they need and
 * starts them again; it never reads a byte that came over the network.
 *
 *	main.c		arguments, signals, the order of starting
 *	generation.c	the configuration and all files it names (material.c, address.c)
 *	listeners.c	listening sockets; control_socket.c: the CLI's
 *	worker.c	one child process: started, fed, watched, started again
 *	crew.c		all of them: who is connected to whom, stopping in order
 *	reload.c	from one generation to the next
 *	resolver.c	host names of backends
 *	dial.c		connections to backends for the fronts
 *	hook.c		the program that is run when an account is blocked
 *	notify.c	the service manager; privileges.c: what root gives up
 */
#ifndef GP_PARENT_PARENT_H
#define GP_PARENT_PARENT_H

#include <stdbool.h>
#include <stdint.h>

#include "event/loop.h"
#include "ipc/chan.h"
#include "parent/control_socket.h"
#include "parent/generation.h"
#include "parent/listeners.h"

enum {
	PARENT_OLD_GENERATIONS = 8, /* kept for DIAL messages that still name them */
	PARENT_STOP_GRACE_MS = 5000,
};

struct crew;
struct dialer;
struct hooks;
struct reload;
struct resolver;

struct parent {
	struct loop *loop;
	const char *config_path;
	char *libexec;    /* directory of the children's executables */
	int log_fd;       /* /dev/log, -1 if the log goes to standard error */
	int ban_write_fd; /* the ban map's memory; for core */
	int ban_read_fd;  /* the same for the fronts */
	struct generation *current;
	struct generation *old[PARENT_OLD_GENERATIONS]; /* newest first */
	uint64_t last_generation;                       /* number given last */
	struct listeners *listeners;                    /* of current */
	struct control_socket control;
	struct crew *crew;
	struct dialer *dialer;
	struct hooks *hooks;
	struct reload *reload;
	struct resolver *resolver;
	bool are_bans_ready; /* core has said so once; the ban map outlives it */
	bool is_serving;     /* all came up once; listeners are handed out */
	bool is_stopping;
	int exit_code;
};

/* Ends gatepostd for a reason that no restart of a child will mend. */
void parent_fail(struct parent *parent, const char *what, const char *why);
/* All workers are gone after crew_stop(). */
void parent_on_stopped(struct parent *parent);

#endif
