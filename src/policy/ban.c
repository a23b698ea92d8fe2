/* SPDX-License-Identifier: ISC */
#include "policy/ban.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

struct ban_policy {
	struct config_nets exempt;   /* autoban_exempt; ours */
	struct config_nets internal; /* proxies and backends; ours */
	bool bans_loopback;
	unsigned failures;
	int64_t window_ms;
	int64_t time_ms;
};

static void nets_add(struct config_nets *nets, const struct ip_net *net)
{
	nets->nets = mem_resize(nets->nets, nets->count + 1, sizeof *nets->nets);
	nets->nets[nets->count++] = *net;
}

static void nets_add_all(struct config_nets *nets, const struct config_nets *from)
{
	for (size_t i = 0; i < from->count; i++)
		nets_add(nets, &from->nets[i]);
}

/* "192.0.2.1:143" or "[2001:db8::1]:143"; names and UNIX sockets have no address here. */
static void nets_add_host(struct config_nets *nets, struct slice host)
{
	ptrdiff_t colon = slice_find_last(host, ':');
	struct ip_net net;

	if (colon < 0)
		return;
	host = slice_head(host, (size_t)colon);
	if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
		host = slice_of(host.data + 1, host.len - 2);
	if (slice_find(host, '/') < 0 && ip_net_parse(host, &net) == GP_OK)
		nets_add(nets, &net);
}

struct ban_policy *ban_policy_new(const struct config *config)
{
	struct ban_policy *policy = mem_new(1, sizeof *policy);

	nets_add_all(&policy->exempt, &config->autoban_exempt);
	for (size_t i = 0; i < config->listener_count; i++)
		nets_add_all(&policy->internal, &config->listeners[i].proxy_from);
	for (size_t i = 0; i < config->backend_count; i++) {
		const struct config_strings *hosts = &config->backends[i].hosts;

		for (size_t h = 0; h < hosts->count; h++)
			nets_add_host(&policy->internal, slice_str(hosts->items[h]));
	}
	policy->bans_loopback = config->autoban_loopback;
	policy->failures = config->autoban_failures;
	policy->window_ms = (int64_t)config->autoban_window * 1000;
	policy->time_ms = (int64_t)config->autoban_time * 1000;
	return policy;
}

void ban_policy_free(struct ban_policy **ppolicy)
{
	struct ban_policy *policy = *ppolicy;

	if (policy == NULL)
		return;
	mem_free(policy->exempt.nets);
	mem_free(policy->internal.nets);
	mem_free(policy);
	*ppolicy = NULL;
}

/* Do the source's addresses and the network meet? */
static bool nets_meet(const struct config_nets *nets, const struct ip *source)
{
	for (size_t i = 0; i < nets->count; i++) {
		struct ip base = ip_source(&nets->nets[i].base);

		if (ip_net_contains(&nets->nets[i], source))
			return true;
		if (source->family == IP_V6 && nets->nets[i].prefix > IP_SOURCE_V6_PREFIX &&
			ip_equal(&base, source))
			return true;
	}
	return false;
}

/* The source of ::1 is ::/64. */
static bool is_loopback_source(const struct ip *source)
{
	static const struct ip v6_loopback = { IP_V6, { [15] = 1 } };
	struct ip v6_source = ip_source(&v6_loopback);

	return ip_is_loopback(source) || ip_equal(source, &v6_source);
}

bool ban_is_exempt(const struct ban_policy *policy, const struct ip *source)
{
	if (source->family == IP_NONE || nets_meet(&policy->exempt, source))
		return true;
	if (is_loopback_source(source))
		return !policy->bans_loopback;
	return nets_meet(&policy->internal, source);
}

struct counter_limits ban_limits(const struct ban_policy *policy, size_t max_keys)
{
	return (struct counter_limits){ policy->failures, policy->window_ms, max_keys };
}

enum ban_place ban_place(const struct counter_result *result)
{
	switch (result->answer) {
	case COUNTER_GRANTED:
		return BAN_PLACE_FREE;
	case COUNTER_FULL:
		return BAN_PLACE_WAIT;
	case COUNTER_FAILED:
		return BAN_PLACE_TEMPORARY;
	case COUNTER_SPENT:
	case COUNTER_DONE:
		break;
	}
	return BAN_PLACE_REFUSED;
}

struct ban_step ban_after_failure(
	const struct ban_policy *policy, const struct counter_result *result, bool is_banned)
{
	struct ban_step step = { VERDICT_DENY, 0 };

	if (result->answer == COUNTER_DONE && result->is_last) {
		step.verdict = VERDICT_DENY_BANNED;
		step.ban_ms = is_banned ? 0 : policy->time_ms;
	} else if (is_banned) {
		step.verdict = VERDICT_DENY_BANNED;
	}
	return step;
}

int64_t ban_left(int64_t set_at, int64_t until, int64_t now, int64_t map_left)
{
	int64_t length, left;

	if (map_left > 0)
		return map_left;
	if (set_at < 0 || until <= set_at || until <= now)
		return 0;
	length = until - set_at;
	left = until - now;
	if (length > (int64_t)BAN_MINUTES_MAX * 60)
		length = (int64_t)BAN_MINUTES_MAX * 60;
	return (left < length ? left : length) * 1000;
}

int64_t ban_failure_age(int64_t at, int64_t now)
{
	if (at < 0)
		at = 0;
	return at < now ? (now - at) * 1000 : 0;
}
