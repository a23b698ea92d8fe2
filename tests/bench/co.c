/* SPDX-License-Identifier: ISC */
#include "co.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include "base/check.h"
#include "base/mem.h"

enum {
	STACK_SIZE = 128 * 1024,
	EVENTS = 1024, /* taken of the kernel at once */
	TURN_MS = 50,  /* longest sleep of the loop */
};

#define SCAN_SECONDS 0.1 /* how finely deadlines of waits are kept */

enum state {
	STATE_READY,
	STATE_WAITING,
	STATE_SLEEPING,
	STATE_OVER
};

struct co {
	ucontext_t context;
	char *stack;
	void (*run)(void *arg);
	void *arg;
	enum state state;
	bool has_expired;
	double deadline;
	struct co *next;     /* in all, or in unused */
	struct co **link;    /* what points here in all */
	struct co *in_queue; /* next in ready or sleeping */
};

static ucontext_t main_context;
static struct co *running, *all, *unused, *ready, *sleeping;
static int epoll_fd = -1;
static volatile bool is_stopping;

double co_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void co_stop(void)
{
	is_stopping = true;
}

bool co_is_stopping(void)
{
	return is_stopping;
}

static void enter(void)
{
	struct co *co = running;

	co->run(co->arg);
	co->state = STATE_OVER;
	swapcontext(&co->context, &main_context);
}

static struct co *take_unused(void)
{
	struct co *co = unused;

	if (co != NULL) {
		unused = co->next;
		return co;
	}
	co = mem_new(1, sizeof *co);
	co->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	GP_ASSERT(co->stack != MAP_FAILED);
	return co;
}

static void open_epoll(void)
{
	if (epoll_fd < 0)
		epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	GP_ASSERT(epoll_fd >= 0);
}

static void prepare(struct co *co)
{
	getcontext(&co->context);
	co->context.uc_stack.ss_sp = co->stack;
	co->context.uc_stack.ss_size = STACK_SIZE;
	co->context.uc_link = NULL;
	makecontext(&co->context, enter, 0);
}

void co_start(void (*run)(void *arg), void *arg)
{
	struct co *co = take_unused();

	open_epoll();
	co->run = run;
	co->arg = arg;
	co->state = STATE_READY;
	prepare(co);
	co->next = all;
	co->link = &all;
	if (all != NULL)
		all->link = &co->next;
	all = co;
	co->in_queue = ready;
	ready = co;
}

static void resume(struct co *co)
{
	running = co;
	swapcontext(&main_context, &co->context);
	running = NULL;
	if (co->state != STATE_OVER)
		return;
	*co->link = co->next;
	if (co->next != NULL)
		co->next->link = co->link;
	co->next = unused;
	unused = co;
}

static void yield(enum state state)
{
	struct co *co = running;

	co->state = state;
	swapcontext(&co->context, &main_context);
}

void co_watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = running };

	GP_ASSERT(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0);
}

bool co_wait(double deadline)
{
	struct co *co = running;

	if (is_stopping)
		return false;
	co->deadline = deadline;
	co->has_expired = false;
	yield(STATE_WAITING);
	return !co->has_expired;
}

void co_sleep_until(double when)
{
	struct co *co = running;

	while (co_now() < when && !is_stopping) {
		co->deadline = when;
		co->in_queue = sleeping;
		sleeping = co;
		yield(STATE_SLEEPING);
	}
}

static void run_ready(void)
{
	while (ready != NULL) {
		struct co *co = ready;

		ready = co->in_queue;
		resume(co);
	}
}

static void wake_sleepers(double now)
{
	struct co *list = sleeping;

	sleeping = NULL;
	while (list != NULL) {
		struct co *co = list;

		list = co->in_queue;
		if (now < co->deadline && !is_stopping) {
			co->in_queue = sleeping;
			sleeping = co;
		} else
			resume(co);
	}
}

static void expire_waits(double now)
{
	struct co *next;

	for (struct co *co = all; co != NULL; co = next) {
		next = co->next;
		if (co->state != STATE_WAITING)
			continue;
		if (is_stopping || (co->deadline > 0 && now > co->deadline)) {
			co->has_expired = true;
			co->state = STATE_READY;
			resume(co);
		}
	}
}

static int turn_ms(double now)
{
	double most = TURN_MS * 1e-3;

	for (const struct co *co = sleeping; co != NULL; co = co->in_queue) {
		if (co->deadline - now < most)
			most = co->deadline - now;
	}
	return most <= 0 || ready != NULL ? 0 : (int)(most * 1e3) + 1;
}

void co_loop(void)
{
	static struct epoll_event events[EVENTS];
	double scanned = co_now();

	open_epoll();
	run_ready();
	while (all != NULL) {
		int n = epoll_wait(epoll_fd, events, EVENTS, turn_ms(co_now()));
		double now;

		for (int i = 0; i < n; i++) {
			struct co *co = events[i].data.ptr;

			if (co->state == STATE_WAITING) {
				co->state = STATE_READY;
				resume(co);
			}
		}
		run_ready();
		now = co_now();
		wake_sleepers(now);
		if (is_stopping || now - scanned > SCAN_SECONDS) {
			scanned = now;
			expire_waits(now);
		}
	}
}
