/* SPDX-License-Identifier: ISC */
#include "store/store_lift.h"

#include "store/store_private.h"

static enum gp_err forget(struct store *store, int64_t since)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, "DELETE FROM ban_lift WHERE at < $1", &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, since);
	return db_run(&statement, NULL);
}

/* Of the account or of the network, whichever has more. */
static enum gp_err count_most(
	struct store *store, uint64_t account, const char *source, int64_t *ret_count)
{
	static const char sql[] =
		"SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM ban_lift WHERE account_id = $1 "
		"UNION ALL SELECT COUNT(*) FROM ban_lift WHERE source = $2) AS counts";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_text(statement, 2, slice_str(source));
	return db_run_int(&statement, ret_count);
}

enum gp_err store_lift_add(
	struct store *store, const struct store_lift *lift, int64_t since, unsigned max)
{
	static const char sql[] =
		"INSERT INTO ban_lift (at, account_id, source) VALUES ($1, $2, $3)";
	struct db_statement *statement = NULL;
	char source[IP_TEXT_SIZE];
	int64_t count = 0;
	enum gp_err err = forget(store, since);

	(void)ip_net_format(&lift->net, source);
	if (err == GP_OK)
		err = count_most(store, lift->account, source, &count);
	if (err == GP_OK && count >= (int64_t)max)
		err = GP_ERR_LIMIT;
	if (err == GP_OK)
		err = db_query(store->db, sql, &statement);
	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, lift->at);
	db_bind_int(statement, 2, (int64_t)lift->account);
	db_bind_text(statement, 3, slice_str(source));
	return db_run(&statement, NULL);
}

enum gp_err store_lift_each(struct store *store, int64_t since,
	enum gp_err (*visit)(const struct store_lift *lift, void *arg), void *arg)
{
	static const char sql[] =
		"SELECT at, account_id, source FROM ban_lift WHERE at >= $1 ORDER BY id";
	struct db_statement *statement = NULL;
	struct store_lift lift;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK)
		db_bind_int(statement, 1, since);
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		lift.at = db_int(statement, 0);
		lift.account = (uint64_t)db_int(statement, 1);
		err = ip_parse_level(db_text(statement, 2), &lift.net);
		if (err == GP_OK)
			err = visit(&lift, arg);
	}
	db_end(&statement);
	return err;
}

enum gp_err store_lift_each_blame(struct store *store, uint64_t account, int64_t since,
	uint64_t limit, enum gp_err (*visit)(const struct store_blame *blame, void *arg), void *arg)
{
	static const char sql[] =
		"SELECT source, client_name, service, reason FROM event "
		"WHERE account_id = $1 AND at >= $2 AND counted > 0 "
		"GROUP BY source, client_name, service, reason ORDER BY MAX(id) DESC LIMIT $3";
	struct db_statement *statement = NULL;
	struct store_blame blame;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK) {
		db_bind_int(statement, 1, (int64_t)account);
		db_bind_int(statement, 2, since);
		db_bind_int(statement, 3, (int64_t)limit);
	}
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		blame.client_name = db_text(statement, 1);
		blame.service = db_text(statement, 2);
		blame.reason = db_text(statement, 3);
		if (ip_parse_source(db_text(statement, 0), &blame.source) == GP_OK)
			err = visit(&blame, arg);
	}
	db_end(&statement);
	return err;
}
