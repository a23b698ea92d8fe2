/* SPDX-License-Identifier: ISC */
/*
 * What a next hop's reply says of a recipient or of a message: that there is no such mailbox, that
 * it is spam, or nothing that tells an owner from a thief. By the enhanced code (RFC 3463, 5248,
 * 7372, 7505) where there is one, else by the reply code (RFC 5321 section 4.2.3). Pure.
 */
#ifndef GP_PROTO_SMTP_OUTCOME_H
#define GP_PROTO_SMTP_OUTCOME_H

#include "base/terms.h"
#include "proto/reply.h"

/* What was answered. */
enum smtp_answered {
	SMTP_ANSWERED_RCPT,
	SMTP_ANSWERED_MESSAGE, /* its end; LMTP: for one recipient */
};

/*
 * 2xx is RCPT_DELIVERED, for RCPT too. A temporary refusal says nothing: RCPT_REFUSED. Refused as
 * spam is a message only: 5.7.1 to RCPT is most often a rule about who may write to whom.
 */
enum rcpt_outcome smtp_outcome(enum smtp_answered answered, const struct smtp_reply *reply);

#endif
