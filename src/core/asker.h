/* SPDX-License-Identifier: ISC */
/*
 * Who asks for operations: CLIs on their socket (cli.h), and the portal (web.h). Askers are known
 * by number, never by pointer: an answer for one that left finds nobody and ends there.
 *
 * What an asker does not take yet waits in its outbox, and the desk vault is not heard meanwhile,
 * so that the longest list passes through a small memory. One that takes nothing is cut.
 */
#ifndef GP_CORE_ASKER_H
#define GP_CORE_ASKER_H

#include <bsd/sys/queue.h>
#include <stddef.h>
#include <stdint.h>

#include "event/loop.h"
#include "ipc/chan.h"

enum {
	ASKER_NAME_SIZE = 32,
	ASKER_OUTBOX_MAX = 64 * 1024 * 1024, /* bytes; lists of core's own are made at once */
	ASKER_STUCK_MS = 5000,               /* takes nothing for this long: cut */
	ASKER_STEP_MS = 5,
};

struct core;
struct asker;
struct asker_packet;

/* What kind of asker it is. */
struct asker_kind {
	enum ipc_role role;
	size_t ops_max; /* under way at once */
	void (*on_message)(struct asker *asker, const struct ipc_message *message, int fd);
};

struct asker {
	TAILQ_ENTRY(asker) link;
	struct core *core;
	uint64_t id; /* from 1 */
	const struct asker_kind *kind;
	unsigned index; /* and pid: of a portal process */
	unsigned pid;
	struct chan *chan;
	size_t ops;                 /* under way at the vault or gatepostd */
	char name[ASKER_NAME_SIZE]; /* "cli:0": also the actor in the audit, for a CLI */
	STAILQ_HEAD(asker_packets, asker_packet) outbox;
	size_t outbox_bytes;
	int64_t stuck_ms;
};

struct askers {
	TAILQ_HEAD(asker_list, asker) all;
	uint64_t last_id;
	struct loop_timer step;
};

void asker_init(struct core *core);
void asker_fini(struct core *core);

/* Takes *fd. kind must outlive it. */
struct asker *asker_open(struct core *core, int *fd, const struct asker_kind *kind, unsigned index,
	const char *name);
void asker_close(struct asker **pasker);
struct asker *asker_find(struct core *core, uint64_t id);
/* How many of this role there are. */
size_t asker_count(const struct core *core, enum ipc_role role);
/* Fine for one that left. */
void asker_send(struct core *core, uint64_t id, const struct ipc_message *message);

#endif
