/* SPDX-License-Identifier: ISC */
/* What is told of what was sent: to the store, as a record of the journal; to the client. */
#ifndef GP_CORE_SENDING_TELL_H
#define GP_CORE_SENDING_TELL_H

#include <stdbool.h>

#include "core/session.h"
#include "policy/sending_limit.h"

enum {
	SENDING_WORDS_SIZE = 160
};

struct sent_sum {
	uint32_t recipients;
	uint32_t strangers;
};

/* A transaction ended. done: what the front told of it, or NULL. */
void sending_tell_done(struct core *core, const struct session *session, const char *sender,
	const struct sent_sum *sum, bool is_accepted, const struct ipc_message_done *done);
/* What a session tried in vain; nothing if that is none. */
void sending_tell_vain(struct core *core, const struct session *session, enum sent_outcome outcome,
	const struct sent_sum *sum);
/* "Sending limit of 100 recipients an hour reached; free again in 12 minutes"; returns out. */
const char *sending_tell_limit(
	const struct sending_shortage *shortage, char out[static SENDING_WORDS_SIZE]);

#endif
