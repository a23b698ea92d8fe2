/* SPDX-License-Identifier: ISC */
/*
 * The event loop of front, core, vault and gatepostd: readiness of descriptors, timers, signals and
 * deferred work. One per process, single thread. loop.c alone asks the kernel (epoll(7),
 * signalfd(2)).
 *
 * Watchers and timers are embedded in their owner (zeroed before first use), which keeps them alive
 * while they are set and stops them before it goes. A callback may stop, restart or free any
 * watcher, its own included; objects that own watchers are best freed through loop_defer(), so that
 * nothing is freed under the feet of a caller.
 */
#ifndef GP_EVENT_LOOP_H
#define GP_EVENT_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct loop;

enum loop_ready { /* bits */
	LOOP_READ = 1,
	LOOP_WRITE = 2,
	LOOP_END = 4, /* told with the others: after what is there to be read comes the end */
};

struct loop_io {
	struct loop *loop; /* NULL while stopped */
	int fd;
	unsigned wanted; /* the kernel knows of it while that is not 0 */
	void (*on_ready)(struct loop_io *io, unsigned ready);
	void *owner;
};

struct loop_timer {
	struct loop *loop;
	size_t place; /* among those that are set (event/timers.h), 0 if it is not */
	int64_t due;  /* clock_real() */
	void (*on_fire)(struct loop_timer *timer);
	void *owner;
};

struct loop_signal {
	struct loop_io io; /* of a descriptor that tells of the signal */
	int number;
	void (*on_signal)(struct loop_signal *signal);
	void *owner;
};

struct loop_task {
	struct loop_task *next;
	bool is_queued;
	void (*run)(struct loop_task *task);
	void *owner;
};

struct loop *loop_new(void);
/* Runs what is still deferred; then every watcher must be stopped. */
void loop_free(struct loop **ploop);

/* Runs until loop_stop(); GP_ERR_IO if the kernel's poll fails, GP_ERR_INTERNAL when there is
 * nothing left to wait for. A loop that was stopped may be run again. */
enum gp_err loop_run(struct loop *loop) GP_CHECKED;
void loop_stop(struct loop *loop);
/* One turn that does not wait: for tests. */
void loop_turn(struct loop *loop);

/* wanted: LOOP_READ and LOOP_WRITE bits, 0 to rest. Level-triggered; an error or hang-up of the fd
 * shows as what is wanted. One turn may call on_ready once for reading and once for writing. The fd
 * stays the caller's, who stops the watcher before closing it. */
void loop_io_start(struct loop *loop, struct loop_io *io, int fd, unsigned wanted,
	void (*on_ready)(struct loop_io *io, unsigned ready), void *owner);
void loop_io_want(struct loop_io *io, unsigned wanted);
void loop_io_stop(struct loop_io *io); /* fine on one that was never started but zeroed */

/* Once, in ms from now (>= 0); setting it again moves it. Spans are real time, not base/clock.h. */
void loop_timer_init(struct loop *loop, struct loop_timer *timer,
	void (*on_fire)(struct loop_timer *timer), void *owner);
void loop_timer_set(struct loop_timer *timer, int64_t ms);
void loop_timer_clear(struct loop_timer *timer);
bool loop_timer_is_set(const struct loop_timer *timer);
void loop_timer_fini(struct loop_timer *timer); /* fine on a zeroed one */

void loop_signal_start(struct loop *loop, struct loop_signal *signal, int number,
	void (*on_signal)(struct loop_signal *signal), void *owner);
void loop_signal_stop(struct loop_signal *signal);

/* Runs task->run(task) once at the end of this turn, after all callbacks; queueing twice is once.
 * What a task defers runs after all that were deferred before, in this turn or the next. */
void loop_defer(struct loop *loop, struct loop_task *task, void (*run)(struct loop_task *task),
	void *owner);
/* The same, when the other tasks of this turn are done: for what gathers what they leave. */
void loop_defer_last(struct loop *loop, struct loop_task *task, void (*run)(struct loop_task *task),
	void *owner);

#endif
