/* SPDX-License-Identifier: ISC */
/*
 * The store and the pepper belong together: both are made at the first start, when neither is
 * there. One without the other is no first start but a disk that is not mounted or a file that was
 * lost, and a fresh one in its place would make passwords wrong: then gatepostd does not start.
 * Process: gatepostd.
 */
#ifndef GP_PARENT_FIRST_START_H
#define GP_PARENT_FIRST_START_H

#include <stdbool.h>

#include "base/err.h"
#include "config/config.h"

/* GP_ERR_CONFIG if one of the two is missing. A store without a byte in it is none yet. */
enum gp_err first_start_check(const struct config *config, struct gp_why *why) GP_CHECKED;
/* Makes what is missing of state_dir, store and pepper; the first two for the vaults' user. */
enum gp_err first_start_make(const struct config *config, struct gp_why *why) GP_CHECKED;

#endif
