/* SPDX-License-Identifier: ISC */
/*
 * A watcher is known to the kernel by its own address, so nothing has to be looked up, and costs
 * no memory beyond its owner's but the kernel's.
 *
 * What one epoll_wait(2) brought is dealt with in order; a watcher that is stopped meanwhile is
 * struck from the rest of it. It is taken out of the kernel's list then, and not left to close(2):
 * a descriptor that another process still holds would go on reporting.
 */
#include "event/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "event/timers.h"

enum {
	TASK_ROUNDS = 4, /* of tasks that tasks defer, before the sockets are looked at again */
	BATCH = 64,      /* descriptors that are told of at once */
	NS_PER_MS = 1000 * 1000,
};

/* Longer spans end after so many ms: a hundred years. */
static const int64_t span_max = INT64_C(100) * 366 * 24 * 3600 * 1000;

struct task_list {
	struct loop_task *first;
	struct loop_task **end; /* where the next one is hung */
};

struct loop {
	int fd;
	struct epoll_event batch[BATCH];
	int batch_count; /* 0 outside of a turn */
	struct timers timers;
	struct task_list tasks;
	struct task_list last_tasks;
	size_t watchers;
	size_t waited_for; /* descriptors that are wanted */
	bool is_stopped;
};

struct loop *loop_new(void)
{
	struct loop *loop = mem_new(1, sizeof *loop);

	loop->fd = epoll_create1(EPOLL_CLOEXEC);
	GP_ASSERT(loop->fd >= 0);
	loop->tasks.end = &loop->tasks.first;
	loop->last_tasks.end = &loop->last_tasks.first;
	return loop;
}

static bool has_tasks(const struct loop *loop)
{
	return loop->tasks.first != NULL || loop->last_tasks.first != NULL;
}

/* What a task defers comes in the next round. */
static void run_tasks(struct task_list *list)
{
	struct loop_task *task = list->first;

	list->first = NULL;
	list->end = &list->first;
	while (task != NULL) {
		struct loop_task *next = task->next;

		task->next = NULL;
		task->is_queued = false;
		task->run(task);
		task = next;
	}
}

void loop_free(struct loop **ploop)
{
	struct loop *loop = *ploop;

	if (loop == NULL)
		return;
	while (has_tasks(loop)) {
		run_tasks(&loop->tasks);
		run_tasks(&loop->last_tasks);
	}
	GP_ASSERT(loop->watchers == 0);
	timers_fini(&loop->timers);
	(void)close(loop->fd);
	mem_free(loop);
	*ploop = NULL;
}

/* How long to sleep, in ms rounded up: a timer is never early. -1: for ever. */
static int patience(const struct loop *loop)
{
	const struct loop_timer *first = timers_first(&loop->timers);
	int64_t left;

	if (has_tasks(loop))
		return 0;
	if (first == NULL)
		return -1;
	left = first->due - clock_real();
	if (left <= 0)
		return 0;
	left = (left + NS_PER_MS - 1) / NS_PER_MS;
	return left < INT_MAX ? (int)left : INT_MAX;
}

/* Reading and writing are told one by one; the watcher may be gone after the first. */
static void dispatch(const struct epoll_event *event)
{
	static const struct {
		uint32_t events;
		unsigned bit;
	} ways[] = { { EPOLLIN | EPOLLERR | EPOLLHUP, LOOP_READ },
		{ EPOLLOUT | EPOLLERR | EPOLLHUP, LOOP_WRITE } };
	unsigned end = (event->events & (EPOLLRDHUP | EPOLLHUP)) != 0 ? LOOP_END : 0;

	for (size_t i = 0; i < GP_ARRAY_LEN(ways); i++) {
		struct loop_io *io = event->data.ptr;

		if (io != NULL && (event->events & ways[i].events) != 0 &&
			(io->wanted & ways[i].bit) != 0)
			io->on_ready(io, ways[i].bit | end);
	}
}

static enum gp_err poll_descriptors(struct loop *loop, int ms)
{
	int count = epoll_wait(loop->fd, loop->batch, BATCH, ms);

	if (count < 0)
		return errno == EINTR ? GP_OK : GP_ERR_IO;
	loop->batch_count = count;
	for (int i = 0; i < count; i++)
		dispatch(&loop->batch[i]);
	loop->batch_count = 0;
	return GP_OK;
}

/* Those that are due now; what they set comes later. */
static void fire_timers(struct loop *loop)
{
	struct loop_timer *first = timers_first(&loop->timers);
	int64_t now = first != NULL ? clock_real() : 0;

	while (first != NULL && first->due < now) {
		timers_clear(&loop->timers, first);
		first->on_fire(first);
		first = timers_first(&loop->timers);
	}
}

enum gp_err loop_run(struct loop *loop)
{
	enum gp_err err = GP_OK;

	loop->is_stopped = false;
	while (!loop->is_stopped) {
		if (loop->waited_for == 0 && timers_first(&loop->timers) == NULL &&
			!has_tasks(loop))
			return GP_ERR_INTERNAL;
		err = poll_descriptors(loop, patience(loop));
		if (err != GP_OK)
			return err;
		fire_timers(loop);
		/* Not for ever: tasks cannot keep the loop from its sockets. */
		for (int round = 0; round < TASK_ROUNDS && !loop->is_stopped; round++)
			run_tasks(&loop->tasks);
		run_tasks(&loop->last_tasks);
	}
	return GP_OK;
}

void loop_stop(struct loop *loop)
{
	loop->is_stopped = true;
}

void loop_turn(struct loop *loop)
{
	GP_ASSERT(poll_descriptors(loop, 0) == GP_OK);
	fire_timers(loop);
	run_tasks(&loop->tasks);
	run_tasks(&loop->last_tasks);
}

/* Descriptors. */

void loop_io_start(struct loop *loop, struct loop_io *io, int fd, unsigned wanted,
	void (*on_ready)(struct loop_io *io, unsigned ready), void *owner)
{
	GP_ASSERT(io->loop == NULL);
	GP_ASSERT(fd >= 0);
	io->loop = loop;
	io->fd = fd;
	io->wanted = 0;
	io->on_ready = on_ready;
	io->owner = owner;
	loop->watchers++;
	loop_io_want(io, wanted);
}

void loop_io_want(struct loop_io *io, unsigned wanted)
{
	struct epoll_event event = { .data = { .ptr = io } };
	struct loop *loop = io->loop;
	int operation = EPOLL_CTL_MOD;

	GP_ASSERT(loop != NULL);
	GP_ASSERT((wanted & ~(unsigned)(LOOP_READ | LOOP_WRITE)) == 0);
	if (wanted == io->wanted)
		return;
	if ((wanted & LOOP_READ) != 0)
		event.events |= EPOLLIN | EPOLLRDHUP;
	if ((wanted & LOOP_WRITE) != 0)
		event.events |= EPOLLOUT;
	/* One that wants nothing would still be told of errors, again and again. */
	if (io->wanted == 0) {
		operation = EPOLL_CTL_ADD;
		loop->waited_for++;
	} else if (wanted == 0) {
		operation = EPOLL_CTL_DEL;
		loop->waited_for--;
	}
	GP_ASSERT(epoll_ctl(loop->fd, operation, io->fd, &event) == 0);
	io->wanted = wanted;
}

static void strike(struct loop *loop, const struct loop_io *io)
{
	for (int i = 0; i < loop->batch_count; i++) {
		if (loop->batch[i].data.ptr == io)
			loop->batch[i].data.ptr = NULL;
	}
}

void loop_io_stop(struct loop_io *io)
{
	if (io->loop == NULL)
		return;
	loop_io_want(io, 0);
	strike(io->loop, io);
	io->loop->watchers--;
	io->loop = NULL;
}

/* Timers. */

void loop_timer_init(struct loop *loop, struct loop_timer *timer,
	void (*on_fire)(struct loop_timer *timer), void *owner)
{
	GP_ASSERT(timer->loop == NULL);
	timer->loop = loop;
	timer->on_fire = on_fire;
	timer->owner = owner;
	loop->watchers++;
}

void loop_timer_set(struct loop_timer *timer, int64_t ms)
{
	GP_ASSERT(timer->loop != NULL && ms >= 0);
	if (ms > span_max)
		ms = span_max;
	timers_set(&timer->loop->timers, timer, clock_real() + ms * NS_PER_MS);
}

void loop_timer_clear(struct loop_timer *timer)
{
	if (timer->loop != NULL)
		timers_clear(&timer->loop->timers, timer);
}

bool loop_timer_is_set(const struct loop_timer *timer)
{
	return timer->place > 0;
}

void loop_timer_fini(struct loop_timer *timer)
{
	if (timer->loop == NULL)
		return;
	loop_timer_clear(timer);
	timer->loop->watchers--;
	timer->loop = NULL;
}

/* Signals: each waits, blocked, for its own descriptor to be read. */

static void on_caught(struct loop_io *io, unsigned ready)
{
	struct loop_signal *signal = io->owner;
	struct signalfd_siginfo info;

	(void)ready;
	if (read(io->fd, &info, sizeof info) == (ssize_t)sizeof info)
		signal->on_signal(signal);
}

static sigset_t only(int number)
{
	sigset_t set;

	GP_ASSERT(sigemptyset(&set) == 0 && sigaddset(&set, number) == 0);
	return set;
}

void loop_signal_start(struct loop *loop, struct loop_signal *signal, int number,
	void (*on_signal)(struct loop_signal *signal), void *owner)
{
	const struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t set = only(number);
	int fd;

	/* Whoever started us may have had it ignored. */
	GP_ASSERT(sigaction(number, &standard, NULL) == 0);
	GP_ASSERT(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	GP_ASSERT(fd >= 0);
	signal->number = number;
	signal->on_signal = on_signal;
	signal->owner = owner;
	loop_io_start(loop, &signal->io, fd, LOOP_READ, on_caught, signal);
}

/* One that has come and was not told yet is lost, and does no harm. */
void loop_signal_stop(struct loop_signal *signal)
{
	struct signalfd_siginfo info;
	sigset_t set;

	if (signal->io.loop == NULL)
		return;
	set = only(signal->number);
	while (read(signal->io.fd, &info, sizeof info) == (ssize_t)sizeof info)
		continue;
	GP_ASSERT(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
	loop_io_stop(&signal->io);
	(void)close(signal->io.fd);
}

/* Tasks. */

static void append_task(struct task_list *list, struct loop_task *task,
	void (*run)(struct loop_task *task), void *owner)
{
	if (task->is_queued)
		return;
	task->next = NULL;
	task->is_queued = true;
	task->run = run;
	task->owner = owner;
	*list->end = task;
	list->end = &task->next;
}

void loop_defer(
	struct loop *loop, struct loop_task *task, void (*run)(struct loop_task *task), void *owner)
{
	append_task(&loop->tasks, task, run, owner);
}

void loop_defer_last(
	struct loop *loop, struct loop_task *task, void (*run)(struct loop_task *task), void *owner)
{
	append_task(&loop->last_tasks, task, run, owner);
}
