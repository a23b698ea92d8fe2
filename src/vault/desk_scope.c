/* SPDX-License-Identifier: ISC */
/*
 * Who may touch what. A domain-admin, and a token that is bound to domains, is for the accounts of
 * these domains; others are not there for him. Whoever changes an account must stand above it.
 */
#include "base/check.h"
#include "vault/desk.h"

bool desk_is_bound(const struct desk_op *op)
{
	return op->role == ROLE_DOMAIN_ADMIN || op->domains.len > 0;
}

bool desk_has_domain(const struct desk_op *op, struct slice domain)
{
	struct slice rest = op->domains;
	struct slice word;

	if (!desk_is_bound(op))
		return true;
	while ((word = slice_word(&rest)).len > 0) {
		if (slice_equal(word, domain))
			return true;
	}
	return false;
}

bool desk_has_address(const struct desk_op *op, struct slice address)
{
	ptrdiff_t at = slice_find_last(address, '@');

	return desk_has_domain(op, slice_from(address, (size_t)(at + 1)));
}

enum gp_err desk_check_new_address(struct desk_op *op, const char *address)
{
	if (desk_has_address(op, slice_str(address)))
		return GP_OK;
	return gp_why_set(&op->why, GP_ERR_ROLE, "%.200s is in none of your domains", address);
}

enum gp_err desk_check_rank(struct desk_op *op, struct slice role)
{
	enum role rank = role_by_name(role);

	/* A role this program does not know is nobody's to change but an admin's. */
	if (op->role >= ROLE_ADMIN || rank < op->role)
		return GP_OK;
	return gp_why_set(&op->why, GP_ERR_ROLE, "that needs an admin: the account is %.20s",
		rank < ROLE_MAX ? role_name(rank) : "of an unknown role");
}

enum gp_err desk_check_secret(struct desk_op *op)
{
	if (op->asker == 0 || op->role >= ROLE_ADMIN)
		return GP_OK;
	return gp_why_set(&op->why, GP_ERR_ROLE,
		"only its owner sees or chooses a secret: send a reset link");
}
