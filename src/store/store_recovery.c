/* SPDX-License-Identifier: ISC */
#include "store/store_recovery.h"

#include <string.h>

#include "store/store_private.h"

enum gp_err store_recovery_address_get(struct store *store, uint64_t account, int64_t now,
	struct store_recovery_address *ret_address)
{
	static const char sql[] =
		"SELECT address, confirmed_at, pending, pending_at, former, former_at, "
		"former_until FROM recovery_address WHERE account_id = $1";
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
	if (err == GP_OK && is_row && db_int(statement, 6) > now) {
		found.former_at = db_int(statement, 5);
		found.former_until = db_int(statement, 6);
		if (!db_copy(statement, 4, found.former, sizeof found.former))
			err = GP_ERR_STORE;
	}
	db_end(&statement);
	if (err == GP_OK)
		*ret_address = found;
	return err;
}

const char *store_recovery_address_way_back(
	const struct store_recovery_address *recovery, int64_t *ret_since)
{
	bool is_former = recovery->former[0] != '\0';

	*ret_since = is_former ? recovery->former_at : recovery->confirmed_at;
	return is_former ? recovery->former : recovery->address;
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

/* Writes what is in force and what was before; nothing is awaited any more. */
static enum gp_err write_address(
	struct store *store, uint64_t account, const struct store_recovery_address *recovery)
{
	static const char sql[] =
		"UPDATE recovery_address SET address = $2, confirmed_at = $3, former = $4, "
		"former_at = $5, former_until = $6, pending = '', pending_tag = NULL, "
		"pending_at = 0 WHERE account_id = $1";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_text(statement, 2, slice_str(recovery->address));
	db_bind_int(statement, 3, recovery->confirmed_at);
	db_bind_text(statement, 4, slice_str(recovery->former));
	db_bind_int(statement, 5, recovery->former_at);
	db_bind_int(statement, 6, recovery->former_until);
	return db_run(&statement, NULL);
}

/* Former ones that count no more are kept no longer than until the next change, of whomever. */
static enum gp_err forget_formers(struct store *store, int64_t now)
{
	static const char sql[] =
		"UPDATE recovery_address SET former = '', former_at = 0, former_until = 0 "
		"WHERE former_until > 0 AND former_until <= $1";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, now);
	return db_run(&statement, NULL);
}

static void restore(struct store_recovery_address *recovery, int64_t now)
{
	(void)now;
	if (recovery->former[0] == '\0')
		return;
	memcpy(recovery->address, recovery->former, sizeof recovery->address);
	recovery->confirmed_at = recovery->former_at;
	recovery->former[0] = '\0';
	recovery->former_at = recovery->former_until = 0;
}

/* address: "" for none. */
static void replace(struct store_recovery_address *recovery,
	const char address[static STORE_ADDRESS_SIZE], int64_t now)
{
	if (strcmp(recovery->address, address) == 0)
		return;
	if (recovery->former[0] != '\0' && strcmp(recovery->former, address) == 0) {
		restore(recovery, now);
		return;
	}
	if (recovery->former[0] == '\0') {
		memcpy(recovery->former, recovery->address, sizeof recovery->former);
		recovery->former_at = recovery->confirmed_at;
	}
	recovery->former_until = recovery->former[0] != '\0' ? now + STORE_RECOVERY_HOLD : 0;
	memcpy(recovery->address, address, sizeof recovery->address);
	recovery->confirmed_at = address[0] != '\0' ? now : 0;
}

static void replace_by_pending(struct store_recovery_address *recovery, int64_t now)
{
	replace(recovery, recovery->pending, now);
}

static void replace_by_none(struct store_recovery_address *recovery, int64_t now)
{
	replace(recovery, (const char[STORE_ADDRESS_SIZE]){ "" }, now);
}

static enum gp_err change(struct store *store, uint64_t account, int64_t now,
	void (*edit)(struct store_recovery_address *recovery, int64_t now))
{
	struct store_recovery_address recovery = { .address = "" };
	enum gp_err err = forget_formers(store, now);

	if (err == GP_OK)
		err = store_recovery_address_get(store, account, now, &recovery);
	if (err != GP_OK)
		return err;
	edit(&recovery, now);
	return write_address(store, account, &recovery);
}

/* The code is good once. */
static enum gp_err use_code(
	struct store *store, uint64_t account, const uint8_t *tag, int64_t since)
{
	static const char sql[] = "UPDATE recovery_address SET pending_tag = NULL "
				  "WHERE account_id = $1 AND pending_tag = $2 AND pending_at >= $3";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_bytes(statement, 2, slice_of(tag, STORE_TAG_SIZE));
	db_bind_int(statement, 3, since);
	return store_run_found(&statement);
}

enum gp_err store_recovery_address_confirm(struct store *store, uint64_t account,
	const uint8_t tag[static STORE_TAG_SIZE], int64_t since, int64_t now)
{
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = use_code(store, account, tag, since);
	if (err == GP_OK)
		err = change(store, account, now, replace_by_pending);
	return store_scope_end(&scope, err);
}

enum gp_err store_recovery_address_remove(struct store *store, uint64_t account, int64_t now)
{
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	return err == GP_OK ? store_scope_end(&scope, change(store, account, now, replace_by_none))
			    : err;
}

enum gp_err store_recovery_address_restore(struct store *store, uint64_t account, int64_t now)
{
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	return err == GP_OK ? store_scope_end(&scope, change(store, account, now, restore)) : err;
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
