/* SPDX-License-Identifier: ISC */
#include "policy/ban.h"

#include <string.h>

#include "base/check.h"
#include "base/mem.h"

static const struct {
	const char *code;
	const char *words;
} reasons[BAN_REASONS] = {
#define BAN_REASON_FACTS(id, code, words) [BAN_REASON_##id] = { code, words },
	BAN_REASON_LIST(BAN_REASON_FACTS)
#undef BAN_REASON_FACTS
};

const char *ban_reason_words(enum ban_reason reason)
{
	return reasons[reason].words;
}

const char *ban_reason_code(struct slice words)
{
	for (size_t i = 0; i < BAN_REASONS; i++) {
		if (slice_is(words, reasons[i].words))
			return reasons[i].code;
	}
	return "";
}

struct ban_policy {
	struct config_nets exempt;   /* autoban_exempt; ours */
	struct config_nets internal; /* proxies and backends; ours */
	bool bans_loopback;
	unsigned failures[IP_LEVELS];
	unsigned guesses;
	int64_t guesses_window_ms;
	unsigned portal_failures;
	int64_t portal_window_ms;
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
	policy->failures[IP_LEVEL_SOURCE] = config->autoban_failures;
	policy->failures[IP_LEVEL_56] = config->autoban_failures_56;
	policy->failures[IP_LEVEL_48] = config->autoban_failures_48;
	for (unsigned level = 1; level < IP_LEVELS; level++) {
		if (policy->failures[level] < policy->failures[level - 1])
			policy->failures[level] = policy->failures[level - 1];
	}
	policy->guesses = config->account_guesses;
	policy->guesses_window_ms = (int64_t)config->account_guesses_window * 1000;
	policy->portal_failures = config->portal_failures;
	policy->portal_window_ms = (int64_t)config->portal_window * 1000;
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

/* Have the two an address in common? Then one contains the other. */
static bool nets_meet(const struct config_nets *nets, const struct ip_net *net)
{
	for (size_t i = 0; i < nets->count; i++) {
		const struct ip_net *other = &nets->nets[i];

		if (other->prefix <= net->prefix ? ip_net_contains(other, &net->base)
						 : ip_net_contains(net, &other->base))
			return true;
	}
	return false;
}

static bool has_loopback(const struct ip_net *net)
{
	static const struct ip v6_loopback = { IP_V6, { [15] = 1 } };

	return ip_is_loopback(&net->base) || ip_net_contains(net, &v6_loopback);
}

bool ban_is_exempt_net(const struct ban_policy *policy, const struct ip_net *net)
{
	if (net->base.family == IP_NONE || nets_meet(&policy->exempt, net))
		return true;
	if (has_loopback(net))
		return !policy->bans_loopback;
	return nets_meet(&policy->internal, net);
}

bool ban_is_exempt(const struct ban_policy *policy, const struct ip *source)
{
	struct ip_net net = ip_level_net(source, IP_LEVEL_SOURCE);

	return ban_is_exempt_net(policy, &net);
}

struct counter_limits ban_limits(
	const struct ban_policy *policy, enum ip_level level, size_t max_keys)
{
	return (struct counter_limits){ policy->failures[level], policy->window_ms, max_keys };
}

struct counter_limits ban_account_limits(const struct ban_policy *policy, size_t max_keys)
{
	return (struct counter_limits){ policy->guesses, policy->guesses_window_ms, max_keys };
}

struct counter_limits ban_portal_limits(const struct ban_policy *policy, size_t max_keys)
{
	return (struct counter_limits){ policy->portal_failures, policy->portal_window_ms,
		max_keys };
}

unsigned ban_weight(unsigned names)
{
	return names >= BAN_SPRAY_NAMES ? BAN_SPRAY_WEIGHT : 1;
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
