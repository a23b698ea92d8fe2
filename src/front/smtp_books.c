/* SPDX-License-Identifier: ISC */
#include "front/smtp_books.h"

#include <string.h>

#include "base/check.h"
#include "front/session_core.h"

/* Instead of the number of a recipient. */
static const uint32_t stale = UINT32_MAX;         /* of an earlier transaction */
static const uint32_t uncounted = UINT32_MAX - 1; /* core has reserved nothing for it */

enum {
	ACCEPTED_MAX = 16 * 1024, /* more than message_recipients can be */
};

void smtp_books_init(struct smtp_books *books, struct session *session)
{
	*books = (struct smtp_books){ .session = session };
	buf_init(&books->accepted, ACCEPTED_MAX * sizeof(uint32_t));
	buf_init(&books->outcomes, ACCEPTED_MAX);
}

void smtp_books_fini(struct smtp_books *books)
{
	buf_fini(&books->accepted);
	buf_fini(&books->outcomes);
}

/* ---- recipients ---- */

static void tell(struct smtp_books *books, uint32_t number, enum rcpt_outcome outcome)
{
	if (number < uncounted)
		session_core_tell_rcpt(books->session, number, outcome);
}

void smtp_books_permit(struct smtp_books *books)
{
	if (books->session->person == NULL)
		return;
	books->permitted++;
	books->has_newest = true;
}

void smtp_books_keep(struct smtp_books *books)
{
	if (books->has_newest)
		tell(books, books->permitted - 1, RCPT_REFUSED);
	books->has_newest = false;
}

void smtp_books_pass(struct smtp_books *books)
{
	unsigned last = (books->first_owed + books->owed_count) % SMTP_SERVER_PENDING;

	/* The engine takes no further command while so many are owed. */
	GP_ASSERT(books->owed_count < SMTP_SERVER_PENDING);
	books->owed[last] = books->has_newest ? books->permitted - 1 : uncounted;
	books->owed_count++;
	books->has_newest = false;
}

static void note_accepted(struct smtp_books *books, uint32_t number)
{
	enum gp_err err = GP_OK;

	if (books->accepted_count++ == 0)
		books->first_accepted = number;
	if (books->is_lmtp)
		err = buf_append(&books->accepted, slice_of(&number, sizeof number));
	/* The engine takes no more than message_recipients. */
	GP_ASSERT(err == GP_OK);
}

void smtp_books_answer(struct smtp_books *books, enum rcpt_outcome outcome, bool is_lmtp)
{
	uint32_t number;

	GP_ASSERT(books->owed_count > 0);
	number = books->owed[books->first_owed];
	books->first_owed = (books->first_owed + 1) % SMTP_SERVER_PENDING;
	books->owed_count--;
	if (number == stale)
		return;
	books->is_lmtp = is_lmtp;
	if (outcome == RCPT_DELIVERED)
		note_accepted(books, number);
	else
		tell(books, number, outcome);
}

void smtp_books_part(struct smtp_books *books, enum rcpt_outcome outcome)
{
	enum gp_err err;

	if (!books->is_lmtp)
		return;
	GP_ASSERT(books->outcomes.len < books->accepted_count);
	err = buf_append_byte(&books->outcomes, (char)outcome);
	GP_ASSERT(err == GP_OK);
}

void smtp_books_forget_owed(struct smtp_books *books)
{
	books->owed_count = 0;
}

/* ---- the end ---- */

static void forget(struct smtp_books *books)
{
	books->permitted = 0;
	books->has_newest = false;
	books->is_due = false;
	books->accepted_count = 0;
	buf_clear(&books->accepted);
	buf_clear(&books->outcomes);
	buf_trim(&books->accepted);
	buf_trim(&books->outcomes);
	for (unsigned i = 0; i < books->owed_count; i++)
		books->owed[(books->first_owed + i) % SMTP_SERVER_PENDING] = stale;
}

/* Of a message that not all have taken: those who fared otherwise than it. How many have it. */
static unsigned tell_parts(struct smtp_books *books, bool *ret_is_spam)
{
	struct slice numbers = buf_slice(&books->accepted);
	struct slice outcomes = buf_slice(&books->outcomes);
	unsigned delivered = 0;

	for (size_t i = 0; i < outcomes.len; i++) {
		enum rcpt_outcome outcome = (enum rcpt_outcome)outcomes.data[i];
		uint32_t number;

		memcpy(&number, numbers.data + i * sizeof number, sizeof number);
		if (outcome == RCPT_DELIVERED || outcome == RCPT_UNKNOWN)
			tell(books, number, outcome);
		delivered += outcome == RCPT_DELIVERED;
		*ret_is_spam = *ret_is_spam || outcome == RCPT_SPAM;
	}
	return delivered;
}

static void settle_now(struct smtp_books *books, const struct smtp_books_end *end)
{
	struct ipc_message_done done = { .accepted = end->is_accepted,
		.recipients = end->is_accepted ? end->accepted : 0,
		.size = end->size,
		.is_spam = end->has_reply && end->outcome == RCPT_SPAM,
		.filter = (uint8_t)end->filter,
		.body = end->body,
		.subject = end->subject };

	if (end->has_reply)
		smtp_books_part(books, end->outcome);
	if (!end->is_accepted && books->is_lmtp)
		done.recipients = tell_parts(books, &done.is_spam);
	else if (end->has_reply && end->outcome == RCPT_UNKNOWN && books->accepted_count == 1)
		/* Some hops look at a recipient only once they have the message. */
		tell(books, books->first_accepted, RCPT_UNKNOWN);
	session_core_tell_done(books->session, &done);
}

void smtp_books_settle(struct smtp_books *books, const struct smtp_books_end *end)
{
	enum session_question question = books->session->question;

	if (question == SESSION_ASKS_RCPT || question == SESSION_ASKS_FROM) {
		books->is_due = true;
		return;
	}
	if (end->is_sent || books->permitted > 0)
		settle_now(books, end);
	forget(books);
}

void smtp_books_on_answer(struct smtp_books *books)
{
	static const struct smtp_books_end nothing = { .is_sent = false };

	if (books->is_due)
		smtp_books_settle(books, &nothing);
}

/* Those of this transaction stay in their places, so that replies still find theirs. */
void smtp_books_on_core_gone(struct smtp_books *books)
{
	const uint32_t number = uncounted;
	size_t listed = books->accepted.len / sizeof number;

	books->permitted = 0;
	books->has_newest = false;
	books->is_due = false;
	books->first_accepted = number;
	for (unsigned i = 0; i < books->owed_count; i++) {
		uint32_t *owed = &books->owed[(books->first_owed + i) % SMTP_SERVER_PENDING];

		*owed = *owed == stale ? stale : number;
	}
	buf_clear(&books->accepted);
	for (size_t i = 0; i < listed; i++) {
		enum gp_err err = buf_append(&books->accepted, slice_of(&number, sizeof number));

		GP_ASSERT(err == GP_OK);
	}
}
