/* SPDX-License-Identifier: ISC */
#include "setup/profile.h"

#include <stdio.h>

#include "base/text.h"
#include "setup/markup.h"

enum {
	UUID_SIZE = 37,
	IDENTIFIER_MAX = 1024,
};

static void put_string(struct markup *markup, const char *key, struct slice text)
{
	markup_text(markup, "key", slice_str(key));
	markup_text(markup, "string", text);
}

static void put_number(struct markup *markup, const char *key, unsigned number)
{
	markup_text(markup, "key", slice_str(key));
	markup_number(markup, "integer", number);
}

static void put_bool(struct markup *markup, const char *key, bool value)
{
	markup_text(markup, "key", slice_str(key));
	markup_line(markup, value ? "<true/>" : "<false/>");
}

/* RFC 9562 section 5.4. */
static void put_uuid(struct markup *markup, const uint8_t *random)
{
	static const char digits[] = "0123456789ABCDEF";
	char text[UUID_SIZE];
	size_t at = 0;

	for (size_t i = 0; i < PROFILE_ID_SIZE; i++) {
		unsigned byte = random[i];

		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		if (i == 6)
			byte = (byte & 0x0f) | 0x40;
		if (i == 8)
			byte = (byte & 0x3f) | 0x80;
		text[at++] = digits[byte >> 4];
		text[at++] = digits[byte & 15];
	}
	put_string(markup, "PayloadUUID", slice_of(text, at));
}

/* A profile of the same identifier takes the place of the one before. What such a name cannot have
 * is written as a number, so two addresses never share one. */
static enum gp_err write_identifier(
	const struct profile_facts *facts, const char *what, struct buf *out)
{
	enum gp_err err = buf_printf(out, "%s.mail.", facts->offers->hostname);

	for (size_t i = 0; err == GP_OK && i < facts->address.len; i++) {
		char byte = facts->address.data[i];

		err = text_is_alnum(byte) || byte == '.'
			      ? buf_append_byte(out, byte)
			      : buf_printf(out, "-%02x", (unsigned)(unsigned char)byte);
	}
	return err == GP_OK ? buf_append_str(out, what) : err;
}

static void put_identifier(
	struct markup *markup, const struct profile_facts *facts, const char *what)
{
	struct buf text;
	enum gp_err err;

	buf_init(&text, IDENTIFIER_MAX);
	err = write_identifier(facts, what, &text);
	if (err == GP_OK)
		put_string(markup, "PayloadIdentifier", buf_slice(&text));
	else if (markup->err == GP_OK)
		markup->err = err;
	buf_fini(&text);
}

/* side: "Incoming" or "Outgoing". */
static void put_server(struct markup *markup, const struct profile_facts *facts, const char *side,
	enum service service)
{
	char key[64];

#define PUT(kind, name, value)                                                 \
	do {                                                                   \
		(void)snprintf(key, sizeof key, "%sMailServer%s", side, name); \
		put_##kind(markup, key, value);                                \
	} while (0)
	PUT(string, "Authentication", SLICE_LIT("EmailAuthPassword"));
	PUT(string, "HostName", slice_str(facts->offers->hostname));
	PUT(number, "PortNumber", facts->offers->ports[service]);
	/* On a port of the other kind it means STARTTLS. */
	PUT(bool, "UseSSL", true);
	PUT(string, "Username", facts->address);
#undef PUT
}

static void put_account(struct markup *markup, const struct profile_facts *facts,
	enum service incoming, enum service outgoing)
{
	bool is_imap = service_protocol(incoming) == PROTOCOL_IMAP;

	markup_open(markup, "dict", NULL, SLICE_LIT(""));
	put_string(markup, "PayloadType", SLICE_LIT("com.apple.mail.managed"));
	put_number(markup, "PayloadVersion", 1);
	put_identifier(markup, facts, ".account");
	put_uuid(markup, facts->account_id);
	put_string(markup, "PayloadDisplayName", facts->address);
	put_string(markup, "EmailAccountType",
		is_imap ? SLICE_LIT("EmailTypeIMAP") : SLICE_LIT("EmailTypePOP"));
	put_string(markup, "EmailAccountDescription", facts->address);
	put_string(markup, "EmailAddress", facts->address);
	put_server(markup, facts, "Incoming", incoming);
	put_string(markup, "IncomingPassword", facts->password);
	put_server(markup, facts, "Outgoing", outgoing);
	put_bool(markup, "OutgoingPasswordSameAsIncomingPassword", true);
	markup_close(markup, "dict");
}

static void put_profile(struct markup *markup, const struct profile_facts *facts,
	enum service incoming, enum service outgoing)
{
	markup_line(markup, "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
			    "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">");
	markup_open(markup, "plist", "version", SLICE_LIT("1.0"));
	markup_open(markup, "dict", NULL, SLICE_LIT(""));
	put_string(markup, "PayloadType", SLICE_LIT("Configuration"));
	put_number(markup, "PayloadVersion", 1);
	put_identifier(markup, facts, "");
	put_uuid(markup, facts->profile_id);
	put_string(markup, "PayloadDisplayName", facts->address);
	put_string(markup, "PayloadOrganization", slice_str(facts->offers->hostname));
	put_string(markup, "PayloadDescription",
		SLICE_LIT("Sets up this mail account, with a password for this device alone."));
	put_bool(markup, "PayloadRemovalDisallowed", false);
	markup_text(markup, "key", SLICE_LIT("PayloadContent"));
	markup_open(markup, "array", NULL, SLICE_LIT(""));
	put_account(markup, facts, incoming, outgoing);
	markup_close(markup, "array");
	markup_close(markup, "dict");
	markup_close(markup, "plist");
}

enum gp_err profile_write(const struct profile_facts *facts, struct buf *out)
{
	struct offer_list incoming = offer_list(facts->offers, PROTOCOL_IMAP);
	struct offer_list outgoing = offer_list(facts->offers, PROTOCOL_SMTP);
	struct markup markup;

	if (incoming.count == 0)
		incoming = offer_list(facts->offers, PROTOCOL_POP3);
	if (incoming.count == 0 || outgoing.count == 0)
		return GP_ERR_NOT_FOUND;
	markup_begin(&markup, out);
	put_profile(&markup, facts, incoming.services[0], outgoing.services[0]);
	return markup_end(&markup);
}
