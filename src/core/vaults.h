/* SPDX-License-Identifier: ISC */
/*
 * Core's end of the channels to the vaults. Each works on one lane: FAST takes device passwords,
 * SLOW main passwords, DESK everything that writes and all management. Which lane a sign-in takes
 * follows from the form of its secret alone.
 *
 * A slow vault gets one question at a time; what it cannot take yet waits in the lane's queues. A
 * main password from a source that is known for the account goes before those of strangers, and
 * when there are too many it is a stranger's that gives way: a flood of guesses does not keep out
 * those who live here. Strangers keep every VAULTS_STRANGERS_TURN-th turn.
 *
 * A sign-in that has no answer VAULTS_TIMEOUT_MS after it was handed over is a temporary failure;
 * its vault stays taken until it answers or ends.
 */
#ifndef GP_CORE_VAULTS_H
#define GP_CORE_VAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/queue.h"
#include "ipc/chan.h"

enum {
	VAULTS_MAX = 512,         /* more than slow_vaults may ask for */
	VAULTS_FAST_AT_ONCE = 32, /* questions in the socket of a fast vault */
	VAULTS_FAST_QUEUE = 4096, /* device passwords that wait */
	VAULTS_TIMEOUT_MS = 10000,
	VAULTS_STRANGERS_TURN = 8,
};

struct core;

struct vault {
	struct core *core;
	unsigned index;
	unsigned pid;
	enum ipc_lane lane;
	struct chan *chan; /* NULL: gone */
	struct attempt_list checking;
	unsigned asked; /* without an answer, timed-out ones included */
	uint64_t answered;
};

struct vaults {
	struct vault *vault[VAULTS_MAX];
	struct queue fast;
	struct queue slow;
	struct queue slow_known;
	unsigned known_in_a_row;
	bool is_desk_paused;
};

void vaults_init(struct core *core);
void vaults_fini(struct core *core);
/* Takes *fd: a channel to a fresh vault, in place of an older one of its index. */
void vaults_open(struct core *core, const struct ipc_peer *peer, int *fd);
void vaults_gone(struct core *core, unsigned index);

/* Hands a sign-in over; its lane is set. It may end in here: queue full. */
void vaults_verify(struct attempt *attempt);
/* How many wait in the lane. */
size_t vaults_waiting(const struct core *core, enum ipc_lane lane);
/* Takes it back, wherever it is. */
void vaults_cancel(struct core *core, struct attempt *attempt);

/* To the desk vault; GP_ERR_CLOSED if there is none now, GP_ERR_BUSY. */
enum gp_err vaults_send_desk(
	struct core *core, const struct ipc_message *message, int fd) GP_CHECKED;
/* What was sent to it in this turn leaves now. */
void vaults_push_desk(struct core *core);
/* Waits until it has all that was sent, or ms passed: before the end. */
void vaults_flush_desk(struct core *core, int64_t ms);
/* Tells all vaults how far the clock is moved. */
void vaults_tell_clock(struct core *core);
/* Stops and restarts reading from the desk: a CLI is slower than it. */
void vaults_pause_desk(struct core *core, bool is_paused);

#endif
