/* SPDX-License-Identifier: ISC */
/* ban.list, ban.add, ban.remove. Rows: ops/ops.def. */
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "core/core.h"
#include "core/page.h"

static enum gp_err parse_net(
	const json_t *args, const char *key, struct ip_net *ret_net, struct gp_why *why)
{
	const char *text = json_string_value(json_object_get(args, key));

	if (ip_parse_level(slice_str(text), ret_net) != GP_OK)
		return gp_why_set(why, GP_ERR_SYNTAX,
			"\"%.60s\" is no address and no IPv6 /64, /56 or /48 network", text);
	return GP_OK;
}

static void send_ban(struct op_call *call, const struct ban *ban)
{
	char source[IP_TEXT_SIZE];
	char since[CLOCK_TEXT_SIZE];
	char until[CLOCK_TEXT_SIZE];
	int64_t left = ban->until - clock_steady();

	op_row(call,
		json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "source",
			ip_net_format(&ban->net, source), "since", clock_format(ban->set_at, since),
			"until", clock_format(bans_until_wall(ban), until), "minutes_left",
			(json_int_t)((left + 59999) / 60000), "reason", ban->reason, "reason_code",
			ban_reason_code(slice_str(ban->reason))));
}

/* ---- ban.list ---- */

/* IPv4 before IPv6, by address, the wider network first. */
static struct slice key_of(const struct ip_net *net, unsigned char out[static PAGE_KEY_SIZE])
{
	size_t len = 0;

	out[len++] = net->base.family;
	memcpy(out + len, net->base.bytes, sizeof net->base.bytes);
	len += sizeof net->base.bytes;
	out[len++] = net->prefix;
	return slice_of(out, len);
}

static void offer(const struct ban *ban, void *arg)
{
	unsigned char key[PAGE_KEY_SIZE];

	if (ban->until > clock_steady())
		page_offer(arg, key_of(&ban->net, key), ban);
}

static void list_one(const void *ban, void *arg)
{
	send_ban(arg, ban);
}

static enum gp_err list_page(struct op_call *call, const json_t *args, struct gp_why *why)
{
	unsigned char key[PAGE_KEY_SIZE];
	struct page page;
	struct ip_net after;
	enum gp_err err = page_init(&page, args, why);

	if (err != GP_OK)
		return err;
	if (json_object_get(args, "after") != NULL) {
		err = parse_net(args, "after", &after, why);
		if (err != GP_OK)
			return err;
		page_set_after(&page, key_of(&after, key));
	}
	bans_each(call->core, offer, &page);
	page_each(&page, list_one, call);
	page_fini(&page);
	return GP_OK;
}

enum gp_err op_ban_list(struct op_call *call, const json_t *args, struct gp_why *why)
{
	const struct ban *ban = NULL;
	struct ip_net net;
	enum gp_err err;

	if (json_object_get(args, "source") == NULL)
		return list_page(call, args, why);
	err = parse_net(args, "source", &net, why);
	if (err != GP_OK)
		return err;
	ban = bans_find(call->core, &net);
	if (ban != NULL)
		send_ban(call, ban);
	return GP_OK;
}

/* ---- ban.add, ban.remove ---- */

enum gp_err op_ban_add(struct op_call *call, const json_t *args, struct gp_why *why)
{
	struct core *core = call->core;
	const json_t *minutes = json_object_get(args, "minutes");
	const char *reason = json_string_value(json_object_get(args, "reason"));
	int64_t ms = (int64_t)core->config->autoban_time * 1000;
	struct ip_net net;
	enum gp_err err = parse_net(args, "source", &net, why);

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
	if (ban_is_exempt_net(core->policy, &net))
		return gp_why_set(why, GP_ERR_DENIED,
			"this source is exempt, or has exempt addresses: autoban_exempt, a proxy, "
			"a backend or loopback");
	bans_set(core, &net, ms,
		slice_str(reason != NULL ? reason : ban_reason_words(BAN_REASON_HAND)), 0);
	send_ban(call, bans_find(core, &net));
	return GP_OK;
}

/* A /56 or /48 that is banned keeps the source out as well: it is lifted with it. */
static void lift_wider(struct core *core, const struct ip_net *net)
{
	const struct ban *ban = bans_find(core, net);

	while (ban != NULL) {
		struct ip_net wider = ban->net;

		(void)bans_lift(core, &wider);
		ban = bans_find(core, net);
	}
}

enum gp_err op_ban_remove(struct op_call *call, const json_t *args, struct gp_why *why)
{
	char text[IP_TEXT_SIZE];
	bool was_banned;
	unsigned failures;
	struct ip_net net;
	enum gp_err err = parse_net(args, "source", &net, why);

	if (err != GP_OK)
		return err;
	was_banned = bans_find(call->core, &net) != NULL;
	failures = bans_lift(call->core, &net);
	lift_wider(call->core, &net);
	op_row(call, json_pack("{s:s, s:b, s:i}", "source", ip_net_format(&net, text), "was_banned",
			     (int)was_banned, "failures", (int)failures));
	return GP_OK;
}
