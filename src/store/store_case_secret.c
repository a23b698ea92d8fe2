/* SPDX-License-Identifier: ISC */
/* What proves something once in a case, and what else there is to prove it by. */
#include <string.h>

#include "store/store_case.h"
#include "store/store_private.h"

static enum gp_err count(struct store *store, const struct store_case_secret *secret, int64_t since,
	int64_t *ret_count)
{
	static const char sql[] = "SELECT COUNT(*) FROM sending_secret "
				  "WHERE case_id = $1 AND kind = $2 AND created_at >= $3";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)secret->id);
	db_bind_text(statement, 2, slice_str(secret->kind));
	db_bind_int(statement, 3, since);
	return db_run_int(&statement, ret_count);
}

static enum gp_err end_earlier(struct store *store, const struct store_case_secret *secret)
{
	static const char sql[] =
		"UPDATE sending_secret SET used_at = $4 "
		"WHERE case_id = $1 AND kind = $2 AND portal = $3 AND used_at = 0";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)secret->id);
	db_bind_text(statement, 2, slice_str(secret->kind));
	db_bind_int(statement, 3, (int64_t)secret->portal);
	db_bind_int(statement, 4, secret->created_at);
	return db_run(&statement, NULL);
}

static enum gp_err forget_wrong(struct store *store, const struct store_case_secret *secret)
{
	struct db_statement *statement = NULL;
	enum gp_err err;

	if (strcmp(secret->kind, "address") != 0)
		return GP_OK;
	err = db_query(store->db, "UPDATE sending_case SET wrong = 0 WHERE id = $1", &statement);
	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)secret->id);
	return db_run(&statement, NULL);
}

static enum gp_err insert(
	struct store *store, const struct store_case_secret *secret, const uint8_t *tag)
{
	static const char sql[] = "INSERT INTO sending_secret (tag, case_id, kind, portal, "
				  "created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_bytes(statement, 1, slice_of(tag, STORE_TAG_SIZE));
	db_bind_int(statement, 2, (int64_t)secret->id);
	db_bind_text(statement, 3, slice_str(secret->kind));
	db_bind_int(statement, 4, (int64_t)secret->portal);
	db_bind_int(statement, 5, secret->created_at);
	db_bind_int(statement, 6, secret->expires_at);
	return db_run(&statement, NULL);
}

enum gp_err store_case_add_secret(struct store *store, const struct store_case_secret *secret,
	const uint8_t tag[static STORE_TAG_SIZE], int64_t since, unsigned max)
{
	struct store_scope scope;
	int64_t made = 0;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = count(store, secret, since, &made);
	if (err == GP_OK && made >= (int64_t)max)
		err = GP_ERR_LIMIT;
	if (err == GP_OK)
		err = end_earlier(store, secret);
	if (err == GP_OK)
		err = forget_wrong(store, secret);
	if (err == GP_OK)
		err = insert(store, secret, tag);
	return store_scope_end(&scope, err);
}

enum gp_err store_case_has_secret(
	struct store *store, uint64_t id, const char *kind, int64_t now, bool *ret_has)
{
	static const char sql[] =
		"SELECT COUNT(*) FROM sending_secret "
		"WHERE case_id = $1 AND kind = $2 AND used_at = 0 AND expires_at > $3";
	struct db_statement *statement = NULL;
	int64_t found = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_text(statement, 2, slice_str(kind));
	db_bind_int(statement, 3, now);
	err = db_run_int(&statement, &found);
	if (err == GP_OK)
		*ret_has = found > 0;
	return err;
}

enum gp_err store_case_use_secret(struct store *store, uint64_t id, const char *kind,
	uint64_t portal, const uint8_t tag[static STORE_TAG_SIZE], int64_t now)
{
	static const char sql[] =
		"UPDATE sending_secret SET used_at = $5 WHERE tag = $1 AND case_id = $2 AND "
		"kind = $3 AND (portal = 0 OR portal = $4) AND used_at = 0 AND expires_at > $5";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_bytes(statement, 1, slice_of(tag, STORE_TAG_SIZE));
	db_bind_int(statement, 2, (int64_t)id);
	db_bind_text(statement, 3, slice_str(kind));
	db_bind_int(statement, 4, (int64_t)portal);
	db_bind_int(statement, 5, now);
	return store_run_found(&statement);
}

enum gp_err store_case_find_secret(struct store *store, const char *kind,
	const uint8_t tag[static STORE_TAG_SIZE], uint64_t *ret_id, int64_t *ret_expires_at,
	bool *ret_used)
{
	static const char sql[] = "SELECT case_id, expires_at, used_at FROM sending_secret "
				  "WHERE tag = $1 AND kind = $2";
	struct db_statement *statement = NULL;
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_bytes(statement, 1, slice_of(tag, STORE_TAG_SIZE));
	db_bind_text(statement, 2, slice_str(kind));
	err = db_step(statement, &is_row);
	if (err == GP_OK && is_row) {
		*ret_id = (uint64_t)db_int(statement, 0);
		*ret_expires_at = db_int(statement, 1);
		*ret_used = db_int(statement, 2) != 0;
	}
	db_end(&statement);
	return err == GP_OK && !is_row ? GP_ERR_NOT_FOUND : err;
}

/* ---- what it rests on ---- */

enum gp_err store_recovery_made(struct store *store, uint64_t account, int64_t *ret_made_at)
{
	static const char sql[] =
		"SELECT COALESCE(MAX(created_at), 0) FROM recovery_code WHERE account_id = $1";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	return db_run_int(&statement, ret_made_at);
}

enum gp_err store_recovery_take(
	struct store *store, uint64_t account, const uint8_t tag[static STORE_TAG_SIZE])
{
	static const char sql[] = "DELETE FROM recovery_code WHERE account_id = $1 AND tag = $2";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_bytes(statement, 2, slice_of(tag, STORE_TAG_SIZE));
	return store_run_found(&statement);
}
