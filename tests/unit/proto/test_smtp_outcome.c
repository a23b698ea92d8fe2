/* SPDX-License-Identifier: ISC */
/* Promise: a recipient counts as unknown, a message as spam, only where the next hop's codes say
 * so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "proto/smtp_outcome.h"

struct outcome_case {
	unsigned code;
	const char *enhanced;
	enum rcpt_outcome at_rcpt;
	enum rcpt_outcome at_message;
};

static const struct outcome_case cases[] = {
	{ 250, "2.1.5", RCPT_DELIVERED, RCPT_DELIVERED },
	{ 250, "", RCPT_DELIVERED, RCPT_DELIVERED },
	{ 251, "", RCPT_DELIVERED, RCPT_DELIVERED },
	{ 200, "", RCPT_DELIVERED, RCPT_DELIVERED },
	{ 299, "", RCPT_DELIVERED, RCPT_DELIVERED },
	/* No such mailbox, in the words of Postfix, Exim, Dovecot and Exchange. */
	{ 550, "5.1.1", RCPT_UNKNOWN, RCPT_UNKNOWN },
	{ 550, "5.1.10", RCPT_UNKNOWN, RCPT_UNKNOWN },
	{ 500, "5.1.1", RCPT_UNKNOWN, RCPT_UNKNOWN },
	{ 599, "5.1.1", RCPT_UNKNOWN, RCPT_UNKNOWN },
	{ 556, "5.1.10", RCPT_UNKNOWN, RCPT_UNKNOWN },
	{ 550, "5.1.2", RCPT_UNKNOWN, RCPT_UNKNOWN },
	{ 551, "5.1.6", RCPT_UNKNOWN, RCPT_UNKNOWN },
	{ 550, "5.2.1", RCPT_UNKNOWN, RCPT_UNKNOWN },
	{ 550, "5.4.4", RCPT_UNKNOWN, RCPT_UNKNOWN },
	{ 550, "", RCPT_UNKNOWN, RCPT_REFUSED },
	{ 551, "", RCPT_UNKNOWN, RCPT_REFUSED },
	/* Spam, at the end of the message. */
	{ 554, "5.7.1", RCPT_REFUSED, RCPT_SPAM },
	{ 550, "5.7.1", RCPT_REFUSED, RCPT_SPAM },
	{ 554, "5.7.0", RCPT_REFUSED, RCPT_SPAM },
	{ 550, "5.7.28", RCPT_SPAM, RCPT_SPAM },
	/* Neither. */
	{ 550, "5.1.11", RCPT_REFUSED, RCPT_REFUSED },
	{ 501, "5.1.3", RCPT_REFUSED, RCPT_REFUSED },
	{ 550, "5.1.8", RCPT_REFUSED, RCPT_REFUSED },
	{ 552, "5.2.2", RCPT_REFUSED, RCPT_REFUSED },
	{ 552, "5.3.4", RCPT_REFUSED, RCPT_REFUSED },
	{ 550, "5.7.26", RCPT_REFUSED, RCPT_REFUSED },
	{ 550, "5.7.2", RCPT_REFUSED, RCPT_REFUSED },
	{ 550, "5.0.0", RCPT_REFUSED, RCPT_REFUSED },
	{ 550, "5.6.0", RCPT_REFUSED, RCPT_REFUSED },
	{ 552, "", RCPT_REFUSED, RCPT_REFUSED },
	{ 553, "", RCPT_REFUSED, RCPT_REFUSED },
	{ 554, "", RCPT_REFUSED, RCPT_REFUSED },
	{ 503, "5.5.1", RCPT_REFUSED, RCPT_REFUSED },
	/* Not for good: greylisting, an address that is being verified, a full mailbox. */
	{ 450, "4.1.1", RCPT_REFUSED, RCPT_REFUSED },
	{ 450, "4.7.1", RCPT_REFUSED, RCPT_REFUSED },
	{ 421, "4.7.28", RCPT_REFUSED, RCPT_REFUSED },
	{ 450, "", RCPT_REFUSED, RCPT_REFUSED },
	{ 354, "", RCPT_REFUSED, RCPT_REFUSED },
};

static void each_code_has_its_outcome(void **state)
{
	(void)state;
	for (size_t i = 0; i < GP_ARRAY_LEN(cases); i++) {
		static struct smtp_reply reply;

		smtp_reply_set(&reply, cases[i].code, cases[i].enhanced, "text");
		if (smtp_outcome(SMTP_ANSWERED_RCPT, &reply) != cases[i].at_rcpt ||
			smtp_outcome(SMTP_ANSWERED_MESSAGE, &reply) != cases[i].at_message)
			fail_msg("%u %s", cases[i].code, cases[i].enhanced);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_has_its_outcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
