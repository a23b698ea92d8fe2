/* SPDX-License-Identifier: ISC */
#include "store/store_token.h"

#include "store/store_private.h"

#define COLUMNS "id, name, role, scopes, domains, created_at, expires_at, used_at"

static bool take_row(struct db_statement *statement, struct store_token *out)
{
	*out = (struct store_token){ .id = (uint64_t)db_int(statement, 0),
		.created_at = db_int(statement, 5),
		.expires_at = db_int(statement, 6),
		.used_at = db_int(statement, 7) };
	return db_copy(statement, 1, out->name, sizeof out->name) &&
	       db_copy(statement, 2, out->role, sizeof out->role) &&
	       db_copy(statement, 3, out->scopes, sizeof out->scopes) &&
	       db_copy(statement, 4, out->domains, sizeof out->domains);
}

static enum gp_err check_room(struct store *store)
{
	struct db_statement *statement = NULL;
	int64_t count = 0;
	enum gp_err err = db_query(store->db, "SELECT COUNT(*) FROM token", &statement);

	if (err == GP_OK)
		err = db_run_int(&statement, &count);
	return err == GP_OK && count >= STORE_TOKENS_MAX ? GP_ERR_LIMIT : err;
}

enum gp_err store_token_add(struct store *store, const struct store_token *token,
	const uint8_t tag[static STORE_TAG_SIZE], uint64_t *ret_id)
{
	static const char sql[] =
		"INSERT INTO token (tag, name, role, scopes, domains, created_at, expires_at) "
		"VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
	struct db_statement *statement = NULL;
	int64_t id = 0;
	enum gp_err err = check_room(store);

	if (err == GP_OK)
		err = db_query(store->db, sql, &statement);
	if (err != GP_OK)
		return err;
	db_bind_bytes(statement, 1, slice_of(tag, STORE_TAG_SIZE));
	db_bind_text(statement, 2, slice_str(token->name));
	db_bind_text(statement, 3, slice_str(token->role));
	db_bind_text(statement, 4, slice_str(token->scopes));
	db_bind_text(statement, 5, slice_str(token->domains));
	db_bind_int(statement, 6, token->created_at);
	db_bind_int(statement, 7, token->expires_at);
	err = db_run_int(&statement, &id);
	if (err == GP_OK)
		*ret_id = (uint64_t)id;
	return err;
}

enum gp_err store_token_find(struct store *store, const uint8_t tag[static STORE_TAG_SIZE],
	int64_t now, struct store_token *ret_token)
{
	static const char sql[] =
		"SELECT " COLUMNS " FROM token WHERE tag = $1 AND expires_at > $2";
	struct db_statement *statement = NULL;
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_bytes(statement, 1, slice_of(tag, STORE_TAG_SIZE));
	db_bind_int(statement, 2, now);
	err = db_step(statement, &is_row);
	if (err == GP_OK && !is_row)
		err = GP_ERR_NOT_FOUND;
	if (err == GP_OK && !take_row(statement, ret_token))
		err = GP_ERR_STORE;
	db_end(&statement);
	return err;
}

enum gp_err store_token_use(struct store *store, uint64_t id, int64_t now)
{
	static const char sql[] = "UPDATE token SET used_at = $2 WHERE id = $1 AND used_at < $3";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_int(statement, 2, now);
	db_bind_int(statement, 3, now - STORE_TOKEN_STEP);
	return db_run(&statement, NULL);
}

enum gp_err store_token_each(struct store *store, uint64_t after, uint64_t limit,
	enum gp_err (*visit)(const struct store_token *token, void *arg), void *arg)
{
	static const char sql[] =
		"SELECT " COLUMNS " FROM token WHERE id > $1 ORDER BY id LIMIT $2";
	struct db_statement *statement = NULL;
	struct store_token token;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK) {
		db_bind_int(statement, 1, after > INT64_MAX ? INT64_MAX : (int64_t)after);
		db_bind_int(statement, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
	}
	while (err == GP_OK) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		err = take_row(statement, &token) ? visit(&token, arg) : GP_ERR_STORE;
	}
	db_end(&statement);
	return err;
}

enum gp_err store_token_remove(struct store *store, uint64_t id)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, "DELETE FROM token WHERE id = $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	return store_run_found(&statement);
}
