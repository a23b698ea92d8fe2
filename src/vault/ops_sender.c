/* SPDX-License-Identifier: ISC */
/*
 * What an account, or every account of a domain, may send as beside its own addresses: an address,
 * or "@domain" for all of one. Who is bound to domains lists addresses of these only.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "policy/signin.h"
#include "store/store_sending.h"
#include "vault/desk.h"

/* Whose: names go with it. */
struct target {
	struct store_sender_owner owner;
	struct store_account account;
	char domain[SIGNIN_DOMAIN_SIZE];
};

static enum gp_err find_domain(struct desk_op *op, const char *typed, struct target *target)
{
	struct store_domain domain;
	enum gp_err err;

	if (!signin_domain(slice_str(typed), target->domain))
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "\"domain\" is no domain name");
	target->owner.domain = slice_str(target->domain);
	err = desk_has_domain(op, target->owner.domain)
		      ? store_domain_find(op->vault->store, target->owner.domain, &domain)
		      : GP_ERR_NOT_FOUND;
	if (err == GP_OK && domain.alias_of[0] != '\0')
		err = GP_ERR_NOT_FOUND;
	return err == GP_ERR_NOT_FOUND
		       ? gp_why_set(&op->why, err, "no domain %.200s", target->domain)
		       : err;
}

static enum gp_err find_target(struct desk_op *op, struct target *target)
{
	const char *domain = desk_string(op, "domain");
	enum gp_err err;

	*target = (struct target){ .owner = { 0 } };
	if ((desk_string(op, "address") == NULL) == (domain == NULL))
		return gp_why_set(&op->why, GP_ERR_SYNTAX,
			"either \"address\", of an account, or \"domain\" must be given");
	if (domain != NULL)
		return find_domain(op, domain, target);
	err = desk_account(op, &target->account);
	mem_wipe(target->account.password, sizeof target->account.password);
	if (err == GP_OK)
		target->owner.account = target->account.id;
	return err;
}

/* Canonical; whoever is bound to domains gives away what is of these. */
static enum gp_err read_sender(struct desk_op *op, char out[static STORE_ADDRESS_SIZE])
{
	struct slice typed = slice_str(desk_string(op, "sender"));
	char domain[SIGNIN_DOMAIN_SIZE];

	if (slice_find(typed, '@') < 0)
		return gp_why_set(
			&op->why, GP_ERR_SYNTAX, "a sender is an address, or @ and a domain");
	if (slice_find(typed, '@') > 0) {
		enum gp_err err = desk_new_address(op->vault, typed, out, &op->why);

		return err == GP_OK ? desk_check_new_address(op, out) : err;
	}
	if (!signin_domain(slice_from(typed, 1), domain))
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "what follows the @ is no domain name");
	if (!desk_has_domain(op, slice_str(domain)))
		return gp_why_set(&op->why, GP_ERR_ROLE, "%.200s is not for you to give", domain);
	(void)snprintf(out, STORE_ADDRESS_SIZE, "@%s", domain);
	return GP_OK;
}

/* Whoever sends now is looked at anew. */
static enum gp_err answer(struct desk_op *op, const struct target *target, const char *sender)
{
	op->effect = IPC_EFFECT_SENDERS;
	if (target->owner.account != 0)
		return desk_row(op, json_pack("{s:s, s:s}", "address", target->account.address,
					    "sender", sender));
	return desk_row(op, json_pack("{s:s, s:s}", "domain", target->domain, "sender", sender));
}

enum gp_err op_sender_add(struct desk_op *op)
{
	struct target target;
	char sender[STORE_ADDRESS_SIZE];
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = find_target(op, &target);
	if (err == GP_OK)
		err = read_sender(op, sender);
	if (err != GP_OK)
		return err;
	err = store_sender_add(op->vault->store, &target.owner, slice_str(sender), clock_wall());
	if (err == GP_ERR_EXISTS)
		return gp_why_set(&op->why, err, "%.200s is listed already", sender);
	if (err == GP_ERR_LIMIT)
		return gp_why_set(
			&op->why, err, "at most %d senders are listed for one", STORE_SENDERS_MAX);
	return err == GP_OK ? answer(op, &target, sender) : err;
}

static enum gp_err sender_row(struct slice sender, void *arg)
{
	return desk_row(arg, json_pack("{s:o}", "sender", desk_json_text(sender)));
}

enum gp_err op_sender_list(struct desk_op *op)
{
	struct target target;
	enum gp_err err = find_target(op, &target);

	return err == GP_OK ? store_sender_each(op->vault->store, &target.owner, sender_row, op)
			    : err;
}

enum gp_err op_sender_remove(struct desk_op *op)
{
	struct target target;
	char sender[STORE_ADDRESS_SIZE];
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = find_target(op, &target);
	if (err == GP_OK)
		err = read_sender(op, sender);
	if (err != GP_OK)
		return err;
	err = store_sender_remove(op->vault->store, &target.owner, slice_str(sender));
	if (err == GP_ERR_NOT_FOUND)
		return gp_why_set(&op->why, err, "%.200s is not listed", sender);
	return err == GP_OK ? answer(op, &target, sender) : err;
}
