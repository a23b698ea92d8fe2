/* SPDX-License-Identifier: ISC */
/*
 * The listening sockets: accept() in small batches, so that fronts share the load; the ban check
 * before anything costly; rest while the process is full or out of descriptors.
 */
#ifndef GP_FRONT_LISTEN_H
#define GP_FRONT_LISTEN_H

#include "front/front.h"
#include "proto/haproxy.h"

enum {
	LISTEN_BATCH = 16,     /* connections taken from one socket per turn */
	LISTEN_REST_MS = 100,  /* after EMFILE, or while full */
	LISTEN_SPARE_FDS = 64, /* kept for channels, listeners and dials */
};

/* Raises the soft limit of descriptors to the hard one and says how many sessions fit: each may
 * need a second descriptor for its backend. Before the jail. */
size_t listen_find_capacity(void);

struct listen *listen_new(struct front *front, size_t capacity);
void listen_free(struct listen **plisten);

/* Takes *fd; listener: index in the settings in force. */
void listen_add(struct listen *listen, unsigned listener, int *fd);
void listen_reset(struct listen *listen); /* closes all */

/* For proxy_arrival.c: the client's address is known now. Takes *fd: refuses it if its source is
 * banned, makes a session of it otherwise. */
void listen_admit(struct listen *listen, struct settings *settings, unsigned listener, int *fd,
	const struct haproxy_header *peer);

#endif
