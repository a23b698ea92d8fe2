/* SPDX-License-Identifier: ISC */
/* config check and config show: what needs no daemon. */
#ifndef GP_CLI_LOCAL_H
#define GP_CLI_LOCAL_H

#include "base/buf.h"
#include "cli/args.h"
#include "config/config.h"

/* config check tells what is wrong in out, with GP_ERR_CONFIG; why is "" then. */
enum gp_err local_run(const struct args *args, const char *config_path, struct buf *out,
	struct gp_why *why) GP_CHECKED;

/* All values as one object; times and sizes in the unit of their option. The caller owns it. */
json_t *local_config_json(const struct config *config);

#endif
