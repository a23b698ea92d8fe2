/* SPDX-License-Identifier: ISC */
#include "policy/activity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	NETWORK_V4_PREFIX = 24,
	RHYTHM_SLACK = 5,      /* an interval fits if it is within a fifth of the median */
	RHYTHM_SLACK_MIN = 30, /* s, and at least so close */
	MINUTE = 60,
};

struct group {
	struct map_node node;
	struct activity_device device;
	char network[IP_TEXT_SIZE];
	int64_t times[ACTIVITY_TIMES]; /* newest first, bursts taken together */
	unsigned times_count;
	bool is_compared; /* its newest finding since the last good sign-in is known */
};

/* A network from which a right secret came. */
struct home {
	struct map_node node;
	char network[IP_TEXT_SIZE];
};

struct activity {
	struct map by_key;
	struct group **groups;
	size_t count;
	struct group *others;
	struct map homes;
	struct activity_finding findings[ACTIVITY_FINDINGS_MAX];
	size_t finding_count;
	struct activity_device *devices; /* the result */
};

static const char *const why_names[ACTIVITY_WHY_MAX] = {
#define ACTIVITY_NAME(name, text) [name] = text,
	ACTIVITY_WHY_LIST(ACTIVITY_NAME)
#undef ACTIVITY_NAME
};

static const enum activity_why whys[REASON_MAX] = {
	[REASON_NONE] = ACTIVITY_OTHER,
	[REASON_OK] = ACTIVITY_OK,
	[REASON_WRONG_PASSWORD] = ACTIVITY_WRONG,
	[REASON_UNKNOWN_ACCOUNT] = ACTIVITY_UNKNOWN,
	[REASON_ACCOUNT_OFF] = ACTIVITY_OFF,
	[REASON_NO_PASSWORD] = ACTIVITY_WRONG,
	[REASON_TWOFACTOR] = ACTIVITY_TWOFACTOR,
	[REASON_CODE] = ACTIVITY_CODE,
	[REASON_WRONG_DEVICE] = ACTIVITY_DEVICE,
	[REASON_DEVICE_SCOPE] = ACTIVITY_SCOPE,
	[REASON_UNCHECKED] = ACTIVITY_UNCHECKED,
	[REASON_REPEATED] = ACTIVITY_WRONG,
	[REASON_BANNED] = ACTIVITY_BANNED,
	[REASON_WAITED] = ACTIVITY_TEMPORARY,
	[REASON_QUEUE_FULL] = ACTIVITY_TEMPORARY,
	[REASON_VAULT] = ACTIVITY_TEMPORARY,
	[REASON_STORE] = ACTIVITY_TEMPORARY,
	[REASON_CORE] = ACTIVITY_TEMPORARY,
	[REASON_BACKEND] = ACTIVITY_TEMPORARY,
	[REASON_BACKEND_REFUSED] = ACTIVITY_TEMPORARY,
	[REASON_NO_TLS] = ACTIVITY_NO_TLS,
	[REASON_MECHANISM] = ACTIVITY_MECHANISM,
	[REASON_LIMIT] = ACTIVITY_OTHER,
	[REASON_TLS_ON_PLAIN_PORT] = ACTIVITY_OTHER,
	[REASON_PLAIN_ON_TLS_PORT] = ACTIVITY_OTHER,
	[REASON_HTTP] = ACTIVITY_OTHER,
	[REASON_TLS_FAILED] = ACTIVITY_OTHER,
	[REASON_PROXY_HEADER] = ACTIVITY_OTHER,
	[REASON_SIGNIN_REQUIRED] = ACTIVITY_OTHER,
	[REASON_LEFT] = ACTIVITY_OTHER,
	[REASON_BLOCKED] = ACTIVITY_BLOCKED,
	[REASON_BARE_LINE_END] = ACTIVITY_OTHER,
	[REASON_CRASHED] = ACTIVITY_TEMPORARY,
};

const char *activity_why_name(enum activity_why why)
{
	GP_ASSERT(why < ACTIVITY_WHY_MAX);
	return why_names[why];
}

const char *activity_network(const struct ip *client, char out[static IP_TEXT_SIZE])
{
	struct ip_net net = { .base = *client, .prefix = NETWORK_V4_PREFIX };
	struct ip source = ip_source(client);

	if (client->family != IP_V4)
		return ip_format_source(&source, out);
	net.base.bytes[3] = 0;
	return ip_net_format(&net, out);
}

struct activity *activity_new(void)
{
	struct activity *activity = mem_new(1, sizeof *activity);

	map_init(&activity->by_key);
	map_init(&activity->homes);
	activity->groups = mem_new(ACTIVITY_GROUPS_MAX, sizeof *activity->groups);
	return activity;
}

void activity_free(struct activity **pactivity)
{
	struct activity *activity = *pactivity;
	struct map_node *node;

	*pactivity = NULL;
	if (activity == NULL)
		return;
	while ((node = map_first(&activity->homes)) != NULL) {
		map_remove(&activity->homes, node);
		mem_free(MAP_ENTRY(node, struct home, node));
	}
	for (size_t i = 0; i < activity->count; i++)
		mem_free(activity->groups[i]);
	map_fini(&activity->by_key);
	map_fini(&activity->homes);
	mem_free(activity->groups);
	mem_free(activity->others);
	mem_free(activity->devices);
	mem_free(activity);
}

void activity_add_finding(struct activity *activity, const struct activity_finding *finding)
{
	if (activity->finding_count < ACTIVITY_FINDINGS_MAX)
		activity->findings[activity->finding_count++] = *finding;
}

/* ---- gathering ---- */

/* An address literal says nothing, and changes with every lease. */
static bool is_telling(struct slice name)
{
	return name.len > 0 && name.data[0] != '[';
}

static void make_key(const struct activity_event *event, const struct client_family *family,
	const char *network, char out[static ACTIVITY_KEY_SIZE])
{
	const char *protocol = protocol_name(service_protocol(event->service));
	char name[ACTIVITY_NAME_SIZE] = "";

	if (event->device != 0) {
		(void)snprintf(
			out, ACTIVITY_KEY_SIZE, "device/%llu", (unsigned long long)event->device);
		return;
	}
	if (client_family_is_unknown(family) && is_telling(event->client_name))
		text_escape(event->client_name, name, sizeof name);
	(void)snprintf(out, ACTIVITY_KEY_SIZE, "%s/%s/%s%s%s", protocol, family->code, network,
		name[0] != '\0' ? "/" : "", name);
	text_lower_all(out);
}

/* The newest event of a group says what it is like now. */
static void describe(struct activity_device *device, const struct activity_event *event,
	const struct client_family *family)
{
	device->family = family;
	text_escape(event->client_name, device->client_name, sizeof device->client_name);
	device->device = event->device;
	text_escape(event->device_name, device->device_name, sizeof device->device_name);
	device->client = event->client;
	device->has_device_secret = event->device != 0 || event->reason == REASON_WRONG_DEVICE;
}

static struct group *others_of(struct activity *activity)
{
	if (activity->others == NULL) {
		activity->others = mem_new(1, sizeof *activity->others);
		(void)snprintf(activity->others->device.key, ACTIVITY_KEY_SIZE, "others");
		activity->others->device.is_others = true;
	}
	return activity->others;
}

static struct group *group_of(struct activity *activity, const struct activity_event *event)
{
	enum protocol protocol = service_protocol(event->service);
	const struct client_family *family = client_family(protocol, event->client_name);
	char network[IP_TEXT_SIZE];
	char key[ACTIVITY_KEY_SIZE];
	struct map_node *node;
	struct group *group;

	(void)activity_network(&event->client, network);
	make_key(event, family, network, key);
	node = map_find(&activity->by_key, slice_str(key));
	if (node != NULL)
		return MAP_ENTRY(node, struct group, node);
	if (activity->count == ACTIVITY_GROUPS_MAX)
		return others_of(activity);
	group = mem_new(1, sizeof *group);
	memcpy(group->device.key, key, sizeof group->device.key);
	memcpy(group->network, network, sizeof group->network);
	describe(&group->device, event, family);
	map_add(&activity->by_key, &group->node, slice_str(group->device.key));
	activity->groups[activity->count++] = group;
	return group;
}

/* Did it come with a secret that is the account's, or was once? Strangers have none. */
static bool has_right_secret(enum verdict verdict, enum reason reason)
{
	return verdict == VERDICT_OK || reason == REASON_TWOFACTOR || reason == REASON_CODE ||
	       reason == REASON_DEVICE_SCOPE;
}

static void note_home(struct activity *activity, const struct ip *client)
{
	struct home *home;
	char network[IP_TEXT_SIZE];

	(void)activity_network(client, network);
	if (map_find(&activity->homes, slice_str(network)) != NULL)
		return;
	home = mem_new(1, sizeof *home);
	memcpy(home->network, network, sizeof home->network);
	map_add(&activity->homes, &home->node, slice_str(home->network));
}

/* What was found out about the secret of this refused sign-in; NULL: nothing. */
static const struct activity_finding *finding_of(
	const struct activity *activity, const struct activity_event *event)
{
	for (size_t i = 0; i < activity->finding_count; i++) {
		if (activity->findings[i].session == event->session)
			return &activity->findings[i];
	}
	return NULL;
}

static void count_event(struct group *group, const struct activity_event *event)
{
	struct activity_device *device = &group->device;

	device->services |= 1U << event->service;
	device->first_at = event->at;
	if (event->at > device->last_at) {
		device->last_at = event->at;
		device->last_verdict = event->verdict;
		device->last_reason = event->reason;
		device->why = event->verdict == VERDICT_OK ? ACTIVITY_OK : whys[event->reason];
	}
	if (event->verdict == VERDICT_OK)
		device->successes++;
	else
		device->failures++;
	if (group->times_count == 0 ||
		(group->times_count < ACTIVITY_TIMES &&
			group->times[group->times_count - 1] - event->at >= ACTIVITY_BURST))
		group->times[group->times_count++] = event->at;
}

void activity_add_event(struct activity *activity, const struct activity_event *event)
{
	struct group *group = group_of(activity, event);
	struct activity_device *device = &group->device;
	bool was_main = event->device == 0 && service_protocol(event->service) != PROTOCOL_HTTP;
	const struct activity_finding *finding = NULL;

	/* The newest finding counts, if there was no good sign-in since. */
	if (event->verdict != VERDICT_OK && device->successes == 0 && !group->is_compared)
		finding = finding_of(activity, event);
	if (finding != NULL) {
		device->old_password_at = finding->changed_at;
		group->is_compared = true;
	}
	if (event->verdict == VERDICT_OK && was_main && device->main_ok_at == 0)
		device->main_ok_at = event->at;
	if (has_right_secret(event->verdict, event->reason) ||
		(finding != NULL && finding->changed_at != 0)) {
		device->is_proven = true;
		note_home(activity, &event->client);
	}
	count_event(group, event);
}

/* ---- the result ---- */

static int compare_spans(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The median of the intervals, if three quarters of them are about as long. */
static unsigned rhythm(const struct group *group)
{
	int64_t spans[ACTIVITY_TIMES];
	size_t count = group->times_count > 0 ? group->times_count - 1 : 0;
	size_t fitting = 0;
	int64_t median;
	int64_t slack;

	if (count < ACTIVITY_RHYTHM_MIN)
		return 0;
	for (size_t i = 0; i < count; i++)
		spans[i] = group->times[i] - group->times[i + 1];
	qsort(spans, count, sizeof spans[0], compare_spans);
	median = spans[count / 2];
	slack = median / RHYTHM_SLACK > RHYTHM_SLACK_MIN ? median / RHYTHM_SLACK : RHYTHM_SLACK_MIN;
	for (size_t i = 0; i < count; i++)
		fitting += spans[i] >= median - slack && spans[i] <= median + slack;
	return fitting * 4 >= count * 3 ? (unsigned)((median + MINUTE / 2) / MINUTE) : 0;
}

static void complete(const struct activity *activity, struct group *group)
{
	struct activity_device *device = &group->device;

	if (device->old_password_at != 0 && device->why == ACTIVITY_WRONG)
		device->why = ACTIVITY_OLD;
	if (map_find(&activity->homes, slice_str(group->network)) != NULL)
		device->is_proven = true;
	device->every_minutes = rhythm(group);
}

static int compare_groups(const void *a, const void *b)
{
	const struct activity_device *x = &(*(struct group *const *)a)->device;
	const struct activity_device *y = &(*(struct group *const *)b)->device;

	if (x->is_proven != y->is_proven)
		return x->is_proven ? -1 : 1;
	if (x->last_at != y->last_at)
		return x->last_at > y->last_at ? -1 : 1;
	return strcmp(x->key, y->key);
}

/* Those without a row of their own are counted together. */
static void fold(struct activity *activity, const struct activity_device *device)
{
	struct activity_device *others = &others_of(activity)->device;

	others->services |= device->services;
	others->successes += device->successes;
	others->failures += device->failures;
	if (others->first_at == 0 || device->first_at < others->first_at)
		others->first_at = device->first_at;
	if (device->last_at > others->last_at) {
		others->last_at = device->last_at;
		others->last_verdict = device->last_verdict;
		others->last_reason = device->last_reason;
		others->why = device->why;
	}
}

const struct activity_device *activity_finish(struct activity *activity, size_t *ret_count)
{
	size_t shown = 0;
	size_t strangers = 0;

	GP_ASSERT(activity->devices == NULL);
	activity->devices = mem_new(ACTIVITY_DEVICES_MAX + 1, sizeof *activity->devices);
	for (size_t i = 0; i < activity->count; i++)
		complete(activity, activity->groups[i]);
	qsort(activity->groups, activity->count, sizeof(struct group *), compare_groups);
	for (size_t i = 0; i < activity->count; i++) {
		const struct activity_device *device = &activity->groups[i]->device;
		bool has_room = shown < ACTIVITY_DEVICES_MAX;

		if (!device->is_proven)
			has_room = has_room && strangers++ < ACTIVITY_STRANGERS_MAX;
		if (has_room)
			activity->devices[shown++] = *device;
		else
			fold(activity, device);
	}
	if (activity->others != NULL) {
		activity->others->device.family = client_family(PROTOCOL_POP3, SLICE_LIT(""));
		activity->devices[shown++] = activity->others->device;
	}
	*ret_count = shown;
	return activity->devices;
}
