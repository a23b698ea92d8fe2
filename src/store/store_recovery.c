/* SPDX-License-Identifier: ISC */
#include "store/store_recovery.h"

#include "store/store_private.h"

enum gp_err store_recovery_address_get(
	struct store *store, uint64_t account, struct store_recovery_address *ret_address)
{
	static const char sql[] = "SELECT address, confirmed_at, pending, pending_at "
				  "FROM recovery_address WHERE account_id = $1";
	struct db_statement *statement = NULL;
	struct store_recovery_address found = { .address = "" };
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	err = db_step(statement, &is_row);
	if (err == GP_OK && is_row) {
		found.confirmed_at = db_int(statement, 1);
		found.pending_at = db_int(statement, 3);
		if (!db_copy(statement, 0, found.address, sizeof found.address) ||
			!db_copy(statement, 2, found.pending, sizeof found.pending))
			err = GP_ERR_STORE;
	}
	db_end(&statement);
	if (err == GP_OK)
		*ret_address = found;
	return err;
}

enum gp_err store_recovery_address_begin(struct store *store, uint64_t account,
	struct slice address, const uint8_t tag[static STORE_TAG_SIZE], int64_t now)
{
	static const char sql[] =
		"INSERT INTO recovery_address (account_id, pending, pending_tag, pending_at) "
		"VALUES ($1, $2, $3, $4) ON CONFLICT (account_id) DO UPDATE SET "
		"pending = $2, pending_tag = $3, pending_at = $4";
	struct db_statement *statement = NULL;
	enum gp_err err;

	if (address.len >= STORE_ADDRESS_SIZE)
		return GP_ERR_LIMIT;
	err = db_query(store->db, sql, &statement);
	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_text(statement, 2, address);
	db_bind_bytes(statement, 3, slice_of(tag, STORE_TAG_SIZE));
	db_bind_int(statement, 4, now);
	return db_run(&statement, NULL);
}

enum gp_err store_recovery_address_confirm(struct store *store, uint64_t account,
	const uint8_t tag[static STORE_TAG_SIZE], int64_t since, int64_t now)
{
	static const char sql[] =
		"UPDATE recovery_address SET address = pending, confirmed_at = $4, pending = '', "
		"pending_tag = NULL, pending_at = 0 "
		"WHERE account_id = $1 AND pending_tag = $2 AND pending_at >= $3";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_bytes(statement, 2, slice_of(tag, STORE_TAG_SIZE));
	db_bind_int(statement, 3, since);
	db_bind_int(statement, 4, now);
	return store_run_found(&statement);
}

enum gp_err store_recovery_address_remove(struct store *store, uint64_t account)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(
		store->db, "DELETE FROM recovery_address WHERE account_id = $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	return db_run(&statement, NULL);
}

/* ---- links ---- */

enum gp_err store_link_end_all(struct store *store, uint64_t account, int64_t now)
{
	static const char sql[] =
		"UPDATE link_once SET used_at = $2 WHERE account_id = $1 AND used_at = 0";
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
		db_query(store->db, "DELETE FROM link_once WHERE expires_at < $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, now - STORE_LINK_KEEP);
	return db_run(&statement, NULL);
}

static enum gp_err insert_link(
	struct store *store, uint64_t account, const uint8_t *tag, int64_t now, int64_t expires_at)
{
	static const char sql[] = "INSERT INTO link_once (tag, account_id, created_at, expires_at) "
				  "VALUES ($1, $2, $3, $4)";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_bytes(statement, 1, slice_of(tag, STORE_TAG_SIZE));
	db_bind_int(statement, 2, (int64_t)account);
	db_bind_int(statement, 3, now);
	db_bind_int(statement, 4, expires_at);
	return db_run(&statement, NULL);
}

enum gp_err store_link_add(struct store *store, uint64_t account,
	const uint8_t tag[static STORE_TAG_SIZE], int64_t now, int64_t expires_at)
{
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = store_link_end_all(store, account, now);
	if (err == GP_OK)
		err = forget_old(store, now);
	if (err == GP_OK)
		err = insert_link(store, account, tag, now, expires_at);
	return store_scope_end(&scope, err);
}

enum gp_err store_link_find(
	struct store *store, const uint8_t tag[static STORE_TAG_SIZE], struct store_link *ret_link)
{
	static const char sql[] =
		"SELECT account_id, expires_at, used_at FROM link_once WHERE tag = $1";
	struct db_statement *statement = NULL;
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_bytes(statement, 1, slice_of(tag, STORE_TAG_SIZE));
	err = db_step(statement, &is_row);
	if (err == GP_OK && is_row)
		*ret_link = (struct store_link){ .account = (uint64_t)db_int(statement, 0),
			.expires_at = db_int(statement, 1),
			.used_at = db_int(statement, 2) };
	db_end(&statement);
	return err == GP_OK && !is_row ? GP_ERR_NOT_FOUND : err;
}

enum gp_err store_link_use(
	struct store *store, const uint8_t tag[static STORE_TAG_SIZE], int64_t now)
{
	static const char sql[] = "UPDATE link_once SET used_at = $2 "
				  "WHERE tag = $1 AND used_at = 0 AND expires_at > $2";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_bytes(statement, 1, slice_of(tag, STORE_TAG_SIZE));
	db_bind_int(statement, 2, now);
	return store_run_found(&statement);
}
