/* SPDX-License-Identifier: ISC */
/*
 * Asks gatepostd for connected sockets: a front can not connect by itself. One struct dial is one
 * request, embedded in its owner. To the servers of mailboxes gatepostd connects at core's word
 * only: those requests are waited for here, and asked through core.
 */
#ifndef GP_FRONT_DIALER_H
#define GP_FRONT_DIALER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/map.h"
#include "event/loop.h"
#include "ipc/chan.h"

struct dialer;
struct dial;

/* *fd: the connected socket, taken by setting it to -1; or -1 and errno_value. From the loop, never
 * from inside dialer_start(). The dial is over and may be started again. */
typedef void dialer_done_fn(struct dial *dial, int *fd, int errno_value);

struct dial {
	struct map_node node;
	uint64_t request;
	bool is_waiting;
	struct ipc_dialed answer; /* gatepostd's last one; all 0: it was silent */
	struct dialer *dialer;
	struct loop_timer timer;
	dialer_done_fn *on_done;
	void *owner;
};

/* parent: borrowed. */
struct dialer *dialer_new(struct loop *loop, struct chan *parent);
/* Every dial must be finished. */
void dialer_free(struct dialer **pdialer);

void dialer_init_dial(
	struct dialer *dialer, struct dial *dial, dialer_done_fn *on_done, void *owner);
void dialer_fini_dial(struct dial *dial); /* forgets it */

void dialer_start(struct dial *dial, uint64_t generation, unsigned backend, unsigned member,
	int64_t timeout_ms);
/* Waits under a fresh request, for as long as it takes: whoever asks has still to do so. */
void dialer_expect(struct dial *dial);
/* From now on for so long; 0: no longer than this turn. */
void dialer_limit(struct dial *dial, int64_t timeout_ms);
/* Gives a waiting dial up; a socket that comes late is closed. */
void dialer_forget(struct dial *dial);
/* A pair of sockets with gatepost-web at the other end. client: where the browser is. */
void dialer_start_web(
	struct dial *dial, const struct ip *client, uint16_t client_port, int64_t timeout_ms);
/* gatepostd's answer. */
void dialer_on_dialed(struct dialer *dialer, const struct ipc_dialed *dialed, int *fd);

#endif
