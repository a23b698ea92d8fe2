/* SPDX-License-Identifier: ISC */
/*
 * Layers, in the order they go on:
 *
 *	chroot		all but the vault, if root: into a directory that is deleted already, so
 * that nothing can ever stand in it. Not the vault: SQLite opens its journals by path; Landlock
 * holds it. ids		if root: the configured user, its group and no other group. nnp
 * no_new_privs, always. landlock	no files (vault: its directory), no TCP connect or bind, no
 * signals to others. seccomp		the role's list of system calls (filter.c).
 *
 * Dropping ids makes the kernel forget both the death signal and the dump flag: they are set again.
 */
#include "privsep/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/slice.h"
#include "privsep/filter.h"
#include "privsep/landlock.h"

static pid_t parent_pid;

static void hide_and_die_with_parent(void)
{
	GP_ASSERT(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	GP_ASSERT(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
	/* It may have died before the kernel knew. */
	if (getppid() != parent_pid)
		_exit(EX_UNAVAILABLE);
}

void sandbox_early(void)
{
	const struct rlimit none = { 0 };

	parent_pid = getppid();
	GP_ASSERT(setrlimit(RLIMIT_CORE, &none) == 0);
	hide_and_die_with_parent();
}

/* Layers. */

static enum gp_err enter_chroot(struct gp_why *why)
{
	static const char *const places[] = { "/tmp/gatepost.XXXXXX", "/run/gatepost.XXXXXX",
		"/dev/shm/gatepost.XXXXXX" };

	for (size_t i = 0; i < GP_ARRAY_LEN(places); i++) {
		char path[64];
		bool is_inside;

		(void)slice_copy(slice_str(places[i]), path, sizeof path);
		if (mkdtemp(path) == NULL)
			continue;
		is_inside = chdir(path) == 0;
		if (rmdir(path) == 0 && is_inside && chroot(".") == 0)
			return GP_OK;
	}
	return gp_why_set(why, GP_ERR_IO, "no empty directory to chroot to: %s", strerror(errno));
}

/* A number needs no entry in the user database; its group is then the same number. */
enum gp_err sandbox_find_user(const char *user, uid_t *ret_uid, gid_t *ret_gid, struct gp_why *why)
{
	unsigned long long number = 0;
	const struct passwd *entry = NULL;

	if (user == NULL)
		return gp_why_set(why, GP_ERR_CONFIG, "no user to become is configured");
	if (slice_to_u64(slice_str(user), INT32_MAX, &number)) {
		entry = getpwuid((uid_t)number);
		*ret_uid = (uid_t)number;
		*ret_gid = entry != NULL ? entry->pw_gid : (gid_t)number;
	} else {
		entry = getpwnam(user);
		if (entry == NULL)
			return gp_why_set(why, GP_ERR_CONFIG, "no such user: %s", user);
		*ret_uid = entry->pw_uid;
		*ret_gid = entry->pw_gid;
	}
	if (*ret_uid == 0)
		return gp_why_set(why, GP_ERR_CONFIG, "the user to become is root");
	return GP_OK;
}

static enum gp_err become(uid_t uid, gid_t gid, struct gp_why *why)
{
	if (setgroups(1, &gid) != 0 || setresgid(gid, gid, gid) != 0 ||
		setresuid(uid, uid, uid) != 0)
		return gp_why_set(why, GP_ERR_DENIED, "become user %lu: %s", (unsigned long)uid,
			strerror(errno));
	/* There must be no way back. */
	GP_ASSERT(setresuid(0, 0, 0) != 0 && getuid() == uid && geteuid() == uid);
	hide_and_die_with_parent();
	return GP_OK;
}

static enum gp_err enter_ids(const struct sandbox_conf *conf, struct gp_why *why)
{
	enum gp_err err = GP_OK;

	if (conf->role != IPC_ROLE_VAULT)
		err = enter_chroot(why);
	if (err == GP_OK)
		err = become(conf->uid, conf->gid, why);
	return err;
}

/* A layer that failed: an error, or a warning that says so. */
static enum gp_err missing(const struct sandbox_conf *conf, const char *layer, enum gp_err err,
	const struct gp_why *reason, struct gp_why *why)
{
	if (err == GP_OK)
		return GP_OK;
	if (conf->required)
		return gp_why_set(
			why, GP_ERR_DENIED, "require_sandbox: %s: %.200s", layer, reason->text);
	log_warn("sandbox_missing", LOG_STR("layer", layer), LOG_STR("why", reason->text));
	return GP_OK;
}

enum gp_err sandbox_enter(const struct sandbox_conf *conf, struct gp_why *why)
{
	struct gp_why reason = { "" };
	enum gp_err err = GP_OK;

	/* gmtime(3) reads the time zone once, even though it needs none. */
	tzset();
	if (geteuid() == 0 && conf->uid == 0)
		return gp_why_set(why, GP_ERR_CONFIG, "there is no user to become");
	if (geteuid() == 0)
		err = enter_ids(conf, &reason);
	else
		err = gp_why_set(&reason, GP_ERR_DENIED, "not started as root");
	err = missing(conf, "chroot and user", err, &reason, why);
	if (err != GP_OK)
		return err;
	GP_ASSERT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	err = missing(conf, "landlock", landlock_enter(conf->write_dir, &reason), &reason, why);
	if (err != GP_OK)
		return err;
	return missing(conf, "seccomp", filter_enter(conf->role, &reason), &reason, why);
}
