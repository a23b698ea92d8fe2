/* SPDX-License-Identifier: ISC */
/* What `gatepost sending replay` prints: for people, or as one JSON object. */
#ifndef GP_CLI_REPLAY_REPORT_H
#define GP_CLI_REPLAY_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "cli/replay.h"

/* Accounts for which something would have happened; all of them in the sums. width: of the
 * terminal, 0: unlimited. */
enum gp_err replay_report_people(
	const struct replay *replay, uint64_t too_long, size_t width, struct buf *out) GP_CHECKED;
enum gp_err replay_report_json(
	const struct replay *replay, uint64_t too_long, struct buf *out) GP_CHECKED;

#endif
