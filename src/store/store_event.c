/* SPDX-License-Identifier: ISC */
#include "base/buf.h"
#include "base/reference.h"
#include "base/text.h"
#include "store/store_activity.h"
#include "store/store_private.h"

enum {
	TEXT_SIZE = 512, /* what is longer is cut */
	FILTER_SQL_MAX = 4096,
};

/* Core escapes what came from outside; whatever else gets here must not break a table or JSON. */
static void make_printable(struct slice text, char *out, size_t size)
{
	if (!text_is_printable(text) || !slice_copy(text, out, size))
		text_escape(text, out, size);
}

/* The use of a device password, to the minute: most are used every few minutes, and each note is a
 * page to write. */
static enum gp_err note_use(
	struct store *store, const struct store_event *event, const char *client)
{
	static const char sql[] =
		"UPDATE device SET used_at = $2, used_from = $3, used_service = $4, "
		"used_client = $5 WHERE id = $1 AND (used_at < $2 - 60 OR used_from <> $3)";
	char client_name[STORE_WORDS_SIZE];
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	make_printable(event->client_name, client_name, sizeof client_name);
	db_bind_int(statement, 1, (int64_t)event->device);
	db_bind_int(statement, 2, event->at);
	db_bind_text(statement, 3, slice_str(client));
	db_bind_text(statement, 4, slice_str(service_name(event->service)));
	db_bind_text(statement, 5, slice_str(client_name));
	return db_run(&statement, NULL);
}

/* What a peer wrote, made fit to show; kept alive by the caller until the statement has run. */
struct event_texts {
	char session[TEXT_NUMBER_SIZE];
	char client[IP_TEXT_SIZE];
	char source[IP_TEXT_SIZE];
	char login[TEXT_SIZE];
	char client_name[TEXT_SIZE];
	char tls[64];
	char detail[TEXT_SIZE];
};

static void escape_all(const struct store_event *event, struct event_texts *out)
{
	struct ip source = ip_source(&event->client);

	(void)text_number(event->session, 16, 16, out->session);
	(void)ip_format(&event->client, out->client);
	(void)ip_format_source(&source, out->source);
	make_printable(event->login, out->login, sizeof out->login);
	make_printable(event->client_name, out->client_name, sizeof out->client_name);
	make_printable(event->tls, out->tls, sizeof out->tls);
	make_printable(event->detail, out->detail, sizeof out->detail);
}

enum gp_err store_event_add(
	struct store *store, const struct store_event *event, bool *ret_is_new_source)
{
	static const char sql[] =
		"INSERT INTO event (at, session, client, client_port, source, service, mechanism, "
		"verdict, reason, counted, account_id, device_id, login, client_name, tls, detail, "
		"number, guess, boot, steady, reference) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
		"$9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)";
	struct db_statement *statement = NULL;
	struct event_texts texts;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	escape_all(event, &texts);
	db_bind_int(statement, 1, event->at);
	db_bind_text(statement, 2, slice_str(texts.session));
	db_bind_text(statement, 3, slice_str(texts.client));
	db_bind_int(statement, 4, event->client_port);
	db_bind_text(statement, 5, slice_str(texts.source));
	db_bind_text(statement, 6, slice_str(service_name(event->service)));
	db_bind_text(statement, 7, slice_str(mechanism_name(event->mechanism)));
	db_bind_text(statement, 8, slice_str(verdict_name(event->verdict)));
	db_bind_text(statement, 9, slice_str(reason_name(event->reason)));
	db_bind_int(statement, 10, event->counted);
	db_bind_int(statement, 11, (int64_t)event->account);
	db_bind_int(statement, 12, (int64_t)event->device);
	db_bind_text(statement, 13, slice_str(texts.login));
	db_bind_text(statement, 14, slice_str(texts.client_name));
	db_bind_text(statement, 15, slice_str(texts.tls));
	db_bind_text(statement, 16, slice_str(texts.detail));
	db_bind_int(statement, 17, (int64_t)event->number);
	db_bind_int(statement, 18, event->guess);
	db_bind_int(statement, 19, event->clock.boot);
	db_bind_int(statement, 20, event->at - event->clock.ahead);
	db_bind_int(statement, 21,
		event->verdict != VERDICT_OK ? (int64_t)reference_of(event->session) : 0);
	err = db_run(&statement, NULL);
	if (ret_is_new_source != NULL)
		*ret_is_new_source = false;
	if (err != GP_OK || event->verdict != VERDICT_OK || event->account == 0)
		return err;
	if (event->client.family != IP_NONE)
		err = store_known_note(
			store, event->account, &event->client, event->at, ret_is_new_source);
	if (err == GP_OK && event->device != 0)
		err = note_use(store, event, texts.client);
	return err;
}

enum gp_err store_event_last_number(struct store *store, uint64_t *ret_number)
{
	struct db_statement *statement = NULL;
	int64_t number = 0;
	enum gp_err err = db_query(
		store->db, "SELECT number FROM event ORDER BY id DESC LIMIT 1", &statement);

	if (err == GP_OK)
		err = db_run_int(&statement, &number);
	if (err == GP_OK)
		*ret_number = (uint64_t)number;
	return err;
}

/* ---- reading ---- */

/* A condition that is only in the query if it was asked for, so that an index can serve it. */
struct condition {
	bool is_wanted;
	const char *sql;
	struct slice text; /* bound if text.data is not NULL */
	int64_t number;
};

static int64_t clamp(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static enum gp_err prepare_filter(struct store *store, const struct condition *conditions,
	size_t count, int64_t limit, struct db_statement **ret_statement)
{
	static const char head[] =
		"SELECT e.id, e.at, e.session, e.client, e.client_port, e.source, e.service, "
		"e.mechanism, e.verdict, e.reason, e.counted, e.account_id, e.device_id, e.login, "
		"e.client_name, e.tls, e.detail, COALESCE(a.address, ''), COALESCE(d.name, ''), "
		"e.reference "
		"FROM event e LEFT JOIN account a ON a.id = e.account_id "
		"LEFT JOIN device d ON d.id = e.device_id WHERE 1 = 1";
	struct buf sql;
	int number = 0;
	enum gp_err err;

	buf_init(&sql, FILTER_SQL_MAX);
	err = buf_append_str(&sql, head);
	for (size_t i = 0; err == GP_OK && i < count; i++) {
		if (conditions[i].is_wanted)
			err = buf_printf(&sql, " AND %s$%d", conditions[i].sql, ++number);
	}
	if (err == GP_OK)
		err = buf_printf(&sql, " ORDER BY e.id DESC LIMIT $%d", number + 1);
	if (err == GP_OK)
		err = buf_append_byte(&sql, '\0');
	if (err == GP_OK)
		err = db_query_text(store->db, buf_slice(&sql).data, ret_statement);
	buf_fini(&sql);
	if (err != GP_OK)
		return err;
	db_bind_int(*ret_statement, number + 1, limit);
	number = 0;
	for (size_t i = 0; i < count; i++) {
		if (!conditions[i].is_wanted)
			continue;
		number++;
		if (conditions[i].text.data != NULL)
			db_bind_text(*ret_statement, number, conditions[i].text);
		else
			db_bind_int(*ret_statement, number, conditions[i].number);
	}
	return GP_OK;
}

static void read_event(struct db_statement *statement, struct store_event_row *out)
{
	*out = (struct store_event_row){
		.id = (uint64_t)db_int(statement, 0),
		.at = db_int(statement, 1),
		.session = db_text(statement, 2),
		.client = db_text(statement, 3),
		.client_port = (uint16_t)db_int(statement, 4),
		.source = db_text(statement, 5),
		.service = db_text(statement, 6),
		.mechanism = db_text(statement, 7),
		.verdict = db_text(statement, 8),
		.reason = db_text(statement, 9),
		.counted = db_int(statement, 10) != 0,
		.account = (uint64_t)db_int(statement, 11),
		.device = (uint64_t)db_int(statement, 12),
		.login = db_text(statement, 13),
		.client_name = db_text(statement, 14),
		.tls = db_text(statement, 15),
		.detail = db_text(statement, 16),
		.address = db_text(statement, 17),
		.device_name = db_text(statement, 18),
		.reference = (uint64_t)db_int(statement, 19),
	};
}

enum {
	CONDITIONS = 11
};

struct filter_texts {
	char source[IP_TEXT_SIZE];
	char session[TEXT_NUMBER_SIZE];
	char login[TEXT_SIZE];
};

static void fill_conditions(const struct store_event_filter *filter, struct filter_texts *texts,
	struct condition out[static CONDITIONS])
{
	const struct slice none = { 0 };

	make_printable(filter->login, texts->login, sizeof texts->login);
	(void)ip_format_source(&filter->source, texts->source);
	(void)text_number(filter->session, 16, 16, texts->session);
	out[0] = (struct condition){ filter->account != 0, "e.account_id = ", none,
		clamp(filter->account) };
	out[1] = (struct condition){ filter->login.len > 0, "e.login = ", slice_str(texts->login),
		0 };
	out[2] = (struct condition){ filter->source.family != IP_NONE,
		"e.source = ", slice_str(texts->source), 0 };
	out[3] = (struct condition){ filter->verdict.len > 0, "e.verdict = ", filter->verdict, 0 };
	out[4] = (struct condition){ filter->reason.len > 0, "e.reason = ", filter->reason, 0 };
	out[5] = (struct condition){ filter->service.len > 0, "e.service = ", filter->service, 0 };
	out[6] = (struct condition){ filter->session != 0,
		"e.session = ", slice_str(texts->session), 0 };
	out[7] = (struct condition){ filter->since != 0, "e.at >= ", none, filter->since };
	out[8] = (struct condition){ filter->until != 0, "e.at < ", none, filter->until };
	/* The condition of the index. */
	out[10] = (struct condition){ filter->reference != 0,
		"e.reference > 0 AND e.reference = ", none, clamp(filter->reference) };
	out[9] = (struct condition){ filter->before != 0, "e.id < ", none, clamp(filter->before) };
}

enum gp_err store_event_each(struct store *store, const struct store_event_filter *filter,
	enum gp_err (*visit)(const struct store_event_row *row, void *arg), void *arg)
{
	struct condition conditions[CONDITIONS];
	struct filter_texts texts;
	struct db_statement *statement = NULL;
	struct store_event_row row;
	bool is_row = true;
	enum gp_err err;

	fill_conditions(filter, &texts, conditions);
	err = prepare_filter(store, conditions, CONDITIONS, clamp(filter->limit), &statement);
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		read_event(statement, &row);
		err = visit(&row, arg);
	}
	db_end(&statement);
	return err;
}

enum gp_err store_event_each_failure(struct store *store, const struct store_clock *clock,
	int64_t since,
	enum gp_err (*visit)(const struct ip *source, int64_t at, unsigned weight, void *arg),
	void *arg)
{
	static const char sql[] = "SELECT source, " STORE_EVENT_AT ", counted FROM event "
				  "WHERE counted > 0 AND " STORE_EVENT_SINCE " ORDER BY 2, id";
	struct db_statement *statement = NULL;
	struct ip source;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK)
		store_bind_since(statement, since, clock);
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		/* A peer without an address has no source, and nothing counts against it. */
		if (ip_parse_source(db_text(statement, 0), &source) == GP_OK)
			err = visit(
				&source, db_int(statement, 1), (unsigned)db_int(statement, 2), arg);
	}
	db_end(&statement);
	return err;
}

enum gp_err store_event_each_culprit(struct store *store, const struct ip *source, int64_t since,
	uint64_t limit,
	enum gp_err (*visit)(
		uint64_t account, struct slice service, struct slice client_name, void *arg),
	void *arg)
{
	static const char sql[] =
		"SELECT account_id, service, client_name FROM event WHERE id IN "
		"(SELECT MAX(id) FROM event WHERE source = $1 AND at >= $2 AND counted > 0 "
		"AND account_id <> 0 GROUP BY account_id) ORDER BY id DESC LIMIT $3";
	struct db_statement *statement = NULL;
	char text[IP_TEXT_SIZE];
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, slice_str(ip_format_source(source, text)));
	db_bind_int(statement, 2, since);
	db_bind_int(statement, 3, clamp(limit));
	while (err == GP_OK) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		err = visit((uint64_t)db_int(statement, 0), db_text(statement, 1),
			db_text(statement, 2), arg);
	}
	db_end(&statement);
	return err;
}

enum gp_err store_event_each_guess(struct store *store, const struct store_clock *clock,
	int64_t since, enum gp_err (*visit)(uint64_t account, int64_t at, void *arg), void *arg)
{
	static const char sql[] = "SELECT account_id, " STORE_EVENT_AT " FROM event "
				  "WHERE guess = 1 AND " STORE_EVENT_SINCE " ORDER BY 2, id";
	struct db_statement *statement = NULL;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK)
		store_bind_since(statement, since, clock);
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err == GP_OK && is_row)
			err = visit((uint64_t)db_int(statement, 0), db_int(statement, 1), arg);
	}
	db_end(&statement);
	return err;
}

/* ---- retention ---- */

/* Two statements, so that each walks an index from its end and stops where nothing is left to do.
 */
static const char sweep_old[] = "DELETE FROM event WHERE id IN (SELECT id FROM event "
				"WHERE at < $1 AND at < $2 AND (guess = 0 OR at < $4) "
				"ORDER BY at LIMIT $3)";
/* Ids only grow: what lies max_rows below the newest id is at least that many rows from the end. */
static const char sweep_many[] =
	"DELETE FROM event WHERE id IN (SELECT id FROM event "
	"WHERE id <= (SELECT COALESCE(MAX(id), 0) FROM event) - $1 AND at < $2 "
	"AND (guess = 0 OR at < $4) ORDER BY id LIMIT $3)";

static enum gp_err sweep_events(struct store *store, const char *sql, int64_t bound,
	const struct store_retention *retention, bool *ret_more)
{
	struct db_statement *statement = NULL;
	int64_t removed = 0;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_int(statement, 1, bound);
	db_bind_int(statement, 2, retention->keep);
	db_bind_int(statement, 3, clamp(retention->batch));
	db_bind_int(statement, 4, retention->keep_guesses);
	err = db_run(&statement, &removed);
	if (err == GP_OK && removed == clamp(retention->batch))
		*ret_more = true;
	return err;
}

static enum gp_err sweep_bans(struct store *store, const struct store_clock *clock, int64_t now)
{
	struct db_statement *statement = NULL;
	enum gp_err err =
		db_query(store->db, "DELETE FROM ban WHERE " STORE_BAN_UNTIL " <= $1", &statement);

	if (err != GP_OK)
		return err;
	store_bind_since(statement, now, clock);
	return db_run(&statement, NULL);
}

enum gp_err store_sweep(
	struct store *store, const struct store_retention *retention, bool *ret_more)
{
	struct store_scope scope;
	bool is_more = false;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	err = sweep_events(store, sweep_old, retention->before, retention, &is_more);
	if (err == GP_OK)
		err = sweep_events(
			store, sweep_many, clamp(retention->max_rows), retention, &is_more);
	if (err == GP_OK)
		err = store_known_sweep(store, retention->known_before);
	if (err == GP_OK)
		err = store_finding_sweep(store, retention->before);
	if (err == GP_OK)
		err = sweep_bans(store, &retention->clock, retention->now);
	err = store_scope_end(&scope, err);
	if (err == GP_OK)
		*ret_more = is_more;
	return err;
}
