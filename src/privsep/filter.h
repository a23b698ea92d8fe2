/* SPDX-License-Identifier: ISC */
/* The system calls a jailed role may still make (seccomp(2)). */
#ifndef GP_PRIVSEP_FILTER_H
#define GP_PRIVSEP_FILTER_H

#include "base/err.h"
#include "ipc/message.h"

/* For good. Any call that is not on the role's list ends the process, and the kernel logs which. */
enum gp_err filter_enter(enum ipc_role role, struct gp_why *why) GP_CHECKED;

#endif
