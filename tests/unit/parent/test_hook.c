/* SPDX-License-Identifier: ISC */
/* Promise: the admin's program gets its words and nothing else of ours, and cannot hold us up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "parent/hook.h"

/* What it was given, then "over" once all of it stands there. */
static const char teller[] =
	"#!/bin/sh\n"
	"d=$1\n"
	"{ echo \"$# $2 $3\"; env | sort; ls /proc/self/fd | tr '\\n' ' '; id -u; pwd;\n"
	"readlink /proc/self/fd/0; } > $d/told 2>&1\n";
static const char sleeper[] = "#!/bin/sh\necho $2 >> $1/began\nsleep 600\n";

struct bench {
	struct loop *loop;
	struct loop_signal child;
	struct loop_timer end;
	struct parent parent;
	struct generation generation;
	char dir[64];
	char *script;
	unsigned exits;
	unsigned awaited;
	unsigned killed;
};

static void on_child(struct loop_signal *signal)
{
	struct bench *bench = signal->owner;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		assert_true(hooks_on_exit(bench->parent.hooks, pid, status));
		assert_false(hooks_on_exit(bench->parent.hooks, pid, status));
		bench->killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
		if (++bench->exits == bench->awaited)
			loop_stop(bench->loop);
	}
}

static void open_bench(struct bench *bench, const char *script, unsigned seconds)
{
	struct config_error error = { "" };
	struct buf text;
	FILE *file;

	*bench = (struct bench){ .dir = "/tmp/gatepost-hook.XXXXXX" };
	assert_non_null(mkdtemp(bench->dir));
	assert_int_equal(chmod(bench->dir, 0777), 0);
	bench->script = mem_printf("%s/script", bench->dir);
	file = fopen(bench->script, "w");
	assert_non_null(file);
	assert_true(fputs(script, file) >= 0 && fclose(file) == 0);
	assert_int_equal(chmod(bench->script, 0755), 0);
	buf_init(&text, 4096);
	assert_int_equal(
		buf_printf(&text,
			"hostname = mail.example.test\nlistener smtp { }\n"
			"backend smtp { hosts = 127.0.0.1:1025 }\nroute \"*\" { smtp = smtp }\n"
			"sending_block_hook = {\"%s\", \"%s\", \"<{account}>\", \"{reason} "
			"$HOME\"}\n"
			"sending_block_hook_time = %us\nhook_user = 65534\n",
			bench->script, bench->dir, seconds),
		GP_OK);
	assert_int_equal(
		config_parse(buf_slice(&text), "t", &bench->generation.config, &error), GP_OK);
	buf_fini(&text);
	bench->loop = loop_new();
	bench->parent.loop = bench->loop;
	bench->parent.current = &bench->generation;
	bench->parent.hooks = hooks_new(&bench->parent);
	loop_signal_start(bench->loop, &bench->child, SIGCHLD, on_child, bench);
}

static void close_bench(struct bench *bench)
{
	static const char *const names[] = { "script", "told", "began" };

	loop_signal_stop(&bench->child);
	hooks_free(&bench->parent.hooks);
	loop_free(&bench->loop);
	while (wait(NULL) > 0)
		continue;
	for (size_t i = 0; i < GP_ARRAY_LEN(names); i++) {
		char *path = mem_printf("%s/%s", bench->dir, names[i]);

		(void)unlink(path);
		mem_free(path);
	}
	assert_int_equal(rmdir(bench->dir), 0);
	mem_free(bench->script);
	config_free(&bench->generation.config);
}

static void ask(struct bench *bench, const char *account)
{
	struct ipc_hook message = { .account = slice_str(account),
		.reason = SLICE_LIT("many; rm -rf \x1b") };

	hooks_run(bench->parent.hooks, &message);
}

static void await(struct bench *bench, unsigned exits)
{
	bench->awaited = bench->exits + exits;
	assert_int_equal(loop_run(bench->loop), GP_OK);
}

static char *read_told(const struct bench *bench, const char *name)
{
	char *path = mem_printf("%s/%s", bench->dir, name);
	FILE *file = fopen(path, "r");
	char *text = mem_new(1, 4096);

	assert_non_null(file);
	text[fread(text, 1, 4095, file)] = '\0';
	(void)fclose(file);
	mem_free(path);
	return text;
}

static void program_gets_its_words_and_nothing_else(void **state)
{
	struct bench bench;
	char *told;
	char *want;

	(void)state;
	assert_int_equal(setenv("GATEPOST_SECRET", "1", 1), 0);
	open_bench(&bench, teller, 30);
	ask(&bench, "alice+x@example.test");
	await(&bench, 1);
	told = read_told(&bench, "told");
	/* The shell adds PWD; ls has a descriptor of the directory it lists. */
	want = mem_printf("3 <alice+x@example.test> many; rm -rf \\x1b $HOME\nLC_ALL=C\n"
			  "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nPWD=/\n0 1 2 3 %u\n/\n/dev/null\n",
		geteuid() == 0 ? 65534 : (unsigned)geteuid());
	assert_string_equal(told, want);
	mem_free(told);
	mem_free(want);
	close_bench(&bench);
}

static void program_that_takes_too_long_is_killed(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, sleeper, 1);
	ask(&bench, "alice@example.test");
	await(&bench, 1);
	assert_int_equal(bench.killed, 1);
	close_bench(&bench);
}

static unsigned count_lines(const char *text)
{
	unsigned count = 0;

	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

/* So many run, so many wait, each account once; the rest is not run. */
static void there_are_never_too_many(void **state)
{
	struct bench bench;
	char *began;

	(void)state;
	open_bench(&bench, sleeper, 1);
	for (unsigned i = 0; i < HOOK_RUNNING_MAX + HOOK_WAITING_MAX + 10; i++) {
		char *account = mem_printf("a%u@example.test", i);

		ask(&bench, account);
		if (i >= HOOK_RUNNING_MAX)
			ask(&bench, account);
		mem_free(account);
	}
	await(&bench, HOOK_RUNNING_MAX);
	assert_int_equal(bench.killed, HOOK_RUNNING_MAX);
	began = read_told(&bench, "began");
	assert_in_range(count_lines(began), HOOK_RUNNING_MAX, 2 * HOOK_RUNNING_MAX);
	mem_free(began);
	/* The others go in their turns, killed one by one. */
	bench.generation.config->sending_block_hook_time = 0;
	await(&bench, HOOK_WAITING_MAX);
	loop_turn(bench.loop);
	assert_int_equal(bench.exits, HOOK_RUNNING_MAX + HOOK_WAITING_MAX);
	close_bench(&bench);
}

static void unfit_accounts_run_nothing(void **state)
{
	static const char *const accounts[] = { "", "-f@example.test", "@example.test", "alice",
		"a b@example.test", "a;b@example.test", "../x@example.test", "a@b@c.test",
		"a$(x)@example.test", "a\n@example.test", "\xff@example.test" };
	struct bench bench;

	(void)state;
	open_bench(&bench, teller, 30);
	for (size_t i = 0; i < GP_ARRAY_LEN(accounts); i++)
		ask(&bench, accounts[i]);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	close_bench(&bench);
}

static void program_that_is_not_there_is_no_fault(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, teller, 30);
	assert_int_equal(chmod(bench.script, 0600), 0);
	ask(&bench, "alice@example.test");
	await(&bench, 1);
	close_bench(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(program_gets_its_words_and_nothing_else),
		cmocka_unit_test(program_that_takes_too_long_is_killed),
		cmocka_unit_test(there_are_never_too_many),
		cmocka_unit_test(unfit_accounts_run_nothing),
		cmocka_unit_test(program_that_is_not_there_is_no_fault),
	};

	log_set_level(LOG_LEVEL_FATAL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
