/* SPDX-License-Identifier: ISC */
/* Starting a child of gatepostd: a clean process with two descriptors and no environment. */
#ifndef GP_PRIVSEP_PROC_H
#define GP_PRIVSEP_PROC_H

#include <sys/types.h>

#include "base/err.h"
#include "ipc/message.h"

struct proc_conf {
	const char *path; /* of the executable */
	enum ipc_role role;
	enum ipc_lane lane; /* vault */
	unsigned index;
	uid_t uid; /* that the child is to become, if it is root */
	gid_t gid;
	int control_fd; /* becomes CHILD_CONTROL_FD; stays the caller's as well */
	int log_fd;     /* becomes CHILD_LOG_FD; -1: the log goes to standard error */
};

enum {
	PROC_TITLE_SIZE = 64
};

/* "gatepost-front [0]", "gatepost-vault [slow 1]": as ps(1) shows it; returns out. */
const char *proc_title(const struct proc_conf *conf, char out[static PROC_TITLE_SIZE]);

/* In the child only standard error and the two descriptors are open; standard input and output are
 * /dev/null. A path that cannot be executed shows as a child that exits with EX_OSFILE. */
enum gp_err proc_spawn(const struct proc_conf *conf, pid_t *ret_pid) GP_CHECKED;

#endif
