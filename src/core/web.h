/* SPDX-License-Identifier: ISC */
/*
 * Core's end of the channel to the portal. It brings what browsers and hosting panels ask (CALL)
 * with their credential as it came; who that is and what it may is decided here (caller.h,
 * portal.h). The portal itself is believed nothing but the client's address.
 */
#ifndef GP_CORE_WEB_H
#define GP_CORE_WEB_H

#include "ipc/message.h"

enum {
	WEB_OPS_MAX = 512, /* under way at once */
};

struct core;

/* Takes *fd: a channel to a fresh portal, in place of an older one of its index. */
void web_open(struct core *core, const struct ipc_peer *peer, int *fd);
void web_gone(struct core *core, unsigned index);

#endif
