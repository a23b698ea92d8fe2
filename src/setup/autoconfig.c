/* SPDX-License-Identifier: ISC */
#include "setup/autoconfig.h"

#include "setup/markup.h"

static void put_server(struct markup *markup, const struct offers *offers, enum service service,
	const char *element)
{
	static const char *const types[PROTOCOL_MAX] = {
		[PROTOCOL_SMTP] = "smtp", [PROTOCOL_IMAP] = "imap", [PROTOCOL_POP3] = "pop3"
	};

	markup_open(markup, element, "type", slice_str(types[service_protocol(service)]));
	markup_text(markup, "hostname", slice_str(offers->hostname));
	markup_number(markup, "port", offers->ports[service]);
	markup_text(markup, "socketType",
		service_is_tls(service) ? SLICE_LIT("SSL") : SLICE_LIT("STARTTLS"));
	markup_text(markup, "authentication", SLICE_LIT("password-cleartext"));
	markup_text(markup, "username", SLICE_LIT("%EMAILADDRESS%"));
	markup_close(markup, element);
}

/* The program takes the first one that it can use. */
static unsigned put_servers(struct markup *markup, const struct offers *offers,
	enum protocol protocol, const char *element)
{
	struct offer_list list = offer_list(offers, protocol);

	for (unsigned i = 0; i < list.count; i++)
		put_server(markup, offers, list.services[i], element);
	return list.count;
}

enum gp_err autoconfig_write(const struct offers *offers, struct slice domain, struct buf *out)
{
	struct markup markup;
	unsigned incoming;
	enum gp_err err;

	markup_begin(&markup, out);
	markup_open(&markup, "clientConfig", "version", SLICE_LIT("1.1"));
	markup_open(&markup, "emailProvider", "id", domain);
	markup_text(&markup, "domain", domain);
	markup_text(&markup, "displayName", domain);
	markup_text(&markup, "displayShortName", domain);
	incoming = put_servers(&markup, offers, PROTOCOL_IMAP, "incomingServer");
	incoming += put_servers(&markup, offers, PROTOCOL_POP3, "incomingServer");
	(void)put_servers(&markup, offers, PROTOCOL_SMTP, "outgoingServer");
	markup_open(&markup, "documentation", "url", slice_str(offers->portal_url));
	markup_text(&markup, "descr lang=\"en\"", SLICE_LIT("Device passwords and help"));
	markup_close(&markup, "documentation");
	markup_close(&markup, "emailProvider");
	markup_close(&markup, "clientConfig");
	err = markup_end(&markup);
	return err == GP_OK && incoming == 0 ? GP_ERR_NOT_FOUND : err;
}
