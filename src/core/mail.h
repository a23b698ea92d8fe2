/* SPDX-License-Identifier: ISC */
/*
 * What an SMTP session may send: the answers to MAIL and RCPT.
 *
 *	signed in		yes, by the route of the account; a blocked account: PERMIT_BLOCKED
 *	relay_networks		yes; own domains by their incoming route, others by the default one
 *	else on port 25		to own domains only, by their incoming route
 *	else			no
 */
#ifndef GP_CORE_MAIL_H
#define GP_CORE_MAIL_H

#include "core/session.h"

void mail_on_sender(struct core *core, struct session *session);
void mail_on_recipient(struct core *core, struct session *session, struct slice recipient);
/* addresses: of the header's From: field, with commas between. */
void mail_on_from(struct core *core, struct session *session, struct slice addresses);

#endif
