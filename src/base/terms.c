/* SPDX-License-Identifier: ISC */
#include "base/terms.h"

#include "base/check.h"

struct service_facts {
	const char *name;
	enum protocol protocol;
	uint16_t port;
	bool is_tls;
};

static const struct service_facts services[SERVICE_MAX] = {
#define SERVICE_ROW(id, text, protocol, port, is_tls) [id] = { text, protocol, port, is_tls },
	SERVICE_LIST(SERVICE_ROW)
#undef SERVICE_ROW
};

static const char *const protocol_names[PROTOCOL_MAX] = { "SMTP", "IMAP", "POP3", "HTTP" };

#define TERM_ROW(id, text) [id] = (text),
static const char *const mechanism_names[MECHANISM_MAX] = { MECHANISM_LIST(TERM_ROW) };
static const char *const verdict_names[VERDICT_MAX] = { VERDICT_LIST(TERM_ROW) };
static const char *const role_names[ROLE_MAX] = { ROLE_LIST(TERM_ROW) };
static const char *const permit_names[PERMIT_MAX] = { PERMIT_LIST(TERM_ROW) };
static const char *const rcpt_outcome_names[RCPT_OUTCOME_MAX] = { RCPT_OUTCOME_LIST(TERM_ROW) };
static const char *const sent_names[SENT_MAX] = { SENT_LIST(TERM_ROW) };
static const char *const filter_names[FILTER_MAX] = { FILTER_LIST(TERM_ROW) };
static const char *const filter_result_names[FILTER_RESULT_MAX] = { FILTER_RESULT_LIST(TERM_ROW) };
static const char *const close_names[CLOSE_MAX] = { CLOSE_LIST(TERM_ROW) };
#undef TERM_ROW

static const char *const reason_names[REASON_MAX] = {
#define REASON_NAME(id, text, words) [id] = (text),
	REASON_LIST(REASON_NAME)
#undef REASON_NAME
};

static const char *const reason_texts[REASON_MAX] = {
#define REASON_TEXT(id, text, words) [id] = (words),
	REASON_LIST(REASON_TEXT)
#undef REASON_TEXT
};

const char *service_name(enum service service)
{
	GP_ASSERT(service < SERVICE_MAX);
	return services[service].name;
}

enum protocol service_protocol(enum service service)
{
	GP_ASSERT(service < SERVICE_MAX);
	return services[service].protocol;
}

uint16_t service_port(enum service service)
{
	GP_ASSERT(service < SERVICE_MAX);
	return services[service].port;
}

bool service_is_tls(enum service service)
{
	GP_ASSERT(service < SERVICE_MAX);
	return services[service].is_tls;
}

enum service service_by_name(struct slice name)
{
	unsigned i = 0;

	while (i < SERVICE_MAX && !slice_is(name, services[i].name))
		i++;
	return (enum service)i;
}

const char *protocol_name(enum protocol protocol)
{
	GP_ASSERT(protocol < PROTOCOL_MAX);
	return protocol_names[protocol];
}

enum scope protocol_scope(enum protocol protocol)
{
	static const enum scope scopes[PROTOCOL_MAX] = {
		[PROTOCOL_SMTP] = SCOPE_SMTP,
		[PROTOCOL_IMAP] = SCOPE_IMAP,
		[PROTOCOL_POP3] = SCOPE_POP3,
		[PROTOCOL_HTTP] = SCOPE_NONE,
	};

	GP_ASSERT(protocol < PROTOCOL_MAX);
	return scopes[protocol];
}

const char *mechanism_name(enum mechanism mechanism)
{
	GP_ASSERT(mechanism < MECHANISM_MAX);
	return mechanism_names[mechanism];
}

const char *verdict_name(enum verdict verdict)
{
	GP_ASSERT(verdict < VERDICT_MAX);
	return verdict_names[verdict];
}

const char *reason_name(enum reason reason)
{
	GP_ASSERT(reason < REASON_MAX);
	return reason_names[reason];
}

const char *reason_words(enum reason reason)
{
	GP_ASSERT(reason < REASON_MAX);
	return reason_texts[reason];
}

static unsigned find_name(const char *const *names, unsigned count, struct slice name)
{
	unsigned i = 0;

	while (i < count && !slice_is(name, names[i]))
		i++;
	return i;
}

enum reason reason_by_name(struct slice name)
{
	return (enum reason)find_name(reason_names, REASON_MAX, name);
}

enum verdict verdict_by_name(struct slice name)
{
	return (enum verdict)find_name(verdict_names, VERDICT_MAX, name);
}

const char *role_name(enum role role)
{
	GP_ASSERT(role < ROLE_MAX);
	return role_names[role];
}

enum role role_by_name(struct slice name)
{
	return (enum role)find_name(role_names, ROLE_MAX, name);
}

const char *permit_name(enum permit permit)
{
	GP_ASSERT(permit < PERMIT_MAX);
	return permit_names[permit];
}

const char *rcpt_outcome_name(enum rcpt_outcome outcome)
{
	GP_ASSERT(outcome < RCPT_OUTCOME_MAX);
	return rcpt_outcome_names[outcome];
}

const char *sent_name(enum sent_outcome outcome)
{
	GP_ASSERT(outcome < SENT_MAX);
	return sent_names[outcome];
}

const char *filter_name(enum filter filter)
{
	GP_ASSERT(filter < FILTER_MAX);
	return filter_names[filter];
}

const char *filter_result_name(enum filter_result result)
{
	GP_ASSERT(result < FILTER_RESULT_MAX);
	return filter_result_names[result];
}

const char *close_name(enum close_reason reason)
{
	GP_ASSERT(reason < CLOSE_MAX);
	return close_names[reason];
}
