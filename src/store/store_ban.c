/* SPDX-License-Identifier: ISC */
#include "store/store_private.h"

enum gp_err store_ban_keep(struct store *store, const struct store_ban *ban)
{
	static const char sql[] =
		"INSERT INTO ban (source, set_at, until_at, reason) VALUES ($1, $2, $3, $4) "
		"ON CONFLICT (source) DO UPDATE SET set_at = excluded.set_at, "
		"until_at = excluded.until_at, reason = excluded.reason";
	struct db_statement *statement = NULL;
	char source[IP_TEXT_SIZE];
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, slice_str(ip_format_source(&ban->source, source)));
	db_bind_int(statement, 2, ban->set_at);
	db_bind_int(statement, 3, ban->until);
	db_bind_text(statement, 4, slice_str(ban->reason));
	return db_run(&statement, NULL);
}

static enum gp_err run_for_source(struct store *store, const char *sql, const struct ip *source)
{
	struct db_statement *statement = NULL;
	char text[IP_TEXT_SIZE];
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, slice_str(ip_format_source(source, text)));
	return db_run(&statement, NULL);
}

enum gp_err store_ban_drop(struct store *store, const struct ip *source)
{
	static const char drop[] = "DELETE FROM ban WHERE source = $1";
	static const char forget[] =
		"UPDATE event SET counted = 0 WHERE source = $1 AND counted = 1";
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = run_for_source(store, drop, source);
	if (err == GP_OK)
		err = run_for_source(store, forget, source);
	return store_scope_end(&scope, err);
}

enum gp_err store_ban_each(struct store *store, int64_t now,
	enum gp_err (*visit)(const struct store_ban *ban, void *arg), void *arg)
{
	static const char sql[] = "SELECT source, set_at, until_at, reason FROM ban "
				  "WHERE until_at > $1 ORDER BY source";
	struct db_statement *statement = NULL;
	struct store_ban ban;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK)
		db_bind_int(statement, 1, now);
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		ban.set_at = db_int(statement, 1);
		ban.until = db_int(statement, 2);
		if (ip_parse_source(db_text(statement, 0), &ban.source) != GP_OK ||
			!db_copy(statement, 3, ban.reason, sizeof ban.reason))
			err = GP_ERR_STORE;
		if (err == GP_OK)
			err = visit(&ban, arg);
	}
	db_end(&statement);
	return err;
}
