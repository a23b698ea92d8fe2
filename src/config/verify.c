/* SPDX-License-Identifier: ISC */
#include "config/verify.h"

#include <string.h>

#include "base/ip.h"
#include "config/guess.h"
#include "config/section.h"

/* Where an option of the i-th section of a kind was set, or else where the section begins. */
static unsigned line_of(
	const struct parse *parse, enum schema_section section, size_t i, unsigned option)
{
	const struct parse_lines *lines = &parse->lines[section][i];

	return lines->option[option] != 0 ? lines->option[option] : lines->section;
}

#define LINE(section, i, member) \
	line_of(parse, SECTION_##section, i, SCHEMA_AT_##section##_##member)

/* Does a section of this kind and name exist? On false the error is written. */
static bool has_section(const struct parse *parse, enum schema_section section, const char *name,
	const char *option, unsigned line)
{
	const char *kind = schema_facts(section)->name;
	struct guess guess;
	struct gp_why room;

	guess_begin(&guess, name);
	for (size_t i = 0; i < section_count(parse->config, section); i++) {
		const char *title = section_title(parse->config, section, i);

		if (strcmp(title, name) == 0)
			return true;
		guess_try(&guess, title);
	}
	(void)parse_fail(parse, line, "%s: there is no %s section \"%s\"%s", option, kind, name,
		guess_text(&guess, &room));
	return false;
}

/* ---- listeners ---- */

struct endpoint {
	bool v4;
	bool v6;
	bool any;
	struct ip ip;
	uint16_t port;
};

static struct endpoint endpoint_of(const struct config_listener *listener, size_t i)
{
	struct endpoint end = { .port = listener->port };
	const char *text = listener->addresses.items[i];

	if (strcmp(text, "*") == 0 || ip_parse(slice_str(text), &end.ip) != GP_OK) {
		end.v4 = end.v6 = end.any = true;
		return end;
	}
	end.v4 = end.ip.family == IP_V4;
	end.v6 = end.ip.family == IP_V6;
	end.any = strcmp(text, "0.0.0.0") == 0 || strcmp(text, "::") == 0;
	return end;
}

static bool collide(const struct endpoint *a, const struct endpoint *b)
{
	bool same_family = (a->v4 && b->v4) || (a->v6 && b->v6);

	return a->port == b->port && same_family && (a->any || b->any || ip_equal(&a->ip, &b->ip));
}

/* The address against all that come before it. */
static enum gp_err check_address(const struct parse *parse, size_t i, size_t k)
{
	const struct config *config = parse->config;
	struct endpoint own = endpoint_of(&config->listeners[i], k);

	for (size_t j = 0; j <= i; j++) {
		const struct config_listener *other = &config->listeners[j];
		size_t count = j < i ? other->addresses.count : k;

		for (size_t m = 0; m < count; m++) {
			struct endpoint end = endpoint_of(other, m);

			if (collide(&own, &end))
				return parse_fail(parse, LINE(LISTENER, i, addresses),
					"address %s port %u is taken by listener \"%s\" of line %u",
					config->listeners[i].addresses.items[k], own.port,
					other->name, parse->lines[SECTION_LISTENER][j].section);
		}
	}
	return GP_OK;
}

static enum gp_err check_addresses(const struct parse *parse, size_t i)
{
	const struct config_listener *listener = &parse->config->listeners[i];
	enum gp_err err = GP_OK;

	if (listener->addresses.count == 0)
		return parse_fail(parse, LINE(LISTENER, i, addresses),
			"addresses is empty: leave it out to listen on all of them");
	for (size_t k = 0; err == GP_OK && k < listener->addresses.count; k++)
		err = check_address(parse, i, k);
	return err;
}

static enum gp_err check_listener_tls(const struct parse *parse, size_t i)
{
	const struct config *config = parse->config;
	const struct config_listener *listener = &config->listeners[i];
	const char *service = service_name(listener->service);

	if (listener->certificate != NULL &&
		!has_section(parse, SECTION_CERTIFICATE, listener->certificate, "certificate",
			LINE(LISTENER, i, certificate)))
		return GP_ERR_CONFIG;
	/* Then everybody's password could be read on every network on the way. */
	for (size_t k = 0; k < listener->plaintext_networks.count; k++) {
		if (listener->plaintext_networks.nets[k].prefix == 0)
			return parse_fail(parse, LINE(LISTENER, i, plaintext_networks),
				"plaintext_networks would be the whole world: list the networks "
				"of the devices that know no TLS");
	}
	if (config->certificate_count > 0)
		return GP_OK;
	if (service_is_tls(listener->service))
		return parse_fail(parse, LINE(LISTENER, i, service),
			"%s needs a certificate, and there is no certificate section", service);
	/* Port 25 can still take mail from other servers. */
	if (listener->service != SERVICE_SMTP && listener->plaintext_networks.count == 0)
		return parse_fail(parse, LINE(LISTENER, i, service),
			"nobody could sign in to %s: there is no certificate section for TLS, and "
			"no plaintext_networks",
			service);
	return GP_OK;
}

/* Is there a route at all that serves this service? */
static bool is_served(const struct config *config, enum service service)
{
	if (service == SERVICE_HTTPS) /* by gatepost-web */
		return true;
	for (size_t i = 0; i < config->route_count; i++) {
		const struct config_route *route = &config->routes[i];

		switch (service_protocol(service)) {
		case PROTOCOL_IMAP:
			if (route->imap != NULL)
				return true;
			break;
		case PROTOCOL_POP3:
			if (route->pop3 != NULL)
				return true;
			break;
		case PROTOCOL_SMTP:
			if (route->smtp != NULL ||
				(service == SERVICE_SMTP && route->incoming != NULL))
				return true;
			break;
		case PROTOCOL_HTTP:
		case PROTOCOL_MAX:
			break;
		}
	}
	return false;
}

static enum gp_err check_listener(const struct parse *parse, size_t i)
{
	const struct config_listener *listener = &parse->config->listeners[i];
	const char *service = service_name(listener->service);
	enum gp_err err = check_addresses(parse, i);

	if (err == GP_OK)
		err = check_listener_tls(parse, i);
	if (err != GP_OK)
		return err;
	if (listener->proxy_protocol && listener->proxy_from.count == 0)
		return parse_fail(parse, LINE(LISTENER, i, proxy_protocol),
			"proxy_protocol without proxy_from: anyone could forge an address; name "
			"the load balancers");
	if (!listener->proxy_protocol && listener->proxy_from.count > 0)
		return parse_fail(parse, LINE(LISTENER, i, proxy_from),
			"proxy_from without proxy_protocol = yes");
	if (listener->service != SERVICE_HTTPS && listener->trusted_proxies.count > 0)
		return parse_fail(parse, LINE(LISTENER, i, trusted_proxies),
			"trusted_proxies is of use for https only; for %s see proxy_protocol",
			service);
	if (!is_served(parse->config, listener->service))
		return parse_fail(parse, LINE(LISTENER, i, service),
			"no route names a backend for %s", service);
	return GP_OK;
}

/* ---- certificates ---- */

static bool has_name(const struct config_strings *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names->items[i], name) == 0)
			return true;
	}
	return false;
}

static enum gp_err check_certificate(const struct parse *parse, size_t i)
{
	const struct config_certificate *all = parse->config->certificates;

	for (size_t k = 0; k < all[i].names.count; k++) {
		const char *name = all[i].names.items[k];

		for (size_t j = 0; j <= i; j++) {
			size_t count = j < i ? all[j].names.count : k;

			if (has_name(&all[j].names, count, name))
				return parse_fail(parse, LINE(CERTIFICATE, i, names),
					"name %s is in certificate \"%s\" already", name,
					all[j].name);
		}
	}
	return GP_OK;
}

/* ---- backends ---- */

static bool is_mailbox(const struct config_backend *backend)
{
	return backend->protocol == CONFIG_BACKEND_IMAP || backend->protocol == CONFIG_BACKEND_POP3;
}

static enum gp_err check_backend_auth(const struct parse *parse, size_t i)
{
	const struct config_backend *backend = &parse->config->backends[i];

	if (!is_mailbox(backend) && backend->auth != CONFIG_AUTH_MASTER)
		return parse_fail(parse, LINE(BACKEND, i, auth),
			"auth: an SMTP or LMTP backend knows no users' sign-in; Gatepost signs in "
			"itself, with auth_user");
	if (backend->protocol == CONFIG_BACKEND_LMTP && backend->auth_user != NULL)
		return parse_fail(
			parse, LINE(BACKEND, i, auth_user), "auth_user: LMTP has no sign-in");
	if (is_mailbox(backend) && backend->auth == CONFIG_AUTH_MASTER &&
		backend->auth_user == NULL)
		return parse_fail(parse, LINE(BACKEND, i, auth),
			"auth = master needs auth_user and auth_password_file");
	if (backend->auth != CONFIG_AUTH_MASTER && backend->auth_user != NULL)
		return parse_fail(parse, LINE(BACKEND, i, auth_user),
			"auth_user is of use with auth = master only");
	if (backend->auth_user != NULL && backend->auth_password_file == NULL)
		return parse_fail(
			parse, LINE(BACKEND, i, auth_user), "auth_user needs auth_password_file");
	if (backend->auth_user == NULL && backend->auth_password_file != NULL)
		return parse_fail(parse, LINE(BACKEND, i, auth_password_file),
			"auth_password_file without auth_user");
	return GP_OK;
}

static enum gp_err check_backend(const struct parse *parse, size_t i)
{
	const struct config_backend *backend = &parse->config->backends[i];

	if (backend->tls_name != NULL && backend->tls == CONFIG_TLS_OFF)
		return parse_fail(parse, LINE(BACKEND, i, tls_name),
			"tls_name with tls = off: there is no certificate to check");
	if (backend->ca_file != NULL && backend->tls_name == NULL)
		return parse_fail(parse, LINE(BACKEND, i, ca_file),
			"ca_file without tls_name: the certificate would not be checked");
	return check_backend_auth(parse, i);
}

/* ---- routes ---- */

/* backend: name in the route, NULL passes. is_mail: SMTP or LMTP wanted, else exactly protocol. */
static enum gp_err check_hop(const struct parse *parse, const char *name, const char *option,
	unsigned line, enum config_backend_protocol protocol)
{
	const struct config_backend *backend;
	bool fits;

	if (name == NULL)
		return GP_OK;
	if (!has_section(parse, SECTION_BACKEND, name, option, line))
		return GP_ERR_CONFIG;
	backend = config_backend(parse->config, slice_str(name));
	fits = protocol == CONFIG_BACKEND_SMTP ? !is_mailbox(backend)
					       : backend->protocol == protocol;
	if (!fits)
		return parse_fail(
			parse, line, "%s: backend \"%s\" speaks another protocol", option, name);
	return GP_OK;
}

/* ---- plans ---- */

/* name: of a plan section; NULL passes. */
static enum gp_err check_plan(
	const struct parse *parse, const char *name, const char *option, unsigned line)
{
	if (name != NULL && !has_section(parse, SECTION_PLAN, name, option, line))
		return GP_ERR_CONFIG;
	return GP_OK;
}

static enum gp_err check_hook(const struct parse *parse)
{
	const struct config_strings *argv = &parse->config->sending_block_hook;
	unsigned line = LINE(GLOBAL, 0, sending_block_hook);

	if (argv->count > CONFIG_HOOK_WORDS)
		return parse_fail(parse, line, "sending_block_hook: more than %d words",
			(int)CONFIG_HOOK_WORDS);
	if (argv->count > 0 && (argv->items[0][0] != '/' || strchr(argv->items[0], '{') != NULL))
		return parse_fail(parse, line,
			"sending_block_hook: its first word must be the absolute path of a "
			"program");
	return GP_OK;
}

static enum gp_err check_sending(const struct parse *parse)
{
	const struct config *config = parse->config;
	enum gp_err err = check_plan(
		parse, config->sending_plan, "sending_plan", LINE(GLOBAL, 0, sending_plan));

	if (err == GP_OK)
		err = check_plan(parse, config->sending_source_plan, "sending_source_plan",
			LINE(GLOBAL, 0, sending_source_plan));
	if (err != GP_OK)
		return err;
	if (config->sending_slow > config->sending_ask)
		return parse_fail(parse, LINE(GLOBAL, 0, sending_slow),
			"sending_slow is above sending_ask: nobody would ever be slowed down");
	if (config->sending_ask > config->sending_block)
		return parse_fail(parse, LINE(GLOBAL, 0, sending_ask),
			"sending_ask is above sending_block: nobody would ever be asked");
	return GP_OK;
}

/* ---- the routes themselves ---- */

static enum gp_err check_route(const struct parse *parse, size_t i)
{
	const struct config_route *route = &parse->config->routes[i];
	enum gp_err err =
		check_hop(parse, route->imap, "imap", LINE(ROUTE, i, imap), CONFIG_BACKEND_IMAP);

	if (err == GP_OK)
		err = check_hop(
			parse, route->pop3, "pop3", LINE(ROUTE, i, pop3), CONFIG_BACKEND_POP3);
	if (err == GP_OK)
		err = check_hop(
			parse, route->smtp, "smtp", LINE(ROUTE, i, smtp), CONFIG_BACKEND_SMTP);
	if (err == GP_OK)
		err = check_hop(parse, route->incoming, "incoming", LINE(ROUTE, i, incoming),
			CONFIG_BACKEND_SMTP);
	if (err == GP_OK)
		err = check_plan(parse, route->plan, "plan", LINE(ROUTE, i, plan));
	if (err == GP_OK)
		err = check_plan(
			parse, route->domain_plan, "domain_plan", LINE(ROUTE, i, domain_plan));
	return err;
}

enum gp_err verify(const struct parse *parse)
{
	static enum gp_err (*const checks[SECTION_MAX])(const struct parse *, size_t) = {
		[SECTION_CERTIFICATE] = check_certificate,
		[SECTION_BACKEND] = check_backend,
		[SECTION_ROUTE] = check_route,
		[SECTION_LISTENER] = check_listener,
	};
	enum gp_err err = GP_OK;

	if (parse->config->listener_count == 0)
		return parse_fail(
			parse, 1, "there is no listener section: nothing would be served");
	for (unsigned section = SECTION_LISTENER; err == GP_OK && section < SECTION_MAX;
		section++) {
		size_t count = section_count(parse->config, (enum schema_section)section);

		for (size_t i = 0; err == GP_OK && checks[section] != NULL && i < count; i++)
			err = checks[section](parse, i);
	}
	if (err == GP_OK)
		err = check_hook(parse);
	return err == GP_OK ? check_sending(parse) : err;
}
