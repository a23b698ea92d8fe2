/* SPDX-License-Identifier: ISC */
/*
 * Tells a banned client why, in its protocol, and closes. On a port with implicit TLS that takes a
 * handshake, or nobody could read it; so few at a time are told.
 */
#ifndef GP_FRONT_REFUSAL_H
#define GP_FRONT_REFUSAL_H

#include "front/front.h"
#include "proto/haproxy.h"

struct refusals;

enum {
	REFUSAL_OPEN_MAX = 64,
	REFUSAL_HANDSHAKE_MS = 5000,
};

struct refusals *refusal_new_set(struct front *front);
void refusal_free_set(struct refusals **prefusals);

/* Takes *fd, or leaves it when too many are being told. */
void refusal_say(struct refusals *refusals, struct settings *settings, unsigned listener, int *fd,
	const struct haproxy_header *peer, int64_t ban_ms);

#endif
