/* SPDX-License-Identifier: ISC */
#include "web/gate.h"

#include <string.h>

#define SCHEME "https://"

struct slice gate_host_name(struct slice authority)
{
	ptrdiff_t colon = slice_find_last(authority, ':');
	ptrdiff_t bracket = slice_find_last(authority, ']');

	return colon > bracket ? slice_head(authority, (size_t)colon) : authority;
}

static struct slice host_of_url(const char *url)
{
	const char *begin = strstr(url, "://");
	struct slice rest = slice_str(begin != NULL ? begin + 3 : url);

	return gate_host_name(slice_head(rest, strcspn(rest.data, "/?#")));
}

bool gate_is_host(const struct config *config, struct slice host)
{
	struct slice name = gate_host_name(host);

	return name.len > 0 && (slice_equal_nocase(name, host_of_url(config->portal_url)) ||
				       slice_is_nocase(name, config->hostname));
}

/* The page that asks is one of ours: same scheme, name and port. */
static bool is_own_origin(struct slice origin, struct slice host)
{
	return slice_starts_nocase(origin, SCHEME) &&
	       slice_equal_nocase(slice_from(origin, sizeof SCHEME - 1), host);
}

static bool is_json(struct slice content_type)
{
	ptrdiff_t semicolon = slice_find(content_type, ';');

	if (semicolon >= 0)
		content_type = slice_head(content_type, (size_t)semicolon);
	return slice_is_nocase(slice_trim(content_type), "application/json");
}

enum gate_verdict gate_check(const struct config *config, const struct gate_facts *facts)
{
	bool is_told = facts->origin.len > 0;

	if (!gate_is_host(config, facts->host))
		return GATE_HOST;
	if (!facts->is_change)
		return GATE_OPEN;
	/* A program with a token has no cookie that a page could make use of, and no origin. */
	if ((is_told || (facts->has_cookie && !facts->has_token)) &&
		!is_own_origin(facts->origin, facts->host))
		return GATE_ORIGIN;
	if (facts->site.len > 0 && !slice_is(facts->site, "same-origin") &&
		!slice_is(facts->site, "none"))
		return GATE_ORIGIN;
	return is_json(facts->content_type) ? GATE_OPEN : GATE_CONTENT_TYPE;
}
