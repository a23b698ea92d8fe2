/* SPDX-License-Identifier: ISC */
/* What gatepostd itself gives up. It stays root where it was started so: children are to become
 * other users, keys are to be read at a reload. */
#ifndef GP_PARENT_PRIVILEGES_H
#define GP_PARENT_PRIVILEGES_H

/* Not dumpable, no core file; as many descriptors as the hard limit allows. */
void privileges_early(void);
/* Once all is bound: no_new_privs, and of root's capabilities only those still needed. */
void privileges_drop(void);

#endif
