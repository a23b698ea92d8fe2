/* SPDX-License-Identifier: ISC */
/* config check, config show and sending replay: what needs no daemon. */
#ifndef GP_CLI_LOCAL_H
#define GP_CLI_LOCAL_H

#include "base/buf.h"
#include "cli/args.h"
#include "config/config.h"

/* width: of the terminal, 0 if it is none. config check tells what is wrong in out, with
 * GP_ERR_CONFIG; why is "" then. */
enum gp_err local_run(const struct args *args, const char *config_path, size_t width,
	struct buf *out, struct gp_why *why) GP_CHECKED;

/* All values as one object; times and sizes in the unit of their option. The caller owns it. */
json_t *local_config_json(const struct config *config);

#endif
