/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "store/store_activity.h"
#include "store/store_private.h"

#define COLUMNS                                                                       \
	"a.id, a.address, a.role, a.route, a.password, a.password_at, a.created_at, " \
	"a.is_off, a.blocked_at, a.block_reason, a.twofactor_at, a.language"

enum {
	BEHIND_COLUMNS = 12 /* the next one */
};

static enum gp_err read_account(struct db_statement *statement, struct store_account *out)
{
	out->id = (uint64_t)db_int(statement, 0);
	out->password_at = db_int(statement, 5);
	out->created_at = db_int(statement, 6);
	out->is_off = db_int(statement, 7) != 0;
	out->blocked_at = db_int(statement, 8);
	out->twofactor_at = db_int(statement, 10);
	return db_copy(statement, 1, out->address, sizeof out->address) &&
			       db_copy(statement, 2, out->role, sizeof out->role) &&
			       db_copy(statement, 3, out->route, sizeof out->route) &&
			       db_copy(statement, 4, out->password, sizeof out->password) &&
			       db_copy(statement, 9, out->block_reason, sizeof out->block_reason) &&
			       db_copy(statement, 11, out->language, sizeof out->language)
		       ? GP_OK
		       : GP_ERR_STORE;
}

bool store_base_address(struct slice address, char out[static STORE_ADDRESS_SIZE])
{
	ptrdiff_t plus = slice_find(address, '+');
	ptrdiff_t at = slice_find_last(address, '@');
	size_t local = (size_t)plus;
	struct slice domain;

	if (plus <= 0 || at < plus || address.len >= STORE_ADDRESS_SIZE)
		return false;
	domain = slice_from(address, (size_t)at);
	memcpy(out, address.data, local);
	memcpy(out + local, domain.data, domain.len);
	out[local + domain.len] = '\0';
	return true;
}

/* The first account stands in, so that nobody can tell by the work done whether a name is known. */
static enum gp_err find_stand_in(struct store *store)
{
	struct db_statement *statement = NULL;
	enum gp_err err =
		db_query(store->db, "SELECT COALESCE(MIN(id), 0) FROM account", &statement);

	return err == GP_OK ? db_run_int(&statement, &store->stand_in) : err;
}

/* Both indexes are searched and one account is read whether or not there is one of that name. */
static enum gp_err find_exact(
	struct store *store, struct slice address, struct store_account *ret_account)
{
	static const char sql[] = "SELECT " COLUMNS ", COALESCE(own.id, other.account_id, 0) "
				  "FROM (SELECT CAST($1 AS TEXT) AS address) name "
				  "LEFT JOIN account own ON own.address = name.address "
				  "LEFT JOIN alias other ON other.address = name.address "
				  "JOIN account a ON a.id = COALESCE(own.id, other.account_id, $2)";
	struct db_statement *statement = NULL;
	struct store_account account = { 0 };
	bool is_row = false;
	bool is_found = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, address);
	db_bind_int(statement, 2, store->stand_in);
	err = db_step(statement, &is_row);
	if (err == GP_OK && is_row)
		err = read_account(statement, &account);
	is_found = is_row && db_int(statement, BEHIND_COLUMNS) != 0;
	db_end(&statement);
	if (err == GP_OK && !is_row)
		err = find_stand_in(store);
	if (err == GP_OK && is_found)
		*ret_account = account;
	mem_wipe(account.password, sizeof account.password);
	return err == GP_OK && !is_found ? GP_ERR_NOT_FOUND : err;
}

enum gp_err store_account_find(
	struct store *store, struct slice address, struct store_account *ret_account)
{
	char base[STORE_ADDRESS_SIZE];
	struct store_account account = { 0 };
	enum gp_err err = find_exact(store, address, &account);

	if (err == GP_ERR_NOT_FOUND && store_base_address(address, base))
		err = find_exact(store, slice_str(base), &account);
	if (err == GP_OK)
		*ret_account = account;
	mem_wipe(account.password, sizeof account.password);
	return err;
}

enum gp_err store_account_get(struct store *store, uint64_t id, struct store_account *ret_account)
{
	static const char sql[] = "SELECT " COLUMNS " FROM account a WHERE a.id = $1";
	struct db_statement *statement = NULL;
	struct store_account account = { 0 };
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	err = db_step(statement, &is_row);
	if (err == GP_OK)
		err = is_row ? read_account(statement, &account) : GP_ERR_NOT_FOUND;
	db_end(&statement);
	if (err == GP_OK)
		*ret_account = account;
	mem_wipe(account.password, sizeof account.password);
	return err;
}

enum gp_err store_address_is_taken(struct store *store, struct slice address, bool *ret_taken)
{
	static const char sql[] =
		"SELECT CASE WHEN EXISTS (SELECT 1 FROM account WHERE address = $1) "
		"OR EXISTS (SELECT 1 FROM alias WHERE address = $1) THEN 1 ELSE 0 END";
	struct db_statement *statement = NULL;
	int64_t taken = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, address);
	err = db_run_int(&statement, &taken);
	if (err == GP_OK)
		*ret_taken = taken != 0;
	return err;
}

static enum gp_err insert_account(struct store *store, const struct store_account *account,
	uint64_t domain, int64_t now, uint64_t *ret_id)
{
	static const char sql[] =
		"INSERT INTO account (domain_id, address, role, route, password, password_at, "
		"created_at, is_off) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id";
	struct db_statement *statement = NULL;
	int64_t id = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)domain);
	db_bind_text(statement, 2, slice_str(account->address));
	db_bind_text(statement, 3, slice_str(account->role));
	db_bind_text(statement, 4, slice_str(account->route));
	db_bind_text(statement, 5, slice_str(account->password));
	db_bind_int(statement, 6, account->password[0] != '\0' ? now : 0);
	db_bind_int(statement, 7, now);
	db_bind_int(statement, 8, account->is_off);
	err = db_run_int(&statement, &id);
	if (err == GP_OK)
		*ret_id = (uint64_t)id;
	return err;
}

enum gp_err store_account_add(
	struct store *store, const struct store_account *account, int64_t now, uint64_t *ret_id)
{
	struct slice address = slice_str(account->address);
	struct store_scope scope;
	uint64_t domain = 0;
	bool is_taken = false;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = store_domain_id_of(store, address, &domain);
	if (err == GP_OK)
		err = store_address_is_taken(store, address, &is_taken);
	if (err == GP_OK && is_taken)
		err = GP_ERR_EXISTS;
	if (err == GP_OK)
		err = insert_account(store, account, domain, now, ret_id);
	return store_scope_end(&scope, err);
}

/* They were about another password. */
static enum gp_err forget_guesses(struct store *store, uint64_t id)
{
	static const char sql[] = "UPDATE event SET guess = 0 WHERE account_id = $1 AND guess = 1";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	return db_run(&statement, NULL);
}

static enum gp_err set_password(struct store *store, uint64_t id, const char *hash, int64_t now)
{
	static const char sql[] =
		"UPDATE account SET password = $2, password_at = $3, is_off = 0 WHERE id = $1";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_text(statement, 2, slice_str(hash));
	db_bind_int(statement, 3, now);
	return store_run_found(&statement);
}

enum gp_err store_account_set_password(
	struct store *store, uint64_t id, const char *hash, int64_t now)
{
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = store_old_password_keep(store, id, now);
	if (err == GP_OK)
		err = set_password(store, id, hash, now);
	if (err == GP_OK)
		err = forget_guesses(store, id);
	return store_scope_end(&scope, err);
}

enum gp_err store_account_rehash(
	struct store *store, uint64_t id, const char *old_hash, const char *hash)
{
	static const char sql[] =
		"UPDATE account SET password = $3 WHERE id = $1 AND password = $2";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_text(statement, 2, slice_str(old_hash));
	db_bind_text(statement, 3, slice_str(hash));
	return db_run(&statement, NULL);
}

enum gp_err store_account_block(struct store *store, uint64_t id, int64_t at, struct slice reason)
{
	static const char sql[] =
		"UPDATE account SET blocked_at = $2, block_reason = $3 WHERE id = $1";
	struct db_statement *statement = NULL;
	enum gp_err err;

	if (reason.len >= STORE_WORDS_SIZE)
		return GP_ERR_LIMIT;
	err = db_query(store->db, sql, &statement);
	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_int(statement, 2, at);
	db_bind_text(statement, 3, reason);
	return store_run_found(&statement);
}

enum gp_err store_account_set_route(struct store *store, uint64_t id, struct slice route)
{
	struct db_statement *statement = NULL;
	enum gp_err err;

	if (route.len >= STORE_ROUTE_SIZE)
		return GP_ERR_LIMIT;
	err = db_query(store->db, "UPDATE account SET route = $2 WHERE id = $1", &statement);
	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_text(statement, 2, route);
	return store_run_found(&statement);
}

enum gp_err store_account_set_off(struct store *store, uint64_t id, bool is_off)
{
	struct db_statement *statement = NULL;
	enum gp_err err =
		db_query(store->db, "UPDATE account SET is_off = $2 WHERE id = $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_int(statement, 2, is_off);
	return store_run_found(&statement);
}

enum gp_err store_account_set_twofactor(struct store *store, uint64_t id, int64_t at)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(
		store->db, "UPDATE account SET twofactor_at = $2 WHERE id = $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_int(statement, 2, at);
	return store_run_found(&statement);
}

enum gp_err store_account_set_language(struct store *store, uint64_t id, struct slice language)
{
	struct db_statement *statement = NULL;
	enum gp_err err;

	if (language.len >= STORE_LANGUAGE_SIZE)
		return GP_ERR_LIMIT;
	err = db_query(store->db, "UPDATE account SET language = $2 WHERE id = $1", &statement);
	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_text(statement, 2, language);
	return store_run_found(&statement);
}

enum gp_err store_account_remove(struct store *store, uint64_t id)
{
	struct db_statement *statement = NULL;
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = db_query(store->db, "DELETE FROM sender WHERE account_id = $1", &statement);
	if (err == GP_OK) {
		db_bind_int(statement, 1, (int64_t)id);
		err = db_run(&statement, NULL);
	}
	if (err == GP_OK)
		err = db_query(store->db, "DELETE FROM account WHERE id = $1", &statement);
	if (err == GP_OK) {
		db_bind_int(statement, 1, (int64_t)id);
		err = store_run_found(&statement);
	}
	return store_scope_end(&scope, err);
}

/* "%match%" with LIKE's own letters escaped by '!'. */
static char *like_pattern(struct slice match)
{
	char *pattern = mem_new(2 * match.len + 3, 1);
	size_t at = 0;

	pattern[at++] = '%';
	for (size_t i = 0; i < match.len; i++) {
		if (strchr("%_!", match.data[i]) != NULL)
			pattern[at++] = '!';
		pattern[at++] = match.data[i];
	}
	pattern[at] = '%';
	return pattern;
}

enum gp_err store_account_each(struct store *store, struct slice match, struct slice domains,
	struct slice after, uint64_t limit,
	enum gp_err (*visit)(const struct store_account *account, void *arg), void *arg)
{
	/* No letter of LIKE's own but the underscore can stand in a domain's name. */
	static const char sql[] =
		"SELECT " COLUMNS " FROM account a WHERE a.address > $1 "
		"AND a.address LIKE $2 ESCAPE '!' AND ($4 = '' OR a.domain_id IN (SELECT id "
		"FROM domain WHERE ' ' || $4 || ' ' LIKE '% ' || REPLACE(name, '_', '!_') || ' %' "
		"ESCAPE '!')) ORDER BY a.address LIMIT $3";
	struct db_statement *statement = NULL;
	struct store_account account = { 0 };
	char *pattern = like_pattern(match);
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK) {
		db_bind_text(statement, 1, after);
		db_bind_text(statement, 2, slice_str(pattern));
		db_bind_int(statement, 3, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
		db_bind_text(statement, 4, domains);
	}
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err == GP_OK && is_row)
			err = read_account(statement, &account);
		if (err == GP_OK && is_row)
			err = visit(&account, arg);
	}
	db_end(&statement);
	mem_wipe(account.password, sizeof account.password);
	mem_free(pattern);
	return err;
}

static enum gp_err count_aliases(struct store *store, uint64_t account, int64_t *ret_count)
{
	struct db_statement *statement = NULL;
	enum gp_err err =
		db_query(store->db, "SELECT COUNT(*) FROM alias WHERE account_id = $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	return db_run_int(&statement, ret_count);
}

static enum gp_err insert_alias(struct store *store, uint64_t account, struct slice address)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(
		store->db, "INSERT INTO alias (address, account_id) VALUES ($1, $2)", &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, address);
	db_bind_int(statement, 2, (int64_t)account);
	return db_run(&statement, NULL);
}

enum gp_err store_alias_add(struct store *store, uint64_t account, struct slice address)
{
	struct store_scope scope;
	uint64_t domain = 0;
	int64_t count = 0;
	bool is_taken = false;
	enum gp_err err;

	if (address.len >= STORE_ADDRESS_SIZE)
		return GP_ERR_LIMIT;
	err = store_scope_begin(store, &scope);
	if (err != GP_OK)
		return err;
	err = store_domain_id_of(store, address, &domain);
	if (err == GP_OK)
		err = store_address_is_taken(store, address, &is_taken);
	if (err == GP_OK && is_taken)
		err = GP_ERR_EXISTS;
	if (err == GP_OK)
		err = count_aliases(store, account, &count);
	if (err == GP_OK && count >= STORE_ALIASES_MAX)
		err = GP_ERR_LIMIT;
	if (err == GP_OK)
		err = insert_alias(store, account, address);
	return store_scope_end(&scope, err);
}

enum gp_err store_alias_remove(struct store *store, uint64_t account, struct slice address)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(
		store->db, "DELETE FROM alias WHERE account_id = $1 AND address = $2", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_text(statement, 2, address);
	return store_run_found(&statement);
}

enum gp_err store_alias_each(struct store *store, uint64_t account,
	enum gp_err (*visit)(struct slice address, void *arg), void *arg)
{
	struct db_statement *statement = NULL;
	bool is_row = true;
	enum gp_err err = db_query(store->db,
		"SELECT address FROM alias WHERE account_id = $1 ORDER BY address", &statement);

	if (err == GP_OK)
		db_bind_int(statement, 1, (int64_t)account);
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err == GP_OK && is_row)
			err = visit(db_text(statement, 0), arg);
	}
	db_end(&statement);
	return err;
}
