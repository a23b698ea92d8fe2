/* SPDX-License-Identifier: ISC */
/* What an account may do at the portal, and for which domains. */
#include <string.h>

#include "store/store_private.h"

static enum gp_err set_role(struct store *store, uint64_t account, struct slice role)
{
	struct db_statement *statement = NULL;
	enum gp_err err =
		db_query(store->db, "UPDATE account SET role = $2 WHERE id = $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_text(statement, 2, role);
	return store_run_found(&statement);
}

static enum gp_err clear_domains(struct store *store, uint64_t account)
{
	struct db_statement *statement = NULL;
	enum gp_err err =
		db_query(store->db, "DELETE FROM role_domain WHERE account_id = $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	return db_run(&statement, NULL);
}

enum gp_err store_account_set_role(struct store *store, uint64_t id, struct slice role)
{
	struct store_scope scope;
	enum gp_err err;

	if (role.len >= STORE_ROLE_SIZE)
		return GP_ERR_LIMIT;
	err = store_scope_begin(store, &scope);
	if (err != GP_OK)
		return err;
	err = set_role(store, id, role);
	if (err == GP_OK)
		err = clear_domains(store, id);
	return store_scope_end(&scope, err);
}

static enum gp_err insert_domain(struct store *store, uint64_t account, struct slice domain)
{
	static const char sql[] =
		"INSERT INTO role_domain (account_id, domain_id) "
		"SELECT $1, id FROM domain WHERE name = $2 AND alias_of IS NULL "
		"ON CONFLICT (account_id, domain_id) DO UPDATE SET account_id = $1";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_text(statement, 2, domain);
	return store_run_found(&statement);
}

enum gp_err store_account_add_domain(struct store *store, uint64_t id, struct slice domain)
{
	char domains[STORE_DOMAINS_SIZE];
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = insert_domain(store, id, domain);
	if (err == GP_OK) /* they still fit */
		err = store_account_domains(store, id, domains);
	return store_scope_end(&scope, err);
}

enum gp_err store_account_domains(
	struct store *store, uint64_t id, char out[static STORE_DOMAINS_SIZE])
{
	static const char sql[] = "SELECT d.name FROM role_domain a JOIN domain d "
				  "ON d.id = a.domain_id WHERE a.account_id = $1 ORDER BY d.name";
	struct db_statement *statement = NULL;
	char domains[STORE_DOMAINS_SIZE];
	size_t len = 0;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK)
		db_bind_int(statement, 1, (int64_t)id);
	while (err == GP_OK && is_row) {
		struct slice name;

		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		name = db_text(statement, 0);
		if (len + 1 + name.len >= sizeof domains) {
			err = GP_ERR_LIMIT;
			break;
		}
		if (len > 0)
			domains[len++] = ' ';
		memcpy(domains + len, name.data, name.len);
		len += name.len;
	}
	db_end(&statement);
	if (err != GP_OK)
		return err;
	domains[len] = '\0';
	memcpy(out, domains, len + 1);
	return GP_OK;
}
