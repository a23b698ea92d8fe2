/* SPDX-License-Identifier: ISC */
/* One operation asked of gatepost-core over its control socket, blocking. */
#ifndef GP_CLI_CLIENT_H
#define GP_CLI_CLIENT_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"
#include "ops/ops.h"

enum {
	CLIENT_WHY_SIZE = 1025
};

/* What came back while it ran; owner: of the callbacks. */
struct client_ops {
	void (*on_row)(json_t *row, void *owner); /* borrowed; json_incref() to keep */
	void (*on_progress)(uint64_t done, uint64_t total, void *owner);
};

/* How it ended. */
struct client_end {
	enum gp_err err;
	char why[CLIENT_WHY_SIZE]; /* for people; "" with GP_OK */
};

/* A connected descriptor. GP_ERR_CLOSED: nobody listens there. */
enum gp_err client_open(const char *path, int *ret_fd, struct gp_why *why) GP_CHECKED;
/* values: the arguments. passed: a descriptor that goes along, or -1. */
struct client_end client_run(int fd, enum ops_id op, const json_t *values, int passed,
	const struct client_ops *ops, void *owner);

#endif
