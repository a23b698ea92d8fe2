/* SPDX-License-Identifier: ISC */
/* Rows of domain.list: domain, alias_of (null for one of its own), accounts, created_at */
#include "base/clock.h"
#include "policy/signin.h"
#include "vault/desk.h"

static enum gp_err domain_argument(
	struct desk_op *op, const char *key, char out[static SIGNIN_DOMAIN_SIZE])
{
	if (!signin_domain(slice_str(desk_string(op, key)), out))
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "\"%s\" is no domain name", key);
	return GP_OK;
}

enum gp_err op_domain_add(struct desk_op *op)
{
	char name[SIGNIN_DOMAIN_SIZE];
	char alias_of[SIGNIN_DOMAIN_SIZE] = "";
	uint64_t id;
	enum gp_err err = domain_argument(op, "domain", name);

	if (err == GP_OK && desk_string(op, "alias_of") != NULL)
		err = domain_argument(op, "alias_of", alias_of);
	if (err == GP_OK)
		err = desk_begin(op);
	if (err != GP_OK)
		return err;
	err = store_domain_add(
		op->vault->store, slice_str(name), slice_str(alias_of), clock_wall(), &id);
	op->effect = IPC_EFFECT_DOMAINS;
	if (err == GP_ERR_EXISTS)
		return gp_why_set(&op->why, err, "%.200s exists already", name);
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(&op->why, err, "%.200s is no domain of its own", alias_of);
	return err;
}

static enum gp_err domain_row(const struct store_domain *domain, void *arg)
{
	return desk_row(arg,
		json_pack("{s:s, s:o, s:I, s:o}", "domain", domain->name, "alias_of",
			domain->alias_of[0] != '\0' ? json_string(domain->alias_of) : json_null(),
			"accounts", (json_int_t)domain->accounts, "created_at",
			desk_json_time(domain->created_at)));
}

enum gp_err op_domain_list(struct desk_op *op)
{
	const char *after = desk_string(op, "after");
	uint64_t limit = UINT64_MAX;
	enum gp_err err = GP_OK;

	if (json_object_get(op->args, "limit") != NULL)
		err = desk_limit(op, &limit);
	/* Nobody is in no domain. */
	if (err != GP_OK || (desk_is_bound(op) && op->domains.len == 0))
		return err;
	return store_domain_each(
		op->vault->store, op->domains, slice_str(after), limit, domain_row, op);
}

enum gp_err op_domain_remove(struct desk_op *op)
{
	char name[SIGNIN_DOMAIN_SIZE];
	enum gp_err err = domain_argument(op, "domain", name);

	if (err == GP_OK)
		err = desk_begin(op);
	if (err != GP_OK)
		return err;
	err = store_domain_remove(op->vault->store, slice_str(name));
	op->effect = IPC_EFFECT_DOMAINS;
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(&op->why, err, "no domain %.200s", name);
	if (err == GP_ERR_BUSY)
		return gp_why_set(
			&op->why, err, "%.150s still has accounts, aliases or host aliases", name);
	return err;
}
