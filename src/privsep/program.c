/* SPDX-License-Identifier: ISC */
#include "privsep/program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "privsep/sandbox.h"

/* out: becomes standard output; -1: none. */
static bool close_all(int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	return null >= 0 && dup2(out >= 0 ? out : null, STDOUT_FILENO) >= 0 &&
	       dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0 &&
	       close_range(STDERR_FILENO + 1, ~0U, 0) == 0;
}

/* The user database is asked here, where it may take its time. */
static bool become_user(const char *user)
{
	struct gp_why why = { "" };
	uid_t uid = 0;
	gid_t gid = 0;

	if (geteuid() != 0)
		return true;
	if (sandbox_find_user(user, &uid, &gid, &why) != GP_OK) {
		log_error("program_user", LOG_STR("why", why.text));
		return false;
	}
	return setgroups(1, &gid) == 0 && setresgid(gid, gid, gid) == 0 &&
	       setresuid(uid, uid, uid) == 0 && setresuid(0, 0, 0) != 0;
}

static void reset_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
}

/* From here on it is not us any more; false: it must end. */
static bool become(const char *user, pid_t parent)
{
	reset_signals();
	(void)umask(S_IRWXG | S_IRWXO);
	/* Dropping ids makes the kernel forget the death signal: so it is set behind that. */
	return setsid() >= 0 && chdir("/") == 0 && become_user(user) &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent;
}

static _Noreturn void execute(char *const argv[], const char *user, pid_t parent)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char language[] = "LC_ALL=C";
	char *environment[] = { path, language, NULL };

	/* Closing comes last, for what goes wrong is logged on standard error. */
	if (become(user, parent) && close_all(-1))
		(void)execve(argv[0], argv, environment);
	_exit(EX_OSFILE);
}

enum gp_err program_start(char *const argv[], const char *user, pid_t *ret_pid)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return GP_ERR_IO;
	if (pid == 0)
		execute(argv, user, parent);
	*ret_pid = pid;
	return GP_OK;
}

enum gp_err program_run(void (*work)(int out, const void *arg), const void *arg, const char *user,
	pid_t *ret_pid, int *ret_fd)
{
	pid_t parent = getpid();
	pid_t pid;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return GP_ERR_IO;
	pid = fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 ? fork() : -1;
	if (pid == 0) {
		if (!become(user, parent) || !close_all(fds[1]))
			_exit(EX_OSFILE);
		work(STDOUT_FILENO, arg);
		_exit(EX_OK);
	}
	(void)close(fds[1]);
	if (pid < 0) {
		(void)close(fds[0]);
		return GP_ERR_IO;
	}
	*ret_pid = pid;
	*ret_fd = fds[0];
	return GP_OK;
}

void program_kill(pid_t pid)
{
	/* Its group is made by itself, which may be yet to come. */
	(void)kill(-pid, SIGKILL);
	(void)kill(pid, SIGKILL);
}
