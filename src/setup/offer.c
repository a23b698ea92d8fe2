/* SPDX-License-Identifier: ISC */
#include "setup/offer.h"

#include <string.h>

#include "base/check.h"

enum {
	PORT_HTTP = 80,
	PORT_HTTPS = 443
};

/* Several listeners of one service: the one on the port that everybody expects, else the first. */
static void add(struct offers *offers, const struct config_listener *listener)
{
	enum service service = listener->service;

	if (offers->ports[service] == 0 || listener->port == service_port(service))
		offers->ports[service] = listener->port;
}

struct offers offer_read(const struct config *config, struct slice domain)
{
	struct offers offers = { .hostname = config->hostname, .portal_url = config->portal_url };

	for (size_t i = 0; i < config->listener_count; i++) {
		const struct config_listener *listener = &config->listeners[i];
		enum protocol protocol = service_protocol(listener->service);
		bool is_routed = listener->service == SERVICE_SMTP || protocol == PROTOCOL_HTTP ||
				 config_route(config, domain, protocol, false) != NULL;

		if (is_routed)
			add(&offers, listener);
	}
	return offers;
}

struct offer_list offer_list(const struct offers *offers, enum protocol protocol)
{
	static const enum service services[PROTOCOL_MAX][2] = {
		[PROTOCOL_SMTP] = { SERVICE_SUBMISSIONS, SERVICE_SUBMISSION },
		[PROTOCOL_IMAP] = { SERVICE_IMAPS, SERVICE_IMAP },
		[PROTOCOL_POP3] = { SERVICE_POP3S, SERVICE_POP3 },
		[PROTOCOL_HTTP] = { SERVICE_HTTPS, SERVICE_HTTPS },
	};
	struct offer_list list = { .count = 0 };

	GP_ASSERT(protocol < PROTOCOL_HTTP);
	for (unsigned i = 0; i < 2; i++) {
		if (offers->ports[services[protocol][i]] != 0)
			list.services[list.count++] = services[protocol][i];
	}
	return list;
}

static struct slice authority_of(const char *url)
{
	const char *mark = strstr(url, "://");
	struct slice rest = slice_str(mark != NULL ? mark + 3 : url);
	struct slice authority = slice_head(rest, strcspn(rest.data, "/?#"));
	ptrdiff_t at = slice_find_last(authority, '@');

	return slice_from(authority, (size_t)(at + 1));
}

struct slice offer_url_host(const char *url)
{
	struct slice authority = authority_of(url);
	ptrdiff_t bracket = slice_find(authority, ']');
	ptrdiff_t colon = slice_find_last(authority, ':');

	if (bracket > 0)
		return slice_from(slice_head(authority, (size_t)bracket), 1);
	return colon >= 0 ? slice_head(authority, (size_t)colon) : authority;
}

uint16_t offer_url_port(const char *url)
{
	struct slice authority = authority_of(url);
	ptrdiff_t bracket = slice_find(authority, ']');
	ptrdiff_t colon = slice_find_last(authority, ':');
	unsigned long long port = 0;

	if (colon > bracket &&
		slice_to_u64(slice_from(authority, (size_t)colon + 1), UINT16_MAX, &port) &&
		port > 0)
		return (uint16_t)port;
	return strncmp(url, "http:", 5) == 0 ? PORT_HTTP : PORT_HTTPS;
}
