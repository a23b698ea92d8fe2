/* SPDX-License-Identifier: ISC */
#include "parent/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"

enum {
	WORDS = 2, /* of 32 capabilities each */
};

/* Jailing children and ending them; ports below 1024 at a reload; keys, sockets and directories
 * that belong to other users. */
static const unsigned kept[] = {
	CAP_SETUID,
	CAP_SETGID,
	CAP_SYS_CHROOT,
	CAP_KILL,
	CAP_NET_BIND_SERVICE,
	CAP_DAC_OVERRIDE,
	CAP_CHOWN,
};

static bool is_kept(unsigned capability)
{
	for (size_t i = 0; i < GP_ARRAY_LEN(kept); i++) {
		if (kept[i] == capability)
			return true;
	}
	return false;
}

void privileges_early(void)
{
	const struct rlimit no_core = { 0 };
	struct rlimit files;

	GP_ASSERT(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	GP_ASSERT(setrlimit(RLIMIT_CORE, &no_core) == 0);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

void privileges_drop(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[WORDS];

	GP_ASSERT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	if (geteuid() != 0)
		return;
	/* What leaves the bounding set is lost to the children too. The first number the kernel
	 * does not know ends the loop. */
	for (unsigned n = 0; prctl(PR_CAPBSET_READ, n, 0, 0, 0) >= 0; n++) {
		if (!is_kept(n))
			(void)prctl(PR_CAPBSET_DROP, n, 0, 0, 0);
	}
	if (syscall(SYS_capget, &header, data) != 0) {
		log_warn("capabilities_kept", LOG_ERRNO);
		return;
	}
	for (unsigned n = 0; n < WORDS * 32; n++) {
		uint32_t bit = 1U << n % 32;

		if (is_kept(n))
			continue;
		data[n / 32].permitted &= ~bit;
		data[n / 32].effective &= ~bit;
		data[n / 32].inheritable &= ~bit;
	}
	if (syscall(SYS_capset, &header, data) != 0)
		log_warn("capabilities_kept", LOG_ERRNO);
}
