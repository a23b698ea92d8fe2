/* SPDX-License-Identifier: ISC */
/*
 * Setting a program up: self.watch tells what came in since a page was opened, self.test_message
 * sends a letter to oneself, self.test_show tells what became of it. Rows: ops/ops.def.
 */
#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "crypt/once.h"
#include "policy/sighting.h"
#include "store/store_activity.h"
#include "store/store_outbox.h"
#include "vault/desk.h"
#include "vault/watch.h"

struct watch {
	struct desk_op *op;
	const struct store_account *account;
	struct ip source; /* of the browser */
	uint64_t after;
	unsigned count; /* rows of this walk */
	unsigned finding_count;
	struct store_finding findings[STORE_FINDINGS_MAX];
};

/* ---- what came in ---- */

static enum gp_err take_finding(const struct store_finding *finding, void *arg)
{
	struct watch *watch = arg;

	if (watch->finding_count < GP_ARRAY_LEN(watch->findings))
		watch->findings[watch->finding_count++] = *finding;
	return GP_OK;
}

/* When the password was changed that was tried in this session; 0: it is none of the old ones. */
static int64_t old_password_at(const struct watch *watch, struct slice session)
{
	char digits[17];

	for (unsigned i = 0; i < watch->finding_count; i++) {
		(void)snprintf(digits, sizeof digits, "%016llx",
			(unsigned long long)watch->findings[i].session);
		if (slice_is(session, digits))
			return watch->findings[i].changed_at;
	}
	return 0;
}

static json_t *text_or_null(struct slice text)
{
	return text.len > 0 ? desk_json_text(text) : json_null();
}

/* What all rows have, and what of it stays empty for a stranger's. */
static json_t *sight_json(
	const struct watch *watch, const struct store_event_row *event, const char *what)
{
	char source[IP_TEXT_SIZE];
	bool is_here = slice_is(event->source, ip_format_source(&watch->source, source));
	json_t *row = json_pack(
		"{s:s, s:I, s:o, s:o, s:o, s:o, s:b, s:s, s:n, s:n, s:n, s:n, s:n, s:n}", "kind",
		"sight", "id", (json_int_t)event->id, "at", desk_json_time(event->at), "service",
		desk_json_text(event->service), "tls", text_or_null(event->tls), "source",
		desk_json_text(event->source), "is_here", (int)is_here, "what", what, "login",
		"name_form", "mechanism", "device", "client_name", "old_password_at");

	GP_ASSERT(row != NULL);
	return row;
}

static void set(json_t *row, const char *key, json_t *value)
{
	GP_ASSERT(json_object_set_new(row, key, value) == 0);
}

static json_t *own_json(const struct watch *watch, const struct store_event_row *event)
{
	bool is_ok = verdict_by_name(event->verdict) == VERDICT_OK;
	enum reason reason = reason_by_name(event->reason);
	const char *form = sighting_name_form(event->login, slice_str(watch->account->address));
	json_t *row = sight_json(
		watch, event, is_ok || reason == REASON_MAX ? "ok" : reason_name(reason));

	set(row, "login", text_or_null(event->login));
	set(row, "name_form", json_string(form));
	set(row, "mechanism", desk_json_text(event->mechanism));
	set(row, "device", text_or_null(event->device_name));
	set(row, "client_name", text_or_null(event->client_name));
	set(row, "old_password_at", desk_json_time(old_password_at(watch, event->session)));
	return row;
}

/* Ends the walk when there are enough, or what follows is from before. */
static enum gp_err finish(struct watch *watch, json_t *row)
{
	enum gp_err err = desk_row(watch->op, row);

	return err == GP_OK && ++watch->count == WATCH_ROWS_MAX ? GP_ERR_AGAIN : err;
}

static enum gp_err own_row(const struct store_event_row *event, void *arg)
{
	struct watch *watch = arg;

	if (event->id <= watch->after)
		return GP_ERR_AGAIN;
	/* The browser that watches signed in as well. */
	if (service_by_name(event->service) == SERVICE_HTTPS)
		return GP_OK;
	return finish(watch, own_json(watch, event));
}

static enum mechanism mechanism_by_name(struct slice name)
{
	for (unsigned i = 0; i < MECHANISM_MAX; i++) {
		if (slice_is(name, mechanism_name((enum mechanism)i)))
			return (enum mechanism)i;
	}
	return MECHANISM_NONE;
}

static enum gp_err stranger_row(const struct store_event_row *event, void *arg)
{
	struct watch *watch = arg;
	struct slice address = slice_str(watch->account->address);
	const struct sighting_event sight = { .verdict = verdict_by_name(event->verdict),
		.reason = reason_by_name(event->reason),
		.mechanism = mechanism_by_name(event->mechanism),
		.login = event->login,
		.tls = event->tls,
		.detail = event->detail };
	enum sighting what = SIGHTING_NOTHING;
	json_t *row = NULL;

	if (event->id <= watch->after)
		return GP_ERR_AGAIN;
	if (event->account != watch->account->id)
		what = sighting_of_stranger(&sight, address);
	if (what == SIGHTING_NOTHING)
		return GP_OK;
	row = sight_json(watch, event, sighting_name(what));
	if (what == SIGHTING_NAME) {
		set(row, "login", text_or_null(event->login));
		set(row, "name_form", json_string("other"));
	}
	if (what == SIGHTING_MECHANISM)
		set(row, "mechanism", text_or_null(event->detail));
	return finish(watch, row);
}

static enum gp_err walk(struct watch *watch, const struct store_event_filter *filter,
	enum gp_err (*visit)(const struct store_event_row *event, void *arg))
{
	enum gp_err err;

	watch->count = 0;
	err = store_event_each(watch->op->vault->store, filter, visit, watch);
	return err == GP_ERR_AGAIN ? GP_OK : err;
}

static enum gp_err list_sights(struct watch *watch)
{
	const struct store_event_filter own = { .account = watch->account->id,
		.limit = WATCH_LOOK_MAX };
	const struct store_event_filter here = { .source = watch->source, .limit = WATCH_LOOK_MAX };
	enum gp_err err = store_finding_each(
		watch->op->vault->store, watch->account->id, take_finding, watch);

	if (err == GP_OK)
		err = walk(watch, &own, own_row);
	if (err == GP_OK && here.source.family != IP_NONE)
		err = walk(watch, &here, stranger_row);
	return err;
}

static enum gp_err take_id(const struct store_event_row *event, void *arg)
{
	uint64_t *id = arg;

	*id = event->id;
	return GP_OK;
}

enum gp_err op_self_watch(struct desk_op *op)
{
	const struct store_event_filter newest = { .limit = 1 };
	struct store_account account = { 0 };
	struct watch watch = { .op = op, .account = &account, .source = ip_source(&op->source) };
	uint64_t now = 0;
	enum gp_err err = desk_self(op, &account);

	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		err = desk_number(op, "after", 0, &watch.after);
	if (err == GP_OK)
		err = store_event_each(op->vault->store, &newest, take_id, &now);
	if (err == GP_OK)
		err = desk_row(op, json_pack("{s:s, s:I}", "kind", "now", "id", (json_int_t)now));
	if (err != GP_OK || json_object_get(op->args, "after") == NULL)
		return err;
	return list_sights(&watch);
}

/* ---- the letter to oneself ---- */

static const char kind[] = "test_message";

/* Numbers of the outbox would tell how many letters others get. */
static json_t *letter_id(const struct desk_op *op, uint64_t account, uint64_t number)
{
	uint8_t tag[ONCE_TAG_SIZE];
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
	char id[2 * TEST_MESSAGE_ID_BYTES + 1];

	once_tag(secret_slice(op->vault->pepper), "test message", account,
		(struct slice){ digits, (size_t)len }, tag);
	for (unsigned i = 0; i < TEST_MESSAGE_ID_BYTES; i++)
		(void)snprintf(id + 2 * (size_t)i, 3, "%02x", tag[i]);
	return json_string(id);
}

static enum gp_err may_send(struct desk_op *op, uint64_t account)
{
	uint64_t sent = 0;
	enum gp_err err = store_outbox_count(op->vault->store, account, slice_str(kind),
		clock_wall() - TEST_MESSAGES_SPAN, &sent);

	if (err == GP_OK && sent >= TEST_MESSAGES_MAX)
		return gp_why_set(&op->why, GP_ERR_LIMIT, "at most %d test messages an hour",
			TEST_MESSAGES_MAX);
	return err;
}

/* The latest one; number 0: there is none. */
static enum gp_err latest(
	const struct desk_op *op, uint64_t account, struct store_outbox_fate *ret_fate)
{
	enum gp_err err = store_outbox_latest(op->vault->store, account, slice_str(kind), ret_fate);

	return err == GP_ERR_NOT_FOUND ? GP_OK : err;
}

enum gp_err op_self_test_message(struct desk_op *op)
{
	struct store_account account = { 0 };
	struct store_outbox_fate before = { .id = 0 };
	struct store_outbox_fate now = { .id = 0 };
	enum gp_err err = GP_OK;

	if (!op->vault->config->notices)
		return gp_why_set(&op->why, GP_ERR_UNSUPPORTED,
			"this server sends no letters (notices = no)");
	err = desk_begin(op);
	if (err == GP_OK)
		err = desk_self(op, &account);
	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		err = may_send(op, account.id);
	if (err == GP_OK)
		err = latest(op, account.id, &before);
	if (err == GP_OK)
		err = desk_post(op, &account, account.address, kind, NULL);
	if (err == GP_OK)
		err = latest(op, account.id, &now);
	/* Other letters are lost quietly; of this one somebody waits for news. */
	if (err == GP_OK && now.id == before.id)
		return gp_why_set(&op->why, GP_ERR_BUSY, "too many letters wait to be sent");
	return err == GP_OK
		       ? desk_row(op, json_pack("{s:o}", "id", letter_id(op, account.id, now.id)))
		       : err;
}

enum gp_err op_self_test_show(struct desk_op *op)
{
	static const char *const states[] = {
		[STORE_OUTBOX_WAITING] = "waiting",
		[STORE_OUTBOX_TAKEN] = "taken",
		[STORE_OUTBOX_REFUSED] = "refused",
	};
	struct store_account account = { 0 };
	struct store_outbox_fate fate = { .id = 0 };
	enum gp_err err = desk_self(op, &account);

	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		err = latest(op, account.id, &fate);
	if (err == GP_OK && fate.id == 0)
		return gp_why_set(&op->why, GP_ERR_NOT_FOUND, "no test message within two days");
	if (err != GP_OK)
		return err;
	return desk_row(
		op, json_pack("{s:o, s:o, s:s, s:o, s:o}", "id", letter_id(op, account.id, fate.id),
			    "at", desk_json_time(fate.created_at), "state", states[fate.state],
			    "done_at", desk_json_time(fate.done_at), "said",
			    text_or_null(slice_str(fate.said))));
}
