/* SPDX-License-Identifier: ISC */
#include "store/store_activity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/store_private.h"

enum {
	SESSION_SIZE = 17,
	DAY = 24 * 60 * 60,
};

static uint64_t session_of(struct slice text)
{
	char digits[SESSION_SIZE];

	return slice_copy(text, digits, sizeof digits) ? strtoull(digits, NULL, 16) : 0;
}

static void read_event(struct db_statement *statement, struct store_activity *out)
{
	*out = (struct store_activity){
		.at = db_int(statement, 0),
		.session = session_of(db_text(statement, 1)),
		.service = db_text(statement, 2),
		.verdict = db_text(statement, 3),
		.reason = db_text(statement, 4),
		.device = (uint64_t)db_int(statement, 5),
		.device_name = db_text(statement, 6),
		.client_name = db_text(statement, 7),
		.client = db_text(statement, 8),
	};
}

enum gp_err store_activity_each(struct store *store, uint64_t account, int64_t since,
	enum gp_err (*visit)(const struct store_activity *event, void *arg), void *arg)
{
	static const char sql[] =
		"SELECT e.at, e.session, e.service, e.verdict, e.reason, e.device_id, "
		"COALESCE(d.name, ''), e.client_name, e.client FROM (SELECT id, at, session, "
		"service, verdict, reason, device_id, client_name, client FROM event "
		"WHERE account_id = $1 ORDER BY id DESC LIMIT $3) e "
		"LEFT JOIN device d ON d.id = e.device_id WHERE e.at >= $2 ORDER BY e.id DESC";
	struct db_statement *statement = NULL;
	struct store_activity event;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK) {
		db_bind_int(statement, 1, (int64_t)account);
		db_bind_int(statement, 2, since);
		db_bind_int(statement, 3, STORE_ACTIVITY_EVENTS);
	}
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		read_event(statement, &event);
		err = visit(&event, arg);
	}
	db_end(&statement);
	return err;
}

enum gp_err store_activity_each_day(struct store *store, uint64_t account, int64_t since,
	enum gp_err (*visit)(int64_t day, uint64_t ok, uint64_t failed, void *arg), void *arg)
{
	static const char sql[] =
		"SELECT e.at / $4 AS day, SUM(CASE WHEN e.verdict = 'ok' THEN 1 ELSE 0 END), "
		"COUNT(*) FROM (SELECT id, at, verdict FROM event WHERE account_id = $1 "
		"ORDER BY id DESC LIMIT $3) e WHERE e.at >= $2 GROUP BY day ORDER BY day";
	struct db_statement *statement = NULL;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK) {
		db_bind_int(statement, 1, (int64_t)account);
		db_bind_int(statement, 2, since);
		db_bind_int(statement, 3, STORE_ACTIVITY_EVENTS);
		db_bind_int(statement, 4, DAY);
	}
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err == GP_OK && is_row)
			err = visit(db_int(statement, 0), (uint64_t)db_int(statement, 1),
				(uint64_t)(db_int(statement, 2) - db_int(statement, 1)), arg);
	}
	db_end(&statement);
	return err;
}

/* ---- old passwords ---- */

static enum gp_err insert_old(struct store *store, uint64_t account, int64_t now)
{
	static const char sql[] =
		"INSERT INTO old_password (account_id, hash, changed_at) SELECT id, password, $2 "
		"FROM account WHERE id = $1 AND password LIKE '$argon2id$%'";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_int(statement, 2, now);
	return db_run(&statement, NULL);
}

static enum gp_err trim_old(struct store *store, uint64_t account)
{
	static const char sql[] =
		"DELETE FROM old_password WHERE account_id = $1 AND id NOT IN (SELECT id "
		"FROM old_password WHERE account_id = $1 ORDER BY id DESC LIMIT $2)";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_int(statement, 2, STORE_OLD_PASSWORDS);
	return db_run(&statement, NULL);
}

enum gp_err store_old_password_keep(struct store *store, uint64_t account, int64_t now)
{
	struct store_scope scope;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = insert_old(store, account, now);
	if (err == GP_OK)
		err = trim_old(store, account);
	return store_scope_end(&scope, err);
}

enum gp_err store_old_password_each(struct store *store, uint64_t account,
	enum gp_err (*visit)(const char *hash, int64_t changed_at, void *arg), void *arg)
{
	static const char sql[] = "SELECT hash, changed_at FROM old_password "
				  "WHERE account_id = $1 ORDER BY id DESC";
	struct db_statement *statement = NULL;
	char hash[STORE_PASSWORD_SIZE];
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK)
		db_bind_int(statement, 1, (int64_t)account);
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err == GP_OK && is_row && !db_copy(statement, 0, hash, sizeof hash))
			err = GP_ERR_STORE;
		if (err == GP_OK && is_row)
			err = visit(hash, db_int(statement, 1), arg);
	}
	db_end(&statement);
	mem_wipe(hash, sizeof hash);
	return err;
}

/* ---- findings ---- */

enum gp_err store_finding_set(struct store *store, const struct store_finding *finding)
{
	static const char sql[] =
		"INSERT INTO finding (account_id, source, protocol, session, at, changed_at) "
		"SELECT $1, $2, $3, $4, $5, $6 "
		"WHERE EXISTS (SELECT 1 FROM account WHERE id = $1) "
		"ON CONFLICT (account_id, source, protocol) DO UPDATE SET "
		"session = excluded.session, at = excluded.at, changed_at = excluded.changed_at";
	struct db_statement *statement = NULL;
	char source[IP_TEXT_SIZE];
	char session[SESSION_SIZE];
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	(void)snprintf(session, sizeof session, "%016" PRIx64, finding->session);
	db_bind_int(statement, 1, (int64_t)finding->account);
	db_bind_text(statement, 2, slice_str(ip_format_source(&finding->source, source)));
	db_bind_text(statement, 3, slice_str(protocol_name(finding->protocol)));
	db_bind_text(statement, 4, slice_str(session));
	db_bind_int(statement, 5, finding->at);
	db_bind_int(statement, 6, finding->changed_at);
	return db_run(&statement, NULL);
}

enum gp_err store_finding_each(struct store *store, uint64_t account,
	enum gp_err (*visit)(const struct store_finding *finding, void *arg), void *arg)
{
	static const char sql[] = "SELECT session, at, changed_at FROM finding "
				  "WHERE account_id = $1 ORDER BY at DESC LIMIT $2";
	struct db_statement *statement = NULL;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK) {
		db_bind_int(statement, 1, (int64_t)account);
		db_bind_int(statement, 2, STORE_FINDINGS_MAX);
	}
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err == GP_OK && is_row)
			err = visit(&(struct store_finding){ .account = account,
					    .session = session_of(db_text(statement, 0)),
					    .at = db_int(statement, 1),
					    .changed_at = db_int(statement, 2) },
				arg);
	}
	db_end(&statement);
	return err;
}

enum gp_err store_finding_last(struct store *store, uint64_t account, const struct ip *source,
	enum protocol protocol, int64_t *ret_at)
{
	static const char sql[] = "SELECT COALESCE(MAX(at), 0) FROM finding "
				  "WHERE account_id = $1 AND source = $2 AND protocol = $3";
	struct db_statement *statement = NULL;
	char text[IP_TEXT_SIZE];
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_text(statement, 2, slice_str(ip_format_source(source, text)));
	db_bind_text(statement, 3, slice_str(protocol_name(protocol)));
	return db_run_int(&statement, ret_at);
}

enum gp_err store_finding_sweep(struct store *store, int64_t before)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, "DELETE FROM finding WHERE at < $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, before);
	return db_run(&statement, NULL);
}
