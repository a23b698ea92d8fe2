/* SPDX-License-Identifier: ISC */
/*
 * The line with which a live session is ended from our side, in its protocol. Pure. The refusals
 * that stand in proto/reply.h (a ban) are taken from there.
 */
#ifndef GP_FRONT_LAST_WORDS_H
#define GP_FRONT_LAST_WORDS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/terms.h"
#include "proto/reply.h"

enum last_words {
	LAST_WORDS_CLOSED,   /* core closes the session: why is an enum close_reason */
	LAST_WORDS_IDLE,     /* silent for too long */
	LAST_WORDS_TOO_SLOW, /* not signed in within login_timeout */
	LAST_WORDS_SHUTDOWN,
};

/*
 * Appends the line with CRLF. why: for LAST_WORDS_CLOSED. facts: for CLOSE_BANNED. is_relayed: the
 * client talks to its mailbox already; POP3 has no way to speak unasked then, and nothing is
 * appended. false: no room.
 */
bool last_words_append(struct buf *out, enum protocol protocol, enum last_words words,
	enum close_reason why, bool is_relayed, const struct reply_facts *facts);

#endif
