/* SPDX-License-Identifier: ISC */
#include "setup/autodiscover.h"

#include "setup/markup.h"

#define RESPONSE "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
#define OUTLOOK  "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"

bool autodiscover_is_known(const struct autodiscover_request *request)
{
	return request->schema[0] == '\0' || slice_is_nocase(slice_str(request->schema), OUTLOOK);
}

static void put_protocol(struct markup *markup, const struct offers *offers, enum protocol protocol,
	struct slice login)
{
	static const char *const types[PROTOCOL_MAX] = {
		[PROTOCOL_SMTP] = "SMTP", [PROTOCOL_IMAP] = "IMAP", [PROTOCOL_POP3] = "POP3"
	};
	struct offer_list list = offer_list(offers, protocol);

	/* One of a type: a second one Outlook would not look at. */
	if (list.count == 0)
		return;
	markup_open(markup, "Protocol", NULL, SLICE_LIT(""));
	markup_text(markup, "Type", slice_str(types[protocol]));
	markup_text(markup, "Server", slice_str(offers->hostname));
	markup_number(markup, "Port", offers->ports[list.services[0]]);
	markup_text(markup, "DomainRequired", SLICE_LIT("off"));
	markup_text(markup, "LoginName", login);
	markup_text(markup, "SPA", SLICE_LIT("off"));
	markup_text(markup, "SSL", SLICE_LIT("on"));
	/* It goes before SSL where it is known: Outlook 2010 and later. */
	markup_text(markup, "Encryption",
		service_is_tls(list.services[0]) ? SLICE_LIT("SSL") : SLICE_LIT("TLS"));
	markup_text(markup, "AuthRequired", SLICE_LIT("on"));
	if (protocol == PROTOCOL_SMTP) {
		markup_text(markup, "UsePOPAuth", SLICE_LIT("on"));
		markup_text(markup, "SMTPLast", SLICE_LIT("off"));
	}
	markup_close(markup, "Protocol");
}

static void open_response(struct markup *markup, struct buf *out, const char *schema)
{
	markup_begin(markup, out);
	markup_open(markup, "Autodiscover", "xmlns", SLICE_LIT(RESPONSE));
	if (schema != NULL)
		markup_open(markup, "Response", "xmlns", slice_str(schema));
	else
		markup_open(markup, "Response", NULL, SLICE_LIT(""));
}

static enum gp_err close_response(struct markup *markup)
{
	markup_close(markup, "Response");
	markup_close(markup, "Autodiscover");
	return markup_end(markup);
}

enum gp_err autodiscover_write(const struct offers *offers, struct slice address, struct buf *out)
{
	unsigned incoming =
		offer_list(offers, PROTOCOL_IMAP).count + offer_list(offers, PROTOCOL_POP3).count;
	struct markup markup;

	if (incoming == 0)
		return GP_ERR_NOT_FOUND;
	open_response(&markup, out, OUTLOOK);
	markup_open(&markup, "User", NULL, SLICE_LIT(""));
	markup_text(&markup, "DisplayName", address);
	markup_close(&markup, "User");
	markup_open(&markup, "Account", NULL, SLICE_LIT(""));
	markup_text(&markup, "AccountType", SLICE_LIT("email"));
	markup_text(&markup, "Action", SLICE_LIT("settings"));
	put_protocol(&markup, offers, PROTOCOL_IMAP, address);
	put_protocol(&markup, offers, PROTOCOL_POP3, address);
	put_protocol(&markup, offers, PROTOCOL_SMTP, address);
	markup_close(&markup, "Account");
	return close_response(&markup);
}

enum gp_err autodiscover_write_fault(
	enum autodiscover_fault fault, const char *time, struct buf *out)
{
	struct markup markup;

	open_response(&markup, out, NULL);
	markup_open(&markup, "Error", "Time", slice_str(time));
	markup_number(&markup, "ErrorCode", fault == AUTODISCOVER_INVALID ? 600 : 601);
	markup_text(&markup, "Message",
		fault == AUTODISCOVER_INVALID ? SLICE_LIT("Invalid Request")
					      : SLICE_LIT("Provider is not available"));
	markup_line(&markup, "<DebugData/>");
	markup_close(&markup, "Error");
	return close_response(&markup);
}
