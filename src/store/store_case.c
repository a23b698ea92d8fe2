/* SPDX-License-Identifier: ISC */
#include "store/store_case.h"

#include "store/store_private.h"

#define COLUMNS                                                                            \
	"c.id, c.account_id, c.kind, c.opened_at, c.began_at, c.reason, c.session, "       \
	"c.device_id, c.opened_by, c.is_repeat, c.is_for_staff, c.answer, c.answered_at, " \
	"c.proof, c.proof_at, c.proof_portal, c.wrong, c.password_at, c.closed_at, "       \
	"c.closed_by, c.outcome, a.address"
#define FROM "FROM sending_case c JOIN account a ON a.id = c.account_id "
/* Staff have to decide, and have not. */
#define WAITS "closed_at = 0 AND outcome = '' AND (is_repeat = 1 OR is_for_staff = 1) "

static enum gp_err read_case(struct db_statement *statement, struct store_case *out)
{
	out->id = (uint64_t)db_int(statement, 0);
	out->account = (uint64_t)db_int(statement, 1);
	out->opened_at = db_int(statement, 3);
	out->began_at = db_int(statement, 4);
	out->device = (uint64_t)db_int(statement, 7);
	out->is_repeat = db_int(statement, 9) != 0;
	out->is_for_staff = db_int(statement, 10) != 0;
	out->answered_at = db_int(statement, 12);
	out->proof_at = db_int(statement, 14);
	out->proof_portal = (uint64_t)db_int(statement, 15);
	out->wrong = (unsigned)db_int(statement, 16);
	out->password_at = db_int(statement, 17);
	out->closed_at = db_int(statement, 18);
	return db_copy(statement, 2, out->kind, sizeof out->kind) &&
			       db_copy(statement, 5, out->reason, sizeof out->reason) &&
			       db_copy(statement, 6, out->session, sizeof out->session) &&
			       db_copy(statement, 8, out->opened_by, sizeof out->opened_by) &&
			       db_copy(statement, 11, out->answer, sizeof out->answer) &&
			       db_copy(statement, 13, out->proof, sizeof out->proof) &&
			       db_copy(statement, 19, out->closed_by, sizeof out->closed_by) &&
			       db_copy(statement, 20, out->outcome, sizeof out->outcome) &&
			       db_copy(statement, 21, out->address, sizeof out->address)
		       ? GP_OK
		       : GP_ERR_STORE;
}

/* The one row of a statement that has its parameters. Ends it. */
static enum gp_err take_case(struct db_statement **pstatement, struct store_case *ret_case)
{
	struct store_case found = { 0 };
	bool is_row = false;
	enum gp_err err = db_step(*pstatement, &is_row);

	if (err == GP_OK && is_row)
		err = read_case(*pstatement, &found);
	db_end(pstatement);
	if (err == GP_OK && is_row)
		*ret_case = found;
	return err == GP_OK && !is_row ? GP_ERR_NOT_FOUND : err;
}

enum gp_err store_case_open(
	struct store *store, const struct store_case *new_case, uint64_t *ret_id)
{
	static const char sql[] =
		"INSERT INTO sending_case (account_id, kind, opened_at, began_at, reason, session, "
		"device_id, opened_by, is_repeat) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
		"RETURNING id";
	struct db_statement *statement = NULL;
	int64_t id = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)new_case->account);
	db_bind_text(statement, 2, slice_str(new_case->kind));
	db_bind_int(statement, 3, new_case->opened_at);
	db_bind_int(statement, 4, new_case->began_at);
	db_bind_text(statement, 5, slice_str(new_case->reason));
	db_bind_text(statement, 6, slice_str(new_case->session));
	db_bind_int(statement, 7, (int64_t)new_case->device);
	db_bind_text(statement, 8, slice_str(new_case->opened_by));
	db_bind_int(statement, 9, new_case->is_repeat);
	err = db_run_int(&statement, &id);
	if (err == GP_OK)
		*ret_id = (uint64_t)id;
	return err;
}

enum gp_err store_case_raise(struct store *store, const struct store_case *raised)
{
	static const char sql[] =
		"UPDATE sending_case SET kind = 'block', reason = $2, session = $3, device_id = "
		"$4, "
		"opened_by = $5, is_repeat = $6, "
		"began_at = CASE WHEN began_at < $7 THEN began_at ELSE $7 END, answer = '', "
		"answered_at = 0, is_for_staff = 0, told_at = 0 "
		"WHERE id = $1 AND closed_at = 0";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)raised->id);
	db_bind_text(statement, 2, slice_str(raised->reason));
	db_bind_text(statement, 3, slice_str(raised->session));
	db_bind_int(statement, 4, (int64_t)raised->device);
	db_bind_text(statement, 5, slice_str(raised->opened_by));
	db_bind_int(statement, 6, raised->is_repeat);
	db_bind_int(statement, 7, raised->began_at);
	return store_run_found(&statement);
}

enum gp_err store_case_add_source(struct store *store, uint64_t id, const struct ip *source)
{
	static const char sql[] =
		"INSERT INTO sending_case_source (case_id, source) SELECT $1, $2 WHERE (SELECT "
		"COUNT(*) FROM sending_case_source WHERE case_id = $1) < $3 "
		"ON CONFLICT (case_id, source) DO NOTHING";
	struct db_statement *statement = NULL;
	char text[IP_TEXT_SIZE];
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_text(statement, 2, slice_str(ip_format_source(source, text)));
	db_bind_int(statement, 3, STORE_CASE_SOURCES_MAX);
	return db_run(&statement, NULL);
}

enum gp_err store_case_has_source(
	struct store *store, uint64_t id, const struct ip *source, bool *ret_has)
{
	static const char sql[] =
		"SELECT COUNT(*) FROM sending_case_source WHERE case_id = $1 AND source = $2";
	struct db_statement *statement = NULL;
	char text[IP_TEXT_SIZE];
	int64_t count = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_text(statement, 2, slice_str(ip_format_source(source, text)));
	err = db_run_int(&statement, &count);
	if (err == GP_OK)
		*ret_has = count > 0;
	return err;
}

static enum gp_err find(
	struct store *store, const char *sql, uint64_t id, struct store_case *ret_case)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	return take_case(&statement, ret_case);
}

enum gp_err store_case_find(struct store *store, uint64_t account, struct store_case *ret_case)
{
	return find(store, "SELECT " COLUMNS " " FROM "WHERE c.account_id = $1 AND c.closed_at = 0",
		account, ret_case);
}

enum gp_err store_case_last(struct store *store, uint64_t account, struct store_case *ret_case)
{
	return find(store,
		"SELECT " COLUMNS " " FROM "WHERE c.account_id = $1 ORDER BY c.id DESC LIMIT 1",
		account, ret_case);
}

enum gp_err store_case_get(struct store *store, uint64_t id, struct store_case *ret_case)
{
	return find(store, "SELECT " COLUMNS " " FROM "WHERE c.id = $1", id, ret_case);
}

enum gp_err store_case_was_blocked(
	struct store *store, uint64_t account, int64_t since, bool *ret_was)
{
	static const char sql[] =
		"SELECT COUNT(*) FROM sending_case WHERE account_id = $1 AND kind = 'block' AND "
		"opened_at >= $2 AND closed_at > 0 AND outcome <> 'confirmed'";
	struct db_statement *statement = NULL;
	int64_t count = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_int(statement, 2, since);
	err = db_run_int(&statement, &count);
	if (err == GP_OK)
		*ret_was = count > 0;
	return err;
}

/* Each row of a statement that has its parameters. Ends it. */
static enum gp_err visit_cases(struct db_statement **pstatement,
	enum gp_err (*visit)(const struct store_case *found, void *arg), void *arg)
{
	struct store_case found;
	bool is_row = true;
	enum gp_err err = GP_OK;

	while (err == GP_OK) {
		err = db_step(*pstatement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		err = read_case(*pstatement, &found);
		if (err == GP_OK)
			err = visit(&found, arg);
	}
	db_end(pstatement);
	return err;
}

enum gp_err store_case_each(struct store *store, bool with_closed, struct slice domains,
	uint64_t before, uint64_t limit,
	enum gp_err (*visit)(const struct store_case *found, void *arg), void *arg)
{
	static const char sql[] =
		"SELECT " COLUMNS " " FROM "JOIN domain d ON d.id = a.domain_id "
		"WHERE ($1 = 1 OR c.closed_at = 0) AND ($2 = 0 OR c.id < $2) AND ($3 = '' OR "
		"' ' || $3 || ' ' LIKE '% ' || REPLACE(d.name, '_', '!_') || ' %' ESCAPE '!') "
		"ORDER BY c.id DESC LIMIT $4";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, with_closed);
	db_bind_int(statement, 2, (int64_t)before);
	db_bind_text(statement, 3, domains);
	db_bind_int(statement, 4, (int64_t)limit);
	return visit_cases(&statement, visit, arg);
}

enum gp_err store_case_count_waiting(struct store *store, struct store_case_waiting *ret_waiting)
{
	static const char sql[] =
		"SELECT COUNT(*), COALESCE(SUM(CASE WHEN told_at = 0 THEN 1 ELSE 0 END), 0), "
		"(SELECT COALESCE(MAX(told_at), 0) FROM sending_case WHERE told_at > 0) "
		"FROM sending_case WHERE " WAITS;
	struct db_statement *statement = NULL;
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	err = db_step(statement, &is_row);
	if (err == GP_OK && is_row)
		*ret_waiting = (struct store_case_waiting){
			.count = (uint64_t)db_int(statement, 0),
			.untold = (uint64_t)db_int(statement, 1),
			.told_at = db_int(statement, 2),
		};
	db_end(&statement);
	return err;
}

enum gp_err store_case_each_untold(struct store *store, uint64_t limit,
	enum gp_err (*visit)(const struct store_case *found, void *arg), void *arg)
{
	static const char sql[] =
		"SELECT " COLUMNS " " FROM "WHERE told_at = 0 AND " WAITS "ORDER BY c.id LIMIT $1";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)limit);
	return visit_cases(&statement, visit, arg);
}

enum gp_err store_case_set_told(struct store *store, int64_t now)
{
	static const char sql[] =
		"UPDATE sending_case SET told_at = $1 WHERE told_at = 0 AND " WAITS;
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, now);
	return db_run(&statement, NULL);
}

enum gp_err store_case_answer(
	struct store *store, uint64_t id, const char *answer, bool is_for_staff, int64_t now)
{
	static const char sql[] =
		"UPDATE sending_case SET answer = $2, answered_at = $3, is_for_staff = $4 "
		"WHERE id = $1 AND closed_at = 0";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_text(statement, 2, slice_str(answer));
	db_bind_int(statement, 3, now);
	db_bind_int(statement, 4, is_for_staff);
	return store_run_found(&statement);
}

enum gp_err store_case_prove(
	struct store *store, uint64_t id, const char *proof, uint64_t portal, int64_t now)
{
	static const char sql[] = "UPDATE sending_case SET proof = $2, proof_portal = $3, "
				  "proof_at = $4 WHERE id = $1 AND closed_at = 0";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_text(statement, 2, slice_str(proof));
	db_bind_int(statement, 3, (int64_t)portal);
	db_bind_int(statement, 4, now);
	return store_run_found(&statement);
}

/* A statement on an open case that takes its number and perhaps a time. */
static enum gp_err note(struct store *store, const char *sql, uint64_t id, int64_t now)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	if (now != 0)
		db_bind_int(statement, 2, now);
	return store_run_found(&statement);
}

enum gp_err store_case_note_wrong(struct store *store, uint64_t id)
{
	return note(store,
		"UPDATE sending_case SET wrong = wrong + 1 WHERE id = $1 AND closed_at = 0", id, 0);
}

enum gp_err store_case_note_password(struct store *store, uint64_t id, int64_t now)
{
	return note(store,
		"UPDATE sending_case SET password_at = $2 WHERE id = $1 AND closed_at = 0", id,
		now);
}

enum gp_err store_case_keep(struct store *store, uint64_t id, struct slice kept_by)
{
	static const char sql[] = "UPDATE sending_case SET outcome = 'kept', closed_by = $2, "
				  "is_for_staff = 1 WHERE id = $1 AND closed_at = 0";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_text(statement, 2, kept_by);
	return store_run_found(&statement);
}

enum gp_err store_case_close(
	struct store *store, uint64_t id, const char *outcome, struct slice closed_by, int64_t now)
{
	static const char sql[] = "UPDATE sending_case SET outcome = $2, closed_by = $3, "
				  "closed_at = $4 WHERE id = $1 AND closed_at = 0";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)id);
	db_bind_text(statement, 2, slice_str(outcome));
	db_bind_text(statement, 3, closed_by);
	db_bind_int(statement, 4, now);
	return store_run_found(&statement);
}
