/* SPDX-License-Identifier: ISC */
#include "privsep/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "privsep/child.h"

enum {
	NUMBER_SIZE = 12,
	ENVIRONMENT_MAX = 4,
	ABOVE_FDS = 16, /* a place clear of all descriptors that a child is given */
};

const char *proc_title(const struct proc_conf *conf, char out[static PROC_TITLE_SIZE])
{
	static const char *const lanes[IPC_LANE_MAX] = {
		[IPC_LANE_NONE] = "",
		[IPC_LANE_FAST] = "fast ",
		[IPC_LANE_SLOW] = "slow ",
		[IPC_LANE_DESK] = "desk ",
	};

	(void)snprintf(out, PROC_TITLE_SIZE, "gatepost-%s [%s%u]", ipc_role_name(conf->role),
		lanes[conf->lane], conf->index);
	return out;
}

/* Ours, for the sanitizers of a test build; else nothing: an environment is input. */
static void fill_environment(char *environment[static ENVIRONMENT_MAX])
{
	size_t count = 0;
#ifdef __SANITIZE_ADDRESS__
	static const char *const kept[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS" };
	static char texts[GP_ARRAY_LEN(kept)][1024];

	for (size_t i = 0; i < GP_ARRAY_LEN(kept); i++) {
		const char *value = getenv(kept[i]);

		if (value == NULL)
			continue;
		(void)snprintf(texts[i], sizeof texts[i], "%s=%s", kept[i], value);
		environment[count++] = texts[i];
	}
#endif
	environment[count] = NULL;
}

/* Moves fd to number, without close-on-exec. Both are first taken out of each other's way. */
static bool place_fds(int control_fd, int log_fd)
{
	int control = fcntl(control_fd, F_DUPFD_CLOEXEC, ABOVE_FDS);
	int log = log_fd >= 0 ? fcntl(log_fd, F_DUPFD_CLOEXEC, ABOVE_FDS) : -1;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned first_unused = CHILD_CONTROL_FD + 1;

	if (control < 0 || null < 0 || (log_fd >= 0 && log < 0))
		return false;
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
		dup2(control, CHILD_CONTROL_FD) < 0)
		return false;
	if (log >= 0) {
		if (dup2(log, CHILD_LOG_FD) < 0)
			return false;
		first_unused = CHILD_LOG_FD + 1;
	}
	return close_range(first_unused, ~0U, 0) == 0;
}

/* What was ignored or blocked would be inherited. */
static void reset_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
}

static _Noreturn void become(const struct proc_conf *conf)
{
	char path[4096];
	char index[NUMBER_SIZE];
	char lane[NUMBER_SIZE];
	char uid[NUMBER_SIZE];
	char gid[NUMBER_SIZE];
	char title[PROC_TITLE_SIZE];
	char *argv[] = { path, index, lane, uid, gid, title, NULL };
	char *environment[ENVIRONMENT_MAX];

	(void)slice_copy(slice_str(conf->path), path, sizeof path);
	(void)snprintf(index, sizeof index, "%u", conf->index);
	(void)snprintf(lane, sizeof lane, "%u", (unsigned)conf->lane);
	(void)snprintf(uid, sizeof uid, "%u", (unsigned)conf->uid);
	(void)snprintf(gid, sizeof gid, "%u", (unsigned)conf->gid);
	(void)proc_title(conf, title);
	fill_environment(environment);
	reset_signals();
	if (place_fds(conf->control_fd, conf->log_fd))
		(void)execve(path, argv, environment);
	log_error("cannot_start", LOG_STR("path", path), LOG_ERRNO);
	_exit(EX_OSFILE);
}

enum gp_err proc_spawn(const struct proc_conf *conf, pid_t *ret_pid)
{
	pid_t pid;

	GP_ASSERT(conf->role < IPC_ROLE_MAX && conf->lane < IPC_LANE_MAX);
	pid = fork();
	if (pid < 0)
		return GP_ERR_IO;
	if (pid == 0)
		become(conf);
	*ret_pid = pid;
	return GP_OK;
}
