/* SPDX-License-Identifier: ISC */
/*
 * Landlock (landlock(7)): the kernel's own rule for this process on what it may do with files, TCP
 * ports, abstract UNIX sockets and signals. Works without root.
 */
#ifndef GP_PRIVSEP_LANDLOCK_H
#define GP_PRIVSEP_LANDLOCK_H

#include "base/err.h"

/*
 * Takes everything this kernel's version of Landlock knows about, but for work on the files of
 * write_dir (NULL: not even that); no_new_privs must be set. Descriptors that are open stay usable.
 * GP_ERR_UNSUPPORTED: the kernel has none.
 */
enum gp_err landlock_enter(const char *write_dir, struct gp_why *why) GP_CHECKED;

#endif
