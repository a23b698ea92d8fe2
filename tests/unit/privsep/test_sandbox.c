/* SPDX-License-Identifier: ISC */
/*
 * Each case forks a process that enters the jail of a role for real and then tries one act. How it
 * ended says whether the jail holds. Run as root and as anybody else: the jail differs, the
 * outcomes do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "forbidden.h"
#include "ipc/chan.h"
#include "privsep/sandbox.h"

enum {
	NO_JAIL = 2,  /* the jail could not be entered */
	FATAL = 1000, /* killed for a forbidden call */
	NOBODY = 65534,
	WAIT_MS = 10000,
};

static char store_dir[64]; /* the vault's */

static int outcome_of(long result)
{
	return result < 0 ? ACT_REFUSED : ACT_DONE;
}

static enum gp_err enter(enum ipc_role role, bool required, struct gp_why *why)
{
	struct sandbox_conf conf = { .role = role,
		.uid = NOBODY,
		.gid = NOBODY,
		.write_dir = role == IPC_ROLE_VAULT ? store_dir : NULL,
		.required = required };

	/* What a failing test leaves behind ends by itself. */
	(void)alarm(60);
	sandbox_early();
	log_setup("test", LOG_TARGET_STDERR, STDERR_FILENO, LOG_LEVEL_FATAL);
	return sandbox_enter(&conf, why);
}

/* How a process ended that did this act in the jail. */
static int run(enum ipc_role role, int (*act)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct gp_why why;

		act_socket_fd = socket(AF_INET, SOCK_STREAM, 0);
		if (enter(role, false, &why) != GP_OK)
			_exit(NO_JAIL);
		_exit(act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? FATAL : -WTERMSIG(status);
	return WEXITSTATUS(status);
}

static int start_sibling(void **state)
{
	(void)state;
	(void)snprintf(store_dir, sizeof store_dir, "/tmp/gatepost-test.XXXXXX");
	assert_non_null(mkdtemp(store_dir));
	if (geteuid() == 0)
		assert_int_equal(chown(store_dir, NOBODY, NOBODY), 0);
	act_sibling = fork();
	if (act_sibling == 0) {
		if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)
			_exit(1);
		for (;;)
			(void)pause();
	}
	return 0;
}

static int end_sibling(void **state)
{
	int status;

	(void)state;
	(void)rmdir(store_dir);
	/* Whatever the jailed tried, it lived. */
	assert_int_equal(waitpid(act_sibling, &status, WNOHANG), 0);
	(void)kill(act_sibling, SIGKILL);
	assert_int_equal(waitpid(act_sibling, &status, 0), act_sibling);
	return 0;
}

static void forbidden_acts_fail_or_kill(void **state)
{
	static const enum ipc_role roles[] = { IPC_ROLE_FRONT, IPC_ROLE_CORE, IPC_ROLE_VAULT,
		IPC_ROLE_WEB };

	(void)state;
	for (size_t r = 0; r < GP_ARRAY_LEN(roles); r++) {
		for (size_t i = 0; i < ACT_FORBIDDEN; i++) {
			int outcome = run(roles[r], act_forbidden[i].act);

			if (outcome != ACT_REFUSED && outcome != FATAL)
				fail_msg("%s: %s: %d", ipc_role_name(roles[r]),
					act_forbidden[i].name, outcome);
		}
	}
}

static int run_named(const char *name)
{
	for (size_t i = 0; i < ACT_FORBIDDEN; i++) {
		if (strcmp(act_forbidden[i].name, name) == 0)
			return run(IPC_ROLE_FRONT, act_forbidden[i].act);
	}
	return ACT_DONE;
}

/* Those for which there is no harmless reason at all end the process. */
static void the_worst_are_fatal(void **state)
{
	(void)state;
	assert_int_equal(run_named("socket"), FATAL);
	assert_int_equal(run_named("connect"), FATAL);
	assert_int_equal(run_named("fast_open"), FATAL);
	assert_int_equal(run_named("exec"), FATAL);
	assert_int_equal(run_named("ptrace"), FATAL);
	assert_int_equal(run_named("kill"), FATAL);
	assert_int_equal(run_named("make_code"), FATAL);
	assert_int_equal(run_named("io_uring"), FATAL);
}

/* Daily work. */

static int compare_ints(const void *a, const void *b)
{
	int left = *(const int *)a;
	int right = *(const int *)b;

	return (left > right) - (left < right);
}

static int act_compute(void)
{
	static int numbers[20000];
	char text[64];
	time_t now = 1000000000;
	struct tm tm;
	char *large = mem_new(8, 1024 * 1024);

	rand_bytes(numbers, sizeof numbers);
	qsort(numbers, GP_ARRAY_LEN(numbers), sizeof numbers[0], compare_ints);
	large = mem_resize(large, 64, 1024 * 1024);
	mem_free(large);
	log_error("jailed", LOG_INT("number", numbers[0]));
	(void)snprintf(text, sizeof text, "%.3f", 1.5);
	return localtime_r(&now, &tm) != NULL && strcmp(text, "1.500") == 0 ? ACT_DONE
									    : ACT_REFUSED;
}

static void stop_on_message(
	struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	(void)chan;
	(void)message;
	(void)fd;
	loop_stop(owner);
}

static void stop_on_end(struct chan *chan, enum chan_end end, void *owner)
{
	(void)chan;
	(void)end;
	loop_stop(owner);
}

static struct loop *early_loop;
static int early_pair[2];

static int talk(enum ipc_role self, const struct ipc_message *message, int fd)
{
	static const struct chan_ops ops = { stop_on_message, stop_on_end };
	struct chan *a = chan_new(early_loop, &early_pair[0], self,
		self == IPC_ROLE_FRONT ? IPC_ROLE_CORE : IPC_ROLE_VAULT, &ops, early_loop);
	struct chan *b = chan_new(early_loop, &early_pair[1],
		self == IPC_ROLE_FRONT ? IPC_ROLE_CORE : IPC_ROLE_VAULT, self, &ops, early_loop);

	if (chan_send(a, message, fd) != GP_OK || loop_run(early_loop) != GP_OK)
		return ACT_REFUSED;
	chan_free(&a);
	chan_free(&b);
	return ACT_DONE;
}

static int act_front_talk(void)
{
	struct ipc_message message = { .type = IPC_SESSION_END };

	return talk(IPC_ROLE_FRONT, &message, -1);
}

static int act_core_talk(void)
{
	struct ipc_message message = { .type = IPC_OP };

	message.op.name = slice_str("account.import");
	return talk(IPC_ROLE_CORE, &message, act_socket_fd);
}

static int act_accept(void)
{
	int on = 1;
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;

	/* Not listening: EINVAL, but the calls themselves are allowed. */
	if (accept4(act_socket_fd, NULL, NULL, SOCK_NONBLOCK) >= 0 || errno != EINVAL)
		return ACT_REFUSED;
	if (getsockname(act_socket_fd, (struct sockaddr *)&addr, &len) != 0)
		return ACT_REFUSED;
	return outcome_of(setsockopt(act_socket_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
}

static int act_abort(void)
{
	abort();
}

static int act_store(void)
{
	char path[128];
	struct stat facts;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd;

	(void)snprintf(path, sizeof path, "%s/db", store_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || pwrite(fd, "x", 1, 0) != 1 || fdatasync(fd) != 0 ||
		fcntl(fd, F_SETLK, &lock) != 0 || fstat(fd, &facts) != 0 || facts.st_size != 1 ||
		stat(path, &facts) != 0 || ftruncate(fd, 0) != 0 || unlink(path) != 0)
		return ACT_REFUSED;
	return ACT_DONE;
}

static int run_with_loop(enum ipc_role role, int (*act)(void))
{
	int outcome;

	early_loop = loop_new();
	assert_int_equal(chan_pair(early_pair), GP_OK);
	outcome = run(role, act);
	loop_free(&early_loop);
	(void)close(early_pair[0]);
	(void)close(early_pair[1]);
	return outcome;
}

static void daily_work_goes_on(void **state)
{
	(void)state;
	assert_int_equal(run(IPC_ROLE_FRONT, act_compute), ACT_DONE);
	assert_int_equal(run(IPC_ROLE_CORE, act_compute), ACT_DONE);
	assert_int_equal(run(IPC_ROLE_VAULT, act_compute), ACT_DONE);
	assert_int_equal(run(IPC_ROLE_WEB, act_compute), ACT_DONE);
	assert_int_equal(run_with_loop(IPC_ROLE_FRONT, act_front_talk), ACT_DONE);
	assert_int_equal(run_with_loop(IPC_ROLE_CORE, act_core_talk), ACT_DONE);
	assert_int_equal(run(IPC_ROLE_FRONT, act_accept), ACT_DONE);
	assert_int_equal(run(IPC_ROLE_VAULT, act_store), ACT_DONE);
	/* An assertion ends as one, not as a forbidden call. */
	assert_int_equal(run(IPC_ROLE_FRONT, act_abort), -SIGABRT);
}

static void only_the_vault_has_files(void **state)
{
	(void)state;
	assert_int_equal(run(IPC_ROLE_FRONT, act_store), ACT_REFUSED);
	assert_int_equal(run(IPC_ROLE_CORE, act_store), ACT_REFUSED);
	assert_int_equal(run(IPC_ROLE_WEB, act_store), ACT_REFUSED);
}

/* What others see of a jailed process. */

static int ready_pipe[2];

static pid_t start_waiting(enum ipc_role role)
{
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe2(ready_pipe, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct gp_why why;

		if (enter(role, false, &why) != GP_OK || write(ready_pipe[1], "r", 1) != 1)
			_exit(NO_JAIL);
		for (;;)
			(void)poll(NULL, 0, 1000);
	}
	assert_int_equal(read(ready_pipe[0], &byte, 1), 1);
	return pid;
}

static void end_waiting(pid_t pid)
{
	int status;

	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(ready_pipe[0]);
	(void)close(ready_pipe[1]);
}

static void read_status(pid_t pid, char *out, size_t size)
{
	char path[64];
	FILE *file;
	size_t len;

	(void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	len = fread(out, 1, size - 1, file);
	out[len] = '\0';
	(void)fclose(file);
}

static void the_kernel_knows_the_jail(void **state)
{
	pid_t pid = start_waiting(IPC_ROLE_FRONT);
	char status[4096];
	char path[64];
	struct stat facts;

	(void)state;
	read_status(pid, status, sizeof status);
	assert_non_null(strstr(status, "NoNewPrivs:\t1"));
	assert_non_null(strstr(status, "Seccomp:\t2"));
	if (geteuid() == 0) {
		assert_non_null(strstr(status, "Uid:\t65534\t65534\t65534\t65534"));
		assert_non_null(strstr(status, "Gid:\t65534\t65534\t65534\t65534"));
		assert_non_null(strstr(status, "Groups:\t65534 \n"));
		assert_non_null(strstr(status, "CapPrm:\t0000000000000000"));
	}
	/* Not dumpable: its files in /proc are root's and not its own user's. */
	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_uid, 0);
	end_waiting(pid);
}

static void the_root_of_a_front_is_empty(void **state)
{
	pid_t pid;
	char path[64];
	struct stat facts;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = start_waiting(IPC_ROLE_FRONT);
	(void)snprintf(path, sizeof path, "/proc/%d/root/etc", (int)pid);
	assert_int_equal(stat(path, &facts), -1);
	(void)snprintf(path, sizeof path, "/proc/%d/root/made", (int)pid);
	assert_int_equal(mkdir(path, 0700), -1);
	end_waiting(pid);
}

/* The death signal must survive the change of user. */
static void a_jailed_process_dies_with_its_parent(void **state)
{
	struct pollfd end;
	int pipe_fds[2];
	int status;
	char byte = 0;
	pid_t middle;

	(void)state;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	middle = fork();
	if (middle == 0) {
		int ready[2];

		if (pipe2(ready, O_CLOEXEC) != 0)
			_exit(1);
		if (fork() == 0) {
			struct gp_why why;

			if (enter(IPC_ROLE_FRONT, false, &why) != GP_OK ||
				write(ready[1], "r", 1) != 1)
				_exit(NO_JAIL);
			for (;;)
				(void)poll(NULL, 0, 1000);
		}
		_exit(read(ready[0], &byte, 1) == 1 ? 0 : 1);
	}
	(void)close(pipe_fds[1]);
	assert_int_equal(waitpid(middle, &status, 0), middle);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	/* The pipe ends when nobody has it open any more. */
	end = (struct pollfd){ .fd = pipe_fds[0], .events = POLLIN };
	assert_int_equal(poll(&end, 1, WAIT_MS), 1);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 0);
	(void)close(pipe_fds[0]);
}

/* Missing layers. */

static int enter_unprivileged(bool required)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct gp_why why = { "" };
		enum gp_err err;

		if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)
			_exit(99);
		err = enter(IPC_ROLE_FRONT, required, &why);
		if (err == GP_ERR_DENIED && strstr(why.text, "chroot and user") == NULL)
			_exit(98);
		_exit((int)err);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_missing_layer_is_an_error_only_if_required(void **state)
{
	(void)state;
	assert_int_equal(enter_unprivileged(false), 0);
	assert_int_equal(enter_unprivileged(true), GP_ERR_DENIED);
}

static void root_must_become_somebody(void **state)
{
	struct sandbox_conf conf = { .role = IPC_ROLE_FRONT };
	struct gp_why why = { "" };

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(sandbox_enter(&conf, &why), GP_ERR_CONFIG);
}

static void nobody_becomes_root_or_a_stranger(void **state)
{
	struct gp_why why = { "" };
	uid_t uid = 1;
	gid_t gid = 1;

	(void)state;
	assert_int_equal(sandbox_find_user("root", &uid, &gid, &why), GP_ERR_CONFIG);
	assert_int_equal(sandbox_find_user("0", &uid, &gid, &why), GP_ERR_CONFIG);
	assert_int_equal(sandbox_find_user("no-such-user", &uid, &gid, &why), GP_ERR_CONFIG);
	assert_int_equal(sandbox_find_user(NULL, &uid, &gid, &why), GP_ERR_CONFIG);
	assert_int_equal(sandbox_find_user("4000000", &uid, &gid, &why), GP_OK);
	assert_int_equal(uid, 4000000);
	assert_int_equal(gid, 4000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forbidden_acts_fail_or_kill),
		cmocka_unit_test(the_worst_are_fatal),
		cmocka_unit_test(daily_work_goes_on),
		cmocka_unit_test(only_the_vault_has_files),
		cmocka_unit_test(the_kernel_knows_the_jail),
		cmocka_unit_test(the_root_of_a_front_is_empty),
		cmocka_unit_test(a_jailed_process_dies_with_its_parent),
		cmocka_unit_test(a_missing_layer_is_an_error_only_if_required),
		cmocka_unit_test(root_must_become_somebody),
		cmocka_unit_test(nobody_becomes_root_or_a_stranger),
	};

	return cmocka_run_group_tests(tests, start_sibling, end_sibling);
}
