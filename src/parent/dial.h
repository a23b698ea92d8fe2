/* SPDX-License-Identifier: ISC */
/*
 * Connections to backends and to the portal, made for fronts, which may not: a front names a
 * backend and a host of it by their numbers and so reaches configured addresses only, and the
 * servers of mailboxes only for sessions that core let in. Process: gatepostd.
 */
#ifndef GP_PARENT_DIAL_H
#define GP_PARENT_DIAL_H

#include "parent/worker.h"

enum {
	DIAL_MAX = 2048, /* of one front at a time; more are answered EAGAIN */
};

struct dialer;

struct dialer *dialer_new(struct parent *parent);
void dialer_free(struct dialer **pdialer);

/* Answered by DIALED. The addresses of a host are tried in turn, all within connect_timeout. */
void dial_start(struct dialer *dialer, struct worker *front, const struct ipc_dial *message);
/* The same for a mailbox, at core's word. */
void dial_mailbox(
	struct dialer *dialer, struct worker *front, const struct ipc_dial_mailbox *message);
/* A pair of sockets between this front and the portal. */
void dial_web(struct worker *front, const struct ipc_dial_web *message);
/* The front is gone: its dials are given up. */
void dial_drop(struct dialer *dialer, const struct worker *front);

#endif
