/* SPDX-License-Identifier: ISC */
/* source.show, self.ban_list, self.ban_lift, settings.show. Rows: ops/ops.def. */
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/reference.h"
#include "core/core.h"

enum {
	DEVICES_MAX = 20 /* shown with one ban: they fit a row */
};

/* What people are told of a ban, or that there is none. */
static json_t *describe(const struct ip_net *net, const struct ban *ban)
{
	char source[IP_TEXT_SIZE];
	char since[CLOCK_TEXT_SIZE];
	char until[CLOCK_TEXT_SIZE];
	char reference[REFERENCE_SIZE];
	json_t *row = json_pack("{s:s}", "source", ip_net_format(net, source));
	int64_t left;

	GP_ASSERT(row != NULL);
	if (ban == NULL) {
		GP_ASSERT(json_object_update_new(row,
				  json_pack("{s:n, s:n, s:n, s:n, s:n, s:n}", "since", "until",
					  "minutes_left", "why", "reason_code", "reference")) == 0);
		return row;
	}
	left = ban->until - clock_steady();
	GP_ASSERT(
		json_object_update_new(row,
			json_pack("{s:s, s:s, s:I, s:s, s:s, s:s}", "since",
				clock_format(ban->set_at, since), "until",
				clock_format(bans_until_wall(ban), until), "minutes_left",
				(json_int_t)((left + 59999) / 60000), "why", ban->reason,
				"reason_code", ban_reason_code(slice_str(ban->reason)), "reference",
				reference_format(reference_of(ban->origin), reference))) == 0);
	return row;
}

static void set(json_t *row, const char *key, json_t *value)
{
	GP_ASSERT(json_object_set_new(row, key, value) == 0);
}

enum gp_err op_source_show(struct op_call *call, const json_t *args, struct gp_why *why)
{
	struct core *core = call->core;
	struct ip_net net = ip_level_net(&call->caller->source, IP_LEVEL_SOURCE);
	const struct ban *ban = bans_find_widest(core, &call->caller->source);
	json_t *row = describe(&net, ban);

	(void)args;
	(void)why;
	set(row, "is_banned", json_boolean(ban != NULL));
	set(row, "lifts_left",
		json_integer((json_int_t)lifts_left(
			core, ban != NULL ? &ban->net : &net, call->caller->account)));
	op_row(call, row);
	return GP_OK;
}

/* ---- the list ---- */

/* A row of ban.causes: whose failure keeps its source out? */
static void on_cause(struct op *op, struct slice text)
{
	json_t *row = json_loadb(text.data, text.len, 0, NULL);
	const char *source = json_string_value(json_object_get(row, "source"));
	struct ip ip;
	const struct ban *ban = NULL;
	char key[IP_TEXT_SIZE];
	json_t *devices = NULL;

	if (source != NULL && ip_parse_source(slice_str(source), &ip) == GP_OK)
		ban = bans_find_widest(op->core, &ip);
	if (ban != NULL) {
		(void)ip_net_format(&ban->net, key);
		devices = json_object_get(op->gathered, key);
		if (devices == NULL) {
			devices = json_array();
			set(op->gathered, key, devices);
		}
		if (json_array_size(devices) < DEVICES_MAX)
			GP_ASSERT(json_array_append(devices, row) == 0);
	}
	json_decref(row);
}

static void send_ban(struct op *op, const char *key, json_t *devices)
{
	struct op_call call = op_call_of(op);
	const struct ban *ban = NULL;
	struct ip_net net;
	json_t *row = NULL;

	/* It may have ended while the vault was asked. */
	if (ip_parse_level(slice_str(key), &net) == GP_OK)
		ban = bans_find(op->core, &net);
	if (ban == NULL)
		return;
	row = describe(&net, ban);
	set(row, "is_here", json_boolean(ip_net_contains(&net, &op->source)));
	set(row, "devices", json_incref(devices));
	op_row(&call, row);
}

static void on_causes_done(struct op *op, enum gp_err err, struct slice why)
{
	const struct ban *here = bans_find_widest(op->core, &op->source);
	char source[IP_TEXT_SIZE];
	const char *key = NULL;
	json_t *devices = NULL;

	if (err == GP_OK && here != NULL) {
		(void)ip_net_format(&here->net, source);
		if (json_object_get(op->gathered, source) == NULL)
			set(op->gathered, source, json_array());
	}
	json_object_foreach(op->gathered, key, devices)
	{
		if (err == GP_OK)
			send_ban(op, key, devices);
	}
	op_done(op, err, why);
}

static enum gp_err ask(struct op_call *call, const struct op_events *events, enum ops_id id,
	json_t *args, json_t *gathered, struct gp_why *why)
{
	struct op *op = op_begin(call);

	if (op == NULL) {
		json_decref(args);
		json_decref(gathered);
		return gp_why_set(why, GP_ERR_BUSY, "too many operations at once");
	}
	op->events = events;
	op->gathered = gathered;
	op->source = call->caller->source;
	if (op_ask_instead(op, id, call->caller, args) != GP_OK)
		op_finish(op, GP_ERR_STORE, SLICE_LIT("no vault is there to do it; try again"));
	return GP_ERR_AGAIN;
}

enum gp_err op_self_ban_list(struct op_call *call, const json_t *args, struct gp_why *why)
{
	static const struct op_events events = { on_cause, on_causes_done };

	(void)args;
	return ask(call, &events, OPS_ban_causes, json_object(), json_object(), why);
}

/* ---- lifting ---- */

static void on_no_row(struct op *op, struct slice row)
{
	(void)op;
	(void)row;
}

/* It is noted: now it ends, for every process. */
static void on_noted(struct op *op, enum gp_err err, struct slice why)
{
	struct op_call call = op_call_of(op);
	const char *source = json_string_value(json_object_get(op->gathered, "source"));
	json_int_t account = json_integer_value(json_object_get(op->gathered, "account"));
	struct ip_net net;

	if (err == GP_OK) {
		GP_ASSERT(ip_parse_level(slice_str(source), &net) == GP_OK);
		lifts_add(op->core, &net, (uint64_t)account, 0);
		(void)bans_lift(op->core, &net);
		op_row(&call, json_pack("{s:s}", "source", source));
	}
	op_done(op, err, why);
}

enum gp_err op_self_ban_lift(struct op_call *call, const json_t *args, struct gp_why *why)
{
	static const struct op_events events = { on_no_row, on_noted };
	const char *typed = json_string_value(json_object_get(args, "source"));
	const struct caller *caller = call->caller;
	const struct ban *ban = NULL;
	char source[IP_TEXT_SIZE];
	struct ip_net net;
	json_t *asked = NULL;
	json_t *kept = NULL;

	if (ip_parse_level(slice_str(typed), &net) == GP_OK)
		ban = bans_find(call->core, &net);
	/* To the letter: what one was shown, not an address in it. */
	if (ban == NULL || !ip_net_equal(&ban->net, &net))
		return gp_why_set(why, GP_ERR_NOT_FOUND, "that address is not banned");
	asked = json_pack("{s:s, s:b}", "source", ip_net_format(&net, source), "is_here",
		(int)ip_net_contains(&net, &caller->source));
	kept = json_pack("{s:I, s:s}", "account", (json_int_t)caller->account, "source", source);
	return ask(call, &events, OPS_ban_note_lift, asked, kept, why);
}

/* ---- settings ---- */

static void add_service(json_t *services, const struct config_listener *listener)
{
	enum service service = listener->service;
	const char *tls = service_is_tls(service) ? "tls" : "starttls";

	/* Port 25 is for servers, 443 for browsers. */
	if (service == SERVICE_SMTP || service == SERVICE_HTTPS)
		return;
	GP_ASSERT(json_array_append_new(services,
			  json_pack("{s:s, s:s, s:i, s:s}", "service", service_name(service),
				  "protocol", protocol_name(service_protocol(service)), "port",
				  (int)listener->port, "tls", tls)) == 0);
}

enum gp_err op_settings_show(struct op_call *call, const json_t *args, struct gp_why *why)
{
	const struct config *config = call->core->config;
	const struct caller *caller = call->caller;
	json_t *services = json_array();
	json_t *row = NULL;

	(void)args;
	(void)why;
	for (size_t i = 0; i < config->listener_count; i++)
		add_service(services, &config->listeners[i]);
	row = json_pack("{s:s%, s:s, s:o}", "login", caller->address.data, caller->address.len,
		"hostname", config->hostname, "services", services);
	op_row(call, row);
	return GP_OK;
}
