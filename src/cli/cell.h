/* SPDX-License-Identifier: ISC */
/* One value of a row as text for people. */
#ifndef GP_CLI_CELL_H
#define GP_CLI_CELL_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/verb.h"

enum {
	CELL_TEXT_MAX = 4096 /* bytes of one value; longer text is cut */
};

/* value: NULL and null give "". Not escaped yet: it may be a peer's. */
enum gp_err cell_format(json_t *value, enum cell kind, struct buf *out) GP_CHECKED;

#endif
