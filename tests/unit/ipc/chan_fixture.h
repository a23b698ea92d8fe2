/* SPDX-License-Identifier: ISC */
/* The two ends of a channel in one process, for the tests of chan.c. */
#ifndef GP_TESTS_CHAN_FIXTURE_H
#define GP_TESTS_CHAN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <stdbool.h>

#include "ipc/chan.h"

/* A core that listens to a front; the front's side is a channel too, or a bare socket that
 * misbehaves. */
struct side {
	struct chan *chan;
	int messages;
	int closed;
	int attacks;
	int taken_fd;
	bool takes_fd;
	bool is_slow; /* takes a batch's time for each message */
	bool frees_itself;
	bool pauses_itself;
	bool had_more; /* chan_has_more() at the last message */
	bool counts;   /* sessions are to come as 1, 2, 3 ... */
	struct world *world;
	uint64_t last_session;
};

struct world {
	struct loop *loop;
	struct side core;
	struct side front;
	int raw; /* the front's socket, where the test speaks itself */
};

/* Both ends channels, or the front's a bare socket. */
int set_up_pair(void **state);
int set_up_raw(void **state);
int tear_down(void **state);

#define PAIR(name) cmocka_unit_test_setup_teardown(name, set_up_pair, tear_down)
#define RAW(name)  cmocka_unit_test_setup_teardown(name, set_up_raw, tear_down)

struct ipc_message session_end(uint64_t session);
/* A packet as no channel makes it. */
void send_raw(int fd, const void *data, size_t len, const int *fds, size_t count);
/* Core has ended the channel for one, and nobody has heard it. */
void assert_attack(struct world *world);

#endif
