/* SPDX-License-Identifier: ISC */
#include "store/store_case_sent.h"

#include "store/store_private.h"

#define SUM                                                                                     \
	"COALESCE(SUM(CASE WHEN outcome = 'accepted' THEN 1 ELSE 0 END), 0), "                  \
	"COALESCE(SUM(CASE WHEN outcome = 'accepted' THEN recipients ELSE 0 END), 0) AS most, " \
	"COALESCE(SUM(CASE WHEN outcome = 'accepted' THEN strangers ELSE 0 END), 0), "          \
	"COALESCE(SUM(CASE WHEN outcome = 'accepted' THEN 0 ELSE 1 END), 0)"

static struct store_sent_sum read_sum(struct db_statement *statement)
{
	return (struct store_sent_sum){ (uint64_t)db_int(statement, 0),
		(uint64_t)db_int(statement, 1), (uint64_t)db_int(statement, 2),
		(uint64_t)db_int(statement, 3) };
}

enum gp_err store_sent_sum(
	struct store *store, uint64_t account, int64_t since, struct store_sent_sum *ret_sum)
{
	static const char sql[] = "SELECT " SUM " FROM sent WHERE account_id = $1 AND at >= $2";
	struct db_statement *statement = NULL;
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_int(statement, 2, since);
	err = db_step(statement, &is_row);
	if (err == GP_OK && is_row)
		*ret_sum = read_sum(statement);
	db_end(&statement);
	return err;
}

enum gp_err store_sent_each_source(struct store *store, uint64_t account, int64_t since,
	uint64_t limit, enum gp_err (*visit)(const struct store_sent_source *source, void *arg),
	void *arg)
{
	static const char sql[] =
		"SELECT " SUM ", source, MIN(at), MAX(at), MAX(country), MAX(client_name) "
		"FROM sent WHERE account_id = $1 AND at >= $2 "
		"GROUP BY source ORDER BY most DESC, source LIMIT $3";
	struct db_statement *statement = NULL;
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
		const struct store_sent_source found = { .sum = read_sum(statement),
			.source = db_text(statement, 4),
			.first_at = db_int(statement, 5),
			.last_at = db_int(statement, 6),
			.country = db_text(statement, 7),
			.client_name = db_text(statement, 8) };

		err = visit(&found, arg);
	}
	db_end(&statement);
	return err;
}

enum gp_err store_sent_each(struct store *store, uint64_t account, int64_t since, uint64_t before,
	uint64_t limit, enum gp_err (*visit)(const struct store_sent_row *row, void *arg),
	void *arg)
{
	static const char sql[] =
		"SELECT id, at, device_id, source, country, client_name, sender, subject, "
		"recipients, strangers, size, outcome FROM sent WHERE account_id = $1 AND "
		"at >= $2 AND ($3 = 0 OR id < $3) ORDER BY id DESC LIMIT $4";
	struct db_statement *statement = NULL;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK) {
		db_bind_int(statement, 1, (int64_t)account);
		db_bind_int(statement, 2, since);
		db_bind_int(statement, 3, (int64_t)before);
		db_bind_int(statement, 4, (int64_t)limit);
	}
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		const struct store_sent_row row = { .id = (uint64_t)db_int(statement, 0),
			.at = db_int(statement, 1),
			.device = (uint64_t)db_int(statement, 2),
			.source = db_text(statement, 3),
			.country = db_text(statement, 4),
			.client_name = db_text(statement, 5),
			.sender = db_text(statement, 6),
			.subject = db_text(statement, 7),
			.recipients = (uint64_t)db_int(statement, 8),
			.strangers = (uint64_t)db_int(statement, 9),
			.size = (uint64_t)db_int(statement, 10),
			.outcome = db_text(statement, 11) };

		err = visit(&row, arg);
	}
	db_end(&statement);
	return err;
}
