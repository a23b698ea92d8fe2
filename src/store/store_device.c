/* SPDX-License-Identifier: ISC */
#include "store/store_private.h"

#define COLUMNS                                                          \
	"id, account_id, name, scopes, created_at, used_at, used_from, " \
	"used_service, used_client"

static enum gp_err read_device(struct db_statement *statement, struct store_device *out)
{
	out->id = (uint64_t)db_int(statement, 0);
	out->account = (uint64_t)db_int(statement, 1);
	out->scopes = (unsigned)db_int(statement, 3);
	out->created_at = db_int(statement, 4);
	out->used_at = db_int(statement, 5);
	return db_copy(statement, 2, out->name, sizeof out->name) &&
			       db_copy(statement, 6, out->used_from, sizeof out->used_from) &&
			       db_copy(statement, 7, out->used_service, sizeof out->used_service) &&
			       db_copy(statement, 8, out->used_client, sizeof out->used_client)
		       ? GP_OK
		       : GP_ERR_STORE;
}

/* That the tag is compared by an index, and so not in constant time, tells nobody anything: it is
 * an HMAC of the guess under a key nobody outside has. */
enum gp_err store_device_find(struct store *store, uint64_t account,
	const uint8_t tag[static STORE_TAG_SIZE], struct store_device *ret_device)
{
	static const char sql[] =
		"SELECT " COLUMNS " FROM device WHERE account_id = $1 AND tag = $2";
	struct db_statement *statement = NULL;
	struct store_device device;
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_bytes(statement, 2, slice_of(tag, STORE_TAG_SIZE));
	err = db_step(statement, &is_row);
	if (err == GP_OK)
		err = is_row ? read_device(statement, &device) : GP_ERR_NOT_FOUND;
	db_end(&statement);
	if (err == GP_OK)
		*ret_device = device;
	return err;
}

static enum gp_err count_devices(struct store *store, uint64_t account, int64_t *ret_count)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(
		store->db, "SELECT COUNT(*) FROM device WHERE account_id = $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	return db_run_int(&statement, ret_count);
}

static enum gp_err insert_device(struct store *store, const struct store_device *device,
	const uint8_t *tag, int64_t now, uint64_t *ret_id)
{
	static const char sql[] = "INSERT INTO device (account_id, tag, name, scopes, created_at) "
				  "VALUES ($1, $2, $3, $4, $5) RETURNING id";
	struct db_statement *statement = NULL;
	int64_t id = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)device->account);
	db_bind_bytes(statement, 2, slice_of(tag, STORE_TAG_SIZE));
	db_bind_text(statement, 3, slice_str(device->name));
	db_bind_int(statement, 4, device->scopes);
	db_bind_int(statement, 5, now);
	err = db_run_int(&statement, &id);
	if (err == GP_OK)
		*ret_id = (uint64_t)id;
	return err;
}

enum gp_err store_device_add(struct store *store, const struct store_device *device,
	const uint8_t tag[static STORE_TAG_SIZE], int64_t now, uint64_t *ret_id)
{
	struct store_scope scope;
	int64_t count = 0;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = count_devices(store, device->account, &count);
	if (err == GP_OK && count >= STORE_DEVICES_MAX)
		err = GP_ERR_LIMIT;
	if (err == GP_OK)
		err = insert_device(store, device, tag, now, ret_id);
	return store_scope_end(&scope, err);
}

enum gp_err store_device_remove(struct store *store, uint64_t account, uint64_t device)
{
	static const char sql[] =
		"DELETE FROM device WHERE account_id = $1 AND (id = $2 OR $2 = 0)";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_int(statement, 2, (int64_t)device);
	return store_run_found(&statement);
}

enum gp_err store_device_each(struct store *store, uint64_t account,
	enum gp_err (*visit)(const struct store_device *device, void *arg), void *arg)
{
	static const char sql[] =
		"SELECT " COLUMNS " FROM device WHERE account_id = $1 ORDER BY id";
	struct db_statement *statement = NULL;
	struct store_device device;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK)
		db_bind_int(statement, 1, (int64_t)account);
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err == GP_OK && is_row)
			err = read_device(statement, &device);
		if (err == GP_OK && is_row)
			err = visit(&device, arg);
	}
	db_end(&statement);
	return err;
}
