/* SPDX-License-Identifier: ISC */
/*
 * Rows of signin.list, newest first:
 *	id, at, session, client, port, source, service, mechanism, login, account (address or null),
 *	device (id or null), device_name, outcome, reason, why (the reason in words), counted,
 *	client_name, tls, detail
 */
#include <stdlib.h>

#include "base/check.h"
#include "base/ip.h"
#include "base/mem.h"
#include "base/reference.h"
#include "vault/desk.h"

static json_t *id_or_null(uint64_t id)
{
	return id != 0 ? json_integer((json_int_t)id) : json_null();
}

static json_t *text_or_null(struct slice text)
{
	return text.len > 0 ? desk_json_text(text) : json_null();
}

static void set_text(json_t *row, const char *key, struct slice text)
{
	GP_ASSERT(json_object_set_new(row, key, desk_json_text(text)) == 0);
}

static void set_reference(json_t *row, uint64_t reference)
{
	char text[REFERENCE_SIZE];
	json_t *value =
		reference != 0 ? json_string(reference_format(reference, text)) : json_null();

	GP_ASSERT(json_object_set_new(row, "reference", value) == 0);
}

json_t *desk_event_json(const struct store_event_row *event)
{
	enum reason reason = reason_by_name(event->reason);
	json_t *row = json_pack("{s:I, s:o, s:i, s:o, s:o, s:b, s:s}", "id", (json_int_t)event->id,
		"at", desk_json_time(event->at), "port", (int)event->client_port, "account",
		text_or_null(event->address), "device", id_or_null(event->device), "counted",
		(int)event->counted, "why", reason != REASON_MAX ? reason_words(reason) : "");

	GP_ASSERT(row != NULL);
	set_text(row, "session", event->session);
	set_text(row, "client", event->client);
	set_text(row, "source", event->source);
	set_text(row, "service", event->service);
	set_text(row, "mechanism", event->mechanism);
	set_text(row, "login", event->login);
	set_text(row, "device_name", event->device_name);
	set_text(row, "outcome", event->verdict);
	set_text(row, "reason", event->reason);
	set_text(row, "client_name", event->client_name);
	set_text(row, "tls", event->tls);
	set_text(row, "detail", event->detail);
	set_reference(row, event->reference);
	return row;
}

static enum gp_err event_row(const struct store_event_row *event, void *arg)
{
	return desk_row(arg, desk_event_json(event));
}

/* An account that exists goes by its id, whatever was typed; one that does not (any more) by what
 * was typed. */
static enum gp_err account_filter(
	struct desk_op *op, char address[static STORE_ADDRESS_SIZE], struct store_event_filter *out)
{
	const char *typed = desk_string(op, "account");
	struct store_account account;
	enum gp_err err;

	if (typed == NULL)
		return GP_OK;
	err = desk_old_address(op->vault, slice_str(typed), address, &op->why);
	if (err == GP_OK)
		err = store_account_find(op->vault->store, slice_str(address), &account);
	if (err == GP_OK)
		out->account = account.id;
	else if (err == GP_ERR_NOT_FOUND)
		out->login = slice_str(address);
	return err == GP_ERR_NOT_FOUND ? GP_OK : err;
}

static enum gp_err name_filters(struct desk_op *op, struct store_event_filter *out)
{
	out->verdict = slice_str(desk_string(op, "outcome"));
	out->reason = slice_str(desk_string(op, "reason"));
	out->service = slice_str(desk_string(op, "service"));
	if (out->verdict.len > 0 && verdict_by_name(out->verdict) == VERDICT_MAX)
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "no such outcome");
	if (out->reason.len > 0 && reason_by_name(out->reason) == REASON_MAX)
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "no such reason");
	if (out->service.len > 0 && service_by_name(out->service) == SERVICE_MAX)
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "no such service");
	return GP_OK;
}

static enum gp_err source_and_session(struct desk_op *op, struct store_event_filter *out)
{
	const char *source = desk_string(op, "source");
	const char *session = desk_string(op, "session");
	char *end = NULL;

	if (source != NULL && ip_parse_source(slice_str(source), &out->source) != GP_OK)
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "\"source\" is no address");
	if (session == NULL)
		return GP_OK;
	out->session = strtoull(session, &end, 16);
	if (*session == '\0' || *end != '\0' || out->session == 0)
		return gp_why_set(
			&op->why, GP_ERR_SYNTAX, "\"session\" must be hexadecimal digits");
	return GP_OK;
}

enum gp_err op_signin_list(struct desk_op *op)
{
	struct store_event_filter filter = { 0 };
	char address[STORE_ADDRESS_SIZE];
	enum gp_err err = desk_limit(op, &filter.limit);

	if (err == GP_OK)
		err = desk_number(op, "before", 0, &filter.before);
	if (err == GP_OK)
		err = desk_time(op, "since", &filter.since);
	if (err == GP_OK)
		err = desk_time(op, "until", &filter.until);
	if (err == GP_OK)
		err = name_filters(op, &filter);
	if (err == GP_OK)
		err = source_and_session(op, &filter);
	if (err == GP_OK)
		err = account_filter(op, address, &filter);
	return err == GP_OK ? store_event_each(op->vault->store, &filter, event_row, op) : err;
}

/* The newest of one account. */
static enum gp_err list_events(struct desk_op *op, uint64_t account)
{
	struct store_event_filter filter = { .account = account };
	enum gp_err err = desk_limit(op, &filter.limit);

	if (err == GP_OK)
		err = desk_number(op, "before", 0, &filter.before);
	return err == GP_OK ? store_event_each(op->vault->store, &filter, event_row, op) : err;
}

enum gp_err op_self_events(struct desk_op *op)
{
	uint64_t account = 0;
	enum gp_err err = desk_asker(op, &account);

	return err == GP_OK ? list_events(op, account) : err;
}

enum gp_err op_account_events(struct desk_op *op)
{
	struct store_account account = { 0 };
	enum gp_err err = desk_account(op, &account);

	mem_wipe(account.password, sizeof account.password);
	return err == GP_OK ? list_events(op, account.id) : err;
}
