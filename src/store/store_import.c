/* SPDX-License-Identifier: ISC */
/*
 * Staged rows are in tables of their own, so gathering them needs no long transaction; the last
 * step is a handful of INSERT ... SELECT in one. The primary keys of these tables find what stands
 * twice in a file, without a set in memory.
 */
#include "store/store_private.h"

static enum gp_err run_plain(struct store *store, const char *sql, int64_t *ret_changed)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	return err == GP_OK ? db_run(&statement, ret_changed) : err;
}

enum gp_err store_stage_clear(struct store *store)
{
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = run_plain(store, "DELETE FROM staged_alias", NULL);
	if (err == GP_OK)
		err = run_plain(store, "DELETE FROM staged_account", NULL);
	return store_scope_end(&scope, err);
}

/* Free both in the store and among what is staged? */
static enum gp_err check_free(struct store *store, struct slice address)
{
	static const char sql[] =
		"SELECT CASE WHEN EXISTS (SELECT 1 FROM staged_account WHERE address = $1) "
		"OR EXISTS (SELECT 1 FROM staged_alias WHERE address = $1) THEN 1 ELSE 0 END";
	struct db_statement *statement = NULL;
	int64_t staged = 0;
	bool is_taken = false;
	enum gp_err err = store_address_is_taken(store, address, &is_taken);

	if (err == GP_OK && is_taken)
		return GP_ERR_EXISTS;
	if (err == GP_OK)
		err = db_query(store->db, sql, &statement);
	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, address);
	err = db_run_int(&statement, &staged);
	return err == GP_OK && staged != 0 ? GP_ERR_EXISTS : err;
}

/* A domain that is not there yet is fine: it will be made. */
static enum gp_err check_domain(struct store *store, struct slice name)
{
	struct store_domain domain;
	enum gp_err err = store_domain_find(store, name, &domain);

	if (err == GP_ERR_NOT_FOUND)
		return GP_OK;
	return err == GP_OK && domain.alias_of[0] != '\0' ? GP_ERR_NOT_FOUND : err;
}

enum gp_err store_stage_account(struct store *store, const struct store_staged *staged)
{
	static const char sql[] = "INSERT INTO staged_account (address, domain, role, route, "
				  "password, is_off) VALUES ($1, $2, $3, $4, $5, $6)";
	struct db_statement *statement = NULL;
	enum gp_err err;

	if (staged->address.len >= STORE_ADDRESS_SIZE || staged->domain.len >= STORE_DOMAIN_SIZE ||
		staged->role.len >= STORE_ROLE_SIZE || staged->route.len >= STORE_ROUTE_SIZE)
		return GP_ERR_LIMIT;
	err = check_domain(store, staged->domain);
	if (err == GP_OK)
		err = check_free(store, staged->address);
	if (err == GP_OK)
		err = db_query(store->db, sql, &statement);
	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, staged->address);
	db_bind_text(statement, 2, staged->domain);
	db_bind_text(statement, 3, staged->role);
	db_bind_text(statement, 4, staged->route);
	db_bind_text(statement, 5, slice_str(staged->password));
	db_bind_int(statement, 6, staged->is_off);
	return db_run(&statement, NULL);
}

enum gp_err store_stage_alias(struct store *store, struct slice address, struct slice account)
{
	static const char sql[] =
		"INSERT INTO staged_alias (address, domain, account) VALUES ($1, $2, $3)";
	struct db_statement *statement = NULL;
	ptrdiff_t at = slice_find_last(address, '@');
	struct slice domain;
	enum gp_err err;

	if (address.len >= STORE_ADDRESS_SIZE || at < 0)
		return GP_ERR_LIMIT;
	domain = slice_from(address, (size_t)at + 1);
	err = check_domain(store, domain);
	if (err == GP_OK)
		err = check_free(store, address);
	if (err == GP_OK)
		err = db_query(store->db, sql, &statement);
	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, address);
	db_bind_text(statement, 2, domain);
	db_bind_text(statement, 3, account);
	return db_run(&statement, NULL);
}

static enum gp_err run_for(struct store *store, const char *sql, struct slice address)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, address);
	return db_run(&statement, NULL);
}

enum gp_err store_stage_drop(struct store *store, struct slice address)
{
	enum gp_err err = run_for(store, "DELETE FROM staged_alias WHERE account = $1", address);

	if (err != GP_OK)
		return err;
	return run_for(store, "DELETE FROM staged_account WHERE address = $1", address);
}

/* An address that was given away by another operation since it was staged. */
static enum gp_err check_still_free(struct store *store)
{
	static const char sql[] =
		"SELECT CASE WHEN EXISTS (SELECT 1 FROM alias a JOIN staged_account s "
		"ON s.address = a.address) OR EXISTS (SELECT 1 FROM account a JOIN staged_alias s "
		"ON s.address = a.address) THEN 1 ELSE 0 END";
	struct db_statement *statement = NULL;
	int64_t taken = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK)
		err = db_run_int(&statement, &taken);
	return err == GP_OK && taken != 0 ? GP_ERR_EXISTS : err;
}

/* Of accounts and of aliases: an alias may stand in a domain of its own. */
static enum gp_err make_domains(struct store *store, int64_t now, uint64_t *ret_domains)
{
	static const char sql[] =
		"INSERT INTO domain (name, created_at) SELECT DISTINCT s.domain, $1 FROM "
		"(SELECT domain FROM staged_account UNION SELECT domain FROM staged_alias) s "
		"WHERE NOT EXISTS (SELECT 1 FROM domain d WHERE d.name = s.domain)";
	struct db_statement *statement = NULL;
	int64_t made = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, now);
	err = db_run(&statement, &made);
	if (err == GP_OK)
		*ret_domains = (uint64_t)made;
	return err;
}

static enum gp_err make_accounts(struct store *store, int64_t now, uint64_t *ret_accounts)
{
	static const char accounts[] =
		"INSERT INTO account (domain_id, address, role, route, password, password_at, "
		"created_at, is_off) SELECT d.id, s.address, s.role, s.route, s.password, "
		"CASE WHEN s.password = '' THEN 0 ELSE $1 END, $1, s.is_off "
		"FROM staged_account s JOIN domain d ON d.name = s.domain AND d.alias_of IS NULL "
		"ORDER BY s.address";
	static const char aliases[] =
		"INSERT INTO alias (address, account_id) SELECT s.address, a.id "
		"FROM staged_alias s JOIN account a ON a.address = s.account ORDER BY s.address";
	struct db_statement *statement = NULL;
	int64_t made = 0;
	enum gp_err err = db_query(store->db, accounts, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, now);
	err = db_run(&statement, &made);
	if (err == GP_OK)
		err = run_plain(store, aliases, NULL);
	if (err == GP_OK)
		*ret_accounts = (uint64_t)made;
	return err;
}

enum gp_err store_stage_finish(
	struct store *store, int64_t now, uint64_t *ret_accounts, uint64_t *ret_domains)
{
	struct store_scope scope;
	uint64_t accounts = 0;
	uint64_t domains = 0;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = check_still_free(store);
	if (err == GP_OK)
		err = make_domains(store, now, &domains);
	if (err == GP_OK)
		err = make_accounts(store, now, &accounts);
	if (err == GP_OK)
		err = store_stage_clear(store);
	err = store_scope_end(&scope, err);
	if (err == GP_OK) {
		*ret_accounts = accounts;
		*ret_domains = domains;
	}
	return err;
}
