/* SPDX-License-Identifier: ISC */
/*
 * What each role may still do once it is jailed. One seccomp allow-list per role, the reason beside
 * each group of calls in sandbox.c; Landlock for the file system; chroot and dropped ids where
 * started as root; no-new-privs and non-dumpable always.
 */
#ifndef GP_PRIVSEP_SANDBOX_H
#define GP_PRIVSEP_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "ipc/message.h"

struct sandbox_conf {
	enum ipc_role role;    /* front, core, vault or web */
	uid_t uid;             /* to become; not root, ignored unless root */
	gid_t gid;             /* its only group */
	const char *write_dir; /* the one directory a vault may use (store); NULL: none at all */
	bool required;         /* a layer that cannot be had is an error, not a warning */
};

/* Called first thing in main(), before argv is read: not dumpable, no core file, dies with its
 * parent. */
void sandbox_early(void);

/* Puts every layer on. What could not be done is logged at warn ("sandbox_missing", layer, why), or
 * returned with why if required. Missing privileges are one such reason. */
enum gp_err sandbox_enter(const struct sandbox_conf *conf, struct gp_why *why) GP_CHECKED;

/* Of a user name or number. GP_ERR_CONFIG: there is none, or it is root. */
enum gp_err sandbox_find_user(
	const char *user, uid_t *ret_uid, gid_t *ret_gid, struct gp_why *why) GP_CHECKED;

#endif
