/* SPDX-License-Identifier: ISC */
/*
 * A copy of a message on its way to rspamd, beside the one to the next hop; and rspamd's verdict.
 * Nothing here slows or loses mail: an rspamd that is away, slow or talks nonsense gives no verdict
 * (FILTER_NONE), which is counted and logged, and that is all.
 *
 *	smtp_filter_new()	MAIL of somebody signed in
 *	smtp_filter_recipient()	each RCPT
 *	smtp_filter_open()	354: rspamd is connected to; then the message, piece by piece
 *	smtp_filter_end()	its end is there: on_verdict() follows, from the loop
 *
 * What rspamd does not take at once is kept: rspamd_max_size of a message, SMTP_FILTER_HELD_MAX for
 * all of a front's; beyond that the message goes unseen.
 */
#ifndef GP_FRONT_SMTP_FILTER_H
#define GP_FRONT_SMTP_FILTER_H

#include "front/session.h"

enum {
	SMTP_FILTER_HELD_MAX = 64 * 1024 * 1024, /* bytes that wait for rspamd, of one front */
	SMTP_FILTER_HEAD_MAX = 512 * 1024,       /* the request's head, recipients included */
	SMTP_FILTER_SAY_MS = 60 * 1000,          /* a fault is logged once in this time */
};

struct smtp_filter;

typedef void smtp_filter_verdict_fn(void *owner);

/* NULL: there is no rspamd. Everything else does nothing with NULL. */
struct smtp_filter *smtp_filter_new(struct session *session, struct slice sender, const char *helo);
void smtp_filter_free(struct smtp_filter **pfilter);

void smtp_filter_recipient(struct smtp_filter *filter, struct slice recipient);
void smtp_filter_open(struct smtp_filter *filter);
/* Part of the message, dots doubled, as the client sent it. */
void smtp_filter_body(struct smtp_filter *filter, struct slice wire);
/* false: the verdict is there, or there will be none; on_verdict() is not called then. */
bool smtp_filter_end(struct smtp_filter *filter, smtp_filter_verdict_fn *on_verdict, void *owner);
enum filter smtp_filter_verdict(const struct smtp_filter *filter);

#endif
