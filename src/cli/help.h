/* SPDX-License-Identifier: ISC */
/* What --help prints, made from the table of verb.h. */
#ifndef GP_CLI_HELP_H
#define GP_CLI_HELP_H

#include "base/buf.h"
#include "cli/verb.h"

/* All of it (both NULL), of one noun, or of one verb. */
enum gp_err help_format(const char *noun, const struct verb *verb, struct buf *out) GP_CHECKED;

#endif
