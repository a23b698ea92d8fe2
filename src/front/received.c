/* SPDX-License-Identifier: ISC */
#include "front/received.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"

enum {
	HELO_MAX = 255,
	RECIPIENT_MAX = 320,
	DATE_SIZE = 40,
};

/* What may stand where RFC 5321 wants a domain or an address literal. */
static bool is_helo(struct slice helo)
{
	if (helo.len == 0 || helo.len > HELO_MAX)
		return false;
	for (size_t i = 0; i < helo.len; i++) {
		char byte = helo.data[i];

		if (!text_is_alnum(byte) && byte != '.' && byte != '-' && byte != '_' &&
			byte != ':' && byte != '[' && byte != ']')
			return false;
	}
	return true;
}

/* A path that reads as one word inside <>; quoted local parts are left out of the trace. */
static bool is_recipient(struct slice recipient, bool is_utf8)
{
	if (recipient.len == 0 || recipient.len > RECIPIENT_MAX)
		return false;
	if (is_utf8 ? !text_is_utf8(recipient) : !text_is_ascii(recipient))
		return false;
	if (!text_is_printable(recipient))
		return false;
	for (size_t i = 0; i < recipient.len; i++) {
		switch (recipient.data[i]) {
		case ' ':
		case '<':
		case '>':
		case '(':
		case ')':
		case '"':
		case '\\':
			return false;
		default:
			break;
		}
	}
	return true;
}

/* RFC 3848, and RFC 6531 section 4.3 for the UTF8 forms. */
static enum gp_err append_with(struct buf *out, const struct received *received)
{
	const struct slice pieces[] = {
		received->is_utf8 ? SLICE_LIT("UTF8SMTP") : SLICE_LIT("ESMTP"),
		slice_head(SLICE_LIT("S"), received->is_tls),
		slice_head(SLICE_LIT("A"), received->is_signed_in),
	};

	if (!received->is_esmtp)
		return buf_append_str(out, "SMTP");
	return buf_append_all(out, pieces, GP_ARRAY_LEN(pieces));
}

static enum gp_err append_id(struct buf *out, uint64_t session)
{
	char digits[2 * sizeof session];
	const struct slice pieces[] = { SLICE_LIT(" id "), slice_of(digits, sizeof digits) };

	for (size_t i = sizeof digits; i > 0; session >>= 4)
		digits[--i] = "0123456789abcdef"[session & 0xf];
	return buf_append_all(out, pieces, GP_ARRAY_LEN(pieces));
}

/* Written anew once a second only. */
static const char *date_text(int64_t date)
{
	static char text[DATE_SIZE];
	static int64_t second = -1;

	if (date != second)
		(void)clock_format_mail(date, text, sizeof text);
	second = date;
	return text;
}

bool received_is_utf8(struct slice params)
{
	while (params.len > 0) {
		if (slice_is_nocase(slice_word(&params), "SMTPUTF8"))
			return true;
	}
	return false;
}

enum gp_err received_append(struct buf *out, const struct received *received)
{
	char address[IP_TEXT_SIZE];
	const struct slice from[] = { SLICE_LIT("Received: from "),
		is_helo(received->helo) ? received->helo : SLICE_LIT("unknown"), SLICE_LIT(" (["),
		received->client->family == IP_V6 ? SLICE_LIT("IPv6:") : SLICE_LIT(""),
		slice_str(ip_format(received->client, address)), SLICE_LIT("])\r\n\tby "),
		slice_str(received->hostname), SLICE_LIT(" with ") };
	const struct slice recipient[] = { SLICE_LIT("\r\n\tfor <"), received->recipient,
		SLICE_LIT(">") };
	const struct slice date[] = { SLICE_LIT(";\r\n\t"), slice_str(date_text(received->date)),
		SLICE_LIT("\r\n") };
	enum gp_err err = buf_append_all(out, from, GP_ARRAY_LEN(from));

	if (err == GP_OK)
		err = append_with(out, received);
	if (err == GP_OK)
		err = append_id(out, received->session);
	if (err == GP_OK && is_recipient(received->recipient, received->is_utf8))
		err = buf_append_all(out, recipient, GP_ARRAY_LEN(recipient));
	if (err == GP_OK)
		err = buf_append_all(out, date, GP_ARRAY_LEN(date));
	return err;
}
