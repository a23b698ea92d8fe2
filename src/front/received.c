/* SPDX-License-Identifier: ISC */
#include "front/received.h"

#include <inttypes.h>

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
	const char *base = received->is_utf8 ? "UTF8SMTP" : "ESMTP";

	if (!received->is_esmtp)
		return buf_append_str(out, "SMTP");
	return buf_printf(out, "%s%s%s", base, received->is_tls ? "S" : "",
		received->is_signed_in ? "A" : "");
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
	char date[DATE_SIZE];
	bool has_helo = is_helo(received->helo);
	bool has_recipient = is_recipient(received->recipient, received->is_utf8);
	const char *helo = has_helo ? received->helo.data : "unknown";
	int helo_len = has_helo ? (int)received->helo.len : (int)sizeof "unknown" - 1;
	enum gp_err err = buf_printf(out, "Received: from %.*s ([%s%s])\r\n\tby %s with ", helo_len,
		helo, received->client->family == IP_V6 ? "IPv6:" : "",
		ip_format(received->client, address), received->hostname);

	if (err == GP_OK)
		err = append_with(out, received);
	if (err == GP_OK)
		err = buf_printf(out, " id %016" PRIx64, received->session);
	if (err == GP_OK && has_recipient)
		err = buf_printf(out, "\r\n\tfor <%.*s>", SLICE_ARG(received->recipient));
	if (err == GP_OK)
		err = buf_printf(
			out, ";\r\n\t%s\r\n", clock_format_mail(received->date, date, sizeof date));
	return err;
}
