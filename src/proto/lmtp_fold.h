/* SPDX-License-Identifier: ISC */
/*
 * LMTP (RFC 2033 section 4.2) answers the end of a message once for each accepted recipient; SMTP
 * clients know one answer. Folded: all accepted, or the gravest refusal, which then names the
 * recipients who did not get the message, so that its sender knows.
 */
#ifndef GP_PROTO_LMTP_FOLD_H
#define GP_PROTO_LMTP_FOLD_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "proto/reply.h"

struct lmtp_fold;

struct lmtp_fold *lmtp_fold_new(void);
void lmtp_fold_free(struct lmtp_fold **pfold);

/* MAIL or RSET: the recipients so far are off. Those whose reply is still to come stay asked. */
void lmtp_fold_reset(struct lmtp_fold *fold);
/* RCPT goes out, if there is room for its recipient; then its reply, in order. */
bool lmtp_fold_has_room(const struct lmtp_fold *fold, struct slice recipient);
void lmtp_fold_asked(struct lmtp_fold *fold, struct slice recipient);
void lmtp_fold_answered(struct lmtp_fold *fold, bool is_accepted);
/* One reply to the end of the message. true: it was the last, and *reply is the folded one. false
 * with no recipient left: a reply too many. */
bool lmtp_fold_take(struct lmtp_fold *fold, struct smtp_reply *reply);
bool lmtp_fold_is_empty(const struct lmtp_fold *fold); /* nobody accepted, or all answered */

#endif
