/* SPDX-License-Identifier: ISC */
/* Between smtp_transaction.c, which has the envelope and the next hop, and smtp_transfer.c, which
 * has the message. */
#ifndef GP_FRONT_SMTP_TRANSACTION_PRIVATE_H
#define GP_FRONT_SMTP_TRANSACTION_PRIVATE_H

#include "front/smtp_transaction.h"

bool smtp_transaction_has_client(const struct smtp_transaction *tx);
/* 451 to the action that pauses the engine, in its turn behind those that are owed. */
void smtp_transaction_refuse_temporary(struct smtp_transaction *tx);
/* The next hop's reply to the oldest action without one, as the client may see it. */
void smtp_transaction_pass_on(
	struct smtp_transaction *tx, enum smtp_command command, const struct smtp_reply *reply);
/* The next hop is gone, could not be had, or is not to go on: everything that is owed is answered
 * 451. */
void smtp_transaction_lose(struct smtp_transaction *tx);
/* After a command for the next hop, in answer to the action that pauses the engine. */
bool smtp_transaction_is_sent(struct smtp_transaction *tx, enum gp_err err);

/* The next hop's reply to DATA, and to the end of the message. */
void smtp_transfer_on_data(struct smtp_transaction *tx, const struct smtp_reply *reply);
void smtp_transfer_on_end(struct smtp_transaction *tx, const struct smtp_client_event *event);
/* It was lost: the transaction comes to nothing, as far as anybody knows. */
void smtp_transfer_on_lost(struct smtp_transaction *tx);
/* What was noticed of the message is forgotten. */
void smtp_transfer_forget(struct smtp_transaction *tx);

#endif
