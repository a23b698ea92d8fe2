/* SPDX-License-Identifier: ISC */
/*
 * Operations with a secret that is compared (ops_has_guess()): a code, the old password, a link's
 * token. Each is a guess like a sign-in, and takes the same way (signin.h): a place in the windows
 * of its source is reserved before the desk vault sees it, and used up if the vault says
 * GP_ERR_DENIED.
 */
#ifndef GP_CORE_GUARDED_H
#define GP_CORE_GUARDED_H

#include "base/err.h"
#include "core/caller.h"
#include "ipc/message.h"
#include "ops/ops.h"

struct op;

/* question: what the vault is asked when there is a place; copied. The end comes by op_finish(),
 * perhaps at once. */
void guarded_begin(struct op *op, enum ops_id id, const struct caller *caller,
	const struct ipc_message *question);
/* The vault's answer. */
void guarded_on_done(struct op *op, enum gp_err err, struct slice why);

#endif
