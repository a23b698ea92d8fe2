/* SPDX-License-Identifier: ISC */
#include "core/sending_unit.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/core.h"
#include "core/sending_account.h"

enum {
	TRIM_MOST = 64 /* looked at in one go */
};

void sending_unit_init_all(struct core *core)
{
	struct sending_units *units = &core->sending.units;

	for (unsigned what = 0; what < IPC_SENDING_MAX; what++)
		map_init(&units->by_key[what]);
	map_init(&units->by_request);
	TAILQ_INIT(&units->resting);
}

static void unit_free(struct sending_unit *unit)
{
	struct sending_units *units = &unit->core->sending.units;

	GP_ASSERT(TAILQ_EMPTY(&unit->waiting));
	if (unit->request != 0)
		map_remove(&units->by_request, &unit->by_request);
	if (unit->is_resting)
		TAILQ_REMOVE(&units->resting, unit, rest);
	map_remove(&units->by_key[unit->what], &unit->node);
	units->bytes -= unit->bytes;
	mem_free(unit->domain);
	if (unit->of != NULL)
		sending_account_free(unit->of);
	else
		mem_free(unit);
}

void sending_unit_fini_all(struct core *core)
{
	struct sending_units *units = &core->sending.units;

	for (unsigned what = 0; what < IPC_SENDING_MAX; what++) {
		while (units->by_key[what].count > 0)
			unit_free(MAP_ENTRY(
				map_first(&units->by_key[what]), struct sending_unit, node));
		map_fini(&units->by_key[what]);
	}
	map_fini(&units->by_request);
	GP_ASSERT(units->bytes == 0);
}

/* ---- who is held, and who may go ---- */

static struct sending_unit *find(struct core *core, enum ipc_sending what, struct slice key)
{
	struct map_node *node = map_find(&core->sending.units.by_key[what], key);

	return node != NULL ? MAP_ENTRY(node, struct sending_unit, node) : NULL;
}

static void hold(struct sending_unit *unit)
{
	if (unit->is_resting)
		TAILQ_REMOVE(&unit->core->sending.units.resting, unit, rest);
	unit->is_resting = false;
	unit->holds++;
}

/* Everything is in use or waits for the vault to keep it: better no further account than no core.
 */
static bool is_full(const struct core *core)
{
	return core->sending.units.bytes >= 2 * core->config->sending_memory;
}

static struct sending_unit *unit_new(struct core *core, enum ipc_sending what)
{
	struct sending_account *account =
		what == IPC_SENDING_ACCOUNT ? sending_account_new(core) : NULL;
	struct sending_unit *unit = account != NULL ? &account->unit : mem_new(1, sizeof *unit);

	unit->core = core;
	unit->what = what;
	unit->of = account;
	TAILQ_INIT(&unit->waiting);
	sending_unit_set_bytes(unit, account != NULL
					     ? sizeof *account + profile_bytes(&account->profile)
					     : SENDING_UNIT_BYTES);
	return unit;
}

static struct sending_unit *add(struct sending_unit *unit, struct slice key)
{
	map_add(&unit->core->sending.units.by_key[unit->what], &unit->node, key);
	hold(unit);
	sending_unit_trim(unit->core);
	return unit;
}

struct sending_unit *sending_unit_hold_account(struct core *core, uint64_t account)
{
	struct sending_unit *unit = sending_unit_find_account(core, account);

	if (unit != NULL)
		hold(unit);
	if (unit != NULL || is_full(core))
		return unit;
	unit = unit_new(core, IPC_SENDING_ACCOUNT);
	unit->account = account;
	return add(unit, slice_of(&unit->account, sizeof unit->account));
}

struct sending_unit *sending_unit_hold_domain(struct core *core, struct slice domain)
{
	struct sending_unit *unit = find(core, IPC_SENDING_DOMAIN, domain);

	if (unit != NULL)
		hold(unit);
	if (unit != NULL || is_full(core))
		return unit;
	unit = unit_new(core, IPC_SENDING_DOMAIN);
	unit->domain = slice_dup(domain);
	return add(unit, slice_str(unit->domain));
}

struct sending_unit *sending_unit_hold_source(struct core *core, const struct ip *source)
{
	struct sending_unit *unit = find(core, IPC_SENDING_SOURCE, source_key(source));

	if (unit != NULL)
		hold(unit);
	if (unit != NULL || is_full(core))
		return unit;
	unit = unit_new(core, IPC_SENDING_SOURCE);
	unit->source = *source;
	return add(unit, source_key(&unit->source));
}

struct sending_unit *sending_unit_find_account(struct core *core, uint64_t account)
{
	return find(core, IPC_SENDING_ACCOUNT, slice_of(&account, sizeof account));
}

struct sending_unit *sending_unit_find_domain(struct core *core, struct slice domain)
{
	return find(core, IPC_SENDING_DOMAIN, domain);
}

void sending_unit_drop(struct sending_unit **punit)
{
	struct sending_unit *unit = *punit;

	*punit = NULL;
	if (unit == NULL)
		return;
	GP_ASSERT(unit->holds > 0);
	if (--unit->holds > 0)
		return;
	unit->is_resting = true;
	TAILQ_INSERT_TAIL(&unit->core->sending.units.resting, unit, rest);
	sending_unit_trim(unit->core);
}

void sending_unit_set_bytes(struct sending_unit *unit, size_t bytes)
{
	unit->core->sending.units.bytes += bytes - unit->bytes;
	unit->bytes = bytes;
}

void sending_unit_trim(struct core *core)
{
	struct sending_units *units = &core->sending.units;
	struct sending_unit *unit = TAILQ_FIRST(&units->resting);

	for (unsigned n = 0; unit != NULL && n < TRIM_MOST; n++) {
		struct sending_unit *next = TAILQ_NEXT(unit, rest);

		if (units->bytes <= core->config->sending_memory)
			return;
		if (unit->request == 0 && (unit->of == NULL || sending_account_may_go(unit->of)))
			unit_free(unit);
		unit = next;
	}
}

/* ---- loading ---- */

/* What was sent must be in the store before it is asked for. */
static bool is_store_up_to_date(struct core *core)
{
	journal_flush(core);
	return !core->journal.is_held && core->journal.next == NULL;
}

static bool ask(struct sending_unit *unit, enum ipc_sending what)
{
	struct core *core = unit->core;
	struct sending_units *units = &core->sending.units;
	struct ipc_message message = { .type = IPC_SENDING_LOAD,
		.sending_load = { .request = units->last_request + 1,
			.what = (uint8_t)what,
			.account = unit->account,
			.domain = slice_str(unit->domain),
			.source = unit->source,
			.since = clock_wall() - SENDING_SPENT_S } };

	if (!core->sending.has_key || !is_store_up_to_date(core) ||
		vaults_send_desk(core, &message, -1) != GP_OK)
		return false;
	core->stats.sending_loads++;
	unit->request = ++units->last_request;
	map_add(&units->by_request, &unit->by_request,
		slice_of(&unit->request, sizeof unit->request));
	return true;
}

bool sending_unit_want(struct sending_unit *unit)
{
	if (unit->request != 0)
		return false;
	if (unit->state == SENDING_READY && unit->of != NULL && unit->of->is_stale) {
		if (ask(unit, IPC_SENDING_NAMES))
			sending_account_on_load(unit->of, IPC_SENDING_NAMES);
		return false;
	}
	if (unit->state == SENDING_READY)
		return true;
	if (!ask(unit, unit->what))
		return false;
	unit->state = SENDING_LOADING;
	unit->meter = (struct sending_meter){ 0 };
	unit->late = (struct sending_amount){ 0 };
	if (unit->of != NULL)
		sending_account_on_load(unit->of, IPC_SENDING_ACCOUNT);
	return false;
}

bool sending_unit_is_loading(const struct sending_unit *unit)
{
	return unit->request != 0;
}

void sending_unit_wait(struct sending_unit *unit, struct sending_waiter *waiter)
{
	GP_ASSERT(waiter->unit == NULL && sending_unit_is_loading(unit));
	waiter->unit = unit;
	TAILQ_INSERT_TAIL(&unit->waiting, waiter, link);
}

void sending_unit_cancel(struct sending_waiter *waiter)
{
	if (waiter->unit != NULL)
		TAILQ_REMOVE(&waiter->unit->waiting, waiter, link);
	waiter->unit = NULL;
}

void sending_unit_add_late(
	struct sending_unit *unit, const struct sending_amount *amount, int64_t now)
{
	if (unit->state == SENDING_READY)
		sending_limit_restore(&unit->meter, amount, now);
	if (unit->state != SENDING_LOADING)
		return;
	unit->late.messages += amount->messages;
	unit->late.recipients += amount->recipients;
	unit->late.strangers += amount->strangers;
}

/* Those who wait now; not those who come because of it. */
static void wake(struct sending_unit *unit, bool ok)
{
	struct sending_unit *held = unit;
	struct sending_waiter *waiter = NULL;
	unsigned count = 0;

	hold(unit);
	TAILQ_FOREACH (waiter, &unit->waiting, link)
		count++;
	for (; count > 0 && !TAILQ_EMPTY(&unit->waiting); count--) {
		waiter = TAILQ_FIRST(&unit->waiting);
		sending_unit_cancel(waiter);
		waiter->on_ready(waiter, ok);
	}
	sending_unit_drop(&held);
}

static void end_load(struct sending_unit *unit, const struct ipc_sending_loaded *message)
{
	struct core *core = unit->core;
	bool was_whole = unit->state == SENDING_LOADING;
	/* The vault could not keep what it was told before: it may have answered without that. */
	bool ok = message != NULL && message->ok && !core->journal.is_held;
	bool is_found = message != NULL && message->found;

	map_remove(&core->sending.units.by_request, &unit->by_request);
	unit->request = 0;
	if (!ok)
		core->stats.sending_loads_failed++;
	if (ok && unit->of != NULL)
		sending_account_on_loaded(
			unit->of, was_whole ? IPC_SENDING_ACCOUNT : IPC_SENDING_NAMES, message);
	if (ok && unit->of != NULL && !is_found)
		ok = false;
	if (was_whole)
		unit->state = ok ? SENDING_READY : SENDING_IDLE;
	if (was_whole && ok)
		sending_limit_restore(&unit->meter, &unit->late, sending_now(core));
	unit->late = (struct sending_amount){ 0 };
	wake(unit, ok);
}

static struct sending_unit *find_asked(struct core *core, uint64_t request)
{
	struct map_node *node =
		map_find(&core->sending.units.by_request, slice_of(&request, sizeof request));

	return node != NULL ? MAP_ENTRY(node, struct sending_unit, by_request) : NULL;
}

void sending_unit_on_spent(struct core *core, const struct ipc_spent_row *row)
{
	struct sending_unit *unit = find_asked(core, row->request);
	const struct sending_amount amount = { row->messages, row->recipients, row->strangers };

	if (unit != NULL && unit->state == SENDING_LOADING)
		sending_limit_restore(
			&unit->meter, &amount, row->at - clock_wall() + sending_now(core));
}

void sending_unit_on_sender(struct core *core, const struct ipc_sender_row *row)
{
	struct sending_unit *unit = find_asked(core, row->request);

	if (unit != NULL && unit->of != NULL)
		sending_account_on_sender(unit->of, row);
}

void sending_unit_on_loaded(struct core *core, const struct ipc_sending_loaded *message)
{
	struct sending_unit *unit = find_asked(core, message->request);

	if (unit != NULL)
		end_load(unit, message);
}

void sending_unit_on_desk_gone(struct core *core)
{
	struct sending_units *units = &core->sending.units;

	while (units->by_request.count > 0)
		end_load(MAP_ENTRY(map_first(&units->by_request), struct sending_unit, by_request),
			NULL);
}
