/* SPDX-License-Identifier: ISC */
#include "cli/replay_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/table.h"
#include "cli/when.h"

enum {
	NUMBER_SIZE = 24
};

/* The sums over all accounts, and how many came to what. */
struct sums {
	struct replay_counts counts;
	size_t accounts;
	size_t by_outcome[SENDING_OUTCOME_MAX];
	size_t limited;
	size_t forged;
};

static void add_counts(struct replay_counts *to, const struct replay_counts *from)
{
	to->messages += from->messages;
	to->recipients += from->recipients;
	to->passed += from->passed;
	to->slowed += from->slowed;
	to->limited += from->limited;
	to->asked += from->asked;
	to->blocked += from->blocked;
	to->forged += from->forged;
	to->strangers += from->strangers;
}

static struct sums sum_up(const struct replay_account *const *accounts, size_t count)
{
	struct sums sums = { .accounts = count };

	for (size_t i = 0; i < count; i++) {
		add_counts(&sums.counts, &accounts[i]->counts);
		sums.by_outcome[accounts[i]->gravest]++;
		sums.limited += accounts[i]->counts.limited > 0;
		sums.forged += accounts[i]->counts.forged > 0;
	}
	return sums;
}

static bool is_worth_a_row(const struct replay_account *account)
{
	return account->gravest != SENDING_PASS || account->counts.limited > 0 ||
	       account->counts.forged > 0;
}

/* ---- for people ---- */

static void add_number(struct table *table, uint64_t number)
{
	char text[NUMBER_SIZE] = "";

	if (number > 0)
		(void)snprintf(text, sizeof text, "%" PRIu64, number);
	table_add(table, text);
}

static void add_row(struct table *table, const struct replay_account *account)
{
	char utc[CLOCK_TEXT_SIZE];
	char when[WHEN_TEXT_SIZE];
	char why[SENDING_TEXT_SIZE] = "";

	table_add(table, account->name);
	table_add(table, sending_outcome_name(account->gravest));
	table_add(table,
		account->why_at != 0 ? when_format(clock_format(account->why_at, utc), when) : "");
	add_number(table, account->counts.recipients);
	add_number(table, account->counts.passed);
	add_number(table, account->counts.slowed);
	add_number(table, account->counts.limited);
	add_number(table, account->counts.asked);
	add_number(table, account->counts.blocked);
	add_number(table, account->counts.forged);
	table_add(
		table, account->gravest != SENDING_PASS ? sending_explain(&account->why, why) : "");
}

static enum gp_err format_sums(
	const struct replay *replay, const struct sums *sums, uint64_t too_long, struct buf *out)
{
	const struct replay_counts *counts = &sums->counts;
	struct replay_totals totals = replay_totals(replay);
	char first[CLOCK_TEXT_SIZE];
	char last[CLOCK_TEXT_SIZE];
	enum gp_err err = buf_printf(out,
		"%" PRIu64 " lines, %s to %s; judged: %" PRIu64 " messages for %" PRIu64
		" recipients of %zu accounts.\n"
		"Accounts: %zu blocked, %zu asked, %zu slowed down, %zu at a limit, %zu with "
		"forged "
		"senders.\n"
		"Recipients: %" PRIu64 " passed (%" PRIu64 " of them for the first time), %" PRIu64
		" slowed down, %" PRIu64 " beyond a limit, %" PRIu64 " asked about, %" PRIu64
		" blocked, %" PRIu64 " of forged senders.\n",
		totals.lines, clock_format(totals.first_at, first),
		clock_format(totals.last_at, last), counts->messages, counts->recipients,
		sums->accounts, sums->by_outcome[SENDING_BLOCK], sums->by_outcome[SENDING_ASK],
		sums->by_outcome[SENDING_SLOW], sums->limited, sums->forged, counts->passed,
		counts->strangers, counts->slowed, counts->limited, counts->asked, counts->blocked,
		counts->forged);

	if (err == GP_OK && totals.not_understood + too_long + totals.left_out > 0)
		err = buf_printf(out,
			"Left out: %" PRIu64 " lines not understood, %" PRIu64 " too long, %" PRIu64
			" of too many accounts.\n",
			totals.not_understood, too_long, totals.left_out);
	return err;
}

enum gp_err replay_report_people(
	const struct replay *replay, uint64_t too_long, size_t width, struct buf *out)
{
	static const char *const titles[] = { "ACCOUNT", "OUTCOME", "AT", "RECIPIENTS", "PASSED",
		"SLOWED", "LIMITED", "ASKED", "BLOCKED", "FORGED", "WHY" };
	size_t count = 0;
	const struct replay_account **accounts = replay_accounts(replay, &count);
	struct sums sums = sum_up(accounts, count);
	struct table *table = table_new(GP_ARRAY_LEN(titles));
	bool has_rows = false;
	enum gp_err err = GP_OK;

	for (size_t i = 0; i < GP_ARRAY_LEN(titles); i++)
		table_add(table, titles[i]);
	for (size_t i = 0; i < count; i++) {
		if (!is_worth_a_row(accounts[i]))
			continue;
		add_row(table, accounts[i]);
		has_rows = true;
	}
	if (has_rows)
		err = table_format(table, width, out);
	if (err == GP_OK && has_rows)
		err = buf_append_byte(out, '\n');
	if (err == GP_OK)
		err = format_sums(replay, &sums, too_long, out);
	table_free(&table);
	mem_free(accounts);
	return err;
}

/* ---- for programs ---- */

static json_t *counts_json(const struct replay_counts *counts)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "messages",
		(json_int_t)counts->messages, "recipients", (json_int_t)counts->recipients,
		"passed", (json_int_t)counts->passed, "first_time", (json_int_t)counts->strangers,
		"slowed", (json_int_t)counts->slowed, "limited", (json_int_t)counts->limited,
		"asked", (json_int_t)counts->asked, "blocked", (json_int_t)counts->blocked,
		"forged", (json_int_t)counts->forged);
}

static json_t *time_json(int64_t at)
{
	char text[CLOCK_TEXT_SIZE];

	return at != 0 ? json_string(clock_format(at, text)) : json_null();
}

static json_t *points_json(const struct sending_verdict *verdict)
{
	json_t *points = json_object();

	for (unsigned i = 0; i < SENDING_REASON_MAX; i++) {
		if (verdict->points[i] > 0)
			(void)json_object_set_new(points,
				sending_reason_name((enum sending_reason)i),
				json_integer(verdict->points[i]));
	}
	return points;
}

static json_t *account_json(const struct replay_account *account)
{
	json_t *row = json_pack("{s:s, s:s, s:o, s:o, s:o, s:i, s:o}", "account", account->name,
		"outcome", sending_outcome_name(account->gravest), "at", time_json(account->why_at),
		"asked_at", time_json(account->asked_at), "blocked_at",
		time_json(account->blocked_at), "sum", (int)account->why.sum, "points",
		points_json(&account->why));
	json_t *counts = counts_json(&account->counts);

	(void)json_object_update(row, counts);
	json_decref(counts);
	return row;
}

static json_t *totals_json(const struct replay *replay, const struct sums *sums, uint64_t too_long)
{
	struct replay_totals totals = replay_totals(replay);
	json_t *all = json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:I, s:I, s:I, s:I}", "lines",
		(json_int_t)totals.lines, "not_understood", (json_int_t)totals.not_understood,
		"too_long", (json_int_t)too_long, "left_out", (json_int_t)totals.left_out, "from",
		time_json(totals.first_at), "to", time_json(totals.last_at), "accounts",
		(json_int_t)sums->accounts, "accounts_blocked",
		(json_int_t)sums->by_outcome[SENDING_BLOCK], "accounts_asked",
		(json_int_t)sums->by_outcome[SENDING_ASK], "accounts_slowed",
		(json_int_t)sums->by_outcome[SENDING_SLOW]);
	json_t *counts = counts_json(&sums->counts);

	(void)json_object_update(all, counts);
	json_decref(counts);
	return all;
}

static int append(const char *bytes, size_t len, void *out)
{
	return buf_append(out, slice_of(bytes, len)) == GP_OK ? 0 : -1;
}

enum gp_err replay_report_json(const struct replay *replay, uint64_t too_long, struct buf *out)
{
	size_t count = 0;
	const struct replay_account **accounts = replay_accounts(replay, &count);
	struct sums sums = sum_up(accounts, count);
	json_t *rows = json_array();
	json_t *all;
	int failed;

	for (size_t i = 0; i < count; i++) {
		if (is_worth_a_row(accounts[i]))
			(void)json_array_append_new(rows, account_json(accounts[i]));
	}
	all = json_pack(
		"{s:o, s:o}", "totals", totals_json(replay, &sums, too_long), "accounts", rows);
	failed = json_dump_callback(all, append, out, JSON_INDENT(2));
	json_decref(all);
	mem_free(accounts);
	if (failed != 0)
		return GP_ERR_LIMIT;
	return buf_append_byte(out, '\n');
}
