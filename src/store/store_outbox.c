/* SPDX-License-Identifier: ISC */
#include "store/store_outbox.h"

#include "base/check.h"
#include "store/store_private.h"

#define COLUMNS "id, account_id, recipient, kind, language, content, created_at, due_at, tries"

static enum gp_err is_full(struct store *store, bool *ret_full)
{
	static const char sql[] = "SELECT COUNT(*) FROM outbox WHERE done_at = 0";
	struct db_statement *statement = NULL;
	int64_t count = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK)
		err = db_run_int(&statement, &count);
	*ret_full = count >= STORE_OUTBOX_MAX;
	return err;
}

enum gp_err store_outbox_add(struct store *store, const struct store_outbox *row, uint64_t *ret_id)
{
	static const char sql[] =
		"INSERT INTO outbox (account_id, recipient, kind, language, content, created_at, "
		"due_at) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
	struct db_statement *statement = NULL;
	int64_t id = 0;
	bool full = false;
	enum gp_err err = is_full(store, &full);

	if (err == GP_OK && (full || row->content.len > STORE_OUTBOX_CONTENT_MAX))
		err = GP_ERR_LIMIT;
	if (err == GP_OK)
		err = db_query(store->db, sql, &statement);
	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)row->account);
	db_bind_text(statement, 2, slice_str(row->recipient));
	db_bind_text(statement, 3, slice_str(row->kind));
	db_bind_text(statement, 4, slice_str(row->language));
	db_bind_bytes(statement, 5, row->content);
	db_bind_int(statement, 6, row->created_at);
	db_bind_int(statement, 7, row->due_at);
	err = db_run_int(&statement, &id);
	if (err == GP_OK)
		*ret_id = (uint64_t)id;
	return err;
}

static bool take_row(struct db_statement *statement, struct store_outbox *out)
{
	*out = (struct store_outbox){ .id = (uint64_t)db_int(statement, 0),
		.account = (uint64_t)db_int(statement, 1),
		.content = db_text(statement, 5),
		.created_at = db_int(statement, 6),
		.due_at = db_int(statement, 7),
		.tries = (unsigned)db_int(statement, 8) };
	return db_copy(statement, 2, out->recipient, sizeof out->recipient) &&
	       db_copy(statement, 3, out->kind, sizeof out->kind) &&
	       db_copy(statement, 4, out->language, sizeof out->language);
}

enum gp_err store_outbox_each_due(struct store *store, int64_t now, uint64_t limit,
	enum gp_err (*visit)(const struct store_outbox *row, void *arg), void *arg)
{
	static const char sql[] =
		"SELECT " COLUMNS " FROM outbox WHERE done_at = 0 AND due_at <= $1 "
		"ORDER BY due_at, id LIMIT $2";
	struct db_statement *statement = NULL;
	struct store_outbox row;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, now);
	db_bind_int(statement, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
	while (err == GP_OK) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		err = take_row(statement, &row) ? visit(&row, arg) : GP_ERR_STORE;
	}
	db_end(&statement);
	return err;
}

enum gp_err store_outbox_next(struct store *store, int64_t *ret_due_at)
{
	static const char sql[] =
		"SELECT due_at FROM outbox WHERE done_at = 0 ORDER BY due_at LIMIT 1";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	return err == GP_OK ? db_run_int(&statement, ret_due_at) : err;
}

enum gp_err store_outbox_put_off(struct store *store, uint64_t id, int64_t due_at)
{
	static const char sql[] = "UPDATE outbox SET due_at = $2, tries = tries + 1 "
				  "WHERE id = $1 AND done_at = 0";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_int(statement, 2, due_at);
	return store_run_found(&statement);
}

static const char *const outcomes[] = {
	[STORE_OUTBOX_WAITING] = "",
	[STORE_OUTBOX_TAKEN] = "taken",
	[STORE_OUTBOX_REFUSED] = "refused",
};

enum gp_err store_outbox_finish(struct store *store, uint64_t id, int64_t now,
	enum store_outbox_state state, const char *said)
{
	static const char sql[] =
		"UPDATE outbox SET done_at = $2, content = $3, outcome = $4, said = $5 "
		"WHERE id = $1 AND done_at = 0";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_int(statement, 2, now);
	db_bind_bytes(statement, 3, SLICE_LIT(""));
	db_bind_text(statement, 4, slice_str(outcomes[state]));
	db_bind_text(statement, 5, slice_str(said));
	return store_run_found(&statement);
}

enum gp_err store_outbox_sweep(struct store *store, int64_t before)
{
	static const char sql[] = "DELETE FROM outbox WHERE done_at > 0 AND done_at < $1";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, before);
	return db_run(&statement, NULL);
}

enum gp_err store_outbox_find(struct store *store, uint64_t id, struct store_outbox *ret_row)
{
	static const char sql[] = "SELECT " COLUMNS " FROM outbox WHERE id = $1 AND done_at = 0";
	struct db_statement *statement = NULL;
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	err = db_step(statement, &is_row);
	if (err == GP_OK && !is_row)
		err = GP_ERR_NOT_FOUND;
	if (err == GP_OK && !take_row(statement, ret_row))
		err = GP_ERR_STORE;
	if (err == GP_OK)
		ret_row->content = (struct slice){ NULL, 0 };
	db_end(&statement);
	return err;
}

static bool take_fate(struct db_statement *statement, struct store_outbox_fate *out)
{
	*out = (struct store_outbox_fate){ .id = (uint64_t)db_int(statement, 0),
		.created_at = db_int(statement, 1),
		.done_at = db_int(statement, 2) };
	for (unsigned i = 0; i < GP_ARRAY_LEN(outcomes); i++) {
		if (slice_is(db_text(statement, 3), outcomes[i]))
			out->state = (enum store_outbox_state)i;
	}
	return db_copy(statement, 4, out->said, sizeof out->said);
}

enum gp_err store_outbox_latest(struct store *store, uint64_t account, struct slice kind,
	struct store_outbox_fate *ret_fate)
{
	/* What was done before outcomes were kept is left out: nobody knows its own. */
	static const char sql[] =
		"SELECT id, created_at, done_at, outcome, said FROM outbox "
		"WHERE account_id = $1 AND kind = $2 AND (done_at = 0 OR outcome <> '') "
		"ORDER BY id DESC LIMIT 1";
	struct db_statement *statement = NULL;
	struct store_outbox_fate fate;
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_text(statement, 2, kind);
	err = db_step(statement, &is_row);
	if (err == GP_OK && !is_row)
		err = GP_ERR_NOT_FOUND;
	if (err == GP_OK && !take_fate(statement, &fate))
		err = GP_ERR_STORE;
	if (err == GP_OK)
		*ret_fate = fate;
	db_end(&statement);
	return err;
}

enum gp_err store_outbox_count(struct store *store, uint64_t account, struct slice kind,
	int64_t since, uint64_t *ret_count)
{
	static const char sql[] = "SELECT COUNT(*) FROM outbox WHERE account_id = $1 AND "
				  "created_at >= $2 AND ($3 = '' OR kind = $3)";
	struct db_statement *statement = NULL;
	int64_t count = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_int(statement, 2, since);
	db_bind_text(statement, 3, kind);
	err = db_run_int(&statement, &count);
	if (err == GP_OK)
		*ret_count = (uint64_t)count;
	return err;
}
