/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/secret.h"

static void test_secret(void **state)
{
	struct secret *secret = secret_new(SLICE_LIT("pass\0word"));
	struct secret *empty = secret_new(slice_of(NULL, 0));
	struct slice bytes = secret_slice(secret);

	(void)state;
	assert_int_equal(bytes.len, 9);
	assert_memory_equal(bytes.data, "pass\0word", 10); /* and the NUL behind */
	assert_int_equal(secret_slice(empty).len, 0);
	assert_int_equal(secret_slice(NULL).len, 0);
	secret_free(&secret);
	assert_null(secret);
	secret_free(&secret);
	secret_free(&empty);
}

static void test_secret_equal(void **state)
{
	(void)state;
	assert_true(secret_equal(SLICE_LIT("abc"), SLICE_LIT("abc")));
	assert_true(secret_equal(slice_of(NULL, 0), SLICE_LIT("")));
	assert_false(secret_equal(SLICE_LIT("abc"), SLICE_LIT("abd")));
	assert_false(secret_equal(SLICE_LIT("abc"), SLICE_LIT("bbc")));
	assert_false(secret_equal(SLICE_LIT("abc"), SLICE_LIT("ab")));
	assert_false(secret_equal(SLICE_LIT("a\0c"), SLICE_LIT("a\0d")));
	assert_false(secret_equal(SLICE_LIT("\x01"), SLICE_LIT("\x81")));
}

static void test_mem(void **state)
{
	char *data = mem_new(3, 5);
	char *text = NULL;

	(void)state;
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(data[i], 0);
	memset(data, 's', 15);
	mem_wipe(data, 15);
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(data[i], 0);
	mem_wipe(NULL, 0);
	mem_free(data);
	mem_free(NULL);
	mem_free(mem_new(0, 0));
	text = mem_strdup("text");
	text = mem_resize(text, 100, 1);
	assert_string_equal(text, "text");
	mem_free(text);
	text = mem_strndup("a\0b", 3);
	assert_memory_equal(text, "a\0b", 4);
	mem_free(text);
	text = mem_printf("%s-%d", "x", 7);
	assert_string_equal(text, "x-7");
	mem_free(text);
}

static void test_rand(void **state)
{
	unsigned char bytes[1000] = { 0 };
	unsigned seen[256] = { 0 };
	unsigned kinds = 0;

	(void)state;
	rand_bytes(bytes, sizeof bytes);
	for (unsigned i = 0; i < sizeof bytes; i++)
		seen[bytes[i]]++;
	for (unsigned i = 0; i < 256; i++)
		kinds += seen[i] > 0;
	assert_true(kinds > 200);
	assert_true(rand_u64() != rand_u64());
	rand_bytes(bytes, 0);
}

static void test_err(void **state)
{
	char long_text[2 * GP_WHY_SIZE];
	struct gp_why why = { "untouched" };

	(void)state;
	for (unsigned err = 0; err < GP_ERR_MAX; err++)
		assert_true(strlen(gp_err_text((enum gp_err)err)) > 0);
	assert_string_equal(gp_err_text(GP_OK), "success");
	assert_string_equal(gp_err_text(GP_ERR_MAX), "unknown error");
	assert_int_equal(gp_why_set(&why, GP_ERR_IO, "open %s", "x"), GP_ERR_IO);
	assert_string_equal(why.text, "open x");
	assert_int_equal(gp_why_set(NULL, GP_ERR_BUSY, "nobody asks"), GP_ERR_BUSY);
	memset(long_text, 'l', sizeof long_text);
	long_text[sizeof long_text - 1] = '\0';
	assert_int_equal(gp_why_set(&why, GP_ERR_IO, "%s", long_text), GP_ERR_IO);
	assert_int_equal(strlen(why.text), GP_WHY_SIZE - 1);
}

/* A broken invariant ends the process, with a line that says where. */
static void test_assert_ends_the_process(void **state)
{
	int ends[2];
	char line[512] = "";
	int status = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		(void)dup2(ends[1], STDERR_FILENO);
		GP_ASSERT(1 + 1 == 2);
		GP_ASSERT(1 + 1 == 3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_true(read(ends[0], line, sizeof line - 1) > 0);
	assert_non_null(strstr(line, "condition=\"1 + 1 == 3\""));
	assert_non_null(strstr(line, "test_small.c"));
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_secret_equal),
		cmocka_unit_test(test_mem),
		cmocka_unit_test(test_rand),
		cmocka_unit_test(test_err),
		cmocka_unit_test(test_assert_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
