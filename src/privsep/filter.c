/* SPDX-License-Identifier: ISC */
/*
 * One table of rules, each with the roles it is for. Whatever is not in it kills the process:
 * socket, connect, bind, listen, execve, fork and clone, ptrace, kill of others, mount, io_uring,
 * bpf, memfd_create and all that is yet to be invented.
 *
 * Looking a file up by name is refused, not fatal, but in a vault: the C library does so behind
 * our back (time zone, locale, number of processors) and lives well without.
 */
#include "privsep/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

enum {
	FRONT = 1 << IPC_ROLE_FRONT,
	CORE = 1 << IPC_ROLE_CORE,
	VAULT = 1 << IPC_ROLE_VAULT,
	WEB = 1 << IPC_ROLE_WEB,
	ALL = FRONT | CORE | VAULT | WEB,
	REFUSE = 1 << 16,  /* EACCES instead of the end */
	ONLY_IF = 1 << 17, /* what is left of argument arg under mask is value */
	OWN_PID = 1 << 18, /* the first argument is the caller's process id */
};

struct rule {
	int number;
	unsigned flags; /* roles and the bits above */
	unsigned arg;
	unsigned mask;
	unsigned value;
};

#define CALL(call, who)                                  \
	{                                                \
		.number = SCMP_SYS(call), .flags = (who) \
	}
#define CALL_IS(call, who, n, want)      CALL_MASK(call, who, n, UINT32_MAX, want)
#define CALL_HAS_NOT(call, who, n, bits) CALL_MASK(call, who, n, bits, 0)
#define CALL_MASK(call, who, n, bits, want)                                                     \
	{                                                                                       \
		.number = SCMP_SYS(call), .flags = (who) | ONLY_IF, .arg = (n), .mask = (bits), \
		.value = (want)                                                                 \
	}

static const struct rule rules[] = {
	/* Bytes through descriptors that are open already. */
	CALL(read, ALL),
	CALL(readv, ALL),
	CALL(pread64, ALL),
	CALL(write, ALL),
	CALL(writev, ALL),
	CALL(close, ALL),
	CALL(lseek, ALL),
	CALL(recvmmsg, ALL),
	CALL(recvfrom, ALL),
	/* sendto(2) has a rule of its own below; a front sends no descriptors, so no sendmsg(2). */
	CALL(sendmsg, CORE | VAULT | WEB),
	CALL_IS(fcntl, ALL, 1, F_GETFD),
	CALL_IS(fcntl, ALL, 1, F_SETFD),
	CALL_IS(fcntl, ALL, 1, F_GETFL),
	CALL_IS(fcntl, ALL, 1, F_SETFL),
	CALL_IS(fcntl, ALL, 1, F_DUPFD_CLOEXEC),
	/* The event loop. */
	CALL(epoll_ctl, ALL),
	CALL(epoll_wait, ALL),
	CALL(epoll_pwait, ALL),
	CALL(epoll_pwait2, ALL),
	CALL(poll, ALL),
	CALL(ppoll, ALL),
	/* Clients of the sockets gatepostd has bound; core: the CLI's. */
	CALL(accept4, FRONT | CORE),
	CALL(getsockopt, FRONT | CORE),
	CALL(getpeername, FRONT | CORE),
	CALL(getsockname, FRONT | CORE),
	CALL(shutdown, ALL),
	/* Memory, never executable. */
	CALL(brk, ALL),
	CALL(munmap, ALL),
	CALL(mremap, ALL),
	CALL(madvise, ALL),
	CALL_HAS_NOT(mmap, ALL, 2, PROT_EXEC),
	CALL_HAS_NOT(mprotect, ALL, 2, PROT_EXEC),
	CALL(mlock, VAULT),
	CALL(munlock, VAULT),
	/* Time and chance. */
	CALL(clock_gettime, ALL),
	CALL(clock_getres, ALL),
	CALL(clock_nanosleep, ALL),
	CALL(nanosleep, ALL),
	CALL(gettimeofday, ALL),
	CALL(time, ALL),
	CALL(getrandom, ALL),
	/* What the C library needs of itself; qsort(3) asks for the memory's size. */
	CALL(futex, ALL),
	CALL(getpid, ALL),
	CALL(getppid, ALL),
	CALL(gettid, ALL),
	CALL(getuid, ALL),
	CALL(geteuid, ALL),
	CALL(getgid, ALL),
	CALL(getegid, ALL),
	CALL(sched_yield, ALL),
	CALL(sysinfo, ALL),
	CALL(uname, ALL),
	CALL_IS(prlimit64, ALL, 0, 0),
	CALL(restart_syscall, ALL),
	CALL_IS(prctl, ALL, 0, PR_SET_NAME),
	/* Of itself; without privileges it gets no better treatment by it. */
	CALL_IS(sched_setscheduler, FRONT, 0, 0),
	/* Signals to itself, and the end. */
	CALL(rt_sigaction, ALL),
	CALL(rt_sigprocmask, ALL),
	CALL(rt_sigreturn, ALL),
	CALL(sigaltstack, ALL),
	CALL(tgkill, ALL | OWN_PID),
	CALL(kill, ALL | OWN_PID),
	CALL(exit, ALL),
	CALL(exit_group, ALL),
	/* The vault's files: Landlock says which. */
	CALL(openat, VAULT),
	CALL(open, VAULT),
	CALL(fstat, VAULT),
	CALL(stat, VAULT),
	CALL(lstat, VAULT),
	CALL(newfstatat, VAULT),
	CALL(statx, VAULT),
	CALL(access, VAULT),
	CALL(faccessat, VAULT),
	CALL(faccessat2, VAULT),
	CALL(readlink, VAULT),
	CALL(readlinkat, VAULT),
	CALL(getdents64, VAULT),
	CALL(getcwd, VAULT),
	CALL(pwrite64, VAULT),
	CALL(ftruncate, VAULT),
	CALL(fallocate, VAULT),
	CALL(fsync, VAULT),
	CALL(fdatasync, VAULT),
	CALL(unlink, VAULT),
	CALL(unlinkat, VAULT),
	CALL(fchmod, VAULT),
	CALL(fchown, VAULT),
	CALL_IS(fcntl, VAULT, 1, F_SETLK),
	CALL_IS(fcntl, VAULT, 1, F_SETLKW),
	CALL_IS(fcntl, VAULT, 1, F_GETLK),
	/* Without files: refused. */
	CALL(openat, FRONT | CORE | WEB | REFUSE),
	CALL(open, FRONT | CORE | WEB | REFUSE),
	CALL(fstat, FRONT | CORE | WEB | REFUSE),
	CALL(stat, FRONT | CORE | WEB | REFUSE),
	CALL(lstat, FRONT | CORE | WEB | REFUSE),
	CALL(newfstatat, FRONT | CORE | WEB | REFUSE),
	CALL(statx, FRONT | CORE | WEB | REFUSE),
	CALL(access, FRONT | CORE | WEB | REFUSE),
	CALL(faccessat, FRONT | CORE | WEB | REFUSE),
	CALL(faccessat2, FRONT | CORE | WEB | REFUSE),
	CALL(readlink, FRONT | CORE | WEB | REFUSE),
	CALL(readlinkat, FRONT | CORE | WEB | REFUSE),
	/* libmicrohttpd sets TCP's on a pair of UNIX sockets, where they would fail all the same.
	 */
	CALL(setsockopt, WEB | REFUSE),
	/* isatty(3) of stdio. */
	CALL(ioctl, ALL | REFUSE),
	CALL(sched_getaffinity, ALL | REFUSE),
#ifdef __SANITIZE_ADDRESS__
	/* The sanitizers' reports: their symbolizer may try to start, and fails. */
	CALL(clone, ALL | REFUSE),
	CALL(clone3, ALL | REFUSE),
	CALL(fork, ALL | REFUSE),
	CALL(vfork, ALL | REFUSE),
	CALL(pipe, ALL | REFUSE),
	CALL(pipe2, ALL | REFUSE),
	CALL(socketpair, ALL | REFUSE),
	CALL_IS(prctl, ALL, 0, PR_SET_VMA),
#endif
};

#ifdef __SANITIZE_ADDRESS__
/* LeakSanitizer looks from a cloned process through ptrace(2); a jailed process goes without it. */
int __lsan_is_turned_off(void);
static bool is_entered;

int __lsan_is_turned_off(void)
{
	return is_entered;
}
#endif

/* Socket options a front may set on its clients and backends. */
static const struct {
	int level;
	int name;
} options[] = {
	{ IPPROTO_TCP, TCP_NODELAY },
	{ IPPROTO_TCP, TCP_CORK },
	{ IPPROTO_TCP, TCP_QUICKACK },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT },
	{ IPPROTO_TCP, TCP_KEEPIDLE },
	{ IPPROTO_TCP, TCP_KEEPINTVL },
	{ IPPROTO_TCP, TCP_KEEPCNT },
	{ IPPROTO_TCP, TCP_NOTSENT_LOWAT },
	{ SOL_SOCKET, SO_KEEPALIVE },
	{ SOL_SOCKET, SO_LINGER },
	{ SOL_SOCKET, SO_SNDBUF },
	{ SOL_SOCKET, SO_RCVBUF },
	{ SOL_SOCKET, SO_RCVLOWAT },
};

/* libseccomp's own macros for these leave members out, of which clang warns. */
static struct scmp_arg_cmp is_equal(unsigned arg, uint64_t value)
{
	return (struct scmp_arg_cmp){ .arg = arg, .op = SCMP_CMP_EQ, .datum_a = value };
}

static struct scmp_arg_cmp is_masked_equal(unsigned arg, unsigned mask, unsigned value)
{
	return (struct scmp_arg_cmp){
		.arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value
	};
}

static int add_rule(scmp_filter_ctx filter, const struct rule *rule)
{
	uint32_t action = (rule->flags & REFUSE) != 0 ? SCMP_ACT_ERRNO(EACCES) : SCMP_ACT_ALLOW;

	if ((rule->flags & OWN_PID) != 0)
		return seccomp_rule_add(
			filter, action, rule->number, 1, is_equal(0, (uint32_t)getpid()));
	if ((rule->flags & ONLY_IF) != 0)
		return seccomp_rule_add(filter, action, rule->number, 1,
			is_masked_equal(rule->arg, rule->mask, rule->value));
	return seccomp_rule_add(filter, action, rule->number, 0);
}

static int add_socket_rules(scmp_filter_ctx filter, enum ipc_role role)
{
	/* Without an address and without Fast Open, which is a connect(2) of another name. */
	int outcome = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 2,
		is_masked_equal(3, MSG_FASTOPEN, 0), is_equal(4, 0));

	for (size_t i = 0; role == IPC_ROLE_FRONT && i < GP_ARRAY_LEN(options); i++) {
		if (outcome == 0)
			outcome = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
				is_equal(1, (uint32_t)options[i].level),
				is_equal(2, (uint32_t)options[i].name));
	}
	return outcome;
}

static int load(scmp_filter_ctx filter, enum ipc_role role)
{
	int outcome = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	if (outcome == 0)
		outcome = seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	/* A binary tree: the calls of every byte relayed pass through it. */
	if (outcome == 0)
		outcome = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; outcome == 0 && i < GP_ARRAY_LEN(rules); i++) {
		if ((rules[i].flags & 1U << role) != 0)
			outcome = add_rule(filter, &rules[i]);
	}
	if (outcome == 0)
		outcome = add_socket_rules(filter, role);
	return outcome == 0 ? seccomp_load(filter) : outcome;
}

enum gp_err filter_enter(enum ipc_role role, struct gp_why *why)
{
	scmp_filter_ctx filter = NULL;
	int outcome = -ENOMEM;

	GP_ASSERT(role == IPC_ROLE_FRONT || role == IPC_ROLE_CORE || role == IPC_ROLE_VAULT ||
		  role == IPC_ROLE_WEB);
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter != NULL)
		outcome = load(filter, role);
	seccomp_release(filter);
	if (outcome != 0)
		return gp_why_set(why, GP_ERR_UNSUPPORTED, "seccomp: %s", strerror(-outcome));
#ifdef __SANITIZE_ADDRESS__
	is_entered = true;
#endif
	return GP_OK;
}
