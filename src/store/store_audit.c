/* SPDX-License-Identifier: ISC */
#include "store/store_audit.h"

#include <string.h>

#include "store/store_private.h"

static enum gp_err read_link(
	struct db_statement *statement, int column, struct store_audit_link *out)
{
	struct slice bytes = db_text(statement, column);

	*out = (struct store_audit_link){ 0 };
	if (db_is_null(statement, column))
		return GP_OK;
	if (bytes.len != STORE_LINK_SIZE)
		return GP_OK; /* damaged: as good as none */
	memcpy(out->bytes, bytes.data, bytes.len);
	out->is_there = true;
	return GP_OK;
}

static void bind_link(
	struct db_statement *statement, int number, const struct store_audit_link *link)
{
	if (link->is_there)
		db_bind_bytes(statement, number, slice_of(link->bytes, sizeof link->bytes));
	else
		db_bind_null(statement, number);
}

enum gp_err store_audit_add(struct store *store, const struct store_audit *audit)
{
	static const char sql[] =
		"INSERT INTO audit (id, at, actor, operation, account_id, account, detail, hash) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)audit->id);
	db_bind_int(statement, 2, audit->at);
	db_bind_text(statement, 3, audit->actor);
	db_bind_text(statement, 4, audit->operation);
	db_bind_int(statement, 5, (int64_t)audit->account_id);
	db_bind_text(statement, 6, audit->account);
	db_bind_text(statement, 7, audit->detail);
	bind_link(statement, 8, &audit->hash);
	return db_run(&statement, NULL);
}

enum gp_err store_audit_head_get(struct store *store, struct store_audit_head *ret_head)
{
	static const char sql[] =
		"SELECT first_id, last_id, hash, seal FROM audit_head WHERE id = 1";
	struct db_statement *statement = NULL;
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK)
		err = db_step(statement, &is_row);
	if (err == GP_OK && !is_row)
		err = GP_ERR_NOT_FOUND;
	if (err == GP_OK) {
		ret_head->first = (uint64_t)db_int(statement, 0);
		ret_head->last = (uint64_t)db_int(statement, 1);
		err = read_link(statement, 2, &ret_head->hash);
	}
	if (err == GP_OK)
		err = read_link(statement, 3, &ret_head->seal);
	db_end(&statement);
	return err;
}

enum gp_err store_audit_head_set(struct store *store, const struct store_audit_head *head)
{
	static const char sql[] =
		"UPDATE audit_head SET last_id = $1, hash = $2, seal = $3 WHERE id = 1";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)head->last);
	bind_link(statement, 2, &head->hash);
	bind_link(statement, 3, &head->seal);
	return store_run_found(&statement);
}

/* ---- reading ---- */

#define SELECT_AUDIT \
	"SELECT id, at, actor, operation, account_id, account, detail, hash FROM audit "

/* Takes the statement. */
static enum gp_err visit_audit(struct db_statement *statement,
	enum gp_err (*visit)(const struct store_audit *audit, void *arg), void *arg)
{
	struct store_audit audit;
	bool is_row = true;
	enum gp_err err = GP_OK;

	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		audit = (struct store_audit){ .id = (uint64_t)db_int(statement, 0),
			.at = db_int(statement, 1),
			.actor = db_text(statement, 2),
			.operation = db_text(statement, 3),
			.account_id = (uint64_t)db_int(statement, 4),
			.account = db_text(statement, 5),
			.detail = db_text(statement, 6) };
		err = read_link(statement, 7, &audit.hash);
		if (err == GP_OK)
			err = visit(&audit, arg);
	}
	db_end(&statement);
	return err;
}

enum gp_err store_audit_each(struct store *store, struct slice account, uint64_t before,
	uint64_t limit, enum gp_err (*visit)(const struct store_audit *audit, void *arg), void *arg)
{
	static const char of_all[] = SELECT_AUDIT "WHERE id < $1 ORDER BY id DESC LIMIT $2";
	static const char of_account[] =
		SELECT_AUDIT "WHERE account = $3 AND id < $1 ORDER BY id DESC LIMIT $2";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, account.len > 0 ? of_account : of_all, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, before == 0 || before > INT64_MAX ? INT64_MAX : (int64_t)before);
	db_bind_int(statement, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
	if (account.len > 0)
		db_bind_text(statement, 3, account);
	return visit_audit(statement, visit, arg);
}

enum gp_err store_audit_walk(struct store *store,
	enum gp_err (*visit)(const struct store_audit *audit, void *arg), void *arg)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, SELECT_AUDIT "ORDER BY id", &statement);

	return err == GP_OK ? visit_audit(statement, visit, arg) : err;
}
