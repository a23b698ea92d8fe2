/* SPDX-License-Identifier: ISC */
/* gatepost sending replay: past traffic through the policy of sending. Needs no daemon. */
#ifndef GP_CLI_SENDING_REPLAY_H
#define GP_CLI_SENDING_REPLAY_H

#include <stddef.h>

#include "base/buf.h"
#include "cli/args.h"

/* config_path: read if it is there; without it the defaults hold, unless it was asked for. width:
 * of the terminal, 0 if it is none. */
enum gp_err sending_replay_run(const struct args *args, const char *config_path, size_t width,
	struct buf *out, struct gp_why *why) GP_CHECKED;

#endif
