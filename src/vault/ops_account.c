/* SPDX-License-Identifier: ISC */
/*
 * Rows of account.add, list and show:
 *	id, address, role, route ("" for its domain's), created_at, has_password, password_at,
 *	is_off, blocked_at, block_reason, twofactor_at
 * account.show has also:
 *	domains (that a domain-admin is for), aliases (as many as a row holds), alias_count,
 *	devices [{id, name}]
 */
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "policy/signin.h"
#include "vault/case.h"

enum {
	SHOW_ALIASES_BYTES = 5000, /* of aliases in a row, beside 50 devices with longest names */
};

static json_t *account_json(const struct store_account *account)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:o, s:b, s:o, s:b, s:o, s:s, s:o}", "id",
		(json_int_t)account->id, "address", account->address, "role", account->role,
		"route", account->route, "created_at", desk_json_time(account->created_at),
		"has_password", account->password[0] != '\0', "password_at",
		desk_json_time(account->password_at), "is_off", (int)account->is_off, "blocked_at",
		desk_json_time(account->blocked_at), "block_reason", account->block_reason,
		"twofactor_at", desk_json_time(account->twofactor_at));
}

/* desk_begin(), then the account that "address" names. */
static enum gp_err begin_on_account(struct desk_op *op, struct store_account *account)
{
	enum gp_err err = desk_begin(op);

	if (err == GP_OK)
		err = desk_account(op, account);
	mem_wipe(account->password, sizeof account->password);
	return err;
}

static enum gp_err hash_argument(struct desk_op *op, struct store_account *account)
{
	struct slice password = slice_str(desk_string(op, "password"));
	enum gp_err err = desk_check_secret(op);

	if (err == GP_OK)
		err = desk_check_password(op, password, account->address);
	return err == GP_OK ? pwhash_make(&op->vault->policy, password, account->password) : err;
}

/* ---- roles ---- */

/* Gives the account its role and, for a domain-admin, the domains of the arguments. */
static enum gp_err set_role(struct desk_op *op, uint64_t account, const char *role)
{
	const json_t *domains = json_object_get(op->args, "domains");
	bool is_bound = role_by_name(slice_str(role)) == ROLE_DOMAIN_ADMIN;
	enum gp_err err;

	if (is_bound != (json_array_size(domains) > 0))
		return gp_why_set(&op->why, GP_ERR_SYNTAX,
			is_bound ? "a domain-admin needs the domains it is for"
				 : "only a domain-admin is bound to domains");
	err = store_account_set_role(op->vault->store, account, slice_str(role));
	for (size_t i = 0; err == GP_OK && i < json_array_size(domains); i++) {
		const char *typed = json_string_value(json_array_get(domains, i));
		char name[SIGNIN_DOMAIN_SIZE];

		if (!signin_domain(slice_str(typed), name))
			return gp_why_set(&op->why, GP_ERR_SYNTAX, "a domain is no domain name");
		err = store_account_add_domain(op->vault->store, account, slice_str(name));
		if (err == GP_ERR_NOT_FOUND)
			err = gp_why_set(&op->why, err, "no domain %.200s", name);
		else if (err == GP_ERR_LIMIT)
			err = gp_why_set(&op->why, err, "too many domains for one account");
	}
	return err;
}

enum gp_err op_account_role(struct desk_op *op)
{
	const char *role = desk_string(op, "role");
	struct store_account account = { 0 };
	enum gp_err err = desk_check_role(slice_str(role), &op->why);

	if (err == GP_OK)
		err = begin_on_account(op, &account);
	if (err == GP_OK)
		err = set_role(op, account.id, role);
	/* Sessions at the portal have the old role. */
	op->effect = IPC_EFFECT_ROLE;
	return err;
}

/* ---- account.add ---- */

static enum gp_err add_aliases(struct desk_op *op)
{
	const json_t *aliases = json_object_get(op->args, "aliases");
	char address[STORE_ADDRESS_SIZE];
	enum gp_err err = GP_OK;

	for (size_t i = 0; err == GP_OK && i < json_array_size(aliases); i++)
		err = desk_add_alias(op, json_string_value(json_array_get(aliases, i)), address);
	return err;
}

static enum gp_err ensure_domain(struct desk_op *op, const char *address)
{
	struct slice name = slice_str(strrchr(address, '@') + 1);
	struct store_domain domain;
	uint64_t id;
	enum gp_err err = store_domain_find(op->vault->store, name, &domain);

	if (err != GP_ERR_NOT_FOUND)
		return err;
	if (!desk_bool(op, "create_domain") || op->role < ROLE_ADMIN)
		return gp_why_set(&op->why, err, "no domain %.200s: domain add first", name.data);
	op->effect = IPC_EFFECT_DOMAINS;
	return store_domain_add(op->vault->store, name, slice_str(NULL), clock_wall(), &id);
}

static enum gp_err check_route(struct desk_op *op, struct slice route)
{
	if (desk_is_bound(op))
		return gp_why_set(&op->why, GP_ERR_ROLE, "a route is for the staff to choose");
	return desk_check_route(op->vault, route, &op->why);
}

static enum gp_err fill_account(struct desk_op *op, struct store_account *account)
{
	const char *role = desk_string(op, "role");
	const char *route = desk_string(op, "route");
	enum gp_err err = desk_new_address(
		op->vault, slice_str(desk_string(op, "address")), account->address, &op->why);

	role = role != NULL ? role : "user";
	if (err == GP_OK)
		err = desk_check_new_address(op, account->address);
	if (err == GP_OK)
		err = desk_check_role(slice_str(role), &op->why);
	if (err == GP_OK)
		err = desk_check_rank(op, slice_str(role));
	if (err == GP_OK && route != NULL)
		err = check_route(op, slice_str(route));
	if (err == GP_OK && desk_string(op, "password") != NULL)
		err = hash_argument(op, account);
	if (err != GP_OK)
		return err;
	GP_ASSERT(slice_copy(slice_str(role), account->role, sizeof account->role));
	GP_ASSERT(slice_copy(slice_str(route), account->route, sizeof account->route));
	memcpy(op->subject, account->address, sizeof op->subject);
	return GP_OK;
}

enum gp_err op_account_add(struct desk_op *op)
{
	struct store_account account = { 0 };
	enum gp_err err = fill_account(op, &account);

	if (err == GP_OK)
		err = desk_begin(op);
	if (err == GP_OK)
		err = ensure_domain(op, account.address);
	if (err == GP_OK)
		err = store_account_add(op->vault->store, &account, clock_wall(), &op->account);
	if (err == GP_ERR_EXISTS)
		err = gp_why_set(&op->why, err, "%.200s exists already", account.address);
	if (err == GP_OK)
		err = set_role(op, op->account, account.role);
	if (err == GP_OK)
		err = add_aliases(op);
	if (err == GP_OK)
		err = store_account_find(op->vault->store, slice_str(op->subject), &account);
	if (err == GP_OK)
		err = desk_row(op, account_json(&account));
	mem_wipe(account.password, sizeof account.password);
	return err;
}

/* ---- looking ---- */

static enum gp_err list_row(const struct store_account *account, void *arg)
{
	return desk_row(arg, account_json(account));
}

enum gp_err op_account_list(struct desk_op *op)
{
	const char *match = desk_string(op, "match");
	char lower[STORE_ADDRESS_SIZE] = "";
	uint64_t limit;
	enum gp_err err = desk_limit(op, &limit);

	if (err != GP_OK)
		return err;
	if (!slice_copy(slice_str(match), lower, sizeof lower))
		return gp_why_set(&op->why, GP_ERR_LIMIT, "\"match\" is too long");
	text_lower_all(lower);
	/* Nobody is in no domain. */
	if (desk_is_bound(op) && op->domains.len == 0)
		return GP_OK;
	return store_account_each(op->vault->store, slice_str(lower), op->domains,
		slice_str(desk_string(op, "after")), limit, list_row, op);
}

struct aliases {
	json_t *list;
	size_t count;
	size_t bytes;
};

static enum gp_err add_alias_json(struct slice address, void *arg)
{
	struct aliases *aliases = arg;

	aliases->count++;
	aliases->bytes += address.len + 3;
	if (aliases->bytes <= SHOW_ALIASES_BYTES)
		GP_ASSERT(json_array_append_new(aliases->list, desk_json_text(address)) == 0);
	return GP_OK;
}

static enum gp_err add_device_json(const struct store_device *device, void *arg)
{
	GP_ASSERT(json_array_append_new(
			  arg, json_pack("{s:I, s:o}", "id", (json_int_t)device->id, "name",
				       desk_json_text(slice_str(device->name)))) == 0);
	return GP_OK;
}

static json_t *words_json(const char *text)
{
	struct slice rest = slice_str(text);
	struct slice word;
	json_t *list = json_array();

	while ((word = slice_word(&rest)).len > 0)
		GP_ASSERT(json_array_append_new(list, desk_json_text(word)) == 0);
	return list;
}

enum gp_err op_account_show(struct desk_op *op)
{
	struct store_account account;
	struct aliases aliases = { .list = json_array() };
	json_t *devices = json_array();
	json_t *row = NULL;
	char domains[STORE_DOMAINS_SIZE] = "";
	enum gp_err err = desk_account(op, &account);

	if (err != GP_OK)
		goto out;
	row = account_json(&account);
	mem_wipe(account.password, sizeof account.password);
	err = store_account_domains(op->vault->store, account.id, domains);
	if (err == GP_OK)
		err = store_alias_each(op->vault->store, account.id, add_alias_json, &aliases);
	if (err == GP_OK)
		err = store_device_each(op->vault->store, account.id, add_device_json, devices);
	if (err != GP_OK)
		goto out;
	GP_ASSERT(json_object_set_new(row, "domains", words_json(domains)) == 0);
	GP_ASSERT(json_object_set(row, "aliases", aliases.list) == 0);
	GP_ASSERT(json_object_set_new(
			  row, "alias_count", json_integer((json_int_t)aliases.count)) == 0);
	GP_ASSERT(json_object_set(row, "devices", devices) == 0);
	err = desk_row(op, row);
	row = NULL;
out:
	json_decref(row);
	json_decref(devices);
	json_decref(aliases.list);
	return err;
}

/* ---- changing ---- */

/* Staff notice abuse when it has gone on for a while. An account that is not older than that has
 * nothing that could be told from a thief. */
static enum gp_err guess_beginning(
	struct desk_op *op, const struct store_account *account, int64_t *ret_began_at)
{
	int64_t now = clock_wall();
	int64_t first_at = 0;
	enum gp_err err = store_known_oldest(op->vault->store, account->id, &first_at);

	if (err == GP_OK)
		*ret_began_at =
			first_at > 0 && first_at < now - CASE_EARLIER ? now - CASE_EARLIER : now;
	return err;
}

enum gp_err op_account_block(struct desk_op *op)
{
	struct store_account account = { 0 };
	struct store_case begun = { .kind = STORE_CASE_BLOCK };
	struct slice reason = slice_str(desk_string(op, "reason"));
	enum gp_err err = desk_time(op, "since", &begun.began_at);

	if (err != GP_OK)
		return err;
	if (!text_is_printable(reason) || reason.len >= STORE_WORDS_SIZE)
		return gp_why_set(&op->why, GP_ERR_SYNTAX,
			"the reason must be one line of at most %d bytes", STORE_WORDS_SIZE - 1);
	GP_ASSERT(slice_copy(reason, begun.reason, sizeof begun.reason));
	if (!slice_copy(op->actor, begun.opened_by, sizeof begun.opened_by))
		begun.opened_by[0] = '\0';
	err = begin_on_account(op, &account);
	if (err == GP_OK && begun.began_at == 0)
		err = guess_beginning(op, &account, &begun.began_at);
	return err == GP_OK ? case_open(op, &account, &begun, NULL, true) : err;
}

enum gp_err op_account_unblock(struct desk_op *op)
{
	struct store_account account = { 0 };
	struct case_view view;
	enum gp_err err = begin_on_account(op, &account);

	op->effect = IPC_EFFECT_UNBLOCKED;
	if (err != GP_OK)
		return err;
	err = case_look(op, &view);
	if (err == GP_OK)
		return case_close(op, &view, "staff");
	return err == GP_ERR_NOT_FOUND
		       ? store_account_block(op->vault->store, account.id, 0, SLICE_LIT(""))
		       : err;
}

static enum gp_err set_what_is_given(struct desk_op *op, uint64_t account)
{
	const json_t *is_off = json_object_get(op->args, "is_off");
	const char *route = desk_string(op, "route");
	enum gp_err err = GP_OK;

	if (is_off == NULL && route == NULL)
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "say what to set: route or is_off");
	if (route != NULL)
		err = check_route(op, slice_str(route));
	if (err == GP_OK && route != NULL)
		err = store_account_set_route(op->vault->store, account, slice_str(route));
	if (err == GP_OK && is_off != NULL)
		err = store_account_set_off(op->vault->store, account, json_is_true(is_off));
	return err;
}

enum gp_err op_account_set(struct desk_op *op)
{
	struct store_account account = { 0 };
	enum gp_err err = begin_on_account(op, &account);

	if (err == GP_OK)
		err = set_what_is_given(op, account.id);
	if (err == GP_OK)
		err = store_account_get(op->vault->store, account.id, &account);
	if (err == GP_OK)
		err = desk_row(op, account_json(&account));
	mem_wipe(account.password, sizeof account.password);
	/* A session with the server of another route has the wrong mailbox. */
	if (account.is_off || desk_string(op, "route") != NULL)
		op->effect = IPC_EFFECT_SHUT;
	return err;
}

enum gp_err op_account_remove(struct desk_op *op)
{
	struct store_account account = { 0 };
	enum gp_err err = begin_on_account(op, &account);

	if (err == GP_OK)
		err = store_account_remove(op->vault->store, account.id);
	op->effect = IPC_EFFECT_REMOVED;
	return err;
}
