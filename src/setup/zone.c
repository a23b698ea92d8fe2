/* SPDX-License-Identifier: ISC */
#include "setup/zone.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/ip.h"
#include "setup/sts.h"

enum {
	PREFER_TLS = 0, /* priorities of SRV: lower ones are tried first */
	PREFER_STARTTLS = 10,
	MX_PREFERENCE = 10,
	TXT_STRING_MAX = 255,
};

struct zone {
	const struct config *config;
	struct offers offers;
	struct slice domain;
	enum gp_err (*visit)(const struct zone_record *record, void *owner);
	void *owner;
	enum gp_err err;
};

/* label: "_imaps._tcp.", or "" for the domain itself. */
static void put(struct zone *zone, const char *what, const char *label, const char *type,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

static void put(struct zone *zone, const char *what, const char *label, const char *type,
	const char *format, ...)
{
	struct zone_record record = { .type = type, .what = what };
	char value[ZONE_VALUE_MAX];
	struct buf name;
	va_list arguments;

	if (zone->err != GP_OK)
		return;
	va_start(arguments, format);
	(void)vsnprintf(value, sizeof value, format, arguments);
	va_end(arguments);
	buf_init(&name, ZONE_VALUE_MAX);
	zone->err = buf_printf(&name, "%s%.*s.", label, SLICE_ARG(zone->domain));
	if (zone->err == GP_OK)
		zone->err = buf_append_byte(&name, '\0');
	record.name = buf_slice(&name).data;
	record.value = value;
	if (zone->err == GP_OK)
		zone->err = zone->visit(&record, zone->owner);
	buf_fini(&name);
}

static void put_service(struct zone *zone, const char *label, enum service service)
{
	static const char what[] = "where mail programs find what (RFC 6186, RFC 8314)";
	unsigned port = zone->offers.ports[service];

	if (port == 0)
		put(zone, what, label, "SRV", "0 0 0 .");
	else
		put(zone, what, label, "SRV", "%d 1 %u %s.",
			service_is_tls(service) ? PREFER_TLS : PREFER_STARTTLS, port,
			zone->config->hostname);
}

static void put_mail(struct zone *zone)
{
	static const char what[] = "which servers receive mail for the domain";
	const struct config_strings *names = &zone->config->mx_names;

	if (zone->offers.ports[SERVICE_SMTP] == 0)
		return;
	if (names->count == 0)
		put(zone, what, "", "MX", "%d %s.", MX_PREFERENCE, zone->config->hostname);
	/* "*.example.org" fits several servers, and is no name of one. */
	for (size_t i = 0; i < names->count; i++) {
		if (names->items[i][0] != '*')
			put(zone, what, "", "MX", "%d %s.", MX_PREFERENCE * (int)(i + 1),
				names->items[i]);
	}
}

static void put_services(struct zone *zone)
{
	put_service(zone, "_submissions._tcp.", SERVICE_SUBMISSIONS);
	put_service(zone, "_submission._tcp.", SERVICE_SUBMISSION);
	put_service(zone, "_imaps._tcp.", SERVICE_IMAPS);
	put_service(zone, "_imap._tcp.", SERVICE_IMAP);
	put_service(zone, "_pop3s._tcp.", SERVICE_POP3S);
	put_service(zone, "_pop3._tcp.", SERVICE_POP3);
}

/* The name that the portal's certificate is for; where that is an address, the server's. */
static struct slice web_name(const struct zone *zone)
{
	struct slice name = offer_url_host(zone->config->portal_url);
	struct ip ip;

	return ip_parse(name, &ip) == GP_OK ? slice_str(zone->config->hostname) : name;
}

static void put_programs(struct zone *zone)
{
	static const char what[] = "where mail programs ask how they are set up; these names "
				   "belong on the certificate";
	struct slice name = web_name(zone);

	if (zone->offers.ports[SERVICE_HTTPS] == 0)
		return;
	put(zone, what, "autoconfig.", "CNAME", "%.*s.", SLICE_ARG(name));
	put(zone, what, "autodiscover.", "CNAME", "%.*s.", SLICE_ARG(name));
	put(zone, what, "_autodiscover._tcp.", "SRV", "0 1 %u %.*s.",
		(unsigned)offer_url_port(zone->config->portal_url), SLICE_ARG(name));
}

/* One string of a TXT record has at most 255 bytes. */
static void put_reports(struct zone *zone, const char *what)
{
	static const char rule[] = "v=TLSRPTv1; rua=mailto:";
	static const char whom[] = "postmaster@";
	size_t len = sizeof rule - 1 + sizeof whom - 1 + zone->domain.len;

	put(zone, what, "_smtp._tls.", "TXT", "\"%s%s%s%.*s\"", rule,
		len > TXT_STRING_MAX ? "\" \"" : "", whom, SLICE_ARG(zone->domain));
}

static void put_sts(struct zone *zone)
{
	static const char what[] = "servers that send to the domain insist on TLS (RFC 8461), and "
				   "report when it failed (RFC 8460)";
	struct slice name = web_name(zone);
	char id[STS_ID_SIZE];
	struct buf policy;
	enum gp_err err;

	if (zone->err != GP_OK || zone->offers.ports[SERVICE_HTTPS] == 0)
		return;
	buf_init(&policy, STS_POLICY_MAX);
	err = sts_write(zone->config, &policy);
	if (err == GP_OK) {
		sts_id(buf_slice(&policy), id);
		put(zone, what, "mta-sts.", "CNAME", "%.*s.", SLICE_ARG(name));
		put(zone, what, "_mta-sts.", "TXT", "\"v=STSv1; id=%s\"", id);
		put_reports(zone, what);
	} else if (err != GP_ERR_NOT_FOUND) {
		zone->err = err;
	}
	buf_fini(&policy);
}

enum gp_err zone_each(const struct config *config, struct slice domain,
	enum gp_err (*visit)(const struct zone_record *record, void *owner), void *owner)
{
	struct zone zone = { .config = config,
		.offers = offer_read(config, domain),
		.domain = domain,
		.visit = visit,
		.owner = owner };

	put_mail(&zone);
	put_services(&zone);
	put_programs(&zone);
	put_sts(&zone);
	return zone.err;
}
