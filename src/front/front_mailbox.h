/* SPDX-License-Identifier: ISC */
/*
 * IMAP and POP3: the dialogue up to sign-in, the sign-in here and at the backend, then bytes are
 * passed both ways and nothing is parsed any more.
 *
 *	LOGIN --[ask core]--> ASKING --[VERDICT_OK]--> OPENING --[backend ready]--> RELAY
 *	ASKING --[any other verdict]--> LOGIN
 *	OPENING --[backend down or refuses]--> LOGIN, the sign-in is undone
 */
#ifndef GP_FRONT_FRONT_MAILBOX_H
#define GP_FRONT_FRONT_MAILBOX_H

#include "front/session.h"

extern const struct session_protocol front_mailbox_imap;
extern const struct session_protocol front_mailbox_pop3;

#endif
