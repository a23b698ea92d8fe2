/* SPDX-License-Identifier: ISC */
/* Promise: a front gets connections to configured addresses only, and to the servers of mailboxes
 * at core's word only; whatever becomes of a dial, no descriptor stays behind. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/mem.h"
#include "parent/crew.h"
#include "parent/dial.h"
#include "parent/parent.h"

#define CONFIG                                                                             \
	"hostname = mail.example.test\n"                                                   \
	"listener imap { }\n"                                                              \
	"certificate main { chain_file = /c.pem key_file = /k.pem }\n"                     \
	"backend imap { hosts = { 127.0.0.1:143, 127.0.0.1:144 } connect_timeout = 1s }\n" \
	"backend out { protocol = smtp hosts = { 127.0.0.1:25, 127.0.0.1:26 } }\n"         \
	"route * { imap = imap smtp = out }\n"

enum {
	IMAP,
	OUT,
	GENERATION = 5,
	PID = 4711,
	SESSION = 99,
};

struct bench {
	struct parent parent;
	struct generation generation;
	struct worker front;
	struct worker web;
	struct loop_timer end;
	int listening;
	int fillers[3]; /* fill the queue of what is listening and never accepts */
	/* What the front was told last. */
	unsigned told;
	struct ipc_dialed dialed;
	bool has_socket;
	struct generation_address address;
	struct generation_member member;
};

static struct bench bench;

/* What dial.c needs of the others. */

void worker_send(struct worker *worker, const struct ipc_message *message, int fd)
{
	assert_ptr_equal(worker, &bench.front);
	assert_int_equal(message->type, IPC_DIALED);
	bench.told++;
	bench.dialed = message->dialed;
	bench.has_socket = fd >= 0;
	loop_stop(bench.parent.loop);
}

struct worker *crew_web(struct crew *crew)
{
	(void)crew;
	return &bench.web;
}

const struct generation_member *generation_member(
	const struct generation *generation, unsigned backend, unsigned member)
{
	const struct config *config = generation->config;

	return backend < config->backend_count && member < config->backends[backend].hosts.count
		       ? &bench.member
		       : NULL;
}

static unsigned count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count;
}

static void open_bench(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof addr;
	struct config_error error;

	bench = (struct bench){ .listening = -1, .fillers = { -1, -1, -1 } };
	if (config_parse(SLICE_LIT(CONFIG), "test", &bench.generation.config, &error) != GP_OK)
		fail_msg("%s", error.text);
	bench.parent.loop = loop_new();
	bench.parent.current = &bench.generation;
	bench.generation.number = GENERATION;
	bench.parent.dialer = dialer_new(&bench.parent);
	bench.front.parent = &bench.parent;
	bench.front.pid = PID;
	bench.front.taken = GENERATION;
	bench.listening = socket(AF_INET, SOCK_STREAM, 0);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(bench.listening, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(getsockname(bench.listening, (struct sockaddr *)&addr, &len), 0);
	assert_int_equal(listen(bench.listening, 8), 0);
	memcpy(&bench.address.addr, &addr, sizeof addr);
	bench.address.len = len;
	bench.member = (struct generation_member){ .addresses = &bench.address, .count = 1 };
}

static void close_bench(void)
{
	for (size_t i = 0; i < GP_ARRAY_LEN(bench.fillers); i++) {
		if (bench.fillers[i] >= 0)
			(void)close(bench.fillers[i]);
	}
	dialer_free(&bench.parent.dialer);
	(void)close(bench.listening);
	config_free(&bench.generation.config);
	loop_free(&bench.parent.loop);
}

/* From now on connections there are neither made nor refused. */
static void fill_queue(void)
{
	assert_int_equal(listen(bench.listening, 0), 0);
	for (size_t i = 0; i < GP_ARRAY_LEN(bench.fillers); i++) {
		bench.fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(bench.fillers[i], (struct sockaddr *)&bench.address.addr,
			bench.address.len);
	}
}

static void ask_like_front(unsigned backend, uint64_t generation)
{
	struct ipc_dial message = {
		.request = 7, .generation = generation, .backend = (uint16_t)backend
	};

	dial_start(bench.parent.dialer, &bench.front, &message);
}

static void ask_like_core(const char *backend, uint64_t request, uint64_t generation, unsigned pid)
{
	struct ipc_dial_mailbox message = { .pid = pid,
		.session = SESSION,
		.request = request,
		.generation = generation,
		.backend = slice_str(backend),
		.member = 1 };

	dial_mailbox(bench.parent.dialer, &bench.front, &message);
}

static void a_front_reaches_next_hops_by_itself_and_mailboxes_not(void **state)
{
	unsigned before;

	(void)state;
	open_bench();
	before = count_descriptors();
	ask_like_front(OUT, GENERATION);
	assert_int_equal(bench.told, 1);
	assert_true(bench.has_socket);
	assert_int_equal(bench.dialed.request, 7);
	assert_int_equal(bench.dialed.errno_value, 0);
	assert_int_equal(bench.dialed.generation, GENERATION);
	assert_int_equal(bench.dialed.backend, OUT);
	ask_like_front(IMAP, GENERATION);
	assert_int_equal(bench.told, 2);
	assert_false(bench.has_socket);
	assert_int_equal(bench.dialed.errno_value, EACCES);
	ask_like_front(OUT, GENERATION + 1);
	assert_int_equal(bench.told, 3);
	assert_int_equal(bench.dialed.errno_value, EINVAL);
	ask_like_front(IMAP, GENERATION + 1);
	assert_int_equal(bench.dialed.errno_value, EINVAL);
	assert_false(bench.has_socket);
	assert_int_equal(count_descriptors(), before);
	close_bench();
}

static void core_has_mailboxes_dialled(void **state)
{
	unsigned before;

	(void)state;
	open_bench();
	before = count_descriptors();
	ask_like_core("imap", 77, 0, PID);
	assert_int_equal(bench.told, 1);
	assert_true(bench.has_socket);
	assert_int_equal(bench.dialed.request, 77);
	assert_int_equal(bench.dialed.generation, GENERATION);
	assert_int_equal(bench.dialed.backend, IMAP);
	assert_int_equal(bench.dialed.member, 1);
	ask_like_core("imap", 78, GENERATION, PID);
	assert_int_equal(bench.told, 2);
	assert_true(bench.has_socket);
	/* What it is not for, and what nobody knows. */
	ask_like_core("out", 79, 0, PID);
	assert_int_equal(bench.dialed.errno_value, EINVAL);
	ask_like_core("nowhere", 80, 0, PID);
	assert_int_equal(bench.dialed.errno_value, EINVAL);
	ask_like_core("imap", 81, GENERATION + 1, PID);
	assert_int_equal(bench.dialed.errno_value, EINVAL);
	assert_int_equal(bench.dialed.request, 81);
	assert_false(bench.has_socket);
	assert_int_equal(bench.told, 5);
	/* A front that came in the place of the one that is meant. */
	ask_like_core("imap", 82, 0, PID + 1);
	assert_int_equal(bench.told, 5);
	assert_int_equal(count_descriptors(), before);
	close_bench();
}

static void a_further_host_takes_the_place_of_the_first(void **state)
{
	unsigned before;

	(void)state;
	open_bench();
	fill_queue();
	before = count_descriptors();
	ask_like_core("imap", 77, 0, PID);
	assert_int_equal(bench.told, 0);
	assert_int_equal(count_descriptors(), before + 1);
	ask_like_core("imap", 78, 0, PID);
	assert_int_equal(bench.told, 0);
	assert_int_equal(count_descriptors(), before + 1);
	/* Only of the second one more is heard: that it was in vain. */
	assert_int_equal(loop_run(bench.parent.loop), GP_OK);
	assert_int_equal(bench.told, 1);
	assert_int_equal(bench.dialed.request, 78);
	assert_int_equal(bench.dialed.errno_value, ETIMEDOUT);
	assert_int_equal(count_descriptors(), before);
	close_bench();
}

static void nothing_is_dialled_for_a_front_that_is_gone(void **state)
{
	unsigned before;

	(void)state;
	open_bench();
	fill_queue();
	before = count_descriptors();
	ask_like_core("imap", 77, 0, PID);
	dial_drop(bench.parent.dialer, &bench.front);
	assert_int_equal(bench.told, 0);
	assert_int_equal(count_descriptors(), before);
	close_bench();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_front_reaches_next_hops_by_itself_and_mailboxes_not),
		cmocka_unit_test(core_has_mailboxes_dialled),
		cmocka_unit_test(a_further_host_takes_the_place_of_the_first),
		cmocka_unit_test(nothing_is_dialled_for_a_front_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
