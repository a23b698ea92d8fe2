/* SPDX-License-Identifier: ISC */
/* Questions to whoever sits at the terminal, and passwords from standard input. */
#ifndef GP_CLI_ASK_H
#define GP_CLI_ASK_H

#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"

/* On a terminal: asked for twice, without echo. Else the first line of standard input. Never empty.
 * The caller owns *ret_password. */
enum gp_err ask_password(struct secret **ret_password, struct gp_why *why) GP_CHECKED;
/* Yes? True without asking if nobody sits at a terminal. */
bool ask_confirm(const char *question);

#endif
