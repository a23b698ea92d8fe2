/* SPDX-License-Identifier: ISC */
/*
 * What an SMTP session may send: the answers to MAIL and RCPT.
 *
 *	signed in		as sending_mail.h has it, by the route of the account
 *	relay_networks		yes; own domains by their incoming route, others by the default one
 *	else on port 25		to own domains only, by their incoming route
 *	else			no
 */
#ifndef GP_CORE_MAIL_H
#define GP_CORE_MAIL_H

#include "config/config.h"
#include "core/session.h"

void mail_on_sender(struct core *core, struct session *session, const struct ipc_mail *mail);
void mail_on_recipient(struct core *core, struct session *session, struct slice recipient);
/* addresses: of the header's From: field, with commas between. */
void mail_on_from(struct core *core, struct session *session, struct slice addresses);
/* The whole message is there, and the spam filter says this of it. */
void mail_on_end(struct core *core, struct session *session, enum filter filter);

/* The answers. backend: with PERMIT_YES; NULL: there is none, which is our own fault. text: may be
 * NULL. */
/* size, is_lease: as in MAIL_REPLY. */
void mail_reply_sender(struct core *core, struct session *session, enum permit permit,
	uint64_t size, bool is_lease);
void mail_reply_recipient(struct core *core, struct session *session, enum permit permit,
	const struct config_backend *backend, const char *text);
/* PERMIT_YES, to somebody signed in. wants_body: as in RCPT_REPLY. */
void mail_permit_recipient(struct core *core, struct session *session,
	const struct config_backend *backend, bool wants_body);
void mail_reply_from(struct core *core, struct session *session, enum permit permit);
void mail_reply_end(struct core *core, struct session *session, enum permit permit);

#endif
