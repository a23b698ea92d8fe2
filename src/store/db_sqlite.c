/* SPDX-License-Identifier: ISC */
/*
 * SQLite in WAL mode: readers never wait for a writer, so a sign-in is checked even while an import
 * commits. Prepared statements are kept for the life of the connection, found by the address of
 * their text.
 */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	KEPT_MAX = 96, /* string constants with a query in src/store; there are fewer */
	SQL_MAX = 64 * 1024,
	OPEN_WAIT_MS = 60000, /* another process may be migrating a large store */
	OPEN_RETRY_MS = 20,
};

struct db_statement {
	struct db *db;
	const char *sql; /* under which it is kept, or NULL */
	sqlite3_stmt *stmt;
	bool is_used;
	int rc; /* of the first failed binding */
};

struct db {
	sqlite3 *sqlite;
	struct db_statement *kept[KEPT_MAX];
	size_t kept_count;
	bool is_relaxed; /* synchronous is NORMAL; FULL between transactions, always */
	bool is_open;    /* transaction; SQLite may have given it up by itself */
};

static enum gp_err fail(const struct db *db, int rc, const char *what)
{
	int primary = rc & 0xff;

	if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
		return GP_ERR_EXISTS;
	log_error("store_error", LOG_STR("at", what), LOG_INT("code", rc),
		LOG_STR("error", sqlite3_errmsg(db->sqlite)));
	return primary == SQLITE_BUSY || primary == SQLITE_LOCKED ? GP_ERR_BUSY : GP_ERR_STORE;
}

static enum gp_err exec(struct db *db, const char *sql, const char *what)
{
	int rc = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? GP_OK : fail(db, rc, what);
}

/* SQLite would make it readable for everybody; its journals take after it. */
enum gp_err db_create(const char *path, struct gp_why *why)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno != EEXIST)
		return gp_why_set(why, GP_ERR_STORE, "create %s: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return GP_OK;
}

/* The change to WAL does not wait for a lock as other statements do, and the first start has
 * several processes at it. */
static int apply_settings(sqlite3 *sqlite)
{
	static const char settings[] = "PRAGMA journal_mode = WAL;"
				       "PRAGMA synchronous = FULL;"
				       "PRAGMA foreign_keys = ON;"
				       "PRAGMA trusted_schema = OFF;"
				       "PRAGMA temp_store = MEMORY;"
				       "PRAGMA cache_size = -16384;"
				       "PRAGMA journal_size_limit = 67108864;";
	int rc = SQLITE_BUSY;

	for (int waited = 0; waited < OPEN_WAIT_MS; waited += OPEN_RETRY_MS) {
		rc = sqlite3_exec(sqlite, settings, NULL, NULL, NULL);
		if ((rc & 0xff) != SQLITE_BUSY)
			break;
		(void)sqlite3_sleep(OPEN_RETRY_MS);
	}
	return rc;
}

/* SQLite's locks and its account of memory are for programs with threads and for people who look
 * at it. It takes these settings only before its first connection. */
static void set_up_once(void)
{
	static bool is_done;

	if (!is_done) {
		GP_ASSERT(sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) == SQLITE_OK);
		GP_ASSERT(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
	}
	is_done = true;
}

enum gp_err db_open(const char *path, struct db **ret_db, struct gp_why *why)
{
	struct db *db = mem_new(1, sizeof *db);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		    SQLITE_OPEN_EXRESCODE;
	enum gp_err err;
	int rc;

	set_up_once();
	rc = sqlite3_open_v2(path, &db->sqlite, flags, NULL);
	if (rc == SQLITE_OK) {
		db_set_wait(db, OPEN_WAIT_MS);
		rc = apply_settings(db->sqlite);
	}
	if (rc == SQLITE_OK) {
		*ret_db = db;
		return GP_OK;
	}
	err = gp_why_set(why, (rc & 0xff) == SQLITE_BUSY ? GP_ERR_BUSY : GP_ERR_STORE,
		"open %s: %s", path,
		db->sqlite != NULL ? sqlite3_errmsg(db->sqlite) : sqlite3_errstr(rc));
	db_close(&db);
	return err;
}

void db_close(struct db **pdb)
{
	struct db *db = *pdb;

	if (db == NULL)
		return;
	db_rollback(db);
	for (size_t i = 0; i < db->kept_count; i++) {
		GP_ASSERT(!db->kept[i]->is_used);
		(void)sqlite3_finalize(db->kept[i]->stmt);
		mem_free(db->kept[i]);
	}
	(void)sqlite3_close(db->sqlite);
	mem_free(db);
	*pdb = NULL;
}

void db_set_wait(struct db *db, unsigned ms)
{
	(void)sqlite3_busy_timeout(db->sqlite, (int)ms);
}

/* ---- texts of statements ---- */

/* Appends sql with each word replaced. */
static enum gp_err replace(struct buf *out, const char *sql, const char *word, const char *by)
{
	const char *at;
	enum gp_err err = GP_OK;

	while (err == GP_OK && (at = strstr(sql, word)) != NULL) {
		err = buf_append(out, slice_of(sql, (size_t)(at - sql)));
		if (err == GP_OK)
			err = buf_append_str(out, by);
		sql = at + strlen(word);
	}
	return err == GP_OK ? buf_append(out, slice_of(sql, strlen(sql) + 1)) : err;
}

/* A transaction that tries it anyway fails as a whole. */
static const char append_only_audit[] =
	"CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit "
	"BEGIN SELECT RAISE(ABORT, 'the audit cannot be changed'); END;"
	"CREATE TRIGGER audit_unremoved BEFORE DELETE ON audit "
	"BEGIN SELECT RAISE(ABORT, 'the audit cannot be shortened'); END;";

enum gp_err db_script(struct db *db, const char *sql, struct gp_why *why)
{
	struct buf tables;
	struct buf ids;
	struct buf text;
	enum gp_err err;

	buf_init(&tables, SQL_MAX);
	buf_init(&ids, SQL_MAX);
	buf_init(&text, SQL_MAX);
	err = replace(&tables, sql, "%APPEND_ONLY_AUDIT%", append_only_audit);
	if (err == GP_OK)
		err = replace(
			&ids, buf_slice(&tables).data, "%ID%", "INTEGER PRIMARY KEY AUTOINCREMENT");
	if (err == GP_OK)
		err = replace(&text, buf_slice(&ids).data, "%BYTES%", "BLOB");
	if (err == GP_OK)
		err = exec(db, buf_slice(&text).data, "script");
	if (err != GP_OK)
		err = gp_why_set(why, err, "%s", sqlite3_errmsg(db->sqlite));
	buf_fini(&text);
	buf_fini(&ids);
	buf_fini(&tables);
	return err;
}

/* $1 is a name to SQLite, ?1 a number. */
static enum gp_err prepare(struct db *db, const char *sql, unsigned flags, sqlite3_stmt **ret_stmt)
{
	struct buf text;
	int rc;

	buf_init(&text, SQL_MAX);
	if (buf_append(&text, slice_of(sql, strlen(sql) + 1)) != GP_OK) {
		buf_fini(&text);
		return GP_ERR_LIMIT;
	}
	for (size_t i = 0; i + 1 < text.len; i++) {
		if (text.data[i] == '$' && text_is_digit(text.data[i + 1]))
			text.data[i] = '?';
	}
	rc = sqlite3_prepare_v3(db->sqlite, text.data, -1, flags, ret_stmt, NULL);
	buf_fini(&text);
	return rc == SQLITE_OK ? GP_OK : fail(db, rc, sql);
}

enum gp_err db_query_text(struct db *db, const char *sql, struct db_statement **ret_statement)
{
	sqlite3_stmt *stmt = NULL;
	enum gp_err err = prepare(db, sql, 0, &stmt);

	if (err != GP_OK)
		return err;
	*ret_statement = mem_new(1, sizeof **ret_statement);
	**ret_statement = (struct db_statement){ .db = db, .stmt = stmt, .is_used = true };
	return GP_OK;
}

enum gp_err db_query(struct db *db, const char *sql, struct db_statement **ret_statement)
{
	struct db_statement *statement = NULL;
	sqlite3_stmt *stmt = NULL;
	enum gp_err err;

	for (size_t i = 0; i < db->kept_count && statement == NULL; i++) {
		if (db->kept[i]->sql == sql)
			statement = db->kept[i];
	}
	/* A visit() may ask the same again. */
	if ((statement != NULL && statement->is_used) || db->kept_count == KEPT_MAX)
		return db_query_text(db, sql, ret_statement);
	if (statement == NULL) {
		err = prepare(db, sql, SQLITE_PREPARE_PERSISTENT, &stmt);
		if (err != GP_OK)
			return err;
		statement = mem_new(1, sizeof *statement);
		*statement = (struct db_statement){ .db = db, .sql = sql, .stmt = stmt };
		db->kept[db->kept_count++] = statement;
	}
	statement->is_used = true;
	statement->rc = SQLITE_OK;
	*ret_statement = statement;
	return GP_OK;
}

void db_end(struct db_statement **pstatement)
{
	struct db_statement *statement = *pstatement;

	*pstatement = NULL;
	if (statement == NULL)
		return;
	if (statement->sql == NULL) {
		(void)sqlite3_finalize(statement->stmt);
		mem_free(statement);
		return;
	}
	(void)sqlite3_reset(statement->stmt);
	(void)sqlite3_clear_bindings(statement->stmt);
	statement->is_used = false;
}

/* ---- transactions ---- */

/* Said so often that they are prepared once. */
static const char begin_writing[] = "BEGIN IMMEDIATE";
static const char begin_reading[] = "BEGIN";
static const char commit[] = "COMMIT";

static enum gp_err run(struct db *db, const char *sql)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(db, sql, &statement);

	return err == GP_OK ? db_run(&statement, NULL) : err;
}

static enum gp_err set_relaxed(struct db *db, bool is_relaxed)
{
	enum gp_err err = GP_OK;

	if (db->is_relaxed != is_relaxed)
		err = exec(db,
			is_relaxed ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL",
			"synchronous");
	if (err == GP_OK)
		db->is_relaxed = is_relaxed;
	return err;
}

enum gp_err db_begin(struct db *db, bool is_durable)
{
	enum gp_err err;

	GP_ASSERT(!db->is_open);
	err = set_relaxed(db, !is_durable);
	if (err == GP_OK)
		err = run(db, begin_writing);
	db->is_open = err == GP_OK;
	return err;
}

enum gp_err db_begin_reading(struct db *db)
{
	enum gp_err err;

	GP_ASSERT(!db->is_open);
	err = run(db, begin_reading);
	db->is_open = err == GP_OK;
	return err;
}

enum gp_err db_commit(struct db *db)
{
	enum gp_err err = GP_ERR_STORE;

	GP_ASSERT(db->is_open);
	if (sqlite3_get_autocommit(db->sqlite) == 0)
		err = run(db, commit);
	db_rollback(db); /* nothing is left to roll back if that went well */
	return err;
}

void db_rollback(struct db *db)
{
	if (db->is_open && sqlite3_get_autocommit(db->sqlite) == 0)
		(void)exec(db, "ROLLBACK", "rollback");
	db->is_open = false;
	if (set_relaxed(db, false) != GP_OK)
		log_error("store_not_durable", LOG_STR("error", sqlite3_errmsg(db->sqlite)));
}

bool db_is_in_transaction(const struct db *db)
{
	return db->is_open;
}

/* ---- parameters and rows ---- */

static void note(struct db_statement *statement, int rc)
{
	if (statement->rc == SQLITE_OK)
		statement->rc = rc;
}

void db_bind_int(struct db_statement *statement, int number, int64_t value)
{
	note(statement, sqlite3_bind_int64(statement->stmt, number, value));
}

void db_bind_text(struct db_statement *statement, int number, struct slice value)
{
	note(statement,
		sqlite3_bind_text64(statement->stmt, number, value.len > 0 ? value.data : "",
			value.len, SQLITE_STATIC, SQLITE_UTF8));
}

void db_bind_bytes(struct db_statement *statement, int number, struct slice value)
{
	note(statement, sqlite3_bind_blob64(statement->stmt, number,
				value.len > 0 ? value.data : "", value.len, SQLITE_STATIC));
}

void db_bind_null(struct db_statement *statement, int number)
{
	note(statement, sqlite3_bind_null(statement->stmt, number));
}

enum gp_err db_step(struct db_statement *statement, bool *ret_row)
{
	struct db *db = statement->db;
	int rc = statement->rc;

	/* SQLite has given the transaction up: what follows must not be committed by itself. */
	if (db->is_open && sqlite3_get_autocommit(db->sqlite) != 0)
		return GP_ERR_STORE;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement->stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return fail(db, rc, statement->sql != NULL ? statement->sql : "query");
	*ret_row = rc == SQLITE_ROW;
	return GP_OK;
}

int64_t db_int(struct db_statement *statement, int column)
{
	return sqlite3_column_int64(statement->stmt, column);
}

struct slice db_text(struct db_statement *statement, int column)
{
	const void *data = sqlite3_column_blob(statement->stmt, column);

	return slice_of(data, (size_t)sqlite3_column_bytes(statement->stmt, column));
}

bool db_copy(struct db_statement *statement, int column, char *out, size_t size)
{
	return slice_copy(db_text(statement, column), out, size);
}

bool db_is_null(struct db_statement *statement, int column)
{
	return sqlite3_column_type(statement->stmt, column) == SQLITE_NULL;
}

enum gp_err db_run(struct db_statement **pstatement, int64_t *ret_changed)
{
	struct db *db = (*pstatement)->db;
	bool is_row = true;
	enum gp_err err = GP_OK;

	while (err == GP_OK && is_row)
		err = db_step(*pstatement, &is_row);
	if (err == GP_OK && ret_changed != NULL)
		*ret_changed = sqlite3_changes64(db->sqlite);
	db_end(pstatement);
	return err;
}

enum gp_err db_run_int(struct db_statement **pstatement, int64_t *ret_value)
{
	bool is_row = false;
	int64_t value = 0;
	enum gp_err err = db_step(*pstatement, &is_row);

	if (err == GP_OK && is_row) {
		value = db_int(*pstatement, 0);
		err = db_step(*pstatement, &is_row); /* INSERT ... RETURNING ends here */
	} else if (err == GP_OK) {
		err = GP_ERR_NOT_FOUND;
	}
	db_end(pstatement);
	if (err == GP_OK)
		*ret_value = value;
	return err;
}

enum gp_err db_has_table(struct db *db, const char *name, bool *ret_has)
{
	static const char sql[] =
		"SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1";
	struct db_statement *statement = NULL;
	int64_t count = 0;
	enum gp_err err = db_query(db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, slice_str(name));
	err = db_run_int(&statement, &count);
	if (err == GP_OK)
		*ret_has = count > 0;
	return err;
}
