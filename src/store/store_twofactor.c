/* SPDX-License-Identifier: ISC */
#include "store/store_twofactor.h"

#include <string.h>

#include "store/store_private.h"

/* A statement whose only parameter is the account. */
static enum gp_err run_for(
	struct store *store, const char *sql, uint64_t account, int64_t *ret_changed)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	return db_run(&statement, ret_changed);
}

static bool read_sealed(struct db_statement *statement, int column, struct store_sealed *out)
{
	struct slice bytes = db_text(statement, column);

	if (bytes.len > sizeof out->data)
		return false;
	if (bytes.len > 0)
		memcpy(out->data, bytes.data, bytes.len);
	out->len = bytes.len;
	return true;
}

enum gp_err store_twofactor_get(
	struct store *store, uint64_t account, struct store_twofactor *ret_twofactor)
{
	static const char sql[] =
		"SELECT secret, used_step, wrong, pending, pending_at, pending_wrong, "
		"removal_due_at, must_twofactor, must_password FROM twofactor "
		"WHERE account_id = $1";
	struct db_statement *statement = NULL;
	struct store_twofactor found = { 0 };
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	err = db_step(statement, &is_row);
	if (err == GP_OK && is_row) {
		found.used_step = (uint64_t)db_int(statement, 1);
		found.wrong = (unsigned)db_int(statement, 2);
		found.pending_at = db_int(statement, 4);
		found.pending_wrong = (unsigned)db_int(statement, 5);
		found.removal_due_at = db_int(statement, 6);
		found.must_twofactor = db_int(statement, 7) != 0;
		found.must_password = db_int(statement, 8) != 0;
		if (!read_sealed(statement, 0, &found.secret) ||
			!read_sealed(statement, 3, &found.pending))
			err = GP_ERR_STORE;
	}
	db_end(&statement);
	if (err == GP_OK)
		*ret_twofactor = found;
	return err;
}

enum gp_err store_twofactor_begin(
	struct store *store, uint64_t account, struct slice sealed, int64_t now)
{
	static const char sql[] =
		"INSERT INTO twofactor (account_id, pending, pending_at) VALUES ($1, $2, $3) "
		"ON CONFLICT (account_id) DO UPDATE SET pending = $2, pending_at = $3, "
		"pending_wrong = 0";
	struct db_statement *statement = NULL;
	enum gp_err err;

	if (sealed.len > STORE_SEALED_SIZE)
		return GP_ERR_LIMIT;
	err = db_query(store->db, sql, &statement);
	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_bytes(statement, 2, sealed);
	db_bind_int(statement, 3, now);
	return db_run(&statement, NULL);
}

static enum gp_err take_pending(
	struct store *store, uint64_t account, struct slice sealed, uint64_t step)
{
	static const char sql[] =
		"UPDATE twofactor SET secret = pending, used_step = $3, wrong = 0, pending = NULL, "
		"pending_at = 0, pending_wrong = 0, removal_due_at = 0, must_twofactor = 0 "
		"WHERE account_id = $1 AND pending = $2";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_bytes(statement, 2, sealed);
	db_bind_int(statement, 3, (int64_t)step);
	return store_run_found(&statement);
}

enum gp_err store_twofactor_confirm(
	struct store *store, uint64_t account, struct slice sealed, uint64_t step, int64_t now)
{
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = take_pending(store, account, sealed, step);
	if (err == GP_OK)
		err = store_account_set_twofactor(store, account, now);
	return store_scope_end(&scope, err);
}

enum gp_err store_twofactor_off(struct store *store, uint64_t account)
{
	/* What must be set anew stays so. */
	static const char sql[] =
		"UPDATE twofactor SET secret = NULL, used_step = 0, wrong = 0, pending = NULL, "
		"pending_at = 0, pending_wrong = 0, removal_due_at = 0 WHERE account_id = $1";
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = run_for(store, sql, account, NULL);
	if (err == GP_OK)
		err = run_for(
			store, "DELETE FROM recovery_code WHERE account_id = $1", account, NULL);
	if (err == GP_OK)
		err = store_account_set_twofactor(store, account, 0);
	return store_scope_end(&scope, err);
}

enum gp_err store_twofactor_use(struct store *store, uint64_t account, uint64_t step)
{
	static const char sql[] = "UPDATE twofactor SET used_step = $2, wrong = 0 "
				  "WHERE account_id = $1 AND used_step < $2 AND wrong < $3";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_int(statement, 2, (int64_t)step);
	db_bind_int(statement, 3, STORE_WRONG_MAX);
	return store_run_found(&statement);
}

enum gp_err store_twofactor_note_wrong(struct store *store, uint64_t account, bool is_pending)
{
	static const char key[] = "UPDATE twofactor SET wrong = wrong + 1 WHERE account_id = $1";
	static const char pending[] =
		"UPDATE twofactor SET pending_wrong = pending_wrong + 1 WHERE account_id = $1";

	return run_for(store, is_pending ? pending : key, account, NULL);
}

enum gp_err store_twofactor_set_removal(struct store *store, uint64_t account, int64_t due_at)
{
	static const char sql[] = "INSERT INTO twofactor (account_id, removal_due_at) "
				  "SELECT id, $2 FROM account WHERE id = $1 AND twofactor_at > 0 "
				  "ON CONFLICT (account_id) DO UPDATE SET removal_due_at = $2";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_int(statement, 2, due_at);
	return store_run_found(&statement);
}

enum gp_err store_twofactor_find_due(struct store *store, int64_t now, uint64_t *ret_account)
{
	static const char sql[] = "SELECT account_id FROM twofactor WHERE removal_due_at > 0 AND "
				  "removal_due_at <= $1 "
				  "ORDER BY removal_due_at LIMIT 1";
	struct db_statement *statement = NULL;
	int64_t account = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, now);
	err = db_run_int(&statement, &account);
	if (err == GP_OK)
		*ret_account = (uint64_t)account;
	return err;
}

enum gp_err store_twofactor_password_done(struct store *store, uint64_t account)
{
	return run_for(store,
		"UPDATE twofactor SET must_password = 0 WHERE account_id = $1 AND must_password = "
		"1",
		account, NULL);
}

/* ---- recovery codes ---- */

static enum gp_err insert_code(
	struct store *store, uint64_t account, const uint8_t *tag, int64_t now)
{
	static const char sql[] =
		"INSERT INTO recovery_code (account_id, tag, created_at) VALUES ($1, $2, $3)";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_bytes(statement, 2, slice_of(tag, STORE_TAG_SIZE));
	db_bind_int(statement, 3, now);
	return db_run(&statement, NULL);
}

enum gp_err store_recovery_set(struct store *store, uint64_t account,
	const uint8_t (*tags)[STORE_TAG_SIZE], size_t count, int64_t now)
{
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = run_for(store, "DELETE FROM recovery_code WHERE account_id = $1", account, NULL);
	for (size_t i = 0; err == GP_OK && i < count; i++)
		err = insert_code(store, account, tags[i], now);
	return store_scope_end(&scope, err);
}

static enum gp_err delete_code(
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

enum gp_err store_recovery_use(
	struct store *store, uint64_t account, const uint8_t tag[static STORE_TAG_SIZE])
{
	static const char sql[] = "UPDATE twofactor SET wrong = 0, must_twofactor = 1, "
				  "must_password = 1 WHERE account_id = $1";
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = delete_code(store, account, tag);
	if (err == GP_OK)
		err = run_for(store, sql, account, NULL);
	return store_scope_end(&scope, err);
}

enum gp_err store_recovery_count(struct store *store, uint64_t account, unsigned *ret_count)
{
	struct db_statement *statement = NULL;
	int64_t count = 0;
	enum gp_err err = db_query(
		store->db, "SELECT COUNT(*) FROM recovery_code WHERE account_id = $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	err = db_run_int(&statement, &count);
	if (err == GP_OK)
		*ret_count = (unsigned)count;
	return err;
}
