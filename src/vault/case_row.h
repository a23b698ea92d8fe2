/* SPDX-License-Identifier: ISC */
/* Rows about cases and what was sent, for the owner and for staff; ops/ops.def has their keys. */
#ifndef GP_VAULT_CASE_ROW_H
#define GP_VAULT_CASE_ROW_H

#include "vault/case.h"

enum {
	CASE_SOURCES_SHOWN = 10,
	CASE_SENT_DEFAULT = 20,
};

/* Adds what was sent since the case began: sums, and "networks". */
enum gp_err case_row_add_sent(
	struct desk_op *op, const struct store_case *found, json_t *row) GP_CHECKED;
/* Rows of sending.sent, from the arguments "limit" and "before". */
enum gp_err case_row_send_sent(struct desk_op *op, const struct store_case *found) GP_CHECKED;
/* "points" and "reasons" of what the policy said; of staff's words none. */
void case_row_add_reasons(const struct store_case *found, json_t *row);
/* A row of sending.list, without what was sent. */
json_t *case_row_of(const struct store_case *found);

#endif
