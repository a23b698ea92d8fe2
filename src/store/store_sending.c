/* SPDX-License-Identifier: ISC */
#include "store/store_sending.h"

#include "base/text.h"
#include "store/store_private.h"

/* ---- profiles ---- */

enum gp_err store_profile_keep(
	struct store *store, uint64_t account, struct slice packed, int64_t at)
{
	static const char sql[] =
		"INSERT INTO sending_profile (account_id, packed, saved_at) "
		"SELECT id, $2, $3 FROM account WHERE id = $1 "
		"ON CONFLICT (account_id) DO UPDATE SET packed = excluded.packed, "
		"saved_at = excluded.saved_at";
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	db_bind_bytes(statement, 2, packed);
	db_bind_int(statement, 3, at);
	return store_run_found(&statement);
}

enum gp_err store_profile_find(struct store *store, uint64_t account, struct buf *out)
{
	static const char sql[] = "SELECT packed FROM sending_profile WHERE account_id = $1";
	struct db_statement *statement = NULL;
	bool is_row = false;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, (int64_t)account);
	err = db_step(statement, &is_row);
	if (err == GP_OK)
		err = is_row ? buf_append(out, db_text(statement, 0)) : GP_ERR_NOT_FOUND;
	db_end(&statement);
	return err;
}

/* ---- what was sent ---- */

enum {
	TEXT_SIZE = 512,
	COUNTRY_SIZE = 2 + 1,
};

/* What a peer wrote, made fit to show. */
struct sent_texts {
	char session[TEXT_NUMBER_SIZE];
	char client[IP_TEXT_SIZE];
	char source[IP_TEXT_SIZE];
	char country[COUNTRY_SIZE];
	char client_name[TEXT_SIZE];
	char sender[TEXT_SIZE];
};

static void make_printable(struct slice text, char *out, size_t size)
{
	if (!text_is_printable(text) || !slice_copy(text, out, size))
		text_escape(text, out, size);
}

static void format_texts(const struct store_sent *sent, struct sent_texts *out)
{
	struct ip source = ip_source(&sent->client);
	const char country[COUNTRY_SIZE] = { (char)(sent->country >> 8),
		(char)(sent->country & 0xff) };

	(void)text_number(sent->session, 16, 16, out->session);
	(void)ip_format(&sent->client, out->client);
	(void)ip_format_source(&source, out->source);
	make_printable(sent->country != 0 ? slice_str(country) : SLICE_LIT(""), out->country,
		sizeof out->country);
	make_printable(sent->client_name, out->client_name, sizeof out->client_name);
	make_printable(sent->sender, out->sender, sizeof out->sender);
}

enum gp_err store_sent_add(struct store *store, const struct store_sent *sent)
{
	static const char sql[] =
		"INSERT INTO sent (at, account_id, domain_id, session, device_id, client, source, "
		"country, client_name, sender, subject, recipients, strangers, size, outcome, "
		"number) VALUES ($1, $2, COALESCE((SELECT domain_id FROM account WHERE id = $2), "
		"0), "
		"$3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
	struct db_statement *statement = NULL;
	struct sent_texts texts;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	format_texts(sent, &texts);
	db_bind_int(statement, 1, sent->at);
	db_bind_int(statement, 2, (int64_t)sent->account);
	db_bind_text(statement, 3, slice_str(texts.session));
	db_bind_int(statement, 4, (int64_t)sent->device);
	db_bind_text(statement, 5, slice_str(texts.client));
	db_bind_text(statement, 6, slice_str(texts.source));
	db_bind_text(statement, 7, slice_str(texts.country));
	db_bind_text(statement, 8, slice_str(texts.client_name));
	db_bind_text(statement, 9, slice_str(texts.sender));
	db_bind_bytes(statement, 10, sent->subject);
	db_bind_int(statement, 11, sent->recipients);
	db_bind_int(statement, 12, sent->strangers);
	db_bind_int(statement, 13, (int64_t)(sent->size & INT64_MAX));
	db_bind_text(statement, 14, slice_str(sent_name(sent->outcome)));
	db_bind_int(statement, 15, (int64_t)sent->number);
	return db_run(&statement, NULL);
}

enum gp_err store_sent_last_number(struct store *store, uint64_t *ret_number)
{
	struct db_statement *statement = NULL;
	int64_t number = 0;
	enum gp_err err =
		db_query(store->db, "SELECT number FROM sent ORDER BY id DESC LIMIT 1", &statement);

	if (err == GP_OK)
		err = db_run_int(&statement, &number);
	if (err == GP_OK)
		*ret_number = (uint64_t)number;
	return err;
}

static uint32_t clamp(int64_t value)
{
	return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* $1: since. Messages were of no use to anybody unless they were accepted. */
#define SPENT(WHOSE)                                                           \
	"SELECT MAX(at), COUNT(*), SUM(recipients), SUM(strangers) FROM sent " \
	"WHERE " WHOSE " AND at >= $1 AND outcome = 'accepted' GROUP BY at / 300 ORDER BY 1"
_Static_assert(STORE_SPENT_STEP == 300, "as in SPENT");

static enum gp_err visit_spent(
	struct db_statement **pstatement, int64_t since, store_spent_fn *visit, void *arg)
{
	struct db_statement *statement = *pstatement;
	bool is_row = true;
	enum gp_err err = GP_OK;

	db_bind_int(statement, 1, since);
	while (err == GP_OK) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		const struct store_spent spent = { db_int(statement, 0),
			clamp(db_int(statement, 1)), clamp(db_int(statement, 2)),
			clamp(db_int(statement, 3)) };

		err = visit(&spent, arg);
	}
	db_end(pstatement);
	return err;
}

enum gp_err store_spent_each_of_account(
	struct store *store, uint64_t account, int64_t since, store_spent_fn *visit, void *arg)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, SPENT("account_id = $2"), &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 2, (int64_t)account);
	return visit_spent(&statement, since, visit, arg);
}

enum gp_err store_spent_each_of_domain(
	struct store *store, struct slice domain, int64_t since, store_spent_fn *visit, void *arg)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db,
		SPENT("domain_id = (SELECT id FROM domain WHERE name = $2)"), &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 2, domain);
	return visit_spent(&statement, since, visit, arg);
}

enum gp_err store_spent_each_of_source(struct store *store, const struct ip *source, int64_t since,
	store_spent_fn *visit, void *arg)
{
	struct db_statement *statement = NULL;
	char text[IP_TEXT_SIZE];
	enum gp_err err = db_query(store->db, SPENT("source = $2"), &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 2, slice_str(ip_format_source(source, text)));
	return visit_spent(&statement, since, visit, arg);
}

enum gp_err store_sent_sweep(struct store *store, int64_t before, uint64_t batch, bool *ret_more)
{
	static const char sql[] = "DELETE FROM sent WHERE id IN (SELECT id FROM sent "
				  "WHERE at < $1 ORDER BY at LIMIT $2)";
	struct db_statement *statement = NULL;
	int64_t removed = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, before);
	db_bind_int(statement, 2, (int64_t)(batch & INT64_MAX));
	err = db_run(&statement, &removed);
	if (err == GP_OK && (uint64_t)removed == batch)
		*ret_more = true;
	return err;
}

/* ---- listed senders ---- */

/* Of an account it is 0. GP_ERR_NOT_FOUND: no such domain. */
static enum gp_err domain_of(
	struct store *store, const struct store_sender_owner *owner, uint64_t *ret_domain)
{
	struct store_domain domain = { .id = 0 };
	enum gp_err err = GP_OK;

	if (owner->account == 0)
		err = store_domain_find(store, owner->domain, &domain);
	if (err == GP_OK)
		*ret_domain = domain.id;
	return err;
}

static void bind_owner(
	struct db_statement *statement, const struct store_sender_owner *owner, uint64_t domain)
{
	db_bind_int(statement, 1, (int64_t)owner->account);
	db_bind_int(statement, 2, (int64_t)domain);
}

static enum gp_err check_room(
	struct store *store, const struct store_sender_owner *owner, uint64_t domain)
{
	static const char sql[] =
		"SELECT COUNT(*) FROM sender WHERE account_id = $1 AND domain_id = $2";
	struct db_statement *statement = NULL;
	int64_t count = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	bind_owner(statement, owner, domain);
	err = db_run_int(&statement, &count);
	return err == GP_OK && count >= STORE_SENDERS_MAX ? GP_ERR_LIMIT : err;
}

enum gp_err store_sender_add(struct store *store, const struct store_sender_owner *owner,
	struct slice sender, int64_t now)
{
	static const char sql[] = "INSERT INTO sender (account_id, domain_id, address, created_at) "
				  "VALUES ($1, $2, $3, $4)";
	struct db_statement *statement = NULL;
	struct store_scope scope;
	uint64_t domain = 0;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = domain_of(store, owner, &domain);
	if (err == GP_OK)
		err = check_room(store, owner, domain);
	if (err == GP_OK)
		err = db_query(store->db, sql, &statement);
	if (err == GP_OK) {
		bind_owner(statement, owner, domain);
		db_bind_text(statement, 3, sender);
		db_bind_int(statement, 4, now);
		err = db_run(&statement, NULL);
	}
	return store_scope_end(&scope, err);
}

enum gp_err store_sender_remove(
	struct store *store, const struct store_sender_owner *owner, struct slice sender)
{
	static const char sql[] =
		"DELETE FROM sender WHERE account_id = $1 AND domain_id = $2 AND address = $3";
	struct db_statement *statement = NULL;
	uint64_t domain = 0;
	enum gp_err err = domain_of(store, owner, &domain);

	if (err == GP_OK)
		err = db_query(store->db, sql, &statement);
	if (err != GP_OK)
		return err;
	bind_owner(statement, owner, domain);
	db_bind_text(statement, 3, sender);
	return store_run_found(&statement);
}

enum gp_err store_sender_each(struct store *store, const struct store_sender_owner *owner,
	enum gp_err (*visit)(struct slice sender, void *arg), void *arg)
{
	static const char sql[] = "SELECT address FROM sender WHERE account_id = $1 AND "
				  "domain_id = $2 ORDER BY address";
	struct db_statement *statement = NULL;
	uint64_t domain = 0;
	bool is_row = true;
	enum gp_err err = domain_of(store, owner, &domain);

	if (err == GP_OK)
		err = db_query(store->db, sql, &statement);
	if (err != GP_OK)
		return err;
	bind_owner(statement, owner, domain);
	while (err == GP_OK) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		err = visit(db_text(statement, 0), arg);
	}
	db_end(&statement);
	return err;
}
