/* SPDX-License-Identifier: ISC */
#include "core/sending_tell.h"

#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "core/core.h"

enum {
	NAME_SIZE = 128 + 1,
	SENDER_SIZE = 320 + 1,
	SUBJECT_SIZE = 256 + 1,
	MINUTE = 60,
};

static void tell(struct core *core, const struct session *session, struct ipc_sent *sent,
	const char *sender, struct slice subject)
{
	struct ipc_message message = { .type = IPC_SENT };
	char client_name[NAME_SIZE];
	char escaped[SENDER_SIZE];
	char title[SUBJECT_SIZE];

	text_escape(slice_str(session->client_name), client_name, sizeof client_name);
	text_escape(slice_str(sender), escaped, sizeof escaped);
	text_escape(subject, title, sizeof title);
	sent->at = clock_wall();
	sent->session = session->id;
	sent->account = session->account;
	sent->device = session->device;
	sent->client = session->client;
	sent->country = session->country;
	sent->client_name = slice_str(client_name);
	sent->sender = slice_str(escaped);
	sent->subject = slice_str(title);
	message.sent = *sent;
	journal_send(core, &message, sent->outcome == SENT_ACCEPTED);
}

void sending_tell_done(struct core *core, const struct session *session, const char *sender,
	const struct sent_sum *sum, bool is_accepted, const struct ipc_message_done *done)
{
	struct ipc_sent sent = { .recipients = sum->recipients,
		.strangers = sum->strangers,
		.size = done != NULL ? done->size : 0,
		.outcome = is_accepted ? SENT_ACCEPTED : SENT_REFUSED };

	tell(core, session, &sent, sender, done != NULL ? done->subject : SLICE_LIT(""));
}

void sending_tell_vain(struct core *core, const struct session *session, enum sent_outcome outcome,
	const struct sent_sum *sum)
{
	struct ipc_sent sent = { .recipients = sum->recipients,
		.strangers = sum->strangers,
		.outcome = (uint8_t)outcome };

	if (sum->recipients > 0)
		tell(core, session, &sent, "", SLICE_LIT(""));
}

const char *sending_tell_limit(
	const struct sending_shortage *shortage, char out[static SENDING_WORDS_SIZE])
{
	int64_t minutes = (shortage->free_in + MINUTE - 1) / MINUTE;
	int used;

	/* What only transactions under way hold back is free as soon as one of them fails. */
	if (minutes < 1)
		minutes = 1;
	used = snprintf(out, SENDING_WORDS_SIZE,
		"Sending limit of %u %s reached; free again in %lld minutes", shortage->most,
		sending_limit_words(shortage->limit), (long long)minutes);
	GP_ASSERT(used > 0 && used < SENDING_WORDS_SIZE);
	return out;
}
