/* SPDX-License-Identifier: ISC */
/*
 * Starting an admin's program, or work that gatepostd should not do itself: nothing of ours is open
 * in it, its environment is fixed, it is another user, without privileges and with no way to any,
 * in a process group of its own, and it dies with us. Process: gatepostd.
 */
#ifndef GP_PRIVSEP_PROGRAM_H
#define GP_PRIVSEP_PROGRAM_H

#include <sys/types.h>

#include "base/err.h"

/* argv: with the absolute path first and NULL last. user: name or number, not root; ignored unless
 * we are root. What fails behind the fork shows as a program that exits with EX_OSFILE. */
enum gp_err program_start(char *const argv[], const char *user, pid_t *ret_pid) GP_CHECKED;
/* The same with a function of ours: what it writes to out can be read from *ret_fd, which does not
 * block. It ends with the process; nothing of what the process had open is left to it. */
enum gp_err program_run(void (*work)(int out, const void *arg), const void *arg, const char *user,
	pid_t *ret_pid, int *ret_fd) GP_CHECKED;
/* Kills it and all that it has started in its group. It is still to be waited for. */
void program_kill(pid_t pid);

#endif
