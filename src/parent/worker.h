/* SPDX-License-Identifier: ISC */
/*
 * One child process and the place it fills: front 0, core, vault 2 and so on. When the process dies
 * the place stays and gets a new one.
 */
#ifndef GP_PARENT_WORKER_H
#define GP_PARENT_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "event/loop.h"
#include "ipc/chan.h"
#include "parent/parent.h"

enum worker_state {
	WORKER_DOWN,     /* no process; restart is set unless we are stopping */
	WORKER_STARTING, /* has its first configuration, not yet READY */
	WORKER_UP,
	WORKER_LEAVING, /* was told to STOP */
};

enum {
	/* Each worker that is up is asked this often whether it is there. */
	WORKER_PING_MS = 1000,
	/* So many questions without an answer, and it is taken to hang and killed. Counted in
	 * questions, not in time: where the whole machine slept, nobody is to blame. */
	WORKER_SILENT_MAX = 5,
	/* A vault whose work may take long: hashing, or waiting for another writer. More than a
	 * sign-in is waited for. */
	WORKER_SILENT_AT_WORK_MAX = 15,
	/* A worker's word against core is believed once in so long a time. */
	WORKER_ACCUSE_MS = 600 * 1000,
};

struct worker {
	struct parent *parent;
	enum ipc_role role;
	enum ipc_lane lane;
	unsigned index;
	char name[24];  /* "vault.2" */
	bool is_wanted; /* the configuration asks for it */
	enum worker_state state;
	pid_t pid;         /* 0: none, or reaped */
	int exit_status;   /* as waitpid(2) gave it */
	struct chan *chan; /* NULL: none, or ended */
	uint64_t pushed;   /* generation sent last */
	uint64_t taken;    /* generation it serves */
	bool is_connected; /* has its channels to the others */
	bool is_awaited;   /* reload.c waits for its READY */
	int64_t started_at;
	unsigned quick_deaths; /* in a row */
	uint64_t pings;        /* sent to this process */
	uint64_t pongs;        /* number of the last that was answered */
	int64_t accused_at;    /* core, by this place; 0: never */
	struct loop_timer restart;
	struct loop_timer kill_timer;
	struct loop_timer ping;
};

void worker_init(struct worker *worker, struct parent *parent, enum ipc_role role,
	enum ipc_lane lane, unsigned index);
void worker_fini(struct worker *worker);

void worker_start(struct worker *worker);
/* STOP, and SIGKILL when grace_ms and a little more are over. */
void worker_stop(struct worker *worker, unsigned grace_ms);
/* By its id, at once. */
void worker_kill(struct worker *worker, const char *why);
/* Sends this generation; crew_on_ready() tells what came of it. */
void worker_push(struct worker *worker, const struct generation *generation);
/* A worker that does not take what it must have is killed. */
void worker_send(struct worker *worker, const struct ipc_message *message, int fd);
/* waitpid(2) returned its id. */
void worker_on_exit(struct worker *worker, int status);

#endif
