/* SPDX-License-Identifier: ISC */
/*
 * What mail programs are told of this server: its name, and for each service on which port and with
 * which encryption it is served. Read from the configuration's listeners and routes, so that nobody
 * is sent to a port where nobody listens. Pure; borrows from the configuration.
 */
#ifndef GP_SETUP_OFFER_H
#define GP_SETUP_OFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/terms.h"
#include "config/config.h"

struct offers {
	const char *hostname;
	const char *portal_url;
	uint16_t ports[SERVICE_MAX]; /* 0: not served */
};

/* domain: in canonical form. A protocol that is routed nowhere for it is not offered; port 25 is
 * for servers, and counts whatever the routes say. */
struct offers offer_read(const struct config *config, struct slice domain);

/* The services of a protocol that people sign in at, best first: TLS from the first byte, then
 * STARTTLS. count 0: there is none. */
struct offer_list {
	enum service services[2];
	unsigned count;
};
struct offer_list offer_list(const struct offers *offers, enum protocol protocol);

/* "mail.example.test" of a URL, without port, user and path; an IPv6 address without brackets. */
struct slice offer_url_host(const char *url);
/* Its port, or the scheme's. */
uint16_t offer_url_port(const char *url);

#endif
