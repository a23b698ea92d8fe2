/* SPDX-License-Identifier: ISC */
#include "vault/telling.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "vault/desk.h"
#include "vault/outbox.h"
#include "vault/vault.h"

enum {
	DAY_S = 24 * 3600,
	V4_NETWORK_BYTES = 3, /* an IPv4 /24 and */
	V6_NETWORK_BYTES =
		6, /* an IPv6 /48 are one network to people: a home, an office, a provider's town */
};

/* NOT_FOUND is no fault: the account is gone, nobody is to be told. */
static enum gp_err find_account(
	struct vault *vault, uint64_t id, struct store_account *ret_account, bool *ret_is_there)
{
	enum gp_err err = store_account_get(vault->store, id, ret_account);

	mem_wipe(ret_account->password, sizeof ret_account->password);
	*ret_is_there = err == GP_OK;
	return err == GP_ERR_NOT_FOUND ? GP_OK : err;
}

static enum gp_err may_tell(
	struct vault *vault, uint64_t account, const char *kind, uint64_t a_day, bool *ret_may)
{
	uint64_t count = 0;
	enum gp_err err = store_outbox_count(
		vault->store, account, slice_str(kind), clock_wall() - DAY_S, &count);

	*ret_may = count < a_day;
	return err;
}

static void set(json_t *values, const char *key, struct slice text)
{
	GP_ASSERT(json_object_set_new(values, key, desk_json_text(text)) == 0);
}

/* ---- new networks ---- */

struct comparison {
	struct ip source;
	bool is_same_network; /* as that of another source */
	bool is_first;
};

static bool is_same_network(const struct ip *a, const struct ip *b)
{
	size_t len = a->family == IP_V4 ? V4_NETWORK_BYTES : V6_NETWORK_BYTES;

	return a->family == b->family && memcmp(a->bytes, b->bytes, len) == 0;
}

static enum gp_err compare(const struct ip *source, int64_t last_at, void *arg)
{
	struct comparison *comparison = arg;

	(void)last_at;
	if (ip_equal(source, &comparison->source))
		return GP_OK;
	comparison->is_first = false;
	if (is_same_network(source, &comparison->source))
		comparison->is_same_network = true;
	return GP_OK;
}

static enum gp_err tell_of_network(
	struct vault *vault, const struct store_account *account, const struct store_event *event)
{
	char source[IP_TEXT_SIZE];
	char time[CLOCK_TEXT_SIZE];
	json_t *values = json_object();

	set(values, "source", slice_str(ip_format(&event->client, source)));
	set(values, "service", slice_str(service_name(event->service)));
	set(values, "client", event->client_name);
	set(values, "time", slice_str(clock_format(event->at, time)));
	return desk_post_for(vault, account, NULL, "new_network", "", values);
}

enum gp_err telling_on_new_source(struct vault *vault, const struct store_event *event)
{
	struct comparison comparison = { .source = ip_source(&event->client), .is_first = true };
	struct store_account account = { 0 };
	bool is_there = false;
	bool may = false;
	enum gp_err err = store_known_each(vault->store, event->account, compare, &comparison);

	if (err != GP_OK || comparison.is_first || comparison.is_same_network)
		return err;
	err = may_tell(vault, event->account, "new_network", TELLING_NETWORKS_A_DAY, &may);
	if (err == GP_OK && may)
		err = find_account(vault, event->account, &account, &is_there);
	return err == GP_OK && is_there ? tell_of_network(vault, &account, event) : err;
}

/* ---- bans ---- */

struct culprit {
	uint64_t account;
	char service[STORE_KIND_SIZE];
	char client_name[STORE_WORDS_SIZE];
};

struct culprits {
	struct culprit culprit[TELLING_CULPRITS];
	size_t count;
};

static enum gp_err take_culprit(
	uint64_t account, struct slice service, struct slice client_name, void *arg)
{
	struct culprits *culprits = arg;
	struct culprit *culprit = &culprits->culprit[culprits->count];

	if (culprits->count == TELLING_CULPRITS)
		return GP_OK;
	culprit->account = account;
	if (slice_copy(service, culprit->service, sizeof culprit->service) &&
		slice_copy(client_name, culprit->client_name, sizeof culprit->client_name))
		culprits->count++;
	return GP_OK;
}

static enum gp_err tell_of_ban(
	struct vault *vault, const struct store_ban *ban, const struct culprit *culprit)
{
	struct store_account account = { 0 };
	char source[IP_TEXT_SIZE];
	char until[CLOCK_TEXT_SIZE];
	json_t *values = NULL;
	bool is_there = false;
	enum gp_err err = find_account(vault, culprit->account, &account, &is_there);

	if (err != GP_OK || !is_there)
		return err;
	values = json_object();
	set(values, "source", slice_str(ip_format_source(&ban->net.base, source)));
	set(values, "until", slice_str(clock_format(ban->until, until)));
	set(values, "service", slice_str(culprit->service));
	set(values, "client", slice_str(culprit->client_name));
	return desk_post_for(vault, &account, NULL, "address_banned", "", values);
}

static enum gp_err tell_culprit(
	struct vault *vault, const struct store_ban *ban, const struct culprit *culprit)
{
	bool is_known = false;
	bool may = false;
	enum gp_err err =
		store_known_find(vault->store, culprit->account, &ban->net.base, 0, &is_known);

	/* A stranger's ban helps nobody by mail: one such letter a day says that somebody guesses.
	 */
	if (err == GP_OK)
		err = may_tell(vault, culprit->account, "address_banned",
			is_known ? TELLING_BANS_A_DAY : TELLING_STRANGERS_A_DAY, &may);
	return err == GP_OK && may ? tell_of_ban(vault, ban, culprit) : err;
}

enum gp_err telling_on_ban(struct vault *vault, const struct store_ban *ban)
{
	struct culprits culprits = { .count = 0 };
	enum ip_level level = IP_LEVEL_48;
	enum gp_err err;

	if (!ip_net_level(&ban->net, &level) || level != IP_LEVEL_SOURCE)
		return GP_OK;
	err = store_event_each_culprit(vault->store, &ban->net.base,
		clock_wall() - (int64_t)vault->config->autoban_window, TELLING_CULPRITS,
		take_culprit, &culprits);
	for (size_t i = 0; err == GP_OK && i < culprits.count; i++)
		err = tell_culprit(vault, ban, &culprits.culprit[i]);
	return err;
}
