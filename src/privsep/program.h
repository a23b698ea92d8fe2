/* SPDX-License-Identifier: ISC */
/*
 * Starting an admin's program: nothing of ours is open in it, its environment is fixed, it is
 * another user, without privileges and with no way to any, in a process group of its own, and it
 * dies with us. Process: gatepostd.
 */
#ifndef GP_PRIVSEP_PROGRAM_H
#define GP_PRIVSEP_PROGRAM_H

#include <sys/types.h>

#include "base/err.h"

/* argv: with the absolute path first and NULL last. user: name or number, not root; ignored unless
 * we are root. What fails behind the fork shows as a program that exits with EX_OSFILE. */
enum gp_err program_start(char *const argv[], const char *user, pid_t *ret_pid) GP_CHECKED;
/* Kills it and all that it has started in its group. It is still to be waited for. */
void program_kill(pid_t pid);

#endif
