/* SPDX-License-Identifier: ISC */
#include "store/store_private.h"

static const char fresh_sql[] =
	"SELECT 1 FROM known_source WHERE account_id = $1 AND source = $2 AND last_at >= $3 - $4";
/* The account may have been removed since it signed in: then there is nothing to know. */
static const char note_sql[] =
	"INSERT INTO known_source (account_id, source, first_at, last_at) "
	"SELECT $1, $2, $3, $3 WHERE EXISTS (SELECT 1 FROM account WHERE id = $1) "
	"ON CONFLICT (account_id, source) DO UPDATE SET last_at = excluded.last_at "
	"WHERE known_source.last_at < excluded.last_at - $4 RETURNING first_at";
static const char trim_sql[] =
	"DELETE FROM known_source WHERE account_id = $1 AND source IN (SELECT source "
	"FROM known_source WHERE account_id = $1 ORDER BY last_at DESC LIMIT 1000000 OFFSET $2)";

/* Both take the same parameters. */
static enum gp_err ask(struct store *store, const char *sql, uint64_t account, const char *source,
	int64_t at, int64_t *ret_value)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_text(statement, 2, slice_str(source));
	db_bind_int(statement, 3, at);
	db_bind_int(statement, 4, STORE_KNOWN_STEP);
	return db_run_int(&statement, ret_value);
}

enum gp_err store_known_note(struct store *store, uint64_t account, const struct ip *source,
	int64_t at, bool *ret_is_new)
{
	struct db_statement *statement = NULL;
	char text[IP_TEXT_SIZE];
	int64_t first_at = 0;
	enum gp_err err;

	if (ret_is_new != NULL)
		*ret_is_new = false;
	(void)ip_format_source(source, text);
	/* Most often it was noted not long ago, and to look is much cheaper than to try. */
	err = ask(store, fresh_sql, account, text, at, &first_at);
	if (err == GP_ERR_NOT_FOUND)
		err = ask(store, note_sql, account, text, at, &first_at);
	else if (err == GP_OK)
		return GP_OK;
	/* The account is gone. */
	if (err == GP_ERR_NOT_FOUND)
		return GP_OK;
	if (err != GP_OK)
		return err;
	if (ret_is_new != NULL)
		*ret_is_new = first_at == at;
	err = db_query(store->db, trim_sql, &statement);
	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_int(statement, 2, STORE_KNOWN_MAX);
	return db_run(&statement, NULL);
}

enum gp_err store_known_find(struct store *store, uint64_t account, const struct ip *source,
	int64_t since, bool *ret_is_known)
{
	static const char sql[] = "SELECT COUNT(*) FROM known_source "
				  "WHERE account_id = $1 AND source = $2 AND last_at >= $3";
	struct db_statement *statement = NULL;
	char text[IP_TEXT_SIZE];
	int64_t count = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_text(statement, 2, slice_str(ip_format_source(source, text)));
	db_bind_int(statement, 3, since - STORE_KNOWN_STEP);
	err = db_run_int(&statement, &count);
	if (err == GP_OK)
		*ret_is_known = count > 0;
	return err;
}

enum gp_err store_known_first(
	struct store *store, uint64_t account, const struct ip *source, int64_t *ret_first)
{
	static const char sql[] =
		"SELECT first_at FROM known_source WHERE account_id = $1 AND source = $2";
	struct db_statement *statement = NULL;
	char text[IP_TEXT_SIZE];
	int64_t first_at = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_text(statement, 2, slice_str(ip_format_source(source, text)));
	err = db_run_int(&statement, &first_at);
	if (err == GP_OK || err == GP_ERR_NOT_FOUND)
		*ret_first = first_at;
	return err == GP_ERR_NOT_FOUND ? GP_OK : err;
}

enum gp_err store_known_oldest(struct store *store, uint64_t account, int64_t *ret_first)
{
	static const char sql[] = "SELECT first_at FROM known_source WHERE account_id = $1"
				  " ORDER BY first_at LIMIT 1";
	struct db_statement *statement = NULL;
	int64_t first_at = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	err = db_run_int(&statement, &first_at);
	if (err == GP_OK || err == GP_ERR_NOT_FOUND)
		*ret_first = first_at;
	return err == GP_ERR_NOT_FOUND ? GP_OK : err;
}

enum gp_err store_known_each(struct store *store, uint64_t account,
	enum gp_err (*visit)(const struct ip *source, int64_t last_at, void *arg), void *arg)
{
	static const char sql[] = "SELECT source, last_at FROM known_source WHERE account_id = $1";
	struct db_statement *statement = NULL;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	while (err == GP_OK) {
		struct ip source;

		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		err = ip_parse_source(db_text(statement, 0), &source) == GP_OK
			      ? visit(&source, db_int(statement, 1), arg)
			      : GP_ERR_STORE;
	}
	db_end(&statement);
	return err;
}

enum gp_err store_known_sweep(struct store *store, int64_t before)
{
	struct db_statement *statement = NULL;
	enum gp_err err =
		db_query(store->db, "DELETE FROM known_source WHERE last_at < $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, before - STORE_KNOWN_STEP);
	return db_run(&statement, NULL);
}
