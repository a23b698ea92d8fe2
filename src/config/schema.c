/* SPDX-License-Identifier: ISC */
#include "config/schema.h"

#include "base/check.h"
#include "base/log.h"
#include "base/terms.h"
#include "config/config.h"

/* Choices are stored through an unsigned, see value.c. */
_Static_assert(sizeof(enum service) == sizeof(unsigned), "an enum is as wide as unsigned");

static const struct schema_choice choices_log[] = {
	{ "stderr", CONFIG_LOG_STDERR },
	{ "syslog", CONFIG_LOG_SYSLOG },
	{ NULL, 0 },
};
static const struct schema_choice choices_log_level[] = {
	{ "fatal", LOG_LEVEL_FATAL },
	{ "error", LOG_LEVEL_ERROR },
	{ "warn", LOG_LEVEL_WARN },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
	{ NULL, 0 },
};
static const struct schema_choice choices_count[] = {
	{ "every", CONFIG_COUNT_EVERY },
	{ "distinct", CONFIG_COUNT_DISTINCT },
	{ NULL, 0 },
};
static const struct schema_choice choices_sending[] = {
	{ "enforce", CONFIG_SENDING_ENFORCE },
	{ "observe", CONFIG_SENDING_OBSERVE },
	{ "off", CONFIG_SENDING_OFF },
	{ NULL, 0 },
};
static const struct schema_choice choices_release[] = {
	{ "seen", CONFIG_RELEASE_SEEN },
	{ "known", CONFIG_RELEASE_KNOWN },
	{ "password", CONFIG_RELEASE_PASSWORD },
	{ NULL, 0 },
};
static const struct schema_choice choices_yes[] = {
	{ "learn", CONFIG_YES_LEARN },
	{ "staff", CONFIG_YES_STAFF },
	{ NULL, 0 },
};
static const struct schema_choice choices_sts[] = {
	{ "none", CONFIG_STS_NONE },
	{ "testing", CONFIG_STS_TESTING },
	{ "enforce", CONFIG_STS_ENFORCE },
	{ NULL, 0 },
};
static const struct schema_choice choices_code[] = {
	{ "550", 550 },
	{ "530", 530 },
	{ NULL, 0 },
};
static const struct schema_choice choices_service[] = {
#define SERVICE_CHOICE(id, text, protocol, port, is_tls) { text, id },
	SERVICE_LIST(SERVICE_CHOICE)
#undef SERVICE_CHOICE
		{ NULL, 0 },
};
static const struct schema_choice choices_protocol[] = {
	{ "imap", CONFIG_BACKEND_IMAP },
	{ "pop3", CONFIG_BACKEND_POP3 },
	{ "smtp", CONFIG_BACKEND_SMTP },
	{ "lmtp", CONFIG_BACKEND_LMTP },
	{ NULL, 0 },
};
static const struct schema_choice choices_tls[] = {
	{ "off", CONFIG_TLS_OFF },
	{ "starttls", CONFIG_TLS_STARTTLS },
	{ "implicit", CONFIG_TLS_IMPLICIT },
	{ NULL, 0 },
};
static const struct schema_choice choices_auth[] = {
	{ "token", CONFIG_AUTH_TOKEN },
	{ "master", CONFIG_AUTH_MASTER },
	{ "passthrough", CONFIG_AUTH_PASSTHROUGH },
	{ NULL, 0 },
};
static const struct schema_choice choices_client[] = {
	{ "none", CONFIG_CLIENT_NONE },
	{ "id", CONFIG_CLIENT_ID },
	{ "proxy", CONFIG_CLIENT_PROXY },
	{ NULL, 0 },
};

#define REQUIRED           NULL
#define STRUCT_GLOBAL      struct config
#define STRUCT_LISTENER    struct config_listener
#define STRUCT_CERTIFICATE struct config_certificate
#define STRUCT_BACKEND     struct config_backend
#define STRUCT_ROUTE       struct config_route
#define STRUCT_PLAN        struct config_plan

const struct schema_option schema_options[SCHEMA_OPTION_COUNT] = {
#define ROW(section, member, kind, low, high, choices, preset, unset, help)                \
	{ #member, SECTION_##section, kind, offsetof(STRUCT_##section, member), low, high, \
		choices, preset, unset, (preset) == NULL && (unset) == NULL, help },
#define OPTION(section, member, kind, low, high, preset, unset, help) \
	ROW(section, member, SCHEMA_##kind, low, high, NULL, preset, unset, help)
#define CHOICE(section, member, choices, preset, unset, help) \
	ROW(section, member, SCHEMA_CHOICE, 0, 0, choices, preset, unset, help)
#include "config/schema.def"
};

#define FACTS(name, words, type, title, array, count)                                             \
	{                                                                                         \
		name, words, sizeof(type), offsetof(type, title), offsetof(struct config, array), \
			offsetof(struct config, count)                                            \
	}

static const struct schema_facts sections[SECTION_MAX] = {
	[SECTION_LISTENER] =
		FACTS("listener", "NAME", struct config_listener, name, listeners, listener_count),
	[SECTION_CERTIFICATE] = FACTS("certificate", "NAME", struct config_certificate, name,
		certificates, certificate_count),
	[SECTION_BACKEND] =
		FACTS("backend", "NAME", struct config_backend, name, backends, backend_count),
	[SECTION_ROUTE] =
		FACTS("route", "DOMAIN", struct config_route, domain, routes, route_count),
	[SECTION_PLAN] = FACTS("plan", "NAME", struct config_plan, name, plans, plan_count),
};

const struct schema_facts *schema_facts(enum schema_section section)
{
	GP_ASSERT(section > SECTION_GLOBAL && section < SECTION_MAX);
	return &sections[section];
}

enum schema_section schema_section_by_name(struct slice name)
{
	unsigned i = SECTION_LISTENER;

	while (i < SECTION_MAX && !slice_is(name, sections[i].name))
		i++;
	return (enum schema_section)i;
}

const struct schema_option *schema_option(enum schema_section section, struct slice name)
{
	for (size_t i = 0; i < SCHEMA_OPTION_COUNT; i++) {
		if (schema_options[i].section == section && slice_is(name, schema_options[i].name))
			return &schema_options[i];
	}
	return NULL;
}

bool schema_is_list(enum schema_type type)
{
	return type >= SCHEMA_ADDRESSES;
}

bool schema_is_text(enum schema_type type)
{
	return type <= SCHEMA_PLAN;
}
