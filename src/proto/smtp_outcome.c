/* SPDX-License-Identifier: ISC */
#include "proto/smtp_outcome.h"

#include <stddef.h>

#include "base/check.h"

struct rule {
	const char *enhanced; /* without its class, which is 5 */
	enum rcpt_outcome at_rcpt;
	enum rcpt_outcome at_message;
};

/* What is not here is RCPT_REFUSED. */
static const struct rule by_enhanced[] = {
	{ "1.1", RCPT_UNKNOWN, RCPT_UNKNOWN },  /* bad destination mailbox address */
	{ "1.2", RCPT_UNKNOWN, RCPT_UNKNOWN },  /* bad destination system address */
	{ "1.6", RCPT_UNKNOWN, RCPT_UNKNOWN },  /* mailbox has moved, no forwarding address */
	{ "1.10", RCPT_UNKNOWN, RCPT_UNKNOWN }, /* domain takes no mail: null MX */
	{ "2.1", RCPT_UNKNOWN, RCPT_UNKNOWN },  /* mailbox disabled */
	{ "4.4", RCPT_UNKNOWN, RCPT_UNKNOWN },  /* unable to route: no such domain */
	{ "7.0", RCPT_REFUSED, RCPT_SPAM },     /* other security status: content filters */
	{ "7.1", RCPT_REFUSED, RCPT_SPAM },     /* not authorized, message refused */
	{ "7.28", RCPT_SPAM, RCPT_SPAM },       /* mail flood detected */
};

/* Of a reply without an enhanced code. */
static enum rcpt_outcome by_code(enum smtp_answered answered, unsigned code)
{
	bool is_mailbox = code == 550 || code == 551;

	return answered == SMTP_ANSWERED_RCPT && is_mailbox ? RCPT_UNKNOWN : RCPT_REFUSED;
}

enum rcpt_outcome smtp_outcome(enum smtp_answered answered, const struct smtp_reply *reply)
{
	struct slice enhanced = slice_str(reply->enhanced);

	if (reply->code / 100 == 2)
		return RCPT_DELIVERED;
	if (reply->code / 100 != 5)
		return RCPT_REFUSED;
	if (enhanced.len == 0)
		return by_code(answered, reply->code);
	for (size_t i = 0; i < GP_ARRAY_LEN(by_enhanced); i++) {
		const struct rule *rule = &by_enhanced[i];

		if (slice_is(slice_from(enhanced, 2), rule->enhanced))
			return answered == SMTP_ANSWERED_RCPT ? rule->at_rcpt : rule->at_message;
	}
	return RCPT_REFUSED;
}
