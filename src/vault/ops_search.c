/* SPDX-License-Identifier: ISC */
/*
 * What staff looks for: accounts, sources, events, references. A row says by "kind" what it is; see
 * ops.def for the rest of it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/reference.h"
#include "policy/ban.h"
#include "vault/desk.h"

enum {
	SEARCH_QUERY_MAX = 320,
	SEARCH_LIMIT_DEFAULT = 20, /* rows of each kind */
	SEARCH_LIMIT_MAX = 200,
	SEARCH_LOOK_MAX = 10000, /* events looked at for those the asker may see */
	SESSION_DIGITS = 16,
};

struct search {
	struct desk_op *op;
	const char *kind; /* of the events that come */
	uint64_t limit;   /* rows of one kind */
	uint64_t count;
	uint64_t id;          /* of the event, 0: any */
	uint64_t seen_events; /* that the asker may see, all in all */
};

/* ---- rows ---- */

static enum gp_err add_row(struct search *search, const char *kind, json_t *row)
{
	GP_ASSERT(row != NULL && json_object_set_new(row, "kind", json_string(kind)) == 0);
	return desk_row(search->op, row);
}

/* One's own people's events, by the account or by the name that was typed. */
static bool is_visible(const struct search *search, const struct store_event_row *event)
{
	return desk_has_address(search->op, event->address.len > 0 ? event->address : event->login);
}

/* Ends the walk, without an error, when there are enough. */
static enum gp_err event_row(const struct store_event_row *event, void *arg)
{
	struct search *search = arg;
	enum gp_err err;

	if (!is_visible(search, event) || (search->id != 0 && event->id != search->id))
		return GP_OK;
	search->seen_events++;
	err = add_row(search, search->kind, desk_event_json(event));
	return err == GP_OK && ++search->count == search->limit ? GP_ERR_AGAIN : err;
}

static enum gp_err find_events(
	struct search *search, const char *kind, const struct store_event_filter *filter)
{
	enum gp_err err;

	search->kind = kind;
	search->count = 0;
	err = store_event_each(search->op->vault->store, filter, event_row, search);
	return err == GP_ERR_AGAIN ? GP_OK : err;
}

static enum gp_err ban_row(const struct store_ban *ban, void *arg)
{
	struct search *search = arg;
	char source[IP_TEXT_SIZE];
	char reference[REFERENCE_SIZE];

	/* Whose people never were there is told nothing of it. */
	if (desk_is_bound(search->op) && search->seen_events == 0)
		return GP_OK;
	return add_row(search, "ban",
		json_pack("{s:s, s:o, s:o, s:o, s:s, s:s}", "source",
			ip_net_format(&ban->net, source), "since", desk_json_time(ban->set_at),
			"until", desk_json_time(ban->until), "reason",
			desk_json_text(slice_str(ban->reason)), "reason_code",
			ban_reason_code(slice_str(ban->reason)), "reference",
			reference_format(reference_of(ban->origin), reference)));
}

/* ---- references ---- */

static enum gp_err find_reference(struct search *search, uint64_t reference)
{
	struct vault *vault = search->op->vault;
	const struct store_event_filter filter = { .reference = reference,
		.limit = SEARCH_LIMIT_MAX };
	const struct store_clock clock = record_clock(vault);
	enum gp_err err = find_events(search, "reference", &filter);

	return err == GP_OK ? store_ban_each_reference(vault->store, &clock, clock_wall(),
				      reference, ban_row, search)
			    : err;
}

enum gp_err op_reference_show(struct desk_op *op)
{
	struct search search = { .op = op, .limit = SEARCH_LIMIT_MAX };
	struct slice typed = slice_str(desk_string(op, "reference"));
	uint64_t reference = 0;

	if (!reference_parse(typed, &reference))
		return gp_why_set(&op->why, GP_ERR_SYNTAX,
			"a reference is %d letters and digits, like 7K3QX9TD", REFERENCE_LETTERS);
	return find_reference(&search, reference);
}

/* ---- everything ---- */

static enum gp_err account_row(const struct store_account *account, void *arg)
{
	struct search *search = arg;
	enum gp_err err;

	if (!desk_has_address(search->op, slice_str(account->address)))
		return GP_OK;
	err = add_row(search, "account",
		json_pack("{s:s, s:s, s:b, s:o, s:o}", "address", account->address, "role",
			account->role, "is_off", (int)account->is_off, "blocked_at",
			desk_json_time(account->blocked_at), "twofactor_at",
			desk_json_time(account->twofactor_at)));
	return err == GP_OK && ++search->count == search->limit ? GP_ERR_AGAIN : err;
}

/* By a part of its address; else an alias, written out. */
static enum gp_err find_accounts(struct search *search, struct slice query)
{
	struct vault *vault = search->op->vault;
	struct store_account account = { 0 };
	char address[STORE_ADDRESS_SIZE];
	struct gp_why why;
	enum gp_err err;

	search->count = 0;
	err = store_account_each(vault->store, query, search->op->domains, SLICE_LIT(""),
		UINT64_MAX, account_row, search);
	if (err != GP_OK || search->count > 0)
		return err == GP_ERR_AGAIN ? GP_OK : err;
	if (desk_old_address(vault, query, address, &why) != GP_OK)
		return GP_OK;
	err = store_account_find(vault->store, slice_str(address), &account);
	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		err = account_row(&account, search);
	return err == GP_ERR_NOT_FOUND || err == GP_ERR_AGAIN ? GP_OK : err;
}

static enum gp_err find_source(struct search *search, const struct ip *source)
{
	struct vault *vault = search->op->vault;
	const struct store_event_filter filter = { .source = *source, .limit = SEARCH_LOOK_MAX };
	const struct store_clock clock = record_clock(vault);
	enum gp_err err = find_events(search, "source", &filter);

	return err == GP_OK ? store_ban_each_source(
				      vault->store, &clock, clock_wall(), source, ban_row, search)
			    : err;
}

/* A session's refusals have its reference, by which they are found. */
static enum gp_err find_session(struct search *search, uint64_t session)
{
	const struct store_event_filter filter = {
		.session = session, .reference = reference_of(session), .limit = SEARCH_LOOK_MAX
	};

	return find_events(search, "event", &filter);
}

static enum gp_err find_event(struct search *search, uint64_t id)
{
	const struct store_event_filter filter = { .before = id + 1, .limit = 1 };
	enum gp_err err;

	search->id = id;
	err = find_events(search, "event", &filter);
	search->id = 0;
	return err;
}

static enum gp_err find_all(struct search *search, struct slice query)
{
	unsigned long long id = 0;
	uint64_t reference = 0;
	char digits[SESSION_DIGITS + 1];
	char *end = digits;
	uint64_t session = 0;
	struct ip source;
	enum gp_err err = GP_OK;

	if (query.len == SESSION_DIGITS && slice_copy(query, digits, sizeof digits))
		session = strtoull(digits, &end, 16);
	if (slice_to_u64(query, INT64_MAX - 1, &id) && id > 0)
		err = find_event(search, id);
	if (err == GP_OK && session != 0 && *end == '\0')
		err = find_session(search, session);
	if (err == GP_OK && reference_parse(query, &reference))
		err = find_reference(search, reference);
	if (err == GP_OK && ip_parse_source(query, &source) == GP_OK)
		err = find_source(search, &source);
	return err == GP_OK ? find_accounts(search, query) : err;
}

enum gp_err op_search(struct desk_op *op)
{
	struct search search = { .op = op };
	struct slice query = slice_trim(slice_str(desk_string(op, "query")));
	enum gp_err err = desk_number(op, "limit", SEARCH_LIMIT_DEFAULT, &search.limit);

	if (err != GP_OK)
		return err;
	if (query.len == 0 || query.len > SEARCH_QUERY_MAX)
		return gp_why_set(
			&op->why, GP_ERR_SYNTAX, "look for 1 to %d bytes", SEARCH_QUERY_MAX);
	if (search.limit < 1 || search.limit > SEARCH_LIMIT_MAX)
		return gp_why_set(&op->why, GP_ERR_LIMIT, "\"limit\" is 1 to %d", SEARCH_LIMIT_MAX);
	return find_all(&search, query);
}
