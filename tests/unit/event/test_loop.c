/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "event/loop.h"

struct world {
	struct loop *loop;
	int fds[2];
	struct loop_io io;
	struct loop_io far;
	struct loop_timer timer;
	struct loop_timer later;
	struct loop_signal signal;
	struct loop_task task;
	struct loop_task other;
	int reads;
	int writes;
	int fired;
	int signals;
	int runs;
	int ends;
};

static int set_up(void **state)
{
	static struct world world;

	world = (struct world){ .loop = loop_new() };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, world.fds), 0);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	loop_free(&world->loop);
	assert_null(world->loop);
	(void)close(world->fds[0]);
	(void)close(world->fds[1]);
	return 0;
}

static void count_ready(struct loop_io *io, unsigned ready)
{
	struct world *world = io->owner;

	world->reads += (ready & LOOP_READ) != 0;
	world->writes += (ready & LOOP_WRITE) != 0;
	world->ends += (ready & LOOP_END) != 0;
}

static void reports_only_what_is_wanted(void **state)
{
	struct world *world = *state;

	loop_io_start(world->loop, &world->io, world->fds[0], 0, count_ready, world);
	assert_int_equal(write(world->fds[1], "x", 1), 1);
	loop_turn(world->loop);
	assert_int_equal(world->reads + world->writes, 0);
	loop_io_want(&world->io, LOOP_READ);
	loop_turn(world->loop);
	loop_turn(world->loop);
	/* Level-triggered: unread bytes are reported again. */
	assert_int_equal(world->reads, 2);
	assert_int_equal(world->writes, 0);
	loop_io_want(&world->io, LOOP_READ | LOOP_WRITE);
	loop_turn(world->loop);
	assert_int_equal(world->reads, 3);
	assert_int_equal(world->writes, 1);
	loop_io_want(&world->io, LOOP_WRITE);
	loop_turn(world->loop);
	assert_int_equal(world->reads, 3);
	assert_int_equal(world->writes, 2);
	loop_io_stop(&world->io);
	loop_turn(world->loop);
	assert_int_equal(world->reads + world->writes, 5);
}

static void reports_the_end_of_a_peer(void **state)
{
	struct world *world = *state;

	loop_io_start(world->loop, &world->io, world->fds[0], LOOP_READ, count_ready, world);
	(void)shutdown(world->fds[1], SHUT_RDWR);
	loop_turn(world->loop);
	assert_int_equal(world->reads, 1);
	assert_int_equal(world->ends, 1);
	loop_io_stop(&world->io);
}

/* A peer that has said all but still listens; told with the bytes before. */
static void reports_the_end_with_what_comes_before_it(void **state)
{
	struct world *world = *state;

	loop_io_start(world->loop, &world->io, world->fds[0], LOOP_READ, count_ready, world);
	assert_int_equal(write(world->fds[1], "x", 1), 1);
	loop_turn(world->loop);
	assert_int_equal(world->reads, 1);
	assert_int_equal(world->ends, 0);
	(void)shutdown(world->fds[1], SHUT_WR);
	loop_turn(world->loop);
	assert_int_equal(world->reads, 2);
	assert_int_equal(world->ends, 1);
	loop_io_stop(&world->io);
}

static void stop_in_callback(struct loop_io *io, unsigned ready)
{
	count_ready(io, ready);
	loop_io_stop(io);
}

/* Both directions are ready, and the first callback ends the watcher: the second never comes. */
static void may_be_stopped_in_its_own_callback(void **state)
{
	struct world *world = *state;

	assert_int_equal(write(world->fds[1], "x", 1), 1);
	loop_io_start(world->loop, &world->io, world->fds[0], LOOP_READ | LOOP_WRITE,
		stop_in_callback, world);
	loop_turn(world->loop);
	loop_turn(world->loop);
	assert_int_equal(world->reads + world->writes, 1);
	assert_null(world->io.loop);
	loop_io_stop(&world->io);
}

static struct loop_io *other_of(struct loop_io *io)
{
	struct world *world = io->owner;

	return io == &world->io ? &world->far : &world->io;
}

static void stop_both(struct loop_io *io, unsigned ready)
{
	count_ready(io, ready);
	loop_io_stop(other_of(io));
	loop_io_stop(io);
}

static void want_no_other(struct loop_io *io, unsigned ready)
{
	count_ready(io, ready);
	loop_io_want(other_of(io), 0);
}

/* Two are ready in one turn, and the first to be told ends the other, or wants it to rest. */
static void what_was_stopped_meanwhile_is_not_told(void **state)
{
	struct world *world = *state;

	assert_int_equal(write(world->fds[0], "x", 1), 1);
	assert_int_equal(write(world->fds[1], "x", 1), 1);
	loop_io_start(world->loop, &world->io, world->fds[0], LOOP_READ, want_no_other, world);
	loop_io_start(world->loop, &world->far, world->fds[1], LOOP_READ, want_no_other, world);
	loop_turn(world->loop);
	assert_int_equal(world->reads, 1);
	loop_io_stop(&world->io);
	loop_io_stop(&world->far);
	loop_io_start(world->loop, &world->io, world->fds[0], LOOP_READ, stop_both, world);
	loop_io_start(world->loop, &world->far, world->fds[1], LOOP_READ, stop_both, world);
	loop_turn(world->loop);
	loop_turn(world->loop);
	assert_int_equal(world->reads, 2);
}

static void stop_loop(struct loop_timer *timer)
{
	struct world *world = timer->owner;

	world->fired++;
	loop_stop(world->loop);
}

static void count_fired(struct loop_timer *timer)
{
	struct world *world = timer->owner;

	world->fired += 100;
}

static void timers_fire_once_and_can_be_moved(void **state)
{
	struct world *world = *state;

	loop_timer_init(world->loop, &world->timer, stop_loop, world);
	loop_timer_init(world->loop, &world->later, count_fired, world);
	assert_false(loop_timer_is_set(&world->timer));
	loop_timer_set(&world->later, 1);
	loop_timer_set(&world->later, 3600 * 1000);
	loop_timer_set(&world->timer, 10);
	assert_true(loop_timer_is_set(&world->timer));
	assert_int_equal(loop_run(world->loop), GP_OK);
	assert_int_equal(world->fired, 1);
	assert_false(loop_timer_is_set(&world->timer));
	assert_true(loop_timer_is_set(&world->later));
	loop_timer_clear(&world->later);
	assert_false(loop_timer_is_set(&world->later));
	loop_timer_fini(&world->timer);
	loop_timer_fini(&world->later);
	loop_timer_fini(&world->later);
}

static void free_timer(struct loop_timer *timer)
{
	struct world *world = timer->owner;

	world->fired++;
	loop_timer_fini(timer);
	loop_stop(world->loop);
}

static void a_timer_may_end_itself(void **state)
{
	struct world *world = *state;

	loop_timer_init(world->loop, &world->timer, free_timer, world);
	loop_timer_set(&world->timer, 0);
	assert_int_equal(loop_run(world->loop), GP_OK);
	assert_int_equal(world->fired, 1);
}

static void count_signal(struct loop_signal *signal)
{
	struct world *world = signal->owner;

	world->signals++;
}

/* It is not lost on whoever was started with it ignored, nor kills who stopped watching for it. */
static void a_signal_that_was_ignored_arrives(void **state)
{
	struct world *world = *state;

	(void)signal(SIGUSR2, SIG_IGN);
	loop_signal_start(world->loop, &world->signal, SIGUSR2, count_signal, world);
	assert_int_equal(raise(SIGUSR2), 0);
	loop_turn(world->loop);
	assert_int_equal(world->signals, 1);
	assert_int_equal(raise(SIGUSR2), 0);
	loop_signal_stop(&world->signal);
	loop_signal_stop(&world->signal);
	loop_turn(world->loop);
	assert_int_equal(world->signals, 1);
}

static void on_signal(struct loop_signal *signal)
{
	struct world *world = signal->owner;

	world->signals++;
	loop_signal_stop(signal);
	loop_stop(world->loop);
}

static void signals_arrive_in_the_loop(void **state)
{
	struct world *world = *state;

	loop_signal_start(world->loop, &world->signal, SIGUSR1, on_signal, world);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(world->signals, 0);
	assert_int_equal(loop_run(world->loop), GP_OK);
	assert_int_equal(world->signals, 1);
}

static void run_task(struct loop_task *task)
{
	struct world *world = task->owner;

	world->runs++;
}

static void defer_again(struct loop_task *task)
{
	struct world *world = task->owner;

	world->runs++;
	loop_defer(world->loop, task, defer_again, world);
	if (world->runs == 3)
		loop_stop(world->loop);
}

static void tasks_run_once_after_the_turn(void **state)
{
	struct world *world = *state;

	loop_defer(world->loop, &world->task, run_task, world);
	loop_defer(world->loop, &world->task, run_task, world);
	assert_int_equal(world->runs, 0);
	loop_turn(world->loop);
	assert_int_equal(world->runs, 1);
	loop_turn(world->loop);
	assert_int_equal(world->runs, 1);
}

/* A task that defers itself gives every turn to others, and the loop does not sleep over it. */
static void tasks_of_tasks_come_in_the_next_turn(void **state)
{
	struct world *world = *state;

	loop_defer(world->loop, &world->task, defer_again, world);
	loop_turn(world->loop);
	assert_int_equal(world->runs, 1);
	assert_int_equal(loop_run(world->loop), GP_OK);
	assert_int_equal(world->runs, 3);
	world->task.run = run_task;
}

static void freeing_runs_what_is_deferred(void **state)
{
	struct world *world = *state;
	struct loop *loop = loop_new();

	loop_defer(loop, &world->task, run_task, world);
	loop_defer(loop, &world->other, run_task, world);
	loop_free(&loop);
	assert_int_equal(world->runs, 2);
}

static void nothing_to_wait_for_is_an_error(void **state)
{
	struct world *world = *state;

	assert_int_equal(loop_run(world->loop), GP_ERR_INTERNAL);
}

/* A watcher that is left behind would be memory that nobody frees. */
static void a_leaked_watcher_is_caught(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct loop *loop = loop_new();
		struct loop_timer timer = { 0 };

		(void)close(STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		loop_timer_init(loop, &timer, stop_loop, NULL);
		loop_free(&loop);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reports_only_what_is_wanted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reports_the_end_of_a_peer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			reports_the_end_with_what_comes_before_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			may_be_stopped_in_its_own_callback, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_was_stopped_meanwhile_is_not_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			timers_fire_once_and_can_be_moved, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_timer_may_end_itself, set_up, tear_down),
		cmocka_unit_test_setup_teardown(signals_arrive_in_the_loop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_signal_that_was_ignored_arrives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tasks_run_once_after_the_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			tasks_of_tasks_come_in_the_next_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(freeing_runs_what_is_deferred, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_to_wait_for_is_an_error, set_up, tear_down),
		cmocka_unit_test(a_leaked_watcher_is_caught),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
