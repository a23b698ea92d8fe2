/* SPDX-License-Identifier: ISC */
#include "store/store_setup.h"

#include "store/store_private.h"

enum gp_err store_setup_end_all(struct store *store, uint64_t account, int64_t now)
{
	static const char sql[] =
		"UPDATE setup_link SET used_at = $2 WHERE account_id = $1 AND used_at = 0";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_int(statement, 2, now);
	return db_run(&statement, NULL);
}

static enum gp_err forget_old(struct store *store, int64_t now)
{
	struct db_statement *statement = NULL;
	enum gp_err err =
		db_query(store->db, "DELETE FROM setup_link WHERE expires_at < $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, now - STORE_SETUP_KEEP);
	return db_run(&statement, NULL);
}

static enum gp_err insert(
	struct store *store, const struct store_setup_link *link, const uint8_t *tag, int64_t now)
{
	static const char sql[] =
		"INSERT INTO setup_link (tag, account_id, name, created_at, expires_at) "
		"VALUES ($1, $2, $3, $4, $5)";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_bytes(statement, 1, slice_of(tag, STORE_TAG_SIZE));
	db_bind_int(statement, 2, (int64_t)link->account);
	db_bind_text(statement, 3, slice_str(link->name));
	db_bind_int(statement, 4, now);
	db_bind_int(statement, 5, link->expires_at);
	return db_run(&statement, NULL);
}

enum gp_err store_setup_add(struct store *store, const struct store_setup_link *link,
	const uint8_t tag[static STORE_TAG_SIZE], int64_t now)
{
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = store_setup_end_all(store, link->account, now);
	if (err == GP_OK)
		err = forget_old(store, now);
	if (err == GP_OK)
		err = insert(store, link, tag, now);
	return store_scope_end(&scope, err);
}

enum gp_err store_setup_find(struct store *store, const uint8_t tag[static STORE_TAG_SIZE],
	struct store_setup_link *ret_link)
{
	static const char sql[] =
		"SELECT account_id, name, expires_at, used_at FROM setup_link WHERE tag = $1";
	struct db_statement *statement = NULL;
	struct store_setup_link link = { 0 };
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_bytes(statement, 1, slice_of(tag, STORE_TAG_SIZE));
	err = db_step(statement, &is_row);
	if (err == GP_OK && is_row) {
		link.account = (uint64_t)db_int(statement, 0);
		link.expires_at = db_int(statement, 2);
		link.used_at = db_int(statement, 3);
		if (!db_copy(statement, 1, link.name, sizeof link.name))
			err = GP_ERR_STORE;
	} else if (err == GP_OK) {
		err = GP_ERR_NOT_FOUND;
	}
	db_end(&statement);
	if (err == GP_OK)
		*ret_link = link;
	return err;
}

enum gp_err store_setup_use(
	struct store *store, const uint8_t tag[static STORE_TAG_SIZE], int64_t now)
{
	static const char sql[] = "UPDATE setup_link SET used_at = $2 "
				  "WHERE tag = $1 AND used_at = 0 AND expires_at > $2";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_bytes(statement, 1, slice_of(tag, STORE_TAG_SIZE));
	db_bind_int(statement, 2, now);
	return store_run_found(&statement);
}
