/* SPDX-License-Identifier: ISC */
#include "base/mem.h"
#include "store/store_private.h"

static enum gp_err read_domain(struct db_statement *statement, struct store_domain *out)
{
	out->id = (uint64_t)db_int(statement, 0);
	out->created_at = db_int(statement, 3);
	out->accounts = (uint64_t)db_int(statement, 4);
	return db_copy(statement, 1, out->name, sizeof out->name) &&
			       db_copy(statement, 2, out->alias_of, sizeof out->alias_of)
		       ? GP_OK
		       : GP_ERR_STORE;
}

enum gp_err store_domain_find(
	struct store *store, struct slice name, struct store_domain *ret_domain)
{
	/* Without the count, which the asker does not need: this is on the way of each address. */
	static const char sql[] =
		"SELECT d.id, d.name, COALESCE(t.name, ''), d.created_at, 0 "
		"FROM domain d LEFT JOIN domain t ON t.id = d.alias_of WHERE d.name = $1";
	struct db_statement *statement = NULL;
	struct store_domain domain;
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, name);
	err = db_step(statement, &is_row);
	if (err == GP_OK)
		err = is_row ? read_domain(statement, &domain) : GP_ERR_NOT_FOUND;
	db_end(&statement);
	if (err == GP_OK)
		*ret_domain = domain;
	return err;
}

enum gp_err store_domain_id_of(struct store *store, struct slice address, uint64_t *ret_id)
{
	struct store_domain domain;
	ptrdiff_t at = slice_find_last(address, '@');
	enum gp_err err =
		at < 0 ? GP_ERR_NOT_FOUND
		       : store_domain_find(store, slice_from(address, (size_t)at + 1), &domain);

	if (err == GP_OK && domain.alias_of[0] != '\0')
		err = GP_ERR_NOT_FOUND;
	if (err == GP_OK)
		*ret_id = domain.id;
	return err;
}

static enum gp_err insert_domain(
	struct store *store, struct slice name, uint64_t alias_of, int64_t now, uint64_t *ret_id)
{
	static const char sql[] = "INSERT INTO domain (name, alias_of, created_at) "
				  "VALUES ($1, $2, $3) RETURNING id";
	struct db_statement *statement = NULL;
	int64_t id = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, name);
	if (alias_of != 0)
		db_bind_int(statement, 2, (int64_t)alias_of);
	else
		db_bind_null(statement, 2);
	db_bind_int(statement, 3, now);
	err = db_run_int(&statement, &id);
	if (err == GP_OK)
		*ret_id = (uint64_t)id;
	return err;
}

enum gp_err store_domain_add(struct store *store, struct slice name, struct slice alias_of,
	int64_t now, uint64_t *ret_id)
{
	struct store_scope scope;
	struct store_domain target = { 0 };
	enum gp_err err;

	if (name.len >= STORE_DOMAIN_SIZE)
		return GP_ERR_LIMIT;
	err = store_scope_begin(store, &scope);
	if (err != GP_OK)
		return err;
	if (alias_of.len > 0) {
		err = store_domain_find(store, alias_of, &target);
		if (err == GP_OK && target.alias_of[0] != '\0')
			err = GP_ERR_NOT_FOUND;
	}
	if (err == GP_OK)
		err = insert_domain(store, name, target.id, now, ret_id);
	return store_scope_end(&scope, err);
}

/* Does anything need it: accounts, host aliases, aliases of accounts elsewhere? */
static enum gp_err is_needed(
	struct store *store, const struct store_domain *domain, bool *ret_needed)
{
	static const char sql[] =
		"SELECT CASE WHEN EXISTS (SELECT 1 FROM account WHERE domain_id = $1) "
		"OR EXISTS (SELECT 1 FROM domain WHERE alias_of = $1) "
		"OR EXISTS (SELECT 1 FROM alias "
		"WHERE SUBSTR(address, LENGTH(address) - LENGTH($2) + 1) = $2) "
		"THEN 1 ELSE 0 END";
	struct db_statement *statement = NULL;
	char *suffix = mem_printf("@%s", domain->name);
	int64_t needed = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK) {
		db_bind_int(statement, 1, (int64_t)domain->id);
		db_bind_text(statement, 2, slice_str(suffix));
		err = db_run_int(&statement, &needed);
	}
	if (err == GP_OK)
		*ret_needed = needed != 0;
	mem_free(suffix);
	return err;
}

enum gp_err store_domain_remove(struct store *store, struct slice name)
{
	struct db_statement *statement = NULL;
	struct store_scope scope;
	struct store_domain domain;
	bool needed = false;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = store_domain_find(store, name, &domain);
	if (err == GP_OK)
		err = is_needed(store, &domain, &needed);
	if (err == GP_OK && needed)
		err = GP_ERR_BUSY;
	if (err == GP_OK)
		err = db_query(store->db, "DELETE FROM sender WHERE domain_id = $1", &statement);
	if (err == GP_OK) {
		db_bind_int(statement, 1, (int64_t)domain.id);
		err = db_run(&statement, NULL);
	}
	if (err == GP_OK)
		err = db_query(store->db, "DELETE FROM domain WHERE id = $1", &statement);
	if (err == GP_OK) {
		db_bind_int(statement, 1, (int64_t)domain.id);
		err = db_run(&statement, NULL);
	}
	return store_scope_end(&scope, err);
}

enum gp_err store_domain_each(struct store *store, struct slice domains, struct slice after,
	uint64_t limit, enum gp_err (*visit)(const struct store_domain *domain, void *arg),
	void *arg)
{
	/* No letter of LIKE's own but the underscore can stand in a domain's name. */
	static const char sql[] =
		"SELECT d.id, d.name, COALESCE(t.name, ''), d.created_at, "
		"(SELECT COUNT(*) FROM account a WHERE a.domain_id = d.id) "
		"FROM domain d LEFT JOIN domain t ON t.id = d.alias_of "
		"WHERE d.name > $1 AND ($2 = '' OR ' ' || $2 || ' ' LIKE "
		"'% ' || REPLACE(COALESCE(t.name, d.name), '_', '!_') || ' %' ESCAPE '!') "
		"ORDER BY d.name LIMIT $3";
	struct db_statement *statement = NULL;
	struct store_domain domain;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK) {
		db_bind_text(statement, 1, after);
		db_bind_text(statement, 2, domains);
		db_bind_int(statement, 3, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
	}
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err == GP_OK && is_row)
			err = read_domain(statement, &domain);
		if (err == GP_OK && is_row)
			err = visit(&domain, arg);
	}
	db_end(&statement);
	return err;
}
