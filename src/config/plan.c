/* SPDX-License-Identifier: ISC */
#include "base/check.h"
#include "config/config.h"

/* name: NULL, or what config/verify.c has found. */
static const struct config_plan *plan_by_name(const struct config *config, const char *name)
{
	for (size_t i = 0; name != NULL && i < config->plan_count; i++) {
		if (slice_is(slice_str(name), config->plans[i].name))
			return &config->plans[i];
	}
	GP_ASSERT(name == NULL);
	return NULL;
}

static const struct config_route *route_of(const struct config *config, struct slice domain)
{
	for (size_t i = 0; i < config->route_count; i++) {
		if (slice_is(domain, config->routes[i].domain))
			return &config->routes[i];
	}
	return NULL;
}

const struct config_plan *config_account_plan(const struct config *config, struct slice domain)
{
	const struct config_route *own = route_of(config, domain);
	const struct config_route *any = route_of(config, SLICE_LIT("*"));
	const struct config_plan *plan;
	const char *name = config->sending_plan;

	if (own != NULL && own->plan != NULL)
		name = own->plan;
	else if (any != NULL && any->plan != NULL)
		name = any->plan;
	plan = plan_by_name(config, name);
	return plan != NULL ? plan : &config->default_plan;
}

const struct config_plan *config_domain_plan(const struct config *config, struct slice domain)
{
	const struct config_route *own = route_of(config, domain);
	const struct config_route *any = route_of(config, SLICE_LIT("*"));

	if (own != NULL && own->domain_plan != NULL)
		return plan_by_name(config, own->domain_plan);
	return any != NULL ? plan_by_name(config, any->domain_plan) : NULL;
}

const struct config_plan *config_source_plan(const struct config *config)
{
	return plan_by_name(config, config->sending_source_plan);
}
