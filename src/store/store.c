/* SPDX-License-Identifier: ISC */
#include "store/store.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/store_private.h"

struct migration {
	unsigned version;
	const char *name;
	const char *sql;
};

static const struct migration migrations[] = {
#include "migrations.inc"
};

unsigned store_newest_version(void)
{
	return migrations[GP_ARRAY_LEN(migrations) - 1].version;
}

enum gp_err store_version(struct store *store, unsigned *ret_version)
{
	struct db_statement *statement = NULL;
	int64_t version = 0;
	enum gp_err err = db_query(
		store->db, "SELECT COALESCE(MAX(version), 0) FROM schema_version", &statement);

	if (err == GP_OK)
		err = db_run_int(&statement, &version);
	if (err == GP_OK)
		*ret_version = (unsigned)version;
	return err;
}

static enum gp_err apply(struct db *db, const struct migration *migration, struct gp_why *why)
{
	static const char note[] =
		"INSERT INTO schema_version (version, name, applied_at) VALUES ($1, $2, $3)";
	struct db_statement *statement = NULL;
	enum gp_err err = db_script(db, migration->sql, why);

	if (err == GP_OK)
		err = db_query(db, note, &statement);
	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, migration->version);
	db_bind_text(statement, 2, slice_str(migration->name));
	db_bind_int(statement, 3, clock_wall());
	return db_run(&statement, NULL);
}

/* One step in one transaction. The version is read inside it: another process may have been faster.
 */
static enum gp_err migrate_once(struct store *store, bool *ret_done, struct gp_why *why)
{
	unsigned version = 0;
	enum gp_err err = db_begin(store->db, true);

	if (err == GP_OK)
		err = db_script(store->db,
			"CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL "
			"PRIMARY KEY,"
			" name TEXT NOT NULL, applied_at BIGINT NOT NULL)",
			why);
	if (err == GP_OK)
		err = store_version(store, &version);
	if (err == GP_OK && version > store_newest_version())
		err = gp_why_set(why, GP_ERR_UNSUPPORTED,
			"the database has version %u, this program knows %u: install a newer one",
			version, store_newest_version());
	if (err == GP_OK && version < store_newest_version())
		err = apply(store->db, &migrations[version], why);
	if (err == GP_OK)
		err = db_commit(store->db);
	else
		db_rollback(store->db);
	if (err == GP_OK)
		*ret_done = version + 1 >= store_newest_version();
	return err;
}

/* Without the write lock: most often there is nothing to do, and an import may be holding it. */
static enum gp_err is_current(struct store *store, bool *ret_current)
{
	bool has_table = false;
	unsigned version = 0;
	enum gp_err err = db_has_table(store->db, "schema_version", &has_table);

	if (err == GP_OK && has_table)
		err = store_version(store, &version);
	if (err == GP_OK)
		*ret_current = version == store_newest_version();
	return err;
}

enum gp_err store_create(const char *path, struct gp_why *why)
{
	return db_create(path, why);
}

enum gp_err store_open(const char *path, struct store **ret_store, struct gp_why *why)
{
	struct store *store = mem_new(1, sizeof *store);
	struct gp_why reason = { "" };
	bool is_done = false;
	enum gp_err err = db_open(path, &store->db, why);

	if (err != GP_OK) {
		store_close(&store);
		return err;
	}
	err = is_current(store, &is_done);
	while (err == GP_OK && !is_done)
		err = migrate_once(store, &is_done, &reason);
	if (err == GP_OK) {
		store_set_wait(store, STORE_WAIT_MS);
		*ret_store = store;
		return GP_OK;
	}
	store_close(&store);
	return gp_why_set(why, err, "%s: %.180s", path,
		reason.text[0] != '\0' ? reason.text : gp_err_text(err));
}

void store_close(struct store **pstore)
{
	struct store *store = *pstore;

	if (store == NULL)
		return;
	db_close(&store->db);
	mem_free(store);
	*pstore = NULL;
}

void store_set_wait(struct store *store, unsigned ms)
{
	db_set_wait(store->db, ms);
}

enum gp_err store_begin(struct store *store, enum store_safety safety)
{
	return db_begin(store->db, safety == STORE_DURABLE);
}

enum gp_err store_begin_reading(struct store *store)
{
	return db_begin_reading(store->db);
}

enum gp_err store_commit(struct store *store)
{
	return db_commit(store->db);
}

void store_rollback(struct store *store)
{
	db_rollback(store->db);
}

bool store_is_in_transaction(const struct store *store)
{
	return db_is_in_transaction(store->db);
}

enum gp_err store_scope_begin(struct store *store, struct store_scope *ret_scope)
{
	bool is_own = !db_is_in_transaction(store->db);
	enum gp_err err = is_own ? db_begin(store->db, true) : GP_OK;

	if (err == GP_OK)
		*ret_scope = (struct store_scope){ .store = store, .is_own = is_own };
	return err;
}

enum gp_err store_scope_end(struct store_scope *scope, enum gp_err err)
{
	if (!scope->is_own)
		return err;
	if (err == GP_OK)
		return db_commit(scope->store->db);
	db_rollback(scope->store->db);
	return err;
}

void store_bind_since(
	struct db_statement *statement, int64_t since, const struct store_clock *clock)
{
	db_bind_int(statement, 1, since);
	db_bind_int(statement, 2, clock->boot);
	db_bind_int(statement, 3, clock->ahead);
}

enum gp_err store_run_found(struct db_statement **pstatement)
{
	int64_t changed = 0;
	enum gp_err err = db_run(pstatement, &changed);

	return err == GP_OK && changed == 0 ? GP_ERR_NOT_FOUND : err;
}
