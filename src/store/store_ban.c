/* SPDX-License-Identifier: ISC */
#include "base/buf.h"
#include "base/reference.h"
#include "store/store_private.h"

enum {
	SOURCES_MAX = 65536 /* with failures, in one network that is forgiven */
};

enum gp_err store_ban_keep(
	struct store *store, const struct store_clock *clock, const struct store_ban *ban)
{
	static const char sql[] =
		"INSERT INTO ban (source, set_at, until_at, reason, boot, steady_until, origin, "
		"reference) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
		"ON CONFLICT (source) DO UPDATE SET set_at = excluded.set_at, "
		"until_at = excluded.until_at, reason = excluded.reason, boot = excluded.boot, "
		"steady_until = excluded.steady_until, origin = excluded.origin, "
		"reference = excluded.reference";
	struct db_statement *statement = NULL;
	char source[IP_TEXT_SIZE];
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, slice_str(ip_net_format(&ban->net, source)));
	db_bind_int(statement, 2, ban->set_at);
	db_bind_int(statement, 3, ban->until);
	db_bind_text(statement, 4, slice_str(ban->reason));
	db_bind_int(statement, 5, clock->boot);
	db_bind_int(statement, 6, ban->until - clock->ahead);
	db_bind_int(statement, 7, (int64_t)ban->origin);
	db_bind_int(statement, 8, (int64_t)reference_of(ban->origin));
	return db_run(&statement, NULL);
}

static enum gp_err run_for_text(struct store *store, const char *sql, const char *text)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err != GP_OK)
		return err;
	db_bind_text(statement, 1, slice_str(text));
	return db_run(&statement, NULL);
}

static enum gp_err forget_source(struct store *store, const char *source)
{
	return run_for_text(
		store, "UPDATE event SET counted = 0 WHERE source = $1 AND counted > 0", source);
}

/* The sources with failures that are in the network, as texts of IP_TEXT_SIZE bytes each: an update
 * must not run under the query that finds them. */
static enum gp_err find_sources(struct store *store, const struct store_clock *clock,
	const struct ip_net *net, int64_t since, struct buf *texts)
{
	static const char sql[] =
		"SELECT DISTINCT source FROM event WHERE counted > 0 AND " STORE_EVENT_SINCE;
	struct db_statement *statement = NULL;
	char text[IP_TEXT_SIZE] = "";
	struct ip source;
	bool is_row = true;
	enum gp_err err = db_query(store->db, sql, &statement);

	if (err == GP_OK)
		store_bind_since(statement, since, clock);
	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err != GP_OK || !is_row)
			break;
		if (ip_parse_source(db_text(statement, 0), &source) != GP_OK ||
			!ip_net_contains(net, &source) || !db_copy(statement, 0, text, sizeof text))
			continue;
		err = buf_append(texts, slice_of(text, sizeof text));
	}
	db_end(&statement);
	return err;
}

static enum gp_err forget_sources(struct store *store, const struct store_clock *clock,
	const struct ip_net *net, int64_t since)
{
	struct buf texts;
	enum gp_err err;

	buf_init(&texts, SOURCES_MAX * IP_TEXT_SIZE);
	err = find_sources(store, clock, net, since, &texts);
	for (size_t at = 0; err == GP_OK && at < buf_slice(&texts).len; at += IP_TEXT_SIZE)
		err = forget_source(store, buf_slice(&texts).data + at);
	buf_fini(&texts);
	return err;
}

enum gp_err store_ban_drop(struct store *store, const struct store_clock *clock,
	const struct ip_net *net, int64_t since)
{
	struct store_scope scope;
	char text[IP_TEXT_SIZE];
	enum ip_level level;
	enum gp_err err = store_scope_begin(store, &scope);

	if (err != GP_OK)
		return err;
	(void)ip_net_format(net, text);
	err = run_for_text(store, "DELETE FROM ban WHERE source = $1", text);
	if (err == GP_OK && ip_net_level(net, &level) && level == IP_LEVEL_SOURCE)
		err = forget_source(store, text);
	else if (err == GP_OK)
		err = forget_sources(store, clock, net, since);
	return store_scope_end(&scope, err);
}

static enum gp_err read_ban(struct db_statement *statement, struct store_ban *out)
{
	out->until = db_int(statement, 2);
	out->set_at = out->until - db_int(statement, 1);
	out->origin = (uint64_t)db_int(statement, 4);
	return ip_parse_level(db_text(statement, 0), &out->net) == GP_OK &&
			       db_copy(statement, 3, out->reason, sizeof out->reason)
		       ? GP_OK
		       : GP_ERR_STORE;
}

/* Takes the statement. */
static enum gp_err visit_bans(struct db_statement *statement,
	enum gp_err (*visit)(const struct store_ban *ban, void *arg), void *arg)
{
	struct store_ban ban = { 0 };
	bool is_row = true;
	enum gp_err err = GP_OK;

	while (err == GP_OK && is_row) {
		err = db_step(statement, &is_row);
		if (err == GP_OK && is_row)
			err = read_ban(statement, &ban);
		if (err == GP_OK && is_row)
			err = visit(&ban, arg);
	}
	db_end(&statement);
	return err;
}

#define SELECT_BAN                                           \
	"SELECT source, until_at - set_at, " STORE_BAN_UNTIL \
	", reason, origin FROM ban WHERE " STORE_BAN_UNTIL " > $1 "

enum gp_err store_ban_each(struct store *store, const struct store_clock *clock, int64_t now,
	enum gp_err (*visit)(const struct store_ban *ban, void *arg), void *arg)
{
	struct db_statement *statement = NULL;
	enum gp_err err = db_query(store->db, SELECT_BAN "ORDER BY source", &statement);

	if (err != GP_OK)
		return err;
	store_bind_since(statement, now, clock);
	return visit_bans(statement, visit, arg);
}

enum gp_err store_ban_each_reference(struct store *store, const struct store_clock *clock,
	int64_t now, uint64_t reference,
	enum gp_err (*visit)(const struct store_ban *ban, void *arg), void *arg)
{
	struct db_statement *statement = NULL;
	enum gp_err err =
		db_query(store->db, SELECT_BAN "AND reference = $4 ORDER BY source", &statement);

	if (err != GP_OK)
		return err;
	store_bind_since(statement, now, clock);
	db_bind_int(statement, 4, (int64_t)reference);
	return visit_bans(statement, visit, arg);
}

enum gp_err store_ban_each_source(struct store *store, const struct store_clock *clock, int64_t now,
	const struct ip *source, enum gp_err (*visit)(const struct store_ban *ban, void *arg),
	void *arg)
{
	enum gp_err err = GP_OK;

	for (unsigned level = 0; err == GP_OK && level < ip_levels(source); level++) {
		struct ip_net net = ip_level_net(source, (enum ip_level)level);
		struct db_statement *statement = NULL;
		char text[IP_TEXT_SIZE];

		err = db_query(store->db, SELECT_BAN "AND source = $4", &statement);
		if (err != GP_OK)
			return err;
		store_bind_since(statement, now, clock);
		db_bind_text(statement, 4, slice_str(ip_net_format(&net, text)));
		err = visit_bans(statement, visit, arg);
	}
	return err;
}
