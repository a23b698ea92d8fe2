/* SPDX-License-Identifier: ISC */
#include "privsep/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than the kernel headers of Debian 12. */
enum {
	FS_REFER = 1 << 13,     /* version 2 */
	FS_TRUNCATE = 1 << 14,  /* 3 */
	FS_IOCTL_DEV = 1 << 15, /* 5 */
	NET_BIND_TCP = 1 << 0,  /* 4 */
	NET_CONNECT_TCP = 1 << 1,
	SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0, /* 6 */
	SCOPE_SIGNAL = 1 << 1,
};

enum {
	FS_VERSION_1 = FS_REFER - 1,
	/* What SQLite does with the database and the journals beside it. */
	FS_STORE = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
		   LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
		   LANDLOCK_ACCESS_FS_REMOVE_FILE | FS_TRUNCATE,
};

/* struct landlock_ruleset_attr as of version 6; older kernels are told a smaller size. */
struct ruleset {
	uint64_t handled_fs;
	uint64_t handled_net;
	uint64_t scoped;
};

static size_t fill_ruleset(long version, struct ruleset *ruleset)
{
	*ruleset = (struct ruleset){ .handled_fs = FS_VERSION_1 };
	if (version >= 2)
		ruleset->handled_fs |= FS_REFER;
	if (version >= 3)
		ruleset->handled_fs |= FS_TRUNCATE;
	if (version >= 5)
		ruleset->handled_fs |= FS_IOCTL_DEV;
	if (version < 4)
		return offsetof(struct ruleset, handled_net);
	ruleset->handled_net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (version < 6)
		return offsetof(struct ruleset, scoped);
	ruleset->scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	return sizeof *ruleset;
}

static enum gp_err allow_dir(
	int ruleset_fd, const char *dir, uint64_t handled_fs, struct gp_why *why)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = FS_STORE & handled_fs };
	long outcome;

	rule.parent_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return gp_why_set(why, GP_ERR_IO, "open %s: %s", dir, strerror(errno));
	outcome = syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (outcome != 0)
		(void)gp_why_set(why, GP_ERR_IO, "Landlock rule for %s: %s", dir, strerror(errno));
	(void)close(rule.parent_fd);
	return outcome == 0 ? GP_OK : GP_ERR_IO;
}

enum gp_err landlock_enter(const char *write_dir, struct gp_why *why)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset ruleset;
	size_t size;
	enum gp_err err = GP_OK;
	int fd;

	if (version < 1)
		return gp_why_set(why, GP_ERR_UNSUPPORTED, "this kernel has no Landlock");
	size = fill_ruleset(version, &ruleset);
	fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
	if (fd < 0)
		return gp_why_set(why, GP_ERR_IO, "Landlock ruleset: %s", strerror(errno));
	if (write_dir != NULL)
		err = allow_dir(fd, write_dir, ruleset.handled_fs, why);
	if (err == GP_OK && syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		err = gp_why_set(why, GP_ERR_IO, "Landlock: %s", strerror(errno));
	(void)close(fd);
	return err;
}
