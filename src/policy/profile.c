/* SPDX-License-Identifier: ISC */
#include "policy/profile.h"

#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "base/text.h"

enum {
	HOUR = 3600,
	DAY = 86400,
	TEXT_MAX = 512,      /* bytes of a text that a tag is made of */
	NEW_PLACES_MIN = 12, /* so many slots are left to new places, however many are known */
	HOURS_MIN = 50,      /* recipients before an hour can be unusual */
	HOURS_FULL = 60000,
	ASK_GRACE = 60, /* seconds */
};

static const uint32_t windows[PROFILE_TALLY_MAX] = {
#define PROFILE_TALLY_WINDOW(id, window) window,
	PROFILE_TALLY_LIST(PROFILE_TALLY_WINDOW)
#undef PROFILE_TALLY_WINDOW
};

uint32_t profile_tag(const uint64_t key[2], struct slice text)
{
	char lower[TEXT_MAX];
	uint64_t hash;

	text = slice_head(text, sizeof lower);
	for (size_t i = 0; i < text.len; i++)
		lower[i] = text_lower(text.data[i]);
	hash = map_hash_keyed(key, slice_of(lower, text.len));
	hash ^= hash >> 32;
	return (uint32_t)hash != 0 ? (uint32_t)hash : 1;
}

void profile_fini(struct profile *profile)
{
	known_fini(&profile->known);
	*profile = (struct profile){ 0 };
}

static void add(struct profile *profile, enum profile_tally tally, int64_t now, uint32_t amount)
{
	tally_add(&profile->tallies[tally], windows[tally], now, amount);
}

static unsigned sum(const struct profile *profile, enum profile_tally tally, int64_t now)
{
	return tally_sum(&profile->tallies[tally], windows[tally], now);
}

static uint32_t hour_of(int64_t now)
{
	return now < HOUR ? 1 : (uint32_t)(now / HOUR);
}

static bool has_tag(const uint32_t *tags, size_t count, uint32_t tag)
{
	for (size_t i = 0; i < count; i++) {
		if (tags[i] == tag)
			return true;
	}
	return false;
}

/* ---- the habit ---- */

/* A single day does not make a habit: the second highest counts, or half of the highest. */
struct peak {
	uint32_t first;
	uint32_t second;
};

static void peak_add(struct peak *peak, uint32_t value)
{
	if (value > peak->first) {
		peak->second = peak->first;
		peak->first = value;
	} else if (value > peak->second) {
		peak->second = value;
	}
}

static uint32_t peak_habit(const struct peak *peak)
{
	return peak->second > peak->first / 2 ? peak->second : peak->first / 2;
}

static void look_habit(const struct profile *profile, int64_t now, struct sending_facts *facts)
{
	uint32_t today = (uint32_t)(now / DAY);
	struct peak hours = { 0 };
	struct peak days = { 0 };
	struct peak strangers = { 0 };
	uint64_t all = 0;
	uint64_t new = 0;

	for (size_t i = 0; i < PROFILE_DAYS; i++) {
		const struct profile_day *day = &profile->days[i];

		if (day->day == 0 || day->day >= today || today - day->day >= PROFILE_DAYS)
			continue;
		peak_add(&hours, day->hour);
		peak_add(&days, day->recipients);
		peak_add(&strangers, day->strangers);
		all += day->recipients;
		new += day->strangers;
	}
	facts->habit_hour = peak_habit(&hours);
	facts->habit_day = peak_habit(&days);
	facts->habit_strangers = peak_habit(&strangers);
	facts->habit_share = all > 0 ? (unsigned)(new * 100 / all) : 0;
}

static bool is_unusual_hour(const struct profile *profile, int64_t now)
{
	unsigned hour = (unsigned)(now / HOUR % 24);
	unsigned near = (unsigned)profile->hours[(hour + 23) % 24] + profile->hours[hour] +
			profile->hours[(hour + 1) % 24];
	unsigned all = 0;

	for (size_t i = 0; i < 24; i++)
		all += profile->hours[i];
	return all >= HOURS_MIN && near * 100 < all;
}

/* ---- networks and programs ---- */

static uint32_t place_tag(const struct ip *source)
{
	const uint8_t *b = source->bytes;

	if (source->family == IP_V4)
		return 1U << 16 | (uint32_t)b[0] << 8 | b[1];
	if (source->family == IP_V6)
		return 1U << 31 | (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
		       (uint32_t)b[2] << 8 | b[3];
	return 0;
}

/* Until it is so old, whatever it comes from is its owner's. */
static bool is_learning(
	const struct profile *profile, const struct sending_policy *policy, int64_t now)
{
	return profile->first_at == 0 ||
	       now - profile->first_at < (int64_t)policy->learn_days * DAY;
}

static bool is_settled(uint32_t first_hour, const struct profile *profile,
	const struct sending_policy *policy, int64_t now)
{
	int64_t first_at = (int64_t)first_hour * HOUR;

	return now - first_at >= (int64_t)policy->known_days * DAY ||
	       first_at < profile->first_at + (int64_t)policy->learn_days * DAY;
}

static void look_places(const struct profile *profile, const struct sending_policy *policy,
	const struct profile_try *try, int64_t now, struct sending_facts *facts)
{
	uint32_t tag = try->is_known_place ? 0 : place_tag(&try->source);
	uint32_t hour = hour_of(now);
	uint16_t countries[PROFILE_PLACES + 1] = { try->country };
	bool is_found = tag == 0;
	bool is_known = tag == 0;

	facts->countries = try->country != 0;
	for (size_t i = 0; i < PROFILE_PLACES; i++) {
		const struct profile_place *place = &profile->places[i];
		bool is_there = false;

		if (place->tag == 0)
			continue;
		if (place->tag == tag) {
			is_found = true;
			is_known = is_settled(place->first_hour, profile, policy, now);
		}
		facts->new_networks += hour - place->first_hour < 24 && place->first_hour <= hour &&
				       place->first_hour > hour_of(profile->first_at);
		if (place->country == 0 || hour - place->last_hour >= 24)
			continue;
		for (unsigned k = 0; k < facts->countries; k++)
			is_there = is_there || countries[k] == place->country;
		if (!is_there)
			countries[facts->countries++] = place->country;
	}
	facts->new_networks += !is_found && profile->first_at != 0;
	facts->is_new_network = !is_known && !is_learning(profile, policy, now);
}

static void look_client(const struct profile *profile, const struct sending_policy *policy,
	const struct profile_try *try, int64_t now, struct sending_facts *facts)
{
	bool is_known = try->client == 0 || is_learning(profile, policy, now);

	for (size_t i = 0; i < PROFILE_CLIENTS; i++) {
		const struct profile_client *client = &profile->clients[i];

		if (client->tag != 0 && client->tag == try->client)
			is_known = is_known || is_settled(client->first_hour, profile, policy, now);
	}
	facts->is_new_client = !is_known;
}

/* The slot to give up: a free one; of the new ones the stalest if they have their share of the
 * slots, so that a flood of networks cannot push the known ones out; else the stalest known one. */
static struct profile_place *place_slot(struct profile *profile, uint32_t hour)
{
	struct profile_place *stale[2] = { NULL, NULL }; /* known, new */
	unsigned news = 0;

	for (size_t i = 0; i < PROFILE_PLACES; i++) {
		struct profile_place *place = &profile->places[i];
		bool is_new = hour - place->first_hour < 24;

		if (place->tag == 0)
			return place;
		news += is_new;
		if (stale[is_new] == NULL || place->last_hour < stale[is_new]->last_hour)
			stale[is_new] = place;
	}
	return stale[1] != NULL && (news >= NEW_PLACES_MIN || stale[0] == NULL) ? stale[1]
										: stale[0];
}

static void note_place(struct profile *profile, const struct profile_try *try, int64_t now)
{
	uint32_t tag = place_tag(&try->source);
	uint32_t hour = hour_of(now);
	struct profile_place *place = NULL;

	for (size_t i = 0; tag != 0 && i < PROFILE_PLACES; i++) {
		if (profile->places[i].tag == tag)
			place = &profile->places[i];
	}
	if (tag == 0)
		return;
	if (place == NULL) {
		place = place_slot(profile, hour);
		*place = (struct profile_place){ .tag = tag, .first_hour = hour };
	}
	place->last_hour = hour;
	if (try->country != 0)
		place->country = try->country;
}

static void note_client(struct profile *profile, const struct profile_try *try, int64_t now)
{
	uint32_t hour = hour_of(now);
	struct profile_client *slot = &profile->clients[0];

	if (try->client == 0)
		return;
	for (size_t i = 0; i < PROFILE_CLIENTS; i++) {
		struct profile_client *client = &profile->clients[i];

		if (client->tag == try->client) {
			client->last_hour = hour;
			return;
		}
		if (client->last_hour < slot->last_hour)
			slot = client;
	}
	*slot = (struct profile_client){ try->client, hour, hour };
}

/* ---- one recipient ---- */

bool profile_is_stranger(const struct profile *profile, uint32_t recipient, int64_t now)
{
	return !known_has(&profile->known, recipient, now);
}

static unsigned look_bodies(const struct profile *profile, int64_t now)
{
	unsigned most = 0;

	for (size_t i = 0; i < PROFILE_BODIES; i++) {
		const struct profile_body *body = &profile->bodies[i];

		if (now - body->first_at < DAY && body->strangers > most)
			most = body->strangers;
	}
	return most;
}

void profile_look(const struct profile *profile, const struct sending_policy *policy,
	const struct profile_try *try, int64_t now, struct sending_facts *ret_facts)
{
	bool is_stranger = profile_is_stranger(profile, try->recipient, now);
	bool is_counted = is_stranger && has_tag(profile->tried, PROFILE_TRIED, try->recipient);
	struct sending_facts facts = {
		.recipients_hour = sum(profile, PROFILE_RECIPIENTS_HOUR, now) + 1,
		.recipients_day = sum(profile, PROFILE_RECIPIENTS_DAY, now) + 1,
		.is_stranger = is_stranger,
		.is_counted = is_counted,
		.strangers_day =
			sum(profile, PROFILE_STRANGERS, now) + (is_stranger && !is_counted),
		.strangers_elsewhere = sum(profile, PROFILE_STRANGERS_ELSEWHERE, now),
		.known_elsewhere = sum(profile, PROFILE_KNOWN_ELSEWHERE, now),
		.is_unusual_hour = is_unusual_hour(profile, now),
		.refused_unknown = sum(profile, PROFILE_UNKNOWN, now),
		.refused_spam = sum(profile, PROFILE_SPAM, now),
		.filter_bad = sum(profile, PROFILE_FILTER_BAD, now),
		.filter_doubtful = sum(profile, PROFILE_FILTER_DOUBTFUL, now),
		.forged = sum(profile, PROFILE_FORGED, now),
		.body_strangers = look_bodies(profile, now),
		.limit_tries = sum(profile, PROFILE_LIMIT, now),
		.insisted = sum(profile, PROFILE_INSISTED, now),
		.is_asked = profile->asked_at != 0,
		.since_last = profile->passed_at != 0 ? now - profile->passed_at : INT64_MAX,
	};

	look_habit(profile, now, &facts);
	look_places(profile, policy, try, now, &facts);
	look_client(profile, policy, try, now, &facts);
	if (facts.is_new_network && is_stranger)
		facts.strangers_elsewhere += !is_counted;
	else if (facts.is_new_network)
		facts.known_elsewhere++;
	*ret_facts = facts;
}

void profile_look_again(const struct profile *profile, const struct sending_policy *policy,
	const struct profile_try *try, int64_t now, struct sending_facts *ret_facts)
{
	struct sending_facts facts;

	profile_look(profile, policy, try, now, &facts);
	facts.recipients_hour--;
	facts.recipients_day--;
	if (facts.is_new_network && !facts.is_stranger)
		facts.known_elsewhere--;
	*ret_facts = facts;
}

void profile_ask(struct profile *profile, int64_t now)
{
	if (profile->asked_at == 0)
		profile->asked_at = now;
}

static void note_stranger(struct profile *profile, const struct profile_try *try,
	const struct sending_facts *facts, enum sending_outcome outcome, int64_t now)
{
	if (facts->is_counted)
		return;
	profile->tried[profile->tried_next] = try->recipient;
	profile->tried_next = (profile->tried_next + 1) % PROFILE_TRIED;
	/* What was under way when the owner was asked, as the rest of the same message, says no
	 * more against him: whoever goes on with new ones a minute later does. */
	if (profile->asked_at != 0 && outcome == SENDING_ASK && now - profile->asked_at < ASK_GRACE)
		return;
	add(profile, PROFILE_STRANGERS, now, 1);
	if (facts->is_new_network)
		add(profile, PROFILE_STRANGERS_ELSEWHERE, now, 1);
	if (outcome == SENDING_ASK || outcome == SENDING_BLOCK)
		add(profile, PROFILE_INSISTED, now, 1);
}

void profile_note(struct profile *profile, const struct profile_try *try,
	const struct sending_facts *facts, enum sending_outcome outcome, int64_t now)
{
	if (profile->first_at == 0)
		profile->first_at = now;
	note_place(profile, try, now);
	note_client(profile, try, now);
	if (facts->is_stranger)
		note_stranger(profile, try, facts, outcome, now);
	if (outcome == SENDING_ASK)
		profile_ask(profile, now);
	if (outcome != SENDING_PASS)
		return;
	if (!facts->is_stranger && facts->is_new_network)
		add(profile, PROFILE_KNOWN_ELSEWHERE, now, 1);
	add(profile, PROFILE_RECIPIENTS_HOUR, now, 1);
	add(profile, PROFILE_RECIPIENTS_DAY, now, 1);
	profile->passed_at = now;
}

/* ---- what came of it ---- */

static struct profile_day *day_at(struct profile *profile, int64_t now)
{
	uint32_t number = now < DAY ? 1 : (uint32_t)(now / DAY);
	struct profile_day *day = &profile->days[number % PROFILE_DAYS];

	if (day->day < number)
		*day = (struct profile_day){ .day = number };
	return day;
}

static void note_hour(struct profile *profile, int64_t now)
{
	uint16_t *hour = &profile->hours[now / HOUR % 24];

	if (*hour >= HOURS_FULL) {
		for (size_t i = 0; i < 24; i++)
			profile->hours[i] /= 2;
	}
	(*hour)++;
}

void profile_delivered(struct profile *profile, const struct profile_try *try, int64_t now)
{
	struct profile_day *day = day_at(profile, now);
	uint32_t busy = sum(profile, PROFILE_RECIPIENTS_HOUR, now);

	day->strangers += known_add(&profile->known, try->recipient, now);
	day->recipients++;
	if (busy > day->hour)
		day->hour = busy;
	note_hour(profile, now);
}

bool profile_refused_unknown(struct profile *profile, uint32_t recipient, int64_t now)
{
	bool counts = profile_is_stranger(profile, recipient, now);

	if (counts)
		add(profile, PROFILE_UNKNOWN, now, 1);
	return counts;
}

void profile_refused_spam(struct profile *profile, int64_t now)
{
	add(profile, PROFILE_SPAM, now, 1);
}

void profile_filtered(struct profile *profile, bool is_bad, int64_t now)
{
	add(profile, is_bad ? PROFILE_FILTER_BAD : PROFILE_FILTER_DOUBTFUL, now, 1);
}

void profile_sent_body(struct profile *profile, uint32_t body, unsigned strangers, int64_t now)
{
	struct profile_body *slot = &profile->bodies[0];

	if (strangers == 0)
		return;
	for (size_t i = 0; i < PROFILE_BODIES; i++) {
		struct profile_body *one = &profile->bodies[i];

		if (one->tag == body && now - one->first_at < DAY) {
			one->strangers += strangers;
			return;
		}
		if (now - one->first_at >= DAY)
			one->strangers = 0;
		if (one->strangers < slot->strangers)
			slot = one;
	}
	*slot = (struct profile_body){ body, strangers, now };
}

bool profile_forged(struct profile *profile, uint32_t sender, int64_t now)
{
	if (has_tag(profile->senders, PROFILE_SENDERS, sender))
		return false;
	profile->senders[profile->senders_next] = sender;
	profile->senders_next = (profile->senders_next + 1) % PROFILE_SENDERS;
	add(profile, PROFILE_FORGED, now, 1);
	return true;
}

void profile_limited(struct profile *profile, int64_t now)
{
	add(profile, PROFILE_LIMIT, now, 1);
}

/* Every tally is of the last day at most. */
static void forget_suspicion(struct profile *profile)
{
	memset(profile->tallies, 0, sizeof profile->tallies);
	memset(profile->bodies, 0, sizeof profile->bodies);
	profile->asked_at = 0;
}

void profile_confirm(struct profile *profile, int64_t now)
{
	uint32_t day_ago = hour_of(now - DAY);

	forget_suspicion(profile);
	/* In use since ever: known, and no longer new of this day. */
	for (size_t i = 0; i < PROFILE_PLACES; i++) {
		if (profile->places[i].last_hour >= day_ago)
			profile->places[i].first_hour = hour_of(profile->first_at);
	}
	for (size_t i = 0; i < PROFILE_CLIENTS; i++) {
		if (profile->clients[i].last_hour >= day_ago)
			profile->clients[i].first_hour = hour_of(profile->first_at);
	}
}

int64_t profile_began(
	const struct profile *profile, const struct sending_policy *policy, int64_t now)
{
	uint32_t day_ago = hour_of(now - DAY);
	int64_t began = now;

	for (size_t i = 0; i < PROFILE_PLACES; i++) {
		const struct profile_place *place = &profile->places[i];
		int64_t first_at = (int64_t)place->first_hour * HOUR;

		if (place->tag != 0 && place->last_hour >= day_ago && first_at < began &&
			!is_settled(place->first_hour, profile, policy, now))
			began = first_at;
	}
	return began;
}

void profile_forgive(
	struct profile *profile, const struct sending_policy *policy, int64_t since, int64_t now)
{
	int64_t first_day = since / DAY;

	forget_suspicion(profile);
	/* What a thief has tried counts again when he, or the next one, tries it again. */
	memset(profile->tried, 0, sizeof profile->tried);
	memset(profile->senders, 0, sizeof profile->senders);
	for (size_t i = 0; i < PROFILE_PLACES; i++) {
		struct profile_place *place = &profile->places[i];

		if (place->tag != 0 && !is_settled(place->first_hour, profile, policy, now))
			*place = (struct profile_place){ 0 };
	}
	for (size_t i = 0; i < PROFILE_CLIENTS; i++) {
		struct profile_client *client = &profile->clients[i];

		if (client->tag != 0 && !is_settled(client->first_hour, profile, policy, now))
			*client = (struct profile_client){ 0 };
	}
	for (size_t i = 0; i < PROFILE_DAYS; i++) {
		if (profile->days[i].day >= first_day)
			profile->days[i] = (struct profile_day){ 0 };
	}
}

size_t profile_bytes(const struct profile *profile)
{
	return sizeof *profile + known_bytes(&profile->known);
}
