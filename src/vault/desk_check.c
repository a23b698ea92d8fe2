/* SPDX-License-Identifier: ISC */
/* What may be put into the store: addresses, passwords, roles, routes. */
#include <string.h>

#include "crypt/device_password.h"
#include "policy/password.h"
#include "policy/signin.h"
#include "vault/desk.h"

_Static_assert(
	(int)STORE_ADDRESS_SIZE == (int)SIGNIN_LOGIN_SIZE, "a canonical login is an address");

struct finder {
	struct vault *vault;
	struct store_domain domain;
	enum gp_err err; /* of the store; GP_OK or GP_ERR_NOT_FOUND if it could say */
};

static enum signin_domain_kind find_domain(
	void *owner, struct slice domain, struct slice *ret_target)
{
	struct finder *finder = owner;
	enum gp_err err = store_domain_find(finder->vault->store, domain, &finder->domain);

	if (err != GP_OK) {
		if (err != GP_ERR_NOT_FOUND)
			finder->err = err;
		return SIGNIN_DOMAIN_FOREIGN;
	}
	if (finder->domain.alias_of[0] == '\0')
		return SIGNIN_DOMAIN_OWN;
	*ret_target = slice_str(finder->domain.alias_of);
	return SIGNIN_DOMAIN_ALIAS;
}

enum gp_err desk_old_address(struct vault *vault, struct slice typed,
	char out[static STORE_ADDRESS_SIZE], struct gp_why *why)
{
	struct finder finder = { .vault = vault };
	const struct signin_names names = {
		.global_default = slice_str(vault->config->default_domain),
		.find = find_domain,
		.owner = &finder,
	};
	char address[STORE_ADDRESS_SIZE];
	bool is_address = signin_canonical(typed, &names, address);

	if (finder.err != GP_OK)
		return finder.err;
	if (!is_address)
		return gp_why_set(why, GP_ERR_SYNTAX, "that is no mail address");
	memcpy(out, address, sizeof address);
	return GP_OK;
}

enum gp_err desk_new_address(struct vault *vault, struct slice typed,
	char out[static STORE_ADDRESS_SIZE], struct gp_why *why)
{
	char address[STORE_ADDRESS_SIZE];
	enum gp_err err = desk_old_address(vault, typed, address, why);
	size_t local;

	if (err != GP_OK)
		return err;
	/* RFC 5321: what would have to be quoted. No mail program gets that right. */
	local = (size_t)slice_find_last(slice_str(address), '@');
	if (strcspn(address, " \"(),:;<>[\\]@") != local)
		return gp_why_set(why, GP_ERR_SYNTAX,
			"the part before the @ has a character that mail programs cannot write");
	memcpy(out, address, sizeof address);
	return GP_OK;
}

enum gp_err desk_check_route(const struct vault *vault, struct slice route, struct gp_why *why)
{
	const struct config *config = vault->config;

	if (route.len == 0)
		return GP_OK;
	for (size_t i = 0; i < config->route_count; i++) {
		if (slice_is(route, config->routes[i].domain))
			return route.len < STORE_ROUTE_SIZE
				       ? GP_OK
				       : gp_why_set(
						 why, GP_ERR_LIMIT, "the route's name is too long");
	}
	return gp_why_set(why, GP_ERR_NOT_FOUND, "the configuration has no such route");
}

enum gp_err desk_check_role(struct slice role, struct gp_why *why)
{
	enum role rank = role_by_name(role);

	if (rank >= ROLE_USER && rank <= ROLE_ADMIN)
		return GP_OK;
	return gp_why_set(
		why, GP_ERR_SYNTAX, "the role must be user, domain-admin, staff or admin");
}

enum gp_err desk_check_password(struct desk_op *op, struct slice password, const char *address)
{
	enum password_fault fault = password_judge(password, slice_str(address));

	if (device_password_is_form(password)) {
		op->fault = "password_device";
		return gp_why_set(&op->why, GP_ERR_SYNTAX,
			"24 letters a-z and 2-7 are the form of a device password: add another "
			"character");
	}
	if (fault == PASSWORD_GOOD)
		return GP_OK;
	op->fault = password_code(fault);
	return gp_why_set(&op->why, fault == PASSWORD_TOO_LONG ? GP_ERR_LIMIT : GP_ERR_SYNTAX, "%s",
		password_words(fault));
}
