/* SPDX-License-Identifier: ISC */
/*
 * Packets of a channel: those that wait for a slow peer, and those that have arrived and wait for
 * their turn. What is received lands in packets that the process keeps for it and uses again: they
 * belong to no channel while nothing is in them. Process: all.
 */
#ifndef GP_IPC_PACKET_H
#define GP_IPC_PACKET_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
	PACKET_BATCH = 4, /* packets that one system call receives at most */
	PACKET_SPARE = 8, /* empty ones of full size that are kept */
};

struct packet {
	STAILQ_ENTRY(packet) link;
	int fd;         /* what came or goes along, owned; -1: nothing */
	bool is_broken; /* it was longer than allowed, or several descriptors came along */
	size_t room;    /* of bytes */
	size_t len;
	char bytes[];
};

STAILQ_HEAD(packet_list, packet);

/* An empty one with room for len bytes (1 to IPC_PACKET_MAX) and no descriptor. */
struct packet *packet_new(size_t len);
/* Takes the first one out of the list; wipes it and closes its descriptor. */
void packet_drop(struct packet_list *list);
void packet_drop_all(struct packet_list *list);

/*
 * Appends to the list what waits in the socket, PACKET_BATCH packets at most; does not wait.
 * GP_OK: there may be more. GP_ERR_AGAIN: that was all there is now; GP_ERR_CLOSED: that was all,
 * the peer is gone.
 */
enum gp_err packet_receive(int fd, struct packet_list *list) GP_CHECKED;

#endif
