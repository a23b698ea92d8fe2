/* SPDX-License-Identifier: ISC */
/*
 * The thin layer between the store's queries and an SQL engine: a connection, statements with
 * numbered parameters, transactions. db_sqlite.c is one; another engine is another file with these
 * functions. Private to src/store. Parameters are $1, $2 ... and may stand in any order and repeat.
 *
 * Errors: GP_ERR_BUSY (locked by somebody else beyond the wait), GP_ERR_EXISTS (a uniqueness rule
 * was broken), GP_ERR_STORE for everything else. The engine's words are logged here, without
 * values.
 */
#ifndef GP_STORE_DB_H
#define GP_STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct db;
struct db_statement;

/* See store_create(). */
enum gp_err db_create(const char *path, struct gp_why *why) GP_CHECKED;
enum gp_err db_open(const char *path, struct db **ret_db, struct gp_why *why) GP_CHECKED;
void db_close(struct db **pdb); /* no statement may be in use */

/* Milliseconds to wait for another writer. */
void db_set_wait(struct db *db, unsigned ms);

/* Runs statements that return nothing and have no parameters; %ID% and %BYTES% are replaced, and
 * %APPEND_ONLY_AUDIT% by what refuses to change or remove rows of that table. */
enum gp_err db_script(struct db *db, const char *sql, struct gp_why *why) GP_CHECKED;

enum gp_err db_has_table(struct db *db, const char *name, bool *ret_has) GP_CHECKED;

/* is_durable: once committed, not even a power cut takes it back; otherwise only a power cut does.
 * Takes the write lock at once. */
enum gp_err db_begin(struct db *db, bool is_durable) GP_CHECKED;
/* What follows is read as it stands at the first of it, at the price of one look whether something
 * has changed; until db_commit(). Nothing may be written meanwhile. */
enum gp_err db_begin_reading(struct db *db) GP_CHECKED;
/* On failure the transaction is rolled back. */
enum gp_err db_commit(struct db *db) GP_CHECKED;
void db_rollback(struct db *db);
bool db_is_in_transaction(const struct db *db);

/*
 * A statement ready for its parameters. With db_query() sql must be a string constant: the prepared
 * form is kept under its address. db_query_text() takes any text and keeps nothing. Both are ended
 * by db_end(), which is fine on NULL.
 */
enum gp_err db_query(
	struct db *db, const char *sql, struct db_statement **ret_statement) GP_CHECKED;
enum gp_err db_query_text(
	struct db *db, const char *sql, struct db_statement **ret_statement) GP_CHECKED;
void db_end(struct db_statement **pstatement);

/* Parameters, from 1. Text and bytes are borrowed until db_end(). A failure shows at db_step(). */
void db_bind_int(struct db_statement *statement, int number, int64_t value);
void db_bind_text(struct db_statement *statement, int number, struct slice value);
void db_bind_bytes(struct db_statement *statement, int number, struct slice value);
void db_bind_null(struct db_statement *statement, int number);

/* *ret_row: there is a row; its columns, from 0, are good until the next step. */
enum gp_err db_step(struct db_statement *statement, bool *ret_row) GP_CHECKED;
int64_t db_int(struct db_statement *statement, int column);
struct slice db_text(struct db_statement *statement, int column);
/* false if it does not fit into out of size bytes, which is then "". */
bool db_copy(struct db_statement *statement, int column, char *out, size_t size);
bool db_is_null(struct db_statement *statement, int column);

/* Steps to the end and ends it. *ret_changed (may be NULL): rows it changed. */
enum gp_err db_run(struct db_statement **pstatement, int64_t *ret_changed) GP_CHECKED;
/* Takes the one row's first column and ends it; GP_ERR_NOT_FOUND if there is no row. */
enum gp_err db_run_int(struct db_statement **pstatement, int64_t *ret_value) GP_CHECKED;

#endif
