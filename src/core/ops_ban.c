/* SPDX-License-Identifier: ISC */
/* ban.list, ban.add, ban.remove. Rows: ops/ops.def. */
#include "base/check.h"
#include "base/clock.h"
#include "core/core.h"

static enum gp_err parse_source(const json_t *args, struct ip *ret_source, struct gp_why *why)
{
	const char *text = json_string_value(json_object_get(args, "source"));

	if (ip_parse_source(slice_str(text), ret_source) != GP_OK)
		return gp_why_set(why, GP_ERR_SYNTAX,
			"\"%.60s\" is no address and no IPv6 /64 network", text);
	return GP_OK;
}

static void send_ban(struct op_call *call, const struct ban *ban)
{
	char source[IP_TEXT_SIZE];
	char since[CLOCK_TEXT_SIZE];
	char until[CLOCK_TEXT_SIZE];
	int64_t left = ban->until - clock_steady();

	op_row(call, json_pack("{s:s, s:s, s:s, s:I, s:s}", "source",
			     ip_format_source(&ban->source, source), "since",
			     clock_format(ban->set_at, since), "until",
			     clock_format(bans_until_wall(ban), until), "minutes_left",
			     (json_int_t)((left + 59999) / 60000), "reason", ban->reason));
}

static void list_one(const struct ban *ban, void *arg)
{
	if (ban->until > clock_steady())
		send_ban(arg, ban);
}

enum gp_err op_ban_list(struct op_call *call, const json_t *args, struct gp_why *why)
{
	const struct ban *ban = NULL;
	struct ip source;
	enum gp_err err;

	if (json_object_get(args, "source") == NULL) {
		bans_each(call->core, list_one, call);
		return GP_OK;
	}
	err = parse_source(args, &source, why);
	if (err != GP_OK)
		return err;
	ban = bans_find(call->core, &source);
	if (ban != NULL)
		send_ban(call, ban);
	return GP_OK;
}

enum gp_err op_ban_add(struct op_call *call, const json_t *args, struct gp_why *why)
{
	struct core *core = call->core;
	const json_t *minutes = json_object_get(args, "minutes");
	const char *reason = json_string_value(json_object_get(args, "reason"));
	int64_t ms = (int64_t)core->config->autoban_time * 1000;
	struct ip source;
	enum gp_err err = parse_source(args, &source, why);

	if (err != GP_OK)
		return err;
	if (minutes != NULL) {
		json_int_t value = json_integer_value(minutes);

		if (value < 1 || value > BAN_MINUTES_MAX)
			return gp_why_set(
				why, GP_ERR_SYNTAX, "minutes must be 1 to %d", BAN_MINUTES_MAX);
		ms = (int64_t)value * 60000;
	}
	if (reason != NULL && slice_str(reason).len > BANS_REASON_MAX)
		return gp_why_set(
			why, GP_ERR_SYNTAX, "the reason is longer than %d bytes", BANS_REASON_MAX);
	if (ban_is_exempt(core->policy, &source))
		return gp_why_set(why, GP_ERR_DENIED,
			"this source is exempt: autoban_exempt, a proxy, a backend or loopback");
	bans_set(core, &source, ms, slice_str(reason != NULL ? reason : "banned by hand"), 0);
	send_ban(call, bans_find(core, &source));
	return GP_OK;
}

enum gp_err op_ban_remove(struct op_call *call, const json_t *args, struct gp_why *why)
{
	char text[IP_TEXT_SIZE];
	bool was_banned;
	unsigned failures;
	struct ip source;
	enum gp_err err = parse_source(args, &source, why);

	if (err != GP_OK)
		return err;
	was_banned = bans_find(call->core, &source) != NULL;
	failures = bans_lift(call->core, &source);
	op_row(call, json_pack("{s:s, s:b, s:i}", "source", ip_format_source(&source, text),
			     "was_banned", (int)was_banned, "failures", (int)failures));
	return GP_OK;
}
