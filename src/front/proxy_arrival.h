/* SPDX-License-Identifier: ISC */
/*
 * Connections of a listener that requires a PROXY header, until the header is there. It is read
 * here, on the bare socket and not a byte further, because TLS may begin with the next one.
 */
#ifndef GP_FRONT_PROXY_ARRIVAL_H
#define GP_FRONT_PROXY_ARRIVAL_H

#include "front/front.h"
#include "proto/haproxy.h"

struct proxy_arrivals;

enum {
	PROXY_ARRIVAL_MS = 5000 /* for the header to come */
};

struct proxy_arrivals *proxy_arrival_new_set(struct front *front, struct listen *listen);
void proxy_arrival_free_set(struct proxy_arrivals **parrivals);
size_t proxy_arrival_count(const struct proxy_arrivals *arrivals);

/* Takes *fd. peer: the proxy's address and ours. Ends in listen_admit(), or with the connection
 * closed and noted. */
void proxy_arrival_new(struct proxy_arrivals *arrivals, struct settings *settings,
	unsigned listener, int *fd, const struct haproxy_header *peer);

#endif
