/* SPDX-License-Identifier: ISC */
/*
 * A child as gatepostd sees it: each case forks a process that runs child_main() with the ops below
 * and speaks to it over its control channel.
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
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/chan.h"
#include "privsep/child.h"
#include "privsep/fdpass.h"
#include "privsep/proc.h"

#define BASE                                                           \
	"hostname = mail.example.test\n"                               \
	"front_user = 65534\n"                                         \
	"listener imaps { }\n"                                         \
	"certificate main { chain_file = /c.pem key_file = /k.pem }\n" \
	"backend store { protocol = imap hosts = 127.0.0.1:143 }\n"    \
	"route * { imap = store }\n"

/* The child's side. */

/* Refuses what the material says to refuse, and tells what it got. */
static enum gp_err take_config(struct child *child, const struct config *config,
	const struct child_material *materials, size_t count, struct gp_why *why)
{
	if (count > 0 && slice_is(materials[0].bytes, "refuse me"))
		return gp_why_set(why, GP_ERR_CONFIG, "%s is bad", materials[0].name);
	/* At a reload the old one is still in force here. */
	if ((child->config == NULL) != (child->generation == 0) || config == child->config)
		return gp_why_set(why, GP_ERR_INTERNAL, "old configuration gone");
	return GP_OK;
}

/* Answers each PEER_GONE by a DIAL of what it knows. */
static void take_message(struct child *child, const struct ipc_message *message, int *fd)
{
	struct ipc_message answer = { .type = IPC_DIAL };

	(void)fd;
	answer.dial = (struct ipc_dial){ .request = message->type,
		.generation = child->generation,
		.backend = (uint16_t)child->index };
	GP_ASSERT(chan_send(child->parent, &answer, -1) == GP_OK);
}

static const struct child_ops ops = {
	.role = IPC_ROLE_FRONT,
	.on_config = take_config,
	.on_message = take_message,
};

/* Our side. */

struct world {
	struct loop *loop;
	struct chan *chan;
	pid_t pid;
	bool is_ended;
	int answers;
	enum ipc_type type;
	bool ok;
	uint64_t generation;
	uint64_t request;
	unsigned index;
	char why[256];
};

static void on_message(struct chan *chan, const struct ipc_message *message, int *fd, void *owner)
{
	struct world *world = owner;

	(void)chan;
	(void)fd;
	world->answers++;
	world->type = message->type;
	if (message->type == IPC_READY) {
		world->ok = message->ready.ok;
		world->generation = message->ready.generation;
		assert_true(slice_copy(message->ready.why, world->why, sizeof world->why));
	} else if (message->type == IPC_PONG) {
		world->request = message->pong.number;
	} else {
		assert_int_equal(message->type, IPC_DIAL);
		world->generation = message->dial.generation;
		world->request = message->dial.request;
		world->index = message->dial.backend;
	}
	loop_stop(world->loop);
}

static void on_end(struct chan *chan, enum chan_end end, void *owner)
{
	struct world *world = owner;

	(void)chan;
	assert_int_equal(end, CHAN_END_CLOSED);
	world->is_ended = true;
	loop_stop(world->loop);
}

static _Noreturn void be_child(int fd)
{
	/* As exec(3) would lay them out. */
	static char area[] = "test-child\0"
			     "7\0"
			     "0\0"
			     "65534\0"
			     "65534\0"
			     "gatepost-front [7]";
	char *argv[] = { area, area + 11, area + 13, area + 15, area + 21, area + 27, NULL };
	int control = fcntl(fd, F_DUPFD, 10);

	if (dup2(control, CHILD_CONTROL_FD) < 0 || close_range(CHILD_CONTROL_FD + 1, ~0U, 0) != 0)
		_exit(99);
	_exit(child_main(&ops, 6, argv));
}

static int set_up(void **state)
{
	static const struct chan_ops chan_ops = { on_message, on_end };
	static struct world world;
	int fds[2];

	world = (struct world){ .loop = loop_new() };
	assert_int_equal(chan_pair(fds), GP_OK);
	world.pid = fork();
	if (world.pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		(void)dup2(null, STDERR_FILENO);
		be_child(fds[1]);
	}
	(void)close(fds[1]);
	world.chan =
		chan_new(world.loop, &fds[0], IPC_ROLE_PARENT, IPC_ROLE_FRONT, &chan_ops, &world);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	chan_free(&world->chan);
	loop_free(&world->loop);
	if (world->pid > 0) {
		(void)kill(world->pid, SIGKILL);
		assert_int_equal(waitpid(world->pid, NULL, 0), world->pid);
	}
	return 0;
}

static void send_bytes(struct world *world, const struct ipc_message *message, struct slice bytes)
{
	int fd = -1;

	assert_int_equal(fdpass_make("test", bytes, &fd), GP_OK);
	assert_int_equal(chan_send(world->chan, message, fd), GP_OK);
	(void)close(fd);
}

static void push(struct world *world, uint64_t generation, const char *text, const char *material)
{
	struct ipc_message message = { .type = IPC_CONFIG };

	message.config = (struct ipc_config){ generation, slice_str("test.conf") };
	send_bytes(world, &message, slice_str(text));
	if (material != NULL) {
		message.type = IPC_MATERIAL;
		message.material =
			(struct ipc_material){ generation, IPC_MATERIAL_KEY, slice_str("main") };
		send_bytes(world, &message, slice_str(material));
	}
	message.type = IPC_CONFIG_APPLY;
	message.config_apply.generation = generation;
	assert_int_equal(chan_send(world->chan, &message, -1), GP_OK);
	assert_int_equal(loop_run(world->loop), GP_OK);
	assert_int_equal(world->type, IPC_READY);
	assert_int_equal(world->generation, generation);
}

static int wait_exit(struct world *world)
{
	int status;

	assert_int_equal(waitpid(world->pid, &status, 0), world->pid);
	world->pid = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_child_takes_its_configuration_and_works(void **state)
{
	struct world *world = *state;
	struct ipc_message message = { .type = IPC_PEER_GONE };

	push(world, 5, BASE, "a key");
	assert_true(world->ok);
	assert_string_equal(world->why, "");
	assert_int_equal(chan_send(world->chan, &message, -1), GP_OK);
	assert_int_equal(loop_run(world->loop), GP_OK);
	assert_int_equal(world->request, IPC_PEER_GONE);
	assert_int_equal(world->generation, 5);
	assert_int_equal(world->index, 7);
}

static void it_says_that_it_is_there(void **state)
{
	struct world *world = *state;
	struct ipc_message message = { .type = IPC_PING, .ping = { 77 } };

	push(world, 1, BASE, NULL);
	assert_int_equal(chan_send(world->chan, &message, -1), GP_OK);
	assert_int_equal(loop_run(world->loop), GP_OK);
	assert_int_equal(world->type, IPC_PONG);
	assert_int_equal(world->request, 77);
}

static void a_bad_first_configuration_ends_it(void **state)
{
	struct world *world = *state;

	push(world, 1, "hostname = mail.example.test\nnonsense = 1\n", NULL);
	assert_false(world->ok);
	assert_non_null(strstr(world->why, "test.conf:2: "));
	assert_int_equal(wait_exit(world), EX_CONFIG);
}

static void a_bad_later_one_leaves_the_old_in_force(void **state)
{
	struct world *world = *state;
	struct ipc_message message = { .type = IPC_PEER_GONE };

	push(world, 1, BASE, NULL);
	assert_true(world->ok);
	push(world, 2, "nonsense = 1\n", NULL);
	assert_false(world->ok);
	push(world, 3, BASE, "refuse me");
	assert_false(world->ok);
	assert_string_equal(world->why, "main is bad");
	assert_int_equal(chan_send(world->chan, &message, -1), GP_OK);
	assert_int_equal(loop_run(world->loop), GP_OK);
	assert_int_equal(world->generation, 1);
	push(world, 4, BASE, NULL);
	assert_true(world->ok);
}

static void applying_what_was_not_sent_is_refused(void **state)
{
	struct world *world = *state;
	struct ipc_message message = { .type = IPC_CONFIG_APPLY, .config_apply = { 9 } };

	assert_int_equal(chan_send(world->chan, &message, -1), GP_OK);
	assert_int_equal(loop_run(world->loop), GP_OK);
	assert_false(world->ok);
	assert_int_equal(world->generation, 9);
}

static void stop_ends_it_well(void **state)
{
	struct world *world = *state;
	struct ipc_message message = { .type = IPC_STOP, .stop = { 1000 } };

	push(world, 1, BASE, NULL);
	assert_int_equal(chan_send(world->chan, &message, -1), GP_OK);
	assert_int_equal(wait_exit(world), EX_OK);
}

static void without_gatepostd_it_ends(void **state)
{
	struct world *world = *state;

	push(world, 1, BASE, NULL);
	chan_free(&world->chan);
	assert_int_equal(wait_exit(world), EX_UNAVAILABLE);
}

static void signals_of_a_terminal_do_not_end_it(void **state)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	struct world *world = *state;
	struct ipc_message message = { .type = IPC_PEER_GONE };

	push(world, 1, BASE, NULL);
	for (size_t i = 0; i < GP_ARRAY_LEN(numbers); i++)
		assert_int_equal(kill(world->pid, numbers[i]), 0);
	assert_int_equal(chan_send(world->chan, &message, -1), GP_OK);
	assert_int_equal(loop_run(world->loop), GP_OK);
	assert_int_equal(world->type, IPC_DIAL);
}

/* Somebody starts it by hand, with a socket of his own on the descriptor. */
static void only_its_parent_may_speak_to_it(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		int fds[2];

		(void)close(STDERR_FILENO);
		if (chan_pair(fds) != GP_OK)
			_exit(99);
		be_child(fds[0]);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_USAGE);
}

/* Files. */

static void bytes_pass_sealed_and_whole(void **state)
{
	struct buf out;
	struct gp_why why;
	char large[10000];
	int fd = -1;

	(void)state;
	memset(large, 'x', sizeof large);
	assert_int_equal(fdpass_make("test", slice_of(large, sizeof large), &fd), GP_OK);
	/* Its offset is shared by all who have it, and so of no meaning. */
	assert_int_equal(lseek(fd, 77, SEEK_SET), 77);
	buf_init(&out, FDPASS_FILE_MAX);
	assert_int_equal(fdpass_read(fd, &out, &why), GP_OK);
	assert_true(slice_equal(buf_slice(&out), slice_of(large, sizeof large)));
	buf_fini(&out);
	buf_init(&out, sizeof large);
	assert_int_equal(fdpass_read(fd, &out, &why), GP_ERR_LIMIT);
	buf_fini(&out);
	assert_int_equal(write(fd, "y", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	(void)close(fd);
	buf_init(&out, 10);
	assert_int_equal(fdpass_read(-1, &out, &why), GP_ERR_PROTOCOL);
}

/* Spawning: a shell script in the child's place looks around. */
static void a_spawned_process_is_clean(void **state)
{
	char path[] = "/tmp/gatepost-spawn.XXXXXX";
	int script = mkstemp(path);
	struct proc_conf conf = {
		.path = path, .role = IPC_ROLE_CORE, .uid = 7, .gid = 8, .log_fd = -1
	};
	/* Answers over the control socket: its arguments, open descriptors (10 is the shell's own)
	 * and environment. */
	static const char text[] = "#!/bin/sh\n"
				   "for n in 0 1 2 3 4 5 6 7 8 9 11 12 13 14 15 16; do\n"
				   "[ -e /proc/$$/fd/$n ] && fds=\"$fds $n\"\n"
				   "done\n"
				   "echo \"$*|$fds|$GP_TEST_LEAK|$0\" >&3\n";
	char answer[512];
	ssize_t len;
	int status;
	int fds[2];
	int leak = open("/dev/null", O_RDONLY); /* without close-on-exec */
	pid_t pid;

	(void)state;
	assert_int_equal(write(script, text, sizeof text - 1), (ssize_t)sizeof text - 1);
	assert_int_equal(fchmod(script, 0700), 0);
	(void)close(script);
	assert_int_equal(setenv("GP_TEST_LEAK", "leaked", 1), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	conf.control_fd = fds[1];
	assert_int_equal(proc_spawn(&conf, &pid), GP_OK);
	(void)close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	len = read(fds[0], answer, sizeof answer - 1);
	assert_true(len > 0);
	answer[len] = '\0';
	if (strstr(answer, "0 0 7 8 gatepost-core [0]| 0 1 2 3||") != answer)
		fail_msg("%s", answer);
	(void)close(fds[0]);
	(void)close(leak);
	(void)unlink(path);
}

static void a_program_that_is_not_there_shows_in_the_exit(void **state)
{
	struct proc_conf conf = { .path = "/nonexistent", .role = IPC_ROLE_FRONT, .log_fd = -1 };
	int status;
	int fds[2];
	pid_t pid;

	(void)state;
	assert_int_equal(chan_pair(fds), GP_OK);
	conf.control_fd = fds[1];
	log_setup("test", LOG_TARGET_STDERR, -1, LOG_LEVEL_FATAL);
	assert_int_equal(proc_spawn(&conf, &pid), GP_OK);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), EX_OSFILE);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

#define CHILD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHILD(a_child_takes_its_configuration_and_works),
		CHILD(it_says_that_it_is_there),
		CHILD(a_bad_first_configuration_ends_it),
		CHILD(a_bad_later_one_leaves_the_old_in_force),
		CHILD(applying_what_was_not_sent_is_refused),
		CHILD(stop_ends_it_well),
		CHILD(without_gatepostd_it_ends),
		CHILD(signals_of_a_terminal_do_not_end_it),
		cmocka_unit_test(only_its_parent_may_speak_to_it),
		cmocka_unit_test(bytes_pass_sealed_and_whole),
		cmocka_unit_test(a_spawned_process_is_clean),
		cmocka_unit_test(a_program_that_is_not_there_shows_in_the_exit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
