/* SPDX-License-Identifier: ISC */
/*
 * A thin layer over libevent's core. A descriptor has one event for reading and one for writing, so
 * that wanting one more direction costs one epoll_ctl(2) and not two. Only events that are waited
 * for have memory: of an idle connection that is the one for reading.
 *
 * No change list (EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST): sockets are shared between processes, and
 * a descriptor closed before a late EPOLL_CTL_DEL would go on reporting.
 */
#include "event/loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stddef.h>
#include <sys/time.h>

#include "base/check.h"
#include "base/mem.h"

enum {
	TASK_ROUNDS = 4, /* of tasks that tasks defer, before the sockets are looked at again */
};

struct task_list {
	struct loop_task *first;
	struct loop_task **end; /* where the next one is hung */
};

struct loop {
	struct event_base *base;
	struct task_list tasks;
	struct task_list last_tasks;
	size_t watchers;
	bool is_stopped;
};

struct loop *loop_new(void)
{
	struct loop *loop = mem_new(1, sizeof *loop);
	struct event_config *config = event_config_new();

	GP_ASSERT(config != NULL);
	/* Without the cached time a timer set after a long computation is not early. */
	GP_ASSERT(
		event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV |
						      EVENT_BASE_FLAG_NO_CACHE_TIME) == 0);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	GP_ASSERT(loop->base != NULL);
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
	event_base_free(loop->base);
	mem_free(loop);
	*ploop = NULL;
}

enum gp_err loop_run(struct loop *loop)
{
	loop->is_stopped = false;
	while (!loop->is_stopped) {
		int flags = EVLOOP_ONCE | (has_tasks(loop) ? EVLOOP_NONBLOCK : 0);
		int outcome = event_base_loop(loop->base, flags);

		if (outcome < 0)
			return GP_ERR_IO;
		if (outcome > 0 && !has_tasks(loop))
			return GP_ERR_INTERNAL;
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
	GP_ASSERT(event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
	run_tasks(&loop->tasks);
	run_tasks(&loop->last_tasks);
}

/* Descriptors. */

static void on_io(evutil_socket_t fd, short what, void *arg)
{
	struct loop_io *io = arg;

	(void)fd;
	io->on_ready(io, (what & EV_READ) != 0 ? LOOP_READ : LOOP_WRITE);
}

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

static struct event *event_take(struct loop *loop, int fd, short what,
	void (*on_event)(evutil_socket_t fd, short what, void *arg), void *arg)
{
	struct event *event = mem_new(1, event_get_struct_event_size());

	GP_ASSERT(event_assign(event, loop->base, fd, what, on_event, arg) == 0);
	return event;
}

static void event_give(struct event **pevent)
{
	if (*pevent == NULL)
		return;
	GP_ASSERT(event_del(*pevent) == 0);
	mem_free(*pevent);
	*pevent = NULL;
}

static void want_one(struct loop_io *io, unsigned wanted, unsigned bit, struct event **pevent)
{
	short what = bit == LOOP_READ ? EV_READ : EV_WRITE;

	if ((io->wanted & bit) == (wanted & bit))
		return;
	if ((wanted & bit) == 0) {
		event_give(pevent);
		return;
	}
	*pevent = event_take(io->loop, io->fd, what | EV_PERSIST, on_io, io);
	GP_ASSERT(event_add(*pevent, NULL) == 0);
}

void loop_io_want(struct loop_io *io, unsigned wanted)
{
	GP_ASSERT(io->loop != NULL);
	GP_ASSERT((wanted & ~(unsigned)(LOOP_READ | LOOP_WRITE)) == 0);
	want_one(io, wanted, LOOP_READ, &io->reading);
	want_one(io, wanted, LOOP_WRITE, &io->writing);
	io->wanted = wanted;
}

void loop_io_stop(struct loop_io *io)
{
	if (io->loop == NULL)
		return;
	loop_io_want(io, 0);
	io->loop->watchers--;
	io->loop = NULL;
}

/* Timers. */

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *timer = arg;

	(void)fd;
	(void)what;
	event_give(&timer->event);
	timer->on_fire(timer);
}

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
	struct timeval span = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	GP_ASSERT(timer->loop != NULL && ms >= 0);
	if (timer->event == NULL)
		timer->event = event_take(timer->loop, -1, 0, on_timer, timer);
	GP_ASSERT(event_add(timer->event, &span) == 0);
}

void loop_timer_clear(struct loop_timer *timer)
{
	event_give(&timer->event);
}

bool loop_timer_is_set(const struct loop_timer *timer)
{
	return timer->event != NULL;
}

void loop_timer_fini(struct loop_timer *timer)
{
	if (timer->loop == NULL)
		return;
	loop_timer_clear(timer);
	timer->loop->watchers--;
	timer->loop = NULL;
}

/* Signals. */

static void on_caught(evutil_socket_t number, short what, void *arg)
{
	struct loop_signal *signal = arg;

	(void)number;
	(void)what;
	signal->on_signal(signal);
}

void loop_signal_start(struct loop *loop, struct loop_signal *signal, int number,
	void (*on_signal)(struct loop_signal *signal), void *owner)
{
	GP_ASSERT(signal->event == NULL);
	signal->event = mem_new(1, event_get_struct_event_size());
	signal->loop = loop;
	signal->on_signal = on_signal;
	signal->owner = owner;
	GP_ASSERT(event_assign(signal->event, loop->base, number, EV_SIGNAL | EV_PERSIST, on_caught,
			  signal) == 0);
	GP_ASSERT(event_add(signal->event, NULL) == 0);
	loop->watchers++;
}

void loop_signal_stop(struct loop_signal *signal)
{
	if (signal->event == NULL)
		return;
	GP_ASSERT(event_del(signal->event) == 0);
	mem_free(signal->event);
	signal->event = NULL;
	signal->loop->watchers--;
}

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
