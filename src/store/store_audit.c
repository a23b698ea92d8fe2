/* SPDX-License-Identifier: ISC */
#include "store/store_private.h"

enum gp_err store_audit_add(struct store *store, const struct store_audit *audit)
{
	static const char sql[] =
		"INSERT INTO audit (at, actor, operation, account_id, account, detail) "
		"VALUES ($1, $2, $3, $4, $5, $6)";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, audit->at);
	db_bind_text(statement, 2, audit->actor);
	db_bind_text(statement, 3, audit->operation);
	db_bind_int(statement, 4, (int64_t)audit->account_id);
	db_bind_text(statement, 5, audit->account);
	db_bind_text(statement, 6, audit->detail);
	return db_run(&statement, NULL);
}

enum gp_err store_audit_each(struct store *store, struct slice account, uint64_t before,
	uint64_t limit, enum gp_err (*visit)(const struct store_audit *audit, void *arg), void *arg)
{
	static const char of_all[] =
		"SELECT id, at, actor, operation, account_id, account, detail FROM audit "
		"WHERE id < $1 ORDER BY id DESC LIMIT $2";
	static const char of_account[] =
		"SELECT id, at, actor, operation, account_id, account, detail FROM audit "
		"WHERE account = $3 AND id < $1 ORDER BY id DESC LIMIT $2";
	struct db_statement *statement = NULL;
	struct store_audit audit;
	bool is_row = true;
	enum gp_err err = db_query(store->db, account.len > 0 ? of_account : of_all, &statement);

	if (err == GP_OK) {
		db_bind_int(statement, 1,
			before == 0 || before > INT64_MAX ? INT64_MAX : (int64_t)before);
		db_bind_int(statement, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
		if (account.len > 0)
			db_bind_text(statement, 3, account);
	}
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
		err = visit(&audit, arg);
	}
	db_end(&statement);
	return err;
}
