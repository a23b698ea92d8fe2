/* SPDX-License-Identifier: ISC */
#include "front/last_words.h"

#include "base/check.h"

static const char *close_text(enum close_reason why)
{
	switch (why) {
	case CLOSE_PASSWORD_CHANGED:
		return "Signed out: the password was changed";
	case CLOSE_DEVICE_REVOKED:
		return "Signed out: this device password was revoked";
	case CLOSE_ACCOUNT_REMOVED:
		return "Signed out: the account was removed";
	case CLOSE_TWOFACTOR:
		return "Signed out: two-factor sign-in was turned on, use a device password";
	case CLOSE_BANNED:
	case CLOSE_ADMIN:
	case CLOSE_MAX:
		break;
	}
	return "Signed out by the administrator";
}

static const char *text_of(enum last_words words, enum close_reason why)
{
	switch (words) {
	case LAST_WORDS_CLOSED:
		return close_text(why);
	case LAST_WORDS_IDLE:
		return "Closed: nothing was said for too long";
	case LAST_WORDS_TOO_SLOW:
		return "Closed: not signed in in time";
	case LAST_WORDS_SHUTDOWN:
		break;
	}
	return "Closed for a moment: please connect again";
}

/* RFC 3463: 4.7.0 security, 4.4.2 bad connection, 4.3.2 not accepting messages now. */
static const char *smtp_code(enum last_words words)
{
	switch (words) {
	case LAST_WORDS_CLOSED:
		return "421 4.7.0";
	case LAST_WORDS_IDLE:
	case LAST_WORDS_TOO_SLOW:
		return "421 4.4.2";
	case LAST_WORDS_SHUTDOWN:
		break;
	}
	return "421 4.3.2";
}

bool last_words_append(struct buf *out, enum protocol protocol, enum last_words words,
	enum close_reason why, bool is_relayed, const struct reply_facts *facts)
{
	const char *text = text_of(words, why);

	if ((protocol == PROTOCOL_POP3 && is_relayed) || protocol == PROTOCOL_HTTP)
		return true;
	if (words == LAST_WORDS_CLOSED && why == CLOSE_BANNED)
		return reply_append(out, protocol, REPLY_BANNED, facts);
	switch (protocol) {
	case PROTOCOL_SMTP:
		return buf_printf(out, "%s %s\r\n", smtp_code(words), text) == GP_OK;
	case PROTOCOL_IMAP:
		return buf_printf(out, "* BYE %s\r\n", text) == GP_OK;
	case PROTOCOL_POP3:
		return buf_printf(out, "-ERR %s\r\n", text) == GP_OK;
	case PROTOCOL_HTTP:
	case PROTOCOL_MAX:
		break;
	}
	GP_ASSERT(!"a mail protocol");
	return false;
}
