/* SPDX-License-Identifier: ISC */
#include "core/places.h"

#include <string.h>

#include "base/check.h"

static void reserve_next(struct places *places);
static void commit_next(struct places *places);

static void give_back(struct place *place)
{
	if (!place->is_held)
		return;
	place->is_held = false;
	counter_release(place->counter, places_key(place), place->token);
}

static void give_all_back(struct places *places)
{
	for (unsigned i = 0; i < places->count; i++)
		give_back(&places->place[i]);
}

static void on_reserve_answer(struct places *places, const struct counter_result *result)
{
	struct place *place = &places->place[places->at];
	/* It may change under us once places are given back. */
	struct counter_result answer = *result;

	if (answer.answer == COUNTER_GRANTED) {
		place->is_held = true;
		place->token = answer.token;
		places->at++;
		reserve_next(places);
	} else if (answer.answer == COUNTER_SPENT && place->kind == PLACES_ACCOUNT) {
		places->is_account_spent = true;
		places->at++;
		reserve_next(places);
	} else {
		give_all_back(places);
		places->on_reserved(places, &answer);
	}
}

static void reserve_next(struct places *places)
{
	static const struct counter_result granted = { .answer = COUNTER_GRANTED };
	struct place *place = &places->place[places->at];

	if (places->at == places->count)
		places->on_reserved(places, &granted);
	else
		counter_reserve(place->counter, places_key(place), &places->ask);
}

static void commit_next(struct places *places)
{
	while (places->at < places->count && !places->place[places->at].is_held)
		places->at++;
	if (places->at == places->count) {
		places->on_committed(places);
		return;
	}
	/* It is used up: nothing is left to give back. */
	places->place[places->at].is_held = false;
	counter_commit(places->place[places->at].counter, places_key(&places->place[places->at]),
		places->place[places->at].token, places->place[places->at].weight, &places->ask);
}

static void on_answer(struct counter_ask *ask, const struct counter_result *result)
{
	struct places *places = ask->owner;

	if (!places->is_committing) {
		on_reserve_answer(places, result);
		return;
	}
	places->place[places->at].result = *result;
	places->at++;
	commit_next(places);
}

void places_init(struct places *places,
	void (*on_reserved)(struct places *places, const struct counter_result *result),
	void (*on_committed)(struct places *places), void *owner)
{
	*places = (struct places){
		.on_reserved = on_reserved,
		.on_committed = on_committed,
		.owner = owner,
		.ask = { .on_answer = on_answer, .owner = places },
	};
}

void places_fini(struct places *places)
{
	if (places->at < places->count)
		counter_cancel(places->place[places->at].counter, &places->ask);
	give_all_back(places);
	places->count = 0;
}

void places_add(struct places *places, unsigned kind, struct counter *counter, struct slice key)
{
	struct place *place = &places->place[places->count++];

	GP_ASSERT(places->count <= PLACES_MAX && key.len <= COUNTER_KEY_MAX);
	place->kind = kind;
	place->counter = counter;
	memcpy(place->key, key.data, key.len);
	place->key_len = key.len;
}

void places_reserve(struct places *places)
{
	places->at = 0;
	places->is_account_spent = false;
	reserve_next(places);
}

void places_commit(struct places *places, unsigned weight, unsigned account_weight)
{
	for (unsigned i = 0; i < places->count; i++) {
		struct place *place = &places->place[i];

		place->weight = place->kind == PLACES_ACCOUNT ? account_weight : weight;
		place->result = (struct counter_result){ .answer = COUNTER_FAILED };
		if (place->weight == 0)
			give_back(place);
	}
	places->is_committing = true;
	places->at = 0;
	commit_next(places);
}

bool places_are_full(const struct places *places)
{
	for (unsigned i = 0; i < places->count; i++) {
		const struct place *place = &places->place[i];

		if (place->kind < IP_LEVELS && place->result.answer == COUNTER_DONE &&
			place->result.is_last)
			return true;
	}
	return false;
}

struct slice places_key(const struct place *place)
{
	return slice_of(place->key, place->key_len);
}
