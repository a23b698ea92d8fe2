/* SPDX-License-Identifier: ISC */
/* setup.find, domain.dns. Rows: ops/ops.def. */
#include "base/check.h"
#include "core/core.h"
#include "setup/zone.h"

/* A domain that somebody names, as anybody may: what is said of it must not depend on more than
 * whether it is an own one, or an alias. */
enum gp_err op_setup_find(struct op_call *call, const json_t *args, struct gp_why *why)
{
	const json_t *domains = json_object_get(args, "domains");
	char name[SIGNIN_DOMAIN_SIZE];
	struct slice target;

	if (!loading_is_done(call->core))
		return gp_why_set(why, GP_ERR_STORE, "the domains are not known yet");
	for (size_t i = 0; i < json_array_size(domains); i++) {
		struct slice typed = slice_str(json_string_value(json_array_get(domains, i)));

		if (!signin_domain(typed, name) ||
			domains_find(call->core, slice_str(name), &target) == SIGNIN_DOMAIN_FOREIGN)
			return gp_why_set(
				why, GP_ERR_NOT_FOUND, "that is no domain of this server");
		op_row(call, json_pack("{s:s}", "domain", name));
	}
	return GP_OK;
}

static bool may_see(const struct caller *caller, struct slice domain)
{
	struct slice rest = caller->domains;
	struct slice word;

	if (caller->role != ROLE_DOMAIN_ADMIN && rest.len == 0)
		return true;
	while ((word = slice_word(&rest)).len > 0) {
		if (slice_equal(word, domain))
			return true;
	}
	return false;
}

static enum gp_err send_record(const struct zone_record *record, void *owner)
{
	op_row(owner, json_pack("{s:s, s:s, s:s, s:s}", "name", record->name, "type", record->type,
			      "value", record->value, "what", record->what));
	return GP_OK;
}

enum gp_err op_domain_dns(struct op_call *call, const json_t *args, struct gp_why *why)
{
	struct slice typed = slice_str(json_string_value(json_object_get(args, "domain")));
	char domain[SIGNIN_DOMAIN_SIZE];

	if (!signin_domain(typed, domain))
		return gp_why_set(why, GP_ERR_SYNTAX, "that is no domain");
	if (!may_see(call->caller, slice_str(domain)))
		return gp_why_set(why, GP_ERR_NOT_FOUND, "you have no such domain");
	return zone_each(call->core->config, slice_str(domain), send_record, call);
}
