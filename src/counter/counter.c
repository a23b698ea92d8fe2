/* SPDX-License-Identifier: ISC */
#include "counter/counter.h"

#include "base/check.h"

void counter_reserve(struct counter *counter, struct slice key, struct counter_ask *ask)
{
	GP_ASSERT(key.len > 0 && key.len <= COUNTER_KEY_MAX);
	counter->ops->reserve(counter, key, ask);
}

void counter_commit(struct counter *counter, struct slice key, uint64_t token, unsigned weight,
	struct counter_ask *ask)
{
	GP_ASSERT(weight > 0);
	counter->ops->commit(counter, key, token, weight, ask);
}

void counter_release(struct counter *counter, struct slice key, uint64_t token)
{
	counter->ops->release(counter, key, token);
}

void counter_add(struct counter *counter, struct slice key, unsigned weight, int64_t age_ms,
	struct counter_ask *ask)
{
	GP_ASSERT(key.len > 0 && key.len <= COUNTER_KEY_MAX && weight > 0 && age_ms >= 0);
	counter->ops->add(counter, key, weight, age_ms, ask);
}

void counter_forget(struct counter *counter, struct slice key)
{
	counter->ops->forget(counter, key);
}

void counter_forget_prefix(struct counter *counter, struct slice prefix)
{
	counter->ops->forget_prefix(counter, prefix);
}

void counter_cancel(struct counter *counter, struct counter_ask *ask)
{
	counter->ops->cancel(counter, ask);
}

unsigned counter_committed(struct counter *counter, struct slice key)
{
	return counter->ops->committed(counter, key);
}

unsigned counter_remaining(struct counter *counter, struct slice key)
{
	unsigned committed = counter_committed(counter, key);

	return committed < counter->limits.places ? counter->limits.places - committed : 0;
}

void counter_sweep(struct counter *counter)
{
	counter->ops->sweep(counter);
}

void counter_configure(struct counter *counter, const struct counter_limits *limits)
{
	GP_ASSERT(limits->places > 0 && limits->places <= COUNTER_PLACES_MAX);
	GP_ASSERT(limits->window_ms > 0 && limits->max_keys > 0);
	counter->ops->configure(counter, limits);
}

void counter_free(struct counter **pcounter)
{
	if (*pcounter == NULL)
		return;
	(*pcounter)->ops->free(*pcounter);
	*pcounter = NULL;
}
