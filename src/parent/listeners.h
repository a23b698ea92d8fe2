/* SPDX-License-Identifier: ISC */
/*
 * The listening sockets. Each front has sockets of its own on every address (SO_REUSEPORT), so that
 * the kernel spreads connections evenly and wakes one front for each; gatepostd keeps them open, so
 * that a front that died finds its queue again. A reload takes over what is bound already, and so
 * drops no connection. Sockets from the service manager (LISTEN_FDS, named as the listener) are
 * shared by all fronts.
 *
 * Process: gatepostd.
 */
#ifndef GP_PARENT_LISTENERS_H
#define GP_PARENT_LISTENERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/config.h"

struct listeners;

/* Takes the sockets of the service manager out of the environment. First thing in main(), before
 * other descriptors are opened. */
void listeners_init(void);

/* Binds all addresses of config for this many fronts. old (may be NULL) stays whole. */
enum gp_err listeners_bind(const struct config *config, unsigned fronts,
	const struct listeners *old, struct listeners **ret_listeners,
	struct gp_why *why) GP_CHECKED;
void listeners_free(struct listeners **plisteners);

struct listeners_socket {
	uint16_t listener;   /* index in config */
	const char *address; /* "192.0.2.1", "::" */
	int fd;
};

size_t listeners_count(const struct listeners *listeners);
/* The n-th socket of this front; borrowed. */
struct listeners_socket listeners_get(const struct listeners *listeners, size_t n, unsigned front);

#endif
