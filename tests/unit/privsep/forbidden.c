/* SPDX-License-Identifier: ISC */
#include "forbidden.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int act_socket_fd = -1;
pid_t act_sibling;

static int outcome_of(long result)
{
	return result < 0 ? ACT_REFUSED : ACT_DONE;
}

static int act_open_passwd(void)
{
	return outcome_of(open("/etc/passwd", O_RDONLY));
}

static int act_create_file(void)
{
	return outcome_of(open("/tmp/gatepost-test-forbidden", O_WRONLY | O_CREAT, 0600));
}

static int act_reopen_fd(void)
{
	return outcome_of(open("/proc/self/fd/0", O_RDWR));
}

static int act_socket(void)
{
	return outcome_of(socket(AF_INET, SOCK_STREAM, 0));
}

static int act_unix_socket(void)
{
	return outcome_of(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int act_connect(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = { htonl(INADDR_LOOPBACK) }
	};

	return outcome_of(connect(act_socket_fd, (struct sockaddr *)&addr, sizeof addr));
}

static int act_fast_open(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = { htonl(INADDR_LOOPBACK) }
	};

	return outcome_of(
		sendto(act_socket_fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&addr, sizeof addr));
}

static int act_bind(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };

	return outcome_of(bind(act_socket_fd, (struct sockaddr *)&addr, sizeof addr));
}

static int act_listen(void)
{
	return outcome_of(listen(act_socket_fd, 1));
}

static int act_exec(void)
{
	char path[] = "/bin/true";
	char *argv[] = { path, NULL };

	return outcome_of(execve(path, argv, NULL));
}

static int act_fork(void)
{
	return outcome_of(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

static int act_ptrace(void)
{
	return outcome_of(ptrace(PTRACE_ATTACH, act_sibling, NULL, NULL));
}

static int act_read_memory(void)
{
	return outcome_of(syscall(SYS_process_vm_readv, act_sibling, NULL, 0, NULL, 0, 0));
}

static int act_kill(void)
{
	return outcome_of(kill(act_sibling, SIGTERM));
}

static int act_kill_all(void)
{
	return outcome_of(kill(-1, SIGURG));
}

static int act_io_uring(void)
{
	return outcome_of(syscall(SYS_io_uring_setup, 1, NULL));
}

static int act_bpf(void)
{
	return outcome_of(syscall(SYS_bpf, 0, NULL, 0));
}

static int act_map_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? ACT_REFUSED : ACT_DONE;
}

static int act_make_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return outcome_of(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int act_memfd(void)
{
	return outcome_of(memfd_create("code", 0));
}

static int act_become_root(void)
{
	return outcome_of(setresuid(0, 0, 0));
}

static int act_namespace(void)
{
	return outcome_of(unshare(CLONE_NEWUSER));
}

static int act_chroot(void)
{
	return outcome_of(chroot("/"));
}

static int act_dumpable(void)
{
	return outcome_of(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int act_raise_limit_of_other(void)
{
	return outcome_of(syscall(SYS_prlimit64, act_sibling, 0, NULL, NULL));
}

static int act_keyboard(void)
{
	char byte = '\n';

	return outcome_of(syscall(SYS_ioctl, STDIN_FILENO, 0x5412 /* TIOCSTI */, &byte));
}

const struct act act_forbidden[ACT_FORBIDDEN] = {
	{ "open_passwd", act_open_passwd },
	{ "create_file", act_create_file },
	{ "reopen_fd", act_reopen_fd },
	{ "socket", act_socket },
	{ "unix_socket", act_unix_socket },
	{ "connect", act_connect },
	{ "fast_open", act_fast_open },
	{ "bind", act_bind },
	{ "listen", act_listen },
	{ "exec", act_exec },
	{ "fork", act_fork },
	{ "ptrace", act_ptrace },
	{ "read_memory", act_read_memory },
	{ "kill", act_kill },
	{ "kill_all", act_kill_all },
	{ "io_uring", act_io_uring },
	{ "bpf", act_bpf },
	{ "map_code", act_map_code },
	{ "make_code", act_make_code },
	{ "memfd", act_memfd },
	{ "become_root", act_become_root },
	{ "namespace", act_namespace },
	{ "chroot", act_chroot },
	{ "dumpable", act_dumpable },
	{ "raise_limit_of_other", act_raise_limit_of_other },
	{ "keyboard", act_keyboard },
};
