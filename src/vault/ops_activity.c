/* SPDX-License-Identifier: ISC */
/*
 * "Which device is it?": what ops.def calls activity, chart and unready, for oneself (self.*) and
 * for staff (account.*).
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "policy/activity.h"
#include "store/store_activity.h"
#include "vault/desk.h"

enum {
	DAY = 24 * 60 * 60,
	DAYS_DEFAULT = 30, /* of activity; those that unready looks at */
	CHART_DAYS_DEFAULT = 7,
	DAYS_MAX = 365,
};

static enum gp_err days_argument(struct desk_op *op, unsigned otherwise, int64_t *ret_days)
{
	uint64_t days = 0;
	enum gp_err err = desk_number(op, "days", otherwise, &days);

	if (err != GP_OK)
		return err;
	if (days < 1 || days > DAYS_MAX)
		return gp_why_set(&op->why, GP_ERR_SYNTAX, "\"days\" is 1 to %d", DAYS_MAX);
	*ret_days = (int64_t)days;
	return GP_OK;
}

/* ---- devices ---- */

static enum gp_err take_finding(const struct store_finding *finding, void *arg)
{
	const struct activity_finding found = { finding->session, finding->changed_at };

	activity_add_finding(arg, &found);
	return GP_OK;
}

static enum gp_err take_event(const struct store_activity *event, void *arg)
{
	struct activity_event taken = { .at = event->at,
		.session = event->session,
		.service = service_by_name(event->service),
		.verdict = verdict_by_name(event->verdict),
		.reason = reason_by_name(event->reason),
		.device = event->device,
		.device_name = event->device_name,
		.client_name = event->client_name };

	/* Not to be understood: damaged, or of a newer program. */
	if (taken.service == SERVICE_MAX || taken.verdict == VERDICT_MAX ||
		taken.reason == REASON_MAX)
		return GP_OK;
	if (ip_parse(event->client, &taken.client) != GP_OK)
		taken.client = (struct ip){ .family = IP_NONE };
	activity_add_event(arg, &taken);
	return GP_OK;
}

static json_t *services_json(unsigned services)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < SERVICE_MAX; i++) {
		const char *name = service_name((enum service)i);

		if ((services & 1U << i) != 0)
			GP_ASSERT(json_array_append_new(list, json_string(name)) == 0);
	}
	return list;
}

static json_t *text_or_null(const char *text)
{
	return text[0] != '\0' ? desk_json_text(slice_str(text)) : json_null();
}

static json_t *minutes_or_null(unsigned minutes)
{
	return minutes != 0 ? json_integer((json_int_t)minutes) : json_null();
}

static void set_place(json_t *row, const struct activity_device *device)
{
	struct ip source = ip_source(&device->client);
	char text[IP_TEXT_SIZE] = "";
	char network[IP_TEXT_SIZE] = "";

	if (device->client.family != IP_NONE) {
		(void)ip_format_source(&source, text);
		(void)activity_network(&device->client, network);
	}
	GP_ASSERT(json_object_set_new(row, "source", text_or_null(text)) == 0);
	GP_ASSERT(json_object_set_new(row, "network", text_or_null(network)) == 0);
}

static enum gp_err device_row(struct desk_op *op, const struct activity_device *device)
{
	json_t *row = json_pack(
		"{s:o, s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:s, s:s, s:s, "
		"s:o, s:b, s:b}",
		"key", desk_json_text(slice_str(device->key)), "client", device->family->code,
		"client_name", device->family->words, "client_says",
		text_or_null(device->client_name), "device",
		device->device != 0 ? json_integer((json_int_t)device->device) : json_null(),
		"device_name", text_or_null(device->device_name), "secret",
		device->has_device_secret ? "device" : "main", "services",
		services_json(device->services), "first_at", desk_json_time(device->first_at),
		"last_at", desk_json_time(device->last_at), "every_minutes",
		minutes_or_null(device->every_minutes), "successes", (json_int_t)device->successes,
		"failures", (json_int_t)device->failures, "last_outcome",
		verdict_name(device->last_verdict), "reason", reason_name(device->last_reason),
		"why", activity_why_name(device->why), "old_password_at",
		desk_json_time(device->old_password_at), "is_stranger", (int)!device->is_proven,
		"is_others", (int)device->is_others);

	GP_ASSERT(row != NULL);
	set_place(row, device);
	return desk_row(op, row);
}

/* Will it stop working, or has it, because 2FA leaves the main password to the portal? */
static bool is_unready(const struct activity_device *device)
{
	return device->main_ok_at != 0 || device->why == ACTIVITY_TWOFACTOR;
}

static enum gp_err list_devices(struct desk_op *op, uint64_t account, int64_t days,
	bool (*is_wanted)(const struct activity_device *device))
{
	struct activity *activity = activity_new();
	const struct activity_device *devices = NULL;
	size_t count = 0;
	enum gp_err err = store_finding_each(op->vault->store, account, take_finding, activity);

	if (err == GP_OK)
		err = store_activity_each(
			op->vault->store, account, clock_wall() - days * DAY, take_event, activity);
	if (err == GP_OK)
		devices = activity_finish(activity, &count);
	for (size_t i = 0; err == GP_OK && i < count; i++) {
		if (is_wanted == NULL || is_wanted(&devices[i]))
			err = device_row(op, &devices[i]);
	}
	activity_free(&activity);
	return err;
}

/* ---- the chart ---- */

struct chart {
	struct desk_op *op;
	int64_t next; /* the first day that has no row yet */
};

static enum gp_err day_row(struct chart *chart, uint64_t ok, uint64_t failed)
{
	char text[CLOCK_TEXT_SIZE];

	(void)clock_format(chart->next++ * DAY, text);
	return desk_row(chart->op,
		json_pack("{s:o, s:I, s:I}", "day",
			desk_json_text(slice_head(slice_str(text), sizeof "2026-01-31" - 1)), "ok",
			(json_int_t)ok, "failed", (json_int_t)failed));
}

static enum gp_err fill_until(struct chart *chart, int64_t day)
{
	enum gp_err err = GP_OK;

	while (err == GP_OK && chart->next < day)
		err = day_row(chart, 0, 0);
	return err;
}

static enum gp_err take_day(int64_t day, uint64_t ok, uint64_t failed, void *arg)
{
	enum gp_err err = fill_until(arg, day);

	return err == GP_OK ? day_row(arg, ok, failed) : err;
}

/* A row for each day, today's the last. */
static enum gp_err draw_chart(struct desk_op *op, uint64_t account)
{
	int64_t today = clock_wall() / DAY;
	struct chart chart = { .op = op };
	int64_t days = 0;
	enum gp_err err = days_argument(op, CHART_DAYS_DEFAULT, &days);

	chart.next = today - days + 1;
	if (err == GP_OK)
		err = store_activity_each_day(
			op->vault->store, account, chart.next * DAY, take_day, &chart);
	return err == GP_OK ? fill_until(&chart, today + 1) : err;
}

/* ---- the operations ---- */

static enum gp_err named_account(struct desk_op *op, uint64_t *ret_account)
{
	struct store_account account = { 0 };
	enum gp_err err = desk_account(op, &account);

	mem_wipe(account.password, sizeof account.password);
	if (err == GP_OK)
		*ret_account = account.id;
	return err;
}

static enum gp_err show_activity(struct desk_op *op, uint64_t account)
{
	int64_t days = 0;
	enum gp_err err = days_argument(op, DAYS_DEFAULT, &days);

	return err == GP_OK ? list_devices(op, account, days, NULL) : err;
}

enum gp_err op_self_activity(struct desk_op *op)
{
	uint64_t account = 0;
	enum gp_err err = desk_asker(op, &account);

	return err == GP_OK ? show_activity(op, account) : err;
}

enum gp_err op_account_activity(struct desk_op *op)
{
	uint64_t account = 0;
	enum gp_err err = named_account(op, &account);

	return err == GP_OK ? show_activity(op, account) : err;
}

enum gp_err op_self_unready(struct desk_op *op)
{
	uint64_t account = 0;
	enum gp_err err = desk_asker(op, &account);

	return err == GP_OK ? list_devices(op, account, DAYS_DEFAULT, is_unready) : err;
}

enum gp_err op_self_chart(struct desk_op *op)
{
	uint64_t account = 0;
	enum gp_err err = desk_asker(op, &account);

	return err == GP_OK ? draw_chart(op, account) : err;
}

enum gp_err op_account_chart(struct desk_op *op)
{
	uint64_t account = 0;
	enum gp_err err = named_account(op, &account);

	return err == GP_OK ? draw_chart(op, account) : err;
}
