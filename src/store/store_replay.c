/* SPDX-License-Identifier: ISC */
#include "store/store_replay.h"

#include <string.h>

#include "store/store_private.h"

static enum gp_err trim(struct store *store)
{
	static const char sql[] =
		"DELETE FROM replay WHERE at < (SELECT at FROM replay ORDER BY at DESC "
		"LIMIT 1 OFFSET $1)";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, STORE_REPLAY_ROWS_MAX);
	return db_run(&statement, NULL);
}

enum gp_err store_replay_add(struct store *store, struct slice actor, struct slice idempotency,
	const uint8_t request[static STORE_TAG_SIZE], struct slice answer, int64_t now)
{
	static const char sql[] = "INSERT INTO replay (actor, idempotency, request, answer, at) "
				  "VALUES ($1, $2, $3, $4, $5)";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, actor);
	db_bind_text(statement, 2, idempotency);
	db_bind_bytes(statement, 3, slice_of(request, STORE_TAG_SIZE));
	db_bind_bytes(statement, 4, answer);
	db_bind_int(statement, 5, now);
	return db_run(&statement, NULL);
}

enum gp_err store_replay_find(struct store *store, struct slice actor, struct slice idempotency,
	int64_t since, uint8_t ret_request[static STORE_TAG_SIZE], struct buf *ret_answer)
{
	static const char sql[] = "SELECT request, answer FROM replay "
				  "WHERE actor = $1 AND idempotency = $2 AND at >= $3";
	struct db_statement *statement = NULL;
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, actor);
	db_bind_text(statement, 2, idempotency);
	db_bind_int(statement, 3, since);
	err = db_step(statement, &is_row);
	if (err == GP_OK && !is_row)
		err = GP_ERR_NOT_FOUND;
	if (err == GP_OK && db_text(statement, 0).len != STORE_TAG_SIZE)
		err = GP_ERR_STORE;
	if (err == GP_OK)
		err = buf_append(ret_answer, db_text(statement, 1));
	if (err == GP_OK)
		memcpy(ret_request, db_text(statement, 0).data, STORE_TAG_SIZE);
	db_end(&statement);
	return err;
}

enum gp_err store_replay_sweep(struct store *store, int64_t before)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, "DELETE FROM replay WHERE at < $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, before);
	err = db_run(&statement, NULL);
	return err == GP_OK ? trim(store) : err;
}
